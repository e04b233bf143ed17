"""Packs on a remote that are mostly dead: their live values move, so that the rest can go.

Not the marking and deleting (`collecting`). Invariant: a pack with live values is given up only for
places that no mark names; before it is deleted, each of these values was read there, whole.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path

from gitmemo.blobs.memory import MemoryBlobs
from gitmemo.errors import RemoteCorrupt
from gitmemo.hashing.digest import Digest, digest
from gitmemo.remotes.index import METHODS, Slot, write_index
from gitmemo.remotes.layout import index_name, pack_name
from gitmemo.remotes.notes import leave_notes
from gitmemo.remotes.plan import Catalogue, WantedBlob, groups
from gitmemo.remotes.pulling import pull
from gitmemo.remotes.pushing import build_pack
from gitmemo.remotes.remote import Remote
from gitmemo.remotes.seen import seen_on
from gitmemo.remotes.transport import LARGEST_PIECE
from gitmemo.signing_keys import KeyRing

WORTH_BYTES = 1 << 20
"""Fewer dead bytes are not worth to move what lives beside them."""


@dataclass(frozen=True, slots=True)
class Worn:
    """A pack of which half or more is dead.

    Attributes:
        live: Where what is live lies in it.
        moving: What of that lies nowhere else.
        dead_bytes: What else it holds.
    """

    pack: Digest
    live: tuple[Slot, ...]
    moving: tuple[WantedBlob, ...]
    dead_bytes: int


@dataclass(frozen=True, slots=True)
class Moved:
    """What was copied, and where to.

    Attributes:
        left: The packs that can be given up for it.
        made: The new packs.
        written: The names and sizes of all new objects.
    """

    left: frozenset[Digest] = frozenset()
    made: frozenset[Digest] = frozenset()
    written: Mapping[str, int] = field(default_factory=dict)


def worn_packs(catalogue: Catalogue, needed: Container[Digest]) -> tuple[Worn, ...]:
    """Return the packs that are mostly dead and not marked; none if a mark cannot be read."""
    if catalogue.spoiled:
        return ()
    found: dict[Digest, tuple[tuple[Slot, ...], int]] = {}
    for pack, slots in catalogue.indexes.items():
        live = tuple(slot for slot in slots if slot.blob in needed)
        dead_bytes = sum(slot.length for slot in slots) - sum(slot.length for slot in live)
        is_worn = dead_bytes >= WORTH_BYTES and dead_bytes * 2 >= sum(s.length for s in slots)
        if is_worn and live and pack not in catalogue.leaving.packs and _can_move(live):
            found[pack] = live, dead_bytes
    if not found:
        return ()
    staying = _staying(catalogue, found)
    return tuple(
        Worn(pack, live, _only_here(live, staying), dead_bytes)
        for pack, (live, dead_bytes) in sorted(found.items())
    )


def superseded(
    catalogue: Catalogue, needed: Container[Digest], packs: Iterable[Digest]
) -> frozenset[Digest]:
    """Return those of `packs`, which are marked, whose live values all lie where no mark is.

    What is marked counts for nothing here: of two packs that stand for each other, one would
    be deleted by each of two people.
    """
    live_in = {pack: live for pack in packs if (live := _live_in(catalogue, needed, pack))}
    if catalogue.spoiled or not live_in:
        return frozenset()
    staying = _staying(catalogue)
    return frozenset(
        pack for pack, live in live_in.items() if _can_move(live) and not _only_here(live, staying)
    )


def move(
    remote: Remote, catalogue: Catalogue, worn: Iterable[Worn], *, cache: Path | None, jobs: int
) -> Moved:
    """Copy what is live and lies nowhere else into new packs.

    Cut off anywhere, it leaves copies that the next one finds, or a pack without an index, which
    is dead. A value that is damaged is not copied, and its pack not left.
    """
    worn = tuple(worn)
    copied = set[Digest]()
    made: dict[Digest, dict[str, int]] = {}
    for group in groups(dict.fromkeys(item for pack in worn for item in pack.moving)):
        store = _read(remote, catalogue, group, jobs)
        here = [found for item in group if (found := store.find(item.blob)) is not None]
        if not here:
            continue
        data, slots = build_pack(here, catalogue.salt)
        pack, index = digest(data), write_index(slots)
        remote.transport.write(pack_name(pack), data)
        remote.transport.write(index_name(pack), index)
        seen_on(remote, cache).put(pack, index)
        made[pack] = {pack_name(pack): len(data), index_name(pack): len(index)}
        copied |= {found.blob for found in here}
    written = {name: size for sizes in made.values() for name, size in sizes.items()}
    if written:
        leave_notes(remote, catalogue, cache, written)
    left = (each.pack for each in worn if copied.issuperset(item.blob for item in each.moving))
    return Moved(frozenset(left), frozenset(made), written)


def proven(
    remote: Remote,
    catalogue: Catalogue,
    needed: Container[Digest],
    packs: Iterable[Digest],
    jobs: int,
) -> frozenset[Digest]:
    """Return those of `packs`, which are superseded, whose live values were read elsewhere just now."""
    packs = tuple(packs)
    if not packs:
        return frozenset()
    staying = _staying(catalogue)
    wanted = {pack: [_wanted(slot) for slot in _live_in(catalogue, needed, pack)] for pack in packs}
    whole = set[Digest]()
    for group in groups(dict.fromkeys(item for items in wanted.values() for item in items)):
        store = _read(remote, staying, group, jobs)
        whole |= {item.blob for item in group if store.find(item.blob) is not None}
    return frozenset(p for p in packs if whole.issuperset(item.blob for item in wanted[p]))


def _live_in(catalogue: Catalogue, needed: Container[Digest], pack: Digest) -> tuple[Slot, ...]:
    return tuple(slot for slot in catalogue.indexes.get(pack, ()) if slot.blob in needed)


def _can_move(live: Iterable[Slot]) -> bool:
    # Together with others in memory, as in a push.
    return all(slot.size <= LARGEST_PIECE and slot.method in METHODS for slot in live)


def _staying(catalogue: Catalogue, leaving: Container[Digest] = ()) -> Catalogue:
    """Return `catalogue` without what is marked, and without the packs that are `leaving`, too."""
    gone = catalogue.leaving

    def stays(pack: Digest) -> bool:
        return pack not in gone.packs and pack not in leaving

    return replace(
        catalogue,
        slots={
            blob: tuple(place for place in places if stays(place[0]))
            for blob, places in catalogue.slots.items()
        },
        # Whoever reads there must not get back to the others when an index was wrong.
        indexes={pack: slots for pack, slots in catalogue.indexes.items() if stays(pack)},
        inventory=replace(
            catalogue.inventory,
            singles={b: size for b, size in catalogue.singles.items() if b not in gone.singles},
        ),
    )


def _only_here(live: Iterable[Slot], staying: Catalogue) -> tuple[WantedBlob, ...]:
    wanted = map(_wanted, sorted(live, key=attrgetter("offset")))
    return tuple(item for item in wanted if next(staying.places(item), None) is None)


def _wanted(slot: Slot) -> WantedBlob:
    return WantedBlob(slot.blob, slot.codec, slot.size)


def _read(
    remote: Remote, catalogue: Catalogue, wanted: tuple[WantedBlob, ...], jobs: int
) -> MemoryBlobs:
    """Return what of `wanted` is there and whole. Nothing is decoded, so nothing needs a signature."""
    store = MemoryBlobs()
    with suppress(RemoteCorrupt):
        pull(store, replace(remote, keys=KeyRing()), wanted, jobs=jobs, known=catalogue)
    return store
