"""Special values, as far as no other test shows what `docs/compared.md` says of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from compared.conftest import Script

import gitmemo as gm

RUNS: list[Any] = []


def test_outside_a_block_special_values_are_their_values() -> None:
    @gm.op
    def f(x, new=gm.NewArgDefault(2), ignored=gm.Ignore(3)):
        assert type(new) is int and type(ignored) is int
        return x + new + ignored

    assert f(1) == 6
    assert f(1, gm.NewArgDefault(10), gm.Ignore(100)) == 111
    assert f(gm.Ignore(1), ignored=0) == 3


def test_what_is_ignored_by_value_can_be_ignored_by_name(storage: gm.Storage) -> None:
    RUNS.clear()

    @gm.op
    def by_value(x, bs=gm.Ignore(4)):
        RUNS.append(bs)
        return x

    @gm.op(ignore_args=("bs",))
    def by_name(x, bs=4):
        RUNS.append(bs)
        return x

    with storage:
        assert not by_value(2).same_as(by_value(2, bs=9))  # a plain value counts
        assert by_value(2).same_as(by_value(2, bs=gm.Ignore(9)))
        assert by_name(2).same_as(by_name(2, bs=9))
    assert RUNS == [4, 9, 4]


def test_a_pointer_inside_containers_is_replaced(storage: gm.Storage) -> None:
    data = np.ones(5)

    @gm.op
    def total(parts):
        return sum(float(part.sum()) for part in parts["parts"])

    pointer = gm.ValuePointer("ones", data)
    with storage:
        first = total({"parts": [pointer, pointer]})
        assert storage.unwrap(first) == 10.0
        assert first.same_as(total({"parts": [gm.ValuePointer("ones", None)] * 2}))


def test_a_wrapped_global_is_hashed_once(script: Script) -> None:
    program = """
        import numpy as np
        import gitmemo as gm
        from gitmemo.imports import Storage, op, wrap_atom

        hashed = []

        class Table:
            def __init__(self, size):
                self.rows = np.full(size, {value})

        @gm.hasher(Table)
        def by_rows(table):
            hashed.append(1)
            return table.rows

        LARGE_GLOBAL = wrap_atom(Table(1000))

        @op
        def test_op(x):
            return x + float(LARGE_GLOBAL.obj.rows.sum())

        storage = Storage(db_path="s.db", deps_path="__main__")
        for _ in range(5):
            with storage:
                y = test_op(0)
        print(storage.unwrap(y), storage.counter.computed, len(hashed))
        """
    assert script(program.format(value=1)) == "1000.0 1 1"
    assert script(program.format(value=1)) == "1000.0 0 1"
    assert script(program.format(value=2)) == "2000.0 1 1"
