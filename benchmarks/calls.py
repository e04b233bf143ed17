"""Hits and misses against joblib.Memory."""

from __future__ import annotations

import itertools
import subprocess
import tempfile
from pathlib import Path

import joblib

import gitmemo as gm
from benchmarks.timing import in_turn, show
from gitmemo.commits.setup import set_up

FACTOR = 3


def triple(x: int, y: float = 0.5, name: str = "run") -> float:
    return FACTOR * x + y


remembered = gm.op(triple)


def _repository(folder: Path) -> Path:
    subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    for _ in set_up(folder):
        pass
    return folder


def hit() -> None:
    """A repeated call with scalar arguments in a warm process; versions are on."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        storage = gm.Storage(db_path=folder / "results.db", deps_path=Path(__file__).parent)
        memory = joblib.Memory(folder / "joblib", verbose=0)
        cached = memory.cache(triple)
        with storage:
            actions = {
                "gitmemo": lambda: remembered(7, 0.25, name="a"),
                "joblib.Memory": lambda: cached(7, 0.25, name="a"),
                "the function itself": lambda: triple(7, 0.25, name="a"),
            }
            show("warm hit, scalar arguments", in_turn(actions, 300))


def miss() -> None:
    """A call with new scalar arguments and a small result, durable when it returns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        storage = gm.open(_repository(folder))
        memory = joblib.Memory(folder / "joblib", verbose=0)
        cached = memory.cache(triple)
        numbers = itertools.count()
        with storage:
            actions = {
                "gitmemo": lambda: remembered(next(numbers)),
                "joblib.Memory": lambda: cached(next(numbers)),
            }
            show("miss, scalar arguments", in_turn(actions, 100))
