"""Loops whose result stays as it is, in a repository: committed, on other branches, renamed."""

from __future__ import annotations

import json

import pytest
from driver import Clone

_LENGTH = 80
_CHAIN = """\
import json
import sys
from pathlib import Path

import gitmemo as gm

storage = gm.open()
PACKAGE = str(Path(gm.__file__).parent)


@gm.op
def step(x):
    return min(x, 1.0)


def main():
    counts = []

    def seen(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            counts[-1] += 1

    with storage:
        x = 1.0
        for _ in range(int(sys.argv[1])):
            counts.append(0)
            sys.setprofile(seen)
            x = step(x)
            sys.setprofile(None)
    counter = storage.counter
    print(json.dumps([counts, counter.reused, counter.computed, x.hid]))


if __name__ == "__main__":
    main()
"""


@pytest.fixture
def project(begun: Clone) -> Clone:
    begun.write("chain.py", _CHAIN)
    begun.git("add", "chain.py")
    begun.commit("A chain")
    return begun


def run(clone: Clone) -> tuple[int, int, str]:
    """Run the chain, in which no call costs more than those before.

    Returns how many calls were reused, how many computed, and the history of the result.
    """
    counts, reused, computed, hid = json.loads(clone.python("chain.py", str(_LENGTH)).out)
    begun, ended = counts[20:40], counts[-20:]
    assert sum(ended) <= 1.05 * sum(begun), counts
    return reused, computed, hid


def test_a_chain_costs_the_same_from_end_to_end(project: Clone) -> None:
    reused, computed, hid = run(project)
    assert (reused, computed) == (_LENGTH - 1, 1)
    assert run(project) == (_LENGTH, 0, hid)
    project.commit("Results", "--allow-empty")
    assert run(project) == (_LENGTH, 0, hid)


def test_a_commit_takes_as_many_calls_as_were_pending(project: Clone) -> None:
    run(project)
    assert project.status()["pending"] == 1
    assert project.status()["calls"] == 1
    assert "gitmemo: 1 call in this commit" in project.commit("Results", "--allow-empty")
    assert project.status()["pending"] == 0
    project.python("chain.py", str(_LENGTH + 20))  # the same call, with inputs of other histories
    assert project.status()["pending"] == 0
    assert "in this commit" not in project.commit("Links", "--allow-empty")
    assert project.is_clean()


def test_a_branch_that_has_none_of_it_takes_it_over(project: Clone) -> None:
    project.git("checkout", "-q", "-b", "side")
    _, _, hid = run(project)
    project.commit("Results", "--allow-empty")
    project.git("checkout", "-q", "-")
    assert project.status()["calls"] == 0
    assert run(project) == (_LENGTH, 0, hid)
    assert project.status()["calls"] == 1


def test_a_chain_goes_on_under_a_new_name(project: Clone) -> None:
    run(project)
    project.commit("Results", "--allow-empty")
    path = project.root / "chain.py"
    path.write_text(path.read_text().replace("step", "onwards"))
    project.git("add", "chain.py")
    project.commit("Renamed")
    reused, computed, hid = run(project)
    assert (reused, computed) == (_LENGTH, 0)
    assert run(project) == (_LENGTH, 0, hid)
    assert project.status()["pending"] == 0
    assert "in this commit" not in project.commit("Links", "--allow-empty")
