"""Deciding later, as a person does: reviews, evidence, contested and revised decisions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from driver import GITMEMO, Clone, at_terminal

ASKED = "[a]bort: "
REASON = "no reason) "


def undecided(clone: Clone, *arguments: str) -> list[dict[str, Any]]:
    lines = clone.gitmemo("decide", *arguments, "--json").out.splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def changed(committed: Clone) -> Clone:
    """A project with five committed calls, and two functions that were edited since."""
    committed.change("value * 2", "value + value")
    committed.change("len(model.weights) + rate", "rate + len(model.weights)", "pipeline.py")
    return committed


# --- a review at a terminal ---------------------------------------------------


def test_a_review_asks_about_one_change_at_a_time(changed: Clone) -> None:
    with at_terminal(changed, *GITMEMO, "decide") as terminal:
        terminal.expect("helper.py:scale changed (1 of 2)")
        terminal.expect("2 stored calls of pipeline:train")
        terminal.expect("-    return value * 2")
        terminal.expect("+    return value + value")
        terminal.expect(ASKED)
        terminal.send("n\n")
        terminal.expect(REASON)
        terminal.send("twice is twice\n")
        terminal.expect("pipeline.py:evaluate changed (2 of 2)")
        terminal.expect(ASKED)
        terminal.send("perhaps\n")
        terminal.expect("Please answer n, b, l, q or a.")
        terminal.send("b\n")
        terminal.expect(REASON)
        terminal.send("\n")
        terminal.expect("2 decisions recorded, 0 left open")
        assert terminal.finish() == 0
    assert undecided(changed) == []
    changed.commit("Decided")
    decisions = [json.loads(line) for line in changed.committed() if line.startswith('["decision"')]
    assert sorted((line[2], line[5], line[6]) for line in decisions) == [
        ("evaluate", "breaking", ""),
        ("scale", "non-breaking", "twice is twice"),
    ]
    assert changed.run() == (3, 2)


@pytest.mark.parametrize(("keys", "code"), [("q\n", 0), ("a\n", 130), ("\x03", 130), ("\x04", 130)])
def test_what_was_answered_in_a_review_stays(changed: Clone, keys: str, code: int) -> None:
    with at_terminal(changed, *GITMEMO, "decide") as terminal:
        terminal.expect(ASKED)
        terminal.send("n\n")
        terminal.expect(REASON)
        terminal.send("\n")
        terminal.expect("(2 of 2)")
        terminal.expect(ASKED)
        terminal.send(keys)
        terminal.expect("1 decision recorded, 1 left open")
        assert terminal.finish() == code, terminal.text
    assert "Traceback" not in terminal.text
    assert [one["component"] for one in undecided(changed)] == ["pipeline.py:evaluate"]


def test_later_leaves_a_change_open_and_goes_on(changed: Clone) -> None:
    with at_terminal(changed, *GITMEMO, "decide") as terminal:
        terminal.expect("(1 of 2)")
        terminal.expect(ASKED)
        terminal.send("l\n")
        terminal.expect("(2 of 2)")
        terminal.expect(ASKED)
        terminal.send("l\n")
        assert terminal.finish() == 0
    assert len(undecided(changed)) == 2
    assert changed.records() == 0


@pytest.fixture
def twice(committed: Clone) -> Clone:
    """A project with five committed calls, and a helper that was edited twice and run each time."""
    committed.change("value * 2", "value + value")
    committed.run()
    committed.change("value + value", "2 * value")
    committed.run()
    return committed


def test_a_verdict_settles_the_committed_content_and_what_was_tried_since(twice: Clone) -> None:
    twice.commit("Edit twice", GITMEMO_ON_CHANGE="pending")
    [first, second] = undecided(twice)
    assert (
        first["diff"][2],
        second["diff"][2],
    ) == ("-    return value * 2", "-    return value + value")
    done = twice.gitmemo("decide", "--non-breaking", "-m", "twice is twice")
    assert done.out == "helper.py:scale: non-breaking\n"
    assert undecided(twice) == []
    found = twice.status()
    assert (found["undecided"], found["stale"]) == ([], 0)


def test_a_review_asks_about_the_committed_content_first(twice: Clone) -> None:
    with at_terminal(twice, *GITMEMO, "decide") as terminal:
        for number, old in enumerate(("value * 2", "value + value"), 1):
            terminal.expect(f"helper.py:scale changed ({number} of 2)")
            terminal.expect(f"-    return {old}")
            terminal.expect(ASKED)
            terminal.send("n\n")
            terminal.expect(REASON)
            terminal.send("\n")
        assert terminal.finish() == 0
    assert twice.status()["stale"] == 0


def test_a_commit_compares_with_the_last_one_not_with_what_was_tried(twice: Clone) -> None:
    with at_terminal(twice, "git", "commit", "-q", "-am", "Edit twice") as terminal:
        terminal.expect("-    return value * 2")
        terminal.expect(ASKED)
        terminal.send("n\n")
        assert terminal.finish() == 0
    twice.git("checkout", "-q", "HEAD~1", "--", "helper.py")
    assert twice.run() == (5, 0)


@pytest.mark.parametrize("answer", ["n", "b"])
def test_a_commit_asks_once_about_all_that_was_run_since_the_last_one(
    twice: Clone, answer: str
) -> None:
    with at_terminal(twice, "git", "commit", "-q", "-am", "Edit twice") as terminal:
        terminal.expect("you ran 1 other content in between, and the answer is about that too:")
        terminal.expect("2 calls of pipeline:train; since then")
        terminal.expect("-    return value + value")
        terminal.expect("+    return 2 * value")
        terminal.expect("evidence: 2 calls ran under both: 2 returned the same")
        terminal.expect(ASKED)
        terminal.send(f"{answer}\n")
        terminal.expect("that is said of 1 content that you ran in between, too")
        assert terminal.finish() == 0
    assert terminal.text.count(ASKED) == 1
    assert undecided(twice) == []
    assert len(undecided(twice, "--revise")) == 2
    twice.change("2 * value", "value + value")
    assert twice.run() == (5, 0)
    assert twice.status()["ops"]["pipeline:train"]["current"] == (2 if answer == "b" else 6)


def test_what_was_run_in_between_and_differs_is_left_open(committed: Clone) -> None:
    committed.change("value * 2", "value * 3")
    committed.run()
    committed.change("value * 3", "value + value")
    committed.run()
    said = committed.commit("Edit twice", GITMEMO_ON_CHANGE="non-breaking")
    assert "helper.py:scale changed (non-breaking)" in said
    assert (
        "not of 1 content that you ran in between, for results differ: "
        "gitmemo decide helper.py:scale"
    ) in said
    [left] = undecided(committed)
    assert left["diff"][2] == "-    return value * 3"
    assert committed.status()["ops"]["pipeline:train"]["current"] == 4


def test_no_verdict_joins_contents_that_are_known_to_differ(committed: Clone) -> None:
    """The text of now has not run, and so says nothing against either of them."""
    committed.change("value * 2", "value * 3")
    committed.run()
    committed.change("value * 3", "value + value")
    refused = committed.gitmemo("decide", "--non-breaking", code=None)
    assert refused.code != 0
    assert "under another older content" in refused.err
    said = committed.commit("Edit twice", GITMEMO_ON_CHANGE="non-breaking")
    assert "not of 1 content that you ran in between, for results differ" in said
    [left] = undecided(committed)
    assert left["diff"][2] == "-    return value * 3"
    assert committed.run()[1] == 0
    assert (
        committed.gitmemo("df", "pipeline:train").out
        == committed.gitmemo("df", "pipeline:train", "--rev", "HEAD~1").out
    )


def test_what_follows_from_an_answer_is_not_said_again(committed: Clone) -> None:
    committed.change("value * 2", "value * 3")
    committed.run()
    committed.gitmemo("decide", "--breaking")
    committed.change("value * 3", "value + value")
    committed.run()
    committed.commit("Edit twice", GITMEMO_ON_CHANGE="non-breaking")
    assert undecided(committed) == []
    found = committed.status()
    assert (found["contested"], found["undecided"]) == ([], [])
    assert len(undecided(committed, "--revise")) == 2


def test_what_was_left_for_later_is_not_asked_about_at_each_commit(twice: Clone) -> None:
    twice.commit("Edit twice", GITMEMO_ON_CHANGE="pending")
    twice.change("2 * value", "(2 * value)+ 0")
    with at_terminal(twice, "git", "commit", "-q", "-am", "Again") as terminal:
        terminal.expect("-    return 2 * value")
        terminal.expect(ASKED)
        terminal.send("n\n")
        assert terminal.finish() == 0
    assert "in between" not in terminal.text
    assert len(undecided(twice)) == 2


def test_without_a_terminal_nothing_is_asked(changed: Clone) -> None:
    done = changed.gitmemo("decide")
    assert "helper.py:scale changed (1 of 2)" in done.out
    assert "decide with: gitmemo decide helper.py:scale" in done.err
    assert len(undecided(changed)) == 2


# --- evidence -----------------------------------------------------------------


def test_calls_that_ran_under_both_contents_are_compared(committed: Clone) -> None:
    committed.change("value * 2", "value + value")
    assert undecided(committed)[0]["evidence"]["runs"]["equal"] == 0
    committed.run()
    (change,) = undecided(committed)
    assert change["evidence"]["runs"] == {"equal": 2, "differ": 0, "unclear": 0, "first": None}
    assert "2 calls ran under both: 2 returned the same" in committed.gitmemo("decide").out
    committed.gitmemo("decide", "--non-breaking")


def test_texts_that_differ_by_local_names_alone_are_told(committed: Clone) -> None:
    committed.change(
        "weights = [scale(value) * rate for value in data]",
        "weights = [scale(one) * rate for one in data]",
        "pipeline.py",
    )
    (change,) = undecided(committed)
    assert "local variables differ" in change["evidence"]["likeness"]
    assert "evidence: only names" in committed.gitmemo("decide").out


def test_a_non_breaking_verdict_against_the_evidence_needs_force(committed: Clone) -> None:
    committed.change("value * 2", "value * 3")
    committed.run("1", "2")
    (change,) = undecided(committed)
    assert change["evidence"]["contrary"] is True
    assert change["evidence"]["runs"]["differ"] == 2
    records = committed.records()
    done = committed.gitmemo("decide", "scale", "--non-breaking", code=7)
    assert "2 returned something else (pipeline:train(data=…, rate=" in done.err
    assert "--force" in done.err
    error = json.loads(committed.gitmemo("decide", "scale", "--non-breaking", "--json", code=7).err)
    assert error["error"]["kind"] == "contrary-evidence"
    assert committed.records() == records
    committed.gitmemo("decide", "scale", "--non-breaking", "--force")
    assert undecided(committed) == []


def test_a_breaking_verdict_never_needs_force(committed: Clone) -> None:
    committed.change("value * 2", "value * 3")
    committed.run("1", "2")
    committed.gitmemo("decide", "scale", "--breaking")
    assert committed.run() == (5, 0)


@pytest.mark.parametrize("where", ["review", "commit"])
def test_a_person_confirms_a_verdict_against_the_evidence(committed: Clone, where: str) -> None:
    committed.change("value * 2", "value * 3")
    committed.run("1", "2")
    committed.git("add", "-A")
    command = (*GITMEMO, "decide") if where == "review" else ("git", "commit", "-q", "-m", "x")
    with at_terminal(committed, *command) as terminal:
        terminal.expect("evidence: 2 calls ran under both: 2 returned something else")
        terminal.expect(ASKED)
        terminal.send("n\n")
        terminal.expect("[y/N]: ")
        terminal.send("\n")
        terminal.expect(ASKED)
        terminal.send("n\n")
        terminal.expect("[y/N]: ")
        terminal.send("y\n")
        if where == "review":
            terminal.expect(REASON)
            terminal.send("rounding\n")
        assert terminal.finish() == 0, terminal.text
    assert undecided(committed) == []


def test_a_policy_never_says_non_breaking_against_the_evidence(committed: Clone) -> None:
    committed.change("value * 2", "value * 3")
    committed.run("1", "2")
    said = committed.commit("Change", GITMEMO_ON_CHANGE="non-breaking")
    assert "pending" in said
    assert "2 returned something else" in said
    assert (
        "not recorded as non-breaking, for results differ: gitmemo decide helper.py:scale" in said
    )
    assert "--non-breaking --force" in said
    assert len(undecided(committed)) == 1
    committed.gitmemo("decide", "helper.py:scale", "--non-breaking", "--force")
    assert undecided(committed) == []


def test_results_that_differ_where_other_code_differed_too_do_not_count(committed: Clone) -> None:
    committed.change("value * 2", "value * 3")
    committed.change(
        "return Model(weights), sum(weights)", "return Model(weights), 7", "pipeline.py"
    )
    committed.run("1", "2")
    for change in undecided(committed):
        assert change["evidence"]["contrary"] is False
        assert change["evidence"]["runs"]["unclear"] == 2


# --- contested ----------------------------------------------------------------


@pytest.fixture
def contested(committed: Clone) -> Clone:
    """Two branches made the same edit, and said different things of it."""
    clone = committed
    for branch, verdict in (("left", "breaking"), ("right", "non-breaking")):
        clone.git("checkout", "-q", "-b", branch, "main")
        clone.change("value * 2", "value + value")
        clone.gitmemo("decide", f"--{verdict}", "-m", f"said on {branch}")
        clone.commit(f"Edit on {branch}", GITMEMO_ON_CHANGE="error")
    assert clone.run() == (5, 0)
    clone.git("checkout", "-q", "left")
    clone.process("git", "merge", "-q", "--no-edit", "right")
    return clone


def test_a_contested_pair_is_reported_and_only_the_same_code_matches(contested: Clone) -> None:
    assert contested.status()["contested"] == ["helper.py:scale"]
    text = contested.gitmemo("status").out
    assert "contested: helper.py:scale" in text
    assert "said on left" in text
    assert "said on right" in text
    (case,) = undecided(contested)
    assert case["component"] == "helper.py:scale"
    assert len(case["contested"]) == 2
    assert contested.run("1") == (2, 1)  # the model is the same, so what came of it is known


@pytest.mark.parametrize("verdict", ["breaking", "non-breaking"])
def test_deciding_again_settles_what_is_contested(contested: Clone, verdict: str) -> None:
    contested.gitmemo("decide", "scale", f"--{verdict}", "-m", "settled")
    assert contested.status()["contested"] == []
    assert undecided(contested) == []
    contested.commit("Settle", "--allow-empty")
    assert contested.run() == ((5, 0) if verdict == "non-breaking" else (3, 2))
    contested.change("value + value", "value * 2")
    assert contested.run() == (5, 0)


def test_a_review_settles_what_is_contested(contested: Clone) -> None:
    with at_terminal(contested, *GITMEMO, "decide") as terminal:
        terminal.expect("helper.py:scale is contested")
        terminal.expect("said on")
        terminal.expect("-    return value * 2")
        terminal.expect(ASKED)
        terminal.send("n\n")
        terminal.expect(REASON)
        terminal.send("\n")
        assert terminal.finish() == 0
    assert contested.status()["contested"] == []
    assert contested.run() == (5, 0)


def test_a_colleague_gets_the_settled_decision(
    contested: Clone, clone_of: Callable[[Clone, str], Clone]
) -> None:
    contested.gitmemo("decide", "scale", "--non-breaking")
    contested.commit("Settle", "--allow-empty")
    theirs = clone_of(contested, "theirs")
    assert theirs.status()["contested"] == []
    assert theirs.status()["undecided"] == []


# --- revising and withdrawing ---------------------------------------------------


def test_a_decision_can_be_revised_and_revised_back(committed: Clone) -> None:
    committed.change("value * 2", "value + value")
    committed.gitmemo("decide", "--non-breaking", "-m", "first")
    assert committed.run() == (5, 0)
    committed.gitmemo("decide", "scale", "--revise", "--breaking")
    assert committed.run("1") == (2, 1)
    committed.gitmemo("decide", "scale", "--revise", "--non-breaking", "-m", "first")
    (made,) = undecided(committed, "--revise")
    assert made["decision"] == "non-breaking"
    assert undecided(committed) == []


def test_a_decision_that_was_taken_back_can_be_made_again_word_by_word(committed: Clone) -> None:
    committed.change("value * 2", "value + value")
    for _ in range(3):
        committed.gitmemo("decide", "scale", "--non-breaking", "-m", "the same")
        assert undecided(committed) == []
        assert committed.status()["ops"]["pipeline:train"]["current"] == 2
        committed.gitmemo("decide", "scale", "--withdraw")
        assert len(undecided(committed)) == 1
        assert committed.status()["ops"]["pipeline:train"]["current"] == 0


def test_of_several_decisions_one_is_named_by_its_id(committed: Clone) -> None:
    for old, new in (("value * 2", "value + value"), ("value + value", "2 * value")):
        committed.change(old, new)
        committed.gitmemo("decide", "--non-breaking")
        committed.commit(new)
        committed.run()
    made = undecided(committed, "--revise", "scale")
    assert len(made) == 2
    committed.gitmemo("decide", made[0]["id"][:10], "--withdraw")
    assert undecided(committed, "--revise") == made[1:]
    assert "no decision about 'sca'" in committed.gitmemo("decide", "sca", "--withdraw", code=2).err


# --- who ------------------------------------------------------------------------


def test_who_decides_is_recorded_only_where_the_project_says_so(committed: Clone) -> None:
    committed.change("value * 2", "value + value")
    committed.gitmemo("decide", "--non-breaking")
    assert undecided(committed, "--revise")[0]["who"] is None
    settings = (committed.root / ".gitmemo/config.toml").read_text("utf-8")
    committed.write(".gitmemo/config.toml", f"{settings}\n[record]\nuser = true\n")
    committed.gitmemo("decide", "scale", "--revise", "--breaking")
    (made,) = undecided(committed, "--revise")
    assert made["who"]["user"] == "Tester <tester@localhost>"
    assert made["who"]["at"].endswith("Z")
    assert "Tester" in committed.gitmemo("decide", "--revise").out
    assert "Tester" in committed.gitmemo("log", "train").out
    committed.commit("Decide")
    refs = committed.git("for-each-ref", "--format=%(refname)", "refs/gitmemo").split()
    said = [committed.git("log", "--format=%B", ref) for ref in refs]
    assert any("Tester" in text for text in said)


def test_a_commit_records_who_answered(committed: Clone) -> None:
    committed.change(
        'on_change = "ask"', 'on_change = "breaking"\nrecord.user = true', ".gitmemo/config.toml"
    )
    committed.change("value * 2", "value * 3")
    committed.commit("Change")
    (made,) = undecided(committed, "--revise")
    assert made["who"]["user"] == "Tester <tester@localhost>"


def test_a_setting_that_makes_no_sense_is_refused(committed: Clone) -> None:
    settings = (committed.root / ".gitmemo/config.toml").read_text("utf-8")
    committed.write(".gitmemo/config.toml", f"{settings}\n[record]\nuser = 'me'\n")
    assert "record.user" in committed.gitmemo("status", code=2).err


def test_a_commit_does_not_ask_again_about_a_variable_that_was_decided(begun: Clone) -> None:
    begun.change("def scale", "RATE = 2\n\n\ndef scale")
    begun.change("return value * 2", "return value * RATE")
    begun.run("1")
    begun.commit("First results")
    begun.change("RATE = 2", "RATE = 3")
    assert "RATE" in begun.gitmemo("decide").out
    begun.gitmemo("decide", "helper.py:$RATE", "--breaking")
    assert "RATE" not in begun.commit("Another rate", GITMEMO_ON_CHANGE="pending")


# --- for programs, and several at once ------------------------------------------


def test_a_verdict_on_several_changes_is_asked_about(changed: Clone) -> None:
    before = changed.records()
    refused = changed.gitmemo("decide", "--breaking", code=2)
    assert "nobody can be asked" in refused.err and "helper.py:scale" in refused.err
    done = changed.gitmemo("decide", "--breaking", "-n", "--json")
    assert [
        (one["decision"], one["recorded"]) for one in map(json.loads, done.out.splitlines())
    ] == [("breaking", False)] * 2
    changed.gitmemo("decide", "-n", code=2)
    assert changed.records() == before
    with at_terminal(changed, *GITMEMO, "decide", "--breaking") as terminal:
        terminal.expect("calling 2 changes breaking?")
        terminal.send("n\n")
        assert terminal.finish() == 130
    assert len(undecided(changed)) == 2
    changed.gitmemo("decide", "--breaking", "--yes")
    assert undecided(changed) == []
    assert "nothing is undecided" in changed.gitmemo("decide", "--breaking").err


def test_verdicts_are_told_to_programs(committed: Clone) -> None:
    committed.change("value * 2", "value + value")
    (told,) = undecided(committed, "scale", "--non-breaking", "-m", "twice is twice")
    assert told == {
        "component": "helper.py:scale",
        "decision": "non-breaking",
        "why": "twice is twice",
        "new_dependencies": [],
        "recorded": True,
    }
    (made,) = undecided(committed, "--revise")
    (told,) = undecided(committed, "scale", "--withdraw", "-n")
    assert (told["decision"], told["instead_of"], told["recorded"]) == (None, made["id"], False)
    (told,) = undecided(committed, "scale", "--revise", "--breaking")
    assert (told["decision"], told["instead_of"], told["recorded"]) == (
        "breaking",
        made["id"],
        True,
    )
