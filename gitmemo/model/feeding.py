"""Which calls used what only others made: one walk, whatever stands for calls and values.

Not which calls are valid (`validity`). Pure. Invariant: what one of the calls made is not only
others' as long as that call is not found itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

_Call = TypeVar("_Call")
_Value = TypeVar("_Value")


def fed_by(
    others: Iterable[_Value],
    made: Mapping[_Call, Sequence[_Value]],
    users: Mapping[_Value, Sequence[_Call]],
    makers: Counter[_Value],
) -> set[_Call]:
    """Return the calls that used, directly or through others, values that only others made.

    Args:
        others: Values that other calls made.
        made: What each call made that can be found.
        users: Which calls used a value.
        makers: How many calls that count made a value; those that cannot be found may be among them.
    """
    left = makers.copy()
    todo = [value for value in others if not left[value]]
    found: set[_Call] = set()
    while todo:
        for call in users.get(todo.pop(), ()):
            if call not in found:
                found.add(call)
                left.subtract(made[call])
                todo += [value for value in made[call] if not left[value]]
    return found
