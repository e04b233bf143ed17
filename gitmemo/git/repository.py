"""Where a repository is and what is checked out.

Not its objects (`objects`). Invariant: git's own verdict on the folder (its owner, its format)
holds for everything else: `locate` asks git, once, unless `plain` is sure of the answer.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from gitmemo.errors import CommittedRepository, GitFailed, NotInRepository
from gitmemo.git.cli import Git
from gitmemo.git.plain import plain_root

MAIN_WORKTREE = "main"
CODE_FILES = ("*.py", "*.ipynb")
"""Which files are code, as git's patterns."""
_BINDING = ("GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE")
_OID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MAX_SYMREF_DEPTH = 5
# Refs that each work tree has for itself; see gitrepository-layout(5).
_PER_WORKTREE = ("refs/bisect/", "refs/worktree/", "refs/rewritten/")


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of a repository, absolute.

    Attributes:
        root: Top of the work tree; for a bare repository the git folder.
        git_dir: The git folder of this work tree.
        common_dir: The git folder that all work trees share.
        bare: Whether there is no work tree.
        object_format: `sha1` or `sha256`.
        hooks_dir: Where git looks for hooks, if git was asked.
    """

    root: Path
    git_dir: Path
    common_dir: Path
    bare: bool = False
    object_format: str = "sha1"
    hooks_dir: Path | None = None

    @property
    def worktree_name(self) -> str:
        """`main`, or the name that git gave the linked work tree."""
        if self.git_dir == self.common_dir:
            return MAIN_WORKTREE
        name = self.git_dir.name
        # A linked work tree may have the name of the main one's journal folder, or of the folder
        # for journals that are committed.
        return f"{name}.linked" if name in (MAIN_WORKTREE, "exported") else name

    @property
    def private_dir(self) -> Path:
        """gitmemo's folder in the git folder, shared by all work trees."""
        return self.common_dir / "gitmemo"


@dataclass(frozen=True, slots=True)
class Head:
    """What is checked out.

    Attributes:
        branch: Short name, None if HEAD is detached.
        commit: None on a branch without commits.
    """

    branch: str | None
    commit: str | None


def locate(path: str | os.PathLike[str] = ".") -> Layout:
    """Return the layout of the repository around `path`, with one git process at most.

    Raises:
        NotInRepository: There is none, or `path` is inside a git folder.
        GitFailed: Git refuses the repository, for instance because of its owner.
        CommittedRepository: It is a git folder that a commit brought.
    """
    start = Path(path).absolute()
    folder = start if start.is_dir() else start.parent
    if not folder.is_dir():
        raise NotInRepository(str(start))
    root = plain_root(folder)
    if root is not None:
        return Layout(root, root / ".git", root / ".git")
    return _asked(start, folder.resolve())


def _asked(start: Path, folder: Path) -> Layout:
    """Return what git says; its answers are relative to the folder without links."""
    asked = (
        "rev-parse",
        "--is-bare-repository",
        "--show-object-format",
        "--absolute-git-dir",
        "--git-common-dir",
        "--git-path",
        "hooks",
        "--show-toplevel",  # last: it fails in a bare repository, after the rest is printed
    )
    done = Git(folder).process(*asked)
    bare, object_format, git_dir, common_dir, hooks, root, *_ = (
        *os.fsdecode(done.stdout).splitlines(),
        *("" for _ in range(6)),
    )
    if not root and bare != "true":
        said = done.stderr.decode("utf-8", "replace")
        if "not a git repository" in said or "must be run in a work tree" in said:
            raise NotInRepository(str(start))
        raise GitFailed("git rev-parse --show-toplevel", said)
    private = Path(git_dir)
    if private.name != ".git" and is_tracked(private):
        raise CommittedRepository(str(private))
    return Layout(
        root=Path(root) if root else private,
        git_dir=private,
        common_dir=Path(os.path.normpath(folder / common_dir)),
        bare=bare == "true",
        hooks_dir=Path(os.path.normpath(folder / hooks)),
        object_format="sha256" if object_format == "sha256" else "sha1",
    )


def is_tracked(folder: Path) -> bool:
    """Whether a repository around `folder` has files in it under version control.

    A folder with `HEAD`, `refs` and `objects` is a repository for git, wherever it stands. One that
    came with a clone would bring settings that name programs, and results that nobody computed here.
    """
    for above in folder.parents:
        # Never from inside `folder`, where its own settings would count.
        if (above / ".git").exists():
            name = f":(literal,icase){folder.relative_to(above).as_posix()}"
            if Git(above).try_run("ls-files", "-z", "--", name):
                return True
    return False


def is_bound_elsewhere(layout: Layout) -> bool:
    """Whether GIT_DIR names another repository than the one that is found without it.

    `GIT_DIR=… git commit` in a folder of some repository runs that other one's hooks there.
    """
    said = Git(layout.root, keep=_BINDING).try_run("rev-parse", "--absolute-git-dir")
    return said is None or Path(said).resolve() != layout.git_dir.resolve()


def worktree_name(layout: Layout) -> str:
    """Return `main`, or the name that git gave the linked work tree."""
    return layout.worktree_name


def head(layout: Layout) -> Head:
    """Return what is checked out; reads files, and asks git only where they do not say.

    Raises `GitFailed` if HEAD is damaged.
    """
    try:
        content = _read(layout.git_dir / "HEAD")
    except OSError:
        return _head_from_git(layout)
    if _OID.fullmatch(content):
        return Head(None, content.decode())
    name = _symref(content)
    # With reftable HEAD holds a placeholder, and the refs are elsewhere.
    if name is None or name.endswith("/.invalid") or (layout.common_dir / "reftable").is_dir():
        return _head_from_git(layout)
    branch = name.removeprefix("refs/heads/")
    try:
        return Head(branch, _commit_of(layout, name))
    except (OSError, ValueError):
        return _head_from_git(layout)


_UNDER_WAY = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "sequencer": "cherry-pick or revert",  # of several commits, between two of them
    "BISECT_LOG": "bisection",
}


def under_way(layout: Layout) -> str | None:
    """Return what git is in the middle of in this work tree, None if in nothing."""
    return next(
        (what for name, what in _UNDER_WAY.items() if (layout.git_dir / name).exists()), None
    )


def is_merging(layout: Layout) -> bool:
    """Whether the next commit of this work tree is a merge."""
    return (layout.git_dir / "MERGE_HEAD").exists()


def is_code_file(path: str) -> bool:
    """Whether a path is one of `CODE_FILES`."""
    return path.endswith((".py", ".ipynb"))


def has_branch(layout: Layout, branch: str) -> bool:
    """Whether there is a branch with this short name that has a commit."""
    name = f"refs/heads/{branch}"
    if not (layout.common_dir / "reftable").is_dir():
        try:
            return _commit_of(layout, name) is not None
        except (OSError, ValueError):
            pass  # git knows how to read it
    return Git(layout.root).try_run("show-ref", "--verify", "--quiet", name) is not None


def commit_of_ref(layout: Layout, name: str) -> str | None:
    """Return what a ref with this full name holds; None if it is not there or files do not say it."""
    if (layout.common_dir / "reftable").is_dir():
        return None
    try:
        return _commit_of(layout, name)
    except (OSError, ValueError):
        return None


def _read(path: Path) -> bytes:
    if path.is_symlink():
        raise OSError("a ref that is a symbolic link: git has its own rules for it")
    return path.read_bytes().strip()


def _symref(content: bytes) -> str | None:
    return os.fsdecode(content[4:].strip()) if content.startswith(b"ref:") else None


def _commit_of(layout: Layout, name: str) -> str | None:
    """Return what a ref points to, None if it does not exist; raise if files do not say."""
    for _ in range(_MAX_SYMREF_DEPTH):
        if not name.startswith("refs/") or ".." in name:
            raise ValueError(f"unusual ref name {name!r}")
        base = layout.git_dir if name.startswith(_PER_WORKTREE) else layout.common_dir
        try:
            content = _read(base / name)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return _packed(layout.common_dir / "packed-refs", name)
        if _OID.fullmatch(content):
            return content.decode()
        target = _symref(content)
        if target is None:
            raise ValueError(f"{name} holds neither an object id nor a ref")
        name = target
    raise ValueError("a chain of symbolic refs is too long")


def _packed(path: Path, name: str) -> str | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    found = re.search(rb"^([0-9a-f]{40,64}) " + re.escape(os.fsencode(name)) + rb"$", data, re.M)
    return found[1].decode() if found else None


def _head_from_git(layout: Layout) -> Head:
    git = Git(layout.root)
    name = git.try_run("symbolic-ref", "--quiet", "HEAD")
    commit = git.try_run("rev-parse", "--quiet", "--verify", "HEAD^{commit}")
    if name is None and commit is None:
        git.run("rev-parse", "--verify", "HEAD")  # a damaged HEAD: git says what is wrong
    return Head(name.removeprefix("refs/heads/") if name else None, commit)
