"""`gitmemo index compact`: fewer files, the same facts, and merges as clean as before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pygit2
import pytest
from driver import Clone, copy_of, make_project

from gitmemo.commits.compaction import LARGEST_SHARE, plan_compaction
from gitmemo.errors import CompactionRefused
from gitmemo.git.repository import locate
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.components import Component
from gitmemo.model.facts import Call, Inline, Slot, Source
from gitmemo.model.ids import raw_hid
from gitmemo.model.lines import to_line
from gitmemo.workspace import find
from gitmemo.world.segments import INDEX_FOLDER, build_segment


def line(number: int) -> str:
    run = {"start": f"2026-01-01T00:00:{number % 60:02d}.000Z", "seconds": number / 7}
    cid = content_id(number)
    inputs = (Slot("x", cid, raw_hid(cid), Inline(number)),)
    made = Call("pipeline:made", 0, None, inputs, (), (), run)
    result = content_id(number / 3)
    return to_line(
        Call(
            *("pipeline:made", 0, None, inputs),
            (Slot.output(made.hid, "output_0", _item(result, number / 3)),),
            (),
            run,
        )
    )


def _item(cid: Digest, value: float):
    from gitmemo.model.items import raw

    return raw(cid, Inline(value))


SHARED = to_line(Source(Component("helper.py", "scale"), digest(b"s"), digest(b"t")))


def add(clone: Clone, *numbers: int, month: str = "2026-01") -> str:
    """Commit a segment with these calls, as a hook would; return its path."""
    segment = build_segment([SHARED, *map(line, numbers)])
    path = segment.path(month)
    clone.write(path, segment.data.decode())
    clone.git("add", path)
    clone.git("commit", "-q", "--no-verify", "-m", f"Calls {numbers[0]}", GITMEMO_SKIP="1")
    return path


def files(clone: Clone, rev: str = "HEAD") -> list[str]:
    return clone.git("ls-tree", "-r", "--name-only", rev, "--", INDEX_FOLDER).splitlines()


def compact(clone: Clone, message: str = "Compact") -> None:
    clone.gitmemo("index", "compact")
    clone.git("commit", "-q", "-m", message)
    assert clone.is_clean()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Eight segments of January, one of February, and a large one."""
    folder = tmp_path_factory.mktemp("compacting")
    clone = make_project(folder / "projéct", folder)
    for first in range(0, 80, 10):
        add(clone, *range(first, first + 10))
    add(clone, *range(1000, 1300))
    add(clone, 2000, month="2026-02")
    return clone


@pytest.fixture
def project(template: Clone, tmp_path: Path) -> Clone:
    return copy_of(template, tmp_path / "projéct")


def calls(clone: Clone) -> set[str]:
    """Return the calls of the checked-out world, read anew."""
    workspace = find(clone.root)
    try:
        return {to_line(call) for call in workspace.world.calls(workspace.code)}
    finally:
        workspace.world.close()


def test_the_world_stays_the_same(project: Clone) -> None:
    before, facts, names = calls(project), set(project.committed()), files(project)
    assert len(before) == 381
    dry = project.gitmemo("index", "compact", "--dry-run")
    assert "index/1/2026-01: 8 segments -> 1" in dry.out
    assert "2026-02" not in dry.out, "one file is nothing to join"
    assert project.is_clean()

    project.gitmemo("index", "compact")
    status = project.git("status", "--porcelain").splitlines()
    assert sorted(one[:3] for one in status) == ["A  "] + ["D  "] * 8, "staged, not committed"
    assert calls(project) == before
    project.git("commit", "-q", "-m", "Compact")
    assert project.is_clean()
    assert set(project.committed()) == facts
    assert len(files(project)) == 3
    assert {path.split("/")[3] for path in files(project)} == {"2026-01", "2026-02"}
    assert calls(project) == before
    again = project.gitmemo("index", "compact")
    assert "nothing to compact" in again.err

    # Going back, and taking the commit back, shows the files of then, and loses nothing.
    project.git("checkout", "-q", "HEAD~1")
    assert (files(project), calls(project)) == (names, before)
    project.git("checkout", "-q", "main")
    project.git("revert", "--no-edit", "HEAD")
    assert (files(project), calls(project)) == (names, before)
    (project.root / ".git/gitmemo/index.db").unlink()
    assert calls(project) == before
    assert project.gitmemo("verify").code == 0
    project.git("fsck", "--strict")


def merged(clone: Clone, ours: str, theirs: str) -> set[str]:
    """Merge with libgit2 and with git, in both orders; return the facts of the result."""
    repository = pygit2.Repository(str(clone.root))
    results = []
    for one, other in ((ours, theirs), (theirs, ours)):
        index = repository.merge_commits(
            repository.revparse_single(one).id, other_id(repository, other)
        )
        assert index.conflicts is None, "libgit2"
        clone.git("checkout", "-q", "--detach", one)
        clone.git("merge", "-q", "--no-edit", other)
        assert clone.is_clean()
        assert str(index.write_tree(repository)) == clone.git("rev-parse", "HEAD^{tree}")
        results.append(set(clone.committed()))
    assert results[0] == results[1]
    clone.git("checkout", "-q", "main")
    return results[0]


def other_id(repository: pygit2.Repository, rev: str) -> pygit2.Oid:
    return repository.revparse_single(rev).id


def test_it_merges_with_whatever_branches_do(project: Clone) -> None:
    everything = set(project.committed())
    project.git("branch", "theirs")
    project.git("branch", "as-it-was")
    compact(project)

    project.git("checkout", "-q", "theirs")
    add(project, *range(80, 90))
    assert merged(project, "main", "theirs") == everything | set(map(line, range(80, 90)))

    # They compact too, the same segments and one more, on a default branch of their own.
    project.git("branch", "-q", "-m", "main", "ours")
    project.git("branch", "-q", "-m", "theirs", "main")
    project.git("checkout", "-q", "main")
    compact(project)
    assert len(files(project)) == 3
    assert merged(project, "ours", "main") == everything | set(map(line, range(80, 90)))

    # What it was before the two, compacted once more.
    project.git("checkout", "-q", "-B", "main", "as-it-was")
    compact(project)
    assert merged(project, "ours", "main") == everything


@pytest.mark.parametrize(("of_100", "clean"), [(5, True), (29, True), (40, False)])
def test_why_the_largest_share_is_what_it_is(of_100: int, clean: bool, tmp_path: Path) -> None:
    """Two branches join the same segments, one of them with one more."""
    repository = pygit2.init_repository(str(tmp_path))
    who = pygit2.Signature("Tester", "tester@localhost")

    def commit(parents: list[pygit2.Oid], *parts: Iterable[int]) -> pygit2.Oid:
        index = pygit2.Index()
        for part in parts:
            segment = build_segment(map(line, part))
            blob = repository.create_blob(segment.data)
            mode = pygit2.enums.FileMode.BLOB
            index.add(pygit2.IndexEntry(segment.path("2026-01"), blob, mode))
        tree = index.write_tree(repository)
        return repository.create_commit(None, who, who, "x", tree, parents)

    parts = [range(of_100), *(range(n, min(n + 5, 100)) for n in range(of_100, 100, 5))]
    base = commit([], *parts)
    ours = commit([base], range(100))
    theirs = commit([commit([base], *parts, [1000])], [*range(100), 1000])
    assert (repository.merge_commits(ours, theirs).conflicts is None) == clean
    assert (of_100 / 100 < LARGEST_SHARE) == clean


def test_inputs_near_half_of_the_output_are_left(project: Clone) -> None:
    project.git("rm", "-q", "-r", ".gitmemo/index")
    project.git("commit", "-q", "--no-verify", "-m", "Nothing")
    small = [add(project, n) for n in (1, 2, 3)]
    assert "nothing to compact" in project.gitmemo("index", "compact").err, "a third each, or more"
    compact_to = [*small, *(add(project, n) for n in range(4, 9))]
    add(project, *range(100, 110))
    compact(project)
    assert len(files(project)) == 2
    assert not set(compact_to) & set(files(project))


def started(*command: str) -> Callable[[Clone], None]:
    return lambda clone: (clone.process("git", *command, code=None), None)[1]


def dirty(clone: Clone) -> None:
    clone.write(".gitmemo/notes.txt", "x")


def diverged(clone: Clone) -> None:
    clone.git("checkout", "-q", "-b", "side", "HEAD~1")
    clone.write("helper.py", "a = 1\n")
    clone.git("commit", "-qam", "Side")
    clone.git("checkout", "-q", "main")
    clone.write("helper.py", "a = 2\n")
    clone.git("commit", "-qam", "Main")


def test_it_is_refused_where_it_could_hurt(project: Clone) -> None:
    for prepare, said in (
        (lambda clone: clone.git("checkout", "-q", "--detach"), "no branch"),
        (lambda clone: clone.git("checkout", "-q", "-b", "feature"), "git checkout main"),
        (dirty, ".gitmemo has uncommitted changes"),
        (lambda clone: (diverged(clone), started("merge", "side")(clone)), "a merge is under way"),
        (started("rebase", "side"), "a rebase is under way"),
        (started("cherry-pick", "side"), "a cherry-pick is under way"),
        (started("bisect", "start"), "a bisection is under way"),
    ):
        prepare(project)
        before = project.git("status", "--porcelain")
        with pytest.raises(CompactionRefused) as caught:
            plan_compaction(locate(project.root))
        assert said in str(caught.value)
        assert project.git("status", "--porcelain") == before
        (project.root / ".gitmemo/notes.txt").unlink(missing_ok=True)
        for command in ("merge", "rebase", "cherry-pick"):
            project.process("git", command, "--abort", code=None)
        project.process("git", "bisect", "reset", code=None)
        project.git("checkout", "-q", "main")
    project.git("checkout", "-q", "feature")
    assert project.gitmemo("index", "compact", code=3).err.count("\n") == 2
