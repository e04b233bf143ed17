"""Patterns in a repository: before a commit, after it, in a revision, and with renamed ops."""

from __future__ import annotations

from pathlib import Path

from driver import Clone, make_project

ASKING = """
import sys
import gitmemo as gm
from pipeline import evaluate, load, train

storage = gm.open()
with storage:
    rate = gm.wrap(1)
    model, loss = train(load(500), rate)
    score = evaluate(model, rate)

print(storage.similar(rate, loss, score, verbose=False).to_dict("list"))
refs = storage.similar(model, loss, values="objs", verbose=False)
print(sorted((type(one).__name__, len(one.weights)) for one in refs["model"]))
if len(sys.argv) > 1:
    then = gm.open(rev=sys.argv[1])
    print(then.similar(rate, loss, score, verbose=False).to_dict("list"))
    with then.query():
        asked = gm.Q()
        made, lost = train(rate=asked)
    print(then.df(asked, lost).to_dict("list"))
"""


def test_the_table_is_the_same_pending_and_committed(tmp_path: Path) -> None:
    clone: Clone = make_project(tmp_path / "r", tmp_path)
    clone.write("asking.py", ASKING)
    clone.run("1", "2", "3")
    pending = clone.python("asking.py").out.splitlines()
    losses = [2 * rate * sum(range(500)) for rate in (1, 2, 3)]
    table = {"rate": [1, 2, 3], "loss": losses, "score": [501, 502, 503]}
    assert pending[0] == str(table)
    assert pending[1] == str([("Model", 500)] * 3)
    clone.commit("results")
    found = clone.python("asking.py", "HEAD").out.splitlines()
    assert found[:2] == pending
    assert found[2] == str(table)
    assert found[3] == str({"asked": [1, 2, 3], "lost": losses})
    assert clone.is_clean()
