"""Names of results in real repositories: they go where commits go, and mean one value or are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from driver import Clone

import gitmemo as gm
from gitmemo.errors import ReadOnlyRevision, TagContested
from gitmemo.memo.tagging import TagsLeftOut

CloneOf = Callable[[Clone, str], Clone]
Say = Callable[..., str]


@pytest.fixture
def tags(say: Say) -> Callable[..., dict[str, Any]]:
    """Return a function that says what is tagged: the values by name, or what is wrong with one."""

    def tags(clone: Clone, *arguments: str) -> dict[str, Any]:
        rows = map(json.loads, say(clone, "tag", "--json", *arguments).splitlines())
        return {row["name"]: row.get("value", row["state"]) for row in rows}

    return tags


def results(clone: Clone) -> dict[int, str]:
    """The ids of what `evaluate` returned, by what that was."""
    with closing(gm.open(clone.root)) as storage:
        refs = storage.cf("evaluate").df(values="refs")["evaluate"]
        return {ref.unwrap(): ref.hid for ref in refs}


def test_a_name_goes_where_commits_go(
    ran: Clone, clone_of: CloneOf, say: Say, tags: Callable[..., dict[str, Any]]
) -> None:
    found = results(ran)
    assert say(ran, "tag") == "nothing is tagged\n"
    said = ran.gitmemo("tag", "best", found[501][:12], "-m", "for the paper").err
    assert f"@best is {found[501][:12]}, made by pipeline:evaluate" in said
    assert "`gitmemo commit`" in said
    assert "was already" in say(ran, "tag", "best", "@best")
    assert tags(ran) == {"best": 501}, "it counts before it is committed"
    assert json.loads(say(ran, "status", "--json"))["pending_statements"] == 1
    assert ran.is_clean()

    say(ran, "commit")
    assert tags(ran, "--rev", "HEAD") == tags(ran) == {"best": 501}
    assert sum(line.startswith('["tag"') for line in ran.committed()) == 1
    say(ran, "tag", "second", found[502])
    say(ran, "commit")  # a name alone can be committed

    theirs = clone_of(ran, "theirs")
    assert tags(theirs) == {"best": 501, "second": 502}
    assert "for the paper" in say(theirs, "tag")
    shown = say(theirs, "show", "@best")
    assert f"ref {found[501]}" in shown and "value 501" in shown
    with closing(gm.open(theirs.root)) as storage:
        assert storage.load_ref("@second").unwrap() == 502
        assert storage.prov("@second").endswith("evaluate_1 = evaluate(model=model, rate=2)")
        assert storage.cf("@second").expand_back().df()["evaluate"].tolist() == [502]


def test_commands_are_about_the_call_that_made_it(ran: Clone, say: Say) -> None:
    say(ran, "tag", "best", results(ran)[501])
    row = {"size": 500, "rate": 1, "evaluate": 501}
    assert [{n: one[n] for n in row} for one in ran.rows("--back", "@best")] == [row]
    (call,) = map(json.loads, say(ran, "calls", "@best", "--json").splitlines())
    assert call["op"] == "pipeline:evaluate"
    assert "evaluate" in say(ran, "graph", "@best")
    assert "@best" in ran.gitmemo("forget", "evaluate", "-n").err
    assert "leads nowhere then: @best" in say(ran, "drop", "op:train", "-n")
    dropped = json.loads(say(ran, "drop", "op:load", "-n", "--json").splitlines()[0])
    assert dropped["tags"] == ["@best"], "a result of a call that goes too"
    assert "'worst'" in ran.gitmemo("calls", "@worst", code=2).err
    assert "501" in say(ran, "why", "evaluate", "model=0", "rate=@best"), "the value, not a text"
    assert "@none" in say(ran, "why", "evaluate", "model=0", "rate=@none"), "no tag: a text"


def test_moving_and_removing_leave_older_commits_as_they_are(
    committed: Clone, say: Say, tags: Callable[..., dict[str, Any]]
) -> None:
    found = results(committed)
    say(committed, "tag", "best", found[501])
    say(committed, "commit")
    refused = say(committed, "tag", "best", found[502], code=2)
    assert "made by pipeline:evaluate" in refused and "--force" in refused
    assert tags(committed) == {"best": 501}

    for value in (502, 501, 502):  # there and back: the same words again
        say(committed, "tag", "--force", "best", found[value])
        assert tags(committed) == {"best": value}
    assert tags(committed, "--rev", "HEAD") == {"best": 501}
    say(committed, "commit")
    assert found[502][:12] in say(committed, "tag", "-d", "best")
    assert tags(committed) == {}
    assert "fix: " in say(committed, "show", "@best", code=2)
    say(committed, "commit")

    each = [tags(committed, "--rev", f"HEAD~{n}") for n in range(3)]
    assert each == [{}, {"best": 502}, {"best": 501}]
    assert "value 501" in say(committed, "show", "@best", "--rev", "HEAD~2")
    compared = say(committed, "diff", "HEAD~2", "HEAD~1")
    assert f"+ best is the value {found[502]}" in compared
    with closing(gm.open(committed.root, rev="HEAD~1")) as then:
        assert then.tagged("best").unwrap() == 502
        assert list(then.tags()) == ["best"]
        with pytest.raises(ReadOnlyRevision):
            then.tag(then.tagged("best"), "worst")
        with pytest.raises(ReadOnlyRevision):
            then.untag("best")
    committed.git("checkout", "-q", "HEAD~1")
    assert tags(committed) == {"best": 502}
    committed.git("checkout", "-q", "main")
    say(committed, "tag", "best", found[502])
    assert tags(committed) == {"best": 502}, "what was taken back can be said again"


def test_two_branches_that_disagree_are_settled_once(
    committed: Clone, say: Say, tags: Callable[..., dict[str, Any]]
) -> None:
    found = results(committed)
    say(committed, "tag", "same", found[501])
    say(committed, "commit")
    committed.git("checkout", "-q", "-b", "other")
    say(committed, "tag", "best", found[502])
    say(committed, "tag", "-d", "same")
    say(committed, "tag", "both", found[502])
    say(committed, "commit")
    committed.git("checkout", "-q", "main")
    assert tags(committed) == {"same": 501}
    say(committed, "tag", "best", found[501])
    say(committed, "tag", "both", found[502], "-m", "for another reason")
    say(committed, "commit")
    committed.git("merge", "-q", "--no-edit", "other")

    rows = [json.loads(row) for row in say(committed, "tag", "--json").splitlines()]
    states = [(row["name"], row["state"]) for row in rows]
    assert states == [("best", "contested"), ("best", "contested"), ("both", "ok")]
    assert "gitmemo tag --force best" in say(committed, "tag")
    refused = say(committed, "show", "@best", code=3)
    assert found[501][:12] in refused and found[502][:12] in refused
    assert "gitmemo tag --force best" in refused
    assert "different values" in say(committed, "tag", "best", found[501], code=3)
    with closing(gm.open(committed.root)) as storage:
        with pytest.raises(TagContested):
            storage.cf("@best")
        with pytest.warns(TagsLeftOut, match="'best' was given to different values"):
            assert list(storage.tags()) == ["both"]

    say(committed, "tag", "--force", "best", found[502])
    say(committed, "commit")
    assert tags(committed) == tags(committed, "--rev", "HEAD") == {"best": 502, "both": 502}
    assert committed.is_clean()


def test_only_results_that_stay_with_the_name_can_have_one(committed: Clone, say: Say) -> None:
    committed.git("checkout", "-q", "-b", "trial")
    committed.change("len(model.weights) + rate", "len(model.weights) - rate", "pipeline.py")
    committed.run()
    committed.commit("Trial", GITMEMO_ON_CHANGE="breaking")
    assert committed.run("7") == (1, 2)
    found = results(committed)
    assert set(found) == {499, 498, 493}
    committed.git("checkout", "-q", "main")
    assert "another branch" in say(committed, "tag", "lower", found[499], code=2)

    # What `train` returned is valid here too, and pending there.
    train = committed.rows("train")
    (model,) = [row["model"]["hid"] for row in train if row["rate"] == 7]
    say(committed, "tag", "seven", model)
    say(committed, "commit")
    committed.git("branch", "-q", "-D", "trial")
    assert "returned model" in say(committed, "show", "@seven", "--rev", "HEAD")


def test_what_is_forgotten_has_no_value(
    committed: Clone, say: Say, tags: Callable[..., dict[str, Any]]
) -> None:
    say(committed, "tag", "best", results(committed)[501])
    say(committed, "forget", "evaluate", "rate=1", "--yes")
    assert tags(committed) == {"best": "gone"}
    assert "forgotten" in say(committed, "tag")
    assert "fix: " in say(committed, "show", "@best", code=2)
    undo = json.loads(say(committed, "forget", "--json"))["id"]
    say(committed, "forget", "--undo", undo[:12])
    assert tags(committed) == {"best": 501}


def test_what_is_no_result_is_refused(committed: Clone, say: Say) -> None:
    model = committed.rows("train")[0]["model"]["hid"]
    call = json.loads(say(committed, "show", model, "--json"))["call"]
    several = say(committed, "tag", "it", call, code=2)
    assert "returned 2 values" in several and f"model {model[:12]}" in several
    version = json.loads(say(committed, "show", call, "--json"))["version"]
    assert "is the id of a version" in say(committed, "tag", "it", version, code=2)
    assert "not an id" in say(committed, "tag", "it", "nothing", code=2)
    assert "taken for an id" in say(committed, "tag", model[:12], "it", code=2), "swapped"
    for wrong in (["it"], ["-d"], ["--force"], ["-d", "it", model], ["it", model, "--rev", "HEAD"]):
        assert "Error" in say(committed, "tag", *wrong, code=2)
    error = json.loads(committed.gitmemo("tag", "a b", model, "--json", code=2).err)["error"]
    assert error["kind"] == "bad-tag-name"
    assert say(committed, "tag") == "nothing is tagged\n"
