"""The walk through versions that people know from mandala's pages, literally.

But for `OneVsRestClassifier`: scikit-learn no longer takes the solver of the pages without it.
"""

from __future__ import annotations

import linecache
import re
import sys
import types
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from compared.conftest import script  # noqa: F401  a fixture

import gitmemo as gm
from gitmemo.model.semantics import semantic_id

OPENED = """\
from unittest.mock import patch

from gitmemo.imports import *
from gitmemo.utils import mock_input
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import StandardScaler

storage = Storage({path}deps_path='__main__')
"""
BEFORE = """\
N_CLASS = 10

@track # to track a non-memoized function as a dependency
def scale_data(X):
    return StandardScaler(with_mean=True, with_std=False).fit_transform(X)

@op
def load_data():
    X, y = load_digits(n_class=N_CLASS, return_X_y=True)
    return X, y

@op
def train_model(X, y, scale=False):
    if scale:
        X = scale_data(X)
    return OneVsRestClassifier(LogisticRegression(max_iter=1000, solver='liblinear')).fit(X, y)

@op
def eval_model(model, X, y, scale=False):
    if scale:
        X = scale_data(X)
    return model.score(X, y)
"""
RUN = """\
with storage:
    X, y = load_data()
    for scale in [False, True]:
        model = train_model(X, y, scale=scale)
        acc = eval_model(model, X, y, scale=scale)
"""
AFTER = """\
N_CLASS = 5

@track
def scale_data(X):
    return StandardScaler(with_mean=True, with_std=True).fit_transform(X)

@op
def eval_model(model, X, y, scale=False):
    if scale:
        X = scale_data(X)
    return round(model.score(X, y), 2)
"""
ANSWERED = """\
answers = ['y', 'n', 'y']

with patch('builtins.input', mock_input(answers)):
    with storage:
        X, y = load_data()
        for scale in [False, True]:
            model = train_model(X, y, scale=scale)
            acc = eval_model(model, X, y, scale=scale)
"""
COUNT = """\
print(storage.counter.reused, storage.counter.computed)
"""
SHOWN = """\
CHANGE DETECTED in N_CLASS from module __main__
Dependent components:
  Version of "load_data" from module "__main__" (content: ID, semantic: ID)
  -N_CLASS = 10
  +N_CLASS = 5
Does this change require recomputation of dependent calls?
WARNING: if the change created new dependencies and you choose 'no', you should add them by hand \
or risk missing changes in them.
Answer: [y]es/[n]o/[a]bort
You answered: "y"
CHANGE DETECTED in eval_model from module __main__
Dependent components:
  Version of "eval_model" from module "__main__" (content: ID, semantic: ID)
  Version of "eval_model" from module "__main__" (content: ID, semantic: ID)
       if scale:
           X = scale_data(X)
  -    return model.score(X, y)
  +    return round(model.score(X, y), 2)
Does this change require recomputation of dependent calls?
WARNING: if the change created new dependencies and you choose 'no', you should add them by hand \
or risk missing changes in them.
Answer: [y]es/[n]o/[a]bort
You answered: "n"
CHANGE DETECTED in scale_data from module __main__
Dependent components:
  Version of "train_model" from module "__main__" (content: ID, semantic: ID)
  Version of "eval_model" from module "__main__" (content: ID, semantic: ID)
  -@track # to track a non-memoized function as a dependency
  +@track
   def scale_data(X):
  -    return StandardScaler(with_mean=True, with_std=False).fit_transform(X)
  +    return StandardScaler(with_mean=True, with_std=True).fit_transform(X)
Does this change require recomputation of dependent calls?
WARNING: if the change created new dependencies and you choose 'no', you should add them by hand \
or risk missing changes in them.
Answer: [y]es/[n]o/[a]bort
You answered: "y"
"""


class Cells:
    """A session of cells, each shown to Python as a notebook shows it."""

    def __init__(self, name: str) -> None:
        self.module: Any = types.ModuleType("__main__")
        self._name = name
        self._number = 0

    def run(self, cell: str) -> str:
        """Run a cell; return what it printed."""
        self._number += 1
        filename = f"<ipython-input-{self._number}-{self._name}>"
        linecache.cache[filename] = (len(cell), None, cell.splitlines(keepends=True), filename)
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile(cell, filename, "exec"), vars(self.module))
        return printed.getvalue()


@pytest.fixture
def cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cells]:
    session = Cells(tmp_path.name)
    monkeypatch.setitem(sys.modules, "__main__", session.module)
    monkeypatch.delenv("GITMEMO_ON_CHANGE", raising=False)
    yield session
    for name in [name for name in linecache.cache if tmp_path.name in name]:
        del linecache.cache[name]


def printed(text: str) -> str:
    """Leave out what the pages print otherwise: ids, the frame around a difference, its context."""
    lines = []
    for line in re.sub(r": [0-9a-f]{8,}", ": ID", text).splitlines():
        if line.startswith("│"):
            line = line.strip("│").rstrip()
            if line[2:].startswith((" @op", " def eval_model", " from")) or not line.strip():
                continue
        if not line.startswith(("╭", "╰")):
            lines.append(line.rstrip())
    return "\n".join(lines) + "\n"


def versions(storage: gm.Storage, op: str) -> tuple[int, int]:
    """Count the content versions of an op in calls, and the semantic ones."""
    world = storage.world
    ids = {call.version for call in world.calls(storage._code) if call.op == f"__main__:{op}"}
    found = [world.version(version) for version in ids if version is not None]
    decisions = world.decisions()
    return len(found), len({semantic_id(v, decisions) for v in found if v is not None})


def test_versions_in_a_notebook(cells: Cells) -> None:
    cells.run(OPENED.format(path="") + BEFORE)
    cells.run(RUN)
    storage = cells.module.storage
    assert [versions(storage, op) for op in ("load_data", "train_model", "eval_model")] == [
        (1, 1),
        (2, 2),
        (2, 2),
    ]
    assert storage.counter.computed == 5
    cells.run(AFTER)
    assert printed(cells.run(ANSWERED)) == SHOWN
    assert versions(storage, "eval_model") == (4, 3)
    assert versions(storage, "load_data") == (2, 2)
    assert versions(storage, "train_model")[0] == 3
    assert storage.counter.computed == 10
    cells.run(RUN)
    assert storage.counter.computed == 10
    cells.run(BEFORE)
    assert cells.run(RUN) == "", "restored code asks nothing"
    assert storage.counter.computed == 10


def test_versions_in_scripts(script: Any, tmp_path: Path) -> None:  # noqa: F811
    opened = OPENED.format(path="'s.db', ")
    assert script(opened + BEFORE + RUN + COUNT) == "0 5"
    kept = BEFORE[BEFORE.index("@op\ndef load_data") : BEFORE.index("@op\ndef eval_model")]
    out = script(opened + AFTER + kept + ANSWERED + COUNT)
    assert printed(out.removesuffix("0 5")) == SHOWN
    assert script(opened + AFTER + kept + RUN + COUNT) == "5 0"
    assert script(opened + BEFORE + RUN + COUNT) == "5 0"


INCREMENT = """\
@op # memoization (and more) decorator
def increment(x: int) -> int: # always indicate number of outputs in return type
    print('hi from increment!')
    return x + 1
"""
AVERAGE = """\
@op # type-annotate data structures to store elts separately
def average(nums: list) -> float:
    print('hi from average!')
    return sum(nums) / len(nums)
"""
SLIDING = """\
with storage.run():
    # sliding averages of `increment`'s results over 3 elts
    nums = [increment(i) for i in range(5)]
    for i in range(3):
        result = average(nums[i:i+3])
"""


def test_only_one_new_call_of_average(cells: Cells) -> None:
    cells.run("from gitmemo.imports import *\nstorage = Storage(deps_path='__main__')\n")
    cells.run(INCREMENT)
    assert cells.run("with storage.run():\n    y = increment(23)\n") == "hi from increment!\n"
    assert cells.run("with storage.run():\n    y = increment(23)\n") == ""
    cells.run(AVERAGE)
    assert cells.run(SLIDING).count("hi from average!") == 3
    cells.run(INCREMENT.replace("hi from", "hi from new").replace("x + 1", "x + 2"))
    out = cells.run(
        "from unittest.mock import patch\nfrom gitmemo.utils import mock_input\n"
        "with patch('builtins.input', mock_input(['y'])):\n"
        + "".join(f"    {line}\n" for line in SLIDING.splitlines())
    )
    assert out.count("CHANGE DETECTED in increment from module __main__") == 1
    assert out.splitlines().count("hi from new increment!") == 5
    assert out.splitlines().count("hi from average!") == 1


def test_one_script_that_defines_a_function_twice(script: Any) -> None:  # noqa: F811
    out = script(
        "from unittest.mock import patch\nfrom gitmemo.imports import *\n"
        "from gitmemo.utils import mock_input\nstorage = Storage(deps_path='__main__')\n"
        + INCREMENT
        + AVERAGE
        + SLIDING
        + INCREMENT.replace("x + 1", "x + 2")
        + "with patch('builtins.input', mock_input(['y'])):\n"
        + "".join(f"    {line}\n" for line in SLIDING.splitlines())
    )
    assert "which of its definitions counts" in out
    assert (out.count("hi from increment!"), out.count("hi from average!")) == (10, 4)


GLOBAL = """\
import numpy as np
from gitmemo.imports import *

LARGE_GLOBAL = wrap_atom(np.ones((10_000, 500)))

@op
def test_op(x):
    return x + LARGE_GLOBAL.obj

storage = Storage(deps_path='__main__', strict_tracing=False)
with storage:
    y = test_op(0)
"""


def test_a_ref_in_a_global_counts_by_its_id(cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    cells.run(GLOBAL)
    storage = cells.module.storage
    assert storage.unwrap(cells.module.y).shape == (10_000, 500)
    [call] = storage.world.calls(storage._code)
    [large] = [c for c in storage.world.version(call.version).pairs if c.unit == "$LARGE_GLOBAL"]
    from gitmemo.tracing import values

    def refused(value: object) -> bytes:
        assert not hasattr(value, "nbytes"), "hashed again"
        return b""

    monkeypatch.setattr(values, "content_id", refused)
    cells.run("with storage:\n    y = test_op(0)\n")
    assert storage.counter.computed == 1
    found = storage.world.version(call.version).pairs[large]
    assert found.value == cells.module.LARGE_GLOBAL._cid
    monkeypatch.undo()
