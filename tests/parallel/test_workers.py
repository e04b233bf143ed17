"""Worker processes: code that only the driver has, code that is another one, and sudden ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import ModuleType

import pytest
from driver import Clone, copy_of
from parallel.programs import SLOW, executions, make_parallel_project, records

from gitmemo.memo.parallel import mains

# What a kernel does with cells, run as `kernel.py NOTEBOOK HOW`.
_KERNEL = """
import json, linecache, os, sys, types, zlib
main = sys.modules["__main__"] = types.ModuleType("__main__")
vars(main)["__session__"] = os.path.abspath(sys.argv[1])
for cell in json.load(open(sys.argv[1]))["cells"]:
    text = "".join(cell["source"])
    name = f"/tmp/ipykernel_{os.getpid()}/{zlib.crc32(text.encode())}.py"
    linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
    exec(compile(text, name, "exec"), vars(main))
"""
_CELLS = (
    "import sys\nimport gitmemo as gm\nstorage = gm.open()\nRATE = 3\nHOW = sys.argv[2]\n",
    "class Model:\n    def __init__(self, n):\n        self.n = n\n",
    "def scale(n):\n    # why\n    return n * RATE\n",
    "@gm.op\ndef train(n):\n    return Model(scale(n))\n",
    "@gm.op\ndef score(model):\n    return model.n + 1\n",
    "with storage:\n"
    "    if HOW == 'loop':\n"
    "        found = [score(train(n)) for n in range(3)]\n"
    "    else:\n"
    "        found = storage.map(score, storage.map(train, range(3), n_jobs=2), n_jobs=2)\n"
    "    print(storage.unwrap(found), storage.counter.computed)\n",
)

_ENDS = """
import os, signal, sys
import helper
import gitmemo as gm
from gitmemo.errors import GitmemoError
from lib import inner, note, outer, storage
from pathlib import Path


@gm.op
def fatal(x):
    note(f"fatal {x}")
    if x == 3 and not Path("cured").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return x


if __name__ == "__main__":
    with storage:
        try:
            if sys.argv[1] == "kill":
                print(storage.unwrap(storage.map(fatal, range(6), n_jobs=2)))
            if sys.argv[1] == "other value":
                helper.SCALE = 5
                print(storage.unwrap(storage.map(outer, range(4), n_jobs=2)))
            if sys.argv[1] == "other text":
                Path("helper.py").write_text("SCALE = 3\\n\\n\\ndef scale(value):\\n    return 7\\n")
                print(storage.unwrap(storage.map(outer, range(4), n_jobs=2)))
        except GitmemoError as error:
            print(type(error).__name__, error)
"""


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    home = tmp_path_factory.mktemp("home")
    return make_parallel_project(tmp_path_factory.mktemp("project") / "p", home, _ENDS)


def test_functions_of_a_notebook(begun: Clone, tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "source": text, "outputs": []} for text in _CELLS]
    clones = {}
    for how in ("loop", "workers"):
        clone = clones[how] = copy_of(begun, tmp_path / how)
        clone.write("first.ipynb", json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}))
        assert clone.python("-c", _KERNEL, "first.ipynb", how).out == "[1, 4, 7] 6\n"
        assert clone.python("-c", _KERNEL, "first.ipynb", how).out == "[1, 4, 7] 0\n"
    assert records(clones["workers"]) == records(clones["loop"])


@pytest.mark.parametrize(
    ("how", "said"),
    [("other value", "helper.py:$SCALE is another"), ("other text", "helper.py is another text")],
)
def test_a_worker_with_other_code_is_refused(
    begun: Clone, tmp_path: Path, how: str, said: str
) -> None:
    clone = copy_of(begun, tmp_path / "p")
    out = clone.python("program.py", how).out
    assert out.startswith("WorkerDiffers"), out
    assert said in out
    assert "start this program again" in out


def test_a_worker_that_dies_leaves_what_was_finished(begun: Clone, tmp_path: Path) -> None:
    clone = copy_of(begun, tmp_path / "p")
    out = clone.python("program.py", "kill").out
    assert out.startswith("WorkersLost"), out
    assert "run the same again" in out
    clone.write("cured", "")
    finished = sum('["call", "program:fatal' in line for line in records(clone))
    assert clone.python("program.py", "kill").out == "[0, 1, 2, 3, 4, 5]\n"
    before = len(executions(clone))
    assert clone.python("program.py", "kill").out == "[0, 1, 2, 3, 4, 5]\n"
    assert len(executions(clone)) == before <= 6 + (6 - finished)


def test_calls_of_a_driver_do_not_overtake_those_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.setattr(mains, "_stage", mains._Stage())
    main = mains.Main(None, None, None, (), (), "elsewhere")
    one, other = mains.standing_in(main), mains.standing_in(main)
    came: list[object] = []

    def call(module: ModuleType) -> None:
        with mains.as_main(module, main):
            came.append(sys.modules["__main__"])

    calls = [threading.Thread(target=call, args=(module,)) for module in (other, one)]
    with mains.as_main(one, main):
        for number, thread in enumerate(calls, 1):
            thread.start()
            deadline = time.monotonic() + 10
            while len(mains._stage._waiting) + len(came) < number:
                assert time.monotonic() < deadline
        assert came == []
    for thread in calls:
        thread.join(10)
    assert came == [other, one]


def test_ctrl_c_leaves_finished_calls_and_no_worker(begun: Clone, tmp_path: Path) -> None:
    clone = copy_of(begun, tmp_path / "p")
    clone.write("slow.py", SLOW)
    process = subprocess.Popen(
        [sys.executable, "slow.py", "loky"],
        cwd=clone.root,
        env=clone.env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while len(executions(clone)) < 6:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    out = process.communicate(timeout=60)[0].decode()
    assert "KeyboardInterrupt" in out
    assert process.returncode != 0
    while _is_alive(process.pid):
        assert time.monotonic() < deadline + 30, "a worker is left"
        time.sleep(0.1)
    done, finished = len(executions(clone)), sum('"slow:slow"' in line for line in records(clone))
    assert 4 <= finished <= done < 40
    assert clone.python("slow.py", "loky").out == f"{sum(range(40))}\n"
    assert len(executions(clone)) == 40 + done - finished


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
