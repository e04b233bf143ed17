"""Functions that give themselves the same name (`@op(name=…)`): which stored calls are of which.

Not whether a call is valid (`verdicts`). Invariant: a call counts for the function that it ran,
or for what people say that this one has become.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gitmemo.hashing.digest import Digest
from gitmemo.memo.verdicts import Verdicts
from gitmemo.world.view import Candidate

if TYPE_CHECKING:
    from gitmemo.memo.op import Op


class Namesakes:
    """Tells the calls of ops apart; `verdicts` is None where code is not versioned."""

    def __init__(self, verdicts: Verdicts | None) -> None:
        self._verdicts = verdicts
        self._known: dict[Op[..., Any], dict[Digest, bool]] = {}

    def enter(self) -> None:
        """Begin a block: what people say may be another."""
        self._known.clear()

    def is_of(self, op: Op[..., Any], version: Digest | None) -> bool:
        """Whether calls of a version are of this op, and not of one of the same name."""
        if op.options.name is None or self._verdicts is None or version is None:
            return True
        known = self._known.setdefault(op, {})
        if version not in known:
            known[version] = self._verdicts.is_of(version, op.__wrapped__)
        return known[version]

    def of(self, op: Op[..., Any], candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        """Return those of the candidates that are calls of this op."""
        if op.options.name is None:
            return candidates
        return [found for found in candidates if self.is_of(op, found.call.version)]
