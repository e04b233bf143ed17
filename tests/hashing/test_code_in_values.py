"""Classes and functions whose address does not lead to them: what is in them counts."""

from __future__ import annotations

import collections
import dataclasses
import enum
import functools
import subprocess
import sys
import threading
import types
import typing

import numpy as np
import pandas as pd
import pytest

from gitmemo.codecs import decode, encode
from gitmemo.errors import Unhashable
from gitmemo.hashing import content_id
from gitmemo.hashing.structure import code_digest


def attribute(k):
    class C:
        K = k

        def get(self):
            return self.K

    return C()


def with_property(k):
    class C:
        @property
        def get(self):
            return k

    return C()


def with_static(k):
    class C:
        @staticmethod
        def get():
            return k

    return C()


def with_class_method(k):
    class C:
        @classmethod
        def get(cls):
            return k

    return C()


def with_cached(k):
    class C:
        @functools.cached_property
        def get(self):
            return k

    return C()


def with_base(k):
    class Base:
        K = k

    class C(Base):
        pass

    return C()


def with_metaclass(k):
    class Meta(type):
        K = k

    class C(metaclass=Meta):
        pass

    return C()


def with_partial(k):
    class C:
        get = functools.partialmethod(int, k)

    return C()


def with_super(k):
    class C:
        def get(self):
            return super().__init__, k

    return C()


def made_by_type(k):
    return type("T", (), {"K": k})()


def local_dataclass(k):
    @dataclasses.dataclass
    class Local:
        x: int = 1
        y: dataclasses.InitVar[int] = k
        z: object = object()

    return Local()


def slotted_dataclass(k):
    @dataclasses.dataclass(frozen=True, slots=True)
    class Local:
        x: list[int] = dataclasses.field(default_factory=list)

        def get(self):
            return k

    return Local()


def made_dataclass(k):
    kind = dataclasses.make_dataclass("D", [("x", int), ("y", int, k)])
    value = kind(1)
    value.y = 0
    return value


def local_enum(k):
    class Colour(enum.Enum):
        RED = 1
        BLUE = 10 * k

    return Colour.RED


def local_namedtuple(k):
    class Row(typing.NamedTuple):
        x: int = 1
        y: int = k

    return Row(1, 2)


def executed(k):
    names = {}
    exec(f"def h(x): return x+{k}", {}, names)
    return names["h"]


def executed_in_a_module(k):
    names = {"__name__": "math"}
    exec(f"def h(x): return x+{k}", names)
    return names["h"]


def executed_globals(k):
    names = {"K": k}
    exec("def h(x):\n def inner(): return K\n return inner", names)
    return names["h"]


def executed_class(k):
    names = {"__name__": "math"}
    exec(f"class C:\n def get(self): return {k}", names)
    return names["C"]()


def under(x):
    return x


def over(x):
    return -x


ORIGINAL = under
under = functools.update_wrapper(over, under)


MAKERS = [
    attribute,
    with_property,
    with_static,
    with_class_method,
    with_cached,
    with_base,
    with_metaclass,
    with_partial,
    with_super,
    made_by_type,
    local_dataclass,
    slotted_dataclass,
    made_dataclass,
    local_enum,
    local_namedtuple,
    executed,
    executed_in_a_module,
    executed_globals,
    executed_class,
]


@pytest.mark.parametrize("make", MAKERS)
def test_what_is_in_it_counts(make):
    assert content_id(make(1)) == content_id(make(1)) != content_id(make(2))
    assert content_id([make(1), 0]) != content_id([make(2), 0])


@pytest.mark.parametrize("make", MAKERS)
def test_use_does_not_change_it(make):
    value = make(1)
    before = content_id(value)
    kind = type(value)
    _ = (kind.__annotations__ if hasattr(kind, "__annotations__") else None, repr(value))
    getattr(kind, "__slotnames__", None)
    assert content_id(value) == before


READ = """
import sys
from gitmemo.codecs import decode
from gitmemo.hashing import content_id
codec = sys.argv[1]
print(content_id(decode(codec, sys.stdin.buffer.read())).hex())
"""


# Cached properties hold a lock before Python 3.12, so nothing pickles their class.
@pytest.mark.parametrize(
    "make", [m for m in MAKERS if sys.version_info >= (3, 12) or m is not with_cached]
)
def test_another_process_reads_it_as_the_same(make):
    value = make(1)
    encoded = encode(value)
    data = b"".join(encoded.chunks)
    assert content_id(decode(encoded.codec, data)) == content_id(value)
    done = subprocess.run(
        [sys.executable, "-c", READ, encoded.codec], input=data, capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == content_id(value).hex()


def test_two_functions_under_one_name():
    assert under.__qualname__ == ORIGINAL.__qualname__
    assert content_id(under) != content_id(ORIGINAL)


def test_what_cannot_be_hashed_in_a_class_is_named():
    class Guarded:
        lock = threading.Lock()

    with pytest.raises(Unhashable, match="lock"):
        content_id(Guarded())


def test_a_class_that_was_defined_again(monkeypatch):
    module = types.ModuleType("again")
    monkeypatch.setitem(sys.modules, "again", module)
    exec("class C:\n K = 1", vars(module))
    named = content_id(module.C)
    old = module.C()
    exec("class C:\n K = 2", vars(module))
    assert content_id(module.C) == named != content_id(type(old))
    assert content_id(old) != content_id(module.C())


def test_code_that_decorators_wrap_is_still_named(monkeypatch):
    module = types.ModuleType("wrapped")
    monkeypatch.setitem(sys.modules, "wrapped", module)
    code = "import functools\n@functools.lru_cache\ndef f(x): return x + {}"
    exec(code.format(1), vars(module))
    before = content_id([module.f, module.f.__wrapped__])
    exec(code.format(2), vars(module))
    assert content_id([module.f, module.f.__wrapped__]) == before


def test_fields_of_named_tuples_count():
    (row,) = pd.DataFrame({"a": [1]}).itertuples()
    (other,) = pd.DataFrame({"b": [1]}).itertuples()
    assert content_id(row) != content_id(other)
    left, right = (collections.namedtuple("R", names)(1, 2) for names in ("x y", "x z"))
    assert content_id(left) != content_id(right)
    assert content_id(left) == content_id(collections.namedtuple("R", "x y")(1, 2))


def test_the_instructions_that_a_try_covers_count():
    sources = (
        "def f(a, b):\n try:\n  a(); b()\n except E: pass",
        "def f(a, b):\n a()\n try:\n  b()\n except E: pass",
    )
    made = []
    for source in sources:
        names = {}
        exec(source, names)
        made.append(code_digest(names["f"].__code__))
    assert len(set(made)) == 2


# --- attributes that were overlooked ------------------------------------------------


class Base:
    __slots__ = ("hidden",)


@dataclasses.dataclass
class Child(Base):
    x: int = 1


class Tagged(np.ndarray):
    __slots__ = ("unit",)


class Measured(np.ma.MaskedArray):
    pass


def tagged(value, name, tag):
    setattr(value, name, tag)
    return value


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (Child, "hidden"),
        (lambda: np.ma.array([1, 2], mask=[0, 1]), "unit"),
        (lambda: np.ma.array([1, 2], mask=[0, 1]).view(Measured), "unit"),
        (lambda: np.arange(3).view(Tagged), "unit"),
    ],
)
def test_attributes_count(make, name):
    left, right, again = (tagged(make(), name, tag) for tag in ("km", "mile", "km"))
    assert content_id(left) == content_id(again) != content_id(right)
    assert content_id(make()) == content_id(make()) != content_id(left)


def test_a_masked_array_keeps_its_id_when_used():
    value = np.ma.array([1.0, 2.0], mask=[0, 1])
    before = content_id(value)
    _ = (
        value.mean(),
        value.fill_value,
        value[0],
        value.filled(),
        value.view(),
        value.soften_mask(),
    )
    assert content_id(value) == before
