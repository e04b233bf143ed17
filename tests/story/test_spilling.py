"""`gitmemo index spill`: large segments on a remote, stubs in git, and the same results."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from driver import Clone, copy_of

from gitmemo.commits.compaction import LARGEST_SHARE, MOST_BYTES
from gitmemo.config import SMALLEST_SPILL
from gitmemo.errors import CorruptSegment
from gitmemo.world.segments import MAX_BYTES
from gitmemo.world.stubs import Stub, read_stub, stub_bytes

SAID = """
import gitmemo as gm

with gm.open() as storage:
    storage.decide("helper.py:scale", breaking=False, why="because " * 1_300_000)
"""
CloneOf = Callable[[Clone | Path, str], Clone]


@pytest.fixture(scope="module")
def template(ran_template: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Calls, the word that keeps them valid, in a segment of 10 MB; and a remote with the values."""
    folder = tmp_path_factory.mktemp("spilling")
    clone = copy_of(ran_template, folder / "template")
    clone.change("value * 2", "2 * value")
    clone.python("-c", SAID)
    clone.commit("Results")
    (clone.root / "more").mkdir()
    clone.gitmemo("remote", "add", "lab", str(folder / "lab"))
    clone.commit("Say where values are")
    clone.gitmemo("push")
    assert clone.is_clean()
    return clone


@pytest.fixture
def project(template: Clone, tmp_path: Path) -> Clone:
    """The same with a remote of its own."""
    clone = copy_of(template, tmp_path / "mine")
    shutil.copytree(template.root.parent / "lab", tmp_path / "lab")
    config = clone.root / ".gitmemo/config.toml"
    text = config.read_text("utf-8").replace(str(template.root.parent), str(tmp_path))
    config.write_text(text, "utf-8")
    clone.commit("Move the remote")
    return clone


def segments(clone: Clone) -> list[str]:
    """Return the paths of the segments, the largest first."""
    found = (clone.root / ".gitmemo/index/1").rglob("*.jsonl")
    paths = sorted(found, key=lambda path: -path.stat().st_size)
    return [path.relative_to(clone.root).as_posix() for path in paths]


def spill(clone: Clone, *commit: str) -> str:
    """Spill the large segment and commit that; return its path."""
    path = segments(clone)[0]
    clone.gitmemo("index", "spill", path)
    clone.git("commit", "-q", *(commit or ("-m", "Spill")))
    assert clone.is_clean()
    return path


def forget_index(clone: Clone) -> None:
    for path in (clone.root / ".git/gitmemo").glob("index.db*"):
        path.unlink()


def test_a_clone_pulls_what_was_spilled_and_computes_nothing(
    project: Clone, clone_of: CloneOf
) -> None:
    path = segments(project)[0]
    whole = (project.root / path).read_bytes()
    dry = project.gitmemo("index", "spill", "-n", path)
    assert f"{path}: 10.4 MB" in dry.out
    assert project.is_clean()
    said = project.gitmemo("index", "spill", Path(path).stem[:12])
    assert "sent 1 value" in said.out
    assert project.git("status", "--porcelain") == f"M  {path}", "staged, not committed"
    project.git("commit", "-q", "-m", "Spill")
    assert (project.root / path).read_bytes() == stub_bytes(len(whole))
    assert project.run() == (5, 0)
    # What derived files knew comes from the local store again.
    forget_index(project)
    shutil.move(project.root.parent / "lab", project.root.parent / "away")
    assert project.run() == (5, 0)
    assert "because because" in project.gitmemo("show", path).out
    assert project.gitmemo("verify").code == 0
    shutil.move(project.root.parent / "away", project.root.parent / "lab")

    theirs = clone_of(project, "theirs")
    assert "would fetch 1 value (10.4 MB)" in theirs.gitmemo("pull", "-n").out
    pulled = theirs.gitmemo("pull", "lab").out
    assert "1 spilled segment (10.4 MB)" in pulled
    assert theirs.run() == (5, 0)
    assert theirs.is_clean()
    assert "spilled" not in theirs.gitmemo("pull").out, "it is here"

    theirs.gitmemo("index", "unspill")
    theirs.git("commit", "-q", "-m", "Back into git")
    assert (theirs.root / path).read_bytes() == whole
    assert theirs.is_clean()
    assert theirs.run() == (5, 0)


def test_before_a_pull_nothing_is_reused_and_code_can_be_committed(
    project: Clone, clone_of: CloneOf
) -> None:
    path = spill(project)
    theirs = clone_of(project, "theirs")
    refused = theirs.gitmemo("run", "pipeline.py", code=None)
    assert refused.code == 4 or "SegmentSpilled" in refused.err
    assert path in refused.err
    assert "gitmemo pull" in refused.err
    for command in (("df", "train"), ("status",), ("df", "train", "--rev", "HEAD")):
        looked = theirs.gitmemo(*command, code=4)
        assert f"left out, with all that it says, decisions too: the index segment {path}" in (
            looked.err
        )
    error = json.loads(theirs.gitmemo("push", "--json", code=4).err)["error"]
    assert error["kind"] == "segment-spilled"
    assert "is spilled" in theirs.gitmemo("verify", code=4).out
    theirs.gitmemo("show", path, code=4)
    diff = theirs.git("log", "-p", "-1", "--format=")
    assert "+spilled: 10,4" in diff

    theirs.write("notes.txt", "code goes on\n")
    said = theirs.commit("Code")
    assert "git goes on without results" in said
    assert theirs.is_clean()
    # Without the remote there is no way to the results, and that is said.
    shutil.move(project.root.parent / "lab", project.root.parent / "away")
    theirs.gitmemo("pull", code=None)
    theirs.gitmemo("index", "unspill", code=None)
    assert theirs.is_clean()
    shutil.move(project.root.parent / "away", project.root.parent / "lab")
    theirs.gitmemo("pull")
    assert theirs.run() == (5, 0)


def test_git_moves_between_whole_and_spilled(project: Clone, clone_of: CloneOf) -> None:
    before = project.git("rev-parse", "HEAD")
    spill(project)
    project.git("tag", "spilled")
    theirs = clone_of(project, "theirs")
    theirs.git("checkout", "-q", before)
    assert theirs.run() == (5, 0)
    theirs.git("checkout", "-q", "main")  # its name is known by now
    assert theirs.run() == (5, 0)
    assert theirs.is_clean()

    project.git("revert", "--no-edit", "HEAD")
    other = clone_of(project, "other")
    assert other.run() == (5, 0)
    forget_index(other)
    assert other.gitmemo("df", "train", "--rev", "spilled").out
    other.gitmemo("pull", "--rev", "spilled")


@pytest.mark.parametrize("order", ["ours", "theirs"])
def test_branches_that_spill_add_and_restore_merge(project: Clone, order: str) -> None:
    def merge(one: str, two: str) -> None:
        first, second = (one, two) if order == "ours" else (two, one)
        project.git("checkout", "-q", first)
        project.git("checkout", "-q", "-B", "merged")
        project.git("merge", "-q", "--no-edit", second)
        assert project.is_clean()

    path = segments(project)[0]
    whole = (project.root / path).read_bytes()
    project.git("branch", "plain")
    project.git("checkout", "-q", "-b", "spilled")
    spill(project)
    project.git("checkout", "-q", "-b", "also", "plain")
    assert project.run("7") == (1, 2)
    project.gitmemo("commit")
    merge("spilled", "also")
    assert (project.root / path).read_bytes() == stub_bytes(len(whole))
    assert project.run("1", "2", "7") == (7, 0)
    project.git("checkout", "-q", "also")
    spill(project)
    merge("spilled", "also")
    assert project.run("1", "2", "7") == (7, 0)
    project.git("checkout", "-q", "-b", "restored", "spilled")
    project.gitmemo("index", "unspill", path)
    project.git("commit", "-q", "-m", "Restore")
    merge("spilled", "restored")
    assert (project.root / path).read_bytes() == whole
    merge("restored", "also")
    assert project.run("1", "2", "7") == (7, 0)


def test_an_amended_commit_keeps_the_bytes_out_of_git(project: Clone, clone_of: CloneOf) -> None:
    project.git("reset", "-q", "--soft", "HEAD~2")
    path = segments(project)[0]
    project.git("commit", "-q", "-m", "All of it", "--amend")
    spill(project, "--amend", "--no-edit")
    theirs = clone_of(project.root, "theirs")
    shown = theirs.git("cat-file", "--batch-check", "--batch-all-objects").splitlines()
    assert max(int(line.split()[2]) for line in shown) < 1_000_000
    theirs.gitmemo("pull")
    assert theirs.run() == (5, 0)
    assert project.run() == (5, 0)
    assert path in segments(theirs)


def test_bytes_that_are_not_what_the_name_says_are_refused(
    project: Clone, clone_of: CloneOf
) -> None:
    path = spill(project)
    theirs = clone_of(project, "theirs")
    large = max((project.root.parent / "lab").rglob("*"), key=lambda one: one.stat().st_size)
    large.chmod(0o644)
    data = large.read_bytes()
    large.write_bytes(data.replace(b"because", b"becausE", 1))
    theirs.gitmemo("pull", code=4)
    assert "is spilled" in theirs.gitmemo("verify", code=4).out
    large.write_bytes(data)
    theirs.gitmemo("pull")
    assert theirs.run() == (5, 0)

    # A stub that fits no segment is damage, like any other edit.
    forget_index(project)
    project.write(path, stub_bytes(12).decode())
    assert "another size" in project.gitmemo("verify", code=4).out
    project.write(path, '{"spilled":2,"size":12}\n')
    assert "do not match its name" in project.gitmemo("verify", code=4).out
    project.git("add", path)
    assert "git checkout HEAD --" in project.process(
        "git", "commit", "-q", "-m", "Altered", code=None
    ).err


def test_what_is_refused(project: Clone) -> None:
    def refused(*arguments: str, code: int = 3) -> str:
        return project.gitmemo("index", *arguments, code=code).err

    assert "no limit is set" in refused("spill")
    assert "nothing to compact" in project.gitmemo("index", "compact").err
    config = project.root / ".gitmemo/config.toml"
    text = config.read_text("utf-8")
    for wrong in ('"9 MB"', '"much"', "true", "5"):
        config.write_text(f"{text}\n[index]\nspill_above = {wrong}\n", "utf-8")
        assert "spill_above" in refused("spill", code=2)
    config.write_text(f'{text}\n[index]\nspill_above = "10 MB"\n', "utf-8")
    assert "uncommitted changes" in refused("spill")
    assert project.run("9") == (1, 2)
    project.commit("Set a limit")
    assert "index/1/" in project.gitmemo("index", "spill", "-n").out
    large, small = segments(project)
    assert "has only" in refused("spill", small)
    refused("spill", "ffffffffffff", code=2)
    assert "no segment that is spilled" in project.gitmemo("index", "unspill").err
    # Bytes that the remote does not have never leave git.
    shutil.rmtree(project.root.parent / "lab")
    (project.root.parent / "lab").write_text("no folder")
    project.gitmemo("index", "spill", code=5)
    assert project.is_clean()
    assert (project.root / large).stat().st_size > SMALLEST_SPILL


def test_what_may_be_spilled_is_never_joined() -> None:
    assert MOST_BYTES * LARGEST_SHARE < SMALLEST_SPILL


PATH = f".gitmemo/index/1/2026-01/{'a' * 64}.jsonl"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}\n",
        b'{"spilled":1,"size":0}\n',
        b'{"spilled":1,"size":012}\n',
        b'{"spilled":1,"size":12}',
        b'{"spilled":1,"size":12}\n\n',
        b'{"spilled":1, "size":12}\n',
        b'{"spilled":1,"size":-12}\n',
        b'{"spilled":1,"size":12,"more":1}\n',
        stub_bytes(12).replace(b"12", "١٢".encode()),
    ],
)
def test_a_segment_has_one_stub(data: bytes) -> None:
    assert read_stub(PATH, data) is None


def test_a_stub_of_what_nobody_reads_is_refused() -> None:
    assert read_stub(PATH, stub_bytes(MAX_BYTES)) == Stub(PATH, MAX_BYTES)
    with pytest.raises(CorruptSegment):
        read_stub(PATH, stub_bytes(MAX_BYTES + 1))
