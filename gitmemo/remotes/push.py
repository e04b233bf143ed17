"""Carrying out a push.

Not the choice of values, and not git. Invariant: an index is written after its
pack, so that whatever a listing shows to be there is there; a push that was
interrupted anywhere is completed by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from gitmemo.blobs.entry import NO_SALT, header, preamble, seed_of
from gitmemo.blobs.store import BlobStore, StoredBlob
from gitmemo.errors import BlobCorrupt
from gitmemo.hashing.digest import digest
from gitmemo.remotes.catalogue import index_cache, read_catalogue
from gitmemo.remotes.index import IndexCache, Slot, write_index
from gitmemo.remotes.layout import MARKER, index_name, marker, pack_name, single_name
from gitmemo.remotes.parallel import JOBS, in_parallel
from gitmemo.remotes.plan import PushPlan, WantedBlob, plan_push
from gitmemo.remotes.remote import Remote
from gitmemo.remotes.transport import Progress


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a push has done.

    Attributes:
        sent: How many values were sent.
        sent_bytes: Their bytes.
        already_there: How many were on the remote before.
        absent: Values that are neither there nor on this machine.
    """

    sent: int
    sent_bytes: int
    already_there: int
    absent: tuple[WantedBlob, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """The outcome of one object, or of one pack and its index."""

    sent: int
    sent_bytes: int
    absent: tuple[WantedBlob, ...]
    damaged: tuple[BlobCorrupt, ...]


def push(
    store: BlobStore,
    remote: Remote,
    wanted: Iterable[WantedBlob],
    *,
    cache: Path | None = None,
    jobs: int = JOBS,
    progress: Progress | None = None,
) -> PushReport:
    """Send what `remote` lacks of `wanted`.

    `cache` is a folder for derived files. A value whose bytes are damaged on
    this machine raises `BlobCorrupt`, after everything else was sent.
    """
    catalogue = read_catalogue(remote, cache, jobs)
    plan = plan_push(wanted, catalogue)
    steps: list[_Step] = []
    if plan.blobs:
        _prepare(remote, marked=catalogue.marked)
        for step in in_parallel(lambda work: work(), _work(store, remote, plan, cache), jobs):
            steps.append(step)
            if progress is not None:
                progress(step.sent_bytes, step.sent)
    damaged = [error for step in steps for error in step.damaged]
    if damaged:
        raise damaged[0]
    return PushReport(
        sent=sum(step.sent for step in steps),
        sent_bytes=sum(step.sent_bytes for step in steps),
        already_there=plan.already_there,
        absent=tuple(chain.from_iterable(step.absent for step in steps)),
    )


def planned_push(
    store: BlobStore,
    remote: Remote,
    wanted: Iterable[WantedBlob],
    *,
    cache: Path | None = None,
    jobs: int = JOBS,
) -> tuple[PushPlan, tuple[WantedBlob, ...]]:
    """Return what `push` would send now, and what is neither there nor on this machine."""
    distinct = {item.blob: item for item in wanted}
    catalogue = read_catalogue(remote, cache, jobs)
    missing = store.missing(distinct)
    absent = [w for blob, w in distinct.items() if blob in missing and not catalogue.holds(w)]
    nowhere = {item.blob for item in absent}
    plan = plan_push([w for blob, w in distinct.items() if blob not in nowhere], catalogue)
    return plan, tuple(absent)


def _prepare(remote: Remote, *, marked: bool) -> None:
    if marked:
        remote.check_format()
    else:
        remote.transport.write(MARKER, marker())


def _work(
    store: BlobStore, remote: Remote, plan: PushPlan, cache: Path | None
) -> Iterator[Callable[[], _Step]]:
    known = index_cache(remote, cache)
    for group in plan.packs:
        yield partial(_send_pack, store, remote, group, known)
    for item in plan.singles:
        yield partial(_send_single, store, remote, item, known)


def _send_pack(
    store: BlobStore, remote: Remote, group: tuple[WantedBlob, ...], known: IndexCache
) -> _Step:
    found, absent, damaged = _collect(store, group)
    if found:
        data, slots = build_pack(found)
        pack = digest(data)
        index = write_index(slots)
        remote.transport.write(pack_name(pack), data)
        remote.transport.write(index_name(pack), index)
        known.put(pack, index)
    return _Step(len(found), sum(blob.size for blob in found), absent, damaged)


def _send_single(store: BlobStore, remote: Remote, item: WantedBlob, known: IndexCache) -> _Step:
    found, absent, damaged = _collect(store, (item,))
    for blob in found:
        name = single_name(blob.blob)
        if isinstance(blob.source, Path):
            remote.transport.upload(name, blob.source)
        else:
            remote.transport.write(name, blob.source)
        known.add_single(blob.blob)
    return _Step(len(found), sum(blob.size for blob in found), absent, damaged)


def _collect(
    store: BlobStore, group: tuple[WantedBlob, ...]
) -> tuple[list[StoredBlob], tuple[WantedBlob, ...], tuple[BlobCorrupt, ...]]:
    """Return what of `group` is here, what is not, and what is damaged."""
    found: list[StoredBlob] = []
    absent: list[WantedBlob] = []
    damaged: list[BlobCorrupt] = []
    for item in group:
        try:
            blob = store.find(item.blob)
        except BlobCorrupt as error:
            damaged.append(error)
            continue
        if blob is None:
            absent.append(item)
        else:
            found.append(blob)
    return found, tuple(absent), tuple(damaged)


def build_pack(blobs: Iterable[StoredBlob]) -> tuple[bytes, list[Slot]]:
    """Return the bytes of a pack, and where in it each value lies."""
    data = bytearray(preamble(NO_SALT))
    seed = seed_of(data) or 0
    slots: list[Slot] = []
    for blob in blobs:
        data += header(blob.blob, blob.codec, blob.size, seed)
        slots.append(Slot(blob.blob, len(data), blob.size, blob.codec))
        data += blob.read()
    return bytes(data), slots
