"""A project whose names and values would like to be markup, with two versions of its code."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import identify

from gitmemo.cli import main

HOSTILE = "</script><img src=x onerror=alert(1)><!--"
PROGRAM = '''
import gitmemo as gm

storage = gm.open()
SCALE = 2
HOSTILE = "</script><img src=x onerror=alert(1)><!--"


@gm.op(output_names=["data", "label"])
def load(size):
    return list(range(size * 1000)), f"{HOSTILE}{size}\\u2028"


@gm.op(output_names=["model", "score"])
def train(data, kind, rate, seen=None):
    """<img src=x onerror=alert(2)>"""
    note = "</pre><script>alert(3)</script>"
    model = {"note": note, "kind": kind, "rate": rate * SCALE, "weights": data[:500]}
    return model, rate * SCALE * len(kind)


@gm.op(name=f"odd:{HOSTILE}", output_names=["<b>loss</b>"])
def evaluate(model, label, big):
    return float("nan") if label.endswith("9") else len(label) / 7


with storage:
    big = list(range(1000, 3000))
    for size in (1, 2):
        data, label = load(size)
        for kind in ("tree", HOSTILE, "=1+1"):
            for rate in (0.1, 0.25, 1.0):
                model, score = train(data, kind, rate)
                evaluate(model, label, big)
'''
CALLS = 2 + 18 + 18


class Project:
    """A repository with a program."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "gitmemo", "run", "program.py", *arguments]
        subprocess.run(command, cwd=self.root, check=True, capture_output=True)

    def edit(self, old: str, new: str) -> None:
        path = self.root / "program.py"
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Results of the first code are committed; those of the second are pending."""
    root = tmp_path_factory.mktemp("report") / "a <b>project"
    root.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=root, check=True)
    git = identify(root)
    (root / "program.py").write_text(PROGRAM, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("GITMEMO_ON_CHANGE", "pending")
        assert main(["init"]) == 0
        made = Project(root)
        made.run()
        git.run("add", "-A")
        git.run("commit", "-q", "-m", "First")
        made.edit("SCALE = 2", "SCALE = 3")
        made.run()
    return made


SMALL = """
import sys

import gitmemo as gm


@gm.op
def total(xs):
    return sum(xs)


if __name__ == "__main__":
    with gm.open():
        total(list(range(int(sys.argv[1]) if sys.argv[1:] else 3000)))
"""


@pytest.fixture(scope="session")
def made_small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("small") / "project"
    root.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=root, check=True)
    git = identify(root)
    (root / "program.py").write_text(SMALL, "utf-8")
    (root / "notes.txt").write_text("one\n", "utf-8")
    (root / ".gitignore").write_text("__pycache__/\n", "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("GITMEMO_ON_CHANGE", "pending")
        assert main(["init"]) == 0
        Project(root).run()
        git.run("add", "-A")
        git.run("commit", "-q", "-m", "First")
    return root


@pytest.fixture
def small(made_small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """One call, committed, of an op that does not name its result."""
    root = tmp_path / "small"
    shutil.copytree(made_small, root)
    monkeypatch.chdir(root)
    monkeypatch.setenv("GITMEMO_ON_CHANGE", "pending")
    return Project(root)


Report = Callable[..., Path]


@pytest.fixture
def report(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    """Return a function that writes a page and returns its path."""

    def write(*arguments: str, code: int = 0) -> Path:
        monkeypatch.chdir(project.root)
        path = tmp_path / "page.html"
        assert main(["report", "-o", str(path), *arguments]) == code
        return path

    return write
