"""The history of a value as Python code: complete, in order, deterministic, and it computes the value."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gitmemo as gm
from gitmemo.errors import RefMisuse


@gm.op
def load(size):
    return list(range(size))


@gm.op(output_names=["model", "loss"])
def train(data, rate=1):
    return {"w": sum(data) * rate}, rate


@gm.op
def evaluate(model, loss):
    return model["w"] + loss


@gm.op
def add(a, b):
    return a + b


@gm.op
def gather(first, *rest, scale=1, **named):
    return [first, list(rest), scale, list(named.items())]


OPS: dict[str, Callable[..., Any]] = {
    op.__name__: op.__wrapped__ for op in (load, train, evaluate, add, gather)
}


def run(code: str) -> dict[str, Any]:
    namespace: dict[str, Any] = dict(OPS)
    exec(code, namespace)
    return namespace


def test_a_pipeline_reads_like_the_program(tmp_path: Path) -> None:
    storage = gm.Storage(db_path=tmp_path / "s.db")
    with storage:
        data = load(3)
        model, loss = train(data, rate=2)
        score = evaluate(model, loss)
    assert storage.prov(score).splitlines() == [
        "load_1 = load(size=3)",
        "model, loss = train(data=load_1, rate=2)",
        "evaluate_1 = evaluate(model=model, loss=loss)",
    ]
    assert gm.prov(score) == storage.prov(score)
    assert run(storage.prov(score))["evaluate_1"] == storage.unwrap(score)
    assert storage.prov(loss).splitlines() == storage.prov(score).splitlines()[:2]
    storage.close()
    again = gm.Storage(db_path=tmp_path / "s.db")
    assert again.prov(again.load_ref(score.hid, in_memory=False)).count("\n") == 2


def test_a_value_without_history_is_a_literal() -> None:
    assert gm.prov(gm.wrap({"a": [1, None]})) == "{'a': [1, None]}"
    assert gm.Storage().prov(gm.wrap("x")) == "'x'"
    array = gm.prov(gm.wrap(np.zeros((100, 100))))
    assert array.startswith("...  # ndarray float64 (100, 100), cid ")


def test_a_ref_of_no_storage_says_so() -> None:
    import pickle

    with gm.Storage():
        ref = load(1)
    lost = pickle.loads(pickle.dumps(ref))
    with pytest.raises(RefMisuse, match="no storage"):
        gm.prov(lost)


def test_large_inputs_and_secrets_are_not_written_out(tmp_path: Path) -> None:
    storage = gm.Storage(db_path=tmp_path / "s.db")

    @gm.op(name="fit")
    def fit(x, y, password):
        return 1

    x = np.zeros(10_000)
    with storage:
        ref = fit(x, x, "hunter2-hunter2")
    lines = storage.prov(ref).splitlines()
    assert lines[0].startswith("x = ...  # array 80.1 kB, cid ")
    assert lines[1].startswith("password = ...  # not stored, cid ")
    assert lines[2] == "fit_1 = fit(x=x, y=x, password=password)"
    assert "hunter2" not in storage.prov(ref)
    ast.parse(storage.prov(ref))


def test_each_call_is_written_once_and_shared() -> None:
    with gm.Storage() as storage:
        ref = add(1, 1)
        for _ in range(50):
            ref = add(ref, ref)
    lines = storage.prov(ref).splitlines()
    assert len(lines) == 51
    assert run(storage.prov(ref))["add_51"] == storage.unwrap(ref) == 2**51


def test_a_chain_of_thousands_of_calls() -> None:
    with gm.Storage() as storage:
        ref = add(0, 1)
        for _ in range(3_000):
            ref = add(ref, 1)
    lines = storage.prov(ref).splitlines()
    assert len(lines) == 3_001
    assert run(storage.prov(ref))["add_3001"] == 3_001


@pytest.mark.deep
def test_a_chain_of_thirty_thousand_calls() -> None:
    with gm.Storage() as storage:
        ref = add(0, 1)
        for _ in range(30_000):
            ref = add(ref, 1)
    assert storage.prov(ref).count("\n") == 30_000


def test_star_arguments_and_the_order_of_keywords() -> None:
    with gm.Storage() as storage:
        refs = [
            gather(1, 2, 3, scale=4, b=5, a=6),
            gather(1, a=6, b=5),
            gather(add(1, 2), add(1, 3), z=add(1, 2)),
            gather(first=1),
        ]
    for ref in refs:
        code = storage.prov(ref)
        assert run(code)["gather_1"] == storage.unwrap(ref), code
    assert storage.prov(refs[0]) == "gather_1 = gather(1, 2, 3, scale=4, b=5, a=6)"


def test_names_are_unique_and_shadow_nothing() -> None:
    train_too = gm.op(output_names=["train", "list", "class"], name="other")(lambda x: (x, x, x))
    with gm.Storage() as storage:
        one, _, _ = train_too(1)
        model, loss = train([1], rate=one)
        model_too, _ = train([2], rate=loss)
        score = evaluate(model_too, loss)
        total = add(score, evaluate(model, loss))
    code = storage.prov(total)
    module = ast.parse(code)
    targets = [
        name.id
        for statement in module.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    ]
    assert len(targets) == len(set(targets))
    assert not {"train", "list", "class", "evaluate", "add", "other"} & set(targets)
    namespace = dict(OPS, other=lambda x: (x, x, x))
    exec(code, namespace)
    assert namespace[targets[-1]] == storage.unwrap(total)


def test_ops_of_one_name_are_told_apart() -> None:
    one = gm.op(name="a.b:f")(lambda x: x)
    two = gm.op(name="c:f")(lambda x: x)
    with gm.Storage() as storage:
        ref = two(one(1))
    assert storage.prov(ref).splitlines() == ["f_1 = a.b.f(x=1)", "f_2 = c.f(x=f_1)"]


def test_what_an_op_closes_over_is_a_comment() -> None:
    n = 3

    @gm.op(name="plus")
    def plus(x):
        return x + n

    with gm.Storage() as storage:
        ref = plus(1)
    assert storage.prov(ref) == "plus_1 = plus(x=1)  # closes over n=3"


def test_methods_and_local_ops_are_valid_code() -> None:
    @gm.op
    def local(x):
        return x

    with gm.Storage() as storage:
        ref = local(1)
    assert storage.prov(ref) == "local_1 = local(x=1)"


expressions = st.recursive(
    st.integers(-5, 5),
    lambda inner: st.tuples(inner, inner),
    max_leaves=12,
)


@given(expressions, expressions)
def test_running_the_code_gives_the_value(left: Any, right: Any) -> None:
    def build(tree: Any) -> Any:
        return add(*map(build, tree)) if isinstance(tree, tuple) else tree

    with gm.Storage() as storage:
        ref = add(build(left), build(right))
    code = storage.prov(ref)
    namespace = run(code)
    last = ast.parse(code).body[-1]
    assert isinstance(last, ast.Assign)
    assert isinstance(last.targets[0], ast.Name)
    assert namespace[last.targets[0].id] == storage.unwrap(ref)
    assert code == storage.prov(ref)
