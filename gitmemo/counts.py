"""How many calls each op has, and how many of them count.

Not which they are (`query`). Invariant: a call is counted once, however often it was run, as
`query.without_repeats` shows it; where the index can tell, no call is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from gitmemo.model.facts import Call
from gitmemo.query import names_now, runs, valid_calls, without_repeats
from gitmemo.workspace import View, Workspace
from gitmemo.world.counting import count_new
from gitmemo.world.validity_counts import count_valid


@dataclass(frozen=True, slots=True)
class Counts:
    """Calls by op, of one state of the code.

    Attributes:
        current: Those that count.
        stale: Those that touched other code.
        unreachable: Those with inputs that only stale ones made.
        others: Those that had another value of a variable whose value the code does not say.
        otherwise: Of which variables, in words.
    """

    current: Counter[str]
    stale: Counter[str]
    unreachable: Counter[str]
    others: Counter[str] = field(default_factory=Counter)
    otherwise: str = ""

    @property
    def every(self) -> Counter[str]:
        """All calls, whether they count or not."""
        return self.current + self.stale + self.unreachable + self.others


def counts(view: View) -> Counts:
    """Count the calls that are visible."""
    if not names_now(view).former:  # as in most repositories
        found = count_valid(view.world, view.world.visible(view.code), view.code)
        if found is not None:
            return Counts(found.current, found.stale, found.fed)
    return counts_of_calls(view)


def counts_of_calls(view: View) -> Counts:
    """Count the same by reading each call: slow, and always right."""
    calls = names_now(view).calls(view.world.calls(view.code))
    selection = without_repeats(valid_calls(view.world, calls, view.code))
    return Counts(
        current=_by_op(selection.calls),
        stale=_by_op(selection.stale),
        unreachable=_by_op(selection.unreachable),
        others=_by_op(selection.others),
        otherwise=selection.otherwise(selection.others) if selection.others else "",
    )


def _by_op(calls: Iterable[Call]) -> Counter[str]:
    return Counter(call.op for call in calls)


def count_calls(view: Workspace | View, numbers: Collection[int]) -> Mapping[str, int]:
    """Return how many calls each op has among facts, counted as `without_repeats` counts them."""
    now, index = names_now(view), view.world.index
    if not now.former:  # then nothing of the records has to be read
        return index.calls_per_op(numbers, without=())
    return _by_op(runs(now.calls(index.calls(numbers))))


def count_pending(view: Workspace | View) -> int:
    """Return how many calls are in no commit, those left out of which there is a record in one."""
    return count_new_calls(view, view.world.pending(view.code))


def count_new_calls(view: Workspace | View, pending: Collection[int]) -> int:
    """Return the same of some pending facts."""
    committed = view.world.committed()
    if not names_now(view).former:  # as in most repositories: few of many calls are looked at
        return count_new(view.world.index, pending, committed.__contains__)
    every = committed.union(pending)
    return sum(count_calls(view, every).values()) - sum(count_calls(view, committed).values())
