"""Whether the storage of a project is kept away from a program: tests must not touch it by accident.

Not the plugin that decides it (`pytest_plugin`), nor what storages do. What is decided goes to
subprocesses in one variable of the environment. Invariant: it is about one work tree; every other
repository is as it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import cast

from gitmemo.config import environment_variable
from gitmemo.errors import BadSetting

VARIABLE = "GITMEMO_ISOLATED"


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

    def said(self) -> str:
        """Return the value of the variable."""
        store = None if self.store is None else str(self.store)
        return json.dumps({"root": str(self.root), "store": store})


def isolation_of(root: Path) -> Isolation | None:
    """Return how the storage of a work tree is kept away from this process; None if it is not.

    Raises:
        BadSetting: The variable holds something that gitmemo did not write.
    """
    text = environment_variable(VARIABLE)
    if not text:
        return None
    try:
        table: object = json.loads(text)
    except ValueError:
        table = None
    said = cast("dict[str, object]", table) if isinstance(table, dict) else {}
    place, store = said.get("root"), said.get("store")
    if not isinstance(place, str) or not isinstance(store, str | None):
        raise BadSetting(VARIABLE, text, ('what `pytest --gitmemo` sets: {"root": …, "store": …}',))
    if Path(place) != root:
        return None
    return Isolation(root, None if store is None else Path(store))
