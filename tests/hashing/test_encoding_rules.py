"""The promises of the encoding, for any value that hypothesis can think of."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import containers

from gitmemo.hashing import content_id
from gitmemo.hashing.encoding import part
from gitmemo.hashing.parts import part_from_id, part_id, sequence

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**200), 2**200)
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters())
    | st.text(min_size=60, max_size=70)
    | st.binary()
)
keys = st.none() | st.integers() | st.text() | st.tuples(st.integers())
values = st.recursive(
    scalars,
    lambda inner: containers(inner, keys),
    max_leaves=30,
)


def typed(value):
    """Return something whose equality is that of values with their types and order."""
    if isinstance(value, float | complex):
        return type(value), repr(value)
    if isinstance(value, list | tuple):
        return type(value), tuple(map(typed, value))
    if isinstance(value, dict):
        return dict, tuple((typed(k), typed(v)) for k, v in value.items())
    if isinstance(value, set | frozenset):
        return type(value), frozenset(map(typed, value))
    return type(value), value


@given(values, values)
@settings(max_examples=150)
def test_ids_are_equal_exactly_when_typed_values_are(left, right):
    assert (content_id(left) == content_id(right)) == (typed(left) == typed(right))


@given(values)
def test_sharing_does_not_show(value):
    assert content_id([value, value]) == content_id([value, copy.deepcopy(value)])


@given(st.lists(values, max_size=6))
def test_a_list_can_be_hashed_from_the_ids_of_its_elements(elements):
    parts = [part(element) for element in elements]
    for encoded, element in zip(parts, elements, strict=True):
        assert len(encoded) <= 64
        assert part_id(encoded) == content_id(element)
        if encoded[:1] == b"M":
            assert encoded == part_from_id(content_id(element))
    whole = sequence(b"L", parts)
    assert content_id(elements) == blake3(b"gm1" + whole).digest()


@given(
    st.sampled_from([st.integers(), st.floats(), st.text(max_size=70)]).flatmap(
        lambda one: st.lists(one, min_size=32, max_size=40)
    )
)
@settings(max_examples=50)
def test_long_uniform_lists_follow_the_same_rule(elements):
    whole = sequence(b"L", [part(element) for element in elements])
    assert content_id(elements) == blake3(b"gm1" + whole).digest()
    whole = sequence(b"(", [part(element) for element in elements])
    assert content_id(tuple(elements)) == blake3(b"gm1" + whole).digest()


def test_an_array_part_is_its_id():
    array = np.zeros((10, 10))
    assert part([array]) == b"L\x01" + part_from_id(content_id(array))


def test_the_element_bytes_of_an_array_count_as_bytes():
    array = np.arange(100, dtype="<i4")
    expected = b"R\x0dnumpy.ndarray\x03" + part("i4") + part((100,)) + part(array.tobytes())
    assert content_id(array) == blake3(b"gm1" + expected).digest()


def test_hashing_changes_nothing():
    masked = np.ma.array([1, 2], mask=[0, 1])
    content_id(masked)
    assert masked._fill_value is None


def test_threads_agree():
    script = """
        import sys, threading, decimal
        sys.setswitchinterval(1e-6)
        import numpy as np, pandas as pd
        from concurrent.futures import ThreadPoolExecutor
        from gitmemo.hashing import content_id
        value = [pd.DataFrame({"a": [1]}), np.arange(3), decimal.Decimal(1)]
        gate = threading.Barrier(8)
        def run(_):
            gate.wait()
            return content_id(value)
        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(run, range(8)))) == 1
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(content_id, [{"a": [1, "x" * 100]}] * 20))) == 1


def test_the_main_script_has_the_ids_of_its_import(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        "from gitmemo.hashing import content_id\n"
        "class Thing: pass\n"
        "def act(): pass\n"
        "print(content_id([Thing(), Thing, act]).hex())\n"
        "import gitmemo.memo.storage\n"  # more of gitmemo is loaded: the same
        "print(content_id([Thing(), Thing, act]).hex())\n"
    )
    root = str(Path(__file__).parents[2])
    found = [
        subprocess.run(
            [sys.executable, *how],
            check=True,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": root},
        ).stdout.split()
        for how in (["train.py"], ["-m", "train"], ["-c", "import train"])
    ]
    assert found[0][0] == found[0][1]
    assert found[0] == found[1] == found[2]


def test_importing_loads_no_data_library():
    script = """
        import sys
        import gitmemo.hashing, gitmemo.codecs
        gitmemo.hashing.content_id({"a": [1, 2.0]})
        gitmemo.codecs.encode({"a": [1, 2.0]})
        gitmemo.codecs.encode({1, 2})
        heavy = {"numpy", "pandas", "joblib", "cloudpickle", "scipy", "sklearn", "pyarrow"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.sampled_from(["f8", "i4", "c16", "u2", "M8[s]", "?"]),
    st.data(),
)
def test_the_layout_of_an_array_does_not_show(shape, kind, data):
    plain = np.arange(np.prod(shape)).astype(kind).reshape(shape)
    axes = data.draw(st.permutations(range(len(shape))))
    swapped = plain.transpose(axes).copy().transpose(np.argsort(axes))
    spread = np.repeat(plain, 2, axis=0)[::2]
    assert {
        content_id(each)
        for each in (
            swapped,
            spread,
            np.asfortranarray(plain),
            plain.astype(plain.dtype.newbyteorder(">")),
        )
    } == {content_id(plain)}


@given(st.dictionaries(st.text(), st.integers(), min_size=2), st.sets(st.text(), min_size=2))
def test_order_counts_in_dicts_and_not_in_sets(mapping, words):
    turned = dict(reversed(mapping.items()))
    assert turned == mapping
    assert content_id(turned) != content_id(mapping)
    backwards = sorted(words, reverse=True)
    assert content_id(set(backwards)) == content_id(words)


def test_ids_do_not_depend_on_the_hash_seed():
    script = """
        import random
        from gitmemo.hashing import content_hash
        choose = random.Random(0)
        def word(): return "".join(choose.choices("abcdé", k=choose.randrange(80)))
        def make(depth):
            some = range(choose.randrange(6))
            kinds = [
                lambda: {word() for _ in some}, lambda: frozenset((word(), n) for n in some),
                lambda: word(), lambda: {word(): make(depth + 1) for _ in some},
                lambda: [make(depth + 1) for _ in some], lambda: (word().encode(), frozenset()),
            ]
            return choose.choice(kinds[:3] if depth > 3 else kinds)()
        print(content_hash([make(0) for _ in range(300)]))
    """
    found = {
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(found) == 1
