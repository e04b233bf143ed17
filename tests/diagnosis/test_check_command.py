"""`gitmemo check op:NAME` in real repositories."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from driver import Clone, copy_of, make_project

NOISY = """\
import os
import gitmemo as gm
from pipeline import load

storage = gm.open()


@gm.op(output_names=["draw", "count"])
def noisy(x):
    print("drawing")
    return {"n": int(os.environ.get("NOISE", "0")) * (x == 2)}, x


@gm.op(name="named")
def some_function(x):
    return x


class Box:
    @gm.op
    def open(self, x):
        return x


print("imported")
if __name__ == "__main__":
    with storage:
        for x in range(4):
            noisy(x)
            some_function(x)
"""


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    clone = make_project(tmp_path_factory.mktemp("checked") / "p", tmp_path_factory.mktemp("home"))
    clone.write("analysis/noisy.py", NOISY)
    clone.commit("Noise")
    clone.gitmemo("run", "pipeline.py")
    roots = [str(clone.root), *filter(None, [os.environ.get("PYTHONPATH")])]
    clone.python("analysis/noisy.py", PYTHONPATH=os.pathsep.join(roots))
    return clone


@pytest.fixture
def project(template: Clone, tmp_path: Path) -> Clone:
    return copy_of(template, tmp_path / "p")


def test_a_deterministic_op(project: Clone) -> None:
    records = project.records()
    done = project.gitmemo("check", "op:train")
    assert "pipeline:train: 2 same (2 stored calls)" in done.out
    assert project.records() == records
    assert project.is_clean()


def test_an_op_that_is_not_deterministic(project: Clone) -> None:
    records = project.records()
    done = project.gitmemo("check", "op:noisy", code=7, NOISE="5")
    assert "differs: analysis.noisy:noisy(x=2)" in done.out
    assert "output 'draw' at ['n']: was 0, is 5" in done.out
    assert "3 same, 1 differs (4 stored calls)" in done.out
    assert "drawing" not in done.out
    assert "imported" not in done.out
    assert project.records() == records
    lines = project.gitmemo("check", "op:noisy", "--json", code=7, NOISE="5").out.splitlines()
    found = [json.loads(line) for line in lines]
    assert sorted(item["finding"] for item in found) == ["differs", "same", "same", "same"]
    assert {
        "op": "analysis.noisy:noisy",
        "finding": "differs",
        "inputs": {"x": "2"},
        "outputs": {"draw": "at ['n']: was 0, is 5"},
        "reason": None,
    } in found


def test_samples(project: Clone) -> None:
    one = project.gitmemo("check", "op:noisy", "--sample", "2", "--seed", "3", "--json").out
    assert len(one.splitlines()) == 2
    assert project.gitmemo("check", "op:noisy", "--sample", "2", "--seed", "3", "--json").out == one
    assert len(project.gitmemo("check", "op:noisy", "--all", "--json").out.splitlines()) == 4


def test_ops_are_found_by_file_by_module_and_by_their_own_name(project: Clone) -> None:
    for name in ("analysis.noisy:noisy", "analysis/noisy.py:noisy", "noisy"):
        assert "4 same" in project.gitmemo("check", f"op:{name}").out
    assert "named: 4 same" in project.gitmemo("check", "op:named").out
    assert "nothing to check" in project.gitmemo("check", "op:analysis/noisy.py:Box.open").out


def test_code_that_changed_is_not_checked(project: Clone) -> None:
    project.change("value * 2", "value * 3")
    assert "nothing to check (0 stored calls)" in project.gitmemo("check", "op:train").out


def test_inputs_that_are_not_here(project: Clone) -> None:
    import shutil

    shutil.rmtree(project.root / ".git/gitmemo/blobs")
    done = project.gitmemo("check", "op:train", code=4)
    assert "not on this machine" in done.out
    assert "2 not run" in done.out


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("op:nois", "did you mean"),
        ("op:nowhere:f", "no call of an op named"),
        ("op:pipeline.py:missing", "it defines no 'missing'"),
        ("op:helper.py:scale", "'scale' is no op"),
        ("op:missing.py:f", "no call of an op named"),
        ("op:../outside.py:f", "no call of an op named"),
        ("op:", "write the op's name"),
    ],
)
def test_mistakes_are_named(project: Clone, target: str, said: str) -> None:
    done = project.gitmemo("check", target, code=2)
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_file_that_cannot_be_imported(project: Clone) -> None:
    project.write("broken.py", "import gitmemo as gm\nraise RuntimeError('at the top')\n")
    done = project.gitmemo("check", "op:broken.py:f", code=2)
    assert "importing it raised RuntimeError: at the top" in done.err
    project.write("leaving.py", "import sys\nsys.exit(3)\n")
    assert "SystemExit" in project.gitmemo("check", "op:leaving.py:f", code=2).err
    project.write("json.py", "import gitmemo as gm\n@gm.op\ndef f(): return 1\n")
    assert "another module" in project.gitmemo("check", "op:json.py:f", code=2).err


def test_an_op_inside_a_function(project: Clone) -> None:
    project.write(
        "inside.py",
        "import gitmemo as gm\nstorage = gm.open()\n\ndef make():\n    @gm.op\n    def f(x):\n"
        "        return x\n    return f\n\nif __name__ == '__main__':\n    with storage:\n"
        "        make()(1)\n",
    )
    project.gitmemo("run", "inside.py")
    done = project.gitmemo("check", "op:inside:make.<locals>.f", code=2)
    assert "storage.check" in done.err
