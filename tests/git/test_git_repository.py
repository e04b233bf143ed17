"""Finding a repository and its HEAD, in every state that ordinary life brings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitmemo.commits.setup import set_up
from gitmemo.errors import CommittedRepository, GitFailed, NotInRepository
from gitmemo.git.cli import Git
from gitmemo.git.repository import Head, head, locate, worktree_name


def commit(folder: Path, message: str = "m") -> str:
    git = Git(folder)
    git.run("commit", "-q", "--allow-empty", "-m", message)
    return git.run("rev-parse", "HEAD")


def test_it_is_found_from_a_subfolder_and_from_a_file(repo: Path) -> None:
    (repo / "ü/b c").mkdir(parents=True)
    (repo / "ü/b c/x.py").touch()
    expected = locate(repo)
    assert expected.root == repo
    assert expected.git_dir == expected.common_dir == repo / ".git"
    assert not expected.bare
    assert expected.object_format == "sha1"
    assert locate(repo / "ü/b c") == expected
    assert locate(repo / "ü/b c/x.py") == expected


def test_outside_of_one_the_ways_out_are_named(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none" / "at all"):
        with pytest.raises(NotInRepository) as caught:
            locate(place)
        assert "git init" in str(caught.value)
        assert "Storage(db_path=...)" in str(caught.value)


def test_inside_the_git_folder_there_is_no_work_tree(repo: Path) -> None:
    with pytest.raises(NotInRepository):
        locate(repo / ".git")


def test_a_repository_that_git_refuses_is_an_error_in_gits_words(repo: Path) -> None:
    Git(repo).run("config", "core.repositoryFormatVersion", "77")
    with pytest.raises((GitFailed, NotInRepository)):
        locate(repo)


def test_a_git_folder_that_was_committed_is_refused(repo: Path, tmp_path: Path) -> None:
    """Git takes a folder with `HEAD`, `refs` and `objects` for a repository, and runs what it names."""
    proof = tmp_path / "proof"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\ntouch "{proof}"\n')
    program.chmod(0o755)
    for name, settings in (
        ("sub", "bare = false\n\tworktree = ."),
        ("deep/evil.git", "bare = true"),
    ):
        folder = repo / name
        for part in ("refs/heads", "objects/aa", "gitmemo"):
            (folder / part).mkdir(parents=True)
            (folder / part / "x").touch()
        (folder / "HEAD").write_text("ref: refs/heads/main\n")
        (folder / "config").write_text(
            f"[core]\n\trepositoryformatversion = 0\n\t{settings}\n\tfsmonitor = {program}\n"
        )
    Git(repo).run("add", "-A")
    Git(repo).run("commit", "-q", "-m", "m")
    theirs = tmp_path / "theirs"
    Git(tmp_path).run("clone", "-q", str(repo), str(theirs))
    for name in ("sub", "sub/refs", "deep/evil.git"):
        with pytest.raises(CommittedRepository):
            locate(theirs / name)
        with pytest.raises(CommittedRepository):
            next(set_up(theirs / name))
    assert not proof.exists()
    assert locate(theirs / "deep").root == theirs
    Git(theirs).run("rm", "-rq", "--cached", "deep")
    assert locate(theirs / "deep/evil.git").bare  # of this clone's own


def test_a_bare_one_is_its_own_root(make_repo: Callable[..., Path]) -> None:
    layout = locate(make_repo("bäre one.git", "--bare"))
    assert layout.bare
    assert layout.root == layout.git_dir == layout.common_dir
    assert head(layout) == Head("main", None)


def test_linked_work_trees_share_the_common_folder(repo: Path, tmp_path: Path) -> None:
    oid = commit(repo)
    Git(repo).run("worktree", "add", "-q", "-b", "side", str(tmp_path / "a b"))
    Git(repo).run("worktree", "add", "-q", "-b", "side2", str(tmp_path / "main"))
    linked = locate(tmp_path / "a b")
    assert linked.root == tmp_path / "a b"
    assert linked.common_dir == repo / ".git"
    assert linked.git_dir == repo / ".git/worktrees/a-b"
    assert linked.private_dir == locate(repo).private_dir == repo / ".git/gitmemo"
    assert head(linked) == Head("side", oid)
    assert worktree_name(locate(repo)) == "main"
    assert worktree_name(linked) == "a-b"
    # A linked work tree named `main` must not be taken for the main one.
    assert worktree_name(locate(tmp_path / "main")) == "main.linked"


def test_a_submodule_and_a_separate_git_folder(
    repo: Path, make_repo: Callable[..., Path], tmp_path: Path
) -> None:
    inner = make_repo("inner")
    oid = commit(inner)
    git = Git(repo)
    git.run("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    layout = locate(repo / "sub")
    assert layout.root == repo / "sub"
    assert layout.git_dir == layout.common_dir == repo / ".git/modules/sub"
    assert head(layout) == Head("main", oid)
    assert worktree_name(layout) == "main"
    Git(tmp_path).run("init", "-q", "-b", "main", "--separate-git-dir", "elsewhere", "tree")
    apart = locate(tmp_path / "tree")
    assert (apart.root, apart.git_dir) == (tmp_path / "tree", tmp_path / "elsewhere")


def test_head_unborn_on_a_branch_and_detached(repo: Path) -> None:
    layout, git = locate(repo), Git(repo)
    assert head(layout) == Head("main", None)
    one = commit(repo)
    assert head(layout) == Head("main", one)
    git.run("checkout", "-q", "-b", "feature/ö-1")
    two = commit(repo)
    assert head(layout) == Head("feature/ö-1", two)
    git.run("checkout", "-q", "--detach", "main")
    assert head(layout) == Head(None, one)
    git.run("checkout", "-q", "--orphan", "new")
    assert head(layout) == Head("new", None)


def test_head_after_packing_refs(repo: Path) -> None:
    layout, git = locate(repo), Git(repo)
    one = commit(repo)
    git.run("branch", "main2")
    git.run("tag", "-a", "v1", "-m", "x")
    git.run("pack-refs", "--all", "--prune")
    assert not (repo / ".git/refs/heads/main").exists()
    assert head(layout) == Head("main", one)
    two = commit(repo)
    assert head(layout) == Head("main", two)


def test_head_of_a_symbolic_branch_is_what_it_points_to(repo: Path) -> None:
    one = commit(repo)
    git = Git(repo)
    git.run("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    git.run("symbolic-ref", "HEAD", "refs/heads/alias")
    assert head(locate(repo)) == Head("alias", one)


def test_a_damaged_head_is_an_error_in_gits_words(repo: Path) -> None:
    commit(repo)
    layout = locate(repo)
    (repo / ".git/refs/heads/main").write_text("not an object id\n")
    with pytest.raises(GitFailed, match="HEAD"):
        head(layout)


def test_a_sha256_repository(make_repo: Callable[..., Path]) -> None:
    folder = make_repo("long ids", "--object-format=sha256")
    oid = commit(folder)
    assert len(oid) == 64
    assert locate(folder).object_format == "sha256"
    assert head(locate(folder)) == Head("main", oid)


def test_a_reftable_repository(make_repo: Callable[..., Path]) -> None:
    try:
        folder = make_repo("tables", "--ref-format=reftable")
    except GitFailed:
        pytest.skip("this git cannot make reftable repositories")
    assert head(locate(folder)) == Head("main", None)
    oid = commit(folder)
    assert head(locate(folder)) == Head("main", oid)
