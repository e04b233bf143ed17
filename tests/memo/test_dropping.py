"""Dropping a version from a storage: what depends on it goes too, and can be made again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import gitmemo as gm
from gitmemo.errors import NothingToDrop
from gitmemo.hashing.digest import Digest, to_hex
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
