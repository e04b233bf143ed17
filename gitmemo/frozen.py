"""Whether new calls are forbidden in a work tree: what `run --frozen` tells the processes of its script.

Not what refuses them (`memo.caller`), nor the run (`cli.freezing`). It goes to subprocesses in one
variable of the environment. Invariant: what is refused or computed there is noted where the run reads it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import cast

from gitmemo.config import environment_table
from gitmemo.errors import BadSetting

VARIABLE = "GITMEMO_FROZEN"
_WRITTEN = 'what `gitmemo run --frozen` sets: {"ROOT": ["FILE"]}'


class Event(StrEnum):
    """What became of a new call."""

    REFUSED = "refused"
    COMPUTED = "computed"


@dataclass(frozen=True, slots=True)
class Frozen:
    """That one work tree is frozen.

    Attributes:
        root: The top of the work tree.
        notes: The files in which runs are told of new calls; more than one where a run is in another.
    """

    root: Path
    notes: tuple[Path, ...]

    def note(self, event: Event, op: str) -> None:
        """Tell the runs of a new call; one that is over does not hear of it."""
        line = json.dumps([event, op]).encode() + b"\n"
        for path in self.notes:
            with suppress(FileNotFoundError):
                file = os.open(path, os.O_WRONLY | os.O_APPEND)
                try:
                    os.write(file, line)
                finally:
                    os.close(file)


def read_notes(path: Path) -> list[tuple[Event, str]]:
    """Return what was noted, with the op, in its order."""
    found = (json.loads(line) for line in path.read_bytes().splitlines())
    return [(Event(event), op) for event, op in found]


def frozen_of(root: Path) -> Frozen | None:
    """Return how a work tree is frozen; None if it is not.

    Raises:
        BadSetting: The variable holds something that gitmemo did not write.
    """
    return _of_environment().get(root)


def variable_with(root: Path, notes: Path) -> str:
    """Return the value of the variable with which a work tree is frozen, and `notes` is told too.

    Raises:
        BadSetting: As `frozen_of`.
    """
    found = _of_environment()
    before = found[root].notes if root in found else ()
    found[root] = Frozen(root, (*before, notes))
    return json.dumps({str(one.root): [str(path) for path in one.notes] for one in found.values()})


def _of_environment() -> dict[Path, Frozen]:
    table = environment_table(VARIABLE, _WRITTEN)
    found: dict[Path, Frozen] = {}
    for root, notes in table.items():
        paths = list(cast("Iterable[object]", notes)) if isinstance(notes, list) else [None]
        names = [path for path in paths if isinstance(path, str)]
        if len(names) < len(paths):
            raise BadSetting(VARIABLE, json.dumps(table), (_WRITTEN,))
        found[Path(root)] = Frozen(Path(root), tuple(map(Path, names)))
    return found
