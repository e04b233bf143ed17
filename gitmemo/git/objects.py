"""Reading commits, trees and blobs at any revision.

Not writing (`gitmemo.history` does that) and not the index or the work tree
(`cli`). Invariant: the two readers give equal answers on every repository that
both can open; `open_reader` takes the faster one that can.
"""

from __future__ import annotations

import heapq
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from gitmemo.errors import MissingObject
from gitmemo.git.cli import Git
from gitmemo.git.formats import TREE_MODE, CommitInfo, TreeEntry, parse_commit, parse_tree
from gitmemo.git.repository import Layout, head

__all__ = [
    "CommitInfo",
    "DulwichReader",
    "ObjectReader",
    "Pygit2Reader",
    "ancestors",
    "open_reader",
]

_FILE_TYPE = 0o100000
_TYPE_MASK = 0o170000
_TYPE_NUMBERS = {"commit": 1, "tree": 2, "blob": 3}
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# Git itself stops at 2048 levels; a hostile tree must not exhaust our stack.
_MAX_DEPTH = 256


class ObjectReader(Protocol):
    """Objects of one repository. Paths are POSIX, relative to the top of a tree."""

    @property
    def shallow(self) -> frozenset[str]:
        """The commits where history is cut off; none but in a shallow clone."""
        ...

    def resolve(self, rev: str) -> str | None:
        """Return the commit that `rev` names in git's own syntax, None if it names none."""
        ...

    def read(self, commit: str, path: str) -> bytes | None:
        """Return the file at `path` in `commit`; None if there is no file there.

        Raises `MissingObject` if the repository is incomplete.
        """
        ...

    def list(self, commit: str, folder: str = "") -> list[tuple[str, str]]:
        """Return (path from the top, blob id) of the files below `folder`, sorted by path.

        Links and submodules are left out: they are not files with content.
        """
        ...

    def blob(self, oid: str) -> bytes:
        """Return a blob; raise `MissingObject` if it is not there or is something else."""
        ...

    def commit(self, oid: str) -> CommitInfo:
        """Return a commit; raise `MissingObject` if it is not there or is something else.

        At the edge of a shallow clone it has no parents.
        """
        ...

    def tree(self, oid: str) -> tuple[TreeEntry, ...]:
        """Return a tree's own entries, names as they are; raise `MissingObject` likewise."""
        ...

    def walk(self, commit: str) -> Iterator[CommitInfo]:
        """Yield `commit` and its ancestors, each once, children before parents, newest first."""
        ...

    def close(self) -> None:
        """Let go of open files. Safe to repeat."""
        ...


def open_reader(layout: Layout, *, fetches: bool = True) -> ObjectReader:
    """Return the faster reader that can open the repository.

    In a partial clone it fetches what is missing, unless that was not asked for.
    """
    if layout.object_format == "sha1":
        import pygit2

        try:
            return Pygit2Reader(layout, fetches=fetches)
        except pygit2.GitError:
            # Reftable, other extensions, another owner: git itself accepted the
            # repository in `locate`, so this is libgit2's limit and not a danger.
            pass
    return DulwichReader(layout, fetches=fetches)


def ancestors(reader: ObjectReader, commit: str) -> set[str]:
    """Return the ids of `commit` and of all its ancestors."""
    return {info.oid for info in reader.walk(commit)}


class _Reader(ABC):
    """What both readers do alike: all but getting at the bytes of an object."""

    def __init__(self, layout: Layout, *, fetches: bool = True) -> None:
        self._layout = layout
        self._fetches = fetches
        try:
            self._shallow = frozenset((layout.common_dir / "shallow").read_text("ascii").split())
        except FileNotFoundError:
            self._shallow = frozenset[str]()

    @abstractmethod
    def _read_raw(self, kind: str, oid: str) -> bytes:
        """Return the body of an object of this kind; raise `MissingObject`."""

    @property
    def shallow(self) -> frozenset[str]:
        """See `ObjectReader`."""
        return self._shallow

    def resolve(self, rev: str) -> str | None:
        """See `ObjectReader`. Git is the authority on this syntax; HEAD needs no process."""
        if rev == "HEAD":
            return head(self._layout).commit
        return Git(self._layout.root).try_run(
            "rev-parse", "--quiet", "--verify", "--end-of-options", f"{rev}^{{commit}}"
        )

    def read(self, commit: str, path: str) -> bytes | None:
        """See `ObjectReader`."""
        entry = self._find(commit, path)
        return self.blob(entry.oid) if entry and _is_file(entry) else None

    def list(self, commit: str, folder: str = "") -> list[tuple[str, str]]:
        """See `ObjectReader`."""
        entry = self._find(commit, folder)
        if entry is None or entry.mode != TREE_MODE:
            return []
        prefix = "".join(f"{part}/" for part in _parts(folder))
        return sorted(self._below(entry.oid, prefix, 0))

    def blob(self, oid: str) -> bytes:
        """See `ObjectReader`."""
        return self._checked_body("blob", oid)

    def commit(self, oid: str) -> CommitInfo:
        """See `ObjectReader`."""
        return self._parsed_commit(oid, self._checked_body("commit", oid))

    def tree(self, oid: str) -> tuple[TreeEntry, ...]:
        """See `ObjectReader`."""
        return _parsed_tree(oid, self._checked_body("tree", oid))

    def walk(self, commit: str) -> Iterator[CommitInfo]:
        """See `ObjectReader`. Written once, so that the order is the same for both readers."""
        seen: dict[str, CommitInfo] = {}
        waiting = [commit]
        while waiting:
            oid = waiting.pop()
            if oid not in seen:
                info = seen[oid] = self.commit(oid)
                waiting += info.parents
        children = dict.fromkeys(seen, 0)
        for info in seen.values():
            for parent in info.parents:
                children[parent] += 1
        ready = [(-seen[commit].time, commit)]
        while ready:
            _, oid = heapq.heappop(ready)
            yield seen[oid]
            for parent in seen[oid].parents:
                children[parent] -= 1
                if not children[parent]:
                    heapq.heappush(ready, (-seen[parent].time, parent))

    def _checked_body(self, kind: str, oid: str) -> bytes:
        # Git would take another text for a name to look up, or for an option.
        if not _OID.fullmatch(oid):
            raise MissingObject(oid, "it is not an object id")
        return self._read_raw(kind, oid)

    def _parsed_commit(self, oid: str, body: bytes) -> CommitInfo:
        try:
            info = parse_commit(oid, body)
        except ValueError as error:
            raise MissingObject(oid, str(error)) from error
        # As for git itself, history ends at the edge of a shallow clone.
        return replace(info, parents=()) if oid in self._shallow else info

    def _find(self, commit: str, path: str) -> TreeEntry | None:
        entry = TreeEntry(TREE_MODE, b"", self.commit(commit).tree)
        for part in _parts(path):
            if entry.mode != TREE_MODE:
                return None
            name = os.fsencode(part)
            found = next((e for e in self.tree(entry.oid) if e.name == name), None)
            if found is None:
                return None
            entry = found
        return entry

    def _below(self, tree: str, prefix: str, depth: int) -> Iterator[tuple[str, str]]:
        if depth > _MAX_DEPTH:
            raise MissingObject(tree, "folders are nested too deeply")
        for entry in self.tree(tree):
            path = prefix + os.fsdecode(entry.name)
            if entry.mode == TREE_MODE:
                yield from self._below(entry.oid, f"{path}/", depth + 1)
            elif _is_file(entry):
                yield path, entry.oid

    def _from_git(self, kind: str, oid: str) -> bytes:
        """Read an object with git itself, which in a partial clone fetches it."""
        if not self._fetches:
            raise MissingObject(oid, "it is not in this clone")
        done = Git(self._layout.root).process("cat-file", kind, oid)
        if done.returncode:
            raise MissingObject(oid, done.stderr.decode("utf-8", "replace").strip())
        return done.stdout


class Pygit2Reader(_Reader):
    """Reads with libgit2: several times faster, but not for every repository."""

    def __init__(self, layout: Layout, *, fetches: bool = True) -> None:
        import pygit2

        super().__init__(layout, fetches=fetches)
        self._repo = pygit2.Repository(str(layout.git_dir))

    def close(self) -> None:
        """See `ObjectReader`."""
        self._repo.free()

    def _read_raw(self, kind: str, oid: str) -> bytes:
        import pygit2

        try:
            number, body, *_ = self._repo.odb.read(oid)
        except (KeyError, pygit2.GitError):  # missing here, or damaged: git says which
            return self._from_git(kind, oid)
        if number != _TYPE_NUMBERS[kind]:
            raise MissingObject(oid, f"it is not a {kind}")
        return body


class DulwichReader(_Reader):
    """Reads with dulwich: pure Python, and opens what libgit2 cannot.

    Attributes:
        repository: The open repository, for those who also write.
    """

    def __init__(self, layout: Layout, *, fetches: bool = True) -> None:
        from dulwich.repo import Repo

        super().__init__(layout, fetches=fetches)
        self.repository = Repo(str(layout.common_dir), bare=True)

    def close(self) -> None:
        """See `ObjectReader`."""
        self.repository.close()

    def _read_raw(self, kind: str, oid: str) -> bytes:
        from dulwich.errors import FileFormatException
        from dulwich.objects import ObjectID

        try:
            number, body = self.repository.object_store.get_raw(ObjectID(oid.encode("ascii")))
        except (KeyError, FileFormatException):  # missing here, or read more strictly than git does
            return self._from_git(kind, oid)
        if number != _TYPE_NUMBERS[kind]:
            raise MissingObject(oid, f"it is not a {kind}")
        return body


def _parsed_tree(oid: str, body: bytes) -> tuple[TreeEntry, ...]:
    try:
        return tuple(parse_tree(body, len(oid) // 2))
    except ValueError as error:
        raise MissingObject(oid, str(error)) from error


def _is_file(entry: TreeEntry) -> bool:
    return entry.mode & _TYPE_MASK == _FILE_TYPE


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]
