"""Which origins of values are trusted to run code when they are read.

Not where values come from (`blobs` knows). Invariant: only this clone's own
configuration can extend trust; nothing that was committed or fetched can.
"""

from __future__ import annotations

from dataclasses import dataclass

from gitmemo.blobs import SELF


@dataclass(frozen=True, slots=True)
class Trust:
    """The remotes whose values may be unpickled here."""

    remotes: frozenset[str] = frozenset()

    def covers(self, origin: str) -> bool:
        """Whether values of this origin (`self` or `remote:NAME`) may be unpickled."""
        return origin == SELF or origin.removeprefix("remote:") in self.remotes
