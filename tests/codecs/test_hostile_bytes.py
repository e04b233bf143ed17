"""What is decoded without trust runs no code, takes no more memory than its bytes, and ends."""

from __future__ import annotations

import base64
import functools
import io
import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hostile import bounded, changes, many
from hypothesis import example, given
from hypothesis import strategies as st

from gitmemo.codecs import SAFE, decode, encode
from gitmemo.errors import GitmemoError, UndecodableValue
from gitmemo.hashing.digest import Digest, digest, to_text

np = pytest.importorskip("numpy")
pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")

ALL_SAFE = sorted(SAFE - {"collection"})


class Bomb:
    """A value whose pickle says that it was read."""

    went_off = False

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return go_off, ()


def go_off() -> None:
    Bomb.went_off = True


@pytest.fixture(autouse=True)
def no_code() -> None:
    Bomb.went_off = False
    yield
    assert not Bomb.went_off


def read_or_refused(codec: str, data: bytes) -> object:
    """Decode, or refuse with the one error that says so; in time, and in bounded memory."""
    with bounded():
        try:
            return decode(codec, data, parts_of(data))
        except UndecodableValue as error:
            assert str(error)
            return None


def parts_of(data: bytes) -> Callable[[Digest], tuple[str, bytes]]:
    def parts(cid: Digest) -> tuple[str, bytes]:
        if cid == digest(b"small"):
            return "bytes", b"small"
        raise UndecodableValue("bytes", "no such part")

    return parts


def ipc(table: object) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def npy(header: str, body: bytes = b"", version: int = 1) -> bytes:
    text = header.encode("latin-1")
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + body


def tree(text: str, body: bytes = b"") -> bytes:
    head = len(text.encode()).to_bytes(8, "little") + text.encode()
    return head.ljust(-(-len(head) // 64) * 64, b"\0") + body


# --- code -------------------------------------------------------------------------


def object_arrays() -> dict[str, bytes]:
    whole = io.BytesIO()
    np.save(whole, np.array([Bomb()], dtype=object), allow_pickle=True)
    pickled = pickle.dumps(Bomb())
    head = "{{'descr': {}, 'fortran_order': False, 'shape': (1,), }}\n"
    kinds = {
        "object": "'|O'",
        "field": "[('a', '<i8'), ('b', '|O')]",
        "subarray": "[('a', '|O', (2,))]",
        "nested": "[('a', [('b', 'O')])]",
        "plain": "'O'",
    }
    return {"saved": whole.getvalue()} | {
        name: npy(head.format(kind), pickled.ljust(64, b"\0")) for name, kind in kinds.items()
    }


@pytest.mark.parametrize("name", object_arrays())
@pytest.mark.parametrize("codec", ["npy", "npy-torch", "tree"])
def test_arrays_of_objects_are_never_unpickled(codec: str, name: str) -> None:
    data = object_arrays()[name]
    if codec == "tree":
        data = tree(json.dumps({"n": [0, len(data)]}), data)
    with pytest.raises(UndecodableValue):
        decode(codec, data)


@pytest.mark.parametrize("kind", ["O", "|O8", "i4,O", {"d": ["names", ["a"], "formats", ["O"]]}])
def test_scalars_of_objects_are_refused(kind: object) -> None:
    text = base64.b64encode(pickle.dumps(Bomb())).decode()
    with pytest.raises(UndecodableValue):
        decode("tree", tree(json.dumps({"g": [kind, text]})))


class Registered(pa.ExtensionType):
    """What another package may have registered: pyarrow calls it when a file is opened."""

    def __init__(self) -> None:
        super().__init__(pa.int64(), "gitmemo.tests.registered")

    def __arrow_ext_serialize__(self) -> bytes:
        return pickle.dumps(Bomb())

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: object, serialized: bytes) -> Registered:
        pickle.loads(serialized)
        return cls()


@pytest.mark.parametrize("nesting", ["column", "list", "struct", "dictionary", "hand-made"])
@pytest.mark.parametrize("codec", ["arrow", "arrow-pandas", "arrow-polars"])
def test_registered_types_of_other_packages_are_not_called(codec: str, nesting: str) -> None:
    column = pa.ExtensionArray.from_storage(Registered(), pa.array([1, 2]))
    match nesting:
        case "list":
            column = pa.ListArray.from_arrays([0, 2], column)
        case "struct":
            column = pa.StructArray.from_arrays([column], ["a"])
        case "dictionary":
            column = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), column)
        case "hand-made":
            note = {"ARROW:extension:name": "gitmemo.tests.registered"}
            note["ARROW:extension:metadata"] = pickle.dumps(Bomb(), 0)
            field = pa.field("a", pa.int64(), metadata=note)
            column = None
    if column is None:
        table = pa.table([pa.array([1])], schema=pa.schema([field]))
    else:
        table = pa.table({"a": column})
    data = ipc(table)
    Bomb.went_off = False
    pa.register_extension_type(Registered())
    try:
        assert read_or_refused(codec, data) is None
        if codec == "arrow":
            assert not Bomb.went_off
            pa.ipc.open_file(data)
            assert Bomb.went_off, "the file is what pyarrow would have called it for"
            Bomb.went_off = False
    finally:
        pa.unregister_extension_type("gitmemo.tests.registered")


@pytest.mark.parametrize(
    "said",
    [
        {"numpy_type": "object", "pandas_type": "object"},
        {"numpy_type": "period[D]", "pandas_type": "period"},
        {"numpy_type": "interval[int64]", "pandas_type": "object"},
        {"numpy_type": "__import__('os').getpid()", "pandas_type": "mixed"},
        {"numpy_type": "datetime64[ns, dateutil//etc/passwd]", "pandas_type": "datetimetz"},
        {"numpy_type": "category", "metadata": {"num_categories": 10**9, "ordered": False}},
        {"numpy_type": "ArrowDtype", "pandas_type": "python"},
    ],
    ids=str,
)
def test_what_a_table_says_of_pandas_runs_nothing(said: dict[str, object]) -> None:
    table = pa.Table.from_pandas(pd.DataFrame({"a": [1, 2]}))
    notes = json.loads(table.schema.metadata[b"pandas"])
    notes["columns"][0].update(said)
    notes["attributes"] = {"x": "__import__('os')"}
    for index in ({"kind": "range", "name": None, "start": 0, "stop": 10**12, "step": 1}, "a"):
        notes["index_columns"] = [index]
        changed = table.replace_schema_metadata({b"pandas": json.dumps(notes).encode()})
        read_or_refused("arrow-pandas", ipc(changed))


@pytest.mark.parametrize("codec", ALL_SAFE)
def test_a_pickle_is_no_value_of_a_codec_that_needs_no_trust(codec: str) -> None:
    found = read_or_refused(codec, pickle.dumps(Bomb()))
    assert found is None or codec == "bytes"


# --- more than it seems -----------------------------------------------------------


def views() -> dict[str, tuple[str, bytes]]:
    """A long text that each row names; the oldest pyarrow cannot make one."""
    if int(pa.__version__.partition(".")[0]) < 18:
        return {}
    view = struct.pack("<i4sii", 100_000, b"xxxx", 0, 0)
    buffers = [None, pa.py_buffer(view * 20_000), pa.py_buffer(b"x" * 100_000)]
    table = pa.table({"a": pa.Array.from_buffers(pa.string_view(), 20_000, buffers)})
    return {"views of one text": ("arrow-pandas", ipc(table))}


@functools.cache
def bombs() -> dict[str, tuple[str, bytes]]:
    ones = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (60000,)}\n", b"x" * 60_000)
    big = 2**61 - 1
    colliding = ",".join(str(number * big) for number in range(1, 60_000))
    pairs = ",".join(f"{number * big},0" for number in range(1, 60_000))
    members = [{"v": number * big} for number in range(1, 60_000) for _ in (0, 1)]
    return {
        "one array again and again": (
            "tree",
            tree("[" + ",".join([f'{{"n":[0,{len(ones)}]}}'] * 50_000) + "]", ones),
        ),
        "bytes again and again": (
            "tree",
            tree("[" + ",".join(['{"b":[0,1000000]}'] * 5_000) + "]", bytes(1_000_000)),
        ),
        "a set of equal hashes": ("tree", tree('{"s":[' + colliding + "]}")),
        "a frozen set of equal hashes": ("tree", tree('{"f":[' + colliding + "]}")),
        "a dict of equal hashes": ("tree", tree('{"d":[' + pairs + "]}")),
        "a collection of equal hashes": ("collection", json.dumps({"dict": members}).encode()),
        **views(),
        "a deep list": ("json", b"[" * 5_000_000),
        "a deep tree": ("tree", tree('{"t":[' * 500_000)),
        "a deep collection": ("collection", b'{"list":[' + b'{"t":[' * 500_000),
        "a long number": ("json", b"9" * 5_000_000),
        "a hollow array": (
            "npy",
            npy("{'descr': '|V0', 'fortran_order': False, 'shape': (10**9,)}"),
        ),
        "a huge array": (
            "npy",
            npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}\n"),
        ),
        "a huge scalar": ("tree", tree('{"g":["S2000000000","AAAA"]}')),
        "a deep header": ("npy", npy("(" * 9_000)),
        "a long sum": ("npy", npy("1" + "+1" * 4_000)),
        "a long negation": ("npy", npy("-" * 9_000 + "1", version=2)),
    }


@pytest.mark.parametrize("name", bombs())
def test_small_bytes_do_not_become_much(name: str) -> None:
    assert read_or_refused(*bombs()[name]) is None


def test_a_decimal_of_256_bits_is_no_panic() -> None:
    pytest.importorskip("polars")
    read_or_refused("arrow-polars", ipc(pa.table({"a": pa.nulls(2, pa.decimal256(40, 2))})))


# --- any bytes --------------------------------------------------------------------

PLAIN: list[object] = [
    [1, 2.5, "text", None, True],
    {"a": (1, {2, 3}), b"k": b"x" * 100, 1 + 2j: frozenset({1})},
    np.arange(20, dtype="<f4").reshape(4, 5),
    {"n": np.arange(30), "s": np.float32(1.5), "big": 2**3000},
    np.zeros(3, dtype=[("a", "<i4"), ("b", "S3")]),
    pa.table({"a": [1, 2, None], "b": ["x", "yy", "z"], "c": [[1], [], [2, 3]]}),
    pd.DataFrame({"a": [1.5, 2.5], "c": pd.Categorical([7, 8])}, index=[3, 4]),
    b"bytes",
]


def written(value: object) -> tuple[str, bytes]:
    encoded = encode(value)
    return encoded.codec, b"".join(bytes(memoryview(chunk)) for chunk in encoded.chunks)


SOUND = [written(value) for value in PLAIN]
COLLECTION = json.dumps(
    {"dict": [{"v": "a"}, to_text(digest(b"small")), {"t": [{"v": 1}]}, {"v": [1, {"b": 2}]}]}
).encode()
SOUND.append(("collection", COLLECTION))


def test_the_sound_bytes_are_sound() -> None:
    assert {codec for codec, _ in SOUND} >= SAFE - {"npy-torch", "arrow-polars"}
    for codec, data in SOUND:
        assert decode(codec, data, parts_of(data)) is not None


@st.composite
def changed(draw: st.DrawFn) -> tuple[str, bytes]:
    """Sound bytes with a few changes, perhaps under another codec's name."""
    codec = draw(st.sampled_from([codec for codec, _ in SOUND]))
    data = draw(changes([data for name, data in SOUND if name == codec]))
    return draw(st.sampled_from([codec] * 9 + ["tree"])), data


@many
@given(changed())
def test_changed_bytes_are_read_or_refused(case: tuple[str, bytes]) -> None:
    read_or_refused(*case)


@many
@given(st.sampled_from([*ALL_SAFE, "collection"]), st.binary(max_size=300))
@example("tree", b"\xff" * 8)
def test_any_bytes_are_read_or_refused(codec: str, data: bytes) -> None:
    read_or_refused(codec, data)


NODES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*"tdsfcibangFDvx", "list", "dict"]), inner, max_size=2)
    ),
    max_leaves=12,
)


@many
@given(NODES, st.binary(max_size=100), st.sampled_from(["tree", "collection"]))
def test_any_tree_of_tags_is_read_or_refused(node: object, body: bytes, codec: str) -> None:
    text = json.dumps(node)
    read_or_refused(codec, tree(text, body) if codec == "tree" else text.encode())


@many
@given(
    st.sampled_from(["pickle", "joblib", "files", "custom.x", "cloudpickle-3.11", "../x", "npz"]),
    st.binary(max_size=50),
)
def test_names_of_codecs_are_safe_only_if_listed(codec: str, data: bytes) -> None:
    from gitmemo.codecs import is_safe

    assert not is_safe(codec)
    if codec not in ("pickle", "joblib", "files") and not codec.startswith("cloudpickle"):
        with pytest.raises(GitmemoError):
            decode(codec, data)


def test_no_file_was_made() -> None:
    assert not Path("proof").exists()
