"""Stored calls in memory, where a look-up finds them without asking the world.

Not the truth: the world is asked wherever these do not settle it. Invariant:
only living calls of this world are kept, and all are dropped when facts are
forgotten or another world is entered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Slot
from gitmemo.model.lines import to_line
from gitmemo.world.crowds import FEW
from gitmemo.world.view import Candidate, preferred

_Histories: TypeAlias = tuple[tuple[str, Digest], ...]


class Preloaded:
    """Calls by their look-up key, those first that are preferred."""

    def __init__(self) -> None:
        self._by_key: dict[Digest, list[Candidate]] = {}
        self._by_histories: dict[Digest, dict[_Histories, list[Candidate]]] = {}

    def fill(self, calls: Iterable[Call]) -> None:
        """Keep `calls`, and nothing else."""
        self.clear()
        by_key: dict[Digest, list[Call]] = defaultdict(list)
        for call in calls:
            by_key[call.key].append(call)
        self._by_key = {
            key: [Candidate(call, here=True) for call in preferred(found)]
            for key, found in by_key.items()
        }

    def candidates(self, key: Digest, inputs: Sequence[Slot]) -> Sequence[Candidate]:
        """Return the calls with this key that are kept; of many, those on these very inputs."""
        found = self._by_key.get(key, [])
        if len(found) <= FEW:
            return found
        by_histories = self._by_histories.get(key)
        if by_histories is None:
            by_histories = defaultdict(list)
            for candidate in found:
                by_histories[histories_of(candidate.call.inputs)].append(candidate)
            self._by_histories[key] = by_histories
        return by_histories.get(histories_of(inputs), ())

    @property
    def holds_any(self) -> bool:
        """Whether any calls are kept."""
        return bool(self._by_key)

    def clear(self) -> None:
        """Drop all."""
        self._by_key = {}
        self._by_histories = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_key.values()))

    def size_bytes(self) -> int:
        """Return the size of the calls as they are stored."""
        return sum(
            len(to_line(candidate.call).encode())
            for found in self._by_key.values()
            for candidate in found
        )


def histories_of(slots: Iterable[Slot]) -> _Histories:
    """Return which histories inputs have, by name."""
    return tuple(sorted((slot.name, slot.hid) for slot in slots))
