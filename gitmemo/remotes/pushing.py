"""Carrying out a push.

Not the choice of values, and not git. Invariant: an index is written after its
pack, so that whatever a listing shows to be there is there; a push that was
interrupted anywhere is completed by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import TypeAlias

from gitmemo.blobs.entry import NO_SALT, preamble, seed_of
from gitmemo.blobs.store import BlobStore, StoredBlob
from gitmemo.errors import BlobCorrupt, MarkDamaged, RemoteUnreachable
from gitmemo.hashing.digest import digest
from gitmemo.remotes.catalogue import read_catalogue
from gitmemo.remotes.index import Slot, write_index
from gitmemo.remotes.layout import MARKER, index_name, marker, pack_name, single_name
from gitmemo.remotes.notes import leave_notes
from gitmemo.remotes.parallel import JOBS, in_parallel
from gitmemo.remotes.payload import stored_form
from gitmemo.remotes.plan import PushPlan, WantedBlob, plan_push
from gitmemo.remotes.progress import Gauge, Meter
from gitmemo.remotes.remote import Remote
from gitmemo.remotes.seen import seen_on
from gitmemo.remotes.signing import sign
from gitmemo.remotes.transport import LARGEST_PIECE, Progress

Withheld: TypeAlias = tuple[tuple[WantedBlob, str], ...]

Trusts: TypeAlias = Callable[[str], bool]
"""Whether values of an origin may be unpickled here."""


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a push has done.

    Attributes:
        sent: How many values were sent.
        sent_bytes: Their bytes.
        already_there: How many were on the remote before.
        absent: Values that are neither there nor on this machine.
        withheld: Values that would need trust to be read here, and their origins.
    """

    sent: int
    sent_bytes: int
    already_there: int
    absent: tuple[WantedBlob, ...]
    withheld: Withheld = ()


@dataclass(frozen=True, slots=True)
class _Step:
    """The outcome of one object, or of one pack and its index; `told` bytes were told of before."""

    sent: int
    sent_bytes: int
    absent: tuple[WantedBlob, ...]
    damaged: tuple[BlobCorrupt, ...]
    withheld: Withheld = ()
    told: int = 0
    written: tuple[tuple[str, int], ...] = ()


def push(
    store: BlobStore,
    remote: Remote,
    wanted: Iterable[WantedBlob],
    *,
    cache: Path | None = None,
    jobs: int = JOBS,
    progress: Progress | None = None,
    trusts: Trusts = lambda _: True,
) -> PushReport:
    """Send what `remote` lacks of `wanted`.

    What needs unpickling goes only if `trusts` holds for its origin: who trusts this remote would
    believe that it comes from here.

    `cache` is a folder for derived files. A value whose bytes are damaged on
    this machine raises `BlobCorrupt`, after everything else was sent; a remote
    that fails raises `RemoteUnreachable`, which says how many were sent.
    """
    catalogue = read_catalogue(remote, cache, jobs)
    seen_on(remote, cache).keep(catalogue.pack_sizes)
    if catalogue.spoiled:
        raise MarkDamaged(remote.name, catalogue.spoiled)
    distinct = {item.blob: item for item in wanted}
    plan = plan_push(distinct.values(), catalogue)
    steps: list[_Step] = []
    if plan.blobs:
        _prepare(remote, marked=catalogue.marked)
        try:
            sending = _Push(store, remote, cache, jobs, progress, catalogue.salt, trusts)
            sending.run(plan, steps)
        except RemoteUnreachable as error:
            raise error.after(sum(step.sent for step in steps)) from error.__cause__
    written = dict(chain.from_iterable(step.written for step in steps))
    if written := written | sign(store, remote, catalogue, distinct.values(), cache, jobs):
        leave_notes(remote, catalogue, cache, written)
    damaged = [error for step in steps for error in step.damaged]
    if damaged:
        raise damaged[0]
    return PushReport(
        sent=sum(step.sent for step in steps),
        sent_bytes=sum(step.sent_bytes for step in steps),
        already_there=plan.already_there,
        absent=tuple(chain.from_iterable(step.absent for step in steps)),
        withheld=tuple(chain.from_iterable(step.withheld for step in steps)),
    )


def planned_push(
    store: BlobStore,
    remote: Remote,
    wanted: Iterable[WantedBlob],
    *,
    cache: Path | None = None,
    jobs: int = JOBS,
    trusts: Trusts = lambda _: True,
) -> tuple[PushPlan, tuple[WantedBlob, ...], Withheld]:
    """Return what `push` would send now, what is neither there nor here, and what is withheld."""
    distinct = {item.blob: item for item in wanted}
    catalogue = read_catalogue(remote, cache, jobs)
    missing = store.missing(distinct)
    absent = [w for blob, w in distinct.items() if blob in missing and not catalogue.holds(w)]
    nowhere = {item.blob for item in absent}
    going = [w for blob, w in distinct.items() if blob not in nowhere]
    doubtful = [w for w in going if _needs_trust(w) and not catalogue.holds(w)]
    withheld = _collect(store, doubtful, trusts).withheld
    kept = {item.blob for item, _ in withheld}
    plan = plan_push([w for w in going if w.blob not in kept], catalogue)
    return plan, tuple(absent), withheld


def _prepare(remote: Remote, *, marked: bool) -> None:
    if marked:
        remote.check_format()
    else:
        remote.transport.write(MARKER, marker())


class _Push:
    """One push while it runs."""

    def __init__(
        self,
        store: BlobStore,
        remote: Remote,
        cache: Path | None,
        jobs: int,
        progress: Progress | None,
        salt: bytes,
        trusts: Trusts,
    ) -> None:
        self._salt, self._trusts = salt, trusts
        self._store, self._transport = store, remote.transport
        self._known = seen_on(remote, cache)
        self._jobs, self._meter = jobs, Meter(progress)

    def run(self, plan: PushPlan, steps: list[_Step]) -> None:
        """Send everything, and add to `steps` what was done, also where it ends early."""
        work = [*map(self._pack_work, plan.packs), *map(self._single_work, plan.singles)]
        sending = in_parallel(
            lambda each: each[1](), work, self._jobs, weigh=itemgetter(0), tick=self._meter.tick
        )
        with closing(sending):
            for step in sending:
                steps.append(step)
                self._meter.finished(step.sent_bytes - step.told, step.sent)

    def _pack_work(self, group: tuple[WantedBlob, ...]) -> tuple[int, Callable[[], _Step]]:
        # Once while it is put together, once as the bytes that are sent.
        return 2 * sum(item.size for item in group), partial(self._send_pack, group)

    def _single_work(self, item: WantedBlob) -> tuple[int, Callable[[], _Step]]:
        return min(item.size, LARGEST_PIECE), partial(self._send_single, item)

    def _send_pack(self, group: tuple[WantedBlob, ...]) -> _Step:
        here = _collect(self._store, group, self._trusts)
        found = here.found
        written: list[tuple[str, int]] = []
        if found:
            data, slots = build_pack(found, self._salt)
            pack = digest(data)
            index = write_index(slots)
            self._transport.write(pack_name(pack), data)
            self._transport.write(index_name(pack), index)
            self._known.put(pack, index)
            written += ((pack_name(pack), len(data)), (index_name(pack), len(index)))
        sent_bytes = sum(blob.size for blob in found)
        return here.step(sent_bytes, written=tuple(written))

    def _send_single(self, item: WantedBlob) -> _Step:
        here = _collect(self._store, (item,), self._trusts)
        found = here.found
        gauge = Gauge(self._meter, item.size)
        for blob in found:
            name = single_name(blob.blob)
            if isinstance(blob.source, Path):
                self._transport.upload(name, blob.source, gauge.at)
            else:
                self._transport.write(name, blob.source)
            self._known.add_single(blob.blob)
        sent_bytes = sum(blob.size for blob in found)
        written = tuple((single_name(blob.blob), blob.size) for blob in found)
        return here.step(sent_bytes, gauge.told, written)


@dataclass(frozen=True, slots=True)
class _Here:
    """What there is on this machine of a group of values."""

    found: list[StoredBlob]
    absent: tuple[WantedBlob, ...]
    damaged: tuple[BlobCorrupt, ...]
    withheld: Withheld

    def step(
        self, sent_bytes: int, told: int = 0, written: tuple[tuple[str, int], ...] = ()
    ) -> _Step:
        """Return the outcome once all that was found is sent."""
        return _Step(
            len(self.found), sent_bytes, self.absent, self.damaged, self.withheld, told, written
        )


def _collect(store: BlobStore, group: Iterable[WantedBlob], trusts: Trusts) -> _Here:
    """Return what of `group` is here, what is not, what is damaged, and what must stay here."""
    found: list[StoredBlob] = []
    absent: list[WantedBlob] = []
    damaged: list[BlobCorrupt] = []
    withheld: list[tuple[WantedBlob, str]] = []
    for item in group:
        try:
            blob = _copy(store, item)
        except BlobCorrupt as error:
            damaged.append(error)
            continue
        if blob is None:
            absent.append(item)
        elif _needs_trust(item) and not trusts(blob.origin):
            withheld.append((item, blob.origin))
        else:
            found.append(blob)
    return _Here(found, tuple(absent), tuple(damaged), tuple(withheld))


def _copy(store: BlobStore, item: WantedBlob) -> StoredBlob | None:
    # The copy of this codec says where what others would unpickle comes from.
    exact = store.find(item.blob, item.codec) if _needs_trust(item) else None
    return exact or store.find(item.blob)


def _needs_trust(item: WantedBlob) -> bool:
    from gitmemo.codecs import is_safe  # hooks know remotes, and encode nothing

    return not is_safe(item.codec)


def build_pack(blobs: Iterable[StoredBlob], salt: bytes = NO_SALT) -> tuple[bytes, list[Slot]]:
    """Return the bytes of a pack, and where in it each value lies."""
    data = bytearray(preamble(salt))
    seed = seed_of(data) or 0
    slots: list[Slot] = []
    for blob in blobs:
        slot, head, stored = stored_form(blob.blob, blob.codec, blob.read(), len(data), seed)
        slots.append(slot)
        data += head
        data += stored
    return bytes(data), slots
