"""Pairs of values that must have one id, and pairs that must not."""

from __future__ import annotations

import array
import collections
import copy
import copyreg
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import pathlib
import pickle
import random
import re
import struct
import types
import uuid
import zoneinfo

import numpy as np
import pandas as pd
import pytest

from gitmemo.hashing import content_id


def reloaded(value):
    return pickle.loads(pickle.dumps(value, 5))


def changed(value, change):
    """Return `value` after `change(value)`."""
    change(value)
    return value


class Plain:
    def __init__(self, x):
        self.x = x


class Cached:
    @functools.cached_property
    def total(self):
        return 1

    @functools.lru_cache  # noqa: B019 the point of the test
    def part(self):
        return 1


class Small(int):
    pass


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Access(enum.Flag):
    READ = 1
    WRITE = 2


@dataclasses.dataclass
class Settings:
    a: int = 1
    b: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    a: int = 1


Pair = collections.namedtuple("Pair", "x y")


def adder(k):
    def add(x):
        return x + k

    return add


def traced(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


def doubled(function):
    @functools.wraps(function)
    def wrapper(*args):
        return 2 * function(*args)

    return wrapper


def local_class(k):
    class Local:
        def scaled(self, x):
            return k * x

    return Local


def loop(*between):
    """Return a list that holds itself, with more lists in between."""
    outer: list = []
    inner = outer
    for _ in between:
        inner.append([])
        inner = inner[0]
    inner.append(outer)
    return outer


class Node:
    def __init__(self, parent=None):
        self.parent, self.children = parent, []


def tree():
    root = Node()
    root.children = [Node(root), Node(root)]
    return root


LIST, TUPLE, OBJECT = [1], (1.5, 2), Plain("v")
PARIS, DAY = zoneinfo.ZoneInfo("Europe/Paris"), dt.datetime(2020, 1, 1)
NAN = struct.unpack("<d", struct.pack("<Q", 0x7FF8000000000001))[0]

SAME = {
    "a shared and an equal list": ([LIST, LIST], [LIST, [1]]),
    "a shared and an equal tuple": ([TUPLE, TUPLE], [TUPLE, TUPLE[:1] + TUPLE[1:]]),
    "interned and built strings": (["ab", "ab"], ["ab", "".join("ab")]),
    "shared and equal dict values": ({"k": LIST, "j": LIST}, {"k": [1], "j": [1]}),
    "a reloaded object": (OBJECT, reloaded(OBJECT)),
    "attributes set in another order": (
        changed(Plain(1), lambda o: setattr(o, "y", 2)),
        changed(Plain(1), lambda o: o.__dict__.update(x=o.__dict__.pop("x")) or setattr(o, "y", 2)),
    ),
    "an attribute added and deleted": (
        Plain(1),
        changed(Plain(1), lambda o: (setattr(o, "z", 2), delattr(o, "z"))),
    ),
    "every NaN": (float("nan"), NAN),
    "negative NaN": (float("nan"), -float("nan")),
    "big integers": (2**70, int("1180591620717411303424")),
    "lone surrogates": ("\ud800", "\ud800"),
    "sets in any order": ({1, 2, 3}, {3, 2, 1}),
    "sets of mixed types": ({1, "a", None}, {None, "a", 1}),
    "lists that hold themselves": (loop(), loop()),
    "trees with parent links": (tree(), reloaded(tree())),
    "counters": (collections.Counter("aab"), collections.Counter(a=2, b=1)),
    "paths after use": (
        pathlib.Path("a/b"),
        changed(pathlib.Path("a/b"), lambda p: (str(p), hash(p), p.parts)),
    ),
    "patterns": (re.compile("a+", re.I), re.compile("a+", re.I)),
    "enum members": (Colour.RED, Colour(1)),
    "combined flags": (Access.READ | Access.WRITE, Access(3)),
    "dataclasses": (Settings(), Settings()),
    "dataclasses with slots": (Slotted(), reloaded(Slotted())),
    "random generators of one seed": (random.Random(0), random.Random(0)),
    "a zone and its reload": (
        zoneinfo.ZoneInfo("Europe/Paris"),
        zoneinfo.ZoneInfo.no_cache("Europe/Paris"),
    ),
    "datetimes": (
        [dt.datetime(2020, 1, 1)] * 2,
        [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1)],
    ),
    "equal closures": (adder(1), adder(1)),
    "bound methods of equal objects": (Plain(1).__init__, Plain(1).__init__),
    "a filled cached property": (Cached(), changed(Cached(), lambda o: o.total)),
    "a used cached method": (Cached(), changed(Cached(), lambda o: o.part())),
    "classes made alike": (local_class(1), local_class(1)),
    "functions with and without attributes": (
        adder(1),
        changed(adder(1), lambda f: setattr(f, "limit", 1)),
    ),
    "causes of exceptions": (
        changed(ValueError("a"), lambda e: setattr(e, "__cause__", KeyError(1))),
        changed(ValueError("a"), lambda e: setattr(e, "__context__", KeyError(2))),
    ),
    "how a UUID was made": (
        uuid.UUID(int=1),
        uuid.UUID(int=1, is_safe=uuid.SafeUUID.safe),
    ),
    "long lists and their packed form": ([*range(100)], list(range(100))),
}

DIFFERENT = {
    "int and bool": (1, True),
    "int and float": (1, 1.0),
    "signed zeros": (0.0, -0.0),
    "numpy and Python floats": (np.float64(1), 1.0),
    "numpy integers": (np.int64(1), np.int32(1)),
    "big integers": (10**5000, 10**5000 + 1),
    "decimals with other digits": (decimal.Decimal("1.0"), decimal.Decimal("1.00")),
    "nearby floats": (0.1 + 0.2, 0.3),
    "a subclass of int": (Small(3), 3),
    "str and bytes": ("a", b"a"),
    "bytes and bytearray": (b"a", bytearray(b"a")),
    "composed and decomposed accents": ("\u00e9", "e\u0301"),
    "numpy str": (np.str_("a"), "a"),
    "list and tuple": ([1, 2], (1, 2)),
    "dict order": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "set and frozenset": ({1}, frozenset({1})),
    "dict and OrderedDict": ({"a": 1}, collections.OrderedDict(a=1)),
    "dict and defaultdict": ({"a": 1}, collections.defaultdict(list, a=1)),
    "deques of other length": (collections.deque([1], 1), collections.deque([1], 2)),
    "nesting": ([[], []], [[[]]]),
    "joined strings": (["ab", "c"], ["a", "bc"]),
    "loops of other length": (loop(), loop(1)),
    "namedtuple and tuple": (Pair(1, 2), (1, 2)),
    "one moment in two zones": (
        dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2020, 1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1))),
    ),
    "fold": (dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, fold=1)),
    "path and str": (pathlib.PurePosixPath("a"), "a"),
    "pattern flags": (re.compile("a"), re.compile("a", re.I)),
    "enum members": (Colour.RED, Colour.BLUE),
    "two lambdas": (lambda x: x + 1, lambda x: x + 2),
    "lambdas with equal but unlike constants": (lambda: 1, lambda: True),
    "closures": (adder(1), adder(2)),
    "wrappers of one function": (traced(reloaded), doubled(reloaded)),
    "partials": (functools.partial(int, base=2), functools.partial(int, base=3)),
    "classes of one name": (local_class(1), local_class(2)),
    "fractions": (fractions.Fraction(1, 3), fractions.Fraction(1, 4)),
    "typed arrays": (array.array("i", [1]), array.array("q", [1])),
    "types": (int, float),
    "a class and its instance": (Plain, Plain(1)),
    "generic aliases": (list[int], list[str]),
    "modules": (re, types),
    "notes of exceptions": (ValueError("a"), changed(ValueError("a"), lambda e: e.add_note("n"))),
}


def test_an_exception_is_the_same_after_dask_has_seen_one(monkeypatch):
    """What carries exceptions between processes teaches pickle to take causes and tracebacks along."""
    error, other = ValueError("a"), ValueError("a")
    before = content_id(error)
    other.__cause__ = KeyError(1)
    monkeypatch.setitem(copyreg.dispatch_table, ValueError, lambda e: (str, (repr(e.__cause__),)))
    assert content_id(error) == content_id(other) == before


@pytest.mark.parametrize("name", SAME)
def test_same(name):
    left, right = SAME[name]
    assert content_id(left) == content_id(right)


@pytest.mark.parametrize("name", DIFFERENT)
def test_different(name):
    left, right = DIFFERENT[name]
    assert content_id(left) != content_id(right)


def test_a_copy_of_everything_has_the_same_id():
    values = [pair[0] for name, pair in SAME.items() if "classes made" not in name]
    assert [content_id(copy.deepcopy(v)) for v in values] == [content_id(v) for v in values]


# --- numpy and pandas ---------------------------------------------------------

GRID = np.arange(12.0).reshape(3, 4)
FRAME = pd.DataFrame({"a": [1, 2, 3], "b": [1.0, 2, 3], "c": ["x", "y", "z"]})
TEXT = pd.Series(["x", "y"], dtype="str")


class Grid(np.ndarray):
    pass


def objects(*items):
    made = np.empty(len(items), dtype=object)
    made[:] = items
    return made


def with_junk(value, position, junk):
    value._data[position] = junk
    return value


def by_tuples(*pairs):
    return pd.DataFrame({"v": range(len(pairs))}, index=pd.MultiIndex.from_tuples(pairs))


SAME_ARRAYS = {
    "Fortran order": (GRID, np.asfortranarray(GRID)),
    "a strided view": (GRID[:, ::2], GRID[:, ::2].copy()),
    "a reversed view": (GRID[::-1], GRID[::-1].copy()),
    "a transposed view": (GRID.T, GRID.T.copy()),
    "a broadcast view": (
        np.broadcast_to(np.arange(3), (2, 3)),
        np.broadcast_to(np.arange(3), (2, 3)).copy(),
    ),
    "byte order": (GRID, GRID.astype(">f8")),
    "big-endian dates": (np.array(["2020"], "M8[s]"), np.array(["2020"], ">M8[s]")),
    "read-only": (GRID, changed(GRID.copy(), lambda a: a.setflags(write=False))),
    "objects": (objects("a", None, (1, 2)), reloaded(objects("a", None, (1, 2)))),
    "padding": (
        np.zeros(3, dtype=[("a", "i1"), ("b", "f8")]),
        np.zeros(3, dtype=np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    ),
    "junk under a mask": (
        np.ma.array([1, 2, 3], mask=[0, 1, 0]),
        np.ma.array([1, 99, 3], mask=[0, 1, 0]),
    ),
    "dtype objects": ([np.dtype("f8")] * 2, [np.dtype("f8"), reloaded(np.dtype("f8"))]),
    "generators of one seed": (np.random.default_rng(0), np.random.default_rng(0)),
    "legacy generators": (np.random.RandomState(0), np.random.RandomState(0)),
    "long doubles": (np.zeros(3, np.longdouble), np.zeros(6, np.longdouble)[::2]),
    "a copied frame": (FRAME, FRAME.copy()),
    "a reloaded frame": (FRAME, reloaded(FRAME)),
    "blocks after concat": (FRAME, pd.concat([FRAME[["a"]], FRAME[["b", "c"]]], axis=1)),
    "blocks after reversal": (FRAME, FRAME.iloc[:, ::-1].iloc[:, ::-1]),
    "a 2-D block and columns": (
        pd.DataFrame(GRID, columns=list("pqrs")),
        pd.DataFrame({n: GRID[:, i] for i, n in enumerate("pqrs")}),
    ),
    "filled caches": (
        FRAME.copy(),
        changed(FRAME.copy(), lambda f: (f["a"], f.index.is_unique, f.columns.get_loc("a"))),
    ),
    "a range and its numbers": (FRAME, FRAME.set_index(pd.Index([0, 1, 2]))),
    "junk under NA": (
        pd.Series(pd.array([1, None, 3], dtype="Int64")),
        pd.Series(with_junk(pd.array([1, None, 3], dtype="Int64"), 1, 99)),
    ),
    "chunks of text": (
        TEXT,
        pd.concat([TEXT.iloc[:1], TEXT.iloc[1:]], ignore_index=True),
    ),
    "an offset in text": (
        TEXT,
        pd.Series(["w", "x", "y"], dtype="str").iloc[1:].reset_index(drop=True),
    ),
    "two ways to a MultiIndex": (
        pd.MultiIndex.from_product([[1], [1, 2]]),
        pd.MultiIndex.from_tuples([(1, 1), (1, 2)]),
    ),
    "unused levels": (by_tuples((1, 1), (1, 2), (2, 1)).iloc[:2], by_tuples((1, 1), (1, 2))),
    "flags of a frame": (FRAME, FRAME.set_flags(allows_duplicate_labels=False)),
    "metadata of a dtype": (np.zeros(2), np.zeros(2, np.dtype("f8", metadata={"a": 1}))),
    "a slice of a frame": (FRAME.iloc[:2], FRAME.iloc[:2].copy()),
}

DIFFERENT_ARRAYS = {
    "precision": (GRID, GRID.astype("f4")),
    "shape": (GRID, GRID.reshape(4, 3)),
    "array and scalar": (np.array(1.0), np.float64(1.0)),
    "empty shapes": (np.empty((0, 3)), np.empty((0, 4))),
    "signed zeros": (np.array([0.0]), np.array([-0.0])),
    "a subclass and its base": (GRID.view(Grid), GRID),
    "an advanced generator": (
        np.random.default_rng(0),
        changed(np.random.default_rng(0), lambda g: g.random()),
    ),
    "a generator that spawned": (
        np.random.default_rng(0),
        changed(np.random.default_rng(0), lambda g: g.spawn(1)),
    ),
    "units of time": (np.array(["2020"], "M8[ns]"), np.array(["2020"], "M8[us]")),
    "masks": (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2], mask=[1, 0])),
    "field names": (np.zeros(1, [("a", "i4")]), np.zeros(1, [("b", "i4")])),
    "int and float columns": (
        pd.DataFrame({"a": [1], "b": [1.0]}),
        pd.DataFrame({"a": [1.0], "b": [1.0]}),
    ),
    "category and object": (
        pd.Series(["a"], dtype=object),
        pd.Series(["a"], dtype=object).astype("category"),
    ),
    "index name": (FRAME, FRAME.rename_axis("i")),
    "attrs": (FRAME, changed(FRAME.copy(), lambda f: f.attrs.update(k=1))),
    "column order": (FRAME, FRAME[["b", "a", "c"]]),
    "int64 and Int64": (FRAME["a"], FRAME["a"].astype("Int64")),
    "order of categories": (
        pd.Series(pd.Categorical(["a", "b"], categories=["a", "b"])),
        pd.Series(pd.Categorical(["a", "b"], categories=["b", "a"])),
    ),
    "an unused category": (
        pd.Series(pd.Categorical(["a"], categories=["a"])),
        pd.Series(pd.Categorical(["a"], categories=["a", "b"])),
    ),
    "time zones": (
        pd.to_datetime(["2020-01-01"], utc=True),
        pd.to_datetime(["2020-01-01"], utc=True).tz_convert("Europe/Paris"),
    ),
    "NA and NaT": (pd.NA, pd.NaT),
    "strings that join alike": (
        pd.Series(["ab", "c"], dtype="str"),
        pd.Series(["a", "bc"], dtype="str"),
    ),
    "missing and empty text": (
        pd.Series(["a", None], dtype="string"),
        pd.Series(["a", ""], dtype="string"),
    ),
    "intervals": (pd.Interval(0, 1, "left"), pd.Interval(0, 1, "right")),
}


@pytest.mark.parametrize("name", SAME_ARRAYS)
def test_same_arrays(name):
    left, right = SAME_ARRAYS[name]
    assert content_id(left) == content_id(right)


@pytest.mark.parametrize("name", DIFFERENT_ARRAYS)
def test_different_arrays(name):
    left, right = DIFFERENT_ARRAYS[name]
    assert content_id(left) != content_id(right)


def test_a_memory_map_is_its_array(tmp_path):
    np.save(tmp_path / "grid.npy", GRID)
    assert content_id(np.load(tmp_path / "grid.npy", mmap_mode="r")) == content_id(GRID)


def test_text_columns_agree_with_and_without_pyarrow():
    pytest.importorskip("pyarrow")
    words = ["x", None, "zé", ""]
    kinds = [pd.StringDtype("python"), pd.StringDtype("pyarrow")]
    assert len({content_id(pd.Series(words, dtype=kind)) for kind in kinds}) == 1
    if pd.__version__ >= "2.3":
        kinds = [pd.StringDtype(storage, na_value=np.nan) for storage in ("python", "pyarrow")]
        assert len({content_id(pd.Series(words, dtype=kind)) for kind in kinds}) == 1


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="numpy 2 has StringDType")
def test_numpy_strings():
    words = np.array(["a", "bb"], dtype=np.dtypes.StringDType())
    assert content_id(words) == content_id(words.copy())
    assert content_id(words) != content_id(np.array(["a", "b"], dtype=words.dtype))


# --- other libraries ------------------------------------------------------------


def test_sparse_matrices():
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.array([[0, 1.0], [2, 0]])
    parts = ([2.0, 1.0], ([1, 0], [0, 1]))
    assert content_id(sparse.coo_matrix(dense)) == content_id(sparse.coo_matrix(parts))
    assert content_id(sparse.csr_matrix(dense)) != content_id(sparse.csc_matrix(dense))
    unsorted = sparse.csr_matrix((np.array([1.0, 2.0]), np.array([1, 0]), np.array([0, 2, 2])))
    before = unsorted.indices.copy()
    content_id(unsorted)
    assert (unsorted.indices == before).all()


def test_models_are_what_they_learned():
    pytest.importorskip("sklearn")
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)
    X, y = rng.random((40, 3)), rng.integers(0, 2, 40)
    for make in (
        lambda: LogisticRegression(),
        lambda: RandomForestClassifier(n_estimators=3, random_state=0),
        lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    ):
        model = make().fit(X, y)
        known = content_id(model)
        assert known == content_id(make().fit(X, y)) == content_id(reloaded(model))
        model.predict(X)
        assert known == content_id(model)
        assert known != content_id(make().fit(X, 1 - y))


def test_arrow_tables():
    pa = pytest.importorskip("pyarrow")
    table = pa.table(
        {
            "n": [1, None, 3],
            "s": ["a", None, "c"],
            "l": [[1], None, [2, 3]],
            "b": [True, False, None],
            "d": pa.array(["x", "x", "y"]).dictionary_encode(),
            "r": [{"k": 1}, None, {"k": 2}],
        }
    )
    chunked = pa.concat_tables([table.slice(0, 1), table.slice(1)])
    assert content_id(table) == content_id(chunked)
    assert content_id(table.slice(1)) == content_id(table.take([1, 2]))
    assert content_id(table) != content_id(table.slice(1))
    assert content_id(table) != content_id(table.rename_columns(["m", *table.column_names[1:]]))
    assert content_id(table["s"]) != content_id(table["n"])


def test_polars_frames():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, 2, None], "s": ["x", None, "z"]})
    again = pl.concat([frame.slice(0, 1), frame.slice(1)], rechunk=False)
    assert content_id(frame) == content_id(again)
    assert content_id(frame) != content_id(frame.reverse())


def test_torch():
    torch = pytest.importorskip("torch")
    line = torch.arange(6.0)
    assert content_id(line) == content_id(torch.arange(100.0)[:6]) == content_id(reloaded(line))
    assert content_id(line) != content_id(line.double())
    assert content_id(line) != content_id(line.clone().requires_grad_())
    assert content_id(line) != content_id(line.numpy())
    square = line.reshape(2, 3).T
    assert content_id(square) == content_id(square.contiguous())
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU())
    known = content_id(net)
    net(torch.ones(1, 3)).sum().backward()
    assert known == content_id(net) == content_id(copy.deepcopy(net))
    assert known != content_id(copy.deepcopy(net).eval())
