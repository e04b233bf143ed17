"""`@op(untracked=[...])`, and globals that ops change."""

from __future__ import annotations

import importlib
import subprocess
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gitmemo as gm
from gitmemo.errors import BadOption

LIB = """
N = 1
OTHER = 1

class C:
    rate = 1

    def m(self):
        return self.rate

def helper(x):
    return x + deeper(x)

def deeper(x):
    return x
"""

SUBJECT = """
import gitmemo as gm
import {lib} as lib
from {lib} import C, helper as aid

CACHE = {{}}

@gm.op(untracked={untracked})
def f(x):
    CACHE[x] = x
    return aid(x) + lib.N + lib.OTHER + C().m()
"""

_made: list[str] = []


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[types.ModuleType, types.ModuleType]]]:
    """Return a function that makes a module with an op, and a library for it."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(untracked: str) -> tuple[types.ModuleType, types.ModuleType]:
        lib, subject = f"lib_{len(_made)}", f"main_{len(_made)}"
        _made.extend([lib, subject])
        (tmp_path / f"{lib}.py").write_text(LIB)
        text = SUBJECT.format(lib=lib, untracked=untracked.replace("LIB", lib))
        (tmp_path / f"{subject}.py").write_text(text)
        importlib.invalidate_caches()
        return importlib.import_module(subject), importlib.import_module(lib)

    before = len(_made)
    yield make
    for name in _made[before:]:
        sys.modules.pop(name, None)


def edited(module: types.ModuleType, old: str, new: str) -> None:
    """Change the file of a module and load it again."""
    assert module.__file__
    path = Path(module.__file__)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    importlib.invalidate_caches()
    importlib.reload(module)


EDITS = {
    "N": ("N = 1", "N = 2"),
    "helper": ("return x + deeper(x)", "return 2 * x + deeper(x)"),
    "deeper": ("return x\n", "return 3 * x\n"),
    "method": ("return self.rate", "return self.rate + 1"),
    "class": ("rate = 1", "rate = 2"),
}


@pytest.mark.parametrize(
    ("untracked", "left_out"),
    [
        ('["lib.N", "CACHE"]', {"N"}),
        ('["LIB.py:$N", "CACHE"]', {"N"}),
        ('["aid", "CACHE"]', {"helper"}),
        ('["lib.helper", "CACHE"]', {"helper"}),
        ('[aid, "CACHE"]', {"helper"}),
        ('[lib.deeper, aid, "CACHE"]', {"helper", "deeper"}),
        ('["C", "CACHE"]', {"class", "method"}),
        ('[C, "CACHE"]', {"class", "method"}),
        ('["C.m", "CACHE"]', {"method"}),
        ('["LIB.py:class C", "CACHE"]', {"class"}),
        ('["C.rate", "CACHE"]', {"class"}),
    ],
)
def test_what_is_untracked_does_not_count_and_nothing_else(
    project: Callable[..., tuple[types.ModuleType, types.ModuleType]],
    versioned_storage: gm.Storage,
    untracked: str,
    left_out: set[str],
) -> None:
    subject, lib = project(untracked)
    with warnings.catch_warnings():
        warnings.simplefilter("error", gm.GlobalChanged)
        with versioned_storage:
            subject.f(1)
    assert lib.__file__
    original = Path(lib.__file__).read_text()
    for what, (old, new) in EDITS.items():
        edited(lib, old, new)
        importlib.reload(subject)
        with versioned_storage:
            assert subject.f.is_cached(1) == (what in left_out), what
        edited(lib, Path(lib.__file__).read_text(), original)
        importlib.reload(subject)
        with versioned_storage:
            assert subject.f.is_cached(1), what


@pytest.mark.parametrize(
    ("untracked", "said"),
    [
        ('"CACHES"', "did you mean CACHE?"),
        ('["lib.helpr"]', r"did you mean lib\.helper?"),
        ('["LIB.py:helpr"]', r"did you mean lib_\d+\.py:helper?"),
        ('["LIB.py:$OTHERS"]', r"did you mean lib_\d+\.py:\$OTHER\?"),
        ('["lib"]', r"it is a module: name what is in it, lib\.NAME"),
        ('["len"]', "no code of the project"),
        ('["a b"]', "write a name as the code does"),
        ("[lib]", "name what is in the module"),
        ("[len]", "give a function or a class"),
        ("[5]", "give a function or a class"),
        ('["env:A=B"]', "without a value"),
    ],
)
def test_what_does_not_exist_is_refused_at_the_first_run(
    project: Callable[..., tuple[types.ModuleType, types.ModuleType]],
    versioned_storage: gm.Storage,
    untracked: str,
    said: str,
) -> None:
    subject, _ = project(untracked)
    with versioned_storage, pytest.raises(BadOption, match=said):
        subject.f(1)


def test_an_op_that_calls_it_says_so_for_itself(
    tmp_path: Path, versioned_storage: gm.Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "nested.py").write_text(
        "import gitmemo as gm\nSEEN = []\n\n@gm.op(untracked='SEEN')\ndef inner(x):\n"
        "    SEEN.append(x)\n    return x\n\n@gm.op\ndef outer(x):\n    return inner(x)\n"
        "\n@gm.op(untracked='SEEN')\ndef quiet(x):\n    return inner(x)\n"
    )
    nested = importlib.import_module("nested")
    with versioned_storage:
        with warnings.catch_warnings():
            warnings.simplefilter("error", gm.GlobalChanged)
            nested.quiet(1)
        with pytest.warns(
            gm.GlobalChanged,
            match=r"nested:outer changed the global SEEN while it ran \(nested.py:2\)",
        ):
            nested.outer(2)
    del sys.modules["nested"]


# --- globals that ops change ------------------------------------------------------

PROGRAM = """
import sys, warnings
import gitmemo as gm
import lib
{text}

def show(message, category, *_):
    print(category.__name__, message)

warnings.showwarning = show
storage = gm.Storage(db_path="x.db", deps_path=".")
with storage:
    for number in map(int, sys.argv[1:]):
        storage.unwrap(f(number))
print(storage.counter.computed)
"""

CHANGES = {
    "COUNT": """
COUNT = 0
@gm.op(OPTIONS)
def f(x):
    global COUNT
    COUNT += 1
    return x
""",
    "LOG": """
LOG = []
@gm.op(OPTIONS)
def f(x):
    LOG.append(x)
    return x
""",
    "MEMO": """
MEMO = {}
def helper(x):
    if x not in MEMO:
        MEMO[x] = x
    return MEMO[x]
@gm.op(OPTIONS)
def f(x):
    return helper(x)
""",
    "MADE": """
@gm.op(OPTIONS)
def f(x):
    global MADE
    MADE = x
    return MADE
""",
    "ONCE": """
ONCE = None
@gm.op(OPTIONS)
def f(x):
    global ONCE
    if ONCE is None:
        ONCE = [1]
    return x
""",
    "main.py:class C": """
class C:
    n = 0
    @classmethod
    def bump(cls):
        cls.n += 1
@gm.op(OPTIONS)
def f(x):
    C.bump()
    return x
""",
    "state": """
class S:
    n = 0
    def bump(self):
        self.n += 1
state = S()
@gm.op(OPTIONS)
def f(x):
    state.bump()
    return x
""",
    "lib.py:$N": """
@gm.op(OPTIONS)
def f(x):
    lib.N = lib.N + 1
    return x
""",
    "lib.py:$NEW": """
@gm.op(OPTIONS)
def f(x):
    lib.NEW = x
    return x
""",
    "rng": """
import random
rng = random.Random(0)
@gm.op(OPTIONS)
def f(x):
    return x + rng.random()
""",
}


class Program:
    """A script and its storage."""

    def __init__(self, folder: Path, text: str) -> None:
        self._folder = folder
        (folder / "lib.py").write_text("N = 0\n")
        (folder / "main.py").write_text(PROGRAM.format(text=text))

    def run(self, *numbers: int) -> tuple[list[str], int]:
        """Return the warnings, and how many calls were computed."""
        command = [sys.executable, "main.py", *map(str, numbers)]
        done = subprocess.run(
            command, cwd=self._folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        *said, computed = done.stdout.splitlines()
        return said, int(computed)


@pytest.mark.parametrize("name", CHANGES)
def test_a_global_that_an_op_changes_is_reported_once_and_results_are_found(
    tmp_path: Path, name: str
) -> None:
    program = Program(tmp_path, CHANGES[name].replace("OPTIONS", ""))
    said, computed = program.run(1, 1, 2, 3)
    assert computed == 3
    assert len(said) == 1
    assert said[0].startswith("GlobalChanged main:f changed ")
    assert name.rpartition("$")[2].rpartition(":")[2] in said[0]
    program.run(3, 2, 1)  # what depended on the value is computed for a new process, once
    assert program.run(1, 2, 3) == ([], 0)
    assert program.run(3, 1, 2) == ([], 0)


@pytest.mark.parametrize("name", CHANGES)
def test_the_remedy_can_be_copied_from_the_warning(tmp_path: Path, name: str) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    said, _ = Program(tmp_path / "first", CHANGES[name].replace("OPTIONS", "")).run(1)
    _, _, rest = said[0].partition("@op(")
    option = rest.partition(")")[0]
    assert option == f'untracked=["{name}"]'
    program = Program(tmp_path / "second", CHANGES[name].replace("OPTIONS", option))
    assert program.run(1, 2, 3) == ([], 3)
    assert program.run(3, 1, 2) == ([], 0)


def test_an_op_that_reads_what_others_change_is_computed_for_each_value_and_says_so(
    tmp_path: Path, versioned_storage: gm.Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "reader.py").write_text(
        "import gitmemo as gm\nCOUNT = 0\n\n@gm.op\ndef bump(x):\n    global COUNT\n    COUNT += 1\n"
        "\n@gm.op\ndef read(x):\n    return COUNT\n"
    )
    reader = importlib.import_module("reader")
    with versioned_storage, pytest.warns(gm.GlobalChanged) as warned:
        for number in range(1, 4):
            reader.bump(number)
            assert versioned_storage.unwrap(reader.read(0)) == number
    said = [str(warning.message) for warning in warned]
    assert len(said) == 2
    assert {warning.filename for warning in warned} == {__file__}
    assert said[0].startswith("reader:bump changed the global COUNT while it ran (reader.py:2)")
    assert said[1].startswith("reader:read depends on the global COUNT (reader.py:2), which other")
    del sys.modules["reader"]


def test_a_cache_that_several_ops_fill_costs_no_result(tmp_path: Path) -> None:
    text = """
MEMO = {}
def helper(x):
    if x not in MEMO:
        MEMO[x] = x
    return MEMO[x]
@gm.op
def g(x):
    return helper(1) + x
@gm.op
def f(x):
    return helper(x)
_f = f
def f(x):
    _f(x)
    return g(0)
"""
    program = Program(tmp_path, text)
    said, computed = program.run(1, 2, 3, 4)
    assert computed == 5  # g only once, although MEMO has grown after it
    # g finds filled what it needs.
    assert [line.split()[1] for line in said] == ["main:f"]
    assert program.run(4, 3, 2, 1) == ([], 0)
    assert program.run(1, 2) == ([], 0)


def test_a_function_that_only_reads_a_cache_does_not_count_as_filling_it(tmp_path: Path) -> None:
    text = """
TABLE = {}
@gm.op
def fill(x):
    TABLE.update({0: x})
@gm.op
def look(x):
    return TABLE.get(0)
def f(x):
    fill(x)
    ref = look(0)
    print(storage.unwrap(ref))
    return ref
"""
    program = Program(tmp_path, text)
    said, computed = program.run(1, 2)
    assert [line for line in said if line.isdigit()] == ["1", "2"]
    assert computed == 4
