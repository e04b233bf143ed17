"""The stored calls of an op: whether there are any, forgetting them, computing them again.

Not what being forgotten means (`world`, `model.tombstones`). Invariant: what is
asked here records nothing, and what is forgotten is forgotten in one write,
together with what replaces it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from gitmemo.hashing.digest import Digest
from gitmemo.memo.caller import Caller
from gitmemo.memo.lookup import Lookup
from gitmemo.model.facts import Call
from gitmemo.world.view import World

if TYPE_CHECKING:
    import pandas as pd

    from gitmemo.frames import ComputationFrame
    from gitmemo.memo.op import Op


class StoredCalls:
    """What a storage holds of single ops; `frame` makes the frame of an op's calls."""

    def __init__(
        self,
        world: World,
        lookup: Lookup,
        caller: Caller,
        frame: Callable[[Op[..., Any]], ComputationFrame],
    ) -> None:
        self._world = world
        self._lookup = lookup
        self._caller = caller
        self._frame = frame

    def is_cached(self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether a call would be reused; nothing is run, recorded or counted."""
        return bool(self._lookup.valid(self._caller.prepare(op, args, kwargs)))

    def forget(self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
        """Forget the calls on these inputs that are valid now; return how many there were.

        Those of older code stay, so that going back to it finds them.
        """
        calls = self._lookup.valid(self._caller.prepare(op, args, kwargs))
        if calls:
            self._world.forget(calls)
            self._caller.clear()
        return len(calls)

    def forget_calls(self, calls: Collection[Call], why: str = "") -> Digest:
        """Forget these calls; return the id of the tombstone."""
        tombstone = self._world.forget(calls, why)
        self._caller.clear()
        return tombstone

    def restore(self, tombstone: Digest) -> None:
        """Bring back what a tombstone forgot.

        Raises:
            UnknownTombstone: It is not known here, or was undone before.
        """
        self._world.restore(tombstone)
        self._caller.clear()

    def recompute(self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call, and let it take the place of what is stored; return its refs.

        Warns `NotDeterministic` if it returns something else than what was stored.
        """
        prepared = self._caller.prepare(op, args, kwargs)
        old = self._lookup.valid(prepared)
        if op.is_async:
            return self._caller.run_async(prepared, old)
        return self._caller.run(prepared, old)

    def table(self, op: Op[..., Any]) -> pd.DataFrame:
        """Return the op's calls that are valid now."""
        return self._frame(op).df()
