"""What newcomers stumbled over: what is said where they did not see what to do next."""

from __future__ import annotations

import json

from driver import Clone


def test_an_op_that_is_none_is_answered_with_those_that_are(committed: Clone) -> None:
    said = committed.gitmemo("df", "summarize", code=2).err
    assert "calls are stored of pipeline:evaluate, pipeline:load, pipeline:train" in said
    said = committed.gitmemo("tag", "best", "nothing", code=2).err
    assert "`gitmemo calls OP`" in said and "`gitmemo show CALL`" in said


def test_what_only_has_new_names_is_nothing_to_decide(committed: Clone) -> None:
    committed.change("def scale", "def scaled")
    for old in ("import Model, scale\n", "[scale("):
        committed.change(old, old.replace("scale", "scaled"), "pipeline.py")
    said = committed.gitmemo("run", "pipeline.py").err
    assert "helper.py:scale is helper.py:scaled now: the next commit recognises it" in said
    assert "nobody has decided" not in said
    for old in ("def train(", "= train("):
        committed.change(old, old.replace("train", "fit"), "pipeline.py")
    committed.commit("Rename")
    assert committed.run() == (5, 0)
    said = committed.gitmemo("df", "fit", "--rev", "HEAD~1", code=2).err
    assert "it was called pipeline:train then" in said


def test_both_spellings_of_a_condition_are_read(committed: Clone) -> None:
    (row,) = committed.rows("train", "--where", "rate=1")
    assert [row] == committed.rows("train", "--where", "rate == 1")
    refused = committed.gitmemo("df", "train", "--where", "rate=one", code=2).err
    assert "say `==`, not `=`" in refused
    dropped = committed.gitmemo("drop", "op:train", "--where", "rate == 2", "--yes")
    assert "drops 1 call of pipeline:train" in dropped.out
    assert "`gitmemo gc --forgotten`" in dropped.err
    assert "forgotten or dropped" in committed.gitmemo("forget").err


def test_a_table_of_ops_that_share_nothing_says_so(committed: Clone) -> None:
    apart = "pipeline:evaluate shares no value with pipeline:load"
    assert apart in committed.gitmemo("df", "load", "evaluate").err
    assert "shares no value" not in committed.gitmemo("df", "load", "train").err
    assert "shares no value" not in committed.gitmemo("df", "load", "evaluate", "--back").err


def test_why_tells_why_a_call_was_computed_again(committed: Clone) -> None:
    committed.change("value * 2", "value * 3")
    committed.run()
    said = committed.gitmemo("why", "train", "rate=1").out
    assert "would be reused" in said
    assert "with these inputs would not be reused:\n  helper.py:scale: changed" in said
    (older,) = json.loads(committed.gitmemo("why", "train", "rate=1", "--json").out)["older"]
    assert older["component"] == "helper.py:scale"
