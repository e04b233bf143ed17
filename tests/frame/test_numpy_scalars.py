"""Scalars of numpy are the numbers, truths, texts and moments that they are, wherever results are shown."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from driver import Clone, make_clone
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_st

import gitmemo as gm
from gitmemo.cli import main
from gitmemo.errors import WrongQuestion
from gitmemo.frames import ComputationFrame
from gitmemo.hashing.encoding import part
from gitmemo.model.items import Item, raw
from gitmemo.model.plain import exact, told

PROGRAM = """\
import numpy as np
import gitmemo as gm

storage = gm.open()


@gm.op(output_names=["mean", "single", "n", "is_high", "day", "whole"])
def measure(x):
    mean = np.mean([x, x + SHIFT])
    day = np.datetime64("2026-11-20") + x
    return mean, np.float32(x / 10), np.int16(10 * x), np.bool_(x > 1), day, np.array(mean * 2)


@gm.op(output_names=["half"])
def halve(mean):
    return mean / 2


SHIFT = 1

if __name__ == "__main__":
    with storage:
        for x in (2, 1, 3):
            mean, *_ = measure(x)
            halve(mean)
"""


def held(value: object) -> Item:
    """Return what a record holds of a value."""
    encoded = part(value)
    return raw(b"", None, None if encoded[:1] == b"M" else encoded)  # type: ignore[arg-type]


def plain(value: object) -> object:
    found = told(held(value))
    return None if found is None else found.json


NUMBERS = st.one_of(
    *(numpy_st.from_dtype(np.dtype(name)) for name in ("f8", "f4", "f2", "?")),
    *(numpy_st.from_dtype(np.dtype(f"{sign}{size}")) for sign in "iu" for size in (1, 2, 4, 8)),
)


@given(NUMBERS)
def test_a_number_is_told_so_that_its_type_makes_the_same_of_it(value: Any) -> None:
    for given_value in (value, np.array(value)):
        found = plain(given_value)
        assert type(found) in (int, float, bool)
        assert repr(type(value)(found)) == repr(value if value == value else type(value)("nan"))


@given(NUMBERS)
def test_in_python_it_keeps_its_type(value: Any) -> None:
    found = exact(held(value))
    assert type(found) is type(value)
    assert found == value or value != value


@given(numpy_st.from_dtype(np.dtype("f4")), numpy_st.from_dtype(np.dtype("f4")))
def test_numbers_told_with_fewer_digits_have_the_order_of_the_numbers(one: Any, other: Any) -> None:
    first: Any = plain(one)
    second: Any = plain(other)
    assert (first < second, first == second) == (bool(one < other), bool(one == other))


@pytest.mark.parametrize("unit", ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns"])
@pytest.mark.parametrize("moment", ["2026-11-20T07:08:09.123456789", "1969-12-31T23:59:59", "NaT"])
def test_a_moment_is_the_text_that_numpy_makes_of_it(unit: Any, moment: str) -> None:
    value = np.datetime64(moment, unit)
    assert plain(value) == str(value)
    assert repr(exact(held(value))) == repr(value)


def test_what_numpy_alone_can_say_stays_a_stored_value() -> None:
    others: list[object] = [
        *(
            np.complex128(1j),
            np.timedelta64(3, "s"),
            np.datetime64(5, ("s", 25)),
            np.datetime64(5, "ps"),
        ),
        *(np.array([1.0]), np.array([[1.0]]), np.void(b"ab"), np.datetime64(20_000, "Y")),
    ]
    assert [plain(value) for value in others] == [None] * len(others)
    assert [exact(held(value)) for value in others] == [None] * len(others)
    assert (plain(np.str_("ä€")), plain(np.str_(""))) == ("ä€", "")


@given(st.binary(max_size=40))
def test_damaged_encodings_are_no_scalars(tail: bytes) -> None:
    for head in (part(np.float64(1))[:14], part(np.float64(1))[:18], part(np.array(1.0))[:15]):
        found = told(raw(b"", None, head + tail))  # type: ignore[arg-type]
        assert found is None or isinstance(found.json, int | float | bool | str)


# --- in Python -------------------------------------------------------------------


@gm.op(output_names=["value", "count", "flag"])
def scalars(x):
    return np.float64(x) / 2, (np.int64(x) if x != 2 else None), np.bool_(x > 1)


@gm.op(output_names=["when"])
def when(x):
    return np.datetime64("2026-11-20") + x


@gm.op(output_names=["pair"])
def pair(x):
    return (x, x)


@pytest.fixture(scope="module")
def storage() -> gm.Storage:
    storage = gm.Storage()
    with storage:
        for x in (2, 1, 3):
            for op in (scalars, when, pair):
                op(x)
    return storage


@pytest.fixture(scope="module")
def cf(storage: gm.Storage) -> ComputationFrame:
    return storage.cf(scalars)


def test_tables_have_columns_of_numbers(cf: ComputationFrame) -> None:
    table = cf.sort("value").df()
    assert list(map(str, table.dtypes)) == ["int64", "float64", "Int64", "bool"]
    assert table["value"].tolist() == [0.5, 1.0, 1.5]
    assert table["count"].isna().tolist() == [False, True, False]


def test_they_sort_and_filter(cf: ComputationFrame) -> None:
    assert cf.sort("value", ascending=False).df()["x"].tolist() == [3, 2, 1]
    assert cf.query("value > 0.5 and flag").sort("x").df()["x"].tolist() == [2, 3]
    assert cf[cf["value"].isin([np.float64(0.5)])].df()["x"].tolist() == [1]
    alone = ComputationFrame(cf.universe, cf.selected)
    assert alone.query("0.5 < value <= 1").df()["x"].tolist() == [2]


def test_masks_and_loaded_values_are_of_their_types(cf: ComputationFrame) -> None:
    assert {type(value) for value in cf["value"].values()} == {np.float64}
    loaded = cf.df(values="objs")
    assert {type(value) for value in cf["flag"].values()} == {np.bool_}
    assert loaded["value"].sum() == 3.0
    seen: list[type] = []
    cf[cf["value"].map(lambda value: seen.append(type(value)) or True)]  # type: ignore[func-returns-value]
    assert set(seen) == {np.float64}


def test_moments_are_moments_in_python_and_texts_in_conditions(storage: gm.Storage) -> None:
    cf = storage.cf(when)
    assert pd.api.types.is_datetime64_any_dtype(cf.df()["when"])
    later = cf.query("when >= '2026-11-22'")
    assert later.sort("when", ascending=False).df()["x"].tolist() == [3, 2]
    assert cf[cf["when"] > np.datetime64("2026-11-22")].df()["x"].tolist() == [3]


def test_arrow_has_their_types(storage: gm.Storage) -> None:
    pytest.importorskip("pyarrow")
    table = storage.cf(scalars).sort("x").to_arrow()
    assert list(map(str, table.schema.types)) == ["int64", "double", "int64", "bool"]
    days = storage.cf(when).sort("x").to_arrow()["when"]
    assert str(days.type) == "date32[day]"
    assert str(days[0]) == "2026-11-21"


def test_a_table_is_not_sorted_by_what_has_no_order(storage: gm.Storage) -> None:
    with pytest.raises(WrongQuestion, match="by 'pair': its values are neither numbers nor texts"):
        storage.cf(pair).sort("pair").df()
    assert len(storage.cf(pair).sort("pair").query("x == 1").df()) == 1  # of one there is one order


def test_patterns_show_them(storage: gm.Storage) -> None:
    with storage.query():
        found: Any = scalars(gm.Q())
        table = storage.df(found[0])
    assert sorted(table["value"].tolist()) == [0.5, 1.0, 1.5]


# --- in a shell ------------------------------------------------------------------


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Two commits, of which the second made other means; the values are not in the clone any more."""
    clone = make_clone(tmp_path_factory.mktemp("numpy") / "p", tmp_path_factory.mktemp("home"))
    clone.write("study.py", PROGRAM)
    clone.gitmemo("init")
    clone.gitmemo("run", "study.py")
    clone.commit("One")
    clone.change("SHIFT = 1", "SHIFT = 2", "study.py")
    clone.gitmemo("run", "study.py")
    clone.commit("Two", GITMEMO_ON_CHANGE="breaking")
    shutil.rmtree(clone.root / ".git" / "gitmemo" / "blobs")
    return clone


@pytest.fixture
def say(project: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.chdir(project.root)

    def say(*arguments: str) -> str:
        assert main(list(arguments)) == 0, capsys.readouterr()
        return capsys.readouterr().out

    return say


def test_a_shell_shows_sorts_and_filters_them_without_their_bytes(say: Any) -> None:
    lines = [line.split() for line in say("df", "measure", "--sort", "-mean").splitlines()]
    assert lines[1] == ["3", "4", "0.3", "30", "True", "2026-11-23", "8"]
    assert [line[0] for line in lines[1:]] == ["3", "2", "1"]
    few = say("df", "measure", "--where", "single == 0.2 and day < '2026-11-23' and is_high")
    assert [line.split()[0] for line in few.splitlines()] == ["x", "2"]


def test_they_are_numbers_in_json_and_csv(say: Any) -> None:
    rows = [json.loads(line) for line in say("df", "measure", "--sort", "x", "--json").splitlines()]
    assert rows[0] == {
        "x": 1,
        "mean": 2.0,
        "single": 0.1,
        "n": 10,
        "is_high": False,
        "day": "2026-11-21",
        "whole": 4.0,
    }
    [_, first, *_] = csv.reader(say("df", "measure", "--sort", "x", "--csv").splitlines())
    assert first == ["1", "2.0", "0.1", "10", "False", "2026-11-21", "4.0"]


def test_they_are_numbers_in_parquet_files(say: Any, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    say("df", "measure", "--sort", "x", "--parquet", str(tmp_path / "t.parquet"))
    table = pd.read_parquet(tmp_path / "t.parquet")
    assert table["mean"].tolist() == [2.0, 3.0, 4.0]
    assert str(table["is_high"].dtype) == "bool"


def test_calls_and_show_and_tags_name_them(say: Any) -> None:
    [line] = say("calls", "halve", "--limit", "1").splitlines()[1:]
    assert line.endswith("mean=4.0   half=2.0")
    text = say("show", line.split()[0])
    assert "mean = 4.0 (hid" in text
    assert "returned half = 2.0 (hid" in text
    found = json.loads(say("show", line.split()[0], "--json"))
    assert found["outputs"]["half"]["value"] == 2.0


def test_a_difference_says_both_numbers(say: Any) -> None:
    text = say("diff", "HEAD~1", "HEAD", "--op", "measure")
    assert "1.5 -> 2.0 (+0.5, +33.3 %)" in text
    assert "not on this machine" not in text
    rows = [
        json.loads(x)
        for x in say("diff", "HEAD~1", "HEAD", "--op", "measure", "--json").splitlines()
    ]
    changed = next(r for r in rows if r["kind"] == "changed" and r["inputs"]["x"] == 1)
    assert changed["outputs"]["mean"]["new"] == 2.0
    assert changed["outputs"]["mean"]["difference"]["absolute"] == 0.5


def test_a_page_has_them_as_numbers(say: Any, tmp_path: Path) -> None:
    say("report", "-o", str(tmp_path / "page.html"))
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "&lt;tree" not in text
    assert "<tree" not in text
    assert '"numeric":true,"cells":[0.2,0.1,0.3]' in text


def test_no_numpy_is_needed_to_show_them(project: Clone) -> None:
    told_without = (
        "import sys; sys.modules['numpy'] = None\n"
        "from gitmemo.cli import main\n"
        "sys.exit(main(['df', 'measure', '--columns', 'x,mean,day', '--sort', 'x', '--json']))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", told_without],
        cwd=project.root,
        env=project.env(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[0]) == {"x": 1, "mean": 2.0, "day": "2026-11-21"}
