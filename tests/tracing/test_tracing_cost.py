"""What is not done twice: counted, never timed."""

from __future__ import annotations

import contextvars
import importlib
import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import gitmemo as gm
from gitmemo.source import SourceFile
from gitmemo.tracing import values
from gitmemo.tracing.events import MonitoringEvents, event_source
from gitmemo.tracing.recordings import Recording

TEXT = """
    import numpy as np
    N = 3
    TABLE = {"a": [1, 2], "b": (3, 4)}
    NUMBERS = list(range(20_000))
    ARRAY = np.arange(20_000.0)
    FOUND = None
    class Scale:
        factor = 2
        def by(self, x): return x * self.factor
    def helper(x): return x + N + len(TABLE) + len(NUMBERS)
    def total(x): return helper(x) + Scale().by(x) + float(ARRAY[0])
    def read(x): return x + len(FOUND.unwrap())
    def load(size): return list(range(size))
"""


@pytest.fixture
def mod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "costmod.py"
    file.write_text(textwrap.dedent(TEXT))
    os.utime(file, (1_600_000_000, 1_600_000_000))
    importlib.invalidate_caches()
    yield importlib.import_module("costmod")
    del sys.modules["costmod"]


class Work:
    """Counts values hashed and texts parsed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.hashed = self.parsed = 0
        hash_value, parse = values.content_id, SourceFile.parse

        def counted_hash(value: object) -> bytes:
            self.hashed += 1
            return hash_value(value)

        def counted_parse(data: bytes, path: str) -> SourceFile:
            self.parsed += 1
            return parse(data, path)

        monkeypatch.setattr(values, "content_id", counted_hash)
        monkeypatch.setattr(SourceFile, "parse", counted_parse)

    def of(self, run: Callable[[], object]) -> tuple[int, int]:
        self.hashed = self.parsed = 0
        run()
        return self.hashed, self.parsed


def test_a_block_where_nothing_changed_hashes_and_parses_nothing(
    mod: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, total = gm.Storage(deps_path=tmp_path), gm.op(mod.total)

    def block() -> None:
        with storage:
            total(1)

    block()
    work = Work(monkeypatch)
    block()  # the first hit reads what the first call has touched
    assert work.of(block) == (0, 0)
    assert storage.counter.computed == 1

    mod.NUMBERS[7] = -1  # inside a container
    hashed, parsed = work.of(block)
    assert hashed > 0
    assert parsed == 0
    assert storage.counter.computed == 2
    mod.ARRAY[0] = 9  # inside an array
    block()
    assert storage.counter.computed == 3


def test_computing_again_hashes_no_global_that_is_known(
    mod: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, total = gm.Storage(deps_path=tmp_path), gm.op(mod.total)
    with storage:
        total(1)
        total(2)
        work = Work(monkeypatch)
        assert work.of(lambda: total(3)) == (0, 0)
    assert storage.counter.computed == 3


def test_a_ref_in_a_global_is_neither_loaded_nor_hashed(
    mod: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, read, load = gm.Storage(deps_path=tmp_path), gm.op(mod.read), gm.op(mod.load)
    with storage:
        vars(mod)["FOUND"] = load(5_000)
        read(1)
    loads: list[object] = []
    original = storage.load
    monkeypatch.setattr(
        storage, "load", lambda *arguments: (loads.append(arguments), original(*arguments))[1]
    )
    work = Work(monkeypatch)

    def block() -> None:
        with storage:
            read(1)

    assert work.of(block) == (0, 0)
    assert loads == []
    assert storage.counter.computed == 2

    with storage:
        vars(mod)["FOUND"] = load(6_000)
        assert int(storage.unwrap(read(1))) == 6_001


class Everything:
    """Owns all code, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def owns(self, filename: str) -> bool:
        self.asked += filename == __file__
        return filename == __file__


def leaf() -> None:
    """Run."""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the C profiler asks nobody")
def test_calls_side_by_side_hear_of_a_function_until_all_have_it() -> None:
    source, owner = event_source(), Everything()
    assert isinstance(source, MonitoringEvents)
    contexts = contextvars.copy_context(), contextvars.copy_context()
    recordings = [context.run(Recording, owner) for context in contexts]
    for context, recording in zip(contexts, recordings, strict=True):
        context.run(source.start, recording)
    contexts[0].run(leaf)
    contexts[0].run(leaf)
    assert id(leaf.__code__) not in recordings[1].codes
    for _ in range(50):
        for context in contexts:
            context.run(leaf)
    for context, recording in zip(contexts, recordings, strict=True):
        context.run(source.stop, recording)
        assert recording.codes.keys() == {id(leaf.__code__)}
    assert owner.asked < 10


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the C profiler is one per thread")
def test_an_outer_call_that_goes_on_beside_an_inner_one_takes_nothing_from_it() -> None:
    source, owner = event_source(), Everything()
    outer_context = contextvars.copy_context()
    outer = outer_context.run(Recording, owner)
    outer_context.run(source.start, outer)
    inner_context = outer_context.run(contextvars.copy_context)
    inner = inner_context.run(Recording, owner)
    inner_context.run(source.start, inner)
    outer_context.run(leaf)
    inner_context.run(leaf)
    asked = owner.asked
    for _ in range(50):
        inner_context.run(leaf)
    assert owner.asked == asked
    inner_context.run(source.stop, inner)
    outer_context.run(source.stop, outer)
    assert id(leaf.__code__) in inner.codes.keys() & outer.codes.keys()
