"""Refs and calls, as far as no other test shows what `docs/compared.md` says of them."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import gitmemo as gm
from gitmemo import errors


class Pair(NamedTuple):
    a: object
    b: object


@gm.op
def big(x):
    return [x] * 1000


@gm.op
def total(values):
    return sum(values)


def stored(storage: gm.Storage, x: int = 1) -> Any:
    """Return a ref whose value is only in the storage."""
    with storage:
        big(x)
        ref = big(x)
    assert not ref.in_memory
    return ref


def test_reused_results_are_loaded_when_they_are_needed(storage: gm.Storage) -> None:
    ref = stored(storage)
    with storage:
        result = total(ref)
        assert storage.unwrap(result) == 1000
        again = total(big(1))
    assert not ref.in_memory, "an op is given the value, the ref stays as it is"
    assert not again.in_memory
    assert storage.unwrap(ref) == [1] * 1000


def test_two_refs_of_one_history(storage: gm.Storage) -> None:
    first, second = stored(storage), stored(storage)
    assert first is not second
    assert first.same_as(second) and hash(first) == hash(second)
    assert (first.cid, first.hid) == (second.cid, second.hid)
    with pytest.raises(errors.RefMisuse, match="compare"):
        first == second  # noqa: B015  it is the comparison that raises


def test_attach_loads_values_into_refs(storage: gm.Storage) -> None:
    ref = stored(storage)
    loaded = storage.attach(obj=ref, inplace=False)
    assert loaded.in_memory and not ref.in_memory and loaded.same_as(ref)
    assert storage.attach(ref, inplace=True) is ref and ref.in_memory


def test_attach_keeps_the_types_of_containers(storage: gm.Storage) -> None:
    with storage:
        total(big(1))
        ref = total(big(1))
    given: list[Any] = [
        [ref], (ref, 1), {ref}, frozenset({ref}), {"a": [ref]}, Pair(ref, 1),
        OrderedDict(a=ref), defaultdict(list, a=ref),
    ]  # fmt: skip
    loaded = storage.attach(given)
    assert list(map(type, loaded)) == list(map(type, given))
    assert storage.unwrap(loaded) == storage.unwrap(given)
    for value in (loaded[0][0], loaded[1][0], *loaded[2], *loaded[3], loaded[4]["a"][0]):
        assert value.in_memory
    assert loaded[5].a.in_memory and loaded[6]["a"].in_memory and loaded[7]["a"].in_memory
    assert loaded[7].default_factory is list
    assert not ref.in_memory


def test_load_ref_does_what_its_flag_says(storage: gm.Storage) -> None:
    ref = stored(storage)
    assert storage.load_ref(ref.hid).in_memory
    assert storage.load_ref(ref.hid, in_memory=True).in_memory
    lazy = storage.load_ref(ref.hid, in_memory=False)
    assert not lazy.in_memory
    assert storage.unwrap(lazy) == [1] * 1000
    for unknown in ("0" * 64, "no id"):
        with pytest.raises(errors.UnknownRef):
            storage.load_ref(unknown)


def test_wrap_atom_is_one_ref_and_wrap_maps_over_collections(storage: gm.Storage) -> None:
    atom = gm.wrap_atom([1, 2])
    assert isinstance(atom, gm.AtomRef) and atom.in_memory
    assert [type(item) for item in gm.wrap((5, 20))] == [gm.AtomRef, gm.AtomRef]
    with storage:
        assert total(atom).same_as(total([1, 2]))
    assert atom.cid == gm.wrap_atom([1, 2]).cid
    assert storage.get_ref_creator(atom) is None


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_ref_is_the_same_ref(storage: gm.Storage, copied: Any) -> None:
    ref = stored(storage)
    for again in (copied(ref), copied({"deep": [ref]})["deep"][0]):
        assert again.same_as(ref) and not again.in_memory
        assert storage.unwrap(again) == [1] * 1000


def test_a_pickled_ref_takes_its_value_along(storage: gm.Storage) -> None:
    ref = stored(storage)
    again = pickle.loads(pickle.dumps(ref))
    assert again.same_as(ref)
    assert gm.unwrap(again) == [1] * 1000
    with storage:
        assert total(again).same_as(total(ref))
    with storage:
        small = total(ref)
    assert pickle.loads(pickle.dumps(small)).unwrap() == 1000


def test_a_call_says_when_where_and_how_long(storage: gm.Storage) -> None:
    with storage:
        ref = total(big(2))
    call = storage.get_ref_creator(ref)
    assert call is not None
    assert call.op.endswith(":total")
    assert (len(call.cid), len(call.hid)) == (64, 64)
    assert call.inputs["values"].hid == stored(storage, 2).hid
    assert call.outputs["output_0"].hid == ref.hid
    assert call.run["seconds"] >= 0 and call.run["start"] and call.run["python"]


def test_history_can_be_asked_inside_a_block(storage: gm.Storage) -> None:
    with storage:
        ref = total(big(3))
        call = storage.get_ref_creator(ref)
        assert call is not None
        maker = storage.get_ref_creator(call.inputs["values"])
        assert maker is not None and maker.op.endswith(":big")
        assert storage.load_ref(ref.hid).obj == 3000
        assert storage.prov(ref).splitlines()[-1].endswith("= total(values=big_1)")
        assert len(storage.cf(total).expand_back().df()) == 1


def test_creators_and_consumers_are_found(storage: gm.Storage) -> None:
    with storage:
        for x in (1, 2):
            total(big(x))
    back = storage.cf(total).expand_back().df()
    forward = storage.cf(big).expand_forward().df()
    for table in (back, forward):
        assert sorted(table[["x", "total"]].values.tolist()) == [[1, 1000], [2, 2000]]


def test_equal_values_are_stored_once(storage: gm.Storage, path: Path) -> None:
    @gm.op(name="make")
    def make(seed):
        return np.arange(100_000)  # 800 kB, the same for every seed

    with storage:
        refs = [make(seed) for seed in range(5)]
    assert len({ref.hid for ref in refs}) == 5
    assert len({ref.cid for ref in refs}) == 1
    size = sum(file.stat().st_size for file in path.parent.glob("s.db*"))
    assert size < 3 * 800_000  # five copies would take 4 MB; what was written may be in two files
