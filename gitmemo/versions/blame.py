"""Which commits introduced contents of code, and versions.

Not function histories (`revisions`), which say in what order contents ran.
Invariant: only commits that are reachable from where one starts count, and a
file is parsed once for each text that it ever had.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitmemo.errors import SourceError
from gitmemo.git.formats import TREE_MODE
from gitmemo.git.objects import CommitInfo, ObjectReader
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.components import MAIN_PATH, Component, is_external
from gitmemo.model.contests import Place
from gitmemo.model.facts import Move, Statement, Version
from gitmemo.model.statements import in_force
from gitmemo.quantities import timestamp
from gitmemo.source import SourceFile

Blobs = tuple[str | None, ...]
_FILES = frozenset({0o100644, 0o100755, 0o100664})
"""Links and submodules hold no code of this repository."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The commit that introduced something.

    Attributes:
        is_edge: History is cut off at this commit (a shallow clone): it may be older.
    """

    commit: str
    author: str
    date: str
    subject: str
    is_edge: bool

    def as_dict(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "commit": self.commit,
            "author": self.author,
            "date": self.date,
            "subject": self.subject,
            "history_is_cut": self.is_edge,
        }


@dataclass(frozen=True, slots=True)
class ContentOrigin:
    """Where a content of a component came from.

    Attributes:
        origin: The earliest commit that has it; None where none has.
        before: The same for what it was called, or where it was, before it moved.
    """

    component: Component
    id: str
    origin: Origin | None
    before: tuple[ContentOrigin, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "kind": "content",
            "component": str(self.component),
            "id": self.id,
            "introduced": self.origin.as_dict() if self.origin else None,
            "before": [one.as_dict() for one in self.before],
        }


@dataclass(frozen=True, slots=True)
class VersionOrigin:
    """Where a version came from: the earliest commit that has all of its contents."""

    id: str
    origin: Origin | None

    def as_dict(self) -> dict[str, object]:
        """Return it as plain data."""
        introduced = self.origin.as_dict() if self.origin else None
        return {"kind": "version", "id": self.id, "introduced": introduced}


@dataclass(frozen=True, slots=True)
class Blame:
    """What commits introduced of the code behind an op."""

    versions: tuple[VersionOrigin, ...]
    contents: tuple[ContentOrigin, ...]


def blame(
    reader: ObjectReader,
    head: str | None,
    versions: Sequence[Version],
    statements: Iterable[tuple[Digest, Statement]],
) -> Blame:
    """Return which commits, up to `head`, introduced versions and the contents in them.

    Code that was typed in or stands outside the repository is in no commit, so it does not
    count for a version; nor do packages, variables and files that the user named.
    """
    moves = _Moves(statements)
    wanted: dict[Place, None] = {}
    for version in versions:
        for component in sorted(version.pairs):
            if not is_external(component):
                wanted[component, version.pairs[component].source] = None
    places = {one: None for place in wanted for one in moves.chain(place)}
    walk = _Walk(reader, places)
    needed = [
        [place for c, content in v.pairs.items() if _is_in_files(place := (c, content.source))]
        for v in versions
    ]
    walk.run(head, needed)
    return Blame(
        tuple(
            VersionOrigin(to_hex(version.id), walk.origin(walk.sets[number]))
            for number, version in enumerate(versions)
        ),
        tuple(_origin(walk, moves, place) for place in sorted(wanted)),
    )


def _origin(walk: _Walk, moves: _Moves, place: Place) -> ContentOrigin:
    before = tuple(
        ContentOrigin(other[0], to_hex(other[1]), walk.origin(walk.first.get(other)))
        for other in moves.chain(place)[1:]
    )
    component, source = place
    return ContentOrigin(component, to_hex(source), walk.origin(walk.first.get(place)), before)


def _is_in_files(place: Place) -> bool:
    component = place[0]
    typed_in = component.path == MAIN_PATH or component.path.startswith("@")
    return not (typed_in or is_external(component))


class _Moves:
    """What contents were before they moved, by statements that count."""

    def __init__(self, statements: Iterable[tuple[Digest, Statement]]) -> None:
        self._before: dict[Place, list[Place]] = defaultdict(list)
        for fact in in_force(statements, Move).values():
            self._before[fact.to, fact.new].append((fact.component, fact.source))

    def chain(self, place: Place) -> list[Place]:
        """Return a content, and what it was before, the nearest first."""
        found = {place: None}
        todo = [place]
        while todo:
            new = [one for one in sorted(self._before.get(todo.pop(0), ())) if one not in found]
            found.update(dict.fromkeys(new))
            todo += new
        return list(found)


class _Walk:
    """One pass over the commits, parents before children.

    Attributes:
        first: A content to the first commit that has it.
        sets: For each set of contents the first commit that has all of it.
    """

    def __init__(self, reader: ObjectReader, places: Iterable[Place]) -> None:
        self._reader = reader
        self._wanted: dict[str, list[Place]] = defaultdict(list)
        for place in places:
            if _is_in_files(place):
                self._wanted[place[0].path].append(place)
        self._paths = sorted(self._wanted)
        self._blobs: dict[tuple[str, str], str | None] = {}
        self._held: dict[tuple[str, str], frozenset[Place]] = {}
        self._commits: dict[str, CommitInfo] = {}
        self.first: dict[Place, str] = {}
        self.sets: list[str | None] = []

    def run(self, head: str | None, needed: Sequence[Sequence[Place]]) -> None:
        """Walk all commits up to `head`."""
        self.sets = [None] * len(needed)
        commits = list(self._reader.walk(head)) if head and self._paths else []
        self._commits = {info.oid: info for info in commits}
        seen: dict[str, Blobs] = {}
        for info in reversed(commits):
            blobs = seen[info.oid] = tuple(self._blob(info.tree, path) for path in self._paths)
            if any(seen.get(parent) == blobs for parent in info.parents):
                continue  # it touched none of the files
            held = self._held_in(blobs)
            for place in held:
                self.first.setdefault(place, info.oid)
            for number, places in enumerate(needed):
                if self.sets[number] is None and places and held.issuperset(places):
                    self.sets[number] = info.oid

    def origin(self, commit: str | None) -> Origin | None:
        """Return what people want to know of a commit."""
        if commit is None:
            return None
        info = self._commits[commit]
        subject = info.message.partition("\n")[0]
        date = timestamp(info.time)[:10]
        return Origin(commit, info.author, date, subject, commit in self._reader.shallow)

    def _held_in(self, blobs: Blobs) -> set[Place]:
        """Return which of the wanted contents files with these blobs hold."""
        found: set[Place] = set()
        for path, oid in zip(self._paths, blobs, strict=True):
            if oid is not None:
                if (path, oid) not in self._held:
                    self._held[path, oid] = self._read(path, oid)
                found |= self._held[path, oid]
        return found

    def _read(self, path: str, oid: str) -> frozenset[Place]:
        try:
            file = SourceFile.parse(self._reader.blob(oid), path)
        except SourceError:
            return frozenset()
        return frozenset(p for p in self._wanted[path] if file.source_of(p[0].unit) == p[1])

    def _blob(self, tree: str, path: str) -> str | None:
        """Return the blob at a path; folders that many commits share are read once."""
        known = self._blobs.get((tree, path), "")
        if known != "":
            return known
        name, _, rest = path.partition("/")
        entries: Mapping[str, tuple[int, str]] = {
            entry.name.decode("utf-8", "surrogateescape"): (entry.mode, entry.oid)
            for entry in self._reader.tree(tree)
        }
        mode, oid = entries.get(name, (0, ""))
        found = None
        if rest:
            found = self._blob(oid, rest) if mode == TREE_MODE else None
        elif mode in _FILES:
            found = oid
        self._blobs[tree, path] = found
        return found
