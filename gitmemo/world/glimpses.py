"""What a stored value is, in a few words: how it is kept and how large it is; of files their names.

Not the value: nothing is loaded, fetched or put anywhere. Invariant: what is not on this machine, or
cannot be read, is still told apart from what is not stored at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from gitmemo.errors import BlobCorrupt
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Value
from gitmemo.quantities import count, size
from gitmemo.world.view import World

NOT_STORED = "not stored"
_FILES = "files"
"""The codec of `File` values."""
_MOST_NAMES = 3
_LARGEST = 1 << 20
"""Longer lists of files are not read for a table."""


def glimpse(world: World, cid: Digest) -> str:
    """Return what is stored of a content: `npy 80.1 kB`, `File model.bin 1.2 MB`, `not stored`."""
    values = world.values(cid)
    if not values:
        return NOT_STORED
    value = values[0]
    named = _named(world, value) if value.codec == _FILES else ""
    return named or f"{value.codec} {size(value.size)}"


def _named(world: World, value: Value) -> str:
    """Return the names of the files in a value, and how large they are; empty where nobody knows."""
    from gitmemo.codecs.files import named_in  # most tables have no files

    if value.size > _LARGEST:
        return ""
    try:
        stored = world.blobs.find(value.blob, value.codec)
        found = named_in(stored.source) if stored else []
    except (BlobCorrupt, ValueError, OSError):
        return ""
    if not found:
        return ""
    sizes = [known[0].size for _, cids in found for cid in cids if (known := world.values(cid))]
    total = f" {size(sum(sizes))}"
    if len(found) == 1:
        ((path, held),) = found
        if not path.endswith("/"):
            return f"File {_last(path)}{total}"
        return f"Dir {_last(path)} of {count(len(held), 'file')}{total}"
    return f"{count(len(found), 'file')} {_listed([path for path, _ in found])}{total}"


def _listed(paths: Sequence[str]) -> str:
    names = ", ".join(map(_last, paths[:_MOST_NAMES]))
    return names + (", …" if len(paths) > _MOST_NAMES else "")


def _last(path: str) -> str:
    return PurePosixPath(path).name or path
