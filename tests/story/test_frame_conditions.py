"""Frames by version, commit and decision, in a repository whose code changes."""

from __future__ import annotations

from pathlib import Path

from driver import make_clone

PROGRAM = """
import sys
import gitmemo as gm

def scale(x):
    return x * 2

@gm.op(output_names=["y"])
def f(x):
    return scale(x)

storage = gm.open()

if __name__ == "__main__":
    with storage:
        for x in map(int, sys.argv[1:]):
            f(x)
"""
ASK = """
import gitmemo as gm
from gitmemo.errors import UnknownId, UnknownRevision, WrongQuestion
from pipe import storage
from pipe import f

cf = storage.cf(f)
def xs(frame): return sorted(frame.df()["x"]) if len(frame) else []
assert xs(cf) == [1, 2, 3], xs(cf)
assert xs(cf.where(commit="first")) == [1, 2]
assert xs(cf.where(commit="HEAD~1")) == [3], xs(cf.where(commit="HEAD~1"))
assert xs(cf.where(decision="exact")) == [3]
assert xs(cf.where(decision="non-breaking")) == [1, 2]
one, two = sorted(storage.versions(f), key=lambda v: v.calls, reverse=True)
assert xs(cf.where(version=one.content_id[:10])) == [1, 2]
assert xs(cf.where(version=two.content_id)) == [3]
assert one.semantic_id == two.semantic_id
assert xs(cf.where(version=one.semantic_id[:12])) == [1, 2, 3]
assert xs(cf.where(version=one.content_id, commit="HEAD")) == []
for wrong, error in {"version": UnknownId, "commit": UnknownRevision}.items():
    try:
        cf.where(**{wrong: "0123456789ab"})
    except error:
        pass
    else:
        raise AssertionError(wrong)
try:
    cf.where(decision="breaking")
except WrongQuestion:
    pass
else:
    raise AssertionError
"""


def test_frames_by_version_commit_and_decision(tmp_path: Path) -> None:
    clone = make_clone(tmp_path / "project", tmp_path / "home")
    clone.gitmemo("init")
    clone.write("pipe.py", PROGRAM)
    clone.git("add", "-A")
    clone.git("commit", "-qm", "code")
    clone.git("tag", "first")
    clone.python("pipe.py", "1", "2")
    clone.git("add", "-A")
    clone.git("commit", "-qm", "results", "--allow-empty")
    clone.change("x * 2", "2 * x", "pipe.py")
    clone.gitmemo("decide", "scale", "--non-breaking")
    clone.git("add", "-A")
    clone.git("commit", "-qm", "other words")
    clone.python("pipe.py", "1", "2", "3")
    clone.git("commit", "-qm", "more", "--allow-empty")
    clone.write("ask.py", ASK)
    clone.python("ask.py")
