"""What once kept a batch from ending: waiting for oneself, for what nobody begins, for what was cancelled."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import joblib
import pytest

import gitmemo as gm
from gitmemo.memo.parallel.course import Course
from gitmemo.memo.parallel.planned import Planned

_LIMIT_S = 60


@pytest.fixture
def storage() -> Iterator[gm.Storage]:
    made = gm.Storage()
    yield made
    made.close()


_NAMES_ITSELF = """
import faulthandler, sys
faulthandler.dump_traceback_later(50, exit=True)

import joblib
import gitmemo as gm

found = []


@gm.op
def f(x):
    return x * RATE


for how in ("plain", "sequential", "threading"):
    storage = gm.Storage(deps_path="__main__", on_change="breaking")
    found.clear()
    for RATE in (1, 2):
        with joblib.parallel_config("sequential" if how == "plain" else how):
            with storage if how == "plain" else storage.batch(n_jobs=2):
                a = f(1)
                found.append(a)
    versions = {call.version for call in storage.world.calls(storage._code)}
    units = {c.unit for v in versions for c in storage.world.version(v).pairs}
    print(how, storage.unwrap(found), sorted(units))
"""


def test_a_call_does_not_wait_for_what_stands_for_it_in_the_script(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(_NAMES_ITSELF)
    made = subprocess.run(
        [sys.executable, "-W", "ignore", script],
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
    )
    said = [line.split(maxsplit=1) for line in made.stdout.splitlines()]
    assert [how for how, _ in said] == ["plain", "sequential", "threading"], made.stderr
    assert {rest for _, rest in said} == {"[1, 2] ['$RATE', 'f']"}


def ends(program: Callable[[], Any]) -> Any:
    """Run a program in a thread; return what it returns, if it ends."""
    returned: list[Any] = []
    thread = threading.Thread(target=lambda: returned.append(program()), daemon=True)
    thread.start()
    thread.join(_LIMIT_S)
    assert returned, "it did not end"
    return returned[0]


gates: defaultdict[str, threading.Event] = defaultdict(threading.Event)


@gm.op
def inc(x: int) -> int:
    return x + 1


@gm.op
def behind(name: str, x: int) -> int:
    assert gates[name].wait(_LIMIT_S)
    return x


@gm.op(resources={"GPU": 1})
def on_gpu(name: str, x: int) -> int:
    assert gates[name].wait(_LIMIT_S)
    return x


@gm.op
def total(values: list[int]) -> int:
    return sum(values)


def test_calls_that_were_held_back_when_they_became_wanted_begin(
    storage: gm.Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    want = Course.want

    def want_then_open(course: Course, call: Planned) -> None:
        want(course, call)
        gates["held"].set()

    monkeypatch.setattr(Course, "want", want_then_open)

    def program() -> list[int]:
        with joblib.parallel_config("threading"), storage.batch(n_jobs=2):
            refs = [on_gpu("held", x) for x in range(70)]
            wanted = total(refs[:60])
            assert wanted.unwrap() == sum(range(60))
        return [ref.unwrap() for ref in refs]

    assert ends(program) == list(range(70))
