"""How many hostile inputs are tried: few by default, 10,000 when asked for.

Not a test. `GITMEMO_TEST_HOSTILE=10000 pytest -m hostile` tries that many for each parser.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

_Test = TypeVar("_Test", bound=Callable[..., object])


def many(test: _Test) -> _Test:
    """Let a property try hostile inputs: 40 of them, or as many as the environment says."""
    wanted = os.environ.get("GITMEMO_TEST_HOSTILE")
    chosen = settings(
        deadline=None,
        max_examples=int(wanted or 40),
        derandomize=wanted is None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    return pytest.mark.hostile(chosen(test))
