"""Collections through real repositories: committed, adopted, cloned, pulled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from driver import Clone

CloneOf = Callable[[Clone | Path, str], Clone]

PROGRAM = """\
from __future__ import annotations

import numpy as np

import gitmemo as gm

storage = gm.open()


@gm.op
def load(count) -> list[np.ndarray]:
    return [np.full((100, 100), number) for number in range(count)]


@gm.op
def scale(one, by):
    return one * by


@gm.op
def sums(groups: dict[str, list]) -> dict[str, float]:
    return {name: float(sum(one.sum() for one in group)) for name, group in groups.items()}


if __name__ == "__main__":
    with storage:
        parts = load(4)
        scaled = [scale(one, 2) for one in parts[1:]]
        result = sums({"raw": parts[:2], "scaled": scaled})
        print(storage.unwrap(result["scaled"]), len(parts))
"""


ELEMENTS = """\
from collect import load, scale, storage
with storage:
    parts = load(4)
    print(*[ref.hid for ref in [*parts[:2], *[scale(one, 2) for one in parts[1:]]]])
"""
FROM_REFS = """\
import sys
from collect import storage, sums
with storage:
    refs = [storage.load_ref(hid, in_memory=False) for hid in sys.argv[1:]]
    result = sums({"raw": refs[:2], "scaled": refs[2:]})
print(storage.unwrap(result["scaled"]), storage.counter.reused)
"""


@pytest.fixture
def project(begun: Clone) -> Clone:
    begun.write("collect.py", PROGRAM)
    begun.commit("Collect")
    return begun


def run(clone: Clone) -> tuple[int, int]:
    return clone.gitmemo("run", "collect.py").counted


def made_up_of(clone: Clone) -> int:
    """Return how many calls led to the sums, as a program in the repository sees it."""
    program = (
        "import gitmemo; storage = gitmemo.open();"
        "print(len(storage.cf('collect:sums').expand_back()))"
    )
    return int(clone.python("-c", program).out)


def test_collections_are_committed_and_come_back(project: Clone, clone_of: CloneOf) -> None:
    assert run(project) == (0, 5)
    assert run(project) == (5, 0)
    project.write("notes.txt", "first\n")
    assert "5 calls in this commit" in project.commit("Results")
    assert (project.calls_in(), run(project), made_up_of(project)) == (5, (5, 0), 5)

    theirs = clone_of(project, "colleague")
    assert made_up_of(theirs) == 5, "what led to a result is in the commit"
    theirs.git("remote", "remove", "origin")
    assert theirs.python("collect.py").out == "120000.0 4\n", "lengths and floats need no bytes"


def test_collections_are_adopted_with_what_they_are_made_of(project: Clone) -> None:
    project.git("checkout", "-q", "-b", "side")
    assert run(project) == (0, 5)
    hids = project.python("-c", ELEMENTS).out.split()
    project.write("notes.txt", "side\n")
    project.commit("Side results")
    project.git("checkout", "-q", "main")
    assert project.calls_in() == 0
    assert project.python("-c", FROM_REFS, *hids).out == "120000.0 1\n"
    project.write("notes.txt", "main\n")
    project.commit("Main results")
    assert (project.calls_in(), made_up_of(project)) == (5, 5)


def test_values_of_collections_are_pulled(
    project: Clone, clone_of: CloneOf, tmp_path: Path
) -> None:
    project.gitmemo("remote", "add", "lab", str(tmp_path / "lab"))
    assert run(project) == (0, 5)
    project.write("notes.txt", "first\n")
    project.commit("Results")
    project.gitmemo("push")
    theirs = clone_of(project, "colleague")
    program = (
        "import collect; storage = collect.storage\n"
        "with storage: parts = collect.load(4)\n"
        "print(int(parts[3].unwrap().sum()), len(storage.unwrap(parts)))"
    )
    missing = theirs.python("-c", program, code=1, GITMEMO_LAZY_PULL="off")
    assert "pull" in missing.err
    theirs.gitmemo("pull")
    assert theirs.python("-c", program).out == "30000 4\n"
    assert run(theirs) == (5, 0)
    theirs.gitmemo("verify")
