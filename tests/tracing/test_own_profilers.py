"""Ops that profile themselves: what ran where gitmemo could not watch counts nevertheless."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAD = """
import cProfile, sys, threading
import gitmemo as gm
def nothing(): pass
def deep(): return <<>>
def used(): return deep()
def in_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(used()))
    thread.start()
    thread.join()
    return found[0]
def free():
    for tool in range(6):
        if sys.monitoring.get_tool(tool) == "gitmemo":
            sys.monitoring.free_tool_id(tool)
@gm.op
def inner(x): return x
@gm.op
def f(x):
"""
CASES = {
    "while a profiler runs": """
    with cProfile.Profile():
        return used()
""",
    "after a profiler ended": """
    p = cProfile.Profile()
    p.enable(); nothing(); p.disable()
    return used()
""",
    "runcall": """
    return cProfile.Profile().runcall(used)
""",
    "a function": """
    sys.setprofile(lambda *_: None)
    try:
        return used()
    finally:
        sys.setprofile(None)
""",
    "none": """
    sys.setprofile(None)
    return used()
""",
    "what was there is put back": """
    before = sys.getprofile()
    sys.setprofile(lambda *_: None)
    result = used()
    sys.setprofile(before)
    return result
""",
    "around an inner call": """
    p = cProfile.Profile()
    p.enable()
    result = used()
    inner(1)
    p.disable()
    return result
""",
    "for new threads": """
    threading.setprofile(None)
    return in_thread()
""",
    "the tools of sys.monitoring freed": """
    if sys.version_info >= (3, 12): free()
    return used()
""",
    "nothing of that": """
    return used()
""",
}
MAIN = """
import importlib, json, sys
import gitmemo as gm
storage = gm.Storage(db_path=sys.argv[1], deps_path=".")
found = []
for name in sys.argv[2:]:
    module = importlib.import_module(name)
    with storage:
        found.append(storage.unwrap(module.f(1)))
    assert sys.getprofile() is None
storage.close()
print(json.dumps([found, storage.counter.computed]))
"""


def run(folder: Path, names: list[str], value: int) -> tuple[list[int], int]:
    folder.joinpath("main.py").write_text(MAIN)
    for name, body in zip(names, CASES.values(), strict=True):
        folder.joinpath(f"{name}.py").write_text(
            HEAD.replace("<<>>", str(value)) + body.strip("\n") + "\n"
        )
    command = [sys.executable, "main.py", "kept.db", *names]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found, computed = json.loads(done.stdout)
    return found, computed


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, int]]:
    """Return what each case gave before the edit and after it."""
    folder = tmp_path_factory.mktemp("profiled")
    names = [f"case_{number}" for number in range(len(CASES))]
    before, _ = run(folder, names, 2)
    assert run(folder, names, 2) == (before, 0)
    after, _ = run(folder, names, 3)
    return dict(zip(CASES, zip(before, after, strict=True), strict=True))


@pytest.mark.parametrize("case", CASES)
def test_what_ran_unwatched_counts(results: dict[str, tuple[int, int]], case: str) -> None:
    assert results[case] == (2, 3)
