"""Programs that go wrong with mandala once versions are on, run literally."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from compared.conftest import Script

HEAD = """
        import sys
        import gitmemo as gm
        storage = gm.Storage(db_path="s.db", deps_path="__main__")
"""


def computed(script: Script, body: str, *edits: tuple[str, str]) -> list[str]:
    """Run a script, again, and after each edit; return what each run prints."""
    said = [script(HEAD + body), script(HEAD + body)]
    for old, new in edits:
        assert old in body
        said.append(script(HEAD + body.replace(old, new)))
    return said


@pytest.mark.parametrize(
    ("held", "use", "old", "new", "said"),
    [
        ("def helper(x): return x + 1", "helper(x)", "x + 1", "x + 2", ("2", "3")),
        ("double = lambda x: x * 2", "double(x)", "x * 2", "x * 3", ("2", "3")),
        ("class Conf: rate = 5", "Conf.rate + x", "= 5", "= 6", ("6", "7")),
        (
            "class Box:\n            def go(self, x): return x + 7",
            "Box().go(x)",
            "+ 7",
            "+ 8",
            ("8", "9"),
        ),
        (
            "def outer(n):\n            return lambda x: x + n\n        add = outer(3)",
            "add(x)",
            "outer(3)",
            "outer(4)",
            ("4", "5"),
        ),
        ("@gm.track\n        class Conf:\n            rate = 5", "Conf.rate + x", "= 5", "= 6", ("6", "7")),
    ],
    ids=["helper", "lambda", "class", "method", "closure", "tracked class"],
)  # fmt: skip
def test_a_helper_needs_no_mark(
    script: Script, held: str, use: str, old: str, new: str, said: tuple[str, str]
) -> None:
    body = f"""
        {held}

        @gm.op
        def f(x):
            return {use}

        with storage:
            print(storage.unwrap(f(1)), storage.counter.computed)
"""
    first, second = said
    assert computed(script, body, (old, new)) == [f"{first} 1", f"{first} 0", f"{second} 1"]


def test_an_op_calls_an_op_under_versions(script: Script) -> None:
    body = """
        RATE = 2

        @gm.op
        def inner(x):
            return x * RATE

        @gm.track
        @gm.op
        def middle(x):
            return inner(x) + 1

        @gm.op
        def outer(x):
            return middle(x) + inner(x)

        with storage:
            print(storage.unwrap(outer(3)), storage.counter.computed)
"""
    edits = [("RATE = 2", "RATE = 3"), ("+ 1", "+ 5"), ("+ inner(x)", "- inner(x)")]
    assert computed(script, body, *edits) == ["13 3", "13 0", "19 3", "17 2", "1 1"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("class Inside:\n                rate = N\n            return Inside.rate", "3"),
        ('return eval("N + 1")', "4"),
        ('return globals()["N"], globals().get("N")', "(3, 3)"),
        ("return down(3000)", "3000"),
        ("try: fail()\n            except ValueError: return N", "3"),
        ("return list(map(str, numbers()))", "['0', '3']"),
    ],
    ids=["class body", "eval", "globals", "deep recursion", "exception", "generator"],
)
def test_versions_change_nothing_in_the_body(script: Script, body: str, said: str) -> None:
    program = f"""
        N = 3
        sys.setrecursionlimit(4000)

        def down(n):
            return n if n < 1 else 1 + down(n - 1)

        def fail():
            raise ValueError

        def numbers():
            yield from range(0, 2 * N, N)

        @gm.op(nout=1)
        def f():
            {body}

        with storage:
            print(storage.unwrap(f()))
"""
    assert computed(script, program) == [said, said]


def test_reading_a_storage_inside_an_op_does_not_change_the_op(script: Script) -> None:
    body = """
        @gm.op
        def make(x):
            return [x] * 3

        @gm.op
        def size(n):
            frame = storage.cf(make).df()
            return len(storage.unwrap(make(n))) + 0 * len(frame)

        with storage:
            for n in range(4):
                y = size(n)
                make(n + 10)
            print(storage.unwrap(y), storage.counter.computed)
"""
    assert computed(script, body) == ["3 12", "3 0"]


PROGRAM = """
import gitmemo as gm
exec("def made(x): return x + 1")
typed = eval("lambda x: x * 2")

@gm.op
def f(x):
    return made(x) + typed(x)

storage = gm.Storage(db_path="s.db", deps_path={deps!r})
with storage:
    print(storage.unwrap(f(3)), storage.counter.computed)
"""


@pytest.mark.parametrize("deps", ["__main__", "."])
@pytest.mark.parametrize("how", ["-c", "stdin", "exec"])
def test_code_without_a_file_does_not_break_a_storage(tmp_path: Path, how: str, deps: str) -> None:
    program = PROGRAM.format(deps=deps)
    if how == "exec":
        program = f"exec({program!r})"

    def run(text: str) -> str:
        arguments = ["-"] if how == "stdin" else ["-c", text]
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            input=text if how == "stdin" else "",
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert run(program) == "10 1"
    assert run(program) == "10 0"
    assert run(program.replace("x + 1", "x + 2")) == "11 1"
    assert run(program.replace("x * 2", "x * 3")) == "13 1"
    assert run(program.replace("made(x) +", "made(x) -")) == "-2 1"
    assert run(program) == "10 0"
