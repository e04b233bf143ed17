"""Trials: one operation, one step of it, one fault, and what must hold afterwards.

Not what is tried (`operations`). Invariant: a trial begins with the same world, at the same place.
"""

from __future__ import annotations

import errno
import gc
import random
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from faults.control import FAULTS, READ_FAULTS, READING, WRITING, Control, Fault, storm
from faults.invariants import after_each, in_the_end, is_done, of_the_outcome
from faults.operations import OPERATIONS, Operation
from faults.world import Ended, World, copy, expect, make

from gitmemo.cli.commands import _COMMANDS

_SLOWLY = 8
"""How many times less often operations that start Python are tried."""
_FROM_THE_BEGINNING = ("no locks",)
_OFTEN_FROM_THE_BEGINNING = ("ENOSPC from then on", "short writes from then on")


Blow = tuple[Fault, int]
"""A fault, and the step at which it happens."""
_MOST_BLOWS = 6
NOTHING = Ended(0, "", "", "")
"""What comes of a command that does nothing, and ends as if it had done all."""


@dataclass(frozen=True)
class Trial:
    """What was tried, and what came of it.

    Args:
        blows: Faults, one after the other until the operation said that it was done: what, at
            which step, what step that was, and how the operation ended.
    """

    operation: str
    blows: list[tuple[str, int | str, str, int | None]]
    fired: int
    broken: list[str]
    err: str = ""


@dataclass(frozen=True)
class _Known:
    """An operation that was done once without a fault: its steps, and what git says then."""

    steps: list[str]
    status: str


class Bench:
    """A place for trials: worlds as they are before each operation are made when needed."""

    def __init__(self, place: Path, control: Control, *, counts: int = WRITING) -> None:
        preload()
        self._place = place
        self._control, self._counts = control, counts
        self._known: dict[str, _Known] = {}
        self._world = World(place / "world")
        make(self._world.top)
        gc.freeze()  # so that a child that collects does not copy all of it
        copy(self._world.top, place / "first")

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What may happen to the steps that are counted."""
        return READ_FAULTS if self._counts == READING else FAULTS

    def steps(self, operation: Operation) -> list[str]:
        """Return what steps an operation has."""
        return self._prepared(operation).steps

    def tried(self, operation: Operation, blows: Iterable[Blow]) -> Trial:
        """Try faults in one world, until the operation says that it is done."""
        known = self._prepared(operation)
        self._begin(operation)
        told: list[tuple[str, int | str, str, int | None]] = []
        found: list[str] = []
        count, err, done = 0, "", False
        for fault, step in blows:
            self._control.arm(self._world.top, fault, step, counts=self._counts)
            ended = operation.act(self._world)
            steps, fired = self._control.disarm()
            names = self._control.names(steps)
            told.append(
                (fault.name, step, names[step - 1] if step <= len(names) else "", ended.code)
            )
            # Who is killed does not live to count it.
            was = fired > 0 or ((fault.is_deadly or fault.kind == "clock") and step <= steps)
            count += fired if fault.kind == "storm" else was
            found += after_each(self._world, operation, fault, ended)
            err += ended.err
            done = is_done(fault, ended)
            if found or (ended.code == 0 and not fault.is_deadly):
                break
        if not found:
            twice = len(told) > 2
            found = in_the_end(
                self._world, operation, is_done=done, status=known.status, twice=twice
            )
        return Trial(operation.name, told, count, found, err[-3000:] if found else "")

    def notices(self, operation: Operation) -> bool:
        """Whether it is noticed if an operation does nothing, and only if so."""
        self._prepared(operation)
        self._begin(operation)
        return bool(of_the_outcome(self._world, operation, NOTHING))

    def _prepared(self, operation: Operation) -> _Known:
        if operation.name not in self._known:
            copy(self._place / "first", self._world.top)
            operation.prepare(self._world)
            copy(self._world.top, self._place / operation.name)
            self._begin(operation)
            self._control.arm(self._world.top, None, 0, counts=self._counts)
            ended = operation.act(self._world)
            steps, _ = self._control.disarm()
            operation.finish(self._world, expect(ended))
            names = self._control.names(steps)
            if operation.again:
                operation.again(self._world)
            status = self._world.git("status", "--porcelain").out
            self._known[operation.name] = _Known(names, status)
        return self._known[operation.name]

    def _begin(self, operation: Operation) -> None:
        copy(self._place / operation.name, self._world.top)
        operation.prepare_each(self._world)


def preload() -> None:
    """Import what operations use, so that no fork of this process does."""
    for module, _ in _COMMANDS.values():
        import_module(module)
    for name in ("dulwich.repo", "pygit2", "numpy", "joblib", "gitmemo.moving.from_joblib"):
        import_module(name)


def chosen(
    bench: Bench, seed: str, only: str = "", *, storms: bool = False
) -> Iterator[tuple[Operation, list[Blow]]]:
    """Choose faults without end: each operation as often, but for slow ones; each step of it as often.

    Or storms, of some faults in a hundred steps to most steps.
    """
    dice = random.Random(seed)
    operations = [o for o in OPERATIONS if re.search(only, o.name)]
    weights = [1 if o.slow else _SLOWLY for o in operations]
    if storms:  # most end at the first fault; a program that goes on sees many
        weights = [40 if "going on" in o.name else 1 for o in operations]
    while True:
        (operation,) = dice.choices(operations, weights)
        steps = bench.steps(operation)
        if storms:
            rates = [dice.choice((10, 30, 100, 300)) for _ in range(_MOST_BLOWS)]
            yield operation, [(storm(dice.randrange(1 << 30)), rate) for rate in rates]
        else:
            yield operation, [_blow(dice, bench.faults, steps) for _ in range(_MOST_BLOWS)]


def _blow(dice: random.Random, faults: Sequence[Fault], steps: list[str]) -> Blow:
    fault, step = dice.choice(faults), dice.randint(1, len(steps))
    often = fault.name in _OFTEN_FROM_THE_BEGINNING and dice.random() < 0.3
    if fault.name in _FROM_THE_BEGINNING or often:
        step = 1
    if fault.error in (errno.EACCES, errno.EMFILE) and steps[step - 1].startswith("read "):
        step = dice.choice([n for n, name in enumerate(steps, 1) if not name.startswith("read ")])
    if fault.kind in ("short", "torn") and not fault.families:
        moved = ("write ", "read ")
        step = dice.choice([n for n, name in enumerate(steps, 1) if name.startswith(moved)])
    return fault, step


def place_for_worlds() -> Path:
    """Return a new folder, in memory where there is room."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="gitmemo-faults-", dir=memory if memory.is_dir() else None))


def remove(place: Path) -> None:
    """Remove such a folder."""
    shutil.rmtree(place, ignore_errors=True)
