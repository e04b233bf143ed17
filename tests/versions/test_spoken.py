"""What a program calls the results of its ops, over the files of a repository."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from gitmemo.git.objects import open_reader
from gitmemo.git.repository import locate
from gitmemo.source.tree import code_at
from gitmemo.tracing import Project
from gitmemo.versions.spoken import ProgramNames

LIB = "def train(x):\n    return x\n\ndef split(x):\n    return x, x\n"


def notebook(*cells: str) -> str:
    """Return the text of a notebook."""
    found = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": cell.splitlines(True)}
        for cell in cells
    ]
    return json.dumps({"cells": found, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


class Repository:
    """A repository with nothing but files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q")

    def git(self, *arguments: str) -> None:
        settings = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
        clean = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
        subprocess.run(["git", *settings, *arguments], cwd=self.root, check=True, env=clean)

    def write(self, files: Mapping[str, str]) -> None:
        for path, text in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text)

    def names(self, *, at: bool = False) -> ProgramNames:
        """Return what knows the names; those of the last commit if `at`."""
        layout, project = locate(self.root), Project(self.root)
        if not at:
            return ProgramNames(layout, project, None, None)
        reader = open_reader(layout)
        commit = reader.resolve("HEAD")
        assert commit is not None
        return ProgramNames(layout, project, code_at(reader, commit), commit)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def said(found: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {op: list(names) for op, names in found.items()}


COUNTS = {
    "imported": ({"run.py": "from lib import train\nacc = train(1)"}, "acc"),
    "imported under another name": ({"run.py": "from lib import train as t\nacc = t(1)"}, "acc"),
    "of an imported module": ({"run.py": "import lib as l\nacc = l.train(1)"}, "acc"),
    "imported in a function": (
        {"run.py": "def main():\n    from lib import train\n    acc = train(1)"},
        "acc",
    ),
    "imported with everything": ({"run.py": "from lib import *\nacc = train(1)"}, "acc"),
    "handed on": (
        {"api.py": "from lib import train\n", "run.py": "import api\nacc = api.train(1)"},
        "acc",
    ),
    "in its own file": ({"lib.py": LIB + "acc = train(1)\n"}, "acc"),
    "in a notebook": ({"run.ipynb": notebook("import lib", "%time\nacc = lib.train(1)")}, "acc"),
    "in a folder beside": ({"jobs/run.py": "import lib\nacc = lib.train(1)"}, "acc"),
    "the most frequent": (
        {"run.py": "from lib import train\na = train(1)\nb = train(1)\nb = train(2)"},
        "b",
    ),
    "once for each place": (
        {"run.py": "from lib import train\na = train(1); a = train(2); b = train(1)\nb = train(3)"},
        "b",
    ),
    "its own file first": (
        {"a.py": "from lib import train\na = train(1)", "lib.py": LIB + "z = train(1)\n"},
        "z",
    ),
    "then the path": (
        {f"{name}.py": f"from lib import train\n{name} = train(1)" for name in "cab"},
        "a",
    ),
    "then the line": ({"run.py": "from lib import train\nb = train(1)\na = train(1)"}, "b"),
    "beside a broken file": (
        {"a.py": "from lib import train\na = train(1) = (", "b.py": "import lib\nb = lib.train(1)"},
        "b",
    ),
}

DOES_NOT = {
    "another function": {"run.py": "from other import train\nacc = train(1)", "other.py": LIB},
    "a package from elsewhere": {"run.py": "from torch import train\nacc = train(1)"},
    "one of two": {
        "other.py": LIB,
        "run.py": "try:\n    from lib import train\nexcept E:\n    from other import train\nacc = train(1)",
    },
    "bound anew": {"run.py": "from lib import train\ntrain = wrapped(train)\nacc = train(1)"},
    "a method of that name": {"run.py": "import lib\nacc = model.train(1)"},
    "taken apart": {"run.py": "from lib import train\na, b = train(1)"},
    "only said in words": {"run.py": "# acc = train(1)\n'acc = lib.train(1)'\n"},
    "in a package of others": {
        ".venv/lib/site-packages/p/run.py": "from lib import train\nacc = train(1)"
    },
    "in a large file": {"run.py": "from lib import train\nacc = train(1)\n" + "#" * 1_000_000},
    "in no code": {"run.txt": "from lib import train\nacc = train(1)\n"},
    "in a broken notebook": {"run.ipynb": "from lib import train\nacc = train(1)\n"},
}


@pytest.mark.parametrize("case", COUNTS)
def test_calls_that_count(repository: Repository, case: str) -> None:
    files, name = COUNTS[case]
    repository.write({"lib.py": LIB, **files})
    assert said(repository.names().of({"lib:train": 1})) == {"lib:train": [name]}


@pytest.mark.parametrize("case", DOES_NOT)
def test_calls_that_do_not_count(repository: Repository, case: str) -> None:
    repository.write({"lib.py": LIB, **DOES_NOT[case]})
    assert said(repository.names().of({"lib:train": 1})) == {}


def test_several_outputs_have_a_name_each(repository: Repository) -> None:
    run = (
        "from lib import split\na, b = split(1)\n_, c = split(1)\nx, c = split(1)\nboth = split(1)"
    )
    repository.write({"lib.py": LIB, "run.py": run})
    names = repository.names()
    assert said(names.of({"lib:split": 2})) == {"lib:split": ["a", "c"]}
    assert said(names.of({"lib:split": 1})) == {"lib:split": ["both"]}
    assert said(names.of({"lib:split": 3})) == {}


def test_packages_are_followed_as_python_does(repository: Repository) -> None:
    repository.write(
        {
            "src/pkg/__init__.py": "from .deep.lib import train\n",
            "src/pkg/deep/__init__.py": "",
            "src/pkg/deep/lib.py": LIB,
            "src/pkg/deep/near.py": "from .lib import split\na, b = split(1)\n",
            "src/pkg/up.py": "from .deep import lib\nc, d = lib.split(1)\ne, d = lib.split(1)\n",
            "run.py": "import pkg\nacc = pkg.train(1)\n",
            "jobs/lib.py": LIB,
            "jobs/run.py": "from lib import train\nbeside = train(1)\n",
        }
    )
    ops = {"pkg.deep.lib:train": 1, "pkg.deep.lib:split": 2, "jobs.lib:train": 1}
    assert said(repository.names().of(ops)) == {
        "pkg.deep.lib:train": ["acc"],
        "pkg.deep.lib:split": ["a", "d"],
        "jobs.lib:train": ["beside"],
    }


def test_ops_of_notebooks_and_ops_that_named_themselves(repository: Repository) -> None:
    repository.write(
        {
            "work.ipynb": notebook("def fit(x):\n    return x", "acc = fit(1)"),
            "lib.py": "@gm.op(name='measuring')\ndef measure(x): ...\n",
            "run.py": "import lib\nwidth = lib.measure(1)\n",
        }
    )
    found = said(repository.names().of({"work:fit": 1, "measuring": 1}))
    assert found == {"work:fit": ["acc"], "measuring": ["width"]}


def test_each_state_has_its_own_names(repository: Repository) -> None:
    repository.write({"lib.py": LIB, "run.py": "import lib\nold = lib.train(1)\n"})
    repository.git("add", ".")
    repository.git("commit", "-qm", "one")
    then, now = repository.names(at=True), repository.names()
    assert said(now.of({"lib:train": 1})) == {"lib:train": ["old"]}
    repository.write({"run.py": "import lib\nfresh = lib.train(1)\n", ".gitignore": "scratch.py\n"})
    repository.write({"scratch.py": "import lib\nidea = lib.train(1)\n" * 3})
    repository.write({"a\nb.py": "", "untracked.py": "import lib\nfresh = lib.train(1)\n"})
    assert said(now.of({"lib:train": 1})) == {"lib:train": ["fresh"]}
    assert said(then.of({"lib:train": 1})) == {"lib:train": ["old"]}
    (repository.root / "lib.py").unlink()
    assert said(now.of({"lib:train": 1})) == {}
    assert said(then.of({"lib:train": 1, "gone:train": 1})) == {"lib:train": ["old"]}


def test_links_are_not_followed(
    repository: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "run.py"
    outside.write_text("import lib\nacc = lib.train(1)\n")
    repository.write({"lib.py": LIB})
    (repository.root / "run.py").symlink_to(outside)
    assert said(repository.names().of({"lib:train": 1})) == {}
