"""Programs that rewrite themselves, objects that do not let themselves be looked at, forged facts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from driver import Clone, make_clone

from gitmemo.display.asking import InputAsker
from gitmemo.errors import Aborted
from gitmemo.hashing.digest import digest
from gitmemo.tracing import Project
from gitmemo.tracing.callables import functions_inside
from gitmemo.tracing.guards import guard_for
from gitmemo.tracing.modules import Modules
from gitmemo.tracing.observations import Observations
from gitmemo.tracing.values import ValueIds

LIB = """
LOG = [1]
def f(x):
    LOG.append(x)
    return sum(LOG)
"""

RELOADING = """
import importlib, pathlib, sys
import gitmemo as gm
import lib

storage = gm.open()

@gm.op
def g(x):
    return lib.f(x)

def edit(old, new):
    file = pathlib.Path(lib.__file__)
    file.write_text(file.read_text().replace(old, new))

with storage:
    if sys.argv[1:]:
        print(storage.unwrap(g(1)))
        edit("[1]", "[100]")
        importlib.reload(lib)
        print(storage.unwrap(g(1)), storage.unwrap(g(2)))
        edit("[100]", "[1]")
    else:
        print(storage.unwrap(g(2)))
"""

GREEDY = """
import gitmemo as gm

storage = gm.open()

class Config:
    def __init__(self, held):
        self.held = held

    def __getattr__(self, name):
        return self.__dict__["held"][name]

settings = Config({"z": 1})

@gm.op
def g(x):
    return x + settings.z

with storage:
    print(storage.unwrap(g(1)))
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    folder = tmp_path_factory.mktemp("hostile")
    made = make_clone(folder / "project", folder)
    made.gitmemo("init")
    return made


def test_variables_of_a_reloaded_module_count_by_their_new_text(clone: Clone) -> None:
    clone.write("lib.py", LIB)
    clone.write("reloading.py", RELOADING)
    assert clone.python("reloading.py", "edit").out.split() == ["2", "101", "103"]
    assert clone.python("reloading.py").out.split() == ["3"]


def test_an_object_that_makes_up_attributes_does_not_break_a_call(clone: Clone) -> None:
    clone.write("greedy.py", GREEDY)
    assert clone.python("greedy.py").out.split() == ["2"]


@pytest.mark.parametrize(
    "path", ["../x.py", "/x.py", "a/../../x.py", "C:/x.py", "a\n.py", "", "a\\b"]
)
def test_paths_in_facts_stay_in_the_project(path: str, tmp_path: Path) -> None:
    assert Project(tmp_path).file_of(path) is None


def test_only_regular_files_of_the_project_are_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    os.mkfifo(root / "pipe.py")
    (tmp_path / "secret.py").write_text("N = 1\n")
    (root / "link.py").symlink_to(tmp_path / "secret.py")
    modules = Modules(Project(root))
    assert modules.on_disk("pipe.py", Observations()) is None
    assert modules.on_disk("link.py", Observations()) is None


def test_an_input_that_returns_nothing_gives_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitmemo.display.asking.describe", lambda case: iter(()))
    with pytest.raises(Aborted):
        InputAsker(lambda prompt: None).answer(None, 1, 1)  # type: ignore[arg-type, return-value]


MOCKED = """
from unittest import mock
import gitmemo as gm
import lib

storage = gm.open()
FAKE = mock.MagicMock(return_value=3)
mock.patch("lib.f", return_value=4).start()

@gm.op
def g(x):
    return x + FAKE(x) + lib.f(x)

@gm.op
def h(given):
    return given.n

with storage:
    print(storage.unwrap(g(1)), storage.unwrap(g(1)))
    for given in (mock.MagicMock(n=1), mock.MagicMock(side_effect=[1]), mock.Mock(n=2)):
        try:
            print(storage.unwrap(h(given)))
        except gm.errors.GitmemoError as error:
            print(type(error).__name__, error)
"""


def test_mocks_in_globals_and_arguments_do_not_keep_a_call_from_ending(clone: Clone) -> None:
    clone.write("lib.py", "def f(x): return x\n")
    clone.write("mocked.py", MOCKED)
    done = clone.python("mocked.py")
    lines = done.out.splitlines()
    assert (lines[0], lines[1], lines[-1]) == ("8 8", "1", "2")
    assert lines[2].startswith("Unhashable argument 'given' of mocked:h cannot be hashed")
    assert "changed the global FAKE" in done.err


class Growing:
    """Makes two more of its kind whenever it is looked into."""

    def __getstate__(self) -> object:
        return {"left": Growing(), "right": Growing()}


def a_shared_list() -> object:
    found: object = [object]
    for _ in range(50):
        found = [found, found]
    return found


def a_shared_tuple() -> object:
    found: object = (Growing.__getstate__, [1])
    for _ in range(50):
        found = (found, found)
    return found


def a_shared_object() -> object:
    found = Clone
    for _ in range(50):
        found = SimpleNamespace(left=found, right=found)  # type: ignore[assignment]
    return found


def a_shared_function() -> object:
    def joined(each: Callable[[], int]) -> Callable[[], int]:
        return lambda: each() + each()

    found: Callable[[], int] = int
    for _ in range(50):
        found = joined(found)
    return found


def an_object_of_its_own_methods() -> object:
    class Table:
        def run(self) -> None: ...

    found = Table()
    for number in range(60):
        setattr(found, f"run{number}", found.run)
    return found


@pytest.mark.parametrize(
    "make",
    [
        Growing,
        a_shared_list,
        a_shared_tuple,
        a_shared_object,
        a_shared_function,
        an_object_of_its_own_methods,
    ],
)
def test_looking_into_a_value_ends(make: Callable[[], object]) -> None:
    def describe(code: object) -> str | None:
        return f"here:{code.__qualname__}" if code.__module__ == __name__ else None  # type: ignore[attr-defined]

    value, ids = make(), ValueIds(None, describe)
    assert len(list(functions_inside(value))) < 100
    guard = guard_for(value, lambda: ids.or_type(value, digest(b"")))
    assert guard is None or guard()
