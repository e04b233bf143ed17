"""Repositories that are found without git: what is answered is what git itself answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmemo.errors import GitFailed, NotInRepository
from gitmemo.git.cli import Git
from gitmemo.git.plain import plain_root
from gitmemo.git.repository import Layout, locate

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="git is asked elsewhere")


def _processes(work: Callable[[], object], trace: Path) -> int:
    """Return how many processes of git `work` starts, as git itself notes them."""
    before = trace.read_text().count('"start"') if trace.exists() else 0
    os.environ["GIT_TRACE2_EVENT"] = str(trace)
    try:
        work()
    finally:
        del os.environ["GIT_TRACE2_EVENT"]
    events = trace.read_text().splitlines() if trace.exists() else []
    return sum(json.loads(line)["event"] == "start" for line in events) - before


def _as_git_says(folder: Path) -> Layout:
    asked = ("--show-toplevel", "--absolute-git-dir", "--git-common-dir", "--show-object-format")
    root, git_dir, common, form = Git(folder).run("rev-parse", *asked).splitlines()
    common_dir = Path(os.path.normpath(folder.resolve() / common))
    return Layout(Path(root), Path(git_dir), common_dir, object_format=form)


def _settings(*words: str) -> Callable[[Path], object]:
    return lambda repo: Git(repo).run("config", *words)


def _detached(repo: Path) -> None:
    Git(repo).run("commit", "-q", "--allow-empty", "-m", "m")
    Git(repo).run("checkout", "-q", "--detach")


USUAL = {
    "new": lambda repo: None,
    "detached": _detached,
    "with a remote": _settings("remote.origin.url", "https://example.org/a b.git"),
    "with odd values": _settings("alias.x", '!f() { echo "a\\"b" # c; }; f'),
    "with comments": lambda repo: _append(repo, '[alias]\n\tx = "a;" b # it\'s "c\n'),
    "with a section like core": _settings("core.x.worktree", "/elsewhere"),
}
UNUSUAL = {
    "another work tree": lambda repo: _settings("core.worktree", str(repo / "sub"))(repo),
    "sparse": lambda repo: Git(repo).run("sparse-checkout", "set", "sub"),
    "included": _settings("include.path", "other"),
    "included for some": _settings("includeIf.gitdir:/x/.path", "other"),
    "partial": _settings("extensions.partialClone", "origin"),
    "said to be bare by nobody": _settings("--unset", "core.bare"),
    "in lines that go on": lambda repo: _append(repo, "[alias]\n\tx = a \\\n\tb\n"),
    "in one line": lambda repo: _append(repo, "[core] logallrefupdates = true\n"),
}


def _append(repo: Path, text: str) -> None:
    with (repo / ".git/config").open("a") as stream:
        stream.write(text)


@pytest.mark.parametrize("make", USUAL.values(), ids=USUAL)
def test_a_usual_repository_is_found_without_git(
    make: Callable[[Path], object], repo: Path, tmp_path: Path
) -> None:
    (repo / "sub/deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(repo / "sub")
    make(repo)
    for folder in (repo, repo / "sub/deep", tmp_path / "link/deep"):
        assert locate(folder) == _as_git_says(folder)
        assert _processes(lambda folder=folder: locate(folder), tmp_path / "trace") == 0


@pytest.mark.parametrize("make", UNUSUAL.values(), ids=UNUSUAL)
def test_whatever_is_unusual_is_left_to_git(
    make: Callable[[Path], object], repo: Path, tmp_path: Path
) -> None:
    (repo / "sub").mkdir()
    make(repo)
    assert plain_root(repo / "sub") is None
    found = locate(repo / "sub")
    assert found.root == _as_git_says(repo / "sub").root
    assert _processes(lambda: locate(repo / "sub"), tmp_path / "trace") == 1


@pytest.mark.parametrize("text", ["x = \\q", 'x = "y', 'x = y" # z', "\f", "x_y = 1", "[b"])
def test_settings_that_git_cannot_read_are_left_to_it(repo: Path, text: str) -> None:
    _append(repo, f"[alias]\n\t{text}\n")
    assert plain_root(repo) is None
    with pytest.raises(GitFailed, match="bad config"):
        locate(repo)


def test_a_repository_of_somebody_else_is_left_to_git(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = os.geteuid()
    assert plain_root(repo) == repo
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert plain_root(repo) is None


def test_what_only_looks_like_a_repository_is_left_to_git(repo: Path, tmp_path: Path) -> None:
    (repo / "sub/.git").mkdir(parents=True)  # git goes on to the folder above
    assert plain_root(repo / "sub") is None
    assert locate(repo / "sub").root == repo
    bare = repo / "bare"
    subprocess.run(["git", "init", "-q", "--bare", str(bare)], check=True)
    assert plain_root(bare) is plain_root(bare / "refs") is None
    assert locate(bare / "refs").bare
    (tmp_path / "other").mkdir()
    (tmp_path / "other/.git").symlink_to(repo / ".git")
    assert plain_root(tmp_path / "other") is None
    (repo / ".git/HEAD").write_text("nothing that git knows\n")
    with pytest.raises(NotInRepository):
        locate(repo)


def test_linked_work_trees_and_submodules_are_left_to_git(repo: Path, tmp_path: Path) -> None:
    Git(repo).run("commit", "-q", "--allow-empty", "-m", "m")
    Git(repo).run("worktree", "add", "-q", str(tmp_path / "linked"))
    assert plain_root(tmp_path / "linked") is None
    assert plain_root(repo) == repo, "the main work tree is as it was"
    (tmp_path / "through").symlink_to(tmp_path / "linked")
    through, linked = locate(tmp_path / "through"), locate(tmp_path / "linked")
    assert through == linked
    assert through.worktree_name == "linked"


def test_a_repository_has_one_name_through_links(repo: Path, tmp_path: Path) -> None:
    """Also where git has to be asked: its answers are relative to the folder without links."""
    _settings("extensions.partialClone", "origin")(repo)
    (tmp_path / "link").symlink_to(repo)
    assert locate(tmp_path / "link") == locate(repo)
    assert locate(tmp_path / "link").worktree_name == "main"
