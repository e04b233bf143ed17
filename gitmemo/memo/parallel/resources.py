"""What calls need besides a core, and how many of them that lets run at once here.

Not what a cluster has, which its scheduler knows. Invariant: what nobody said how much there is of,
there is one of.
"""

from __future__ import annotations

from collections.abc import Mapping

from gitmemo.errors import ResourceMissing

UNSAID = 1.0


def most_at_once(need: Mapping[str, float], capacity: Mapping[str, float]) -> int | None:
    """Return how many calls may run at once; None if what they need is no limit.

    Raises:
        ResourceMissing: One call alone needs more than there is.

    >>> most_at_once({"GPU": 1}, {"GPU": 2})
    2
    """
    limits = []
    for name, amount in need.items():
        there = capacity.get(name, UNSAID)
        if amount > there:
            raise ResourceMissing(name, amount, there)
        if amount > 0:
            limits.append(int(there // amount))
    return min(limits, default=None)
