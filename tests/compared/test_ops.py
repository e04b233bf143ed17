"""Ops and signatures, as far as no other test shows what `docs/compared.md` says of them."""

from __future__ import annotations

import importlib
import inspect
import types
from pathlib import Path
from typing import Any

import pytest

import gitmemo as gm
from gitmemo import errors

RUNS: list[Any] = []


@pytest.fixture(autouse=True)
def no_runs() -> None:
    RUNS.clear()


def load(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, text: str) -> types.ModuleType:
    (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(folder)
    return importlib.import_module(name)


def test_an_op_keeps_name_doc_and_signature(storage: gm.Storage) -> None:
    def area(width: int, height: int = 2) -> int:
        """Say how much there is."""
        return width * height

    decorated, called = gm.op(area), gm.op()(area)
    for made in (decorated, called):
        assert (made.__name__, made.__doc__) == ("area", "Say how much there is.")
        assert inspect.signature(made) == inspect.signature(area)
        assert made(3) == 6
    with storage:
        assert storage.unwrap(decorated(3)) == 6


def test_ops_of_one_name_in_two_modules(
    storage: gm.Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "import gitmemo as gm\n\n@gm.op\ndef same(x):\n    return x * {}\n"
    a = load(monkeypatch, tmp_path, "compared_mod_a", text.format(2))
    b = load(monkeypatch, tmp_path, "compared_mod_b", text.format(3))
    with storage:
        assert storage.unwrap([a.same(5), b.same(5), a.same(5)]) == [10, 15, 10]
    assert storage.counter.computed == 2


def test_a_given_name_outlives_the_name_of_the_function(storage: gm.Storage) -> None:
    @gm.op(name="fit")
    def train(x):
        RUNS.append("train")
        return x + 1

    @gm.op(name="fit")
    def train_model(x):
        RUNS.append("train_model")
        return x + 1

    with storage:
        assert train(1).same_as(train_model(1))
    assert RUNS == ["train"]
    assert list(storage.cf("fit").df()["x"]) == [1]


def test_every_kind_of_parameter(storage: gm.Storage) -> None:
    @gm.op
    def f(first, /, second, third=3, *rest, key, other=5, **more):
        RUNS.append(1)
        return [first, second, third, list(rest), key, other, more]

    with storage:
        same = [
            f(1, 2, key=4),
            f(1, 2, 3, key=4),
            f(1, second=2, other=5, key=4),
            f(1, key=4, second=2, third=3),
        ]
        full = f(1, 2, 3, 7, 8, key=4, a=9, b=10)
    assert len({ref.hid for ref in same}) == 1 and len(RUNS) == 2
    assert storage.unwrap(same[0]) == [1, 2, 3, [], 4, 5, {}]
    assert storage.unwrap(full) == [1, 2, 3, [7, 8], 4, 5, {"a": 9, "b": 10}]
    call = storage.get_ref_creator(full)
    assert call is not None
    assert set(call.inputs) == {
        "first", "second", "third", "rest_0", "rest_1", "key", "other", "a", "b",
    }  # fmt: skip


def test_outputs_may_be_called_like_arguments(storage: gm.Storage) -> None:
    @gm.op(output_names=["data", "output_7"])
    def clean(data, output_7=1):
        return [*data, 0], output_7 + 1

    with storage:
        data, number = clean([5])
        assert storage.unwrap((data, number)) == ([5, 0], 2)
        assert clean([5])[0].same_as(data)
    call = storage.get_ref_creator(number)
    assert call is not None
    assert list(call.inputs) == list(call.outputs) == ["data", "output_7"]
    assert len(storage.cf(clean).df()) == 1


def test_a_tuple_is_several_outputs_unless_one_is_asked_for(storage: gm.Storage) -> None:
    @gm.op
    def pair(x):
        return x, x + 1

    @gm.op
    def many(x) -> tuple[int, ...]:
        return (x,) * x

    @gm.op(nout=1)
    def point(x):
        return x, x + 1

    @gm.op
    def none_at_all():
        return ()

    with storage:
        first, second = pair(1)
        assert storage.unwrap((first, second)) == (1, 2)
        assert storage.unwrap(many(3)) == (3, 3, 3)
        assert storage.unwrap(point(1)) == (1, 2) and isinstance(point(1), gm.Ref)
        assert none_at_all() == ()


def test_inner_calls_are_stored_beside_the_outer_one(storage: gm.Storage) -> None:
    @gm.op
    def inner(x):
        RUNS.append(("inner", x))
        return x * 2

    @gm.op
    def outer(x):
        RUNS.append(("outer", x))
        return inner(x) + inner(x + 1)  # plain numbers: nothing to unwrap

    with storage:
        assert storage.unwrap(outer(1)) == 6
        inner(2)
        assert storage.unwrap(outer(2)) == 10
    assert RUNS == [("outer", 1), ("inner", 1), ("inner", 2), ("outer", 2), ("inner", 3)]


def test_each_call_can_be_watched(storage: gm.Storage) -> None:
    @gm.op
    def f(x):
        return x

    said: list[str] = []
    with storage, storage.observed(lambda event: said.append(str(event.reason))):
        f(1)
        f(1)
        f(2)
    assert said == ["new inputs", "hit", "new inputs"]


def test_what_is_no_python_function_can_be_wrapped_in_one(storage: gm.Storage) -> None:
    with pytest.raises(errors.UntrackableOp, match="not a function of Python code"):
        gm.op(len)

    @gm.op
    def length(values):
        return len(values)

    with storage:
        assert storage.unwrap(length([1, 2])) == 2


def test_a_changed_global_is_pointed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load(
        monkeypatch,
        tmp_path,
        "compared_effects",
        "import gitmemo as gm\n\nCOUNT = 0\n\n@gm.op\ndef count(x):\n"
        "    global COUNT\n    COUNT += 1\n    return COUNT\n",
    )
    storage = gm.Storage(deps_path=tmp_path)
    with storage, pytest.warns(UserWarning, match="COUNT while it ran"):
        assert storage.unwrap(module.count(1)) == 1
    assert module.COUNT == 1
    storage.close()
