"""One repository's frames and tables: the same pending and committed, and whatever the order of its parts."""

from __future__ import annotations

from pathlib import Path

from driver import Clone, make_clone

PROGRAM = """\
import sys

import gitmemo as gm


@gm.op(output_names=["data"])
def load(n):
    return n % 2


@gm.op(output_names=["model"])
def train(data, rate):
    return [data, rate]


@gm.op(output_names=["acc"])
def judge(models):
    return sum(rate for _, rate in models)


if __name__ == "__main__":
    with gm.open():
        for n in map(int, sys.argv[1:]):
            judge([train(load(n), rate) for rate in (1, 2)])
"""

ASK = """\
import program

import gitmemo as gm

storage = gm.open()
frame = storage.cf()
print(frame.info())
print(frame.graph_text())
print(frame.table().columns)
for explode in (False, True):
    print(frame.df(values="hids", explode=explode).to_json(orient="split"))
print(frame[frame["n"] > 1].df(values="cids").to_json(orient="split"))
print(sorted(call.hex() for call in frame.sample(2).selected))
"""


def answer(clone: Clone, seed: str) -> str:
    """What frames say, in a process whose sets have an order of their own."""
    return clone.python("ask.py", PYTHONHASHSEED=seed).out


def test_frames_are_the_same_pending_committed_and_in_another_order(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    clone = make_clone(tmp_path / "project", home)
    clone.write("program.py", PROGRAM)
    clone.write("ask.py", ASK)
    clone.gitmemo("init")
    clone.python("program.py", "1", "3")
    clone.commit("Begin")
    clone.python("program.py", "2", "5")
    pending = answer(clone, "0")
    assert '"n"' in pending
    clone.commit("Take the others along", "--allow-empty")
    assert answer(clone, "1") == pending

    # A clone reads the segments in the order of their names, and makes its own index.
    other = Clone(tmp_path / "other", home)
    clone.git("clone", "-q", str(clone.root), str(other.root))
    assert answer(other, "2") == pending
