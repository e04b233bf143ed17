"""What a push or a pull would do, decided without touching anything.

Not the doing. Invariant: a plan is a function of what is wanted and what the
remote holds; the same two give the same plan, down to the bytes of its packs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from gitmemo.blobs.entry import NO_SALT
from gitmemo.blobs.store import check_codec_name
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Value
from gitmemo.remotes.index import METHODS, Slot
from gitmemo.remotes.layout import (
    PACK_TARGET,
    SINGLE_FROM,
    VALUES_IN_PACK,
    Inventory,
    pack_name,
    single_name,
)
from gitmemo.remotes.marks import NO_MARK, Mark

_WHOLE_BELOW = 1 << 20  # a second request costs more than a megabyte
_GAP = 128 << 10  # reading over a gap this small is cheaper than another request
_LONGEST_SPAN = 16 << 20
LARGEST_WHOLE = 32 << 20
"""A pack that is longer is not one that we made, or holds one long value: read in pieces."""


@dataclass(frozen=True, slots=True)
class WantedBlob:
    """A value that should be shared, as the index describes it."""

    blob: Digest
    codec: str
    size: int

    def __post_init__(self) -> None:
        check_codec_name(self.codec)

    @classmethod
    def of(cls, value: Value) -> WantedBlob:
        """Return what a fact names."""
        return cls(value.blob, value.codec, value.size)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a remote holds.

    Attributes:
        inventory: What was listed.
        slots: For each value in packs, every place where it lies.
        unreadable: Names of indexes that make no sense.
        indexes: The same slots, by pack.
        covered: Packs whose indexes lie in catalogues, as far as known.
        unread: Catalogues that nobody needed to read.
        copied_from: The catalogue that an index was just taken from, by pack.
        set_aside: Names of catalogues that are not what they should be.
        leaving: What is marked and may be deleted: it can be pulled, and does not count as held.
        spoiled: Names of marks that make no sense: nobody can say what stays.
        salt: What packs begin with that are made now.
    """

    inventory: Inventory
    slots: Mapping[Digest, tuple[tuple[Digest, Slot], ...]]
    unreadable: tuple[str, ...] = ()
    indexes: Mapping[Digest, tuple[Slot, ...]] = field(default_factory=dict)
    covered: frozenset[Digest] = frozenset()
    unread: frozenset[Digest] = frozenset()
    copied_from: Mapping[Digest, str] = field(default_factory=dict)
    set_aside: tuple[str, ...] = ()
    leaving: Mark = NO_MARK
    spoiled: tuple[str, ...] = ()
    salt: bytes = NO_SALT

    @property
    def marked(self) -> bool:
        """Whether anyone has pushed there."""
        return self.inventory.marked

    @property
    def pack_sizes(self) -> Mapping[Digest, int | None]:
        """The sizes of packs; None where the service tells none."""
        return self.inventory.packs

    @property
    def singles(self) -> Mapping[Digest, int | None]:
        """The sizes of values that are objects of their own."""
        return self.inventory.singles

    def holds(self, wanted: WantedBlob) -> bool:
        """Say whether `wanted` is there to stay, as far as names and sizes tell."""
        return not self.spoiled and any(
            wanted.blob not in self.leaving.singles
            if pack is None
            else pack not in self.leaving.packs
            for _, pack, _ in self.places(wanted)
        )

    def _has_single(self, wanted: WantedBlob) -> bool:
        # A shorter object is an upload that was cut off, where a service is not atomic.
        return self.singles.get(wanted.blob, -1) in (None, wanted.size)

    def places(self, wanted: WantedBlob) -> Iterator[tuple[str, Digest | None, Slot]]:
        """Yield where `wanted` may be: object name, pack (None for a single), slot."""
        if self._has_single(wanted):
            yield single_name(wanted.blob), None, Slot(wanted.blob, 0, wanted.size, wanted.codec)
        for pack, slot in self.slots.get(wanted.blob, ()):
            if slot.size == wanted.size and slot.method in METHODS:
                yield pack_name(pack), pack, slot


@dataclass(frozen=True, slots=True)
class PushPlan:
    """What one push would send."""

    packs: tuple[tuple[WantedBlob, ...], ...]
    singles: tuple[WantedBlob, ...]
    already_there: int

    @property
    def blobs(self) -> int:
        """How many values it would send."""
        return sum(map(len, self.packs)) + len(self.singles)

    @property
    def size_bytes(self) -> int:
        """How many bytes of values it would send."""
        return sum(w.size for group in (*self.packs, self.singles) for w in group)


def plan_push(wanted: Iterable[WantedBlob], catalogue: Catalogue) -> PushPlan:
    """Decide which values a remote still needs, and how to pack them.

    The order of `wanted` is kept: what is listed together is pulled together.
    """
    distinct = {w.blob: w for w in wanted}
    needed = [w for w in distinct.values() if not catalogue.holds(w)]
    # One that is marked would have the name that it has, which may be deleted in this moment.
    alone = {
        w.blob for w in needed if w.size >= SINGLE_FROM and w.blob not in catalogue.leaving.singles
    }
    return PushPlan(
        packs=tuple(groups(w for w in needed if w.blob not in alone)),
        singles=tuple(w for w in needed if w.blob in alone),
        already_there=len(distinct) - len(needed),
    )


def groups(wanted: Iterable[WantedBlob]) -> Iterator[tuple[WantedBlob, ...]]:
    """Yield what goes into one pack each."""
    group: list[WantedBlob] = []
    size = 0
    for item in wanted:
        group.append(item)
        size += item.size
        if size >= PACK_TARGET or len(group) >= VALUES_IN_PACK:
            yield tuple(group)
            group, size = [], 0
    if group:
        yield tuple(group)


@dataclass(frozen=True, slots=True)
class Span:
    """One range to read, and the slots in it. `end` is None for the whole object."""

    start: int
    end: int | None
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class PackFetch:
    """What to read of one pack, as far as it fits into memory: `size_bytes` of it."""

    name: str
    spans: tuple[Span, ...]
    size_bytes: int

    @property
    def streamed(self) -> Slot | None:
        """The one value in it, where that is too long to be held in memory."""
        slot = self.spans[0].slots[0]
        return slot if slot.length > _LONGEST_SPAN else None


@dataclass(frozen=True, slots=True)
class PullPlan:
    """What one pull would read."""

    packs: tuple[PackFetch, ...]
    singles: tuple[WantedBlob, ...]
    missing: tuple[WantedBlob, ...]


def plan_pull(
    wanted: Iterable[WantedBlob],
    catalogue: Catalogue,
    avoid: Collection[tuple[str, Digest]] = (),
) -> PullPlan:
    """Decide what to read. `avoid` names (object, value) pairs that have failed before."""
    distinct = {w.blob: w for w in wanted}
    chosen: list[tuple[Digest, Slot]] = []
    singles: list[WantedBlob] = []
    missing: list[WantedBlob] = []
    for item in distinct.values():
        places = (p for p in catalogue.places(item) if (p[0], item.blob) not in avoid)
        match next(places, None):
            case None:
                missing.append(item)
            case (_, None, _):
                singles.append(item)
            case (_, pack, slot):
                chosen.append((pack, slot))
    chosen.sort()
    by_pack = groupby(chosen, key=lambda choice: choice[0])
    return PullPlan(
        packs=tuple(
            fetch
            for pack, group in by_pack
            for fetch in _fetches(pack, sorted((slot for _, slot in group), key=_offset), catalogue)
        ),
        singles=tuple(singles),
        missing=tuple(missing),
    )


def _offset(slot: Slot) -> int:
    return slot.offset


def _fetches(pack: Digest, slots: list[Slot], catalogue: Catalogue) -> Iterator[PackFetch]:
    size = catalogue.pack_sizes.get(pack)
    payload = sum(slot.length for slot in slots)
    if size is not None and (size < _WHOLE_BELOW or (payload * 2 > size and size <= LARGEST_WHOLE)):
        yield PackFetch(pack_name(pack), (Span(0, None, tuple(slots)),), size)
        return
    group: list[Span] = []
    held = 0
    for span, length in _spans(slots):
        if group and held + length > _LONGEST_SPAN:
            yield PackFetch(pack_name(pack), tuple(group), held)
            group, held = [], 0
        group.append(span)
        held += length
    yield PackFetch(pack_name(pack), tuple(group), held)


def _spans(slots: Iterable[Slot]) -> Iterator[tuple[Span, int]]:
    """Yield what to read at once, and its length; a slot that is too long for that is alone."""
    start = end = 0
    group: list[Slot] = []
    for slot in slots:
        slot_end = slot.end
        too_long = max(end, slot_end) > start + _LONGEST_SPAN
        if group and (slot.offset > end + _GAP or too_long):
            yield Span(start, end, tuple(group)), end - start
            group = []
        if not group:
            start = end = slot.offset
        group.append(slot)
        end = max(end, slot_end)
    if group:
        yield Span(start, end, tuple(group)), end - start
