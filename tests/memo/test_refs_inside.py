"""Refs where they cannot be replaced: refused. And containers that are rebuilt: exactly."""

from __future__ import annotations

import pickle
import time
from collections import OrderedDict, UserList, defaultdict, deque
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

import gitmemo as gm
from gitmemo.errors import RefInside, Unencodable


@dataclass
class Cfg:
    x: Any


class Bag(dict):
    pass


class Quiet:
    """Its hash does not look at what it holds."""

    def __init__(self, x):
        self.x = x

    def __gitmemo_hash__(self):
        return "quiet"


@gm.op(name="refs_inside.one")
def one():
    return [1, 2]


@gm.op(name="refs_inside.kind")
def kind(c):
    return type(c.x).__name__


@gm.op(name="refs_inside.first_kind")
def first_kind(items):
    return type(items[0]).__name__


@gm.op(name="refs_inside.see")
def see(value):
    return repr(value)


@pytest.fixture
def storage(tmp_path):
    with gm.Storage(tmp_path / "store") as storage:
        yield storage


def test_a_ref_in_an_object_is_refused_and_does_not_pass_for_its_value(storage):
    with pytest.raises(RefInside) as caught:
        kind(Cfg(one()))
    assert "argument 'c'" in str(caught.value)
    assert ".x" in str(caught.value)
    assert "storage.unwrap(ref)" in str(caught.value)
    assert storage.unwrap(kind(Cfg([1, 2]))) == "list"


def bag(ref):
    made = Bag(a=1)
    made.note = ref
    return made


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (lambda ref: deque([ref]), ""),
        (lambda ref: UserList([ref]), ".data[0]"),
        (lambda ref: SimpleNamespace(a={"b": [ref]}), ".a['b'][0]"),
        (lambda ref: {"a": [Cfg((1, ref))]}, "['a'][0].x[1]"),
        (lambda ref: [ref, Cfg(ref)], ".x"),
        (lambda ref: [[ref] * 5, [ref] * 5, Cfg([ref] * 5)], ".x[0]"),
        (bag, ".note"),
    ],
)  # fmt: skip
def test_refs_in_objects(storage, make, path):
    with pytest.raises(RefInside) as caught:
        see(make(one()))
    assert path in caught.value.path
    with pytest.raises(RefInside):
        gm.wrap_atom(Cfg(make(one())))


def test_what_is_shared_with_a_container_is_refused_too(storage):
    refs = [one()] * 5
    with pytest.raises(RefInside):
        see([refs, Cfg(refs)])


def test_a_result_with_a_ref_in_an_object_is_refused(storage):
    ref = one()

    @gm.op(name="refs_inside.make")
    def make(quiet):
        return Quiet(ref) if quiet else Cfg(ref)

    with pytest.raises(RefInside, match=r"output 'output_0' of .*\.x"):
        make(False)
    with pytest.raises(Unencodable, match=r"a ref inside an object"):
        make(True)


def test_refs_travel_copied_and_pickled(storage):
    ref = pickle.loads(pickle.dumps(Cfg(one()))).x
    assert ref.unwrap() == [1, 2]
    assert storage.unwrap(see(ref)) == "[1, 2]"


def test_a_container_with_refs_is_the_call_of_the_plain_one(storage):
    ref = one()
    before = storage.unwrap(see({"a": (ref, [ref])}))
    assert before == storage.unwrap(see({"a": ([1, 2], [[1, 2]])})) == "{'a': ([1, 2], [[1, 2]])}"
    assert gm.content_hash(ref) == gm.content_hash([1, 2])


# --- containers of their own kinds -----------------------------------------------


class Args(tuple):
    def __new__(cls, *items):
        return super().__new__(cls, items)


class Noted(tuple):
    pass


class Some(frozenset):
    def __new__(cls, *items):
        return super().__new__(cls, items)


class Slotted(list):
    __slots__ = ("label", "unset")


class Doubling(list):
    def __init__(self, *items):
        super().__init__(items)

    def extend(self, items):
        for item in items:
            super().extend([item, item])

    def append(self, item):
        raise AssertionError(item)

    def clear(self):
        raise AssertionError("clear")

    def __iter__(self):
        return iter(["not", "what", "it", "holds"])


class Upper(dict):
    def __setitem__(self, key, value):
        super().__setitem__(key.upper(), value)

    def values(self):
        return []

    def copy(self):
        raise AssertionError("copy")

    __copy__ = copy


class Odd(set):
    def update(self, *others):
        raise AssertionError("update")


class _Point(NamedTuple):
    x: Any
    y: Any


class Point(_Point):
    def __new__(cls, x):
        return super().__new__(cls, x, 0)


class Falls(defaultdict):
    def __init__(self, n):
        super().__init__(lambda: n)


def with_attributes(made, **attributes):
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def doubling(x):
    made = Doubling()
    list.extend(made, [x, 2])
    return made


def upper(x):
    made = with_attributes(Upper(), note=[1])
    dict.__setitem__(made, "low", x)
    return made


def odd(x):
    made = Odd()
    set.add(made, x)
    return made


def ordered(x):
    made = OrderedDict(a=x, b=2)
    made.move_to_end("a")
    return made


def falls(x):
    made = Falls(3)
    made["x"] = x
    return made


@pytest.mark.parametrize(
    "make",
    [
        lambda x: Args(x, 2),
        lambda x: with_attributes(Noted([x, 2]), note="kept"),
        lambda x: with_attributes(Some(x, 2), note="kept"),
        lambda x: with_attributes(Slotted([x]), label="kept"),
        doubling, upper, odd, ordered, falls, Point,
        lambda x: [Args(Args(x))],
    ],
)  # fmt: skip
def test_containers_are_rebuilt_exactly(make):
    ref = gm.wrap_atom("v")
    again, plain = gm.unwrap(make(ref)), make("v")
    assert type(again) is type(plain)
    assert everything(again) == everything(plain)


def everything(value):
    """All that a container holds, past what its type overrides."""
    kind = type(value)
    if isinstance(value, OrderedDict):
        items: Any = list(OrderedDict.items(value))
    elif isinstance(value, dict):
        items = list(dict.items(value))
    elif isinstance(value, list | tuple):
        base = list if isinstance(value, list) else tuple
        items = [everything(item) for item in base.__iter__(value)]
    elif isinstance(value, set | frozenset):
        items = {*(set if isinstance(value, set) else frozenset).__iter__(value)}
    else:
        return value
    factory = getattr(value, "default_factory", None)
    label = getattr(value, "label", None)
    return kind, items, getattr(value, "__dict__", None), label, factory and factory()


def test_the_body_gets_the_container_that_was_passed(storage):
    assert storage.unwrap(see(Args(one(), 2))) == "([1, 2], 2)"

    @gm.op(name="refs_inside.note")
    def note(items):
        return items.note

    assert storage.unwrap(note(with_attributes(Noted([one()]), note="kept"))) == "kept"
    assert storage.unwrap(see(Point(one()))) == "Point(x=[1, 2], y=0)"


def test_wrapping_keeps_the_kind_of_a_container():
    wrapped = gm.wrap(with_attributes(Args(1, [2]), note="kept"))
    assert type(wrapped) is Args
    assert wrapped.note == "kept"
    assert list(gm.unwrap(wrapped)) == [1, [2]]


def test_wrapping_what_cannot_be_rebuilt_gives_one_ref():
    moment = time.gmtime(0)
    assert gm.wrap(moment).unwrap() == moment


def test_a_container_that_cannot_be_rebuilt_is_refused(storage):
    time_of_refs = time.struct_time([one(), *range(1, 9)])
    with pytest.raises(RefInside, match="items cannot be replaced"):
        see(time_of_refs)
