"""Tests of tracing see only threads of their own."""

from __future__ import annotations

import threading

import pytest

from gitmemo.tracing import events


@pytest.fixture(autouse=True)
def no_pools_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pools that earlier tests of this process left would make 3.11 count all that is referred to."""
    earlier = set(threading.enumerate())
    serves_a_pool = events._serves_a_pool
    monkeypatch.setattr(
        events, "_serves_a_pool", lambda thread: thread not in earlier and serves_a_pool(thread)
    )
