"""Tables through Arrow: exact, without running code, or left to pickle."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmemo.codecs import decode, encode, tables
from gitmemo.errors import UndecodableValue
from gitmemo.hashing import content_id

pa = pytest.importorskip("pyarrow")

PANDAS, PYARROW = (int(one.__version__.partition(".")[0]) for one in (pd, pa))
NAN = np.array([1.0, np.nan, -np.nan])


def with_attrs(frame, **attrs):
    frame.attrs = attrs
    return frame


FRAMES = {
    "signs of NaN": pd.DataFrame({"a": NAN, "b": NAN.astype("f4")}),
    "text": pd.DataFrame({"s": pd.array(["x", None, "é"], dtype="string"), "n": [1, 2, 3]}),
    "categories": pd.DataFrame({"c": pd.Categorical([1, None], categories=[3, 1, 2])}),
    "ordered": pd.DataFrame({"c": pd.Categorical([3, 1], categories=[3, 2, 1], ordered=True)}),
    "masked": pd.DataFrame(
        {"i": pd.array([1, None], dtype="Int8"), "f": pd.array([None, 0.5], dtype="Float64")}
    ),
    "booleans": pd.DataFrame({"b": pd.array([True, None], dtype="boolean"), "p": [True, False]}),
    "dates": pd.DataFrame({"d": pd.to_datetime(["2020", None]), "t": pd.to_timedelta([1, None], unit="s")}),
    "zones": pd.DataFrame({"z": pd.to_datetime(["2020", None], utc=True).tz_convert("Europe/Paris")}),
    "numbers as labels": pd.DataFrame(np.arange(6.0).reshape(3, 2)),
    "a range": pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(5, 9, 2, name="r")),
    "labelled rows": pd.DataFrame({"a": [1, 2]}, index=pd.Index([7, 5], name="k")),
    "floats as rows": pd.DataFrame({"a": [1, 2, 3]}, index=NAN),
    "two levels": pd.DataFrame({"a": [1, 2, 3]}, index=pd.MultiIndex.from_product([[1], [4, 5, 6]])),
    "two levels of labels": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
    "no rows": pd.DataFrame({"a": np.zeros(0), "c": pd.Categorical([], categories=[1])}),
    "no columns": pd.DataFrame(index=[3, 4]),
    "nothing": pd.DataFrame(),
}  # fmt: skip
if PANDAS >= 3:  # before, text was of objects if nobody said what it is
    FRAMES |= {
        "categories of text": pd.DataFrame(
            {"c": pd.Categorical(["u", None], categories=["v", "u", "w"])}
        ),
        "rows of text": pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="k")),
        "text of two levels": pd.DataFrame(
            {"a": [1, 2, 3]}, index=pd.MultiIndex.from_product([[1], ["u", "v", "w"]])
        ),
        "no rows of text": pd.DataFrame(
            {"a": np.zeros(0), "c": pd.Categorical([], categories=["u"])}
        ),
    }
if PYARROW >= 17:  # before, it lost them
    FRAMES["attributes"] = with_attrs(pd.DataFrame({"a": [1]}), unit="m")

LEFT_TO_PICKLE = {
    "objects": pd.DataFrame({"o": np.array([1, "a"], dtype=object)}),
    "complex": pd.DataFrame({"c": [1j]}),
    "half floats": pd.DataFrame({"h": np.zeros(2, "f2")}),
    "equal labels": pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "mixed labels": pd.DataFrame([[1, 2]], columns=["a", 1]),
    "a frequency": pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2020", periods=2, freq="D")),
    "a number as name": pd.DataFrame({"a": [1, 2]}, index=pd.Index([3, 4], name=0)),
    "tuples as attributes": with_attrs(pd.DataFrame({"a": [1]}), size=(1, 2)),
    "periods": pd.DataFrame({"p": pd.period_range("2020", periods=2, freq="M")}),
    "a series": pd.Series([1, 2]),
}


class Sub(pd.DataFrame):
    pass


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", FRAMES)
def test_frames_come_back_exactly(name, tmp_path):
    frame = FRAMES[name]
    made = encode(frame)
    assert made.codec == "arrow-pandas"
    data = b"".join(made.chunks)
    (tmp_path / "blob").write_bytes(data)
    for source in (data, tmp_path / "blob"):
        again = decode("arrow-pandas", source)
        assert content_id(again) == content_id(frame)
        pd.testing.assert_frame_equal(again, frame)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", LEFT_TO_PICKLE)
def test_what_arrow_would_change_is_pickled(name):
    made = encode(LEFT_TO_PICKLE[name])
    assert made.codec == "pickle"
    again = decode("pickle", made.chunks[0])
    assert content_id(again) == content_id(LEFT_TO_PICKLE[name])


def test_a_subclass_is_not_its_base():
    assert encode(Sub({"a": [1]})).codec == "pickle"


columns = st.one_of(
    st.lists(st.floats(), min_size=3, max_size=3).map(lambda v: np.array(v)),
    st.lists(st.floats(width=32), min_size=3, max_size=3).map(lambda v: np.array(v, "f4")),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3).map(lambda v: np.array(v)),
    st.lists(st.none() | st.integers(-128, 127), min_size=3, max_size=3).map(
        lambda v: pd.array(v, dtype="Int8")
    ),
    st.lists(st.none() | st.text(st.characters(codec="utf-8")), min_size=3, max_size=3).map(
        lambda v: pd.array(v, dtype="string")
    ),
    st.lists(st.integers(-(2**62), 2**62), min_size=3, max_size=3).map(
        lambda v: np.array(v, "M8[ns]")
    ),
    st.lists(st.sampled_from(["u", "v", None]), min_size=3, max_size=3).map(pd.Categorical),
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), columns, max_size=4))
@settings(max_examples=40)
def test_whatever_is_accepted_is_exact(parts):
    frame = pd.DataFrame(parts)
    made = encode(frame)
    assert content_id(decode(made.codec, b"".join(made.chunks))) == content_id(frame)


def test_a_frame_from_a_file_can_be_changed(tmp_path):
    frame = pd.DataFrame({"a": np.arange(50_000.0)})
    data = b"".join(encode(frame).chunks)
    (tmp_path / "blob").write_bytes(data)
    again = decode("arrow-pandas", tmp_path / "blob")
    again.loc[0, "a"] = -1
    again["a"] += 1
    assert again["a"].tolist()[:2] == [0, 2]
    assert (tmp_path / "blob").read_bytes() == data


TABLES = {
    "kinds": pa.table(
        {
            "n": [1, None],
            "s": ["a", None],
            "l": [[1], None],
            "d": pa.array(["x", "y"]).dictionary_encode(),
            "r": [{"k": 1}, None],
            "f": pa.array(NAN[:2]),
        }
    ),
    "metadata": pa.table({"a": [1]}, metadata={"k": "v"}),
    "chunks with other categories": pa.concat_tables(
        [pa.table({"d": pa.array([word]).dictionary_encode()}) for word in "xy"]
    ),
    "of pandas": pa.Table.from_pandas(FRAMES["two levels"]),
    "nothing": pa.table({}),
}


@pytest.mark.parametrize("name", TABLES)
def test_arrow_tables(name, tmp_path):
    table = TABLES[name]
    made = encode(table)
    assert made.codec == "arrow"
    again = decode("arrow", b"".join(made.chunks))
    assert content_id(again) == content_id(table)
    assert again.schema.equals(table.schema, check_metadata=True)


def test_a_large_table_is_mapped(tmp_path):
    table = pa.table({"a": np.arange(100_000.0)})
    (tmp_path / "blob").write_bytes(b"".join(encode(table).chunks))
    before = pa.total_allocated_bytes()
    again = decode("arrow", tmp_path / "blob")
    assert pa.total_allocated_bytes() - before < 100_000
    assert content_id(again) == content_id(table)


def test_extension_types_are_pickled():
    if not hasattr(pa, "uuid"):
        pytest.skip("this pyarrow has no extension type of its own")
    assert encode(pa.table({"u": pa.array([b"0" * 16], pa.uuid())})).codec == "pickle"


def test_other_tools_read_the_file(tmp_path):
    (tmp_path / "frame.feather").write_bytes(b"".join(encode(FRAMES["text"]).chunks))
    pd.testing.assert_frame_equal(pd.read_feather(tmp_path / "frame.feather"), FRAMES["text"])


def test_polars_frames():
    pl = pytest.importorskip("polars")
    for frame in [
        pl.DataFrame({"a": [1, None], "s": ["x", None], "f": [float("nan"), 1.0]}),
        pl.DataFrame({"c": pl.Series(["x", "y"], dtype=pl.Categorical), "l": [[1], [2, 3]]}),
        pl.DataFrame({"e": pl.Series(["x"], dtype=pl.Enum(["x", "y"])), "r": [{"k": 1}]}),
        pl.DataFrame(),
    ]:
        made = encode(frame)
        assert made.codec == "arrow-polars"
        again = decode("arrow-polars", b"".join(made.chunks))
        assert again.schema == frame.schema
        assert content_id(again) == content_id(frame)
    wide = pl.DataFrame({"n": pl.Series([1], dtype=pl.Int128)})  # no such number in Arrow
    assert encode(wide).codec == "pickle"


@pytest.mark.parametrize("data", [b"", b"ARROW1\0\0junk", b"\xff" * 200])
@pytest.mark.parametrize("codec", ["arrow", "arrow-pandas"])
def test_damaged_bytes_are_said(codec, data):
    with pytest.raises(UndecodableValue):
        decode(codec, data)


def test_offsets_beyond_the_data_are_noticed():
    table = pa.table({"s": ["abc", "defg"]})
    data = bytearray(b"".join(encode(table).chunks))
    offsets = np.array([0, 3, 7], "<i4").tobytes()
    at = data.index(offsets)
    data[at : at + 12] = np.array([0, 3, 700_000], "<i4").tobytes()
    with pytest.raises(UndecodableValue):
        decode("arrow", bytes(data))


def test_without_pyarrow_frames_are_pickled(monkeypatch):
    monkeypatch.setattr(tables, "_pyarrow", lambda: None)
    assert encode(FRAMES["text"]).codec == "pickle"
    with pytest.raises(UndecodableValue, match="pip install pyarrow"):
        decode("arrow-pandas", b"")


def test_frames_import_pyarrow_only_when_there_is_one():
    script = """
        import sys
        from gitmemo.codecs import encode
        encode({"a": (1, 2)})
        assert not {"numpy", "pandas", "pyarrow"} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)


def as_file(table, **options):
    sink = pa.BufferOutputStream()
    made = pa.ipc.IpcWriteOptions(**options)
    with pa.ipc.new_file(sink, table.schema, options=made) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
@pytest.mark.parametrize("codec", ["arrow", "arrow-pandas"])
def test_compressed_bytes_are_refused(codec, compression, tmp_path):
    zeros = pa.table({"a": np.zeros(1_000_000), "d": pa.array(["x"] * 1_000_000)})
    words = pa.table({"d": pa.array(["x" * 10_000] * 10).dictionary_encode()})
    for table in (zeros, words):
        data = as_file(table, compression=compression)
        (tmp_path / "blob").write_bytes(data)
        for source in (data, tmp_path / "blob"):
            with pytest.raises(UndecodableValue):
                decode(codec, source)
        assert decode(codec, as_file(table)).shape == table.shape


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"a": pa.nulls(5_000_000)}),
        pa.table({"a": pa.array([[None] * 2_000_000])}),
        pa.table({"a": pa.RunEndEncodedArray.from_arrays([50_000_000], [1])}),
    ],
)
def test_few_bytes_are_few_rows(table):
    with pytest.raises(UndecodableValue):
        decode("arrow", as_file(table))
    assert encode(table).codec != "arrow"
    assert encode(pa.table({"a": pa.nulls(3)})).codec == "arrow"
