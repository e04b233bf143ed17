"""What workers of a cluster say they have, and what a call needs of it."""

from __future__ import annotations

import pytest

from gitmemo.errors import ResourceMissing
from gitmemo.memo.parallel.resources import check_workers, most_at_once


def test_one_worker_with_everything_is_enough_and_of_none_nothing_is_known() -> None:
    need = {"GPU": 1, "memory": 8}
    check_workers(need, [])
    check_workers({}, [{}])
    check_workers(need, [{}, {"GPU": 2, "memory": 8}])


def test_the_nearest_worker_says_what_is_missing() -> None:
    need = {"GPU": 1, "memory": 8}
    with pytest.raises(ResourceMissing, match=r"needs 8 memory.* has 4"):
        check_workers(need, [{}, {"GPU": 1, "memory": 4}, {"memory": 4}])
    with pytest.raises(ResourceMissing, match=r"needs 1 GPU.* has 0"):
        check_workers(need, [{"memory": 9}, {}])


def test_fractions_are_counted_as_they_are_written() -> None:
    for parts in range(1, 50):
        assert most_at_once({"GPU": 1 / parts}, {}) == parts
    assert most_at_once({"GPU": 0.1}, {"GPU": 0.3}) == 3
    assert most_at_once({"GPU": 0.1 + 0.2}, {"GPU": 0.3}) == 1
    assert most_at_once({"GPU": 0.34}, {}) == 2
    assert most_at_once({}, {"GPU": 2}) is None
    with pytest.raises(ResourceMissing, match=r"needs 1\.1 GPU, and there is 1"):
        most_at_once({"GPU": 1.1}, {})
