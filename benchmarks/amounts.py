"""How much work the rows are of: all of it, or a fraction, with which tests try the scenarios.

Not how often it is timed (`--rounds`). Invariant: all processes of a run have the same fraction.
"""

from __future__ import annotations

import os

FRACTION = "GITMEMO_BENCH_FRACTION"


def scaled(count: int) -> int:
    """Return as much of a count as is asked for, at least two."""
    return max(2, int(count * float(os.environ.get(FRACTION) or 1)))
