"""Hostile inputs: how many are tried, how sound bytes are changed, and what a parser may cost.

Not a test. `GITMEMO_TEST_HOSTILE=10000 pytest -m hostile` tries that many for each parser.
"""

from __future__ import annotations

import os
import resource
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

_Test = TypeVar("_Test", bound=Callable[..., object])

SLOW_S = 20
MEMORY = 400 << 20


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


@contextmanager
def bounded() -> Iterator[None]:
    """Fail if what is done takes far too long or far too much memory."""
    began, before = time.monotonic(), _peak()
    yield
    assert time.monotonic() - began < SLOW_S
    assert _peak() - before < MEMORY


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


_STEPS = st.sampled_from(["flip", "set", "cut", "insert", "repeat", "number", "swap"])
_TELLING = st.sampled_from(b'\x00\x01\x7f\x80\xff"[]{},:\\/.-\n \t09eE')


@st.composite
def changes(draw: st.DrawFn, samples: list[bytes]) -> bytes:
    """Draw sound bytes with a few changes, or bytes that never were sound."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    mutable = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(mutable) - 1, 0)))
        match draw(_STEPS):
            case "flip" if mutable:
                mutable[at] ^= 1 << draw(st.integers(0, 7))
            case "set" if mutable:
                mutable[at] = draw(_TELLING)
            case "cut":
                del mutable[at : at + draw(st.integers(1, 40))]
            case "insert":
                mutable[at:at] = draw(st.binary(min_size=1, max_size=8))
            case "repeat":
                mutable[at:at] = mutable[at : at + 40] * draw(st.integers(1, 4))
            case "number":
                mutable[at : at + 4] = struct.pack("<I", draw(st.integers(0, 2**32 - 1)))
            case "swap":
                other = draw(st.sampled_from(samples))
                mutable[at:] = other[at:]
    return bytes(mutable)
