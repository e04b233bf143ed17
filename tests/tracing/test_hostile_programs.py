"""Programs that rewrite themselves, objects that do not let themselves be looked at, forged facts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from driver import Clone, make_clone

from gitmemo.display.asking import InputAsker
from gitmemo.errors import Aborted
from gitmemo.tracing import Project
from gitmemo.tracing.modules import Modules
from gitmemo.tracing.observations import Observations

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
