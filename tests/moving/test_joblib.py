"""`gitmemo import joblib`: what is proven is reused by the next run, all else is counted and named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest
from driver import GITMEMO, Clone, at_terminal
from forked import forked

from gitmemo.moving.code import same_function

_BODIES = """
@{}
def load(n):
    return np.arange(n), n + 1


@{}{}
def train(X, lr=0.1, *rest, verbose=0, **more):
    return float(X.sum() * lr)


@{}
def text(s, pair=(1, 2)):
    return {{"s": s, "pair": pair}}
"""
_OLD = "import numpy as np\nfrom joblib import Memory\n\nmemory = Memory('cache', verbose=0)\n"
_NEW = "import numpy as np\nimport gitmemo as gm\n"
LAB_THEN = _OLD + _BODIES.format(*["memory.cache"] * 2, '(ignore=["verbose"])', "memory.cache")
LAB_NOW = _NEW + _BODIES.format(*["gm.op"] * 2, '(ignore_args=["verbose"])', "gm.op")
CALLS = """
X, m = load(5)
train(X)
train(X, 0.5, 7, verbose=3, k="z")
text("hé\\n")
text("a", (3, [4, None]))
"""
RUN = """
import gitmemo as gm
from lab import *

storage = gm.open()
with storage:
{}
print(storage.counter)
"""


def compute(folder: Path, calls: str = CALLS, lab: str = LAB_THEN) -> Path:
    """Run a program that uses `joblib.Memory`; return the folder that it filled."""
    folder.mkdir(exist_ok=True)
    (folder / "lab.py").write_text(lab, encoding="utf-8")
    subprocess.run([sys.executable, "-c", "from lab import *\n" + calls], cwd=folder, check=True)
    return folder / "cache"


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compute(tmp_path_factory.mktemp("old"))


@pytest.fixture
def cache(computed: Path, tmp_path: Path) -> Path:
    """A copy of the folder, to damage."""
    return shutil.copytree(computed, tmp_path / "cache")


def bring(clone: Clone, place: Path, *options: str, code: int = 0) -> dict[str, dict[str, Any]]:
    done = forked(clone, "import", "joblib", str(place), "--json", *options, code=code)
    return {one["function"]: one for one in map(json.loads, done.out.splitlines())}


def rerun(clone: Clone, calls: str = CALLS) -> str:
    body = "".join(f"    {line}\n" for line in calls.strip().splitlines())
    clone.write("go.py", RUN.format(body))
    return clone.python("go.py").out.strip()


def test_what_is_proven_is_reused_and_results_prove_arguments(clone: Clone, cache: Path) -> None:
    clone.write("lab.py", LAB_NOW)
    found = bring(clone, cache, "--yes")
    assert {name: one["brought"] for name, one in found.items()} == {
        "lab.load": 1,
        "lab.text": 2,
        "lab.train": 2,
    }
    assert not any(one["refused"] for one in found.values())
    assert {one["op"] for one in found.values()} == {"lab:load", "lab:train", "lab:text"}
    again = bring(clone, cache, "--yes")
    assert {name: one["known"] for name, one in again.items()} == {
        name: one["brought"] for name, one in found.items()
    }
    assert rerun(clone) == "Counter(reused=5, computed=0)"
    assert "1 same" in forked(clone, "check", "lab:load").out
    clone.commit("Move in")
    clone.write("lab.py", LAB_NOW.replace("X.sum() * lr", "X.sum() + lr"))
    assert rerun(clone) == "Counter(reused=3, computed=2)"


def test_a_brought_call_says_so_and_nothing_that_nobody_knows(clone: Clone, cache: Path) -> None:
    clone.write("lab.py", LAB_NOW)
    bring(clone, cache, "--yes")
    clone.commit("Move in")
    calls = [json.loads(line) for line in clone.committed() if line.startswith('["call"')]
    assert len(calls) == 5
    for call in calls:
        run = call[7]
        ignored = {"ignored": {"verbose": None}} if call[1] == "lab:train" else {}
        assert run == {
            "from": {"tool": "joblib", "code": "same"},
            "start": run["start"],
            "seconds": run["seconds"],
            **ignored,
        }
    hid = json.loads(forked(clone, "calls", "--json").out.splitlines()[0])["hid"]
    assert "brought from joblib, with the same code" in forked(clone, "show", hid).out


def test_nothing_is_unpickled_before_somebody_says_so(clone: Clone, cache: Path) -> None:
    clone.write("lab.py", LAB_NOW)
    done = forked(clone, "import", "joblib", str(cache), code=2)
    assert "unpickling 5 results" in done.err and "--yes was not said" in done.err
    for output in cache.rglob("output.pkl"):
        joblib.dump(Bomb(), output)
    found = bring(clone, cache, "--dry-run")
    assert {name: one["unread"] for name, one in found.items()} == {
        "lab.load": 1,
        "lab.text": 2,
        "lab.train": 0,
    }
    assert not (cache / "went off").exists()
    assert clone.records() == 0


def test_at_a_terminal_it_is_asked(clone: Clone, cache: Path) -> None:
    clone.write("lab.py", LAB_NOW)
    command = [*GITMEMO, "import", "joblib", str(cache)]
    for answer, code in (("n", 130), ("y", 0)):
        with at_terminal(clone, *command) as terminal:
            terminal.expect("unpickling 5 results")
            assert clone.records() == 0
            terminal.send(f"{answer}\n")
            assert terminal.finish() == code
    assert clone.records() > 0


class Bomb:
    """Raises when it is unpickled, and leaves a trace of it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("open('went off', 'w').close(); raise SystemExit(3)",)


def test_a_dry_run_that_may_read_says_all_and_records_nothing(clone: Clone, cache: Path) -> None:
    clone.write("lab.py", LAB_NOW)
    found = bring(clone, cache, "--dry-run", "--yes")
    assert sum(one["brought"] for one in found.values()) == 5
    assert clone.records() == 0


def test_a_dry_run_that_may_read_says_what_the_run_says(clone: Clone, tmp_path: Path) -> None:
    bodies = """
class Held:{}

@{}
def three(n):
    return n, n + 1, n + 2

@{}
def hold(n):
    return Held() if n else "nothing"

@{}
def loud(n, verbose=0):
    return n
"""
    calls = "three(1)\nthree(2)\nhold(0)\nhold(1)\nloud(1)\nloud(1, verbose=1)\nloud(2)"
    then = _OLD + bodies.format(" pass", *["memory.cache"] * 3)
    cache = compute(tmp_path / "old", calls, then)
    kept = "\n    def __reduce__(self):\n        raise ValueError('held')"
    ops = ('gm.op(output_names=["a", "b"])', "gm.op", 'gm.op(ignore_args=["verbose"])')
    clone.write("lab.py", _NEW + bodies.format(kept, *ops))
    said = bring(clone, cache, "--dry-run", "--yes", "--trust-code")
    assert clone.records() == 0
    assert said == bring(clone, cache, "--yes", "--trust-code")
    assert clone.records() > 0
    amounts = {
        name.removeprefix("lab."): (one["brought"], one["known"], sum(one["refused"].values()))
        for name, one in said.items()
    }
    assert amounts == {"three": (0, 0, 2), "hold": (1, 0, 1), "loud": (2, 1, 0)}


def test_other_code_is_refused_unless_somebody_vouches_for_it(clone: Clone, cache: Path) -> None:
    clone.write("lab.py", LAB_NOW.replace("n + 1", "n + 2"))
    found = bring(clone, cache, "--yes")
    (reason,) = found["lab.load"]["refused"]
    assert reason.startswith("the code is not that of the op now (--trust-code")
    (reason,) = found["lab.train"]["refused"]  # its argument is a result that was not brought
    assert reason == "argument 'X' is no literal, and no result that was brought"
    assert found["lab.text"]["brought"] == 2
    found = bring(clone, cache, "--yes", "--trust-code")
    assert found["lab.load"]["brought"] == 1
    assert found["lab.train"]["brought"] == 2
    call = json.loads(forked(clone, "calls", "lab:load", "--json").out)
    assert "somebody vouched for its code" in forked(clone, "show", call["hid"]).out
    assert rerun(clone) == "Counter(reused=5, computed=0)"


def test_comments_docstrings_and_annotations_are_no_other_code(clone: Clone, cache: Path) -> None:
    said = 'def load(n: int) -> object:\n    """Load."""  # quickly'
    clone.write("lab.py", LAB_NOW.replace("def load(n):", said))
    assert bring(clone, cache, "--yes")["lab.load"]["brought"] == 1


def test_helpers_are_not_proven_for_joblib_kept_nothing_of_them(
    clone: Clone, tmp_path: Path
) -> None:
    body = "{}\n\ndef helper(x):\n    return x * 2\n\n@{}\ndef double(x):\n    return helper(x)\n"
    cache = compute(tmp_path / "old", "double(3)", body.format(_OLD, "memory.cache"))
    clone.write("lab.py", body.format(_NEW, "gm.op"))
    (reason,) = bring(clone, cache, "--yes")["lab.double"]["refused"]
    assert "also depends on lab.py:helper, of which joblib kept nothing" in reason
    named = body.format(_NEW, 'gm.op(packages="numpy", untracked="helper")')
    clone.write("lab.py", named)
    (reason,) = bring(clone, cache, "--yes")["lab.double"]["refused"]
    assert "also depends on package:numpy, of which joblib kept nothing" in reason
    clone.write("lab.py", named.replace('packages="numpy", ', ""))
    assert bring(clone, cache, "--yes", "--dry-run")["lab.double"]["brought"] == 1
    clone.write("lab.py", body.format(_NEW, "gm.op"))
    assert bring(clone, cache, "--yes", "--trust-code")["lab.double"]["brought"] == 1
    assert rerun(clone, "double(3)") == "Counter(reused=1, computed=0)"
    clone.write("lab.py", body.format(_NEW, "gm.op").replace("x * 2", "x * 3"))
    assert rerun(clone, "double(3)") == "Counter(reused=0, computed=1)"


def test_functions_are_found_by_name_in_scripts_or_as_the_user_says(
    clone: Clone, tmp_path: Path
) -> None:
    script = "{}\n\n@{}\ndef here(x):\n    return x\n\n{}"
    old = clone.write("steps.py", script.format(_OLD, "memory.cache", "here(3)\n"))
    clone.python("steps.py")
    new = script.format(_NEW, "gm.op", "with gm.open():\n    raise RuntimeError\n")
    clone.write("steps.py", new)
    (found,) = bring(clone, clone.root / "cache", "--yes").values()
    assert (found["op"], found["brought"]) == ("steps:here", 1)
    old.rename(clone.root / "moved.py")
    (found,) = bring(clone, clone.root / "cache", "--yes").values()
    assert found["refused"] == {"no op of the project has its name: say which with --map": 1}
    (found,) = bring(clone, clone.root / "cache", "--yes", "--map", "here=moved.py:here").values()
    assert (found["op"], found["brought"]) == ("moved:here", 1)


def test_arguments_must_be_the_ops_own(clone: Clone, cache: Path) -> None:
    clone.write("lab.py", LAB_NOW.replace("text(s, pair=", "text(s, twins=").replace("*rest, ", ""))
    found = bring(clone, cache, "--yes", "--trust-code")
    (reason,) = found["lab.text"]["refused"]
    assert reason == "argument 'twins' is not recorded; the op does not ignore it"
    assert found["lab.train"]["refused"] == {"the op takes no argument '*0', which is recorded": 1}
    assert found["lab.train"]["brought"] == 1


def test_arguments_that_joblib_did_not_record_must_not_count(clone: Clone, tmp_path: Path) -> None:
    """With `ignore=["*", "**"]` one result stands for many calls."""
    body = "@{}\ndef fit(x, *args, **more): return [x, args, more]\n"
    then = _OLD + body.format('memory.cache(ignore=["*", "**"])')
    place = compute(tmp_path / "then", "fit(1, 5, a=6)", then)
    clone.write("lab.py", _NEW + body.format("gm.op"))
    (found,) = bring(clone, place, "--yes").values()
    assert found["refused"] == {"argument 'args' is not recorded; the op does not ignore it": 1}
    clone.write("lab.py", _NEW + body.format('gm.op(ignore_args=["args", "more"])'))
    (found,) = bring(clone, place, "--yes").values()
    assert found["brought"] == 1


def test_a_changed_text_of_arguments_is_noticed_by_the_hash(clone: Clone, cache: Path) -> None:
    clone.write("lab.py", LAB_NOW)
    for file in (cache / "joblib/lab/load").rglob("metadata.json"):
        file.write_text(file.read_text().replace('"5"', '"6"'))
    found = bring(clone, cache, "--yes")
    assert found["lab.load"]["refused"] == {
        "the arguments that its text gives have another hash": 1
    }
    assert rerun(clone, "load(6)") == "Counter(reused=0, computed=1)"


def _metadata(text: str | bytes) -> Callable[[Path], object]:
    data = text if isinstance(text, bytes) else text.encode()
    return lambda folder: (folder / "metadata.json").write_bytes(data)


_NESTED = json.dumps({"input_args": {"n": "(" * 5000 + ")" * 5000}})
DAMAGES: list[tuple[str, Callable[[Path], object]]] = [
    ("its metadata.json is damaged", _metadata("{")),
    ("its metadata.json is damaged", _metadata(b"\xff")),
    ("its metadata.json is damaged", _metadata("[" * 99_999)),
    ("its metadata.json is damaged", _metadata("[]")),
    ("its metadata.json does not tell its arguments", _metadata('{"input_args": {"n": 5}}')),
    ("its metadata.json does not tell its arguments", _metadata("{}")),
    ("argument 'n' is no literal, and no result that was brought", _metadata(_NESTED)),
    ("it has no metadata.json", lambda f: (f / "metadata.json").unlink()),
    (
        "its metadata.json is larger than 10,000,000 bytes",
        lambda f: os.truncate(f / "metadata.json", 10_000_001),
    ),
    ("its metadata.json is a symbolic link", lambda f: _link(f / "metadata.json")),
    ("its output.pkl is a symbolic link", lambda f: _link(f / "output.pkl")),
    ("its folder is a symbolic link", lambda f: _link(f)),
    ("it has no output.pkl", lambda f: (f / "output.pkl").unlink()),
    ("its output.pkl is no file", lambda f: _pipe(f / "output.pkl")),
    (
        "its output.pkl cannot be read: SystemExit: 3",
        lambda f: joblib.dump(Bomb(), f / "output.pkl"),
    ),
    (
        "its output.pkl cannot be read: EOFError",
        lambda f: (f / "output.pkl").write_bytes(b""),
    ),
]


def test_damaged_results_are_counted_and_others_are_brought(clone: Clone, tmp_path: Path) -> None:
    number = len(DAMAGES) + 2
    cache = compute(tmp_path / "old", f"for n in range({number}):\n    load(n)\n")
    clone.write("lab.py", LAB_NOW)
    results = sorted(path for path in (cache / "joblib/lab/load").iterdir() if path.is_dir())
    for (_, damage), folder in zip(DAMAGES, results, strict=False):
        damage(folder)
    found = bring(clone, cache, "--yes")["lab.load"]
    assert found["refused"] == dict(Counter(reason for reason, _ in DAMAGES))
    assert found["brought"] == 2


def _link(path: Path) -> None:
    """Put a link to what a path was in its place."""
    there = path.parent.parent / f"elsewhere {path.name}"
    path.rename(there)
    path.symlink_to(there)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def test_damaged_code_proves_nothing(clone: Clone, cache: Path) -> None:
    clone.write("lab.py", LAB_NOW)
    (cache / "joblib/lab/load/func_code.py").unlink()
    (cache / "joblib/lab/text/func_code.py").write_text("(" * 5000)
    found = bring(clone, cache, "--yes")
    for name, said in (
        ("load", "joblib did not keep the code"),
        ("text", "the code is not that of the op now"),
    ):
        (reason,) = found[f"lab.{name}"]["refused"]
        assert reason.startswith(said)


@pytest.mark.parametrize(
    ("old", "is_same"),
    [
        ("def load(n):\n    return n", True),
        ("@cache\ndef load(n):\n    return n", True),
        ("  @cache(a=1)\n  def other(n: int) -> int:\n      'Text.'\n      return (n)", True),
        ("@cache\n@other\ndef load(n):\n    return n", False),
        ("async def load(n):\n    return n", False),
        ("def load(n=1):\n    return n", False),
        ("def load(n):\n    return n\na = 1", False),
        ("load = lambda n: n", False),
        ("def load(n:", False),
        ("", False),
        ("\0", False),
    ],
)
def test_what_is_the_same_code(old: str, is_same: bool) -> None:
    assert same_function(old, "@gm.op\ndef load(n):\n    return n\n") is is_same
    assert not same_function(old, "")


def test_decorators_of_inner_functions_count() -> None:
    text = "@cache\ndef load(n):\n    @scale({})\n    def inner(): pass\n    return inner"
    assert same_function(text.format(2), text.format(2))
    assert not same_function(text.format(2), text.format(10))


def test_what_is_no_such_folder_and_what_is_no_function_of_it_is_said(
    clone: Clone, cache: Path, tmp_path: Path
) -> None:
    clone.write("lab.py", LAB_NOW)
    for place in (tmp_path / "none", clone.root):
        done = forked(clone, "import", "joblib", str(place), "--json", code=2)
        assert json.loads(done.err)["error"]["kind"] == "not-an-old-store"
    done = forked(clone, "import", "joblib", str(cache), "-y", "--map", "lode=lab:load", code=2)
    assert "lab.load, lab.text, lab.train" in done.err
    forked(clone, "import", "joblib", str(cache), "-y", "--map", "load=lab:lode", code=2)
    assert (
        "is not OLD=NEW"
        in forked(clone, "import", "joblib", str(cache), "-y", "--map", "a", code=2).err
    )
