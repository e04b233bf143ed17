"""What calls need besides a core, and how many of them that lets run at once here.

Not how many run at once on a cluster, which its scheduler sees to. Invariant: what nobody said how
much there is of, there is one of here, and none of on a worker.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping

from gitmemo.errors import BadSetting, ResourceMissing

UNSAID = 1.0
HARDLY_MORE = 1e-9
"""What fractions may be more than what there is: three times 0.1 is a little more than 0.3."""


def checked_jobs(n_jobs: int | None) -> int | None:
    """Return how many calls are to run at once, if that is a number; raise `BadSetting` for others."""
    try:
        number = None if n_jobs is None else operator.index(n_jobs)
    except TypeError:
        number = 0
    if number == 0:
        raise BadSetting("n_jobs", n_jobs, ("a number above zero", "-1 for all cores"))
    return number


def most_at_once(need: Mapping[str, float], capacity: Mapping[str, float]) -> int | None:
    """Return how many calls may run at once; None if what they need is no limit.

    Raises:
        ResourceMissing: One call alone needs more than there is.

    >>> most_at_once({"GPU": 1}, {"GPU": 2})
    2
    >>> most_at_once({"GPU": 0.1}, {"GPU": 1})
    10
    """
    limits = []
    for name, amount in need.items():
        there = capacity.get(name, UNSAID)
        most = int(there / amount * (1 + HARDLY_MORE))
        if not most:
            raise ResourceMissing(name, amount, there)
        limits.append(most)
    return min(limits, default=None)


def check_workers(need: Mapping[str, float], workers: Iterable[Mapping[str, float]]) -> None:
    """Refuse what would wait for ever: no worker has what one call needs.

    Where there are no workers yet, nothing is known.

    Raises:
        ResourceMissing: It says what the worker lacks that has most of it.
    """
    lacking = [
        [(name, has.get(name, 0.0)) for name, amount in need.items() if has.get(name, 0.0) < amount]
        for has in workers
    ]
    if not all(lacking) or not lacking:
        return
    name, there = min(lacking, key=lambda each: (len(each), -each[0][1]))[0]
    raise ResourceMissing(name, need[name], there, is_on_cluster=True)
