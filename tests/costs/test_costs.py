"""What operations cost, in numbers that no machine changes: a guard against regressions, not timed.

A limit is what was counted when it was written: exactly, where files, statements, locks and the like
are counted, and with a few percent of room for calls and bytes hashed. Calls differ between versions
of Python, most of all in `pathlib`. Who lowers a number lowers the limit.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
from costs.counting import (
    ASKED,
    CALLS,
    ELSEWHERE,
    FLUSHED,
    FUNCTIONS,
    HASHED,
    LOCKS,
    LOOKED,
    OPENED,
    PARSED,
    PROCESSES,
    RENAMED,
    SQL,
)
from driver import Clone, copy_of, make_clone

from gitmemo.file_states import SETTLED_AFTER_NS

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
_WITH_ROOM = (CALLS, HASHED)

Counted = dict[str, dict[str, int]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    folder = tmp_path_factory.mktemp("costs")
    clone = make_clone(folder / "project", folder / "home")
    clone.write("ops.py", OPS)
    clone.write(".gitignore", "__pycache__/\n")
    clone.gitmemo("init")
    clone.commit("Begin")
    settle()
    return clone


@pytest.fixture(scope="module")
def computed(project: Clone) -> Counted:
    """The first run: everything is computed."""
    return _worked(project)


@pytest.fixture(scope="module")
def found(project: Clone, computed: Counted) -> Counted:
    """The second run, in a new process: everything is found."""
    settle()
    return _worked(project)


def settle() -> None:
    """Wait until all files are old: what was touched just now is read again."""
    time.sleep(1.1 * SETTLED_AFTER_NS / 1e9)


def _worked(clone: Clone) -> Counted:
    counted: Counted = json.loads(clone.python(str(WORK), PYTHONHASHSEED="0").out)
    return counted


def done(counted: dict[str, int]) -> dict[str, int]:
    """What was done but calls of Python and hashing of keys, which have limits of their own."""
    return {name: number for name, number in counted.items() if number and name not in _WITH_ROOM}


def calls(until_3_11: int, since_3_12: int) -> int:
    """Return the limit of calls for this Python."""
    return until_3_11 if sys.version_info < (3, 12) else since_3_12


def test_a_hit_touches_no_file_and_asks_no_database(found: Counted) -> None:
    once, twice = found["again"], found["twice as many again"]
    assert done(once) == done(twice) == {}
    assert once[HASHED] == twice[HASHED] == 0
    assert (twice[CALLS] - once[CALLS]) / N <= calls(41, 40)


def test_the_first_touch_of_a_key_in_a_process_is_answered_in_batches(found: Counted) -> None:
    assert done(found["more"]).keys() <= {SQL}
    assert found["more"][SQL] <= 7, "of 200 keys"
    assert found["more"][HASHED] / (2 * N) <= 76


def test_the_first_hits_of_a_process_touch_no_file(found: Counted) -> None:
    first = found["first"]
    assert done(first).keys() <= {SQL, PARSED}
    assert first[SQL] <= 14 and first[PARSED] <= 2
    assert first[HASHED] <= 8_400


def test_a_computed_call_opens_nothing_and_flushes_lines(computed: Counted) -> None:
    more = computed["more"]
    assert done(more) == {LOCKS: more[LOCKS]}, (
        "journal, claim and index are open since the first one"
    )
    assert more[HASHED] / (2 * N) <= 600


def test_the_first_computed_call_opens_what_others_use(computed: Counted) -> None:
    """Modules that are loaded then are counted as elsewhere, in any number."""
    first = computed["first"]
    assert first[PROCESSES] <= 1, "git says once who computes"
    assert first[OPENED] <= 5 and first[LOOKED] <= 3 and first[ASKED] <= 5
    assert first[SQL] <= 7 and first[LOCKS] <= 3 * N + 3
    assert first[RENAMED] == first[FLUSHED] == 0
    assert first[HASHED] <= 62_000


def test_a_computed_call_is_a_few_functions_and_three_locks(computed: Counted) -> None:
    functions = computed["traced"][FUNCTIONS] / N
    assert functions <= calls(232, 218), "two for each hash, as it is counted"
    assert computed["more"][LOCKS] / (2 * N) <= 3, "taken, freed, and asked who else is there"


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_hits_through_refs_do_not_see_the_bytes(found: Counted, size: int) -> None:
    for step in (f"result of {size} again", f"chained {size} again"):
        assert done(found[step]) == {} and found[step][HASHED] == 0, step
        assert found[step][CALLS] <= 46, step


def test_an_argument_is_hashed_once(found: Counted) -> None:
    step = found[f"array of {LARGE} again"]
    assert LARGE_BYTES <= step[HASHED] <= LARGE_BYTES + 240
    assert done(step) in ({}, {SQL: 1}), "where the call has not been found yet by its key"
    assert step[CALLS] <= calls(330, 318)


def test_a_large_result_is_hashed_as_a_value_and_as_bytes(computed: Counted) -> None:
    step = computed[f"result of {LARGE}"]
    assert step[HASHED] <= 2 * (LARGE_BYTES + 8) + 1_100
    assert step[OPENED] <= 2 and step[RENAMED] <= 1 and step[ASKED] <= 3
    assert step[SQL] <= 1 and step[LOCKS] <= 3
    assert step[PROCESSES] == step[LOOKED] == step[FLUSHED] == step[ELSEWHERE] == 0


def test_a_block_reads_no_code_again(found: Counted) -> None:
    limits = {"block": calls(800, 1_000), "block with a hit": calls(842, 1_042)}
    for step, limit in limits.items():
        counted = found[step]
        assert done(counted).keys() <= {OPENED, LOOKED, ASKED, LOCKS, SQL}, step
        assert counted[OPENED] <= 5 and counted[LOOKED] <= 6 and counted[ASKED] <= 10, step
        assert counted[LOCKS] <= 1 and counted[SQL] <= 4 and counted[HASHED] <= 155, step
        assert counted[CALLS] <= limit, step


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
    for *words, most in (("status", 2), ("df", "triple", 1), ("run", "ops.py", 1)):
        assert processes(*gitmemo, *words) <= most, words
    plain = processes("git", "-c", "core.hooksPath=/dev/null", "commit", "-qm", "No", *EMPTY)
    assert processes("git", "commit", "-qm", "With results", *EMPTY) <= plain + 14
    assert processes("git", "checkout", "-q", "HEAD~1") == 1, "no hook needs git"
