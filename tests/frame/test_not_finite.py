"""NaN and the infinities are numbers like others, though no record can hold them: JSON has none."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable
from pathlib import Path

import pytest
from driver import Clone, make_clone

import gitmemo as gm
from gitmemo.frames import ComputationFrame

NAN, INF = math.nan, math.inf


@gm.op(output_names=["loss"])
def lose(rate):
    return rate * 2


@gm.op(output_names=["top"])
def worst(losses):
    return max(losses)


def in_order(values: Iterable[float]) -> str:
    """Return numbers as text, smallest first: calls of one millisecond have an order of their own."""
    return str(sorted(values, key=lambda value: (math.isnan(value), value)))


@pytest.fixture(scope="module")
def cf() -> ComputationFrame:
    storage = gm.Storage()
    with storage:
        for rate in (1.0, NAN, INF, 0.5, -INF):
            lose(rate)
    return storage.cf(lose)


def test_a_column_with_one_that_is_not_finite_is_one_of_floats(cf: ComputationFrame) -> None:
    table = cf.df()
    assert [str(dtype) for dtype in table.dtypes] == ["float64", "float64"]
    assert in_order(table["loss"]) == "[-inf, 1.0, 2.0, inf, nan]"
    assert in_order(cf.get_func_table("lose")["rate"]) == "[-inf, 0.5, 1.0, inf, nan]"


def test_they_are_sorted_as_numbers_and_nan_is_last_both_ways(cf: ComputationFrame) -> None:
    assert str(cf.sort("loss").df()["loss"].tolist()) == "[-inf, 1.0, 2.0, inf, nan]"
    down = cf.sort("loss", ascending=False).df()["loss"].tolist()
    assert str(down) == "[inf, 2.0, 1.0, -inf, nan]"


def test_conditions_on_them_need_no_storage(cf: ComputationFrame) -> None:
    alone = ComputationFrame(cf.universe, cf.selected)
    assert in_order(alone.query("loss > 1.5").df()["loss"]) == "[2.0, inf]"
    assert in_order(alone.query("-1e999 < loss < 1e999").df()["loss"]) == "[1.0, 2.0]"
    assert in_order(alone[alone["loss"].isin([NAN, -INF])].df()["loss"]) == "[-inf, nan]"


def test_elements_of_lists_are_numbers_too() -> None:
    storage = gm.Storage()
    with storage:
        worst([lose(rate) for rate in (1.0, NAN)])
    table = storage.cf(worst).expand_back().df("losses", "loss", "top", explode=True)
    assert str(table["loss"].tolist()) == "[2.0, nan]"


def test_patterns_show_them_too() -> None:
    storage = gm.Storage()
    with storage:
        results = [lose(rate) for rate in (INF, NAN, 1.0, -INF)]
    table = storage.similar(results[0], context=True)
    assert str(table["loss"].tolist()) == "[-inf, 2.0, inf, nan]"


PROGRAM = """
import gitmemo as gm

@gm.op(output_names=["loss"])
def lose(rate):
    return rate * 2

if __name__ == "__main__":
    with gm.open():
        for rate in (1.0, float("nan"), float("inf"), 0.5, None):
            lose(rate) if rate is not None else lose(-1e999)
"""


def test_on_the_command_line(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    clone: Clone = make_clone(tmp_path / "project", tmp_path / "home")
    clone.gitmemo("init")
    clone.write("exp.py", PROGRAM)
    clone.gitmemo("run", "exp.py")

    def strict(name: str) -> object:
        raise AssertionError(f"{name} is no JSON")

    lines = clone.gitmemo("df", "lose", "--json").out.splitlines()
    found = [json.loads(line, parse_constant=strict) for line in lines]
    assert {row["loss"] for row in found} == {2.0, "NaN", "Infinity", 1.0, "-Infinity"}
    rows = list(csv.DictReader(clone.gitmemo("df", "lose", "--csv").out.splitlines()))
    assert {row["loss"] for row in rows} == {"2.0", "nan", "inf", "1.0", "-inf"}
    chosen = clone.gitmemo(
        "df", "lose", "--where", "loss > 1.5", "--sort", "-loss", "--columns", "loss"
    )
    assert chosen.out.split() == ["loss", "inf", "2"]
    pytest.importorskip("pyarrow")
    clone.gitmemo("df", "lose", "--parquet", str(tmp_path / "t.parquet"))
    table = pd.read_parquet(tmp_path / "t.parquet")
    assert in_order(table["loss"]) == "[-inf, 1.0, 2.0, inf, nan]"
