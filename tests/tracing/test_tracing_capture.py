"""Captures of nested, concurrent, failing and foreign calls."""

from __future__ import annotations

import asyncio
import cProfile
import gc
import importlib
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from gitmemo.model.components import Component, Content
from gitmemo.tracing import Capture, CodeState, Project, Tracker

Load = Callable[[str], ModuleType]
TEXT = """
    import asyncio, threading, time
    A, B, C = 1, 2, 3
    def a(): return A
    def b(): return B
    def c(): return C
    def outer(run):
        a()
        return run()
    def inner(): return b()
    async def slow(first, second, pause):
        first()
        await asyncio.sleep(pause)
        second()
        await asyncio.sleep(pause)
        return first()
    def fail():
        c()
        raise ValueError("no")
    def numbers():
        yield a()
        yield b()
    def drain(it): return list(it)
    class Ring:
        def __init__(self): self.me = self
        def __del__(self): c()
    def tidy(collect):
        collect()
        return a()
    def spawn(n):
        out = []
        threads = [threading.Thread(target=lambda: out.append(b())) for _ in range(n)]
        for t in threads: t.start()
        for t in threads: t.join()
        return out
    def spin(fn, n):
        for _ in range(n):
            fn()
        time.sleep(0)
"""


@pytest.fixture
def mod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "capmod.py").write_text(textwrap.dedent(TEXT))
    importlib.invalidate_caches()
    yield importlib.import_module("capmod")
    del sys.modules["capmod"]


@pytest.fixture
def tracker(tmp_path: Path) -> Tracker:
    project = Project(tmp_path)
    return Tracker(project, CodeState(project))


def units(capture: Capture) -> set[str]:
    return {c.unit for c in capture.components}


def test_a_nested_capture_counts_for_both(mod: ModuleType, tracker: Tracker) -> None:
    inside: list[Capture] = []

    def run() -> object:
        with tracker.capture(mod.inner) as capture:
            result = mod.inner()
        inside.append(capture)
        return result

    for _ in range(3):
        with tracker.capture(mod.outer) as capture:
            assert mod.outer(run) == 2
        assert units(inside[-1]) == {"inner", "b", "$B"}
        assert units(capture) == {"outer", "a", "$A", "inner", "b", "$B"}


def test_a_call_that_was_looked_up_counts_too(mod: ModuleType, tracker: Tracker) -> None:
    b, gone = Component("capmod.py", "b"), Component("not_loaded.py", "f")
    stored = {b: tracker.state.current(b), gone: Content(b"s" * 32, b"v" * 32)}  # type: ignore[arg-type]
    with tracker.capture(mod.a) as capture:
        mod.a()
        capture.add(stored)  # type: ignore[arg-type]
        capture.add([Component("capmod.py", "c")])
    assert units(capture) == {"a", "$A", "b", "c", "f"}
    assert capture.components[gone] == stored[gone]


def test_exceptions_pass_and_the_capture_is_complete(mod: ModuleType, tracker: Tracker) -> None:
    with pytest.raises(ValueError, match="no"), tracker.capture(mod.fail) as capture:
        mod.fail()
    assert units(capture) == {"fail", "c", "$C"}


def test_interleaved_tasks_lose_nothing(mod: ModuleType, tracker: Tracker) -> None:
    async def one(first: str, second: str) -> Capture:
        with tracker.capture(mod.slow) as capture:
            await mod.slow(getattr(mod, first), getattr(mod, second), 0.001)
        return capture

    async def both() -> list[Capture]:
        return await asyncio.gather(one("a", "b"), one("b", "c"), one("b", "a"))

    for _ in range(5):
        x, y, z = asyncio.run(both())
        assert {"slow", "a", "b", "$A", "$B"} <= units(x)
        assert {"slow", "b", "c", "$B", "$C"} <= units(y)
        assert {"slow", "a", "b", "$A", "$B"} <= units(z)


def test_calls_in_several_threads_lose_nothing(mod: ModuleType, tracker: Tracker) -> None:
    wrong: list[object] = []

    def work(name: str) -> None:
        for _ in range(40):
            with tracker.capture(mod.spin) as capture:
                mod.spin(getattr(mod, name), 20)
            if not {"spin", name, f"${name.upper()}"} <= units(capture):
                wrong.append((name, units(capture)))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_threads_started_by_the_call_belong_to_it(mod: ModuleType, tracker: Tracker) -> None:
    for _ in range(3):
        with tracker.capture(mod.spawn) as capture:
            mod.spawn(3)
        assert {"spawn", "b", "$B"} <= units(capture)


def test_a_generator_from_outside_that_the_call_drains(mod: ModuleType, tracker: Tracker) -> None:
    it = mod.numbers()
    next(it)
    with tracker.capture(mod.drain) as capture:
        assert mod.drain(it) == [2]
    assert {"drain", "numbers", "b"} <= units(capture)


def test_what_the_garbage_collector_runs_is_no_dependency(
    mod: ModuleType, tracker: Tracker
) -> None:
    for _ in range(2):  # the second time all events were heard of before
        mod.Ring()
        with tracker.capture(mod.tidy) as call:
            mod.tidy(gc.collect)
        assert units(call) == {"tidy", "a", "$A"}
    with tracker.capture(mod.c) as call:
        mod.c()
    assert units(call) == {"c", "$C"}


def test_a_profiler_of_the_call_survives_the_garbage_collector(
    mod: ModuleType, tracker: Tracker
) -> None:
    theirs = cProfile.Profile()

    def collect() -> None:
        theirs.enable()
        gc.collect()
        mod.b()
        theirs.disable()

    with tracker.capture(mod.tidy) as call:
        mod.tidy(collect)
    assert mod.b.__code__ in [entry.code for entry in theirs.getstats()]
    assert {"tidy"} <= units(call)


def test_a_profiler_of_the_user_keeps_working(mod: ModuleType, tracker: Tracker) -> None:
    profiler = cProfile.Profile()
    profiler.enable()
    mod.a()
    with tracker.capture(mod.outer) as capture:
        mod.outer(mod.inner)
    mod.c()
    profiler.disable()
    seen = {entry.code.co_name for entry in profiler.getstats() if hasattr(entry.code, "co_name")}
    assert {"a", "c"} <= seen
    assert {"outer", "inner", "a", "b"} <= units(capture)


def test_a_trace_function_is_left_alone(mod: ModuleType, tracker: Tracker) -> None:
    calls: list[str] = []

    def hook(frame: object, event: str, argument: object) -> None:
        calls.append(event)

    sys.setprofile(hook)
    try:
        with tracker.capture(mod.outer) as capture:
            mod.outer(mod.inner)
        assert sys.getprofile() is hook
    finally:
        sys.setprofile(None)
    assert {"outer", "inner", "a", "b"} <= units(capture)


def test_the_function_of_a_call_counts_even_if_it_is_not_ours(tmp_path: Path) -> None:
    tracker = Tracker(Project(tmp_path), CodeState(Project(tmp_path)))
    with tracker.capture(textwrap.dedent) as capture:
        textwrap.dedent("  x")
    component = Component("@textwrap", "dedent")
    assert list(capture.components) == [component]
    assert tracker.state.current(component) == capture.components[component]


def test_a_module_first_imported_by_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mod: ModuleType, tracker: Tracker
) -> None:
    (tmp_path / "late.py").write_text("L = 4\ndef late(v): return v + L\n")
    (tmp_path / "importer.py").write_text("def go(v):\n    import late\n    return late.late(v)\n")
    importlib.invalidate_caches()
    importer = importlib.import_module("importer")
    try:
        before = tracker.state.current(Component("importer.py", "go"))
        with tracker.capture(importer.go) as capture:
            assert importer.go(1) == 5
        assert units(capture) == {"go", "late", "$L"}
        assert capture.components[Component("importer.py", "go")] == before
        assert capture.mutated == ()
    finally:
        del sys.modules["importer"], sys.modules["late"]


def test_static_captures_run_nothing_extra(mod: ModuleType, tracker: Tracker) -> None:
    with tracker.capture(mod.inner, static=True) as capture:
        pass
    assert units(capture) == {"inner", "b", "$B"}


def test_two_projects_watch_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for name in ("left", "right"):
        root = tmp_path / name
        root.mkdir()
        (root / f"{name}_side.py").write_text("N = 1\ndef f(): return g()\ndef g(): return N\n")
        monkeypatch.syspath_prepend(root)
        module = importlib.import_module(f"{name}_side")
        project = Project(root)
        tracker = Tracker(project, CodeState(project))
        for _ in range(2):
            with tracker.capture(module.f) as capture:
                module.f()
        found.append(units(capture))
    assert found == [{"f", "g", "$N"}] * 2
