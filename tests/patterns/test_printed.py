"""What is printed of a pattern, run again, over random programs of real ops."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gitmemo as gm
from gitmemo.errors import AmbiguousPattern, DisconnectedPattern
from gitmemo.patterns import speaking


@gm.op
def start(seed: Any) -> int:
    return 0


@gm.op(output_names=["left", "right"])
def split(data: Any) -> tuple[int, int]:
    return 0, 1


@gm.op
def join(a: Any, b: Any, seed: int = 0) -> int:
    return 0


@gm.op
def listed(data: Any) -> list[int]:
    return [0, 1]


@gm.op
def named(data: Any) -> dict[str, int]:
    return {"a": 0, "b": 1}


@gm.op
def gather(*parts: Any, **more: Any) -> int:
    return len(parts)


OPS = {op.__name__: op for op in (start, split, join, listed, named, gather)}
QUICK = settings(suppress_health_check=[HealthCheck.too_slow])


def run(data: st.DataObject, storage: gm.Storage) -> list[gm.Ref[Any]]:
    """Run a random program; return the refs that it met."""
    refs: list[Any] = []
    with storage:
        for _ in range(data.draw(st.integers(1, 7))):
            one = st.sampled_from([0, 1, *refs[-5:], *refs[-5:]])
            some = st.lists(one, min_size=1, max_size=3)
            held = (
                some
                | some.map(tuple)
                | some.map(lambda items: dict(zip("xyz", items, strict=False)))
            )
            value = one | held | held.map(lambda inner: [inner])
            op = data.draw(st.sampled_from([split, join, listed, named, gather, start]))
            count = {"join": 2, "gather": data.draw(st.integers(1, 3))}.get(op.__name__, 1)
            arguments = [data.draw(value) for _ in range(count)]
            more = {"key": data.draw(one)} if op is gather and data.draw(st.booleans()) else {}
            made: Any = op(*arguments, **more)
            results = made if isinstance(made, tuple) else (made,)
            refs += results
            for result in results:
                if isinstance(result, gm.ListRef):
                    refs += list(result)
                if isinstance(result, gm.DictRef):
                    refs += result.values()
    return refs


@QUICK
@given(st.data())
def test_printed_code_gives_the_same_table(data: st.DataObject) -> None:
    storage = gm.Storage()
    refs = run(data, storage)
    asked = data.draw(
        st.lists(st.sampled_from(refs), min_size=1, max_size=2, unique_by=lambda ref: ref.hid)
    )
    names = ["first", "second"][: len(asked)] if data.draw(st.booleans()) else None
    printed: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speaking, "show", printed.append)
        try:
            table = storage.similar(
                *asked, context=data.draw(st.booleans()), values="hids", names=names
            )
        except (AmbiguousPattern, DisconnectedPattern):
            return
    assert all(ref.hid in list(table[name]) for ref, name in zip(asked, names or (), strict=False))
    lines = [line.strip() for line in printed[0].splitlines()[1:]]
    lines[-1] = lines[-1].replace(")", ", values='hids')")
    known: dict[str, Any] = {**OPS, "Q": gm.Q, "storage": storage}
    with storage.query():
        exec("\n".join(lines), known)
    pd.testing.assert_frame_equal(known["result"], table)
