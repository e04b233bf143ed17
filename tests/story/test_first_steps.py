"""What people do in their first hour: ask an op, log, start a file in other ways."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from driver import Clone, make_clone

LOGGING = """\
import logging
import gitmemo as gm

log = logging.getLogger(__name__)
storage = gm.open()


class Worker:
    def __init__(self):
        self.log = log.getChild("worker")


worker = Worker()


@gm.op
def f(n):
    log.info("x")
    worker.log.debug("y")
    return n + 1


if __name__ == "__main__":
    with storage:
        print(storage.unwrap(f(1)))
"""

ASKING = """\
import gitmemo as gm

storage = gm.open()


@gm.op
def fit(n):
    return {"n": n}


with storage:
    fit(3)
"""

METHODS = """\
import gitmemo as gm

storage = gm.open()
SCALE = 1


class Trainer:
    @gm.op
    def fit(self, n):
        return n


@gm.op
def train(data, name):
    return sum(data) * SCALE


if __name__ == "__main__":
    with storage:
        Trainer().fit(1)
        train([1, 2], "a")
"""


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    clone = make_clone(tmp_path / "project", tmp_path)
    clone.gitmemo("init")
    return clone


def test_a_logger_is_its_name_however_the_program_starts(clone: Clone) -> None:
    clone.write("lg.py", LOGGING)
    clone.write("imports.py", "from lg import f, storage\nwith storage: f(1)\n")
    loud = LOGGING.replace(
        "with storage:", "logging.basicConfig(level=10, filename='x.log')\n    with storage:"
    )
    assert clone.gitmemo("run", "lg.py").counted == (0, 1)
    assert clone.gitmemo("run", "imports.py").counted == (1, 0)
    clone.python("-m", "lg")
    assert clone.status()["calls"] == 1
    clone.write("lg.py", loud)
    assert clone.gitmemo("run", "lg.py").counted == (1, 0)
    assert clone.gitmemo("check", "op:f").code == 0


@pytest.mark.parametrize(
    "line",
    [
        "print(fit.ref(3).unwrap(), fit.is_cached(3))",
        "print(fit.table().shape)",
        "fit(3).attached()",
        "storage.unwrap(fit(3)).keys()",
    ],
)
def test_asking_an_op_at_module_level_is_no_edit_of_it(clone: Clone, line: str) -> None:
    clone.write("ask.py", ASKING)
    clone.gitmemo("run", "ask.py")
    clone.write("ask.py", f"{ASKING}    {line}\n")
    assert clone.gitmemo("run", "ask.py").counted[1] == 0
    assert clone.status()["undecided"] == []


def test_commands_say_which_calls_and_take_short_names(clone: Clone) -> None:
    clone.write("exp.py", METHODS)
    clone.gitmemo("run", "exp.py")
    assert clone.gitmemo("check", "train").code == 0
    assert clone.gitmemo("check", "exp:train").code == 0
    for command in (("df", "fit"), ("why", "fit"), ("check", "fit")):
        done = clone.gitmemo(*command, code=2)
        assert "did you mean 'exp:Trainer.fit'?" in done.err
    clone.gitmemo("forget", "train", "--yes")
    listed = clone.gitmemo("forget").out.splitlines()
    assert listed[0].endswith("1 record")
    assert listed[1] == "    exp:train(data=[1, 2], name='a')"


def test_a_suggested_command_can_be_pasted(clone: Clone) -> None:
    clone.write("exp.py", METHODS)
    clone.gitmemo("run", "exp.py")
    clone.change("SCALE = 1", "SCALE = 2", "exp.py")
    said = clone.gitmemo("why", "train", "data=[1, 2]", "name=a").text
    command = next(line for line in said.splitlines() if "gitmemo decide" in line)
    command = command.partition("gitmemo decide")[2].partition(", if")[0]
    words = shlex.split(command)
    assert words == ["exp.py:SCALE", "--non-breaking"]
    assert "gitmemo decide exp.py:SCALE --non-breaking" in clone.gitmemo("decide").err
    assert "SCALE: non-breaking" in clone.gitmemo("decide", *words).out
