"""Stored calls in memory, where a look-up finds them without asking the world.

Not the truth: the world is asked wherever these do not settle it. Invariant:
only living calls of this world are kept, and all are dropped when facts are
forgotten or another world is entered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call
from gitmemo.model.lines import to_line
from gitmemo.world.view import Candidate, preferred


class Preloaded:
    """Calls by their look-up key, those first that are preferred."""

    def __init__(self) -> None:
        self._by_key: dict[Digest, list[Candidate]] = {}

    def fill(self, calls: Iterable[Call]) -> None:
        """Keep `calls`, and nothing else."""
        by_key: dict[Digest, list[Call]] = defaultdict(list)
        for call in calls:
            by_key[call.key].append(call)
        self._by_key = {
            key: [Candidate(call, here=True) for call in preferred(found)]
            for key, found in by_key.items()
        }

    def candidates(self, key: Digest) -> Sequence[Candidate]:
        """Return the calls with this key that are kept."""
        return self._by_key.get(key, ())

    def clear(self) -> None:
        """Drop all."""
        self._by_key = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_key.values()))

    def size_bytes(self) -> int:
        """Return the size of the calls as they are stored."""
        return sum(
            len(to_line(candidate.call).encode())
            for found in self._by_key.values()
            for candidate in found
        )
