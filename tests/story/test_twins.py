"""A change that was run before somebody said that it changes nothing: each result is one row."""

from __future__ import annotations

import pytest
from driver import Clone

CHANGES = ("return 2 * value", "return value + value")
LOOK = """
from pipeline import storage, train, evaluate

for op in (train, evaluate):
    assert len(storage.cf(op).df()) == 2, storage.cf(op).df()
    assert len(storage.cf(op).expand_all().df()) == 2, storage.cf(op).expand_all().df()
    assert len(storage.table(op)) == 2
back = storage.cf(evaluate).expand_back()
assert len(back.df("rate", "loss")) == 2, back.df("rate", "loss")
# Whoever asks for one of the stored calls finds it, whichever stands for both in tables.
for call in storage.cf(train).calls:
    assert len(storage.cf(call.hid.hex()).df()) == 1
assert len(storage.cf(train, stale=True).df()) == 2, "they all count"
"""


@pytest.fixture
def joined(committed: Clone) -> Clone:
    """Two edits of a helper that change no result, each run, and decided afterwards."""
    last = "return value * 2"
    for text in CHANGES:
        committed.change(last, text)
        last = text
        assert committed.run() == (3, 2)
        committed.git("add", "-A")
        committed.process("git", "commit", "-q", "-m", text, GITMEMO_ON_CHANGE="non-breaking")
    return committed


def test_each_result_is_one_row(joined: Clone) -> None:
    assert joined.run() == (5, 0)
    joined.write("look.py", LOOK)
    joined.python("look.py")
    assert len(joined.rows("train")) == len(joined.rows("evaluate", "--back")) == 2
    assert len(joined.rows("evaluate", "--back", "--columns", "rate,loss")) == 2


def test_results_that_differ_stay_several_rows(committed: Clone) -> None:
    committed.change("return value * 2", "return value * 3")
    committed.run()
    committed.git("add", "-A")
    committed.process("git", "commit", "-q", "-m", "More", GITMEMO_ON_CHANGE="pending")
    committed.gitmemo("decide", "--non-breaking", "--force")
    assert sorted(row["loss"] for row in committed.rows("train")) == [
        249500,
        374250,
        499000,
        748500,
    ]
