"""Finding out what a remote holds: one listing, and the indexes not seen before.

Not what to do about it (`plan`). Invariant: what is there is what the listing
shows; an index that does not fit its pack, or a copy of indexes that does not
fit the listing, is set aside by name, never half used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from gitmemo.errors import RemoteGone
from gitmemo.hashing.digest import Digest
from gitmemo.remotes.bundle import LARGEST_BUNDLE, read_bundle
from gitmemo.remotes.index import LARGEST_INDEX, Slot, read_index
from gitmemo.remotes.layout import Inventory, catalogue_name, index_name, read_listing
from gitmemo.remotes.marks import (
    LARGEST_MARK,
    NO_MARK,
    Mark,
    mark_name,
    marks_in,
    read_mark,
    salt_under,
)
from gitmemo.remotes.parallel import JOBS, in_parallel
from gitmemo.remotes.plan import Catalogue, WantedBlob
from gitmemo.remotes.remote import Remote
from gitmemo.remotes.seen import Seen, seen_on

_FEW = 4
"""So many indexes are asked for one by one, whatever catalogues there are."""


def read_catalogue(remote: Remote, cache: Path | None, jobs: int) -> Catalogue:
    """Return what `remote` holds; with every index known, that is one request."""
    listing = remote.transport.listing()
    inventory = read_listing(listing)
    marks = marks_in(listing)
    refuse_gone(remote, cache, inventory)
    known = seen_on(remote, cache)
    known.put_singles(inventory.singles)
    reading = _Reading(remote, inventory, known, jobs)
    reading.recall()
    if reading.unknown:
        remote.check_format()
        reading.read_bundles()
        reading.read_indexes()
    leaving, spoiled = _read_marks(remote, marks)
    return replace(reading.result(), leaving=leaving, spoiled=spoiled, salt=salt_under(marks))


def refuse_gone(remote: Remote, cache: Path | None, inventory: Inventory) -> None:
    """Refuse a directory in which values were seen, and that holds nothing of a remote now.

    That is how a share looks which is not mounted; a new remote must not begin in its place. Services
    say themselves if they do not have what they are asked for.

    Raises:
        RemoteGone: It is one.
    """
    held = inventory.marked or inventory.packs or inventory.singles
    if held or remote.config.protocol is not None or not seen_on(remote, cache).blobs():
        return
    folder = (remote.config.root / remote.config.folder).resolve()
    what = "holds no values" if folder.is_dir() else "is not there"
    reason = f"the directory {folder} {what}"
    raise RemoteGone(remote.name, remote.config.shown_url, reason)


def _read_marks(remote: Remote, marks: Iterable[Digest]) -> tuple[Mark, tuple[str, ...]]:
    """Return all that these marks say, and the names of those that make no sense."""
    found, spoiled = NO_MARK, list[str]()
    for name in marks:
        try:
            found |= read_mark(name, remote.transport.read(mark_name(name), LARGEST_MARK))
        except FileNotFoundError:  # removed since the listing
            continue
        except ValueError:
            spoiled.append(mark_name(name))
    return found, tuple(spoiled)


def holdings(remote: Remote, cache: Path | None, wanted: Iterable[WantedBlob]) -> frozenset[Digest]:
    """Return which of `wanted` the remote holds."""
    catalogue = read_catalogue(remote, cache, JOBS)
    return frozenset(item.blob for item in wanted if catalogue.holds(item))


def corrected(
    remote: Remote, cache: Path | None, catalogue: Catalogue, packs: Iterable[Digest]
) -> Catalogue | None:
    """Ask for the indexes of `packs` themselves; return what is so with them, if it is different.

    For packs in which something was not where it should be: a catalogue, or
    what is remembered on this machine, may have been wrong about them.
    """
    known = seen_on(remote, cache)
    fresh: dict[Digest, tuple[Slot, ...]] = {}
    for pack in packs:
        found = _fetch_index(remote, known, pack, catalogue.inventory.indexes.get(pack))
        usable = found is not None and _fits(found, catalogue.pack_sizes.get(pack))
        if found is not None and usable and found != catalogue.indexes.get(pack):
            fresh[pack] = found
    if not fresh:
        return None
    wrong = {catalogue.copied_from[pack] for pack in fresh if pack in catalogue.copied_from}
    indexes = {**catalogue.indexes, **fresh}
    return replace(
        catalogue,
        slots=_by_blob(indexes),
        indexes=indexes,
        set_aside=tuple(sorted({*catalogue.set_aside, *wrong})),
    )


def covered_by(remote: Remote, cache: Path | None, catalogue: Catalogue) -> frozenset[Digest]:
    """Return the packs that catalogues cover, reading those that were not needed before."""
    reading = _Reading(remote, catalogue.inventory, seen_on(remote, cache), JOBS)
    reading.take_bundles(catalogue.unread)
    return catalogue.covered | reading.covered


class _Reading:
    """Finding out what the packs of `inventory` hold."""

    def __init__(self, remote: Remote, inventory: Inventory, known: Seen, jobs: int) -> None:
        self._remote, self._inventory = remote, inventory
        self._known, self._jobs = known, jobs
        self._indexes: dict[Digest, tuple[Slot, ...]] = {}
        self._unreadable: list[str] = []
        self._unread = set(inventory.catalogues)
        self._copied_from: dict[Digest, str] = {}
        self._set_aside: list[str] = []
        self.covered: set[Digest] = set()

    @property
    def unknown(self) -> list[Digest]:
        """The packs whose indexes have to be asked for."""
        return [pack for pack in self._inventory.packs if pack not in self._indexes]

    def recall(self) -> None:
        """Take what was seen before."""
        sizes = self._inventory.packs
        for pack, index_size in self._inventory.indexes.items():
            found = self._known.get(pack, index_size)
            if found is not None and _fits(found, sizes[pack]):
                self._indexes[pack] = found
        for name in self._inventory.catalogues:
            if (packs := self._known.covered(name)) is not None:
                self.covered |= packs
                self._unread.discard(name)

    def read_bundles(self) -> None:
        """Read catalogues, if that is less to ask for than the indexes that are unknown."""
        if len(self.unknown) > _FEW + len(self._unread):
            self.take_bundles(frozenset(self._unread))

    def take_bundles(self, names: Iterable[Digest]) -> None:
        """Read these catalogues, and take from them the indexes that fit the listing."""
        for name, found in in_parallel(self._bundle, list(names), self._jobs):
            self._unread.discard(name)
            if found is None:
                self._set_aside.append(catalogue_name(name))
                continue
            self._known.put_covered(name, found)
            self.covered |= found.keys()
            for pack, (data, slots) in found.items():
                if pack not in self._indexes and pack in self._inventory.packs:
                    self._known.put(pack, data)
                    self._indexes[pack] = slots
                    self._copied_from[pack] = catalogue_name(name)

    def read_indexes(self) -> None:
        """Read the indexes that are still unknown."""

        remote, sizes = self._remote, self._inventory.indexes

        def fetch(pack: Digest) -> tuple[Digest, tuple[Slot, ...] | None]:
            return pack, _fetch_index(remote, self._known, pack, sizes.get(pack))

        for pack, found in in_parallel(fetch, self.unknown, self._jobs):
            if found is None or not _fits(found, self._inventory.packs[pack]):
                self._unreadable.append(index_name(pack))
            else:
                self._indexes[pack] = found

    def result(self) -> Catalogue:
        """Return all that was found."""
        return Catalogue(
            inventory=self._inventory,
            slots=_by_blob(self._indexes),
            unreadable=tuple(sorted(self._unreadable)),
            indexes=self._indexes,
            covered=frozenset(self.covered),
            unread=frozenset(self._unread),
            copied_from=self._copied_from,
            set_aside=tuple(sorted(self._set_aside)),
        )

    def _bundle(
        self, name: Digest
    ) -> tuple[Digest, dict[Digest, tuple[bytes, tuple[Slot, ...]]] | None]:
        if (self._inventory.catalogues[name] or 0) > LARGEST_BUNDLE:
            return name, None
        try:
            data = self._remote.transport.read(catalogue_name(name), LARGEST_BUNDLE)
            return name, {p: (i, self._checked(p, i)) for p, i in read_bundle(name, data).items()}
        except FileNotFoundError:  # deleted since the listing
            return name, {}
        except ValueError:
            return name, None

    def _checked(self, pack: Digest, index: bytes) -> tuple[Slot, ...]:
        # What was deleted since the catalogue was written is no contradiction.
        slots = read_index(index)
        expected = self._inventory.indexes.get(pack)
        if expected not in (None, len(index)) or not _fits(slots, self._inventory.packs.get(pack)):
            raise ValueError("it contradicts the listing")
        return slots


def _fetch_index(
    remote: Remote, known: Seen, pack: Digest, size: int | None
) -> tuple[Slot, ...] | None:
    """Return what the index says; None if it makes no sense, or is not of the listed `size`."""
    try:
        data = remote.transport.read(index_name(pack), LARGEST_INDEX)
        found = read_index(data)
    except FileNotFoundError:  # deleted since the listing
        return ()
    except ValueError:
        return None
    if size not in (None, len(data)):
        return None
    known.put(pack, data)
    return found


def _by_blob(
    indexes: Mapping[Digest, tuple[Slot, ...]],
) -> dict[Digest, tuple[tuple[Digest, Slot], ...]]:
    slots: dict[Digest, tuple[tuple[Digest, Slot], ...]] = {}
    for pack, found in indexes.items():
        for slot in found:
            place = (pack, slot)
            others = slots.get(slot.blob)
            slots[slot.blob] = (place,) if others is None else (*others, place)
    return slots


def _fits(slots: tuple[Slot, ...], size: int | None) -> bool:
    return size is None or all(slot.end <= size for slot in slots)
