"""The object that holds many indexes: what `docs/sharing-format.md` calls a catalogue.

Not an authority: whether a pack is there is for the listing to say. Invariant:
the same indexes make the same bytes, and reading gives whole indexes, each
under the id of its pack, or raises `ValueError`, whatever the bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gitmemo.hashing.digest import Digest, digest, from_text, to_text

_MAGIC = b"gmcat1\n"
_HEAD = re.compile(rb'\["([A-Za-z0-9_-]{43})",([1-9][0-9]{0,8})\]\n')
SMALL_INDEX = 256 << 10
"""A larger index is well worth a request of its own."""
_TARGET = 8 << 20
LARGEST_BUNDLE = 16 << 20


def write_bundle(indexes: Mapping[Digest, bytes]) -> bytes:
    """Return the indexes of these packs in one object."""
    parts = [_MAGIC]
    for pack, index in sorted(indexes.items()):
        parts += (b'["%s",%d]\n' % (to_text(pack).encode(), len(index)), index)
    return b"".join(parts)


def read_bundle(name: Digest, data: bytes) -> dict[Digest, bytes]:
    """Read what `write_bundle` wrote and `name` names; the indexes themselves are not read."""
    if len(data) > LARGEST_BUNDLE or not data.startswith(_MAGIC) or digest(data) != name:
        raise ValueError("these are not the bytes that the name says")
    found: dict[Digest, bytes] = {}
    at, last = len(_MAGIC), b""
    while at < len(data):
        head = _HEAD.match(data, at)
        if head is None:
            raise ValueError("the head of an index is malformed")
        pack, end = from_text(head[1].decode("ascii")), head.end() + int(head[2])
        if end > len(data) or pack <= last:
            raise ValueError("an index is cut short, or out of order")
        found[pack] = data[head.end() : end]
        at, last = end, pack
    return found


def bundles(indexes: Mapping[Digest, bytes]) -> Iterator[tuple[Digest, bytes, frozenset[Digest]]]:
    """Yield name, bytes and packs of the objects that hold the small ones of `indexes`."""
    group: dict[Digest, bytes] = {}
    size = 0
    for pack, index in sorted(indexes.items()):
        if len(index) > SMALL_INDEX:
            continue
        group[pack] = index
        size += len(index)
        if size >= _TARGET:
            yield _finished(group)
            group, size = {}, 0
    if len(group) > 1:
        yield _finished(group)


def _finished(group: Mapping[Digest, bytes]) -> tuple[Digest, bytes, frozenset[Digest]]:
    data = write_bundle(group)
    return digest(data), data, frozenset(group)
