"""Values through bytes and back."""

from __future__ import annotations

import collections
import datetime as dt
import math
import mmap
import re
import sys
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gitmemo.codecs
from gitmemo.codecs import SAFE, decode, encode, is_safe
from gitmemo.errors import UndecodableValue, Unencodable
from gitmemo.hashing import content_id, digest


class Plain:
    def __init__(self, x):
        self.x = x


class Grid(np.ndarray):
    pass


def written(value) -> tuple[str, bytes]:
    made = encode(value)
    data = b"".join(made.chunks)
    assert made.size == len(data)
    assert made.blob_id() == digest(data)
    return made.codec, data


def back(value, folder: Path):
    """Return `value` read from bytes and read from a file."""
    codec, data = written(value)
    file = folder / "blob"
    file.write_bytes(data)
    return [decode(codec, data), decode(codec, memoryview(data)), decode(codec, file)]


BY_VALUE = f"cloudpickle-{sys.version_info[0]}.{sys.version_info[1]}"
BIG = np.arange(20_000.0).reshape(100, 200)

VALUES = {
    "json": [
        None, True, 0, -1, 2**63, -(10**500), 0.1, -0.0, float("nan"), float("inf"), float("-inf"),
        "", "é", "\ud800", "\ud83d\ude00", "\x00", [], {}, [[]], [1, 1.0, True, None, "x"],
        {"a": {"b": [1, {"c": None}]}}, {"": 0}, {"b": 1, "a": 2},
    ],
    "bytes": [b"", b"abc", b"x" * 100_000],
    "npy": [
        BIG, np.asfortranarray(BIG), BIG[::2, ::3], BIG[::-1], BIG.astype(">f4"), np.array(5),
        np.zeros((0, 3)), np.array(["a", "bc"]), np.array(["2020"], "M8[D]"), np.array([True]),
        np.zeros(3, [("a", "i1"), ("b", "f8", (2,))]), np.zeros((1, 70_000)), np.arange(9).T,
        np.broadcast_to(np.arange(4), (3, 4)),
    ],
    "tree": [
        (1, 2), {1: 2}, {1, 2}, 10**5000, -(2**2001), 1j, bytearray(b"x"), np.float64(1), [True, (1,)],
        {"a": np.arange(3)}, [np.float64(1)], ["a", b"b"], {"a": BIG, "b": [BIG, 1]}, (BIG, "x"),
        (), set(), {None: {(): frozenset({b"x", "\ud800", 1.5})}}, {"n": 1, (): float("nan")},
        [{"b": 1}, {"t": [1]}, ()], (b"x" * 63, b"x" * 64, bytearray(b"y" * 200)), ["a", 2**3000],
        (np.str_("é"), np.datetime64("2020"), np.bool_(True), np.float32("nan"), np.int8(-1)),
        (np.asfortranarray(BIG), BIG[::2], np.array(5), np.zeros((0, 3)), BIG.astype(">f4")),
    ],
    "arrow-pandas": [
        pd.DataFrame(BIG), pd.DataFrame({"a": [1], "b": pd.array(["x"], dtype="string")}), pd.DataFrame(),
    ],
    "joblib": [Plain(BIG), [Plain(1), BIG], pd.Series(np.arange(20_000))],
    "pickle": [
        dt.date(2020, 1, 1), (1, dt.date(2020, 1, 1)), collections.OrderedDict(a=1), re.compile("a"),
        np.ma.array(BIG, mask=BIG > 5), BIG.view(Grid),
        np.array([None, "a"], dtype=object), Plain([1]), [1, Plain(2)],
        pd.Series([1, 2]), pd.NaT, int, math.sin, (np.array([None]),),
    ],
}  # fmt: skip
CASES = [(codec, value) for codec, some in VALUES.items() for value in some]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_what_comes_back_is_what_went_in(number, tmp_path):
    codec, value = CASES[number]
    assert encode(value).codec == codec
    for again in back(value, tmp_path):
        assert type(again) is type(value)
        assert content_id(again) == content_id(value)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_encoding_again_gives_the_same_kind(number, tmp_path):
    codec, value = CASES[number]
    assert [encode(again).codec for again in back(value, tmp_path)] == [codec] * 3


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    )
)
def test_json_is_exact(value):
    codec, data = written(value)
    assert codec == "json"
    assert content_id(decode(codec, data)) == content_id(value)


class SubDict(dict):
    pass


@pytest.mark.parametrize(
    "value",
    [(1,), {1: 2}, [(1,)], SubDict(a=1), collections.Counter("a"), [np.float64(1)], {None: 1}],
)
def test_json_takes_only_what_it_gives_back(value):
    assert encode(value).codec != "json"


def test_cycles_and_towers_of_sharing_are_not_json(tmp_path):
    loop: list = []
    loop.append(loop)
    tower: list = []
    for _ in range(80):
        tower = [tower, tower]
    for value in (loop, tower):
        assert encode(value).codec == "pickle"
        assert content_id(back(value, tmp_path)[0]) == content_id(value)


# --- arrays -------------------------------------------------------------------


@pytest.mark.parametrize("array", [BIG, np.asfortranarray(BIG), np.arange(5), np.zeros((0, 2))])
def test_arrays_come_back_plain_writable_and_private(array, tmp_path):
    codec, data = written(array)
    file = tmp_path / "blob"
    file.write_bytes(data)
    for source in (data, file):
        again = decode(codec, source)
        assert type(again) is np.ndarray
        assert again.flags.writeable
        assert again.flags.f_contiguous == array.flags.f_contiguous
        again[...] = 7
        assert content_id(decode(codec, source)) == content_id(array)
    assert file.read_bytes() == data


def test_a_big_array_is_not_copied():
    array = np.arange(100_000)
    header, elements = encode(array).chunks
    assert isinstance(elements, memoryview)
    assert np.shares_memory(np.frombuffer(elements, dtype=np.uint8), array)
    assert len(header) % 64 == 0


def test_numpy_reads_what_we_write(tmp_path):
    (tmp_path / "a.npy").write_bytes(written(BIG)[1])
    assert (np.load(tmp_path / "a.npy") == BIG).all()


@pytest.mark.parametrize(
    "array",
    [
        np.array([None]),
        np.zeros(2, [("a", "O")]),
        np.zeros(1, [("é世", "f8")]),
        np.zeros(1, [(f"a_rather_long_name_{i}", "f8") for i in range(400)]),
        np.zeros(1, np.dtype("f8", metadata={"unit": "m"})),
    ],
)
def test_dtypes_that_the_header_cannot_say_go_elsewhere(array, tmp_path):
    assert encode(array).codec == "pickle"
    assert content_id(back(array, tmp_path)[0]) == content_id(array)


def test_npy_never_unpickles(tmp_path):
    np.save(tmp_path / "evil.npy", np.array([Plain(1)]), allow_pickle=True)
    for source in (tmp_path / "evil.npy", (tmp_path / "evil.npy").read_bytes()):
        with pytest.raises(UndecodableValue):
            decode("npy", source)


def test_joblib_files_are_mapped(tmp_path):
    codec, data = written({"a": BIG, "b": Plain(BIG)})
    assert codec == "joblib"
    file = tmp_path / "blob"
    file.write_bytes(data)
    again = decode(codec, file)
    assert type(again["a"]) is type(again["b"].x) is np.ndarray
    owner = again["a"]
    while isinstance(owner, np.ndarray):
        owner = owner.base
    assert isinstance(owner, mmap.mmap)
    again["a"][0] = -1
    assert file.read_bytes() == data


@pytest.mark.parametrize("array", [np.arange(2), BIG], ids=["pickle", "joblib"])
def test_paths_that_3_13_wrote_are_read_by_all(array):
    """It alone says that the classes are in `pathlib._local`, which others do not have."""
    value = [Plain(array), PurePosixPath("a/b"), Path("c")]
    codec, data = written(value)
    assert codec == ("joblib" if array is BIG else "pickle")
    for older, newer in ((b"pathlib", b"pathlib._local"), (b"pathlib._local", b"pathlib")):
        framed = b"\x8c" + bytes([len(older)]) + older + b"\x94"
        other = b"\x8c" + bytes([len(newer)]) + newer + b"\x94"
        if framed in data:
            elsewhere = _without_frames(data.replace(framed, other))
            break
    again = decode(codec, elsewhere)
    assert again[1:] == value[1:] and (again[0].x == array).all()


def _without_frames(data: bytes) -> bytes:
    """Return a pickle without the lengths of its parts, so that it may be longer."""
    return re.sub(rb"\x95.{8}", b"", data, count=1, flags=re.DOTALL)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_matrix_stays_a_matrix(tmp_path):
    value = {"array": BIG, "matrix": np.matrix(BIG)}
    for again in back(value, tmp_path):
        assert type(again["matrix"]) is np.matrix
        assert content_id(again) == content_id(value)


def test_a_map_in_a_value_is_its_array(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3))
    value = [np.load(tmp_path / "a.npy", mmap_mode="r")]
    assert [type(again[0]) for again in back(value, tmp_path)] == [np.ndarray] * 3


# --- code -----------------------------------------------------------------------


def test_lambdas_and_local_classes(tmp_path):
    class Local:
        def __init__(self, x):
            self.x = x

    k = 3
    made = encode(lambda x: x + k)
    assert made.codec == BY_VALUE
    assert decode(BY_VALUE, made.chunks[0])(1) == 4
    made = encode(Local(5))
    assert made.codec == BY_VALUE
    assert decode(BY_VALUE, made.chunks[0]).x == 5


# --- refusals ---------------------------------------------------------------------


class Unwilling:
    def __reduce_ex__(self, protocol):
        raise RuntimeError("not today")


@pytest.mark.parametrize("value", [Unwilling(), (i for i in "ab"), [Unwilling(), BIG]])
def test_what_nothing_can_write_is_said(value):
    with pytest.raises(Unencodable) as caught:
        encode(value)
    assert caught.value.type_name.endswith(type(value).__name__)
    assert caught.value.reason


@pytest.mark.parametrize("codec", ["json", "npy", "joblib", "pickle", BY_VALUE, "cloudpickle"])
def test_damaged_bytes_are_said(codec, tmp_path):
    for data in (b"", b"\xff\xfe junk"):
        (tmp_path / "blob").write_bytes(data)
        for source in (data, tmp_path / "blob"):
            with pytest.raises(UndecodableValue):
                decode(codec, source)


def test_an_unknown_codec_is_from_the_future():
    with pytest.raises(UndecodableValue, match="newer gitmemo"):
        decode("parquet", b"")


def test_safe_codecs():
    arrow = {"arrow", "arrow-pandas", "arrow-polars"}
    assert {"json", "bytes", "npy", "npy-torch", "tree", "collection"} | arrow == SAFE - {
        "file",
        "dir",
    }
    assert is_safe("npy")
    assert not is_safe("pickle")
    assert not is_safe("parquet")


def test_one_module_unpickles():
    package = Path(gitmemo.codecs.__file__).parent.parent
    reading = re.compile(
        r"\b(?:pickle|joblib|cloudpickle)\.loads?\(|\.Unpickler\b|allow_pickle=True"
        r"|^\s*from pickle import",
        re.M,
    )
    found = [
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if reading.search(path.read_text(encoding="utf-8"))
    ]
    assert found == [str(Path("codecs") / "pickles.py")]
