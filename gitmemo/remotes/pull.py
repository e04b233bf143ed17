"""Carrying out a pull.

Not the choice of values. Invariant: a value enters the store only after its
bytes were checked against its blob id, with the remote as its origin; damage
in one object costs only what lies there and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gitmemo.blobs.store import BlobStore, Chunk
from gitmemo.errors import BlobCorrupt, RemoteCorrupt, RemoteMissing
from gitmemo.hashing.digest import Digest
from gitmemo.remotes.catalogue import read_catalogue
from gitmemo.remotes.layout import single_name
from gitmemo.remotes.parallel import JOBS, in_parallel
from gitmemo.remotes.plan import Catalogue, PackFetch, PullPlan, WantedBlob, plan_pull
from gitmemo.remotes.remote import Remote
from gitmemo.remotes.transport import Progress


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
) -> PullReport:
    """Fetch what `store` lacks of `wanted`.

    `cache` is a folder for derived files. Damage on the remote raises
    `RemoteCorrupt` if a wanted value is lost by it, after all others arrived.
    `known` is what the remote held a moment ago, of a format that was checked.
    """
    distinct = {item.blob: item for item in wanted}
    needed = _needed(store, distinct)
    here = len(distinct) - len(needed)
    if not needed:
        return PullReport(already_here=here)
    catalogue = known or _catalogue(remote, cache, jobs)
    return _Pull(store, remote, catalogue, jobs, progress).run(needed, here)


def planned_pull(
    store: BlobStore,
    remote: Remote,
    wanted: Iterable[WantedBlob],
    *,
    cache: Path | None = None,
    jobs: int = JOBS,
) -> PullPlan:
    """Return what `pull` would read now."""
    needed = _needed(store, {item.blob: item for item in wanted})
    if not needed:
        return PullPlan((), (), ())
    return plan_pull(needed.values(), _catalogue(remote, cache, jobs))


def _catalogue(remote: Remote, cache: Path | None, jobs: int) -> Catalogue:
    catalogue = read_catalogue(remote, cache, jobs)
    if not catalogue.marked:
        raise RemoteMissing(remote.name, remote.config.url)
    remote.check_format()
    return catalogue


def _needed(store: BlobStore, wanted: dict[Digest, WantedBlob]) -> dict[Digest, WantedBlob]:
    missing = store.missing(wanted)
    return {
        blob: item
        for blob, item in wanted.items()
        if blob in missing or item.codec not in store.codecs(blob)
    }


class _Pull:
    """One pull while it runs."""

    def __init__(
        self,
        store: BlobStore,
        remote: Remote,
        catalogue: Catalogue,
        jobs: int,
        progress: Progress | None,
    ) -> None:
        self._store, self._remote, self._catalogue = store, remote, catalogue
        self._jobs, self._progress = jobs, progress
        self._wanted: dict[Digest, WantedBlob] = {}
        self._damaged: dict[tuple[str, Digest], None] = {}

    def run(self, needed: dict[Digest, WantedBlob], already_here: int) -> PullReport:
        """Fetch until everything arrived or no place is left to try."""
        self._wanted = needed
        outstanding = dict(needed)
        tried: set[tuple[str, Digest]] = set()
        while True:
            plan = plan_pull(outstanding.values(), self._catalogue, tried)
            if not (plan.packs or plan.singles):
                break
            # Another place is tried for what failed: two people may have pushed the same value.
            for step in in_parallel(lambda work: work(), self._work(plan), self._jobs):
                self._take(step, outstanding, tried)
        return self._report(outstanding, already_here)

    def _take(
        self, step: _Step, outstanding: dict[Digest, WantedBlob], tried: set[tuple[str, Digest]]
    ) -> None:
        arrived = [outstanding.pop(blob) for blob in step.stored]
        tried.update((step.name, blob) for blob in (*step.damaged, *step.gone))
        self._damaged.update(dict.fromkeys((step.name, blob) for blob in step.damaged))
        if self._progress is not None and arrived:
            self._progress(sum(item.size for item in arrived), len(arrived))

    def _report(self, outstanding: dict[Digest, WantedBlob], already_here: int) -> PullReport:
        stored = [item for blob, item in self._wanted.items() if blob not in outstanding]
        names = tuple(dict.fromkeys(name for name, _ in self._damaged))
        lost = outstanding.keys() & {blob for _, blob in self._damaged}
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

    def _work(self, plan: PullPlan) -> Iterator[Callable[[], _Step]]:
        for fetch in plan.packs:
            yield partial(self._fetch_pack, fetch)
        for item in plan.singles:
            yield partial(self._fetch_single, item)

    def _fetch_pack(self, fetch: PackFetch) -> _Step:
        blobs = tuple(slot.blob for span in fetch.spans for slot in span.slots)
        try:
            pieces = self._read_spans(fetch)
        except FileNotFoundError:  # deleted since the listing
            return _Step(fetch.name, gone=blobs)
        damaged = []
        for span, data in zip(fetch.spans, pieces, strict=True):
            view = memoryview(data)
            for slot in span.slots:
                start = slot.offset - span.start
                if not self._keep(slot.blob, (view[start : start + slot.length],)):
                    damaged.append(slot.blob)
        bad = frozenset(damaged)
        return _Step(fetch.name, tuple(b for b in blobs if b not in bad), tuple(damaged))

    def _read_spans(self, fetch: PackFetch) -> list[bytes]:
        ranges = [(span.start, span.end) for span in fetch.spans if span.end is not None]
        if len(ranges) < len(fetch.spans):
            return [self._remote.transport.read(fetch.name)]
        return self._remote.transport.read_ranges(fetch.name, ranges)

    def _fetch_single(self, item: WantedBlob) -> _Step:
        name = single_name(item.blob)
        try:
            kept = self._keep(item.blob, self._remote.transport.stream(name, item.size))
        except FileNotFoundError:  # deleted since the listing
            return _Step(name, gone=(item.blob,))
        return _Step(name, (item.blob,)) if kept else _Step(name, damaged=(item.blob,))

    def _keep(self, blob: Digest, chunks: Iterable[Chunk]) -> bool:
        """Store `chunks` if they are `blob`."""
        # The codec is the one in the committed index: it is part of the value
        # record, and no more or less trusted than what the remote says.
        codec = self._wanted[blob].codec
        try:
            self._store.put_verified(blob, codec, chunks, self._remote.config.origin)
        except BlobCorrupt:
            return False
        return True
