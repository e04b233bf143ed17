"""What came of moving in: for each function of the old store, what was brought and what was not.

Not the moving itself. Invariant: every result that was found is counted once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from gitmemo.model.facts import JsonValue


@dataclass(slots=True)
class FunctionReport:
    """What came of the results of one function.

    Attributes:
        name: What the old store calls it.
        op: The op that takes its results; None if there is none.
        brought: How many became calls, or would in a dry run.
        known: How many were calls of this repository already.
        unread: How many are proven but for what only reading results could tell, in a dry run.
        refused: Why others were not brought: reason to number.
    """

    name: str
    op: str | None = None
    brought: int = 0
    known: int = 0
    unread: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, JsonValue]:
        """Return it for `--json`."""
        return {
            "function": self.name,
            "op": self.op,
            "brought": self.brought,
            "known": self.known,
            "unread": self.unread,
            "refused": dict(self.refused),
        }
