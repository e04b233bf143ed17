"""`gitmemo index spill`: large segments on a remote, stubs in git, and the same results."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pygit2
import pytest
from driver import Clone, copy_of, make_project

from gitmemo.commits.compaction import LARGEST_SHARE, MOST_BYTES
from gitmemo.config import merge
from gitmemo.errors import BadSetting, CorruptSegment
from gitmemo.setting_values import SMALLEST_SPILL
from gitmemo.world.segments import MAX_BYTES
from gitmemo.world.stubs import Stub, read_stub, stub_bytes

FORGET = """
from gitmemo.workspace import find

workspace = find()
world = workspace.world
world.enter()
calls = [c for c in world.calls(workspace.code) if c.op == "pipeline:evaluate"]
chosen = [c for c in calls if any(s.inline and s.inline.json == 9 for s in c.inputs)]
assert len(chosen) == 1
world.forget(chosen, "because " * 1_300_000)
"""
CloneOf = Callable[[Clone | Path, str], Clone]
Say = Callable[..., str]


@pytest.fixture(scope="module")
def template(ran_template: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A segment of 10 MB, with calls and the word that one of them is forgotten; and a small one."""
    folder = tmp_path_factory.mktemp("spilling")
    clone = copy_of(ran_template, folder / "template")
    clone.git("tag", "begun")
    assert clone.run("9") == (1, 2)
    clone.python("-c", FORGET)
    clone.gitmemo("remote", "add", "lab", str(folder / "lab"))
    clone.commit("Results")
    clone.git("tag", "large")
    assert clone.run("7") == (1, 2)
    clone.gitmemo("commit")
    clone.gitmemo("push")
    assert clone.is_clean()
    return clone


@pytest.fixture(scope="module")
def spilled_template(template: Clone) -> Clone:
    """The same, with the large segment on the remote."""
    clone = copy_of(template, template.root.parent / "spilled")
    spill(clone)
    clone.git("tag", "spilled")
    return clone


@pytest.fixture
def project(template: Clone, tmp_path: Path) -> Clone:
    return copy_of(template, tmp_path / "mine")


@pytest.fixture
def spilled(spilled_template: Clone, tmp_path: Path) -> Clone:
    return copy_of(spilled_template, tmp_path / "mine")


def segments(clone: Clone) -> list[str]:
    """Return the paths of the segments, the largest first."""
    found = (clone.root / ".gitmemo/index/1").rglob("*.jsonl")
    paths = sorted(found, key=lambda path: -path.stat().st_size)
    return [path.relative_to(clone.root).as_posix() for path in paths]


def stub_of(clone: Clone) -> str:
    """Return the path of the spilled segment."""
    return segments(clone)[-1]


def spill(clone: Clone, *commit: str) -> str:
    """Spill the large segment and commit that; return its path."""
    path = segments(clone)[0]
    clone.gitmemo("index", "spill", path)
    clone.git("commit", "-q", *(commit or ("-m", "Spill")))
    assert clone.is_clean()
    return path


def move_remote(clone: Clone, place: Path) -> None:
    """Let a clone look for the remote in another place."""
    file = clone.root / ".git/gitmemo/config.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'[remotes.lab]\nurl = "{place}"\n', "utf-8")


def forget_index(clone: Clone) -> None:
    for path in (clone.root / ".git/gitmemo").glob("index.db*"):
        path.unlink()


def test_spilling_leaves_a_stub_and_the_same_results(project: Clone, tmp_path: Path) -> None:
    path = segments(project)[0]
    size = (project.root / path).stat().st_size
    assert f"{path}: 10.4 MB" in project.gitmemo("index", "spill", "-n", path).out
    assert project.is_clean()
    said = project.gitmemo("index", "spill", Path(path).stem[:12])
    assert "lab: " in said.out
    assert project.git("status", "--porcelain") == f"M  {path}", "staged, not committed"
    project.git("commit", "-q", "-m", "Spill")
    assert project.is_clean()
    assert (project.root / path).read_bytes() == stub_bytes(size)
    # What derived files knew comes from the local store again, without any remote.
    forget_index(project)
    move_remote(project, tmp_path / "nowhere")
    assert project.run("1", "2", "7") == (7, 0)
    assert project.run("9") == (2, 1), "what was forgotten stays so"
    assert "spilled" not in project.gitmemo("verify").text


def test_a_clone_pulls_what_was_spilled_and_computes_nothing(
    spilled_template: Clone, clone_of: CloneOf, say: Say
) -> None:
    theirs = clone_of(spilled_template, "theirs")
    there = say(theirs, "status", "-r", code=4)
    assert "there and not here: 2 values and 1 spilled segment (10.4 MB) (gitmemo pull)" in there
    dry = say(theirs, "pull", "-n")
    assert "1 spilled segment (10.4 MB)" in dry
    assert "would fetch 1 value (10.4 MB)" in dry
    assert "1 spilled segment (10.4 MB)" in theirs.gitmemo("pull", "lab").out
    assert theirs.run("1", "2", "7") == (7, 0)
    say(theirs, "remote", "trust", "lab")
    assert theirs.run("9") == (2, 1), "what was forgotten stays so"
    assert theirs.is_clean()
    assert "spilled" not in say(theirs, "pull"), "it is here"


def test_before_a_pull_nothing_is_reused_and_code_can_be_committed(
    spilled_template: Clone, clone_of: CloneOf, say: Say
) -> None:
    theirs = clone_of(spilled_template, "theirs")
    path = stub_of(theirs)
    for policy in ("off", "ask"):
        refused = theirs.gitmemo("run", "pipeline.py", code=4, GITMEMO_LAZY_PULL=policy)
        assert f"{path} is spilled" in refused.err
        assert f'lazy_pull is "{policy}"' in refused.err
        assert "gitmemo pull" in refused.err
    looked = theirs.gitmemo("df", "train", "--json", code=4)
    assert f'"path": "{path}"' in looked.err
    assert len(looked.out.splitlines()) == 1, "the rest is shown"
    say(theirs, "df", "train", "--rev", "HEAD", code=4)
    for rev in ((), ("--rev", "HEAD")):
        there = json.loads(say(theirs, "status", "-r", "--json", *rev, code=4))["remote"]
        assert there["unfetched_bytes"] > SMALLEST_SPILL
    error = json.loads(theirs.gitmemo("push", "--json", code=4).err)["error"]
    assert error["kind"] == "segment-spilled"
    assert f"{path} is spilled" in say(theirs, "verify", code=4)
    assert "is spilled" in say(theirs, "show", path, code=4)

    theirs.git("checkout", "-q", "begun")
    theirs.git("checkout", "-q", "-b", "other")
    assert theirs.run("5") == (0, 3)
    records = theirs.records()
    theirs.git("checkout", "-q", "main")
    theirs.write("notes.txt", "code goes on\n")
    assert "git goes on without results" in theirs.commit("Code")
    assert theirs.is_clean()
    assert theirs.records() == records, "calls stay pending"
    # It comes when it is needed, as values do.
    assert theirs.run("1", "2", "7") == (7, 0)
    assert theirs.is_clean()


def test_without_the_remote_nothing_is_lost(spilled: Clone, clone_of: CloneOf, say: Say) -> None:
    theirs = clone_of(spilled, "theirs")
    move_remote(theirs, theirs.root / "nowhere")
    say(theirs, "pull", code=5)
    say(theirs, "index", "unspill", code=5)
    assert theirs.is_clean()
    # An older commit has it whole, and what was read once under a name counts.
    assert "lab does not hold" in theirs.gitmemo("run", "pipeline.py", code=4).err
    theirs.git("checkout", "-q", "large")
    assert theirs.run() == (5, 0)
    theirs.git("checkout", "-q", "main")
    assert theirs.run("1", "2", "7") == (7, 0)
    assert theirs.is_clean()


def test_unspilling_is_undoing(spilled: Clone, template: Clone, say: Say) -> None:
    path = stub_of(spilled)
    shutil.rmtree(spilled.root / ".git/gitmemo/blobs")
    forget_index(spilled)
    say(spilled, "index", "unspill", path)
    spilled.git("commit", "-q", "-m", "Back into git")
    assert spilled.is_clean()
    assert (spilled.root / path).read_bytes() == (template.root / path).read_bytes()
    assert "no segment that is spilled" in say(spilled, "index", "unspill")
    assert spilled.git("diff", "--stat", "large", "--", path) == ""


def test_branches_that_spill_restore_and_add_merge(spilled: Clone) -> None:
    def merged(one: str, two: str) -> bytes:
        found = set()
        for ours, theirs in ((one, two), (two, one)):
            spilled.git("checkout", "-q", "-B", "merged", ours)
            spilled.git("merge", "-q", "--no-edit", theirs)
            assert spilled.is_clean()
            found.add(((spilled.root / path).read_bytes(), len(segments(spilled))))
            repository = pygit2.Repository(spilled.root)
            tips = (repository.revparse_single(name).id for name in (one, two))
            index = repository.merge_commits(*tips)
            assert not index.conflicts
        ((data, files),) = found
        assert files == 3
        return data

    path = stub_of(spilled)
    stub = (spilled.root / path).read_bytes()
    spilled.git("checkout", "-q", "-b", "plain", "spilled~1")
    assert spilled.run("8") == (1, 2)
    spilled.gitmemo("commit")
    whole = (spilled.root / path).read_bytes()
    assert merged("spilled", "plain") == stub
    assert spilled.run("1", "2", "7", "8") == (9, 0)
    spilled.git("checkout", "-q", "plain")
    spilled.git("checkout", "-q", "-b", "also")
    spill(spilled)
    assert merged("spilled", "also") == stub
    spilled.git("checkout", "-q", "-b", "restored", "spilled")
    spilled.git("revert", "--no-edit", "HEAD")
    assert merged("restored", "plain") == whole
    spilled.git("checkout", "-q", "restored")
    assert (spilled.root / path).read_bytes() == whole


def test_an_amended_commit_keeps_the_bytes_out_of_git(project: Clone) -> None:
    project.git("reset", "-q", "--hard", "large")
    spill(project, "--amend", "--no-edit")
    listed = project.git("rev-list", "--objects", "--no-object-names", "HEAD")
    sizes = project.git(
        "cat-file", "--batch-check=%(objectsize)", "--batch-all-objects", "--unordered"
    )
    assert max(map(int, sizes.split())) > SMALLEST_SPILL, "the tag still has it"
    for oid in listed.splitlines():
        assert int(project.git("cat-file", "-s", oid)) < 1_000_000
    assert project.run() == (5, 0)


def test_bytes_that_are_not_what_the_name_says_are_refused(
    spilled_template: Clone, clone_of: CloneOf, tmp_path: Path, say: Say
) -> None:
    theirs = clone_of(spilled_template, "theirs")
    path = stub_of(theirs)
    shutil.copytree(spilled_template.root.parent / "lab", tmp_path / "lab")
    move_remote(theirs, tmp_path / "lab")
    large = max((tmp_path / "lab").rglob("*"), key=lambda one: one.stat().st_size)
    large.chmod(0o644)
    data = large.read_bytes()
    large.write_bytes(data.replace(b"because", b"becausE", 1))
    say(theirs, "pull", code=4)
    assert f"{path} is spilled" in say(theirs, "df", "train", code=4)
    large.write_bytes(data)
    say(theirs, "pull")
    # The same here: what is damaged is set aside, and comes again.
    forget_index(theirs)
    store = theirs.root / ".git/gitmemo/blobs"
    here = max(store.rglob("*"), key=lambda one: one.stat().st_size)
    here.chmod(0o644)
    here.write_bytes(data.replace(b"because", b"becausE", 1))
    assert f"{path} is spilled" in say(theirs, "df", "train", code=4)
    repaired = say(theirs, "verify", "--repair")
    assert f"the spilled segment {path} (10.4 MB): fetched again" in repaired
    say(theirs, "verify")
    assert theirs.run() == (5, 0)


def test_a_stub_that_fits_no_segment_is_damage(spilled: Clone) -> None:
    path = stub_of(spilled)
    forget_index(spilled)
    spilled.write(path, stub_bytes(12).decode())
    assert "another size" in spilled.gitmemo("verify", code=4).out
    spilled.write(path, '{"spilled":2,"size":12}\n')
    spilled.git("add", path)
    altered = spilled.process("git", "commit", "-q", "-m", "Altered", code=None)
    assert altered.code
    assert "do not match its name" in altered.err
    assert f"git checkout HEAD -- {path}" in altered.err


def test_removing_values_leaves_spilled_segments(spilled: Clone, say: Say) -> None:
    def kept() -> bool:
        folder = spilled.root / ".git/gitmemo/blobs"
        files = [file for file in folder.rglob("*") if file.is_file()]
        return max(file.stat().st_size for file in files) > SMALLEST_SPILL

    say(spilled, "gc", "--grace", "0", "--yes")
    assert kept()
    # As long as any branch has the stub, and where only the whole segment is known.
    spilled.git("checkout", "-q", "large")
    forget_index(spilled)
    say(spilled, "gc", "--grace", "0", "--yes")
    assert kept()


def test_what_is_refused(project: Clone, say: Say) -> None:
    def refused(*arguments: str, code: int = 3) -> str:
        return say(project, "index", *arguments, code=code)

    large, small = segments(project)
    assert "no limit is set" in refused("spill")
    assert "has only" in refused("spill", small)
    refused("spill", "ffffffffffff", code=2)
    config = project.root / ".gitmemo/config.toml"
    text = config.read_text("utf-8")
    config.write_text(f'{text}\n[index]\nspill_above = "10 MB"\n', "utf-8")
    assert "uncommitted changes" in refused("spill")
    project.commit("Set a limit")
    assert large in say(project, "index", "spill", "-n")
    # Bytes that the remote does not have never leave git.
    (project.root / ".git/file").write_text("no folder")
    move_remote(project, project.root / ".git/file")
    refused("spill", code=5)
    assert project.is_clean()
    assert (project.root / large).stat().st_size > SMALLEST_SPILL


def test_a_shared_store_holds_what_was_spilled(spilled: Clone, tmp_path: Path) -> None:
    """For whoever shares it: another repository does not remove the bytes of a segment."""
    folder = tmp_path / "store"
    other = make_project(tmp_path / "other", spilled.home)
    for clone in (spilled, other):
        clone.gitmemo("store", "share", str(folder))
    spilled.gitmemo("remote", "modify", "--local", "lab", "--url", str(tmp_path / "nowhere"))
    for path in folder.glob("self/*/**/*"):
        os.utime(path, (0, 0))
    other.gitmemo("gc", "--yes", "--grace", "0")
    forget_index(spilled)
    assert spilled.run("1", "2", "7") == (7, 0)
    assert spilled.gitmemo("verify").code == 0
    spilled.gitmemo("store", "own")
    forget_index(spilled)
    assert spilled.run("1", "2", "7") == (7, 0)


@pytest.mark.parametrize("wrong", ["9 MB", "much", "", True, 5, 9_999_999, 1e9, ["10 MB"]])
def test_a_limit_is_a_size_of_10_MB_or_more(wrong: object) -> None:
    with pytest.raises(BadSetting, match="spill_above"):
        merge({"index": {"spill_above": wrong}}, {}, {})


@pytest.mark.parametrize("said", ["10 MB", "10000kB", "0.01GB", "10000000", 10_000_000])
def test_a_limit_may_be_said_in_many_ways(said: object) -> None:
    assert merge({"index": {"spill_above": said}}, {}, {}).spill_above == SMALLEST_SPILL


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
