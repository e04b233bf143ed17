"""Finding out what a remote holds: one listing, and the indexes not seen before.

Not what to do about it (`plan`). Invariant: an index that does not fit its
pack is set aside by name, never half used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from gitmemo.hashing.digest import Digest
from gitmemo.remotes.config import RemoteConfig
from gitmemo.remotes.index import IndexCache, Slot, read_index
from gitmemo.remotes.layout import Inventory, index_name, read_listing
from gitmemo.remotes.parallel import JOBS, in_parallel
from gitmemo.remotes.plan import Catalogue, WantedBlob
from gitmemo.remotes.remote import Remote


def read_catalogue(remote: Remote, cache: Path | None, jobs: int) -> Catalogue:
    """Return what `remote` holds; with every index known, that is one request."""
    inventory = read_listing(remote.transport.listing())
    index_cache(remote, cache).put_singles(inventory.singles)
    slots: dict[Digest, tuple[tuple[Digest, Slot], ...]] = {}
    unreadable: list[str] = []
    for pack, found in _indexes(remote, inventory, cache, jobs):
        if found is None or not _fits(found, inventory.packs[pack]):
            unreadable.append(index_name(pack))
            continue
        for slot in found:
            slots[slot.blob] = (*slots.get(slot.blob, ()), (pack, slot))
    return Catalogue(
        marked=inventory.marked,
        slots=slots,
        pack_sizes=inventory.packs,
        singles=inventory.singles,
        unreadable=tuple(sorted(unreadable)),
    )


def holdings(remote: Remote, cache: Path | None, wanted: Iterable[WantedBlob]) -> frozenset[Digest]:
    """Return which of `wanted` the remote holds."""
    catalogue = read_catalogue(remote, cache, JOBS)
    return frozenset(item.blob for item in wanted if catalogue.holds(item))


def index_cache(remote: Remote, cache: Path | None) -> IndexCache:
    """Return the indexes of `remote` that were seen before."""
    return IndexCache(cache, remote.name, remote.config.address)


def known_on(config: RemoteConfig, cache: Path) -> frozenset[Digest]:
    """Return the values that a remote is known to hold, without asking it."""
    return IndexCache(cache, config.name, config.address).blobs()


def _indexes(
    remote: Remote, inventory: Inventory, cache: Path | None, jobs: int
) -> Iterator[tuple[Digest, tuple[Slot, ...] | None]]:
    known = index_cache(remote, cache)
    unknown: list[Digest] = []
    for pack in inventory.packs:
        if (found := known.get(pack)) is None:
            unknown.append(pack)
        else:
            yield pack, found
    if not unknown:
        return
    remote.check_format()

    def fetch(pack: Digest) -> tuple[Digest, tuple[Slot, ...] | None]:
        try:
            data = remote.transport.read(index_name(pack))
            found = read_index(data)
        except FileNotFoundError:  # deleted since the listing
            return pack, ()
        except ValueError:
            return pack, None
        known.put(pack, data)
        return pack, found

    yield from in_parallel(fetch, unknown, jobs)


def _fits(slots: tuple[Slot, ...], size: int | None) -> bool:
    return size is None or all(slot.offset + slot.length <= size for slot in slots)
