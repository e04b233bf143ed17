"""Bare work that no tool could do without: what a figure is compared with, to see how far it is from it.

Not a tool: nothing here remembers a call. Each floor makes a call that does its work once.
"""

from __future__ import annotations

import itertools
import os
import pickle
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks import maps
from benchmarks.amounts import scaled
from benchmarks.calls import MIB_10, setting, values

Floor = Callable[[Path], Callable[[], object]]


def look_up(_: Path) -> Callable[[], object]:
    """A dictionary look-up by a tuple."""
    found = {("named", number, 0.25, "a"): 1 for number in range(1_000)}
    number = 7
    return lambda: found["named", number, 0.25, "a"]


def look_up_three(_: Path) -> Callable[[], object]:
    """Three of them, one after the other."""
    found = {("ramp", 1): 2, ("moved", 2): 3, ("moved", 3): 4}
    return lambda: found["moved", found["moved", found["ramp", 1]]]


def point_read(folder: Path) -> Callable[[], object]:
    """One row of an open SQLite database, by its key."""
    database = _database(folder)
    keys = itertools.cycle(range(1_000))
    return lambda: database.execute("SELECT value FROM t WHERE key = ?", (next(keys),)).fetchone()


def opened_read(folder: Path) -> Callable[[], object]:
    """A SQLite database is opened, and one row read."""
    _database(folder).close()

    def work() -> object:
        database = sqlite3.connect(folder / "floor-log.db")
        row = database.execute("SELECT value FROM t WHERE key = 7").fetchone()
        database.close()
        return row

    return work


def opened_reads(count: int) -> Floor:
    """A SQLite database of small rows is opened by the first call; each call reads one of them."""

    def make(folder: Path) -> Callable[[], object]:
        path = folder / "floor.db"
        if not path.exists():
            database = sqlite3.connect(path)
            database.execute("CREATE TABLE t (key BLOB PRIMARY KEY, value INTEGER) WITHOUT ROWID")
            rows = [(_key(number), 3 * number + 1) for number in range(scaled(count))]
            database.executemany("INSERT INTO t VALUES (?, ?)", rows)
            database.commit()
            database.close()
        opened: list[sqlite3.Connection] = []
        numbers = itertools.count()

        def work() -> object:
            if not opened:
                opened.append(sqlite3.connect(path))
            key = _key(next(numbers))
            return opened[0].execute("SELECT value FROM t WHERE key = ?", (key,)).fetchone()

        return work

    return make


def looks(count: int) -> Floor:
    """A file's times are asked for, and each of as many functions whether it is the same object."""

    def make(_: Path) -> Callable[[], object]:
        functions = [(lambda x: x) for _ in range(scaled(count))]
        known = [function.__code__ for function in functions]

        def work() -> bool:
            os.stat(__file__)  # noqa: PTH116  the bare call is what is measured
            return all(f.__code__ is c for f, c in zip(functions, known, strict=True))

        return work

    return make


def joined(count: int) -> Floor:
    """Two tables of ready columns are joined twice by pandas."""

    def make(_: Path) -> Callable[[], object]:
        import pandas as pd

        numbers = np.arange(scaled(count) // 3)
        data, model = numbers * 7, numbers * 7 * (0.5 + numbers % 10)

        def work() -> object:
            load = pd.DataFrame({"i": numbers, "data": data})
            train = pd.DataFrame({"data": data, "rate": 0.5 + numbers % 10, "model": model})
            judge = pd.DataFrame({"model": model, "k": numbers % 7, "acc": model + numbers % 7})
            return judge.merge(train, on="model").merge(load, on="data")

        return work

    return make


def open_file(folder: Path) -> Callable[[], object]:
    """A small file is opened and read."""
    path = folder / "floor.txt"
    path.write_bytes(b"x" * 200)

    def work() -> object:
        with path.open("rb") as file:
            return file.read()

    return work


def insert(folder: Path) -> Callable[[], object]:
    """One row is inserted, in a transaction of its own, with a write-ahead log."""
    database = _database(folder)
    numbers = itertools.count(database.execute("SELECT max(key) + 1 FROM t").fetchone()[0])
    return lambda: database.execute("INSERT INTO t VALUES (?, ?)", (next(numbers), b"x" * 200))


def append(folder: Path) -> Callable[[], object]:
    """200 bytes are appended to an open file."""
    file = (folder / "floor.log").open("ab", buffering=0)
    return lambda: file.write(b"x" * 200)


def pickled(_: Path) -> Callable[[], object]:
    """A nested dict is pickled and hashed."""
    from blake3 import blake3

    items = setting()
    return lambda: blake3(pickle.dumps(items, 5)).digest()


def hashed(megabytes: int) -> Floor:
    """An array's memory is hashed, on as many cores as BLAKE3 takes."""

    def make(_: Path) -> Callable[[], object]:
        from blake3 import blake3

        memory = values(megabytes).data.cast("B")
        return lambda: blake3(memory, max_threads=blake3.AUTO).digest()

    return make


def copied(megabytes: int) -> Floor:
    """An array's memory is copied."""

    def make(_: Path) -> Callable[[], object]:
        array = values(megabytes)
        target = np.empty_like(array)
        return lambda: np.copyto(target, array)

    return make


def written(folder: Path) -> Callable[[], object]:
    """An array of 10 MiB is made, hashed, and written to a file that is then renamed."""
    from blake3 import blake3

    def work() -> None:
        memory = np.arange(MIB_10, dtype=np.float64).data.cast("B")
        digest = blake3(memory, max_threads=blake3.AUTO).hexdigest()
        path = folder / "floor.part"
        path.write_bytes(memory)
        os.replace(path, folder / digest)  # noqa: PTH105  the bare call is what is measured

    return work


def _look_ups(_: Path) -> Callable[[], object]:
    found = {number: 3 * number + 1 for number in range(maps.STORED)}
    return lambda: [found[number] for number in range(maps.STORED)]


def _key(number: int) -> bytes:
    return number.to_bytes(16, "little")


def _database(folder: Path) -> sqlite3.Connection:
    database = sqlite3.connect(folder / "floor-log.db", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("CREATE TABLE IF NOT EXISTS t (key INTEGER PRIMARY KEY, value BLOB)")
    if not database.execute("SELECT count(*) FROM t").fetchone()[0]:
        rows = [(number, b"x" * 200) for number in range(1_000)]
        database.execute("BEGIN")
        database.executemany("INSERT INTO t VALUES (?, ?)", rows)
        database.execute("COMMIT")
    return database


FLOORS: dict[str, Floor] = {
    "dictionary look-up": look_up,
    "three dictionary look-ups": look_up_three,
    "SQLite, point read": point_read,
    "SQLite, opened, point read": opened_read,
    "a small file, opened and read": open_file,
    "SQLite, insert with a log": insert,
    "append to a file": append,
    "pickle and BLAKE3": pickled,
    "BLAKE3, 10 MB": hashed(10),
    "BLAKE3, 100 MB": hashed(100),
    "memory copy, 10 MB": copied(10),
    "memory copy, 100 MB": copied(100),
    "made, BLAKE3, written": written,
    **{f"SQLite, opened, {n:,} point reads": opened_reads(n) for n in (1_000, 10_000, 100_000)},
    **{f"stat and {n:,} looks at functions": looks(n) for n in (50, 500, 5_000)},
    **{f"pandas, {n // 3:,} ready rows joined": joined(n) for n in (1_000, 10_000, 100_000)},
    "joblib.Parallel": lambda folder: maps.bare("triple", maps.COMPUTED, folder),
    "joblib.Parallel, naps": lambda folder: maps.bare("nap", maps.NAPS, folder),
    "bare Dask": maps.bare_dask,
    "dictionary look-ups, 10,000": _look_ups,
}
