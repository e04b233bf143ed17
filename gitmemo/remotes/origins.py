"""The places that origins stand for: an origin names a remote, and marks its address.

Not trust in them (`memo.trust`). Invariant: an address that is returned is the one that the origin
was made of. What is noted here may be lost; then only the name of a place is known.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gitmemo.blobs.store import remote_of
from gitmemo.errors import StoreUnusable
from gitmemo.remotes.config import RemoteConfig, origin_of

_NOTES = "origins.jsonl"
_LARGEST = 1 << 20


def mark_of(origin: str) -> str | None:
    """Return what marks the address in an origin, whatever the remote was called; None without one.

    >>> mark_of("remote:lab-0123456789abcdef")
    '0123456789abcdef'
    >>> mark_of("self")
    """
    _, hyphen, mark = origin.rpartition("-")
    return mark if hyphen else None


def name_in(origin: str) -> str:
    """Return the name that the remote had.

    >>> name_in("remote:my-lab-0123456789abcdef")
    'my-lab'
    """
    return (remote_of(origin) or "").rpartition("-")[0]


def note_origin(folder: Path, config: RemoteConfig) -> None:
    """Note in `folder` which address is meant, before values from there are stored.

    Raises:
        StoreUnusable: Something else is in the place of the notes.
    """
    _note(folder, [config.true_address])


def copy_notes(source: Path, target: Path) -> None:
    """Note in `target` what is noted in `source`: values go there."""
    _note(target, _noted(source))


def _note(folder: Path, addresses: Iterable[str]) -> None:
    with suppress(OSError):  # only errors would have told it
        known = _noted(folder)
        for address in addresses:
            if address not in known:
                folder.mkdir(parents=True, exist_ok=True)
                with (folder / _NOTES).open("a", encoding="ascii") as file:
                    file.write(json.dumps(address) + "\n")


def address_in(origin: str, folder: Path, known: Iterable[str] = ()) -> str | None:
    """Return the address of an origin if it is one of those `known`, or was noted in `folder`."""
    mark = mark_of(origin)
    for address in (*known, *_noted(folder)):
        if mark == mark_of(origin_of("any", address)):
            return address
    return None


def _noted(folder: Path) -> list[str]:
    found = []
    lines = _text(folder).splitlines()
    for line in lines:
        with suppress(ValueError, RecursionError):
            if isinstance(address := json.loads(line), str):
                found.append(address)
    return found


def _text(folder: Path) -> str:
    """Return what the notes hold; to open a pipe would wait for whoever writes to it.

    Raises:
        StoreUnusable: There is something else in their place.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    path = folder / _NOTES
    try:
        with os.fdopen(os.open(path, flags), encoding="ascii", errors="replace") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return file.read(_LARGEST)
        reason = f"{path} is no regular file"
    except FileNotFoundError:
        return ""
    except OSError as error:
        reason = f"{path} cannot be read ({error.strerror})"
    raise StoreUnusable(str(folder), reason, f"remove {path}: it only names where values are from")
