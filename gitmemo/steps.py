"""How far long work has come, for whoever shows that.

Not the showing (`display.progress`). Invariant: where nobody watches, it costs one comparison for each
piece of work; and what is done does not depend on who watches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias, TypeVar

Tell: TypeAlias = Callable[[int], None]
"""Notes that so much is done besides."""
Watcher: TypeAlias = Callable[[str, int, str], AbstractContextManager[Tell]]
"""Begins to show a work: what is done, how much there is, and the noun of it; "B" are bytes."""
_T = TypeVar("_T")

_watchers: list[Watcher] = []


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Have a watcher told of all work in the body of the `with` statement."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


def steps(
    doing: str, items: Sequence[_T], noun: str, weigh: Callable[[_T], int] | None = None
) -> Iterator[_T]:
    """Yield `items`, and tell of each that is done: as one, or as what it weighs."""
    if not _watchers or not items:
        yield from items
        return
    total = len(items) if weigh is None else sum(map(weigh, items))
    with _watchers[-1](doing, total, noun) as tell:
        for item in items:
            yield item
            tell(1 if weigh is None else weigh(item))
