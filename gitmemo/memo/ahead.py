"""Reading ahead: short cuts to the calls that will probably be asked for next.

Not look-ups (`lookup`): what is read ahead is only kept, and judged when it is
asked for. Invariant: a short cut made here leads to the call that a look-up
would find, or to none; reading ahead never changes which.

A program that runs again asks for its calls in the order in which they were
recorded. Reading a hundred of them together takes a third of the time of
finding them one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gitmemo.hashing.digest import Digest
from gitmemo.memo.calls import Hit
from gitmemo.memo.inputs import short_cut_to
from gitmemo.model.facts import Slot
from gitmemo.world.view import World

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

_NEAR = 8
_FIRST = 8
_MOST = 256


class ReadAhead:
    """Notices calls that are found in the order of their records."""

    def __init__(
        self,
        world: World,
        op_named: Callable[[str], Op[..., Any] | None],
        is_of: Callable[[Op[..., Any], Digest | None], bool],
    ) -> None:
        """`is_of` says whether calls of a version are of an op, and not of one of the same name."""
        self._world = world
        self._op_named = op_named
        self._is_of = is_of
        self._end = 0
        self._size = 0

    def after(self, number: int) -> Iterator[tuple[tuple[object, ...], Hit]]:
        """Yield short cuts to what was recorded after fact `number`, which was just found."""
        in_order = 0 < number - self._end <= _NEAR
        self._size = min(max(_FIRST, 2 * self._size), _MOST) if in_order else 0
        self._end = number + self._size
        if not self._size:
            return
        for seen in self._world.following(number, self._end):
            op = self._op_named(seen.op)
            if op is not None and op.version == seen.op_version and _has_names(op, seen.outputs):
                key = short_cut_to(op, seen.given)
                if key is not None and self._is_of(op, seen.version):
                    yield key, Hit(seen.op, seen.version, seen.hid, seen.outputs, seen.elapsed_s)


def _has_names(op: Op[..., Any], outputs: Sequence[Slot]) -> bool:
    """Whether outputs are called what the op calls them now."""
    names = op.options.outputs.names
    return not names or names == tuple([slot.name for slot in outputs])
