"""What has no content id, and how that is said."""

from __future__ import annotations

import os
import pickle
import random
import threading
import weakref
from pathlib import Path

import pytest

from gitmemo.errors import Unhashable
from gitmemo.hashing import content_id, hasher


class Model:
    def __init__(self, **state):
        self.__dict__.update(state)


class Secret:
    def __reduce_ex__(self, protocol):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (threading.Lock(), ""),
        (Model(model=Model(lock=threading.Lock())), ".model.lock"),
        ([1, 2, 3, {"x": threading.Lock()}], "[3]['x']"),
        ((0, {"x": [Secret()]}), "[1]['x'][0]"),
        ({"gen": (i for i in "ab")}, "['gen']"),
        ([iter([1])], "[0]"),
        ([weakref.ref(Model())], "[0]"),
    ],
)
def test_the_error_leads_to_the_culprit(value, path):
    with pytest.raises(Unhashable) as caught:
        content_id(value)
    assert caught.value.path == path
    assert pickle.loads(pickle.dumps(caught.value)).path == path


def test_an_open_file():
    with Path(os.devnull).open() as file, pytest.raises(Unhashable):
        content_id(Model(log=file))


def test_captured_handles_are_named():
    lock = threading.Lock()
    with pytest.raises(Unhashable) as caught:
        content_id([lambda: lock])
    assert caught.value.path == "[0].lock"


def nested(levels, wrap=lambda inner: [inner]):
    value = None
    for _ in range(levels):
        value = wrap(value)
    return value


def test_500_levels_have_an_id():
    assert content_id(nested(500)) == content_id(nested(500)) != content_id(nested(501))
    as_objects = nested(500, lambda inner: Model(inner=inner))
    assert content_id(as_objects) == content_id(nested(500, lambda inner: Model(inner=inner)))


def test_too_many_levels_are_refused_with_a_reason():
    with pytest.raises(Unhashable, match="levels deep"):
        content_id(nested(5_000))


def test_a_caller_that_is_deep_itself():
    def dive(levels):
        return dive(levels - 1) if levels else content_id(nested(40))

    assert dive(850) == content_id(nested(40))


def test_densely_linked_objects_end():
    from gitmemo.hashing import encoding

    limit, encoding._CYCLIC_VISITS = encoding._CYCLIC_VISITS, 2_000
    try:
        nodes = [Model() for _ in range(12)]
        for node in nodes:
            node.others = list(nodes)
        with pytest.raises(Unhashable, match="refer to one another"):
            content_id(nodes)
    finally:
        encoding._CYCLIC_VISITS = limit


def test_shared_parts_are_walked_once():
    value = ["x" * 100]
    for _ in range(200):
        value = [value, value]
    assert content_id(value)


class Handle:
    def __init__(self, name, version=1):
        self.name, self.version, self.lock = name, version, threading.Lock()


class SubHandle(Handle):
    pass


def test_a_hasher_covers_a_type_and_its_subclasses():
    with pytest.raises(Unhashable):
        content_id(Handle("a"))
    hasher(Handle)(lambda handle: handle.name)
    first = content_id(Handle("a"))
    assert first == content_id(Handle("a")) != content_id(Handle("b"))
    assert content_id(SubHandle("a")) == content_id(SubHandle("a")) != first
    hasher(Handle, version=2)(lambda handle: handle.name)
    assert content_id(Handle("a")) != first


class Named:
    def __init__(self, name):
        self.name, self.cache = name, random.random()

    def __gitmemo_hash__(self):
        return self.name


def test_an_object_can_say_what_stands_for_it():
    assert content_id(Named("a")) == content_id(Named("a")) != content_id(Named("b"))
    assert content_id(Named("a")) != content_id("a")


def test_builtin_types_keep_their_encoding():
    with pytest.raises(TypeError):
        hasher(int)(str)
