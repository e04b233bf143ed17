"""Where pending calls belong when git moves under them, and which come back: with the git program.

A call is a number here; commits take what is pending as the hooks do, without their processes.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from person import CONFIG, Person, call

from gitmemo.commits.collecting import remove, superfluous_journals

# --- exported, and the commit is gone ------------------------------------------


def test_calls_of_a_commit_that_git_forgot_are_pending_again(person: Person) -> None:
    person.run(1, 2)
    person.commit()
    assert person.pending() == set()
    person.git("reset", "-q", "--hard", "HEAD~1")
    assert person.pending() == set(), "the reflog reaches the commit"
    assert person.knows(1)
    person.expire()
    assert person.pending() == {1, 2} == person.here()
    assert person.git("status", "--porcelain") == ""
    person.commit("Again")
    assert person.pending() == set()
    assert person.here() == {1, 2}
    # The same once more: what came back can come back again.
    person.git("reset", "-q", "--hard", "HEAD~1")
    assert person.pending() == set()
    person.expire()
    person.forget_derived()
    assert person.pending() == {1, 2}


def test_a_segment_that_git_does_not_track_may_go_at_any_time(person: Person) -> None:
    person.run(1, 2)
    person.commit()
    person.git("reset", "-q", "--mixed", "HEAD~1")
    person.expire()
    assert person.here() == {1, 2}, "the work tree has them still"
    person.git("clean", "-q", "-f", "-d", "-x")
    assert person.pending() == {1, 2} == person.here()
    person.commit("Again")
    assert person.pending() == set()
    assert person.here() == {1, 2}


def test_what_another_ref_reaches_stays_where_it_is(person: Person) -> None:
    person.run(1)
    person.commit()
    person.git("branch", "kept")
    person.run(2)
    person.commit()
    person.git("reset", "-q", "--hard", "HEAD~2")
    person.expire()
    person.forget_derived()
    assert person.pending() == {2}, "the branch `kept` has the first"
    assert person.knows(1)
    person.git("branch", "-q", "-D", "kept")
    assert person.pending() == {2}, "git noted the reset: it may still bring the branch back"
    person.expire()
    assert person.pending() == {1, 2}


@pytest.mark.parametrize("holder", ["tag", "stash", "worktree", "index", "merge"])
def test_everything_that_git_keeps_counts(person: Person, holder: str, tmp_path: Path) -> None:
    person.git("switch", "-q", "-c", "side")
    person.run(1)
    person.commit()
    if holder == "tag":
        person.git("tag", "-a", "-m", "kept", "v1")
    elif holder == "stash":
        (person.root / ".gitmemo/config.toml").write_text(CONFIG + "# changed\n")
        person.git("stash", "-q")
    elif holder == "worktree":
        person.git("worktree", "add", "-q", "--detach", str(tmp_path / "w"))
    elif holder == "merge":  # one that keeps nothing of the side but its history
        person.git("switch", "-q", "main")
        person.git("merge", "-q", "-s", "ours", "-m", "Merge", "side")
        person.git("switch", "-q", "side")
    person.git("switch", "-q", "main")
    person.git("branch", "-q", "-D", "side")
    if holder == "index":
        person.git("checkout", "-q", "HEAD@{1}", "--", ".gitmemo/index")
    person.expire()
    assert person.pending() == set()
    person.git("reset", "-q", "--hard")
    if holder == "index":
        person.expire()
        person.git("switch", "-q", "-c", "side")
        assert person.knows(1)


def test_amending_and_rebasing_away(person: Person) -> None:
    person.run(1)
    person.commit("First")
    person.run(2)
    person.commit("Second")
    # A rebase that drops the first commit.
    person.git("rebase", "-q", "--onto", "HEAD~2", "HEAD~1")
    assert person.here() == {2}
    person.expire()
    assert person.pending() == {1}
    # An amend without the segment of the second.
    person.git("rm", "-q", "-r", "--cached", ".gitmemo/index")
    person.git("commit", "-q", "--amend", "--allow-empty", "-m", "Amended")
    person.git("clean", "-qfdx")
    assert person.pending() == {1}
    person.expire()
    assert person.pending() == {1, 2}
    person.commit()
    assert person.here() == {1, 2}


def test_forgotten_calls_do_not_come_back(person: Person) -> None:
    person.run(1, 2)
    person.commit()
    workspace = person.world()
    workspace.world.forget([call(1)])
    workspace.world.close()
    person.git("reset", "-q", "--hard", "HEAD~1")
    person.expire()
    assert person.pending() == {2} == person.here()


# --- pending, and the place is gone ---------------------------------------------


def test_a_renamed_branch_keeps_its_pending_calls(person: Person) -> None:
    person.git("switch", "-q", "-c", "first")
    person.run(1)
    person.git("branch", "-m", "second")
    assert person.pending() == {1}
    person.git("branch", "-m", "third/é")
    assert person.pending() == {1}
    person.git("switch", "-q", "main")
    assert person.pending() == set(), "they belong to the branch, not to whoever looks"
    person.commit()
    person.git("switch", "-q", "third/é")
    assert person.pending() == {1}
    person.commit()
    assert (person.pending(), person.here()) == (set(), {1})


def test_a_deleted_branch_leaves_its_pending_calls_to_what_has_its_commit(person: Person) -> None:
    person.git("switch", "-q", "-c", "side")
    person.git("commit", "-q", "--allow-empty", "-m", "On the side")
    person.run(1)
    person.git("switch", "-q", "main")
    person.git("branch", "other")
    person.git("merge", "-q", "side")
    assert person.pending() == set()
    person.git("branch", "-q", "-d", "side")
    assert person.pending() == {1}
    person.git("switch", "-q", "other")
    assert person.pending() == set()
    assert person.knows(1)


def test_pending_calls_of_a_branch_survive_commits_elsewhere(person: Person) -> None:
    person.git("switch", "-q", "-c", "side")
    person.run(1)
    person.git("switch", "-q", "main")
    person.run(2)
    person.commit()
    assert person.here() == {2}
    person.git("switch", "-q", "side")
    assert person.pending() == {1}


def test_detached_calls_go_with_the_branch_that_is_made_there(person: Person) -> None:
    person.git("switch", "-q", "--detach")
    person.run(1)
    assert person.pending() == {1}
    person.git("commit", "-q", "--allow-empty", "-m", "Without hooks")
    assert person.pending() == {1}, "the same work goes on"
    person.git("checkout", "-q", "HEAD~1")
    person.git("switch", "-q", "-c", "made")
    assert person.pending() == {1}
    person.git("commit", "-q", "--allow-empty", "-m", "Without hooks")
    assert person.pending() == {1}
    person.commit()
    assert person.here() == {1}
    person.git("switch", "-q", "main")
    person.git("commit", "-q", "--allow-empty", "-m", "Elsewhere")
    assert person.pending() == set() == person.here()


def test_an_orphan_branch_keeps_what_ran_on_it(person: Person) -> None:
    person.git("switch", "-q", "--orphan", "empty")
    (person.root / ".gitmemo").mkdir(exist_ok=True)
    (person.root / ".gitmemo/config.toml").write_text(CONFIG)
    person.run(1)
    assert person.pending() == {1}
    person.git("branch", "-m", "renamed")  # before its first commit
    assert person.pending() == {1}
    person.git("add", "-A")
    person.commit("Begin anew")
    assert person.here() == {1}
    person.git("switch", "-q", "main")
    assert person.here() == set()


def test_a_removed_work_tree_leaves_its_pending_calls_to_the_others(
    person: Person, tmp_path: Path
) -> None:
    person.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "w"))
    there = Person(tmp_path / "w")
    there.run(1)
    person.git("worktree", "move", str(tmp_path / "w"), str(tmp_path / "moved"))
    there = Person(tmp_path / "moved")
    assert there.pending() == {1}
    assert person.pending() == set()
    person.git("worktree", "remove", str(tmp_path / "moved"))
    assert person.pending() == set()
    person.git("switch", "-q", "side")
    assert person.pending() == {1}
    person.commit()
    assert (person.pending(), person.here()) == (set(), {1})
    # Also what it had exported comes back when its commits are gone.
    person.git("reset", "-q", "--hard", "HEAD~1")
    person.expire()
    person.forget_derived()
    assert person.pending() == {1}


def test_every_line_of_a_journal_has_one_branch(person: Person) -> None:
    workspace = person.world()
    workspace.world.record([call(1)])
    person.git("switch", "-q", "-c", "side")
    workspace.world.enter()
    workspace.world.record([call(2)])
    workspace.world.close()
    folder = person.root / ".git/gitmemo/journal/main"
    branches = [
        {line.split(" ")[1] for line in path.read_text().splitlines()}
        for path in folder.glob("*.jsonl")
    ]
    assert sorted(map(sorted, branches)) == [["main"], ["side"]]


# --- journals that are superfluous -----------------------------------------------


def test_only_journals_go_that_refs_make_superfluous(person: Person) -> None:
    person.run(1)
    person.commit()
    person.git("branch", "side")
    person.run(2)
    person.commit()
    person.git("reset", "-q", "--hard", "HEAD~1")  # the second is in the reflog alone
    workspace = person.world()
    assert superfluous_journals(workspace, older_than_s=3600) == []
    (first,) = superfluous_journals(workspace, older_than_s=0)
    remove([first])
    workspace.world.close()
    person.forget_derived()
    assert (person.here(), person.pending()) == ({1}, set())
    person.expire()
    assert person.pending() == {2}
