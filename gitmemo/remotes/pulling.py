"""Carrying out a pull.

Not the choice of values. Invariant: a value enters the store only after its
bytes were checked against its blob id, with the remote as its origin; damage
in one object costs only what lies there and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from pathlib import Path

from gitmemo.blobs.store import BlobStore, Chunk
from gitmemo.errors import (
    BlobCorrupt,
    RemoteCorrupt,
    RemoteMissing,
    RemoteObjectRefused,
    RemoteUnreachable,
    RemoteUnsigned,
)
from gitmemo.hashing.digest import Digest
from gitmemo.remotes.catalogue import corrected, read_catalogue
from gitmemo.remotes.index import Slot
from gitmemo.remotes.layout import pack_name, single_name
from gitmemo.remotes.parallel import JOBS, in_parallel, pause
from gitmemo.remotes.payload import payload
from gitmemo.remotes.plan import (
    LARGEST_WHOLE,
    Catalogue,
    PackFetch,
    PullPlan,
    WantedBlob,
    plan_pull,
)
from gitmemo.remotes.progress import Gauge, Meter
from gitmemo.remotes.remote import Remote
from gitmemo.remotes.seen import seen_on
from gitmemo.remotes.signing import mark_signed, signatures_on, signed_origins, unproven
from gitmemo.remotes.transport import CHUNK_SIZE, Progress


@dataclass(frozen=True, slots=True)
class PullReport:
    """What a pull has done.

    Attributes:
        stored: How many values arrived.
        stored_bytes: Their bytes.
        already_here: How many were on this machine before.
        missing: Values that the remote does not hold.
        damaged: Objects of the remote that are not what they should be, though
            their values came from elsewhere in it.
    """

    stored: int = 0
    stored_bytes: int = 0
    already_here: int = 0
    missing: tuple[WantedBlob, ...] = ()
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Step:
    """The outcome of one object: values stored, damaged in it, or gone with it."""

    name: str
    stored: tuple[Digest, ...] = ()
    damaged: tuple[Digest, ...] = ()
    gone: tuple[Digest, ...] = ()


def pull(
    store: BlobStore,
    remote: Remote,
    wanted: Iterable[WantedBlob],
    *,
    cache: Path | None = None,
    jobs: int = JOBS,
    progress: Progress | None = None,
    known: Catalogue | None = None,
    again: Container[Digest] = (),
) -> PullReport:
    """Fetch what `store` lacks of `wanted`, and those of `again`, which are here from elsewhere.

    `cache` is a folder for derived files. Damage on the remote raises
    `RemoteCorrupt` if a wanted value is lost by it, after all others arrived; a
    remote that fails raises `RemoteUnreachable`, which says how many arrived.
    What a trusted key has signed is kept with that key as its origin; where
    that is required, `RemoteUnsigned` says how many other values were refused,
    after all signed ones arrived.
    `known` is what the remote held a moment ago, of a format that was checked.
    """
    distinct = {item.blob: item for item in wanted}
    needed = _needed(store, distinct, again)
    here = len(distinct) - len(needed)
    doubtful = unproven(store, remote, [w for b, w in distinct.items() if b not in needed])
    if not (needed or doubtful):
        return PullReport(already_here=here)
    catalogue = known or _catalogue(remote, cache, jobs)
    signatures = signatures_on(remote, catalogue, cache, jobs)
    signed = signed_origins(remote, signatures, distinct.values())
    mark_signed(store, signed, doubtful)
    unsigned = {b: w for b, w in needed.items() if b not in signed and remote.keys.required}
    needed = {b: w for b, w in needed.items() if b not in unsigned}
    catalogue = replace(catalogue, set_aside=(*catalogue.set_aside, *signatures.unreadable))
    pulling = _Pull(store, remote, catalogue, cache, jobs, progress, signed)
    report = pulling.run(needed, here)
    if unsigned:
        raise RemoteUnsigned(remote.name, len(unsigned), report.stored)
    missing = tuple(item for item in report.missing if item.blob not in again)
    stayed = len(report.missing) - len(missing)
    return replace(report, missing=missing, already_here=report.already_here + stayed)


def planned_pull(
    store: BlobStore,
    remote: Remote,
    wanted: Iterable[WantedBlob],
    *,
    cache: Path | None = None,
    jobs: int = JOBS,
    again: Container[Digest] = (),
) -> PullPlan:
    """Return what `pull` would read now."""
    needed = _needed(store, {item.blob: item for item in wanted}, again)
    if not needed:
        return PullPlan((), (), ())
    return plan_pull(needed.values(), _catalogue(remote, cache, jobs))


def _catalogue(remote: Remote, cache: Path | None, jobs: int) -> Catalogue:
    catalogue = read_catalogue(remote, cache, jobs)
    seen_on(remote, cache).keep(catalogue.pack_sizes)
    if not catalogue.marked:
        raise RemoteMissing(remote.name, remote.config.shown_url)
    remote.check_format()
    return catalogue


def _needed(
    store: BlobStore, wanted: dict[Digest, WantedBlob], again: Container[Digest]
) -> dict[Digest, WantedBlob]:
    missing = store.missing(wanted)
    return {
        blob: item
        for blob, item in wanted.items()
        if blob in missing or blob in again or item.codec not in store.codecs(blob)
    }


class _Pull:
    """One pull while it runs."""

    def __init__(
        self,
        store: BlobStore,
        remote: Remote,
        catalogue: Catalogue,
        cache: Path | None,
        jobs: int,
        progress: Progress | None,
        signed: Mapping[Digest, str],
    ) -> None:
        self._store, self._remote, self._catalogue = store, remote, catalogue
        # Once, as naming a directory means to follow every link on the way.
        self._signed, self._unsigned = signed, remote.config.origin
        self._cache = cache
        self._jobs, self._meter = jobs, Meter(progress)
        self._wanted: dict[Digest, WantedBlob] = {}
        self._damaged: dict[tuple[str, Digest], None] = {}
        self._suspected: set[str] = set()
        self._gauges: dict[Digest, Gauge] = {}

    def run(self, needed: dict[Digest, WantedBlob], already_here: int) -> PullReport:
        """Fetch until everything arrived or no place is left to try."""
        self._wanted = needed
        outstanding = dict(needed)
        tried: set[tuple[str, Digest]] = set()
        while True:
            plan = plan_pull(outstanding.values(), self._catalogue, tried)
            if not (plan.packs or plan.singles):
                if not self._look_again(outstanding, tried):
                    break
                continue
            # Another place is tried for what failed: two people may have pushed the same value.
            try:
                with closing(self._steps(plan)) as steps:
                    for step in steps:
                        self._take(step, outstanding, tried)
            except RemoteUnreachable as error:
                raise error.after(len(needed) - len(outstanding)) from error.__cause__
        return self._report(outstanding, already_here)

    def _take(
        self, step: _Step, outstanding: dict[Digest, WantedBlob], tried: set[tuple[str, Digest]]
    ) -> None:
        arrived = [outstanding.pop(blob) for blob in step.stored]
        tried.update((step.name, blob) for blob in (*step.damaged, *step.gone))
        self._damaged.update(dict.fromkeys((step.name, blob) for blob in step.damaged))
        told = sum(self._gauges[item.blob].told for item in arrived if item.blob in self._gauges)
        self._meter.finished(sum(item.size for item in arrived) - told, len(arrived))

    def _look_again(
        self, outstanding: dict[Digest, WantedBlob], tried: set[tuple[str, Digest]]
    ) -> bool:
        """Read the indexes of packs with damage, once, and say whether they tell something new."""
        packs = self._catalogue.pack_sizes
        suspects = {name for name, blob in self._damaged if blob in outstanding} - self._suspected
        self._suspected |= suspects
        found = corrected(
            self._remote,
            self._cache,
            self._catalogue,
            [p for p in packs if pack_name(p) in suspects],
        )
        if found is None:
            return False
        changed = {
            pack_name(pack)
            for pack, slots in found.indexes.items()
            if slots != self._catalogue.indexes.get(pack)
        }
        self._catalogue = found
        for pair in [pair for pair in self._damaged if pair[0] in changed]:
            del self._damaged[pair]
            tried.discard(pair)
        return True

    def _report(self, outstanding: dict[Digest, WantedBlob], already_here: int) -> PullReport:
        stored = [item for blob, item in self._wanted.items() if blob not in outstanding]
        names = tuple(dict.fromkeys(name for name, _ in self._damaged))
        lost = outstanding.keys() & {blob for _, blob in self._damaged}
        names += self._catalogue.set_aside
        if self._catalogue.unreadable:
            # What an unreadable index lists is anyone's guess, so it may be what is missing.
            names += self._catalogue.unreadable
            lost = lost or set(outstanding)
        if lost:
            raise RemoteCorrupt(self._remote.name, names, len(stored), len(lost))
        return PullReport(
            stored=len(stored),
            stored_bytes=sum(item.size for item in stored),
            already_here=already_here,
            missing=tuple(outstanding.values()),
            damaged=names,
        )

    def _steps(self, plan: PullPlan) -> Generator[_Step, None, None]:
        """Yield what became of each object, as they are done."""
        work = [*map(self._pack_work, plan.packs), *map(self._single_work, plan.singles)]
        return in_parallel(
            lambda each: each[1](), work, self._jobs, weigh=itemgetter(0), tick=self._meter.tick
        )

    def _pack_work(self, fetch: PackFetch) -> tuple[int, Callable[[], _Step]]:
        if (slot := fetch.streamed) is not None:
            return CHUNK_SIZE, partial(self._fetch_streamed, fetch.name, slot)
        return fetch.size_bytes, partial(self._fetch_pack, fetch)

    def _single_work(self, item: WantedBlob) -> tuple[int, Callable[[], _Step]]:
        return min(item.size, CHUNK_SIZE), partial(self._fetch_single, item)

    def _fetch_pack(self, fetch: PackFetch) -> _Step:
        blobs = tuple(slot.blob for span in fetch.spans for slot in span.slots)
        try:
            pieces = self._read_spans(fetch)
        except FileNotFoundError:  # deleted since the listing
            return _Step(fetch.name, gone=blobs)
        except RemoteObjectRefused:
            return _Step(fetch.name, damaged=blobs)
        damaged = []
        for span, data in zip(fetch.spans, pieces, strict=True):
            view = memoryview(data)
            for slot in span.slots:
                start = slot.offset - span.start
                if not self._keep(slot, view[start : start + slot.length]):
                    damaged.append(slot.blob)
        bad = frozenset(damaged)
        return _Step(fetch.name, tuple(b for b in blobs if b not in bad), tuple(damaged))

    def _read_spans(self, fetch: PackFetch) -> list[bytes]:
        ranges = [(span.start, span.end) for span in fetch.spans if span.end is not None]
        if len(ranges) < len(fetch.spans):
            return [self._remote.transport.read(fetch.name, LARGEST_WHOLE)]
        return self._remote.transport.read_ranges(fetch.name, ranges)

    def _fetch_single(self, item: WantedBlob) -> _Step:
        name = single_name(item.blob)
        return self._arrive(item, name, partial(self._remote.transport.stream, name, item.size))

    def _fetch_streamed(self, name: str, slot: Slot) -> _Step:
        """Fetch a value that lies in a pack and is too long for the memory."""

        def pieces(start: int) -> Iterator[bytes]:
            while start < slot.length:
                end = slot.offset + min(start + CHUNK_SIZE, slot.length)
                (data,) = self._remote.transport.read_ranges(name, [(slot.offset + start, end)])
                if not data:
                    return
                yield data
                start += len(data)
                pause()

        return self._arrive(self._wanted[slot.blob], name, pieces)

    def _arrive(
        self, item: WantedBlob, name: str, pieces: Callable[[int], Iterator[bytes]]
    ) -> _Step:
        gauge = self._gauges.setdefault(item.blob, Gauge(self._meter, item.size))

        def read_from(start: int) -> Iterator[Chunk]:
            gauge.at(start)
            for chunk in pieces(start):
                yield chunk
                start += len(chunk)
                gauge.at(start)

        try:
            self._store.put_arriving(item.blob, item.codec, read_from, self._origin(item.blob))
        except FileNotFoundError:  # deleted since the listing
            return _Step(name, gone=(item.blob,))
        except (BlobCorrupt, RemoteObjectRefused):
            return _Step(name, damaged=(item.blob,))
        return _Step(name, (item.blob,))

    def _keep(self, slot: Slot, data: memoryview) -> bool:
        """Store the value whose stored form is `data`, if it is that of the slot."""
        # The codec is the one in the committed index: it is part of the value
        # record, and no more or less trusted than what the remote says.
        codec = self._wanted[slot.blob].codec
        try:
            value = payload(slot, data)
            self._store.put_verified(slot.blob, codec, (value,), self._origin(slot.blob))
        except (ValueError, BlobCorrupt):
            return False
        return True

    def _origin(self, blob: Digest) -> str:
        return self._signed.get(blob, self._unsigned)
