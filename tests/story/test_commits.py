"""What the git hooks do at every kind of commit, with and without somebody at the terminal."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from driver import Clone, at_terminal

ASKED = "[a]bort: "


@pytest.fixture
def changed(committed: Clone) -> Clone:
    """A project with five committed calls, and a changed helper that is staged."""
    committed.change("value * 2", "value * 3")
    committed.git("add", "helper.py")
    return committed


def state(clone: Clone) -> tuple[object, ...]:
    """Return what an aborted commit must not change."""
    journals = {path.name: path.read_bytes() for path in clone.journals() if path.stat().st_size}
    return (
        clone.git("rev-parse", "HEAD"),
        clone.git("ls-files", "--stage"),
        clone.git("status", "--porcelain"),
        journals,
        clone.status(),
        clone.git("for-each-ref", "refs/gitmemo"),
    )


# --- somebody at a terminal ---------------------------------------------------


@pytest.mark.parametrize(("answer", "said"), [("n", "non-breaking"), ("b", "breaking")])
def test_an_answer_at_the_terminal_is_recorded(changed: Clone, answer: str, said: str) -> None:
    with at_terminal(changed, "git", "commit", "-q", "-m", "Change") as terminal:
        terminal.expect("helper.py:scale changed")
        terminal.expect("pipeline:train")
        terminal.expect("-    return value * 2")
        terminal.expect("+    return value * 3")
        terminal.expect(ASKED)
        terminal.send(f"{answer}\n")
        assert terminal.finish() == 0, terminal.text
    decisions = [line for line in changed.committed() if line.startswith('["decision"')]
    assert len(decisions) == 1
    assert f'"{said}"' in decisions[0]
    expected = (5, 0) if said == "non-breaking" else (1, 4)
    assert changed.run() == expected
    assert changed.is_clean()


def test_what_results_are_of_is_shown_though_no_run_saw_the_last_commit(changed: Clone) -> None:
    """The calls are of the code before the committed one, which somebody said changes nothing."""
    changed.process("git", "commit", "-q", "-m", "Change", GITMEMO_ON_CHANGE="non-breaking")
    changed.change("return value * 3", "return value * 4")
    changed.git("add", "-A")
    with at_terminal(changed, "git", "commit", "-q", "-m", "Again") as terminal:
        terminal.expect("-    return value * 2")
        terminal.expect("+    return value * 4")
        terminal.expect(ASKED)
        terminal.send("b\n")
        assert terminal.finish() == 0, terminal.text


def test_later_leaves_the_change_pending_and_commits(changed: Clone) -> None:
    with at_terminal(changed, "git", "commit", "-q", "-m", "Change") as terminal:
        terminal.expect(ASKED)
        terminal.send("l\n")
        assert terminal.finish() == 0, terminal.text
    assert not [line for line in changed.committed() if line.startswith('["decision"')]
    assert changed.git("log", "-1", "--format=%s") == "Change"
    assert changed.run("1") == (1, 2)


def test_nonsense_is_asked_again(changed: Clone) -> None:
    with at_terminal(changed, "git", "commit", "-q", "-m", "Change") as terminal:
        terminal.expect(ASKED)
        terminal.send("maybe\n")
        terminal.expect("Please answer")
        terminal.expect(ASKED)
        terminal.send("  Breaking \n")
        assert terminal.finish() == 0, terminal.text


@pytest.mark.parametrize("keys", ["a\n", "\x03", "\x04"], ids=["abort", "ctrl-c", "ctrl-d"])
def test_stopping_at_the_question_changes_nothing(changed: Clone, keys: str) -> None:
    changed.run("6")  # pending calls must not be staged by a commit that is stopped
    before = state(changed)
    with at_terminal(changed, "git", "commit", "-q", "-m", "Change") as terminal:
        terminal.expect(ASKED)
        terminal.send(keys)
        assert terminal.finish() != 0, terminal.text
    time.sleep(0.3)  # after Ctrl-C git may end before its hook does
    assert state(changed) == before
    assert "Traceback" not in terminal.text
    changed.process("git", "commit", "-q", "-m", "Again", GITMEMO_ON_CHANGE="breaking")
    assert changed.calls_in() > 5


def test_stopping_at_the_second_question_forgets_the_first_answer(changed: Clone) -> None:
    changed.change("len(model.weights) + rate", "len(model.weights) * rate", "pipeline.py")
    changed.git("add", "pipeline.py")
    before = state(changed)
    with at_terminal(changed, "git", "commit", "-q", "-m", "Change") as terminal:
        terminal.expect("(1 of 2)")
        terminal.expect(ASKED)
        terminal.send("n\n")
        terminal.expect("(2 of 2)")
        terminal.expect(ASKED)
        terminal.send("a\n")
        assert terminal.finish() != 0
    assert state(changed) == before


def test_nobody_is_asked_when_the_policy_is_not_to_ask(changed: Clone) -> None:
    with at_terminal(
        changed, "git", "commit", "-q", "-m", "Change", GITMEMO_ON_CHANGE="breaking"
    ) as terminal:
        assert terminal.finish() == 0
    assert ASKED not in terminal.text
    assert "(breaking)" in terminal.text


# --- nobody at a terminal -----------------------------------------------------


@pytest.mark.parametrize(
    ("source", "policy"),
    [
        ("environment", "pending"),
        ("environment", "breaking"),
        ("environment", "non-breaking"),
        ("environment", "error"),
        ("configuration", "non-breaking"),
        ("configuration", "error"),
    ],
)
def test_a_policy_decides(changed: Clone, source: str, policy: str) -> None:
    variables = {}
    if source == "environment":
        variables["GITMEMO_ON_CHANGE"] = policy
    else:
        changed.change('on_change = "ask"', f'on_change = "{policy}"', ".gitmemo/config.toml")
        changed.git("add", "-A")
    before = state(changed)
    done = changed.process("git", "commit", "-q", "-m", "Change", code=None, **variables)
    if policy == "error":
        assert done.code != 0
        assert "helper.py:scale" in done.err
        assert "GITMEMO_ON_CHANGE=" in done.err
        assert state(changed) == before
        return
    assert done.code == 0, done.err
    expected = "pending" if policy == "pending" else f"({policy})"
    assert expected in done.err
    if source == "environment":
        reused, _ = changed.run()
        assert reused == (5 if policy == "non-breaking" else 1)


def test_without_a_terminal_the_change_is_pending(changed: Clone) -> None:
    said = changed.commit("Change")
    assert "pending" in said
    assert changed.run("1") == (1, 2)


@pytest.mark.parametrize(
    "command",
    ["commit -q -m Change", "merge -q --no-edit side"],
    ids=["pre-commit", "pre-merge-commit"],
)
def test_in_the_background_of_a_terminal_nobody_is_asked(changed: Clone, command: str) -> None:
    if command.startswith("merge"):
        changed.git("switch", "-q", "-c", "side")
        changed.git("commit", "-q", "--no-verify", "-m", "Change")
        changed.git("switch", "-q", "main")
        changed.git("commit", "-q", "--no-verify", "--allow-empty", "-m", "Other")
    # Stopped by the terminal it would never end: `wait` of a shell with jobs tells of that.
    script = f"git {command} < /dev/null & wait $!; exit $?"
    with at_terminal(changed, "bash", "-m", "-c", script) as terminal:
        assert terminal.finish() == 0, terminal.text
    assert ASKED not in terminal.text
    assert "pending" in terminal.text


def test_the_environment_wins_over_the_configuration(changed: Clone) -> None:
    changed.change('on_change = "ask"', 'on_change = "error"', ".gitmemo/config.toml")
    changed.git("add", "-A")
    assert "(breaking)" in changed.commit("Change", GITMEMO_ON_CHANGE="breaking")


def test_an_unknown_policy_stops_the_commit(changed: Clone) -> None:
    before = changed.git("rev-parse", "HEAD")
    changed.git("add", "-A")
    done = changed.process(
        "git", "commit", "-q", "-m", "Change", code=None, GITMEMO_ON_CHANGE="nonbreaking"
    )
    assert done.code != 0
    assert "nonbreaking" in done.text
    assert "non-breaking" in done.text
    assert changed.git("rev-parse", "HEAD") == before


def test_what_was_left_for_later_can_be_decided_later(changed: Clone) -> None:
    said = changed.commit("Change", GITMEMO_ON_CHANGE="later")
    assert "gitmemo decide" in said
    assert changed.status()["undecided"] == ["helper.py:scale"]
    shown = changed.gitmemo("decide").out
    assert "+    return value * 3" in shown
    assert changed.run("1", "2") == (1, 4)
    assert changed.gitmemo("decide", "nothing", "--breaking", code=2).err
    changed.gitmemo("decide", "scale", "--non-breaking", "--force", "-m", "same to us")
    assert changed.status()["undecided"] == []
    assert changed.run("5") == (1, 2)
    changed.gitmemo("commit", "-m", "Decide")
    assert "same to us" in changed.gitmemo("log", "train").out
    assert "same to us" in changed.git("log", "refs/gitmemo/fn/helper/scale")


def test_a_change_is_asked_about_once(changed: Clone) -> None:
    changed.commit("Change", GITMEMO_ON_CHANGE="breaking")
    changed.write("helper.py", (changed.root / "helper.py").read_text() + "\n\ndef other(): ...\n")
    assert "changed" not in changed.commit("Unrelated", GITMEMO_ON_CHANGE="error")
    changed.change("value * 3", "value * 2")
    assert "changed" not in changed.commit("Back to known code", GITMEMO_ON_CHANGE="error")
    assert changed.run() == (5, 0)


def test_code_that_no_call_touched_is_not_asked_about(committed: Clone) -> None:
    committed.write("other.py", "def unused():\n    return 1\n")
    committed.commit("Add", GITMEMO_ON_CHANGE="error")
    committed.change("return 1", "return 2", "other.py")
    committed.commit("Change", GITMEMO_ON_CHANGE="error")


def test_what_is_staged_decides_not_what_lies_in_the_work_tree(changed: Clone) -> None:
    changed.git("reset", "-q")
    changed.write("notes.txt", "second\n")
    changed.git("add", "notes.txt")
    changed.process("git", "commit", "-q", "-m", "Notes", GITMEMO_ON_CHANGE="error")
    assert changed.git("status", "--porcelain").split() == ["M", "helper.py"]


# --- kinds of commits ---------------------------------------------------------


def test_a_commit_of_one_path_takes_the_calls_along(ran: Clone) -> None:
    ran.write("notes.txt", "first\n")
    ran.write("other.txt", "other\n")
    ran.git("add", "-A")
    ran.git("commit", "-q", "-m", "Only notes", "notes.txt")
    assert ran.calls_in() == 5
    assert ran.git("status", "--porcelain") == "A  other.txt"
    assert ran.status()["pending"] == 0
    ran.git("commit", "-q", "-m", "The other")
    assert ran.calls_in() == 5
    assert ran.is_clean()


def test_an_amend_after_a_commit_of_one_path_keeps_the_calls(ran: Clone) -> None:
    ran.write("notes.txt", "first\n")
    ran.git("add", "-A")
    ran.git("commit", "-q", "-m", "Only notes", "notes.txt")
    ran.git("commit", "-q", "--amend", "-m", "Amended")
    assert ran.calls_in() == 5
    assert ran.is_clean()
    assert ran.run() == (5, 0)


def test_an_amend_takes_what_was_run_since(committed: Clone) -> None:
    committed.run("3")
    committed.git("commit", "-q", "--amend", "--no-edit")
    assert committed.calls_in() == 7
    assert committed.is_clean()


def test_commit_all_takes_the_calls_along(ran: Clone) -> None:
    ran.change("[1:] or", "[1:]  or", "pipeline.py")
    ran.git("commit", "-q", "-a", "-m", "All")
    assert ran.calls_in() == 5
    assert ran.is_clean()


def test_a_commit_without_hooks_loses_nothing(ran: Clone) -> None:
    ran.write("notes.txt", "first\n")
    ran.git("add", "-A")
    ran.git("commit", "-q", "--no-verify", "-m", "No hooks")
    assert ran.calls_in() == 0
    assert ran.status()["pending"] == 5
    assert ran.run() == (5, 0)
    ran.write("notes.txt", "second\n")
    ran.commit("With hooks")
    assert ran.calls_in() == 5
    assert ran.is_clean()


def test_hooks_can_be_skipped_once(ran: Clone) -> None:
    ran.write("notes.txt", "first\n")
    assert ran.commit("Skipped", GITMEMO_SKIP="1") == ""
    assert ran.calls_in() == 0
    ran.write("notes.txt", "second\n")
    ran.commit("Not skipped")
    assert ran.calls_in() == 5


def test_an_aborted_commit_is_followed_by_a_good_one(ran: Clone) -> None:
    ran.write("notes.txt", "first\n")
    ran.git("add", "-A")
    done = ran.process("git", "commit", "-m", "", code=None)
    assert done.code != 0
    ran.run("3")
    ran.git("commit", "-q", "-m", "Good")
    assert ran.calls_in() == 7
    listing = ran.git("ls-tree", "-r", "--name-only", "HEAD", "--", ".gitmemo/index").split()
    assert len(listing) == 1, "the segment of the aborted commit must not stay"
    assert ran.is_clean()


def test_a_refusal_leaves_nothing_of_ours_staged(ran: Clone) -> None:
    git = ran.process("git", "commit", "-m", "Calls alone", code=None)
    assert git.code != 0, "git looks whether there is anything to commit before the hook"
    assert "gitmemo commit" in git.err
    assert "any gitmemo command unstages what a refused commit left" in git.err
    assert ran.git("status", "--porcelain").startswith("AD .gitmemo/index/")
    ran.gitmemo("df", "train")
    assert ran.is_clean()
    ran.process("git", "commit", "-m", "Calls alone", code=1)
    ran.change("value * 2", "value * 3")
    ran.git("add", "helper.py")
    done = ran.process("git", "commit", "-m", "Change", code=None, GITMEMO_ON_CHANGE="error")
    assert done.code != 0
    assert ran.git("status", "--porcelain") == "M  helper.py"
    ran.git("commit", "-q", "-m", "Change", GITMEMO_ON_CHANGE="breaking")
    assert ran.calls_in() == 5
    assert ran.is_clean()


def test_a_commit_from_a_subfolder(ran: Clone) -> None:
    folder = ran.root / "dïr"
    folder.mkdir()
    ran.write("dïr/notes.txt", "first\n")
    ran.git("add", ".", cwd=folder)
    ran.git("commit", "-q", "-m", "From below", cwd=folder)
    assert ran.calls_in() == 5
    assert ran.is_clean()


def test_a_linked_worktree_has_a_world_of_its_own(committed: Clone, tmp_path: Path) -> None:
    linked = Clone(tmp_path / "linked treé", committed.home)
    committed.git("worktree", "add", "-q", str(linked.root), "-b", "linked")
    assert linked.run("1", "3") == (3, 2)
    assert committed.status()["pending"] == 0
    assert linked.status()["pending"] == 2
    linked.gitmemo("commit", "-m", "Linked")
    assert linked.calls_in() == 7
    assert linked.is_clean()
    assert committed.is_clean()
    assert committed.calls_in("main") == 5
    assert committed.run("3") == (3, 0), "what another worktree computed is not computed again"


def test_an_existing_hook_runs_first_and_its_verdict_counts(begun: Clone) -> None:
    begun.gitmemo("hook", "uninstall")
    hook = begun.root / ".git/hooks/pre-commit"
    assert not hook.exists()
    hook.write_text("#!/bin/sh\necho foreign >&2\n[ ! -e stop ]\n")
    hook.chmod(0o755)
    begun.gitmemo("init")
    begun.run("1")
    begun.write("notes.txt", "first\n")
    said = begun.commit("Both")
    assert said.index("foreign") < said.index("calls in this commit")
    assert begun.calls_in() == 3
    begun.write("stop", "")
    begun.git("add", "-A")
    before = begun.git("rev-parse", "HEAD")
    assert begun.process("git", "commit", "-q", "-m", "Refused", code=None).code != 0
    assert begun.git("rev-parse", "HEAD") == before
    begun.gitmemo("hook", "uninstall")
    assert "foreign" in hook.read_text()


def test_commit_makes_a_commit_of_results_alone(ran: Clone) -> None:
    ran.change("value * 2", "value * 3")
    ran.gitmemo("commit", "-m", "Results")
    assert ran.git("log", "-1", "--format=%s") == "Results"
    assert ran.git("status", "--porcelain").split() == ["M", "helper.py"]
    assert ran.calls_in() == 5


def test_results_of_uncommitted_code_are_not_committed_alone(ran: Clone) -> None:
    ran.change("value * 2", "value * 3")
    ran.run("1")
    done = ran.gitmemo("commit")
    assert "5 calls in this commit" in done.err
    assert "2 calls stay pending" in done.err and "git add helper.py" in done.err
    assert ran.status()["pending"] == 2
    done = ran.gitmemo("commit", code=3)
    assert "helper.py:scale" in done.err


def test_a_commit_of_results_is_made_as_git_makes_commits(ran: Clone) -> None:
    said = ran.gitmemo("commit", "--dry-run").out
    assert "would commit 5 calls" in said
    assert "pipeline:train 2" in said
    assert ran.calls_in() == 0
    # Somebody's own hook may refuse, or change the message.
    hook = ran.root / ".git/hooks/commit-msg"
    hook.write_text("#!/bin/sh\ngrep -q Ticket $1 || { echo no ticket >&2; exit 1; }\n")
    hook.chmod(0o755)
    assert "no ticket" in ran.gitmemo("commit", code=1).err
    assert ran.calls_in() == 0
    (ran.root / ".git/MERGE_HEAD").write_text(ran.git("rev-parse", "HEAD") + "\n")
    refused = ran.gitmemo("commit", "-m", "Ticket 1", code=3).err
    assert "merge is in progress" in refused
    (ran.root / ".git/MERGE_HEAD").unlink()
    ran.git("switch", "-q", "--detach")
    ran.gitmemo("commit", "-m", "Ticket 1", "-m", "More", GIT_AUTHOR_NAME="Somebody Else")
    assert ran.git("log", "-1", "--format=%an: %B") == "Somebody Else: Ticket 1\n\nMore"
    assert ran.calls_in() == 5
    assert ran.calls_in("main") == 0
    assert ran.is_clean()


def test_commit_without_pending_calls_makes_no_commit(committed: Clone) -> None:
    before = committed.git("rev-parse", "HEAD")
    assert "nothing is pending" in committed.gitmemo("commit", code=1).err, "as `git commit`"
    assert committed.git("rev-parse", "HEAD") == before


def test_init_twice_changes_nothing(committed: Clone) -> None:
    before = state(committed)
    hooks = {p.name: p.read_bytes() for p in (committed.root / ".git/hooks").iterdir()}
    assert "kept .gitmemo/config.toml" in committed.gitmemo("init").out
    assert state(committed) == before
    assert {p.name: p.read_bytes() for p in (committed.root / ".git/hooks").iterdir()} == hooks


def test_hooks_never_import_the_code_of_the_repository(committed: Clone) -> None:
    marker = committed.root.parent / "imported"
    evil = f"open({str(marker)!r}, 'w').close()\n"
    for name in ("blake3.py", "click.py", "json.py", "gitmemo.py", "sitecustomize.py"):
        committed.write(name, evil)
    committed.change("value * 2", "value * 3")
    committed.write("helper.py", evil + (committed.root / "helper.py").read_text())
    committed.commit("Evil", GITMEMO_ON_CHANGE="breaking")
    assert not marker.exists()


def test_a_syntax_error_in_staged_code_does_not_stop_a_commit(changed: Clone) -> None:
    changed.write("helper.py", "def scale(:\n")
    done = changed.process("git", "commit", "-q", "-a", "-m", "Broken", code=None)
    assert done.code == 0, done.err
    assert "Traceback" not in done.err


# --- calls and nothing else ---------------------------------------------------


@pytest.mark.parametrize("arguments", [("-am", "x"), ("-m", "x"), ("-m", "x", "pipeline.py")])
def test_a_commit_of_calls_alone_says_that_git_may_refuse(
    ran: Clone, arguments: tuple[str, ...]
) -> None:
    head = ran.git("rev-parse", "HEAD")
    done = ran.process("git", "commit", *arguments, code=1)
    assert "5 calls in this commit if git makes one" in done.err
    assert "`gitmemo commit`" in done.err
    assert ran.git("rev-parse", "HEAD") == head
    said = ran.gitmemo("commit").err
    assert "5 calls in this commit\n" in said
    assert ran.calls_in() == 5
    assert ran.is_clean()


def test_a_commit_that_may_be_empty_takes_the_calls(ran: Clone) -> None:
    assert "5 calls" in ran.process("git", "commit", "--allow-empty", "-qm", "x").err
    assert ran.calls_in() == 5
    assert ran.is_clean()


@pytest.mark.parametrize("arguments", [(), ("-a",)])
def test_pruning_while_a_commit_is_made_loses_no_call(
    ran: Clone, arguments: tuple[str, ...]
) -> None:
    hook = ran.write(
        ".git/hooks/commit-msg", "#!/bin/sh\nunset GIT_INDEX_FILE\ngit gc -q --prune=now\n"
    )
    hook.chmod(0o755)
    ran.change("value * 2", "value + value")
    ran.git("add", "-A")
    # Git has written the tree, which nothing names yet: it gives up, without gitmemo as well.
    ran.git("commit", "-q", *arguments, "-m", "First results", code=128)
    hook.unlink()
    ran.git("commit", "-q", *arguments, "-m", "First results")
    assert ran.calls_in() == 5
    assert ran.is_clean()
    assert ran.git("fsck", "--strict", "--no-dangling") == ""
    assert ran.gitmemo("verify").code == 0
