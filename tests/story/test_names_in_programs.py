"""Columns have the names that the program uses, in Python and in the shell, now and in a revision."""

from __future__ import annotations

import json

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
import json
import sys

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

tables = {
    "train": storage.cf(fit),
    "split": storage.cf(split),
    "size": storage.cf(lib.size),
    "measuring": storage.cf(measure),
    "size twice": storage.cf(lib.size, lib.twice),
}
shown = {names: list(cf.expand_back().df().columns) for names, cf in tables.items()}
if len(sys.argv) > 1:
    then = gm.open(rev=sys.argv[1])
    shown["then"] = list(then.cf("train").expand_back().df().columns)
cf = storage.cf(fit)
shown["kept"] = [cf.vnames, cf[cf["acc"] > 1].vnames] if "acc" in cf.vnames else []
print(json.dumps(shown))
hid = cf.df(values="hids").iloc[0, -1]
alike = storage.similar(gm.wrap(5), storage.load_ref(hid), context=True)
print(json.dumps(list(alike.columns)))
"""


def columns(clone: Clone, *more: str) -> list[str]:
    """Return the columns of a table on the command line, sorted."""
    done = clone.gitmemo("df", "--back", "--json", *more)
    assert done.code == 0, done.text
    return sorted({name for line in done.out.splitlines() for name in json.loads(line)})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    home = tmp_path_factory.mktemp("home")
    clone = make_project(home / "r", home)
    clone.write("lib.py", LIB)
    clone.write("script.py", SCRIPT)
    return clone


def test_python_and_the_command_line_use_the_names_of_the_program(project: Clone) -> None:
    printed = project.python("script.py").out.splitlines()
    shown = json.loads(printed[0])
    assert shown["train"] == ["n", "numbers", "rate", "acc"]
    assert shown["split"] == ["n", "numbers", "head", "amount"]
    assert shown["size"] == ["value", "result"]
    assert shown["measuring"] == ["value", "width"]
    # What the program calls `result` twice has the names of the ops.
    assert shown["size twice"] == ["value", "size", "twice"]
    assert shown["kept"] == [["data", "rate", "acc"]] * 2
    for ops, names in shown.items():
        if ops != "kept":
            assert columns(project, *ops.split()) == sorted(names)
    assert "acc = train(data=numbers, rate=rate)" in "\n".join(printed)
    assert json.loads(printed[-1]) == ["n", "numbers", "rate", "acc"]
    assert "acc = train(data=numbers, rate=rate)" in project.gitmemo("graph", "train").out
    where = ("--where", "acc > 19", "--columns", "rate,acc")
    assert columns(project, "train", *where) == ["acc", "rate"]


def test_a_revision_has_the_names_that_it_had(project: Clone) -> None:
    project.commit("names")
    project.change("acc", "score", "script.py")
    project.change("numbers = lib", "numbers = data = lib", "script.py")
    shown = json.loads(project.python("script.py", "HEAD").out.splitlines()[0])
    assert shown["train"] == ["n", "numbers", "rate", "score"]
    assert shown["then"] == ["n", "numbers", "rate", "acc"]
    assert columns(project, "train") == ["n", "numbers", "rate", "score"]
    assert columns(project, "train", "--rev", "HEAD") == ["acc", "n", "numbers", "rate"]
    assert project.git("status", "--porcelain", "--", "lib.py", ".gitmemo") == ""


TWO = """\
import gitmemo as gm


@gm.op(name="shared")
def up(x):
    return x


{second}
def down(x):
    return -x
"""


def test_two_ops_of_one_file_have_two_names(begun: Clone) -> None:
    begun.write("two.py", TWO.format(second='@gm.op(name="shared")'))
    done = begun.gitmemo("run", "two.py", code=1)
    assert "down (" in done.err and "two.py:9) calls itself 'shared', as up (" in done.err
    assert "two.py:4) does" in done.err
    begun.write("two.py", TWO.format(second='@gm.op(name="shared", version=1)'))
    begun.gitmemo("run", "two.py")
    renamed = TWO.format(second="").replace("def up", "def above").replace("\n\n\n\n", "\n\n\n")
    program = (
        "import importlib, pathlib, two\n"
        f"pathlib.Path('two.py').write_text({renamed!r})\n"
        "assert importlib.reload(two).above(3) == two.up(3) == 3"
    )
    begun.write("two.py", TWO.format(second=""))
    begun.python("-c", program, PYTHONPATH=str(begun.root), PYTHONDONTWRITEBYTECODE="1")
