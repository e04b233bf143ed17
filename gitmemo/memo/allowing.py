"""Whether calls that are not stored are computed, for the length of a block.

Not what refuses them (`caller`). Invariant: the end of a block restores what was allowed before it.
"""

from __future__ import annotations

from gitmemo.memo.caller import Caller


class AllowingNewCalls:
    """What `allow_new_calls` changed, to be undone at the end of a `with` statement."""

    def __init__(self, caller: Caller, *, before: bool) -> None:
        self._caller, self._before = caller, before

    def __enter__(self) -> None:
        """Do nothing: it holds already."""

    def __exit__(self, *_: object) -> None:
        self._caller.allows_new_calls = self._before
