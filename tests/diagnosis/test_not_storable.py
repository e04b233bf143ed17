"""What cannot be stored: said before an expensive body runs, and no result is lost after it."""

from __future__ import annotations

import copy
import pickle
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gitmemo as gm
from gitmemo.errors import GitmemoError, InputMutated, Unencodable, Unhashable, WrongOutputs

RUNS: list[str] = []


class Handle:
    """Has a content id, but refuses to be written."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> Any:
        raise TypeError("a handle stays here")


@gm.hasher(Handle)
def hash_handle(handle: Handle) -> object:
    return handle.number


@pytest.fixture(autouse=True)
def no_runs() -> None:
    RUNS.clear()


@pytest.fixture
def an_open_file(tmp_path: Path) -> Iterator[Any]:
    with (tmp_path / "f.txt").open("w") as file:
        yield file


def kinds(an_open_file: Any) -> list[object]:
    return [
        threading.Lock(),
        threading.Thread(),
        an_open_file,
        (n for n in range(3)),
        iter([1]),
        socket.socket(),
        weakref.ref(Handle(1)),
        Handle(2),
    ]


@gm.op
def expensive(data, options=None):
    RUNS.append("expensive")
    return 1


GIVEN: list[object] = []


@gm.op(output_names=["loss", "handle"], name="train")
def train(x):
    return 0.5, GIVEN[0]


def test_an_input_is_refused_before_the_body_runs(an_open_file: Any) -> None:
    storage = gm.Storage()
    for value in kinds(an_open_file):
        for wrap in (lambda v: v, lambda v: {"inside": [v]}):
            with storage, pytest.raises((Unhashable, Unencodable)) as caught:
                expensive(3, options=wrap(value))
            message = str(caught.value)
            assert "argument 'options' of " in message
            assert ":expensive" in message
            assert "fix: pass" in message
            assert caught.value.value is None
    assert RUNS == []


def test_what_an_op_closes_over_is_refused_before_it_runs() -> None:
    lock = threading.Lock()

    @gm.op(name="guarded")
    def guarded(x):
        RUNS.append("guarded")
        with lock:
            return x

    with gm.Storage(), pytest.raises(Unhashable, match="argument 'closure:lock' of guarded"):
        guarded(1)
    assert RUNS == []


def test_a_default_is_refused_before_the_body_runs(an_open_file: Any) -> None:
    @gm.op(name="writes")
    def writes(x, out=an_open_file):
        RUNS.append("writes")

    with gm.Storage(), pytest.raises(Unhashable, match="argument 'out' of writes"):
        writes(1)
    assert RUNS == []


def test_an_output_that_cannot_be_stored_is_named_and_not_lost(an_open_file: Any) -> None:
    for value in kinds(an_open_file):
        GIVEN[:] = [value]
        with gm.Storage(), pytest.raises((Unhashable, Unencodable)) as caught:
            train(1)
        message = str(caught.value)
        assert "output 'handle' of train" in message
        assert "`value`" in message
        assert "fix: return" in message
        loss, kept = caught.value.value  # type: ignore[misc]
        assert loss == 0.5
        assert kept is value


@pytest.mark.parametrize("value", [threading.Lock(), (n for n in ())], ids=["lock", "generator"])
def test_where_in_an_output_is_said(value: object) -> None:
    GIVEN[:] = [value]

    @gm.op(name="nested")
    def nested():
        return {"model": [1, {"culprit": GIVEN[0]}]}

    with gm.Storage(), pytest.raises(Unhashable) as caught:
        nested()
    assert "culprit" in caught.value.path
    assert type(value).__qualname__ in str(caught.value)


def test_the_result_survives_other_refusals_too() -> None:
    @gm.op(name="three", nout=2)
    def three():
        return [1], [2], [3]

    @gm.op(name="grows")
    def grows(rows):
        rows.append(4)
        return sum(rows)

    with gm.Storage(), pytest.raises(WrongOutputs) as wrong:
        three()
    assert wrong.value.value == ([1], [2], [3])
    with gm.Storage(), pytest.raises(InputMutated) as mutated:
        grows([1, 2])
    assert mutated.value.value == 7


@pytest.mark.parametrize(
    "error",
    [
        Unhashable("builtins.lock", ".x", "it is a handle", "output 'a' of f"),
        Unencodable("builtins.lock", "no", "output 'a' of f"),
        WrongOutputs("f", "2 outputs", "3"),
        InputMutated("f", "rows"),
    ],
)
def test_errors_that_keep_a_result_are_pickled_without_it(error: GitmemoError) -> None:
    error.value = threading.Lock()  # type: ignore[attr-defined]
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert again.args == error.args
    assert str(again) == str(error)
    assert again.value is None
    assert copy.copy(error).args == error.args


def test_storing_nothing_after_a_refusal() -> None:
    storage = gm.Storage()
    GIVEN[:] = [threading.Lock()]

    @gm.op(name="handle", nout=1)
    def handle():
        RUNS.append("handle")
        return GIVEN[0]

    for _ in range(2):
        with storage, pytest.raises(Unhashable):
            handle()
    assert RUNS == ["handle", "handle"]
    assert storage.counter.computed == 0


FIGURES = """\
import gitmemo as gm
from matplotlib.figure import Figure

class Mine(Figure):
    pass

@gm.op(output_names=["loss", "plot"], name="draw")
def draw(x):
    return x, {"all": [Mine()]}

with gm.Storage():
    for call in (lambda: draw(1), lambda: draw(Figure())):
        try:
            call()
        except gm.errors.FigureRefused as error:
            print(error, error.value is not None)
gm.hasher(Figure)(lambda figure: "drawn")
with gm.Storage() as storage:
    print(storage.unwrap(draw(Figure())[0]) is not None)
"""


def test_a_figure_leads_to_the_file_that_it_can_be_saved_as(tmp_path: Path) -> None:
    """A class of that name stands for matplotlib's, which the tests do not install."""
    (tmp_path / "matplotlib").mkdir()
    (tmp_path / "matplotlib/__init__.py").write_text("")
    (tmp_path / "matplotlib/figure.py").write_text("class Figure:\n    pass\n")
    (tmp_path / "program.py").write_text(FIGURES)
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    for said in (
        "output 'plot' of draw cannot be hashed: Mine at ['all'][0]",
        "figure.savefig(path); return gm.File(path)",
        "`value` True",
        "argument 'x' of draw cannot be hashed: Figure (a figure is no plain data)",
        "draw it inside the op",
    ):
        assert said in done.stdout
    assert done.stdout.endswith("False\nTrue\n"), "who gives figures a hasher has them hashed"


def test_a_list_for_several_outputs_is_to_be_wrapped() -> None:
    @gm.op(output_names=["train", "test"], name="split")
    def split(rows):
        return [rows[:1], rows[1:]]

    with gm.Storage(), pytest.raises(WrongOutputs, match=r"one list\n.*return tuple\(") as caught:
        split([1, 2])
    assert caught.value.value == [[1], [2]]
