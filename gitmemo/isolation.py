"""Whether the storage of a project is kept away from a program: tests must not touch it by accident.

Not the plugin that decides it (`pytest_plugin`), nor what storages do. What is decided is kept in the
process, where no test can clear it, and goes to subprocesses in one variable of the environment.
Invariant: it is about named work trees; every other repository is as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gitmemo.config import environment_table
from gitmemo.errors import BadSetting

VARIABLE = "GITMEMO_ISOLATED"
_WRITTEN = 'what `pytest --gitmemo` sets: {"ROOT": "STORE"}'


class Contact(StrEnum):
    """What tests have to do with the stored results of their project."""

    OFF = "off"
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Isolation:
    """How the storage of one work tree is kept away.

    Attributes:
        root: The top of the work tree.
        store: The file that stands for its storage; None where stored results are read.
    """

    root: Path
    store: Path | None


_kept: dict[Path, Isolation] = {}


def kept() -> tuple[Isolation, ...]:
    """Return what this process keeps away, whatever its environment says."""
    return tuple(_kept.values())


def keep(isolations: Iterable[Isolation]) -> None:
    """Keep these away in this process, and nothing else; of two for one root the last one counts."""
    found = {one.root: one for one in isolations}
    _kept.clear()
    _kept.update(found)


def variable() -> str:
    """Return the value of the variable for subprocesses: what is kept away here and by the environment.

    Raises:
        BadSetting: As `isolation_of`.
    """
    found = {**_of_environment(), **_kept}
    stores = {str(root): one.store and str(one.store) for root, one in found.items()}
    return json.dumps(stores)


def isolation_of(root: Path) -> Isolation | None:
    """Return how the storage of a work tree is kept away from this process; None if it is not.

    Raises:
        BadSetting: The variable holds something that gitmemo did not write.
    """
    return _kept.get(root) or _of_environment().get(root)


def _of_environment() -> dict[Path, Isolation]:
    table = environment_table(VARIABLE, _WRITTEN)
    found: dict[Path, Isolation] = {}
    for root, store in table.items():
        if not isinstance(store, str | None):
            raise BadSetting(VARIABLE, json.dumps(table), (_WRITTEN,))
        found[Path(root)] = Isolation(Path(root), None if store is None else Path(store))
    return found
