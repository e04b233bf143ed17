"""The segments in trees of git objects: of a commit, and of the branches that are known here.

Not those of the work tree (`files`). Invariant: each folder that trees share is
listed once; what somebody else's branch holds can be damaged without any harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from gitmemo.errors import CorruptRecord, MissingObject, NewerFormat, SegmentUnreadable
from gitmemo.git.cli import Git
from gitmemo.git.formats import TREE_MODE, TreeEntry
from gitmemo.git.objects import ObjectReader
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.segments import INDEX_FOLDER, segment_name

_FORMAT = "1"
_UNREADABLE = (SegmentUnreadable, CorruptRecord, MissingObject, NewerFormat)
_FILES = frozenset({0o100644, 0o100755, 0o100664})


class TreeSegments:
    """Makes segments of other trees known to the derived index of a repository."""

    def __init__(self, base: RepositoryWorld, reader: ObjectReader) -> None:
        self._base = base
        self._reader = reader
        self._months: dict[str, tuple[tuple[str, str], ...]] = {}
        self._commits: dict[str, frozenset[int]] = {}
        self._index = base.index
        self._did_branches = False

    def load(self, commit: str) -> frozenset[int]:
        """Return the file ids of a commit's segments, all of them known now.

        Where the files of the repository's world are read leniently, damaged ones are left out.

        Raises:
            NewerFormat: A newer gitmemo wrote the commit's index.
            SegmentUnreadable, MissingObject: A segment is damaged, or not in this clone.
        """
        if self._index is not self._base.index:  # it was made anew
            self._index, self._did_branches = self._base.index, False
            self._commits.clear()
        found = self._commits.get(commit)
        if found is None:
            lenient = self._base.files.is_lenient
            listed = dict(self._segments(commit))
            found = self._commits[commit] = self._load(listed, lenient=lenient)
        return found

    def load_readable(self, commits: Iterable[str]) -> frozenset[int]:
        """Return the file ids of those of the commits' segments that can be read, known now."""
        found: dict[str, tuple[str, str]] = {}
        for commit in dict.fromkeys(commits):
            with suppress(*_UNREADABLE):
                found.update(self._segments(commit))
        known = self._base.files.segment_ids(found)
        loaded = set(known.values())
        for name in found.keys() - known.keys():
            with suppress(*_UNREADABLE):
                loaded |= self._load({name: found[name]})
        return frozenset(loaded)

    def load_branches(self) -> None:
        """Make what all branches hold known, those of others that were fetched too; once.

        Not in a partial clone, where looking could fetch everything. A branch that cannot be
        read is left out: it is no part of what was asked for.
        """
        if self._did_branches:
            return
        self._did_branches = True
        git = Git(self._base.layout.root)
        if git.try_run("config", "--get-regexp", r"^remote\..*\.promisor$"):
            return
        listed = git.try_run("for-each-ref", "--format=%(objectname)", "refs/heads", "refs/remotes")
        for commit in dict.fromkeys((listed or "").split()):
            with suppress(*_UNREADABLE):
                self._load(dict(self._segments(commit)))

    def _load(self, found: dict[str, tuple[str, str]], *, lenient: bool = False) -> frozenset[int]:
        files = self._base.files
        load = files.load_sound if lenient else files.load
        known = files.segment_ids(found)
        new = [
            (path, self._reader.blob(oid))
            for name, (path, oid) in found.items()
            if name not in known
        ]
        return frozenset({*known.values(), *(load(new) if new else ())})

    def _segments(self, commit: str) -> Iterator[tuple[str, tuple[str, str]]]:
        """Yield the segments in a commit: name, and path and object id."""
        top, index, form = INDEX_FOLDER.split("/")
        formats = self._entries(self._entry(self._entry(self._commit_tree(commit), top), index))
        for entry in formats:
            name = entry.name.decode("utf-8", "replace")
            if name.isdigit() and name != form:
                raise NewerFormat(f"{top}/{index}/{name} of {commit[:9]}", name, int(_FORMAT))
            if name == form and entry.mode == TREE_MODE:
                for month in self._entries(entry):
                    yield from self._in_month(month)

    def _in_month(self, month: TreeEntry) -> Iterator[tuple[str, tuple[str, str]]]:
        if month.mode != TREE_MODE:
            return
        listed = self._months.get(month.oid)
        if listed is None:
            listed = self._months[month.oid] = tuple(
                (entry.name.decode("utf-8", "replace"), entry.oid)
                for entry in self._reader.tree(month.oid)
                if entry.mode in _FILES
            )
        folder = month.name.decode("utf-8", "replace")
        for file, oid in listed:
            path = f"{INDEX_FOLDER}/{folder}/{file}"
            name = segment_name(path)
            if name:
                yield name, (path, oid)

    def _commit_tree(self, commit: str) -> TreeEntry:
        return TreeEntry(TREE_MODE, b"", self._reader.commit(commit).tree)

    def _entries(self, folder: TreeEntry | None) -> tuple[TreeEntry, ...]:
        if folder is None or folder.mode != TREE_MODE:
            return ()
        return self._reader.tree(folder.oid)

    def _entry(self, folder: TreeEntry | None, name: str) -> TreeEntry | None:
        wanted = name.encode()
        return next((entry for entry in self._entries(folder) if entry.name == wanted), None)
