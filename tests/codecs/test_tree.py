"""Plain containers: exact, the same bytes everywhere, and nothing runs."""

from __future__ import annotations

import json
import mmap
import os
import pickle
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import containers

from gitmemo.codecs import decode, encode, is_safe
from gitmemo.errors import UndecodableValue
from gitmemo.hashing import content_id

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**2100), 2**2100)
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters())
    | st.binary(max_size=80)
    | st.binary(max_size=80).map(bytearray)
)
keys = st.none() | st.integers() | st.text() | st.binary(max_size=70) | st.tuples(st.integers())
arrays = st.builds(
    lambda shape, kind, fortran: np.ones(shape, kind, order="F" if fortran else "C"),
    st.lists(st.integers(0, 3), max_size=3).map(tuple),
    st.sampled_from(["f8", ">f4", "i1", "?", "U3", "M8[D]", "c16", "i4,f8"]),
    st.booleans(),
)
trees = st.recursive(
    scalars | arrays,
    lambda inner: containers(inner, keys),
    max_leaves=20,
)


@given(trees)
def test_plain_containers_are_exact_and_safe(value):
    made = encode(value)
    assert is_safe(made.codec)
    data = b"".join(made.chunks)
    again = decode(made.codec, data)
    assert type(again) is type(value)
    assert content_id(again) == content_id(value)
    assert b"".join(encode(again).chunks) == data


def test_values_cannot_pass_for_tags():
    for value in [({"t": [1]},), ({"b": "eA=="},), ({"n": [0, 0]},), {1: {"d": []}}]:
        assert decode("tree", encode(value).chunks[0]) == value


def test_bytes_do_not_depend_on_the_hash_seed():
    script = """
        from gitmemo.codecs import encode
        words = {"alpha", "beta", b"x" * 100, b"y" * 100, ("c", 1), None}
        print(encode((words, frozenset(map(str, range(50))))).blob_id().hex())
    """
    found = {
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in "123"
    }
    assert len(found) == 1


def test_arrays_of_a_file_are_mapped_private_and_writable(tmp_path):
    value = {"w": np.arange(20_000.0), "f": np.asfortranarray(np.ones((200, 100))), "b": (1,)}
    data = b"".join(encode(value).chunks)
    (tmp_path / "blob").write_bytes(data)
    again = decode("tree", tmp_path / "blob")
    owner = again["w"]
    while isinstance(owner, np.ndarray):
        owner = owner.base
    assert isinstance(memoryview(owner).obj, mmap.mmap)
    assert again["f"].flags.f_contiguous
    again["w"][:] = again["f"][:] = -1
    assert (tmp_path / "blob").read_bytes() == data
    assert content_id(decode("tree", tmp_path / "blob")) == content_id(value)


@pytest.mark.parametrize("value", [np.zeros(100 << 17), {"a": (np.zeros(100 << 17),)}])
def test_a_hundred_megabytes_open_at_once(value, tmp_path):
    made = encode(value)
    with (tmp_path / "blob").open("wb") as file:
        file.writelines(made.chunks)
    best = min(elapsed(lambda: decode(made.codec, tmp_path / "blob")) for _ in range(5))
    assert best < 0.005


def elapsed(run):
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def test_deep_shared_and_cyclic_containers_are_left_to_pickle():
    loop: list = [()]
    loop.append(loop)
    tower: tuple = ()
    for _ in range(40):
        tower = (tower, tower)
    deep: tuple = ()
    for _ in range(150):
        deep = (deep,)
    assert {encode(value).codec for value in (loop, tower, deep)} == {"pickle"}


def head(node, rest=b""):
    text = json.dumps(node).encode()
    first = len(text).to_bytes(8, "little") + text
    return first.ljust(-(-len(first) // 64) * 64, b"\0") + rest


class Evil:
    def __reduce__(self):
        return print, ("ran",)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x05\0\0\0\0\0\0\0[",
        head({"unknown": 1}),
        head({"t": [], "s": []}),
        head({"b": [0, 100]}),
        head({"b": [-64, 10]}, b"x" * 64),
        head({"n": [0, 64]}, b"x" * 64),
        head({"g": ["O", "AAAAAAAAAAA="]}),
        head({"d": [1]}),
        head({"s": [[1]]}),
        head({"i": "__import__('os')"}),
        head({"n": [0, 2000]}, pickle.dumps(Evil()).ljust(2000)),
        (2**63).to_bytes(8, "little"),
        head({}).replace(b"{}", b"[" * 2),
        (200_000).to_bytes(8, "little") + b"[" * 200_000,
    ],
)
def test_bytes_that_nobody_wrote_are_refused(data, capsys):
    with pytest.raises(UndecodableValue):
        decode("tree", data)
    assert capsys.readouterr().out == ""


def test_arrays_of_objects_are_not_read(tmp_path):
    np.save(tmp_path / "evil.npy", np.array([Evil()]), allow_pickle=True)
    evil = (tmp_path / "evil.npy").read_bytes()
    with pytest.raises(UndecodableValue):
        decode("tree", head({"n": [0, len(evil)]}, evil))


HUGE = 10**10


def hollow(kind, shape):
    import io

    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header,
        {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape},
    )
    return header.getvalue()


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (np.dtype("V0"), (HUGE,)),
        (np.dtype("S0"), (HUGE, HUGE)),
        (np.dtype([("a", "V0"), ("b", "S0")]), (10**9,)),
        (np.dtype([("a", "i1"), ("b", "V0")]), (0,)),
        (np.dtype("f8"), (HUGE,)),
        (np.dtype("f8"), (-1,)),
        (np.dtype("f8"), (0, -HUGE)),
    ],
)
def test_few_bytes_are_few_elements(kind, shape, tmp_path):
    npy = hollow(kind, shape)
    text = json.dumps({"n": [0, len(npy)]}).encode()
    tree = (len(text).to_bytes(8, "little") + text).ljust(64, b"\0") + npy
    start = time.monotonic()
    for codec, data in (("npy", npy), ("tree", tree)):
        (tmp_path / codec).write_bytes(data)
        if 0 in shape and min(shape) == 0:
            assert np.size(decode(codec, data)) == 0
            continue
        for source in (data, tmp_path / codec):
            with pytest.raises(UndecodableValue):
                decode(codec, source)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("cut", [-8, 8])
def test_an_array_has_the_bytes_that_it_says(cut, tmp_path):
    encoded = encode(np.arange(20_000.0))
    data = b"".join(encoded.chunks)
    data = data[:cut] if cut < 0 else data + bytes(cut)
    (tmp_path / "blob").write_bytes(data)
    for source in (data, tmp_path / "blob"):
        with pytest.raises(UndecodableValue):
            decode("npy", source)


def test_arrays_without_bytes_come_back():
    few, many = (np.zeros(size, "V0") for size in (5, 1 << 17))
    assert encode(few).codec == "npy"
    again = decode("npy", b"".join(encode(few).chunks))
    assert (again.shape, again.dtype) == (few.shape, few.dtype)
    assert encode(many).codec != "npy"
