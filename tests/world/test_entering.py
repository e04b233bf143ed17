"""What entering a world asks of git and of files, and how often; a process may enter many times."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import pytest
from person import Person, numbers

from gitmemo.blobs import RepositoryBlobs
from gitmemo.git.cli import Git
from gitmemo.remotes import RemoteConfig
from gitmemo.sync.unshared import unshared_values
from gitmemo.workspace import look
from gitmemo.world import homes
from gitmemo.world.index import Index
from gitmemo.world.worktree import LookFailed


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with every git command that was run since."""
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    return tmp_path / "trace"


def times(trace: Path, command: str) -> int:
    text = trace.read_text() if trace.exists() else ""
    return sum(f"built-in: git {command}" in line for line in text.splitlines())


def test_a_revision_shows_the_same_after_the_index_was_made_anew(person: Person) -> None:
    for number in (1, 2, 3, 4):
        person.run(number, 10 * number)
        person.commit()
        person.git("tag", f"v{number}")
    newest = look(person.root, "v4")
    views = [newest, *(look(person.root, f"v{n}", beside=newest) for n in (1, 2, 3))]
    before = [numbers(view.world.calls(view.code)) for view in views]
    assert before[1] == {1, 10}
    members = views[1].world.committed()
    newest.base.remake_index()
    for view in views:
        view.world.enter()
    assert [numbers(view.world.calls(view.code)) for view in views] == before
    assert views[1].world.committed() != members, "else this tests nothing"
    newest.base.close()


def missing_objects(root: Path) -> int:
    said = Git(root).run("rev-list", "--objects", "--all", "--missing=print")
    return sum(line.startswith("?") for line in said.splitlines())


@pytest.mark.parametrize("kind", ["blob:none", "tree:0"])
def test_looking_for_lost_calls_fetches_nothing(person: Person, tmp_path: Path, kind: str) -> None:
    person.git("switch", "-q", "-c", "side")
    for number in (1, 2):
        person.run(number)
        person.commit()
    person.git("switch", "-q", "main")
    person.git("config", "uploadpack.allowFilter", "true")
    person.git("clone", "-q", f"--filter={kind}", person.root.as_uri(), str(tmp_path / "partial"))
    theirs = Person(tmp_path / "partial")
    for key, value in (("user.name", "T"), ("user.email", "t@localhost"), ("gc.auto", "0")):
        theirs.git("config", key, value)
    theirs.run(5)
    theirs.commit()
    theirs.git("reset", "-q", "--hard", "HEAD~1")
    theirs.expire()
    before = missing_objects(theirs.root)
    assert before > 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LookFailed)
        pending = theirs.pending()
    assert pending == ({5} if kind == "blob:none" else set())  # no history without trees
    assert missing_objects(theirs.root) == before


def test_a_look_that_fails_is_told_once_and_made_again_when_git_moved(
    person: Person, asked: Path
) -> None:
    person.run(1)
    person.commit()
    person.git("reset", "-q", "--hard", "HEAD~1")
    person.expire()
    broken = person.root / ".git/refs/heads/broken"
    broken.write_text("d" * 40 + "\n")
    with pytest.warns(LookFailed) as caught:
        workspace = person.world()
        for _ in range(3):
            workspace.world.enter()
    assert len(caught) == 1 and "refs/heads/broken" in str(caught[0].message)
    assert times(asked, "log --all") == 1
    broken.unlink()
    person.git("reflog", "expire", "--expire=now", "--all")
    workspace.world.enter()
    assert numbers(workspace.world.calls(workspace.code)) == {1}
    workspace.world.close()


def test_a_look_asks_as_little_for_many_journals(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    really = Index.files
    monkeypatch.setattr(Index, "files", lambda self, kind: (asked.append(1), really(self, kind))[1])
    counts = []
    for count in (1, 6):
        person.run(*(100 * count + number for number in range(count)))
        for number in range(count):
            person.run(1000 * count + number)
        person.commit()
        person.git("reset", "-q", "--hard", "HEAD~1")
        person.expire()
        asked.clear()
        assert len(person.pending()) == 2 * count
        counts.append(len(asked))
        person.commit()
    assert counts[1] <= counts[0] + 2


def test_the_index_of_the_main_work_tree_keeps_calls_of_linked_ones(
    person: Person, tmp_path: Path
) -> None:
    person.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "w"))
    there = Person(tmp_path / "w")
    there.run(1)
    there.commit()
    person.git("checkout", "-q", "side", "--", ".gitmemo/index")
    there.git("switch", "-q", "--detach", "main")
    there.git("branch", "-q", "-D", "side")
    person.expire()
    assert there.pending() == set()
    person.git("reset", "-q", "--hard")
    person.expire()
    (person.root / ".git/gitmemo/journal/exported/w.checked").unlink()
    assert there.knows(1)


def test_reflogs_are_read_again_only_if_one_changed(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.git("switch", "-q", "-c", "side")
    person.git("commit", "-q", "--allow-empty", "-m", "On the side")
    person.run(1)
    person.git("switch", "-q", "main")
    for number in range(5):
        person.git("branch", f"b{number}")
    person.git("branch", "-q", "-D", "side")
    read: list[Path] = []
    really = homes.content_of
    monkeypatch.setattr(homes, "content_of", lambda path: (read.append(path), really(path))[1])
    workspace = person.world()
    first = len(read)
    assert first > 5
    for _ in range(3):
        workspace.world.enter()
        assert workspace.world.pending(workspace.code) == set()
    assert len(read) == first
    person.git("branch", "-q", "side", "main")
    person.git("branch", "-m", "side", "other")
    person.git("switch", "-q", "other")
    workspace.world.enter()
    assert len(workspace.world.pending(workspace.code)) == 1
    workspace.world.close()


def test_a_commit_that_comes_to_be_known_is_asked_for_again(person: Person, tmp_path: Path) -> None:
    person.git("switch", "-q", "-c", "side")
    person.git("commit", "-q", "--allow-empty", "-m", "On the side")
    person.run(1)
    shutil.copytree(person.root, tmp_path / "copy")
    person.git("switch", "-q", "main")
    person.git("branch", "-q", "-D", "side")
    person.expire()
    person.git("prune", "--expire=now")
    workspace = person.world()
    assert workspace.world.pending(workspace.code) == set()
    person.git("pull", "-q", "--ff-only", str(tmp_path / "copy"), "side")
    workspace.world.enter()
    assert len(workspace.world.pending(workspace.code)) == 1
    workspace.world.close()


def test_what_is_pushed_of_other_branches_is_counted(person: Person, asked: Path) -> None:
    person.git("switch", "-q", "-c", "side")
    blob = person.run_large(1)
    person.commit()
    person.git("switch", "-q", "main")
    person.forget_derived()
    for path in (person.root / ".git/gitmemo/journal").rglob("*.gz"):
        path.unlink()
    workspace = person.world()
    config = RemoteConfig("s", str(person.root.parent / "store"), {})
    commits = [person.git("commit-tree", "-m", f"{n}", "side^{tree}") for n in range(5)]
    before = asked.read_text().count("built-in: git")
    found = unshared_values(workspace.world, commits, config)
    assert [item.blob for item in found] == [blob]
    assert asked.read_text().count("built-in: git") == before
    workspace.world.close()


def test_a_checkout_is_noticed_behind_commits_made_before_the_next_block(person: Person) -> None:
    person.git("switch", "-q", "-c", "side")
    blob = person.run_large(1)
    person.commit()
    person.git("switch", "-q", "main")
    workspace = person.world()
    world = workspace.world
    assert isinstance(world.blobs, RepositoryBlobs)
    assert world.news_of_absent() == 0
    shutil.rmtree(person.root / ".git/gitmemo/blobs")
    assert world.blobs.missing([blob]) == {blob}
    person.git("switch", "-q", "side")
    person.git("commit", "-q", "--allow-empty", "-m", "Without hooks")
    world.enter()
    assert world.news_of_absent() == 1
    assert world.news_of_absent() == 0
    person.git("commit", "-q", "--allow-empty", "-m", "Without hooks")
    world.enter()
    assert world.news_of_absent() == 0, "commits bring nothing"
    # What a hook has said is not said again by a process that lives on.
    person.git("switch", "-q", "main")
    person.git("switch", "-q", "-c", "third", "side~1")
    hook = person.world()
    assert hook.world.news_of_absent() == 1
    hook.world.close()
    world.enter()
    assert world.news_of_absent() == 0
    world.close()
