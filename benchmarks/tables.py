"""Tables over chains of three ops: computation frames and patterns, beside a bare join of rows."""

from __future__ import annotations

import gc
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import gitmemo as gm
from benchmarks.environments import python_of

COUNTS = (9_999, 99_999)
MOST_OF_MANDALA = 9_999  # it needs minutes to store more
_MANDALA = """
import sys, time
from pathlib import Path
from mandala.imports import Storage, op

@op
def load(i: int) -> int:
    return i * 7

@op(output_names=["model"])
def train(data: int, rate: float) -> float:
    return data * rate

@op(output_names=["acc"])
def judge(model: float, k: int) -> float:
    return model + k

storage = Storage(db_path=str(Path(__file__).with_name("mandala.db")))
with storage:
    for i in range(int(sys.argv[1]) // 3):
        judge(train(load(i), 0.5 + i % 10), i % 7)
start = time.process_time()
storage.cf(judge).expand_all().df()
print(time.process_time() - start)
"""


def _load(i: int) -> int:
    return i * 7


def _train(data: int, rate: float) -> float:
    return data * rate


def _judge(model: float, k: int) -> float:
    return model + k


load = gm.op(_load)
train = gm.op(output_names=["model"])(_train)
judge = gm.op(output_names=["acc"])(_judge)


def tables() -> None:
    """Ask for all rows in several ways."""
    for count in COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            storage = gm.Storage(Path(folder) / "calls.db")
            last = _filled(storage, count)
            print(f"\ntables over {count} calls, three to a row: processor time, s (least of 3)")
            for what, ask in _asked(storage, last, count).items():
                print(f"  {what:36} {min(_seconds(ask) for _ in range(3)):8.2f}")
            storage.close()
        if count <= MOST_OF_MANDALA:
            _print_mandala(count)


def _asked(storage: gm.Storage, last: object, count: int) -> dict[str, Callable[[], object]]:
    rows = [(i, i * 7, 0.5 + i % 10) for i in range(count // 3)]
    return {
        "a dictionary of bare rows, joined": lambda: _joined(rows),
        "storage.cf(judge)": lambda: storage.cf(judge),
        "storage.cf(judge).expand_all().df()": lambda: storage.cf(judge).expand_all().df(),
        "storage.similar(acc)": lambda: storage.similar(last, verbose=False),
    }


def _print_mandala(count: int) -> None:
    """Ask mandala for the same table, once, in its own environment."""
    python = python_of("mandala")
    if python is None:
        print("  (mandala is not installed, so not measured: python -m benchmarks setup)")
        return
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "program.py"
        program.write_text(_MANDALA, encoding="utf-8")
        done = subprocess.run([python, program, str(count)], capture_output=True, text=True)
    if done.returncode:
        print(f"  (mandala is left out: {done.stderr.strip().splitlines()[-1]})")
    else:
        taken = float(done.stdout.splitlines()[-1])
        print(f"  {'mandala: cf(judge).expand_all().df()':36} {taken:8.2f}")


def _filled(storage: gm.Storage, count: int) -> object:
    with storage:
        for i in range(count // 3):
            acc = judge(train(load(i), 0.5 + i % 10), i % 7)
    return acc


def _joined(rows: list[tuple[int, int, float]]) -> list[tuple[float, ...]]:
    """Return what the rows would be if every table were a list of tuples."""
    loads = {made: (i,) for i, made, _ in rows}
    trains = {made * rate: (made, rate) for _, made, rate in rows}
    return [(*loads[data], data, rate, model) for model, (data, rate) in trains.items()]


def _seconds(ask: Callable[[], object]) -> float:
    gc.collect()
    start = time.process_time()
    ask()
    return time.process_time() - start
