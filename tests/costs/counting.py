"""Counts what a piece of a program does: files, locks, SQL, processes, texts parsed, bytes hashed, calls.

Not a test, and not timed. It runs inside the process that it counts, begun before gitmemo is
imported, so that it hears of each database that is opened.
"""

from __future__ import annotations

import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

import blake3 as hashing

OPENED = "files opened"
LOOKED = "folders listed"
RENAMED = "files renamed, linked or removed"
PROCESSES = "processes"
PARSED = "texts of code parsed"
SQL = "SQL statements"
HASHED = "bytes hashed"
CALLS = "calls of Python"
FUNCTIONS = "functions of Python"
LOCKS = "record locks taken, freed or asked about"

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
}
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

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hasher, name)


def begin() -> None:
    """Count from now on; before gitmemo is imported."""
    assert "gitmemo" not in sys.modules
    hashing.blake3 = _Hasher  # type: ignore[misc, assignment]
    sqlite3.connect = _connect
    sys.addaudithook(_heard)


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
        for name in (*sorted({*_NAMES.values()}), SQL, HASHED, CALLS)
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


def _heard(event: str, _: tuple[Any, ...]) -> None:
    if (name := _NAMES.get(event)) is not None:
        _SEEN[name] += 1


def _connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
    connection = _REAL_CONNECT(*arguments, **options)
    connection.set_trace_callback(_stated)
    return connection


def _stated(_: str) -> None:
    _SEEN[SQL] += 1


def _called(_: FrameType, event: str, __: object) -> None:
    if event in ("call", "c_call"):
        _SEEN[CALLS] += 1
