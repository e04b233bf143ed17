"""Collections, as far as no other test shows what `docs/compared.md` says of them."""

from __future__ import annotations

from typing import Optional

import gitmemo as gm
from gitmemo.imports import MDict, MList, MSet, MTuple


@gm.op
def sq(x):
    return x * x


def test_annotations_for_collections_all_work(storage: gm.Storage) -> None:
    @gm.op
    def listed(xs: Optional[MList[int]]):  # noqa: UP045  as people write it
        return sum(xs or [])

    @gm.op
    def keyed(xs: MDict[int, int]):
        return sum(xs) + sum(xs.values())

    @gm.op
    def united(xs: MSet[int]) -> MSet[int]:
        return {x + 1 for x in xs}

    @gm.op(nout=1)
    def paired(xs: MTuple[int, int]) -> MTuple[int, int]:
        return xs[1], xs[0]

    @gm.op
    def bare(xs: MList) -> MList[MList[int]]:
        return [[x] for x in xs]

    with storage:
        one, two = sq(1), sq(2)
        results = [
            listed([one, two]), listed(None), keyed({7: one, 8: two}), united({one, two}),
            paired((one, two)), bare([one, two]),
        ]  # fmt: skip
        assert storage.unwrap(results) == [5, 0, 20, {2, 5}, (4, 1), [[1], [4]]]
        assert isinstance(results[3], gm.SetRef) and len(results[3]) == 2
        nested = bare([one, two])
        assert storage.unwrap(nested[0][0]) == 1


def test_elements_keep_their_history_inside_a_plain_list(storage: gm.Storage) -> None:
    @gm.op
    def total(xs):
        return sum(xs)

    with storage:
        result = total([sq(2), sq(3)])
    assert "sq(x=2)" in storage.prov(result) and "sq(x=3)" in storage.prov(result)
    table = storage.cf(total).expand_back().df()
    assert set(table["total"]) == {13}
    assert "x" in table.columns
