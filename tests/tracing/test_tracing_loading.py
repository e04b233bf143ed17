"""Files that are edited after they were imported and before gitmemo looks at them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from driver import Clone, make_clone

from gitmemo.tracing.loading import age_by_ps, process_began

LIB = """
import threading

class Kind:
    RATE = 5

class Held:
    def __init__(self, n):
        self.n, self.lock = n, threading.Lock()

SIZE = 5
HELD = Held(5)
BUILT = sum([5])

def from_class(): return Kind.RATE
def from_held(): return HELD.n
def from_size(): return SIZE
def from_built(): return BUILT
def from_none(): return 7
"""

PROGRAM = """
import importlib, pathlib, sys, warnings

words = dict(word.split("=", 1) for word in sys.argv[1:])
ran = []
if "import" in words:
    import lib
    file = pathlib.Path(lib.__file__)
    if words["import"]:
        file.write_text(file.read_text().replace(*words["import"].split(">")))

import gitmemo as gm

storage = gm.open()

@gm.op
def klass():
    import lib
    ran.append("klass")
    return lib.from_class()

@gm.op
def held():
    import lib
    ran.append("held")
    return lib.from_held()

@gm.op
def size():
    import lib
    ran.append("size")
    return lib.from_size()

@gm.op
def built():
    import lib
    ran.append("built")
    return lib.from_built()

@gm.op
def none():
    import lib
    ran.append("none")
    return lib.from_none()

with warnings.catch_warnings(record=True) as caught, storage:
    warnings.simplefilter("always")
    if "write" in words:
        import lib
        file = pathlib.Path(lib.__file__)
        file.write_text(file.read_text().replace(*words["write"].split(">")))
        importlib.reload(lib)
    for op in (klass, held, size, built, none):
        print(storage.unwrap(op()), end=" ")
edited = [w for w in caught if w.category.__name__ == "EditedAfterImport"]
print("|", *ran, "|", len(edited))
assert all("lib.py" in str(w.message) and "restart" in str(w.message) for w in edited)
"""

ALL_FIVE = "5 5 5 5 7"
EVERY = ["klass", "held", "size", "built", "none"]


class Runs:
    def __init__(self, clone: Clone, cached: bool) -> None:
        self.clone = clone
        self.cached = cached

    def __call__(self, *words: str) -> tuple[str, list[str], int]:
        """Return what the ops gave, those that ran, and how many warnings there were."""
        variables = {"PYTHONDONTWRITEBYTECODE": "" if self.cached else "1"}
        told = self.clone.python("program.py", *words, **variables).out.strip()
        values, ran, warned = (part.strip() for part in told.split("|"))
        return values, ran.split(), int(warned)

    def say(self, old: str = "", new: str = "") -> None:
        self.clone.write("lib.py", LIB.replace(old, new) if old else LIB)


@pytest.fixture(params=[True, False], ids=["cached", "uncached"])
def runs(request: pytest.FixtureRequest, tmp_path: Path) -> Runs:
    clone = make_clone(tmp_path / "project", tmp_path)
    clone.gitmemo("init")
    made = Runs(clone, request.param)
    clone.write("program.py", PROGRAM)
    made.say()
    return made


def test_what_was_edited_before_the_first_block_is_never_a_wrong_hit(runs: Runs) -> None:
    assert runs("import=5>61") == (ALL_FIVE, EVERY, 1)
    # What ran now is the text of no file; only what the edit did not touch is found again.
    assert runs() == ("61 61 61 61 7", EVERY[:-1], 0)
    runs.say()
    assert runs()[::2] == (ALL_FIVE, 0)


def test_a_file_that_is_not_edited_is_believed(runs: Runs) -> None:
    assert runs("import=") == (ALL_FIVE, EVERY, 0)  # written a moment before the program began
    assert runs() == (ALL_FIVE, [], 0)
    runs.say("5", "61")
    os.utime(runs.clone.root / "lib.py", (1, 1))
    assert runs("import=") == ("61 61 61 61 7", EVERY[:-1], 0)


def test_a_reloaded_module_is_believed_where_python_caches_it(runs: Runs) -> None:
    values, ran, warned = runs("write=5>61")
    assert (values, ran) == ("61 61 61 61 7", EVERY)
    assert warned == (0 if runs.cached else 1)
    assert runs() == ("61 61 61 61 7", [] if runs.cached else ["klass", "held"], 0)


def test_the_age_of_this_process() -> None:
    ago = (time.time_ns() - process_began()) / 1e9
    assert 0 < ago < 86400
    assert sys.platform != "linux" or -0.1 < age_by_ps() - ago < 2.2
