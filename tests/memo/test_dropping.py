"""Dropping a version from a storage: what depends on it goes too, and can be made again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import gitmemo as gm
from gitmemo.errors import NothingToDrop
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Call
from gitmemo.model.semantics import semantic_id


@gm.op
def first(x: int) -> int:
    return x + 1


@gm.op
def second(x: int) -> int:
    return x * 10


@pytest.fixture
def storage() -> Iterator[gm.Storage]:
    storage = gm.Storage(deps_path=Path(__file__).parent)
    with storage:
        assert storage.unwrap(second(first(1))) == 20
    yield storage
    storage.close()


def version_of(storage: gm.Storage, op: str) -> Digest:
    calls = storage.world.calls(storage._code)
    return next(call.version for call in calls if call.op.endswith(op) and call.version)


def test_a_version_goes_with_its_dependents(storage: gm.Storage) -> None:
    version = version_of(storage, "first")
    plan = storage.drop_version(to_hex(version), dry_run=True)
    assert [len(plan.calls), len(plan.dependents), plan.undo] == [1, 1, ""]
    assert len(storage.cf(second)) == 1
    done = storage.drop_version(to_hex(version)[:10])
    assert done.undo
    assert len(storage.cf()) == 0
    with storage:
        assert storage.unwrap(second(first(1))) == 20
    assert storage.counter.computed == 4
    with pytest.raises(NothingToDrop):
        storage.drop_version("0123456789")


def test_a_semantic_id_names_it_too(storage: gm.Storage) -> None:
    version = storage.world.version(version_of(storage, "second"))
    assert version is not None
    name = semantic_id(version, storage.world.decisions())
    plan = storage.drop_version(to_hex(name), dry_run=True)
    assert [call.op.rpartition(":")[2] for call in plan.calls] == ["second"]


@gm.op
def same(x: int) -> int:
    return x


def calls_of(storage: gm.Storage, *ops: str) -> list[Call]:
    return [c for c in storage.world.calls(storage._code) if c.op.endswith(ops)]


def test_what_a_living_call_has_made_too_stays(storage: gm.Storage) -> None:
    with storage:
        second(same(2))  # the same value as `first(1)`: found, and linked
    assert sorted(call.is_link for call in calls_of(storage, "second")) == [False, True]
    done = storage.drop_version(to_hex(version_of(storage, "first")))
    assert (len(done.calls), done.dependents, done.kept) == (1, (), ())
    before = storage.counter.computed
    with storage:
        assert storage.unwrap(second(same(2))) == 20
    assert storage.counter.computed == before
    storage.drop_version(to_hex(version_of(storage, "same")))
    assert calls_of(storage, "second") == [], "nothing that is left makes its input"


def test_calls_that_only_feed_each_other_do_not_stay(storage: gm.Storage) -> None:
    with storage:
        value = same(first(4))
        for _ in range(2):
            value = same(value)  # each is found, and its own input's content is what it returns
    done = storage.drop_version(to_hex(version_of(storage, "first")))
    assert [c.op.rpartition(":")[2] for c in done.dependents].count("same") == 3
    assert calls_of(storage, "same") == []
