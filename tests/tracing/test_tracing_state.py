"""What a component is now, and the quick check that it still is."""

from __future__ import annotations

import importlib
import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from gitmemo.hashing import content_id, structure
from gitmemo.hashing.digest import digest
from gitmemo.model.components import Component
from gitmemo.source import SourceFile
from gitmemo.tracing import CodeState, Project, Tracker

Load = Callable[..., ModuleType]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def write_and_import(name: str, text: str) -> ModuleType:
        file = tmp_path / f"{name.replace('.', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield write_and_import
    for name in set(sys.modules) - before:
        # What gitmemo itself imports only when it is needed stays.
        if not name.startswith("gitmemo"):
            del sys.modules[name]


@pytest.fixture
def state(tmp_path: Path) -> CodeState:
    return CodeState(Project(tmp_path))


@pytest.mark.parametrize("unit", ["C.plain", "C.kept", "opened", "C.moved", "C.fast"])
def test_no_bytecode_stands_for_what_has_a_source(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unit: str
) -> None:
    """It differs between Python versions: a colleague with another one computed again."""
    load(
        "wrapping",
        """
        import contextlib, functools

        class C:
            @property
            def plain(self): return 1

            @functools.cached_property
            def kept(self): return 2

            @functools.lru_cache
            def fast(self): return 3

            def moved(self): return 4
            moved = property(moved)

        @contextlib.contextmanager
        def opened(): yield
        """,
    )
    monkeypatch.setattr(structure, "code_digest", lambda _: digest(os.urandom(16)))
    component = Component("wrapping.py", unit)
    first, second = (CodeState(Project(tmp_path)).current(component) for _ in range(2))
    assert first is not None
    assert first == second


TEXT = """
    import functools
    N = 3
    CONFIG = {"a": [1, 2], "b": {"c": 1.5}}
    PAIR = (1, "x")
    class C:
        rate = 2
        def m(self, v=[1]): return v
        @functools.cache
        def k(self): return helper(N)
    def helper(v): return v + N
    def f(v):
        return helper(v) + C.rate + CONFIG["a"][0]
    f.note = 1
    box = C()
"""
PARTS = [
    Component("mod.py", u)
    for u in ("f", "helper", "class C", "C.m", "C.k", "$N", "$CONFIG", "$PAIR", "$box")
]


def test_ids_of_a_running_module_are_those_of_its_text(load: Load, state: CodeState) -> None:
    load("mod", TEXT)
    units = SourceFile.parse(textwrap.dedent(TEXT), "mod.py").units
    for component in PARTS:
        content = state.current(component)
        assert content is not None
        assert content.source == units[component.unit].source
        assert state.text(component) == units[component.unit].text
        assert state.loaded(component)
    for literal in ("$N", "$CONFIG", "$PAIR"):
        content = state.current(Component("mod.py", literal))
        assert content is not None
        assert content.value == units[literal].literal_value


def test_a_module_that_is_not_loaded_is_read_from_its_file(
    tmp_path: Path, state: CodeState
) -> None:
    (tmp_path / "cold.py").write_text("N = 3\ndef f(): return N\nM = f()\n")
    number, function, made = (state.current(Component("cold.py", u)) for u in ("$N", "f", "$M"))
    assert number is not None and number.value == content_id(3)
    assert function is not None and function.value is None
    assert made is not None and made.value is None
    assert not state.loaded(Component("cold.py", "f"))
    assert state.current(Component("cold.py", "gone")) is None
    assert state.current(Component("none.py", "f")) is None
    (tmp_path / "cold.py").write_text("N = 4\ndef f(): return N\nM = f()\n")
    changed = state.current(Component("cold.py", "$N"))
    assert changed is not None and changed.value == content_id(4)


def test_editing_the_file_of_a_loaded_module_changes_nothing(
    load: Load, state: CodeState, tmp_path: Path
) -> None:
    load("mod", "def f(): return 1\n")
    f = Component("mod.py", "f")
    before = state.current(f)
    (tmp_path / "mod.py").write_text("# moved down\ndef f(): return 2\n")
    assert state.current(f) == before
    assert "return 1" in state.text(f)


def test_reloading_shows_the_new_code(load: Load, state: CodeState, tmp_path: Path) -> None:
    module = load("mod", "def f(): return 1\n")
    f = Component("mod.py", "f")
    before = state.current(f)
    probe = state.probe([f])
    (tmp_path / "mod.py").write_text("# a comment\ndef f(): return 22\n")
    importlib.reload(module)
    assert not probe.unchanged()
    after = state.current(f)
    assert before is not None and after is not None and after.source != before.source
    assert after.source == SourceFile.parse("def f(): return 22\n", "mod.py").units["f"].source


def test_code_that_the_file_does_not_give_counts_by_bytecode(
    load: Load, state: CodeState, tmp_path: Path
) -> None:
    module = load("mod", "def f(): return 1\n")
    (tmp_path / "mod.py").write_text("def f(): return 2\n")  # before anyone looked
    content = state.current(Component("mod.py", "f"))
    fresh = SourceFile.parse("def f(): return 2\n", "mod.py").units["f"].source
    assert module.f() == 1
    assert content is None or content.source != fresh


CHANGES = {
    "rebinding a number": "mod.N = 4",
    "another type of equal value": "mod.N = 3.0",
    "an element": "mod.CONFIG['a'][0] = 7",
    "an element of another type": "mod.CONFIG['a'][0] = True",
    "a new key": "mod.CONFIG['z'] = 0",
    "deep inside": "mod.CONFIG['b']['c'] = 1.25",
    "the order of keys": "mod.CONFIG['a'] = mod.CONFIG.pop('a')",
    "an attribute of a class": "mod.C.rate = 3",
    "a new attribute of a class": "mod.C.extra = 3",
    "a method": "mod.C.m = lambda self: 0",
    "a default": "mod.C.m.__defaults__[0].append(2)",
    "other defaults": "mod.C.m.__defaults__ = (0,)",
    "a function": "mod.helper = lambda v: 0",
    "the code of a function": "mod.helper.__code__ = (lambda v: 9).__code__",
    "an attribute of a function": "mod.f.note = 2",
    "a new attribute of a function": "mod.helper.note = 2",
    "an attribute of an object": "mod.box.rate = 9",
    "a name that hid nothing": "mod.len = lambda v: 0; mod.helper = mod.f",
    "the loss of a name": "del mod.N",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=lambda c: c.replace(" ", ""))
def test_a_probe_notices(load: Load, state: CodeState, change: str) -> None:
    module = load("mod", TEXT)
    before = [state.current(c) for c in PARTS]
    probe = state.probe(PARTS)
    assert probe.unchanged()
    exec(change, {"mod": module})
    assert not probe.unchanged()
    assert [state.current(c) for c in PARTS] != before


def test_a_probe_is_quiet_while_nothing_happens(load: Load, state: CodeState) -> None:
    module = load("mod", TEXT)
    probe = state.probe(PARTS)
    module.f(1)
    module.other = 5  # nobody reads it
    assert probe.unchanged()


def test_a_probe_notices_a_module_being_imported_or_edited(
    load: Load, state: CodeState, tmp_path: Path
) -> None:
    (tmp_path / "cold.py").write_text("N = 3\n")
    number = Component("cold.py", "$N")
    probe = state.probe([number])
    load("cold", "N = 5\n")
    assert not probe.unchanged()
    content = state.current(number)
    assert content is not None and content.value == content_id(5)


def test_absolute_paths_do_not_depend_on_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "from pathlib import Path\nROOT = Path(__file__).parent\nNAMES = {'x': [str(ROOT / 'a')]}\n"
    )
    found = []
    for folder in ("one", "two"):
        root = tmp_path / folder
        root.mkdir()
        (root / f"paths_{folder}.py").write_text(text)
        monkeypatch.syspath_prepend(root)
        importlib.import_module(f"paths_{folder}")
        state = CodeState(Project(root))
        contents = [state.current(Component(f"paths_{folder}.py", u)) for u in ("$ROOT", "$NAMES")]
        found.append([c.value for c in contents if c])
    assert found[0] == found[1]


def test_refs_count_by_the_id_that_they_carry(load: Load, state: CodeState) -> None:
    module = load("mod", "def f(): return r, many\n")

    class Ref:
        def __init__(self, cid: bytes) -> None:
            self._cid = cid

        @property
        def __gitmemo_cid__(self) -> bytes:
            return self._cid

        def __reduce__(self) -> str:
            raise AssertionError("a ref is never taken apart")

    module.r, module.many = Ref(b"1" * 32), [Ref(b"2" * 32)]  # type: ignore[attr-defined]
    one, many = Component("mod.py", "$r"), Component("mod.py", "$many")
    first = state.current(one), state.current(many)
    assert first[0] is not None and first[0].value == b"1" * 32
    module.many[0] = Ref(b"3" * 32)
    assert state.current(many) != first[1]


def test_gitmemo_objects_are_no_dependency(load: Load, tmp_path: Path) -> None:
    module = load(
        "mod",
        """
        import gitmemo as gm
        storage = gm.Storage()
        N = 1
        @gm.op
        def inner(v): return v + N
        @gm.op
        def outer(v):
            assert storage is not None
            return inner(v)
        """,
    )
    state = CodeState(Project(tmp_path))
    with Tracker(state.project, state).capture(module.outer) as capture:
        module.outer(1)
    assert {c.unit for c in capture.components} == {"outer", "inner", "$N"}


def test_a_module_that_runs_a_call_while_it_is_imported(load: Load, tmp_path: Path) -> None:
    state = CodeState(Project(tmp_path))
    tracker = Tracker(state.project, state)
    sys.modules["tracker_of_test"] = type(sys)("tracker_of_test")
    sys.modules["tracker_of_test"].tracker = tracker  # type: ignore[attr-defined]
    module = load(
        "mod",
        """
        from tracker_of_test import tracker
        N = 3
        M = [N]
        def f(): return N + M[0]
        with tracker.capture(f) as early:
            f()
        """,
    )
    assert {c.unit for c in module.early.components} == {"f", "$N", "$M"}
    for component, content in module.early.components.items():
        assert content.value is not None
        assert state.current(component) == content
