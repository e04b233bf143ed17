"""Tables as Arrow and polars have them: types, lists, records, and what is text."""

from __future__ import annotations

import sys

import pyarrow as pa
import pytest

import gitmemo as gm
from gitmemo.errors import WrongQuestion
from gitmemo.frames import ComputationFrame


@gm.op(name="arrow_make", output_names=["number", "word", "point", "mixed", "big"])
def make(n: int) -> tuple[object, ...]:
    return n / 2, f"w{n}", {"x": n, "y": 1.5}, ({"x": n} if n == 1 else {"y": n}), "é" * 1000


@gm.op(name="arrow_total", output_names=["total"])
def total(parts: list[float]) -> int:
    return int(sum(parts))


@gm.op(name="arrow_wide", output_names=["wide"])
def wide(n: int) -> int:
    return 2**70 + n


@pytest.fixture(scope="module")
def storage() -> gm.Storage:
    with gm.Storage() as storage:
        results = [make(n) for n in (1, 2, 3)]
        total([one[0] for one in results[:2]])
        total([results[2][0]])
        wide(1)
    return storage


@pytest.fixture(scope="module")
def made(storage: gm.Storage) -> ComputationFrame:
    return storage.cf(make)


def test_columns_have_types(storage: gm.Storage, made: ComputationFrame) -> None:
    table = made.to_arrow()
    types = {name: str(table.schema.field(name).type) for name in table.column_names}
    assert types["n"] == "int64"
    assert types["number"] == "double"
    assert types["word"] == "string"
    assert types["point"] == "struct<x: int64, y: double>"
    assert types["mixed"] == "string", "records without a key are not records with an empty one"
    assert table["mixed"].to_pylist()[0] == '{"x": 1}'
    refs = made.df(values="hids")[
        "big"
    ].tolist()  # of calls of one moment, columns decide the order
    assert table["big"].to_pylist() == refs
    assert made.to_arrow("big", values="objs")["big"].to_pylist() == ["é" * 1000] * 3
    assert storage.cf(wide).to_arrow()["wide"].to_pylist() == [str(2**70 + 1)]


def test_several_values_are_lists_in_every_row(storage: gm.Storage) -> None:
    rows = storage.cf(total).expand_back()
    table = rows.to_arrow("number", "total")
    assert table.schema.field("number").type == pa.list_(pa.float64())
    assert table["number"].to_pylist() == [[0.5, 1.0], [1.5]]
    apart = rows.to_arrow("number", "total", "parts", explode=True)
    assert apart["number"].to_pylist() == [0.5, 1.0, 1.5]
    assert apart["parts_index"].to_pylist() == [0, 1, 0]
    assert pa.types.is_list(rows.to_arrow("total", "arrow_make").field("arrow_make").type)


def test_gaps_stay_gaps(storage: gm.Storage) -> None:
    both = storage.cf(make, wide)
    table = both.to_arrow()
    assert table.schema.field("number").type == pa.float64()
    assert table["number"].to_pylist() == [0.5, 1.0, 1.5, None]
    assert table.column_names == list(both.df().columns)


def test_polars(made: ComputationFrame) -> None:
    pl = pytest.importorskip("polars")
    found = made.to_polars()
    assert found["n"].dtype == pl.Int64
    assert found["point"].to_list() == made.df("point")["point"].tolist()


def test_what_is_missing_is_named(made: ComputationFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(WrongQuestion, match="polars, which is not installed") as caught:
        made.to_polars()
    assert "gitmemo[polars]" in caught.value.remedy()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(WrongQuestion, match="pyarrow, which is not installed"):
        made.to_arrow()
