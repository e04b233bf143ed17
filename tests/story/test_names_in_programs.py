"""Columns have the names that the program uses, in Python and in the shell, now and in a revision."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from driver import Clone, make_project

LIB = """\
import gitmemo as gm


@gm.op
def load(n):
    return list(range(n))


@gm.op
def train(data, rate):
    return sum(data) * rate


@gm.op
def split(data):
    return data[:1], len(data)


@gm.op
def size(value):
    return value + 0


@gm.op
def twice(value):
    return value * 2


@gm.op(name="measuring")
def measure(value):
    return value * 3
"""

SCRIPT = """\
import gitmemo as gm
import lib
from lib import measure, split, train as fit

storage = gm.open()


def main():
    acc = storage.unwrap(fit(numbers, 2))
    head, amount = split(numbers)
    result = lib.size(acc)
    result = lib.twice(acc)
    width = measure(acc)


with storage:
    numbers = lib.load(5)
    main()

for op in (lib.train, split, lib.size, lib.twice, measure):
    print(sorted(storage.cf(op).expand_back().df().columns))
with storage.query():
    x = gm.Q()
    fit(lib.load(x), gm.Q())
print(storage.similar(gm.wrap(5), storage.load_ref(storage.cf(fit).df(values="hids").iloc[0, -1]), context=True).columns)
"""


def columns(clone: Clone, op: str, *more: str) -> list[str]:
    """Return the columns of a table on the command line, sorted."""
    done = clone.gitmemo("df", op, "--back", "--json", *more)
    assert done.code == 0, done.text
    return sorted(json.loads(done.out.splitlines()[0]))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    home = tmp_path_factory.mktemp("home")
    clone = make_project(home / "r", home)
    clone.write("lib.py", LIB)
    clone.write("script.py", SCRIPT)
    return clone


def test_python_and_the_command_line_use_the_names_of_the_program(project: Clone) -> None:
    done = project.python("script.py")
    print(done.text)
    for op in ("train","split","size","twice","measuring"):
        print(columns(project, op))
    print(project.gitmemo("graph", "train").out)
    assert 0
