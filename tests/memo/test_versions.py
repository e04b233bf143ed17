"""Versions in a running process: code and globals change under a live storage."""

from __future__ import annotations

import importlib
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gitmemo as gm

MODULE = """\
import gitmemo as gm

RUNS = []
FACTOR = 2
TABLE = {"a": 1}


def helper(x):
    return x * FACTOR


@gm.op
def outer(x):
    RUNS.append(x)
    return helper(x) + 1


@gm.op
def other(x):
    RUNS.append(("other", x))
    return x + TABLE["a"]


class Model:
    rate = 3

    def scale(self, x):
        return x * self.rate


@gm.op
def method(x):
    RUNS.append(("method", x))
    return Model().scale(x)


@gm.op
def nest(x):
    return outer(x)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    """A module under the project's root."""
    name = f"subject_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module(name)
    del sys.modules[name]


def edit(module: types.ModuleType, old: str, new: str) -> None:
    """Change the module's file and load it again."""
    assert module.__file__
    path = Path(module.__file__)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    importlib.invalidate_caches()
    for cached in (path.parent / "__pycache__").glob("*"):
        cached.unlink()
    runs = module.RUNS
    importlib.reload(module)
    module.RUNS = runs


@pytest.fixture
def value(
    versioned_storage: gm.Storage, module: types.ModuleType
) -> Callable[[str, int], tuple[object, int]]:
    """`value(op, x)`: what the op returns, and how often anything ran for it."""

    def value(op: str, x: int) -> tuple[object, int]:
        before = versioned_storage.counter.computed
        with versioned_storage:
            result = versioned_storage.unwrap(getattr(module, op)(x))
        return result, versioned_storage.counter.computed - before

    return value


Value = Callable[[str, int], tuple[object, int]]


def test_a_changed_global_counts_and_a_restored_one_too(
    value: Value, module: types.ModuleType
) -> None:
    assert value("outer", 1) == (3, 1)
    assert value("outer", 1) == (3, 0)
    module.FACTOR = 10
    assert value("outer", 1) == (11, 1)
    assert value("outer", 1) == (11, 0)
    module.FACTOR = 2
    assert value("outer", 1) == (3, 0)


def test_a_global_changed_in_the_middle_of_a_block(
    versioned_storage: gm.Storage, module: types.ModuleType
) -> None:
    with versioned_storage:
        assert versioned_storage.unwrap(module.outer(1)) == 3
        module.FACTOR = 10
        assert versioned_storage.unwrap(module.outer(1)) == 11
        module.FACTOR = 2
        assert versioned_storage.unwrap(module.outer(1)) == 3
    assert module.RUNS == [1, 1]


def test_a_global_changed_in_place(value: Value, module: types.ModuleType) -> None:
    assert value("other", 1) == (2, 1)
    module.TABLE["a"] = 5
    assert value("other", 1) == (6, 1)
    module.TABLE["a"] = 1
    assert value("other", 1) == (2, 0)


def test_a_redefined_function_counts_and_a_restored_one_too(
    value: Value, module: types.ModuleType
) -> None:
    assert value("outer", 1) == (3, 1)
    edit(module, "x * FACTOR", "x * FACTOR * 2")
    assert value("outer", 1) == (5, 1)
    edit(module, "x * FACTOR * 2", "x * FACTOR")
    assert value("outer", 1) == (3, 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    return x * FACTOR\n", "    # a comment\n    return  (x * FACTOR)\n"),
        ("def helper(x):\n", 'def helper(x):\n    """Say what it does."""\n'),
        ("def helper(x):", "def helper(x: int) -> int:"),
        ("RUNS = []", "RUNS = []\nUNUSED = 3"),
    ],
)
def test_an_edit_that_says_the_same_costs_nothing(
    value: Value, module: types.ModuleType, old: str, new: str
) -> None:
    assert value("outer", 1) == (3, 1)
    edit(module, old, new)
    assert value("outer", 1) == (3, 0)


def test_only_what_a_call_touched_counts(value: Value, module: types.ModuleType) -> None:
    value("outer", 1)
    value("other", 1)
    edit(module, "x * FACTOR", "x - FACTOR")
    assert value("other", 1) == (2, 0)
    assert value("outer", 1) == (-1 + 1, 1)


def test_methods_and_class_attributes_count(value: Value, module: types.ModuleType) -> None:
    assert value("method", 2) == (6, 1)
    edit(module, "x * self.rate", "x + self.rate")
    assert value("method", 2) == (5, 1)
    edit(module, "rate = 3", "rate = 4")
    assert value("method", 2) == (6, 1)
    edit(module, "rate = 4", "rate = 3")
    assert value("method", 2) == (5, 0)


def test_what_an_inner_call_touched_counts_for_the_outer_one(
    value: Value, module: types.ModuleType
) -> None:
    assert value("outer", 1) == (3, 1)
    assert value("nest", 1) == (3, 1), "the inner call was reused"
    module.FACTOR = 5
    assert value("nest", 1) == (6, 2)
    module.FACTOR = 2
    assert value("nest", 1) == (3, 0)


def test_why_a_call_ran_is_said(versioned_storage: gm.Storage, module: types.ModuleType) -> None:
    events = []
    with versioned_storage.observed(events.append), versioned_storage:
        module.outer(1)
        module.outer(1)
        module.FACTOR = 9
        module.outer(1)
    new, hit, changed = (event.sentence() for event in events)
    assert "not computed before" in new
    assert hit.startswith("hit")
    assert "FACTOR changed" in changed


def test_calls_without_versions_are_shown_but_not_reused(
    tmp_path: Path, module: types.ModuleType
) -> None:
    path = tmp_path / "s.db"
    plain = gm.Storage(db_path=path)
    with plain:
        module.outer(1)
    plain.close()
    versioned = gm.Storage(db_path=path, deps_path=tmp_path)
    with versioned:
        module.outer(1)
    assert versioned.counter.computed == 1
    versioned.close()
    assert module.RUNS == [1, 1]


def test_running_under_a_storage_leaves_the_program_alone(
    versioned_storage: gm.Storage, module: types.ModuleType
) -> None:
    before = {name: id(thing) for name, thing in vars(module).items()}
    code = module.helper.__code__
    with versioned_storage:
        module.outer(1)
        module.method(1)
    assert {name: id(thing) for name, thing in vars(module).items()} == before
    assert module.helper.__code__ is code
    assert sys.getprofile() is None


MAIN = """\
import gitmemo as gm

storage = gm.Storage(db_path="s.db", deps_path="__main__")
FACTOR = {factor}


def helper(x):
    return x * FACTOR


@gm.op
def f(x):
    return helper(x)


with storage:
    print(storage.unwrap(f(3)), storage.counter.computed)
"""


def test_main_is_versioned_across_processes(tmp_path: Path) -> None:
    def run(factor: int) -> str:
        (tmp_path / "script.py").write_text(MAIN.format(factor=factor))
        return subprocess.run(
            [sys.executable, "script.py"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
        ).stdout.strip()

    assert run(2) == "6 1"
    assert run(2) == "6 0"
    assert run(5) == "15 1"
    assert run(2) == "6 0"
