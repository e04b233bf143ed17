"""What a storage shows of code: `versions`, `source_history`, `code`, `diff`."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gitmemo as gm
from gitmemo.changes.deciding import facts_of
from gitmemo.changes.finding import find_open
from gitmemo.changes.uses import world_uses
from gitmemo.hashing.digest import Digest, digest, to_hex
from gitmemo.model.components import Component, Content
from gitmemo.model.facts import Call, Decision, Source, Text, Verdict, Version
from gitmemo.model.lines import record_id, to_line
from gitmemo.model.validity import NoCode
from gitmemo.versions.contents import module_name
from gitmemo.versions.finding import find_code
from gitmemo.versions.listing import Shape, summaries, versions_of
from gitmemo.versions.revisions import Standing, history_of
from gitmemo.world.standalone import StandaloneWorld

PROGRAM = """\
import math

import gitmemo as gm

N_CLASS = 10


def scale_data(X):
    return [x - 1 for x in X]


@gm.op
def load_data():
    return list(range(N_CLASS)), math.floor(2.5)


@gm.op
def train_model(X, y, scale=False):
    if scale:
        X = scale_data(X)
    return sum(X) * y


@gm.op
def eval_model(model, X, y, scale=False):
    if scale:
        X = scale_data(X)
    return model / 3 + y


@gm.op
def never(x):
    return x


def run():
    X, y = load_data()
    for scale in [False, True]:
        model = train_model(X, y, scale=scale)
        eval_model(model, X, y, scale=scale)
"""
EDITS = [
    ("N_CLASS = 10", "N_CLASS = 5"),
    ("[x - 1 for x in X]", "[x - 2 for x in X]"),
    ("model / 3 + y", "round(model / 3 + y, 2)"),
]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    """The pipeline of the page on versions, in small."""
    name = f"pipeline_{abs(hash(tmp_path.name))}"
    (tmp_path / f"{name}.py").write_text(PROGRAM)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module(name)
    del sys.modules[name]


@pytest.fixture
def edit(program: types.ModuleType) -> Callable[..., None]:
    """Change the program's file and load it again."""

    def edit(*edits: tuple[str, str]) -> None:
        assert program.__file__
        path = Path(program.__file__)
        text = path.read_text()
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)
        importlib.invalidate_caches()
        for cached in (path.parent / "__pycache__").glob("*"):
            cached.unlink()
        importlib.reload(program)

    return edit


def decide(storage: gm.Storage, answers: dict[str, Verdict]) -> None:
    """Decide about each open change, by the name of its component."""
    world, code = storage.world, storage._code
    found = find_open(world_uses(world, code), code, world.decisions(), lambda *_: None)  # type: ignore[arg-type]
    assert {change.component.unit for change in found} == set(answers)
    for change in found:
        verdict = answers[change.component.unit]
        world.record(list(facts_of(world, change, verdict, "because")))


@pytest.fixture
def edited(
    versioned_storage: gm.Storage, program: types.ModuleType, edit: Callable[..., None]
) -> gm.Storage:
    """The pipeline ran, changed in three places, was decided about, and ran again."""
    with versioned_storage:
        program.run()
    edit(*EDITS)
    answers = dict.fromkeys(("$N_CLASS", "scale_data"), Verdict.BREAKING)
    decide(versioned_storage, answers | {"eval_model": Verdict.NON_BREAKING})
    with versioned_storage:
        program.run()
    return versioned_storage


def test_versions_as_the_page_on_versions_counts_them(
    edited: gm.Storage, program: types.ModuleType
) -> None:
    found = edited.versions(program.eval_model)
    assert len(found) == 4
    assert len({version.content_id for version in found}) == 4
    assert len({version.semantic_id for version in found}) == 3
    assert found[0].semantic_id == found[2].semantic_id
    assert len(edited.versions(program.load_data)) == 2
    assert len(edited.versions("train_model")) == 3
    assert [version.calls for version in found] == [1, 1, 1, 1]


def test_each_version_prints_its_own_code(edited: gm.Storage, program: types.ModuleType) -> None:
    found = edited.versions(program.eval_model)
    blocks = str(edited.versions("eval_model", plain=True)).split("### Dependencies")[1:]
    assert ["round(" in block for block in blocks] == [False, False, True, True]
    assert ["x - 1" in block for block in blocks] == [False, True, False, False]
    assert ["x - 2" in block for block in blocks] == [False, False, False, True]
    for block, version in zip(blocks, found, strict=True):
        assert f"### content_version_id={version.content_id}\n" in block
        assert f"### semantic_version_id={version.semantic_id}\n" in block
        assert f'### IN MODULE "{program.__name__}"\n' in block
        assert f"for version of function eval_model from module {program.__name__}\n" in block


def test_variables_stand_before_functions_and_imports_are_left_out(
    versioned_storage: gm.Storage, program: types.ModuleType
) -> None:
    with versioned_storage:
        program.run()
    shown = str(versioned_storage.versions(program.load_data, plain=True))
    assert "\n\nN_CLASS = 10\n\n@gm.op\ndef load_data():\n    return list" in shown
    assert "import math" not in shown
    content = versioned_storage.versions(program.load_data)[0].components[-1]
    assert "import math" in versioned_storage.code(content.id)


def test_frames_and_ids_of_contents(edited: gm.Storage, program: types.ModuleType) -> None:
    lines = str(edited.versions(program.load_data)).splitlines()
    assert sum(line.startswith("╭─") for line in lines) == 2
    assert len({len(line) for line in lines}) == 1
    with_ids = str(edited.versions(program.load_data, show_dep_commit_ids=True))
    for version in edited.versions(program.load_data):
        assert all(f"### id={content.id}" in with_ids for content in version.components)


def test_a_version_knows_when_it_ran_and_whether_it_holds(
    edited: gm.Storage, program: types.ModuleType
) -> None:
    old, new = edited.versions(program.load_data)
    assert old.first is not None and new.first is not None
    assert old.first <= new.first
    assert old.seconds > 0
    assert (old.is_valid, new.is_valid) == (False, True)
    assert [name.rpartition(":")[2] for name in old.changed] == ["$N_CLASS"]


def test_a_value_is_said_where_the_text_does_not_tell(
    versioned_storage: gm.Storage, program: types.ModuleType
) -> None:
    with versioned_storage:
        program.load_data()
        assert "# the value" not in str(versioned_storage.versions("load_data"))
        program.N_CLASS = 7
        program.load_data()
    shown = str(versioned_storage.versions("load_data", plain=True))
    first, second = [line for line in shown.splitlines() if line.startswith("# the value: id=")]
    assert first != second


def test_an_op_that_was_never_called_has_no_versions(
    versioned_storage: gm.Storage, program: types.ModuleType
) -> None:
    found = versioned_storage.versions(program.never)
    assert list(found) == []
    assert "no call of" in str(found)


def test_what_cannot_be_asked(versioned_storage: gm.Storage, program: types.ModuleType) -> None:
    with pytest.raises(gm.errors.NotVersioned, match="deps_path"):
        gm.Storage().versions(program.never)
    with pytest.raises(gm.errors.UnknownOp):
        versioned_storage.versions("nobody")
    with pytest.raises(gm.errors.NotAnOp):
        versioned_storage.versions(3)  # type: ignore[arg-type]
    with pytest.raises(gm.errors.UnknownComponent):
        versioned_storage.sources("nobody")
    with pytest.raises(gm.errors.UnknownComponent):
        versioned_storage.sources(print)
    with pytest.raises(gm.errors.UnknownId):
        versioned_storage.code("0123456789")
    with pytest.raises(gm.errors.UnknownId, match="not an id"):
        versioned_storage.diff("xyz", "xyz")


def test_histories_of_code(edited: gm.Storage, program: types.ModuleType) -> None:
    old, new = edited.source_history(program.eval_model)
    assert (old.is_head, new.is_head) == (False, True)
    assert new.parents == (old.id,)
    [ruling] = new.rulings
    assert (ruling.old, ruling.new, ruling.verdict) == (old.id, new.id, "non-breaking")
    assert ruling.why == "because"
    shown = str(edited.sources("eval_model"))
    assert "-    return model / 3 + y" in shown
    assert f"{new.id[:12]}  now  after {old.id[:12]}" in shown
    assert "non-breaking: because" in shown
    assert "●" not in str(edited.source_history("eval_model", plain=True))
    assert "+    return" not in str(edited.source_history("eval_model"))
    [scale] = {revision.component for revision in edited.sources(program.scale_data)}
    assert scale.endswith(":scale_data")


def test_going_back_moves_the_head(
    edited: gm.Storage, program: types.ModuleType, edit: Callable[..., None]
) -> None:
    edit(*((new, old) for old, new in EDITS))
    old, new = edited.sources("eval_model")
    assert (old.is_head, new.is_head) == (True, False)


def test_texts_and_differences_by_id(edited: gm.Storage, program: types.ModuleType) -> None:
    first, second, *_ = edited.versions(program.eval_model)
    whole = edited.code(second.content_id[:12])
    assert "def scale_data" in whole
    assert "def eval_model" in whole
    assert repr(whole) == whole
    old, new = edited.source_history("scale_data")
    assert str(edited.get_code(old.id)) == edited.code(old.id)
    assert "x - 1" in edited.code(old.id)
    plain = edited.get_code(old.id, show=False, meta=True)
    assert repr(plain) != plain
    assert plain.startswith(f"### id={old.id}")
    changed = edited.diff(old.id, new.id)
    assert "-    return [x - 1 for x in X]\n+    return [x - 2 for x in X]" in changed
    assert " def scale_data" not in edited.diff(old.id, new.id, context_lines=0)
    assert "+def scale_data" in edited.diff(first.content_id, second.content_id)
    assert edited.diff(old.id, old.id) == ""


# --- made-up facts ----------------------------------------------------------

F = Component("m.py", "f")


def source(ident: bytes, text: str, *parents: Digest) -> tuple[Source, Text]:
    return Source(F, Digest(ident), digest(text.encode()), parents), Text(text)


def test_an_ambiguous_beginning_lists_the_candidates() -> None:
    world = StandaloneWorld(None)
    a, b = b"\xab\xcd\x01" + bytes(29), b"\xab\xcd\x02" + bytes(29)
    world.record([*source(a, "a = 1\n"), *source(b, "a = 2\n")])
    with pytest.raises(gm.errors.AmbiguousId) as caught:
        find_code(world, "abcd")
    assert [c[:6] for c in caught.value.candidates] == ["abcd01", "abcd02"]
    assert find_code(world, "ABCD02").id == b.hex()


def test_histories_do_not_depend_on_the_order_of_facts() -> None:
    first, text = source(bytes([1]) * 32, "one\n")
    second, other = source(bytes([2]) * 32, "two\n", record_id(to_line(first)))
    decision = Decision(
        F, first.source, second.source, Verdict.BREAKING, parents=(record_id(to_line(second)),)
    )
    later = Decision(
        F,
        first.source,
        second.source,
        Verdict.NON_BREAKING,
        parents=(record_id(to_line(decision)),),
        supersedes=(record_id(to_line(decision)),),
    )
    third, last = source(bytes([3]) * 32, "three\n", record_id(to_line(later)))
    facts = [first, text, second, other, decision, later, third, last]
    shown = []
    for order in (facts, facts[::-1]):
        world = StandaloneWorld(None)
        for fact in order:
            world.record([fact])
        shown.append(list(history_of(world, F, NoCode())))
    for found in shown:
        assert [revision.text for revision in found] == ["one\n", "two\n", "three\n"]
        assert found[2].parents == (to_hex(second.source),)
        standings = {ruling.verdict: ruling.standing for ruling in found[1].rulings}
        assert standings["breaking"] is Standing.REPLACED
        assert standings["non-breaking"] is Standing.IN_FORCE


def test_a_list_takes_the_same_number_of_queries_for_any_number_of_versions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def queries(number: int) -> tuple[int, int]:
        world = StandaloneWorld(None)
        for edit in range(number):
            text = f"def f():\n    return {edit}\n"
            known, shown = source(digest(text.encode()), text)
            version = Version({F: Content(known.source)})
            world.record([shown, known, version, Call("m:f", 0, version.id, (), (), (), {})])
        counts = []
        original = type(world.index).rows
        seen = []
        monkeypatch.setattr(
            type(world.index), "rows", lambda self, *a: (seen.append(a), original(self, *a))[1]
        )
        for look in (
            lambda: summaries(world, NoCode()),
            lambda: versions_of(world, "m:f", NoCode(), Shape(module_name)),
        ):
            seen.clear()
            look()
            counts.append(len(seen))
        monkeypatch.undo()
        return counts[0], counts[1]

    assert queries(3) == queries(60)
