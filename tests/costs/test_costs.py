"""What operations cost, in numbers that no machine changes: a guard against regressions, not timed.

A limit is what was counted when it was written, with a little room for other versions of Python.
Who lowers a number lowers the limit.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from costs.counting import (
    CALLS,
    FUNCTIONS,
    HASHED,
    LOCKS,
    LOOKED,
    OPENED,
    PROCESSES,
    RENAMED,
    SQL,
)
from driver import Clone, copy_of, make_clone

N, SMALL, LARGE = 100, 1_000, 1_310_720
LARGE_BYTES = LARGE * 8
WORK = Path(__file__).with_name("work.py")
OPS = """
import numpy as np

import gitmemo as gm

FACTOR = 3


@gm.op
def triple(x):
    return FACTOR * x + 1


@gm.op
def ramp(size):
    return np.arange(float(size))


@gm.op
def moved(values):
    return values + FACTOR


@gm.op
def total(values):
    return float(values.sum())
"""

EMPTY = ("--allow-empty",)

Counted = dict[str, dict[str, int]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    folder = tmp_path_factory.mktemp("costs")
    clone = make_clone(folder / "project", folder / "home")
    clone.write("ops.py", OPS)
    clone.write(".gitignore", "__pycache__/\n")
    clone.gitmemo("init")
    clone.commit("Begin")
    return clone


@pytest.fixture(scope="module")
def computed(project: Clone) -> Counted:
    """The first run: everything is computed."""
    return _worked(project)


@pytest.fixture(scope="module")
def found(project: Clone, computed: Counted) -> Counted:
    """The second run, in a new process: everything is found."""
    return _worked(project)


def _worked(clone: Clone) -> Counted:
    counted: Counted = json.loads(clone.python(str(WORK), PYTHONHASHSEED="0").out)
    return counted


def done(counted: dict[str, int]) -> dict[str, int]:
    """What was done but calls of Python, hashing of keys and locks, which have limits of their own."""
    apart = (CALLS, HASHED, LOCKS)
    return {name: number for name, number in counted.items() if number and name not in apart}


def test_a_hit_touches_no_file_and_asks_no_database(found: Counted) -> None:
    once, twice = found["again"], found["twice as many again"]
    assert done(once) == done(twice) == {}
    assert once[HASHED] == twice[HASHED] == 0
    assert (twice[CALLS] - once[CALLS]) / N <= 45


def test_the_first_touch_of_a_key_in_a_process_is_answered_in_batches(found: Counted) -> None:
    assert found["more"][SQL] <= 2 * N / 10
    assert found["more"][HASHED] / (2 * N) <= 100
    assert found["more"][OPENED] == found["more"][PROCESSES] == 0


def test_a_computed_call_opens_nothing_and_flushes_lines(computed: Counted) -> None:
    more = computed["more"]
    assert done(more) == {}, "journal, claim and index are open since the first one"
    assert more[HASHED] / (2 * N) <= 700
    assert computed["first"][PROCESSES] <= 1, "git says once who computes"


def test_a_computed_call_is_a_few_functions_and_three_locks(computed: Counted) -> None:
    assert computed["traced"][FUNCTIONS] / N <= 232, "two for each hash, as it is counted"
    assert computed["more"][LOCKS] / (2 * N) <= 3, "taken, freed, and asked who else is there"


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_hits_through_refs_do_not_see_the_bytes(found: Counted, size: int) -> None:
    for step in (f"result of {size} again", f"chained {size} again"):
        assert done(found[step]) == {} and found[step][HASHED] == 0, step
        assert found[step][CALLS] <= 60, step


def test_an_argument_is_hashed_once(found: Counted) -> None:
    step = found[f"array of {LARGE} again"]
    assert LARGE_BYTES <= step[HASHED] <= LARGE_BYTES + 1_000
    assert done(step) in ({}, {SQL: 1}), "where the call has not been found yet by its key"


def test_a_large_result_is_hashed_as_a_value_and_as_bytes(computed: Counted) -> None:
    step = computed[f"result of {LARGE}"]
    assert step[HASHED] <= 2 * (LARGE_BYTES + 8) + 3_000
    assert step[OPENED] <= 3 and step[RENAMED] <= 2 and step[PROCESSES] == 0


def test_a_block_reads_no_code_again(found: Counted) -> None:
    for step, statements in (("block", 4), ("block with a hit", 10)):
        assert found[step][PROCESSES] == found[step][RENAMED] == 0, step
        assert found[step][OPENED] <= 6 and found[step][LOOKED] <= 6, step
        assert found[step][SQL] <= statements and found[step][HASHED] <= 500, step
        assert found[step][CALLS] <= 1_500, step


def test_git_is_asked_seldom(project: Clone, computed: Counted, tmp_path: Path) -> None:
    """How many processes of git each command starts, as git itself notes them; itself included."""
    clone = copy_of(project, tmp_path / "copy")

    def processes(*command: str) -> int:
        trace = tmp_path / "trace.jsonl"
        trace.unlink(missing_ok=True)
        clone.process(*command, GIT_TRACE2_EVENT=str(trace))
        events = map(json.loads, trace.read_text().splitlines())
        return sum(event["event"] == "start" for event in events)

    gitmemo = (sys.executable, "-P", "-m", "gitmemo")
    for name in ("status", "df", "run"):
        arguments = {"df": ["triple"], "run": ["ops.py"]}.get(name, [])
        assert processes(*gitmemo, name, *arguments) <= 2, name
    plain = processes("git", "-c", "core.hooksPath=/dev/null", "commit", "-qm", "No", *EMPTY)
    assert processes("git", "commit", "-qm", "With results", *EMPTY) <= plain + 16
    assert processes("git", "checkout", "-q", "HEAD~1") == 1, "no hook needs git"
