"""Counts what a piece of a program does: files, locks, flushes, SQL, processes, bytes hashed, calls.

Not a test, and not timed. It runs inside the process that it counts, begun before gitmemo is
imported, so that it hears of each database that is opened. What lies elsewhere than in the
project is counted apart: how many folders are above it, and where Python is, differs from machine
to machine, and there is what an import reads.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import blake3 as hashing

OPENED = "files opened"
LOOKED = "folders listed"
ASKED = "files asked about"
ELSEWHERE = "files and folders elsewhere opened, listed or asked about"
FLUSHED = "files flushed to the disk"
RENAMED = "files renamed, linked or removed"
PROCESSES = "processes"
PARSED = "texts of code parsed"
SQL = "SQL statements"
HASHED = "bytes hashed"
CALLS = "calls of Python"
FUNCTIONS = "functions of Python"
LOCKS = "locks taken, freed or asked about"

_NAMES = {
    "open": OPENED,
    "os.listdir": LOOKED,
    "os.scandir": LOOKED,
    "os.rename": RENAMED,
    "os.link": RENAMED,
    "os.remove": RENAMED,
    "subprocess.Popen": PROCESSES,
    "os.posix_spawn": PROCESSES,
    "os.fork": PROCESSES,
    "compile": PARSED,
    "fcntl.lockf": LOCKS,
    "fcntl.fcntl": LOCKS,
    "fcntl.flock": LOCKS,
}
_SILENT = {
    "costs.stat": ASKED,
    "costs.lstat": ASKED,
    "costs.fstat": ASKED,
    "costs.access": ASKED,
    "costs.fsync": FLUSHED,
    "costs.fdatasync": FLUSHED,
}
"""Functions of `os` that tell nobody; here they do."""
_HAVE_A_PLACE = frozenset({OPENED, LOOKED, ASKED})
_SEEN: Counter[str] = Counter()
_REAL = hashing.blake3
_REAL_CONNECT = sqlite3.connect


class _Hasher:
    """The hash function, with what goes into it counted."""

    AUTO = _REAL.AUTO

    def __init__(self, data: Any = b"", **options: Any) -> None:
        _SEEN[HASHED] += len(memoryview(data).cast("B")) if data else 0
        self._hasher = _REAL(data, **options)

    def update(self, data: Any, **options: Any) -> _Hasher:
        _SEEN[HASHED] += memoryview(data).nbytes
        self._hasher.update(data, **options)
        return self

    def update_mmap(self, path: str | os.PathLike[str], **options: Any) -> _Hasher:
        _SEEN[HASHED] += Path(path).stat().st_size
        self._hasher.update_mmap(path, **options)
        return self

    def digest(self, **options: int) -> bytes:
        return self._hasher.digest(**options)

    def hexdigest(self, **options: int) -> str:
        return self._hasher.hexdigest(**options)


def begin() -> None:
    """Count from now on; before gitmemo is imported."""
    assert "gitmemo" not in sys.modules
    hashing.blake3 = _Hasher  # type: ignore[misc, assignment]
    sqlite3.connect = _connect
    for event in _SILENT:
        if hasattr(os, event.partition(".")[2]):  # there is no `fdatasync` on macOS
            _let_tell(event)
    project = os.getcwd()  # noqa: PTH109 - compared as a text
    names = _NAMES | _SILENT

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if (name := names.get(event)) is not None:
            _SEEN[_where(name, arguments, project)] += 1

    sys.addaudithook(heard)


def counts(work: Callable[[], object], *, python: bool = False) -> dict[str, int]:
    """Return what `work` did; with `python=True` also how often it called any function.

    Bodies of ops must not run then: gitmemo listens with the same part of the interpreter.
    """
    before = _SEEN.copy()
    if python:
        sys.setprofile(_called)
    try:
        work()
    finally:
        if python:
            sys.setprofile(None)
    return {
        name: _SEEN[name] - before[name]
        for name in (*sorted({*_NAMES.values(), *_SILENT.values()}), ELSEWHERE, SQL, HASHED, CALLS)
    }


def functions_called(work: Callable[[], object]) -> int:
    """Return how many functions of Python `work` called; bodies of ops may run, unlike above."""
    found = 0

    def called(*_: object) -> None:
        nonlocal found
        found += 1

    sys.settrace(called)
    try:
        work()
    finally:
        sys.settrace(None)
    return found


def _let_tell(event: str) -> None:
    name = event.partition(".")[2]
    real = getattr(os, name)

    def telling(path: Any, *arguments: Any, **options: Any) -> Any:
        sys.audit(event, path)
        return real(path, *arguments, **options)

    for able in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
        if real in able:  # others look there for what they may pass
            able.add(telling)
    setattr(os, name, telling)


def _where(name: str, arguments: tuple[Any, ...], project: str) -> str:
    """Return as what an event counts: of the project, or of what lies elsewhere."""
    if name == PARSED:
        file = arguments[1]  # that of a module that is imported, and else a name of no file
    elif name in _HAVE_A_PLACE:
        file = arguments[0]
    else:
        return name
    if not isinstance(file, str | bytes | os.PathLike):
        return name  # an open file
    path = os.fsdecode(file)
    is_here = not path.startswith("/") or path == project or path.startswith(f"{project}/")
    return name if is_here else ELSEWHERE


def _connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
    connection = _REAL_CONNECT(*arguments, **options)
    connection.set_trace_callback(_stated)
    return connection


def _stated(_: str) -> None:
    _SEEN[SQL] += 1


def _called(_: FrameType, event: str, __: object) -> None:
    if event in ("call", "c_call"):
        _SEEN[CALLS] += 1
