"""Globals that are filled when they are first used: every later call depends on what filled them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAD = "import gitmemo as gm\n"
# Each has two ops that read what the first call filled, and `load`, which is edited.
CASES = {
    "a global": """
V = None
def get(k):
    global V
    if V is None: V = load(1)
    return V * k
""",
    "a dict": """
V = {}
def get(k):
    if k not in V: V[k] = load(k)
    return V[k]
""",
    "a name that no statement binds": """
def get(k):
    import sys
    m = sys.modules[__name__]
    if not hasattr(m, "zz"): m.zz = load(1)
    return m.zz * k
""",
    "a weak dict": """
import weakref
class A: pass
V, KEPT = weakref.WeakValueDictionary(), []
def get(k):
    if k not in V:
        a = A()
        a.v = load(k)
        KEPT.append(a)
        V[k] = a
    return V[k].v
""",
    "what another one is filled with": """
V, W = None, None
def inner():
    global W
    if W is None: W = load(1)
    return W
def get(k):
    global V
    if V is None: V = inner()
    return V * k
""",
    "functions in a dict": """
V = {}
LOADERS = {"a": load}
def get(k):
    if "a" not in V: V["a"] = LOADERS["a"](1)
    return V["a"] * k
""",
    "under a lock": """
import threading
V, LOCK = None, threading.Lock()
def get(k):
    global V
    with LOCK:
        if V is None: V = load(1)
    return V * k
""",
    "by another function": """
V = {}
def fill():
    if not V: V["a"] = load(1)
def get(k):
    fill()
    return V["a"] * k
""",
}
OPS = """
def load(k): return {"w": <<>>}["w"] * k
CACHE
@gm.op
def f(x): return get(x)
@gm.op
def g(x): return get(x) + 1
def run(): return [f(1), g(1), f(2), g(2), f(1)]
"""
MAIN = """
import importlib, json, sys, warnings
import gitmemo as gm
storage = gm.Storage(db_path=sys.argv[1], deps_path=".")
found = {}
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    for name in sys.argv[2:]:
        module = importlib.import_module(name)
        with storage:
            found[name] = [storage.unwrap(ref) for ref in module.run()]
storage.close()
said = sorted({(w.message.op, w.message.said) for w in told if isinstance(w.message, gm.GlobalChanged)})
print(json.dumps([found, storage.counter.computed, said]))
"""


def run(
    folder: Path, database: str, *modules: str
) -> tuple[dict[str, list[int]], int, list[list[str]]]:
    command = [sys.executable, "main.py", database, *modules]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found, computed, said = json.loads(done.stdout)
    return found, computed, said


def write(folder: Path, value: int) -> list[str]:
    folder.joinpath("main.py").write_text(MAIN)
    names = []
    for number, cache in enumerate(CASES.values()):
        names.append(f"case_{number}")
        text = HEAD + OPS.replace("CACHE", cache).replace("<<>>", str(value))
        folder.joinpath(f"{names[-1]}.py").write_text(text)
    return names


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, list[int]]]]:
    """Return what each case gave before the edit, after it, and after it without earlier results."""
    folder = tmp_path_factory.mktemp("filled")
    names = write(folder, 2)
    before, _, _ = run(folder, "kept.db", *names)
    again, computed, _ = run(folder, "kept.db", *names)
    assert (again, computed) == (before, 0)
    write(folder, 30)
    after, _, _ = run(folder, "kept.db", *names)
    anew, _, _ = run(folder, "new.db", *names)
    runs = (before, after, anew)
    return {case: [each[name] for each in runs] for case, name in zip(CASES, names, strict=True)}


@pytest.mark.parametrize("case", CASES)
def test_every_call_depends_on_what_filled_a_global(
    results: dict[str, list[list[int]]], case: str
) -> None:
    before, after, anew = results[case]
    assert before == [2, 3, 4, 5, 2]
    assert after == anew == [30, 31, 60, 61, 30]


LAZY = """
import gitmemo as gm
RATE = 1
V = None
N = 0
def load(): return 2 * RATE
def get():
    global V
    if V is None: V = load()
    return V
def count():
    global N
    N += 1
@gm.op
def train(x):
    count()
    return get() * x
@gm.op
def evaluate(x):
    count()
    return get() + x
@gm.op
def other(x):
    count()
    return x
ORDER = "train evaluate other"
RATES = {}
def run():
    global RATE
    found = []
    for name in ORDER.split():
        RATE = RATES.get(name, 1)
        found.append(globals()[name](1))
    return found
"""


def lazy(folder: Path, **changes: str) -> tuple[list[int], int, list[list[str]]]:
    text = LAZY
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    folder.joinpath("main.py").write_text(MAIN)
    folder.joinpath("lazy.py").write_text(text)
    found, computed, said = run(folder, "kept.db", "lazy")
    return found["lazy"], computed, said


def test_who_filled_it_first_makes_no_difference(tmp_path: Path) -> None:
    found, computed, said = lazy(tmp_path)
    assert (found, computed) == ([2, 3, 1], 3)
    # What only found it filled did not change it; all of them count.
    assert [op for op, what in said if what == "the global V"] == ["lazy:train"]
    assert lazy(tmp_path, order=("train evaluate other", "other evaluate train"))[1] == 0
    # Nor does who fills it depend on who else did.
    assert lazy(tmp_path, op=("get() * x", "get() * x * 10"))[:2] == ([20, 3, 1], 1)
    # A function that changes a global, too, but has nothing to do with the edit.
    assert lazy(tmp_path, load=("2 * RATE", "4 * RATE"))[:2] == ([4, 5, 1], 2)


def test_it_counts_as_it_was_when_the_global_was_filled(tmp_path: Path) -> None:
    rates = ("RATES = {}", 'RATES = {"train": 7, "evaluate": 1}')
    assert lazy(tmp_path, rates=rates)[0] == [14, 15, 1]
    order = ("train evaluate other", "evaluate")
    assert lazy(tmp_path, order=order)[0] == [3]
    both = ("2 * RATE", "3 * RATE"), ("return get() + x", "return get() + x + RATE")
    assert lazy(tmp_path, rates=rates, load=both[0], op=both[1])[0] == [21, 23, 1]
    assert lazy(tmp_path, order=order, load=both[0], op=both[1])[0] == [5]


def test_a_cache_that_is_untracked_still_counts_by_what_fills_it(tmp_path: Path) -> None:
    untracked = ("@gm.op\n", '@gm.op(untracked=["V"])\n')
    assert lazy(tmp_path, untracked=untracked)[0] == [2, 3, 1]
    changed = lazy(tmp_path, untracked=untracked, load=("2 * RATE", "4 * RATE"))
    assert changed[0] == [4, 5, 1]
