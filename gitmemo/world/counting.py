"""How many calls facts are: one for each op, code and contents of inputs, links or not.

Not which of them are valid (`sifting`), nor what they are called now (`gitmemo.query`). Invariant: no
line is read, so hooks can count too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gitmemo.world.index import Index
from gitmemo.world.table import as_json

_AMONG = "in (select value from json_each(?))"


def count_new(index: Index, numbers: Iterable[int], is_other: Callable[[int], bool]) -> int:
    """Return how many different calls there are in `numbers` of which no record is another one's.

    `is_other` says of a number whether it is.
    """
    found = different(index, numbers)
    marks = as_json({mark for _, _, mark in found})
    alike = index.rows(f"select id from fact where micros is not null and mark {_AMONG}", (marks,))
    return len(found - different(index, [number for (number,) in alike if is_other(number)]))


def different(index: Index, numbers: Iterable[int]) -> set[tuple[str, bytes, int]]:
    """Return what makes calls different: op, code, and what stands for the contents of the inputs."""
    return set(
        index.rows(
            "select op, version, mark from fact join shape on shape.id = fact.shape"
            f" where micros is not null and fact.id {_AMONG}",
            (as_json(numbers),),
        )
    )
