"""What a case is: work that all tools do in turn, known by its name in every process.

Not how it is timed (`turns`, `timed`), nor which there are (`catalogue`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.peers import OURS, PEERS, SLOW_PEERS, Tool, imported

ALL = (*OURS, *PEERS, *SLOW_PEERS)
Call = Callable[[], object]


class Kind(StrEnum):
    """What the time of a case is of."""

    CALL = "call"  # one of many calls, in a warm process and a block that is open
    STORED = "stored"  # that, and leaving the block, where some tools write what they stored
    BLOCK = "block"  # a call that enters blocks itself, or needs none
    FIRST = "first"  # opening the tool in a new process, imports not included, and one call
    MANY = "many"  # opening the tool in a new process, and as many calls as the case has


@dataclass(slots=True)
class Site:
    """Where a case is made: a tool, the project that it works in, and how it wraps functions.

    In a new process the tool is opened later than its functions are wrapped.

    Attributes:
        numbers: What a case of many calls is to call with, one after the other.
    """

    name: str
    folder: Path
    wrap: Callable[[Callable[..., Any]], Callable[..., Any]]
    opened: Tool | None = None
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def subject(self) -> ModuleType:
        """The functions to memoize."""
        return imported("subject", self.folder)

    @property
    def tool(self) -> Tool:
        """The tool, where the case is not about opening it."""
        assert self.opened is not None
        return self.opened

    def written(self, name: str, text: str) -> ModuleType:
        """Write another module into the project, and import it."""
        (self.folder / f"{name}.py").write_text(text, encoding="utf-8")
        return imported(name, self.folder)


@dataclass(frozen=True, slots=True)
class Case:
    """One call, made again and again.

    Attributes:
        repeat: How many calls a round has at most; slow tools make fewer. `MANY` has exactly so many.
        floors: Bare work beside it; the first is what the distance in the overview is from.
        warm_up: How many rounds do not count; one in which much is stored needs another after it.
        is_long: Whether it takes minutes.
    """

    title: str
    make: Callable[[Site], Call]
    repeat: int = 1
    floors: tuple[str, ...] = ()
    tools: tuple[str, ...] = ALL
    kind: Kind = Kind.CALL
    warm_up: int = 1
    is_long: bool = False

    @property
    def is_cold(self) -> bool:
        """Whether each round is a new process."""
        return self.kind in (Kind.FIRST, Kind.MANY)
