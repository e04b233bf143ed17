"""Ids as people copy them from tables: the first digits lead to the value, the call or the history."""

from __future__ import annotations

import itertools

import pytest

import gitmemo as gm
from gitmemo.errors import AmbiguousId, NotARef, UnknownOp, UnknownRef
from gitmemo.short_ids import SHOWN_DIGITS


def test_the_first_digits_of_an_id_are_enough() -> None:
    storage = gm.Storage()

    @gm.op(output_names=["y"])
    def double(x: int) -> int:
        return 2 * x

    with storage:
        refs = [double.ref(x) for x in range(900)]
    ref = refs[0]
    assert f"hid={ref.hid[:SHOWN_DIGITS]}..." in repr(ref)
    assert storage.load_ref(ref.hid[:12]).hid == ref.hid
    assert storage.load_ref(ref.hid[:12].upper()).hid == ref.hid
    assert storage.cf(ref.hid[:12]).df().iloc[0, 0] == 0
    call = storage.get_ref_creator(ref)
    assert call is not None
    assert storage.cf(call.hid[:12]).df()["y"].tolist() == [0]

    four = sorted(one.hid[:4] for one in refs)
    twice = next(a for a, b in itertools.pairwise(four) if a == b)  # as good as certain
    for ask in (storage.load_ref, storage.cf):
        with pytest.raises(AmbiguousId):
            ask(twice)
    for wrong in ("0" * 12, "0" * 64, "123", "no id", ref.hid + "00"):
        with pytest.raises(UnknownRef):
            storage.load_ref(wrong)
    with pytest.raises(UnknownOp):
        storage.cf("000000000000")
    with pytest.raises(NotARef, match='values="refs"'):
        storage.prov(storage.table(double)["y"][0])


def test_an_op_may_be_called_like_the_beginning_of_an_id() -> None:
    storage = gm.Storage()

    @gm.op(name="face", output_names=["y"])
    def same(x: int) -> int:
        return x

    with storage:
        same(1)
    assert storage.cf("face").df()["y"].tolist() == [1]
