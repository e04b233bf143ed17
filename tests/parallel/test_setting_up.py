"""What stops all calls of a map or a batch alike is told of once; workers with other code are replaced."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

import gitmemo as gm
from gitmemo.errors import BadOption, SignatureChanged


def mapped(storage: gm.Storage, op: Any, values: Iterable[int]) -> Any:
    return storage.map(op, values)


def batched(storage: gm.Storage, op: Any, values: Iterable[int]) -> Any:
    with storage.batch():
        return [op(value) for value in values]


def batched_later(storage: gm.Storage, op: Any, values: Iterable[int]) -> Any:
    with storage.batch():
        return [op(before(value)) for value in values]


@gm.op
def before(x: int) -> int:
    return x


@gm.op(name="counted")
def counted(x: int) -> int:
    return x + 1


def _edited() -> Any:
    @gm.op(name="counted")
    def counted_again(y: int) -> int:
        return y + 1

    return counted_again


counted_again = _edited()


@gm.op(untracked="nothing_of_this_name")
def astray(x: int) -> int:
    return x


@pytest.mark.parametrize("made", [mapped, batched, batched_later])
@pytest.mark.parametrize(("op", "error"), [(counted_again, SignatureChanged), (astray, BadOption)])
def test_what_is_wrong_with_an_op_is_told_of_once_and_nothing_runs(
    made: Callable[..., Any], op: Any, error: type[Exception]
) -> None:
    storage = gm.Storage(deps_path=Path(__file__).parent if op is astray else None)
    with storage:
        counted(1)
    with pytest.raises(error):
        made(storage, op, range(1, 4))
    assert storage.counter.computed == 1


_PROGRAM = """
import importlib
import sys
from pathlib import Path

import gitmemo as gm
import helper

storage = gm.Storage("calls.db", deps_path=Path(__file__).parent)


@gm.op
def scaled(x):
    return helper.scale(x)


@gm.op
def foreign(x):
    return there.near(x)


def made(op, values):
    if sys.argv[1] == "map":
        return storage.unwrap(storage.map(op, values, n_jobs=2))
    with storage.batch(n_jobs=2):
        found = [op(value) for value in values]
    return storage.unwrap(found)


def told(op, values):
    try:
        print(made(op, values))
    except Exception as error:
        print(type(error).__name__, *getattr(error, "__notes__", ())[-1:])


if __name__ == "__main__":
    with storage:
        told(scaled, [1, 2])
        folder = Path(sys.argv[2])
        folder.mkdir()
        (folder / "there.py").write_text("def near(x):\\n    return -x\\n")
        sys.path.append(str(folder))  # later than the workers began
        import there

        told(foreign, range(20))
        Path("helper.py").write_text("def scale(x):\\n    return 3000 * x\\n")
        importlib.reload(helper)
    with storage:
        told(scaled, [3, 4])
        told(scaled, [3, 4])
"""


@pytest.mark.parametrize("how", ["map", "batch"])
def test_workers_that_cannot_make_any_call_say_so_once(tmp_path: Path, how: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "helper.py").write_text("def scale(x):\n    return 2 * x\n")
    (project / "program.py").write_text(_PROGRAM)
    made = subprocess.run(
        [sys.executable, "program.py", how, tmp_path / "elsewhere"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = made.stdout.splitlines()
    assert lines[0] == "[2, 4]", made.stderr
    once = "raised before any call was made: it is the same for all of them"
    assert lines[1] == f"ModuleNotFoundError {once}", made.stdout
    # What ends a map early ends its processes, too.
    assert lines[2] == ("WorkerDiffers" if how == "batch" else "[9000, 12000]")
    assert lines[3:] == ["[9000, 12000]"]
