"""However a program is started, its components and their contents are the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TRAIN = """
import sys
from pathlib import Path
from dataclasses import dataclass, field
from types import SimpleNamespace
sys.path.insert(0, str(Path(__file__).parent))
import near
from near import Scale

HERE = Path(__file__).parent
@dataclass
class Config:
    rate: int = 2
    where: Path = HERE
    tags: list = field(default_factory=list)
class Plain:
    def __init__(self): self.fn, self.kind = helper, Config
def helper(v): return v * CONFIG.rate
CONFIG = Config()
PLAIN = [Plain()]
SPACE = SimpleNamespace(fn=lambda v: v)
scale = Scale(3)
def op(v):
    import later
    return helper(v) + near.shift(v) + scale(v) + later.more(v) + len(PLAIN) + SPACE.fn(v)

def report():
    from gitmemo.tracing import CodeState, Project, Tracker
    project = Project(HERE.parent)
    state = CodeState(project)
    with Tracker(project, state).capture(op) as capture:
        op(1)
    import json
    rows = {str(c): [x.source.hex(), x.value and x.value.hex()] for c, x in capture.components.items()}
    print(json.dumps(rows))

if __name__ == "__main__" and len(sys.argv) > 1:
    import multiprocessing
    process = multiprocessing.get_context("spawn").Process(target=report)
    process.start(); process.join()
elif __name__ == "__main__":
    report()
"""
NEAR = """
K = 1
class Scale:
    def __init__(self, by): self.by = by
    def __call__(self, v): return v * self.by
def shift(v): return v + K
"""
LATER = "L = [4]\ndef more(v): return v + L[0]\n"


def start(root: Path, *arguments: str, folder: str = ".") -> dict[str, list[str]]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(root)])}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=root / folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    rows: dict[str, list[str]] = json.loads(done.stdout)
    return rows


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "lab"
    folder.mkdir()
    for name, text in {"train": TRAIN, "near": NEAR, "later": LATER}.items():
        (folder / f"{name}.py").write_text(text)
    return tmp_path


def test_every_way_of_starting_gives_the_same(root: Path) -> None:
    script = start(root, "lab/train.py")
    assert set(script) == {
        "lab/train.py:op",
        "lab/train.py:helper",
        "lab/train.py:class Config",
        "lab/train.py:class Plain",
        "lab/train.py:$__file__",  # of HERE, which making a Config reads
        "lab/train.py:$CONFIG",
        "lab/train.py:$HERE",
        "lab/train.py:$PLAIN",
        "lab/train.py:$SPACE",
        "lab/train.py:$scale",
        "lab/near.py:shift",
        "lab/near.py:$K",
        "lab/near.py:class Scale",
        "lab/near.py:Scale.__call__",
        "lab/later.py:more",
        "lab/later.py:$L",
    }
    assert start(root, "train.py", folder="lab") == script
    assert start(root, "-m", "lab.train") == script
    assert start(root, "-c", "import lab.train as t; t.report()") == script
    assert start(root, "-c", "import train as t; t.report()", folder="lab") == script
    assert start(root, "lab/train.py", "spawned") == script


def test_another_checkout_gives_the_same(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("elsewhere")
    (other / "lab").mkdir()
    for file in (root / "lab").glob("*.py"):
        (other / "lab" / file.name).write_text(file.read_text())
    assert start(root, "lab/train.py") == start(other, "lab/train.py")
