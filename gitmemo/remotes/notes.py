"""What a push leaves beside the values, so that others find them in few requests.

Not needed by anybody: everything here can be made again from the indexes.
Invariant: it is written after what it tells of, and only by a push that has
sent something, so that a push of nothing new stays a single listing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gitmemo.hashing.digest import Digest
from gitmemo.remotes.bundle import SMALL_INDEX, bundles
from gitmemo.remotes.catalogue import covered_by
from gitmemo.remotes.index import write_index, write_lines
from gitmemo.remotes.latest import LARGEST_LATEST, names_of, write_latest
from gitmemo.remotes.layout import LATEST, catalogue_name
from gitmemo.remotes.plan import Catalogue
from gitmemo.remotes.remote import Remote
from gitmemo.remotes.seen import seen_on

UNCOVERED = 64
"""With more indexes than this in no catalogue, a push writes one."""
_CHEAP = 1 << 20


def leave_notes(
    remote: Remote, catalogue: Catalogue, cache: Path | None, written: Mapping[str, int]
) -> None:
    """Write what is due after a push to `remote`, which has `written` these objects."""
    made = _cover(remote, catalogue, cache)
    latest = write_latest({**names_of(catalogue.inventory), **written, **made})
    # With tens of thousands of large values the note is large, too: a small push leaves it
    # as it is, which costs readers over HTTP nothing but what that push sent.
    if len(latest) <= min(LARGEST_LATEST, max(_CHEAP, sum(written.values()))):
        remote.transport.write(LATEST, latest)


def _cover(remote: Remote, catalogue: Catalogue, cache: Path | None) -> dict[str, int]:
    """Write catalogues for indexes that are in none, if there are many, and return their sizes."""
    small = {pack for pack in catalogue.indexes if _is_small(catalogue, pack)}
    if len(small - catalogue.covered) <= UNCOVERED:
        return {}
    uncovered = small - covered_by(remote, cache, catalogue)
    if len(uncovered) <= UNCOVERED:
        return {}
    known, made = seen_on(remote, cache), {}
    # One that went since the listing has no lines.
    indexes = {p: _as_listed(catalogue, p) for p in uncovered if catalogue.indexes[p]}
    for name, data, packs in bundles(indexes):
        remote.transport.write(catalogue_name(name), data)
        known.put_covered(name, packs)
        made[catalogue_name(name)] = len(data)
    return made


def _as_listed(catalogue: Catalogue, pack: Digest) -> bytes:
    """Return the index of `pack` as it lies there: one from before has no checksum."""
    slots = catalogue.indexes[pack]
    whole = write_index(slots)
    return (
        whole if catalogue.inventory.indexes.get(pack) in (None, len(whole)) else write_lines(slots)
    )


def _is_small(catalogue: Catalogue, pack: Digest) -> bool:
    return (catalogue.inventory.indexes.get(pack) or 0) <= SMALL_INDEX
