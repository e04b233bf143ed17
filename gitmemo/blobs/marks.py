"""What this machine has already verified: a derived file that may be deleted.

Not a proof for anyone else. Invariant: a mark names a file together with its
size, modification time and inode, so that a replaced or edited file has none.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Mark(NamedTuple):
    """What must be unchanged for a file to count as verified."""

    size: int
    mtime_ns: int
    inode: int


def mark_of(stat: os.stat_result) -> Mark:
    """Return the mark of a file as it is now."""
    return Mark(stat.st_size, stat.st_mtime_ns, stat.st_ino)


class VerifiedMarks:
    """Marks by file name, one JSON line each, the last one of a file counting.

    Lines rather than one JSON document: rewriting everything for each large
    value would make a loop over 10,000 of them quadratic. A torn line is
    ignored and costs one more verification. There is no lock, which a forked
    child could inherit closed: at worst two threads load the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._marks: dict[str, Mark] | None = None

    def holds(self, name: str, stat: os.stat_result) -> bool:
        """Say whether the file `name`, as `stat` shows it, was verified before."""
        return self._loaded().get(name) == mark_of(stat)

    def add(self, name: str, stat: os.stat_result) -> None:
        """Remember that the file `name`, as `stat` shows it, was verified."""
        mark = mark_of(stat)
        if self._loaded().get(name) == mark:
            return
        self._loaded()[name] = mark
        # Best effort: a full disk must not turn a verified value into an error.
        with suppress(OSError), self._path.open("a", encoding="utf-8") as lines:
            lines.write("\n" + json.dumps([name, *mark]))

    def _loaded(self) -> dict[str, Mark]:
        if self._marks is None:
            self._marks, lines = _read(self._path)
            if lines > 1000 + 2 * len(self._marks):
                self._rewrite(self._marks)
        return self._marks

    def _rewrite(self, marks: dict[str, Mark]) -> None:
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            temporary.write_text("\n".join(json.dumps([name, *marks[name]]) for name in marks))
            temporary.replace(self._path)


def _read(path: Path) -> tuple[dict[str, Mark], int]:
    try:
        lines = path.read_text("utf-8", "replace").split("\n")
    except OSError:
        return {}, 0
    marks: dict[str, Mark] = {}
    for line in lines:
        try:
            name, size, mtime_ns, inode = json.loads(line)
        except (ValueError, TypeError):
            continue
        marks[str(name)] = Mark(size, mtime_ns, inode)
    return marks, len(lines)
