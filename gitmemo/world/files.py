"""The files of facts of one work tree, and the derived index that follows them.

Not what the facts mean. Invariant: a file is read once, from where reading
stopped; the index repeats files and never the other way round.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from gitmemo.errors import CorruptRecord, CorruptSegment, SegmentUnreadable
from gitmemo.git.repository import MAIN_WORKTREE, Layout
from gitmemo.plain_files import is_plain_folder
from gitmemo.steps import steps
from gitmemo.world.index import Index
from gitmemo.world.intact import with_advice
from gitmemo.world.journal import PACKED, exported_size, read_entries
from gitmemo.world.segments import (
    INDEX_FOLDER,
    MAX_BYTES,
    Segment,
    damage,
    read_segment,
    segment_name,
)
from gitmemo.world.spilled import whole
from gitmemo.world.stubs import LONGEST_STUB, Stub, read_stub

EXPORTED = "exported"


class FactFiles:
    """Segments in the checked-out tree, and journals of all processes.

    Attributes:
        journal_folder: Where processes of this work tree write.
        active: File ids of the segments in the checked-out tree.
        mine: The journals that count in this work tree (its own, and those of work trees that
            are gone): file id to the size that is committed.
        is_lenient: Whether damaged segments are left out, which only those may ask for who
            reuse nothing: what people said of the code may be in them.
        left_out: What is wrong with those that were; also spilled ones whose bytes are not here.
    """

    def __init__(self, layout: Layout, index: Index) -> None:
        self.journal_folder = layout.private_dir / "journal" / layout.worktree_name
        self.active: frozenset[int] = frozenset()
        self.mine: dict[int, int] = {}
        self.is_lenient = False
        self.left_out: tuple[SegmentUnreadable, ...] = ()
        self._layout = layout
        self._index = index
        self._segments: dict[str, str] = {}
        self._sizes: dict[Path, int] = {}

    def refresh(self) -> bool:
        """Read what is new; return whether the set of segments changed, or journals grew."""
        segments = dict(segments_in(self._layout.root))
        journals = dict(self._journals())
        grew = journals != self._sizes
        moved = segments.keys() != self._segments.keys() or bool(self.left_out)
        if moved or grew:
            if moved:
                self.left_out = ()
            self._read_new(segments, journals)
            self._segments, self._sizes = segments, journals
        self.mine = {file: exported_size(path) for path, file, _ in self.journals()}
        return moved or grew

    def read_journals(self) -> bool:
        """Read what journals gained, and leave all else as the last `refresh` found it."""
        journals = dict(self._journals())
        if journals == self._sizes:
            return False
        unread = self._unread(journals)
        if unread:
            with self._index.loading():
                self._load_journals(unread)
        self._sizes = journals
        new = {file: exported_size(path) for path, file, _ in self.journals()}
        self.mine = new | self.mine  # what was committed meanwhile stays pending here
        return True

    def _read_new(self, segments: dict[str, str], journals: dict[Path, int]) -> None:
        """Read what the index does not have; nothing is written where it has everything."""
        known = self.segment_ids(segments)
        unread = self._unread(journals)
        if not unread and len(known) == len(segments):  # as in most processes that start
            self.active = frozenset(known.values())
            return
        with self._index.loading():
            self.active = frozenset(self._load_segments(segments))
            self._load_journals(unread)

    def load(self, paths: Iterable[tuple[str, bytes]]) -> set[int]:
        """Make segments of another revision known; return their file ids."""
        with self._index.transaction():
            return {self._load_segment(path, data) for path, data in paths}

    def expect(self, segment: Segment, lines: Sequence[str], known: Mapping[str, int]) -> None:
        """Make a segment known that was made here and that a commit may bring into the tree.

        What is not in the tree is not visible; `known` are the numbers of those of its facts that
        were read from the index, so they need not be checked again.
        """
        with self._index.transaction():
            file, loaded = self._index.file("segment", "", segment.name)
            if not loaded:
                self._index.add_members(file, lines, known)
                self._index.mark_loaded(file, len(segment.data))

    def load_sound(self, paths: Iterable[tuple[str, bytes]]) -> set[int]:
        """Make those segments of another revision known that are not damaged."""
        found: set[int] = set()
        with self._index.transaction():
            for path, data in paths:
                found.update(self._load_or_leave(path, partial(bytes, data)))
        return found

    def segment_ids(self, names: Iterable[str]) -> dict[str, int]:
        """Return the file ids of those of `names` that are already loaded."""
        known = self._index.files("segment")
        return {name: known["", name][0] for name in names if ("", name) in known}

    def journals(self) -> Iterator[tuple[Path, int, int]]:
        """Yield `(path, file id, bytes loaded)` of the journals that count in this work tree."""
        known = self._index.files("journal")
        counted: dict[str, bool] = {}
        for path in self._sizes:
            folder = path.parent.name
            if path.parent.parent.name == EXPORTED or (folder, path.name) not in known:
                continue
            if folder not in counted:
                counted[folder] = self._counts(folder)
            if counted[folder]:
                yield path, *known[folder, path.name]

    def exported(self) -> Iterator[tuple[Path, int, int]]:
        """Yield `(path, file id, bytes)` of what this work tree's journals held that is committed."""
        known = self._index.files(EXPORTED)
        for path in self._sizes:
            key = (path.parent.name, path.name.removesuffix(PACKED))
            if path.parent.parent.name == EXPORTED and key in known and self._counts(key[0]):
                yield path, *known[key]
        for path, file, _ in self.journals():
            if size := exported_size(path):
                yield path, file, size

    def all_journals(self) -> set[int]:
        """Return the file ids of all journals there are, of every work tree, and those set aside."""
        known = {kind: self._index.files(kind) for kind in ("journal", EXPORTED)}
        found: set[int] = set()
        for path in self._sizes:
            kind = EXPORTED if path.parent.parent.name == EXPORTED else "journal"
            key = (path.parent.name, path.name.removesuffix(PACKED))
            if key in known[kind]:
                found.add(known[kind][key][0])
        return found

    def counted_folders(self) -> list[str]:
        """Return the names of the folders of journals that count here and hold some."""
        return sorted(filter(self._counts, {path.parent.name for path in self._sizes}))

    def folders(self) -> dict[int, str]:
        """Return the name of the folder that each journal is or was in, by file id."""
        return {
            file: folder
            for kind in ("journal", EXPORTED)
            for (folder, _), (file, _) in self._index.files(kind).items()
        }

    def _counts(self, folder: str) -> bool:
        """Whether the journals of a folder count here: our own, or of a work tree that is gone."""
        if folder == self.journal_folder.name:
            return True
        name = folder.removesuffix(".linked")
        return (
            folder != MAIN_WORKTREE and not (self._layout.common_dir / "worktrees" / name).is_dir()
        )

    def _load_segments(self, segments: dict[str, str]) -> Iterator[int]:
        known = self.segment_ids(segments)
        yield from (known[name] for name in segments if name in known)
        new = [path for name, path in segments.items() if name not in known]
        for path in steps("reading the committed index", new, "segment"):
            read = partial(segment_bytes, self._layout.root, path)
            yield from self._load_or_leave(path, read, is_file=True)

    def _load_or_leave(
        self, path: str, read: Callable[[], bytes], *, is_file: bool = False
    ) -> Iterator[int]:
        """Yield the file id of a segment; none if it cannot be read and that is allowed.

        Of what is a file of the work tree, the error says where it is whole.
        """
        try:
            with self._index.attempt():
                file = self._load_segment(path, read())
        except SegmentUnreadable as error:
            if is_file and isinstance(error, CorruptSegment):
                error = with_advice(self._layout.root, error)
            if not self.is_lenient:
                raise error from None
            self.left_out += (error,)
            return
        yield file

    def _load_segment(self, path: str, data: bytes) -> int:
        name = segment_name(path)
        if name is None:
            raise CorruptSegment(path, "it is not named like a segment")
        file, loaded = self._index.file("segment", "", name)
        if not loaded:
            data = whole(self._layout, path, data)
            lines = read_segment(path, data)
            try:
                self._index.add_members(file, lines)
            except CorruptRecord as error:  # which line it was is looked up only then
                unplaced = CorruptSegment(path, f"{error.reason}: {error.excerpt!r}")
                raise next(damage(path, lines), unplaced) from None
            self._index.mark_loaded(file, max(1, len(data)))
        return file

    def _journals(self) -> Iterator[tuple[Path, int]]:
        """Yield every journal with its size: of all work trees, and those that are set aside."""
        top = self._layout.private_dir / "journal"
        folders = [top / name for name in names_in(top) if name != EXPORTED]
        folders += [top / EXPORTED / name for name in names_in(top / EXPORTED)]
        for folder in folders:
            for name in names_in(folder):
                if name.endswith((".jsonl", f".jsonl{PACKED}")):
                    path = folder / name
                    try:
                        yield path, path.stat().st_size
                    except FileNotFoundError:
                        continue  # set aside just now by a commit: found there next time

    def _unread(self, journals: dict[Path, int]) -> list[Path]:
        """Return the journals that have more than was read of them."""
        known = {kind: self._index.files(kind) for kind in ("journal", EXPORTED)}
        return [
            path
            for path, size in journals.items()
            if self._sizes.get(path) != size
            and _is_longer(path, size, known[_kind_of(path)].get(_key_of(path)))
        ]

    def _load_journals(self, journals: Iterable[Path]) -> None:
        for path in steps("reading journals", list(journals), "journal"):
            file, loaded = self._index.file(_kind_of(path), *_key_of(path))
            if loaded and path.suffix == PACKED:
                continue  # another process has read it meanwhile
            try:
                entries, end = read_entries(path, loaded)
            except FileNotFoundError:
                continue
            self._index.add_placed(
                file,
                (
                    (entry.line, entry.place.branch or "", entry.place.commit or "", entry.position)
                    for entry in entries
                ),
                committed=exported_size(path),
            )
            self._index.mark_loaded(file, end)


def _kind_of(path: Path) -> str:
    """Return as what a journal is listed in the index."""
    return EXPORTED if path.parent.parent.name == EXPORTED else "journal"


def _key_of(path: Path) -> tuple[str, str]:
    """Return under which folder and name."""
    return path.parent.name, path.name.removesuffix(PACKED)


def _is_longer(path: Path, size: int, known: tuple[int, int] | None) -> bool:
    """Whether a journal has more than was loaded; one that is set aside is read whole or not."""
    if known is None:
        return True
    _, loaded = known
    return size > loaded and not (loaded and path.suffix == PACKED)


def segments_in(root: Path) -> Iterator[tuple[str, str]]:
    """Yield name and path of the segments in a work tree."""
    top = root / INDEX_FOLDER
    for month in names_in(top):
        for name in names_in(top / month):
            path = f"{INDEX_FOLDER}/{month}/{name}"
            found = segment_name(path)
            if found:
                yield found, path


def stubs_in(root: Path) -> Iterator[Stub]:
    """Yield the stubs of the spilled segments in a work tree."""
    for _, path in segments_in(root):
        target = root / path
        try:
            is_short = not target.is_symlink() and target.stat().st_size <= LONGEST_STUB
            stub = read_stub(path, target.read_bytes()) if is_short else None
        except (OSError, CorruptSegment):
            continue  # whoever reads it as a segment says what is wrong
        if stub is not None:
            yield stub


def segment_bytes(root: Path, path: str) -> bytes:
    """Return the bytes of a segment in the work tree.

    Raises:
        CorruptSegment: It is no regular file in plain folders, or too large: names in a
            repository may be links to anything.
    """
    target = root / path
    try:
        if not is_plain_folder(root, target.parent):
            raise CorruptSegment(path, "a folder on its way is a symbolic link")
        status = target.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise CorruptSegment(path, "it is not a regular file")
        if status.st_size > MAX_BYTES:
            raise CorruptSegment(path, "it is too large")
        return target.read_bytes()
    except OSError as error:
        raise CorruptSegment(path, str(error)) from None


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder, sorted; none if there is no such folder."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
