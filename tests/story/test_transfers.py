"""What `push`, `pull`, `fetch` and `status --remote` choose and say, and values that come when needed."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from driver import Clone

import gitmemo as gm
from gitmemo import errors
from gitmemo.display.asking import may_fetch
from gitmemo.display.progress import TransferLine
from gitmemo.remotes.directory import DirectoryTransport

CloneOf = Callable[[Clone | Path, str], Clone]
Say = Callable[..., str]
SIZES = range(900, 910)
MORE = f"""
from pipeline import load, storage
with storage:
    for size in range({SIZES.start}, {SIZES.stop}):
        load(size)
"""


def numbers(said: str, *names: str) -> tuple[Any, ...]:
    fields = json.loads(said)
    return tuple(fields[name] for name in names)


def test_what_a_push_and_a_pull_are_about(
    shared: Clone, clone_of: CloneOf, say: Say, tmp_path: Path
) -> None:
    shared.git("switch", "-q", "-c", "side")
    shared.run("3")
    shared.git("add", "-A")
    shared.gitmemo("commit", "-m", "Side")
    shared.git("switch", "-q", "main")

    planned = say(shared, "push", "-n", "--json")
    assert numbers(planned, "send", "packs", "large", "already_there") == (3, 1, 0, 0)
    assert not (tmp_path / "lab").exists(), "a plan changes nothing"
    assert numbers(say(shared, "push", "load", "--json"), "sent") == (1,)
    assert numbers(say(shared, "push", "op:pipeline:train", "--json"), "sent", "already_there") == (
        2,
        1,
    )
    assert "nothing to send" in say(shared, "push")
    assert say(shared, "push", "-q") == ""
    assert numbers(say(shared, "push", "--rev", "main", "--json"), "sent") == (0,)
    assert numbers(say(shared, "push", "--rev", "main", "--rev", "side", "--json"), "sent") == (1,)
    shared.run("4")
    assert numbers(say(shared, "push", "--rev", "side", "--json"), "sent") == (0,)
    assert numbers(say(shared, "push", "--all", "lab", "--json"), "sent") == (1,)
    assert "'nowhere'" in say(
        shared, "push", "--rev", "nowhere", code=errors.UnknownRevision.exit_code
    )

    theirs = clone_of(shared, "colleague")
    theirs.git("remote", "remove", "origin")  # and what is known of its branches
    theirs.git("fetch", "-q", str(shared.root), "side:side")
    theirs.write("x.txt", "x\n")
    planned = say(theirs, "pull", "-n", "--json")
    assert numbers(planned, "fetch", "missing", "already_here") == (3, 0, 0)
    standing = json.loads(say(theirs, "status", "-r", "--json"))["remote"]
    assert (standing["there"], standing["unfetched"], standing["unsent"]) == (3, 3, 0)
    assert numbers(say(theirs, "fetch", "--json"), "unfetched", "nowhere") == (3, 0)
    assert json.loads(say(theirs, "status", "--json"))["missing_values"] == 3
    assert "fetched 1 value" in say(theirs, "pull", "lab", "load", "-j", "1")
    assert numbers(say(theirs, "pull", "--json"), "fetched", "already_here") == (2, 1)
    assert numbers(say(theirs, "pull", "--rev", "side", "--json"), "fetched") == (1,)
    assert numbers(say(theirs, "pull", "--all", "--json"), "fetched", "missing") == (0, 0)


def test_words_that_name_remotes_and_ops(shared: Clone, say: Say) -> None:
    unknown, both = errors.TargetUnknown.exit_code, errors.TargetAmbiguous.exit_code
    assert "lab" in say(shared, "push", "nowhere", code=unknown)
    assert "did you mean the op 'pipeline:train'" in say(shared, "push", "trian", code=unknown)
    assert "trian" in say(shared, "pull", "lab", "trian", code=unknown)
    assert "no remote named" in say(shared, "push", "-r", "train", "load", code=2)
    say(shared, "remote", "add", "train", "../other")
    for command in ("push", "pull", "fetch"):
        said = say(shared, command, "train", code=both)
        assert "-r train" in said
        assert "op:train" in said
    assert "no remote is named" in say(shared, "push", code=2)
    assert "train: sent 2 values" in say(shared, "push", "-r", "train", "evaluate")
    assert "lab: sent 3 values" in say(shared, "push", "lab", "train")
    assert "lab: nothing to send" in say(shared, "push", "-r", "lab", "op:train")


def test_what_is_nowhere_is_said(shared: Clone, clone_of: CloneOf, say: Say) -> None:
    say(shared, "push", "load")
    theirs = clone_of(shared, "colleague")
    assert "2 values not on lab" in say(theirs, "pull", "-n")
    assert "2 values not on lab" in say(theirs, "pull", code=4)
    said = say(theirs, "push", "-n")
    assert "2 values neither there nor here" in said
    assert "would send 0 values" in said
    assert "neither here nor there: 2 values" in say(theirs, "status", "--remote", "lab")


@pytest.fixture
def many(shared: Clone, clone_of: CloneOf, say: Say) -> Clone:
    """A clone of a project with many plain values, which are only on a remote."""
    shared.python("-c", MORE)
    shared.gitmemo("commit", "-m", "More")
    say(shared, "push")
    return clone_of(shared, "colleague")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often a remote was listed and read."""
    counts: Counter[str] = Counter()
    for name in ("listing", "read", "read_ranges"):
        whole = getattr(DirectoryTransport, name)

        def counted(self: Any, *given: Any, _name: str = name, _whole: Any = whole) -> Any:
            counts[_name] += 1
            return _whole(self, *given)

        monkeypatch.setattr(DirectoryTransport, name, counted)
    yield counts


def refs_of_load(storage: gm.Storage) -> list[Any]:
    frame = storage.cf("load").df(values="refs")
    return list(frame[frame.columns[-1]])


def test_values_come_when_they_are_needed(
    many: Clone, asked: Counter[str], shared: Clone, say: Say
) -> None:
    storage = gm.open(many.root)
    refs = refs_of_load(storage)
    assert len(refs) == len(SIZES) + 1
    assert not asked, "looking needs no remote"
    found = storage.unwrap({"all": refs})["all"]
    assert {len(one) for one in found} == {500, *SIZES}
    assert asked["listing"] == 1
    assert asked["read"] + asked["read_ranges"] <= 4, "all in one go: marker, index, pack"
    before = asked.copy()
    assert storage.unwrap(refs[0])
    assert asked == before, "what is here is asked of nobody"

    # What somebody pushes later is found, too; what is read comes without another listing before.
    shared.python("-c", MORE.replace(str(SIZES.start), "990").replace(str(SIZES.stop), "991"))
    shared.gitmemo("commit", "-m", "Later")
    say(shared, "push")
    asked.clear()
    many.git("pull", "-q", "--no-rebase", str(shared.root), "main")
    with storage:
        pass
    (new,) = [ref for ref in refs_of_load(storage) if ref.hid not in {r.hid for r in refs}]
    assert len(storage.unwrap(new)) == 990
    assert asked["listing"] == 1
    storage.close()


def test_one_answer_is_enough(
    many: Clone, asked: Counter[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = gm.open(many.root)
    refs = refs_of_load(storage)
    (tmp_path / "lab").rename(tmp_path / "away")
    (tmp_path / "lab").write_text("not mounted")
    for ref in refs:
        with pytest.raises(errors.RemoteUnreachable):
            storage.unwrap(ref)
    assert asked["listing"] + asked["read"] == 1, "one time-out, not one for each value"
    (tmp_path / "lab").unlink()
    (tmp_path / "away").rename(tmp_path / "lab")
    monkeypatch.setattr("gitmemo.memo.lazy._AGAIN_AFTER_S", 0.0)
    assert len(storage.unwrap(refs[0])) >= 500
    storage.close()


def test_who_does_not_want_it_is_told_what_to_do(
    many: Clone, asked: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = gm.open(many.root, lazy_pull="off")
    (ref, *others) = refs_of_load(storage)
    with pytest.raises(errors.ValueMissing, match="gitmemo pull"):
        storage.unwrap(ref)
    said: list[str] = []

    def answered(answer: bool | None) -> Callable[[str], bool | None]:
        return lambda question: said.append(question) or answer

    gm.open(many.root, lazy_pull="ask")
    monkeypatch.setattr("gitmemo.changes.askers.may_fetch", answered(None))
    with pytest.raises(errors.ValueMissing, match="gitmemo pull"):
        storage.unwrap(ref)
    assert not asked
    monkeypatch.setattr("gitmemo.changes.askers.may_fetch", answered(True))
    storage.unwrap(ref)
    storage.unwrap(others)
    assert len(said) == 2, "a yes holds for the program"
    assert "lab" in said[1]
    gm.open(many.root, lazy_pull=True)
    with pytest.raises(errors.BadSetting):
        gm.open(many.root, lazy_pull="perhaps")
    storage.close()
    (many.root.parent / "lab").rename(many.root.parent / "gone")
    with pytest.raises(errors.RemoteGone, match="is not there"):
        gm.open(many.root, rev="HEAD").unwrap(ref_of_revision(many))
    (many.root / ".git/gitmemo/remotes").rename(many.root.parent / "never seen")
    with pytest.raises(errors.ValueMissing, match="nor on the remote 'lab'"):
        gm.open(many.root, rev="HEAD").unwrap(ref_of_revision(many))


@pytest.mark.parametrize("is_mount_point", [True, False])
def test_a_directory_that_is_not_mounted_is_no_empty_remote(
    shared: Clone, say: Say, tmp_path: Path, is_mount_point: bool
) -> None:
    lab = tmp_path / "lab"
    assert "nobody has pushed" in say(shared, "remote", "check")
    assert "never looked" in say(shared, "remote", "show")
    say(shared, "push")
    assert "3 values there when it was last looked at" in say(shared, "remote", "show")
    lab.rename(tmp_path / "unmounted")
    if is_mount_point:
        lab.mkdir()
    gone = errors.RemoteGone.exit_code
    for words in (
        ("status", "-r"), ("push",), ("push", "-n"), ("fetch",), ("remote", "check"),
        ("remote", "gc"), ("remote", "gc", "--sweep"),
    ):  # fmt: skip
        said = say(shared, *words, code=gone)
        assert "is gone" in said and str(lab) in said and ": ok" not in said, words
    assert lab.exists() == is_mount_point and not list(lab.rglob("*"))
    assert "would send 3" in say(shared, "push", "-n", "--anew")
    say(shared, "push", code=gone)
    assert "sent 3 values" in say(shared, "push", "--anew")
    assert "nothing to send" in say(shared, "push")


def ref_of_revision(clone: Clone) -> Any:
    for path in (clone.root / ".git/gitmemo/blobs/remote").rglob("*.pack"):
        path.unlink()
    return refs_of_load(gm.open(clone.root, rev="HEAD"))[0]


def test_a_revision_is_read_lazily(many: Clone) -> None:
    storage = gm.open(many.root, rev="HEAD")
    assert {len(one) for one in storage.unwrap(refs_of_load(storage))} == {500, *SIZES}
    with pytest.raises(errors.UntrustedValue):
        frame = storage.cf("train").df(values="refs")
        storage.unwrap(list(frame["model"]))


def test_the_inputs_of_a_call_come_in_one_go(many: Clone) -> None:
    many.write(
        "both.py",
        "from pipeline import load, storage\nimport gitmemo as gm\n"
        "from gitmemo.remotes import pull\nimport gitmemo.remotes as remotes\n"
        "pulls = []\n"
        "remotes.pull = lambda *a, **k: pulls.append(1) or pull(*a, **k)\n\n\n"
        "@gm.op\ndef both(first, second, third):\n    return len(first) + len(second[0]) + third\n\n\n"
        "with storage:\n"
        "    print(storage.unwrap(both(load(900), [load(901)], 1)), len(pulls))\n",
    )
    assert many.python("both.py").out == "1802 1\n"


def test_fetching_is_off_where_results_are_computed_again(many: Clone) -> None:
    many.gitmemo("run", "--recompute-missing", "pipeline.py", "8")
    assert not list((many.root / ".git/gitmemo/blobs").glob("remote/*"))


class Screen:
    """A terminal that keeps what is written."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        return True


def test_the_line_of_a_transfer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen()
    line = TransferLine("lab: sending", 100_000_000, 2000, stream=screen)  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt), line:
        line(25_000_000, 500)
        assert line.text(0.1) == "lab: sending 25.0 MB of 100.0 MB, 500 of 2000 values"
        assert line.text(5.0).endswith(", 5.0 MB/s, 15 s left")
        raise KeyboardInterrupt
    assert screen.text.endswith("\r\x1b[K"), "the line is gone, however it ends"
    for quiet in (
        TransferLine("x", 1, 1, is_quiet=True, stream=screen),  # type: ignore[arg-type]
        TransferLine("x", 1, 1, stream=sys.__stderr__ if not sys.__stderr__.isatty() else None),
    ):
        before = screen.text
        with quiet:
            quiet(1, 1)
        assert screen.text == before


def test_a_push_that_is_stopped_says_what_was_sent(
    shared: Clone, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_up = TransferLine.__call__

    def stopped(line: TransferLine, size_bytes: int, values: int) -> None:
        count_up(line, size_bytes, values)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(TransferLine, "__call__", stopped)
        said = say(shared, "push", code=130)
    assert "lab: sending was stopped after 3 values (" in said
    assert "that is kept, and the same command goes on" in said
    assert "nothing to send: 3 values already there" in say(shared, "push")
    assert "function histories are up to date" not in say(shared, "push"), "there is no git remote"


def test_what_a_fresh_clone_says_of_itself(shared: Clone, clone_of: CloneOf, say: Say) -> None:
    say(shared, "push")
    theirs = clone_of(shared, "theirs")
    look = "import gitmemo as gm; print(repr(gm.open()))"
    assert "5 calls of 3 ops, 3 values" in theirs.python("-c", look).out
    # A line of gitmemo's own, not one of its code.
    err = theirs.gitmemo("run", "pipeline.py").err
    first = "gitmemo: 3 values of this world are not on this machine: run `gitmemo pull`"
    assert err.splitlines()[0] == first
    assert "ValuesElsewhere" not in err and ".py" not in err


def test_whoever_can_answer_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", "1")
    assert may_fetch("Fetch?") is None, "nobody is there"

    def answering(*lines: str) -> None:
        left = iter(lines)

        def read(_: str) -> str:
            for line in left:
                return line
            raise EOFError

        monkeypatch.setattr("builtins.input", read)

    for lines, expected in ((("what", "Y"), True), (("no",), False), ((), None)):
        answering(*lines)
        assert may_fetch("3 values \x1b[31m are on lab only") is expected
    assert "\x1b" not in capsys.readouterr().out


def test_where_there_is_no_remote_nobody_is_told_to_pull(
    committed: Clone, clone_of: CloneOf, say: Say
) -> None:
    theirs = clone_of(committed, "colleague")
    said = say(theirs, "status")
    assert "not on this machine: what calls made is computed again" in said and "pull" not in said
    said = say(theirs, "status", "--rev", "HEAD")
    assert "not on this machine, and no remote is configured" in said and "pull" not in said
