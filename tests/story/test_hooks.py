"""What every hook says and does in a real project, with and without the pre-commit framework."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from driver import GITMEMO, Clone

FRAMEWORK = shutil.which("pre-commit", path=Path(sys.executable).parent) or ""


def shared(clone: Clone, tmp_path: Path) -> None:
    """Give a project a git remote and a place for values."""
    clone.git("init", "-q", "--bare", "-b", "main", str(tmp_path / "hub"))
    clone.git("remote", "add", "origin", str(tmp_path / "hub"))
    clone.gitmemo("remote", "add", "store", str(tmp_path / "store"))
    clone.commit("Remotes")


def pushed(clone: Clone, *arguments: str) -> list[str]:
    """Push; return what gitmemo said."""
    done = clone.process("git", "push", "-q", *arguments)
    return [line for line in done.err.splitlines() if line.startswith("gitmemo")]


def test_pushes_and_checkouts_say_what_is_where(
    committed: Clone, tmp_path: Path, clone_of: Callable[..., Clone]
) -> None:
    shared(committed, tmp_path)
    (said,) = pushed(committed, "-u", "origin", "main")
    assert "values (" in said
    assert said.endswith("function histories not pushed yet: gitmemo push")
    committed.gitmemo("push")
    committed.git("commit", "-q", "--allow-empty", "-m", "More")
    assert pushed(committed) == []
    committed.run("7")
    committed.git("commit", "-q", "--no-verify", "--allow-empty", "-m", "Still more")
    assert pushed(committed) == [
        "gitmemo: 2 calls in no commit yet: the next one takes them, or gitmemo commit"
    ]
    committed.git("branch", "-q", "before", "HEAD")
    committed.gitmemo("commit")
    assert pushed(committed, "origin", "before") == [], "what is pushed counts, not what is here"
    (said,) = pushed(committed)
    assert "not pushed yet: gitmemo push" in said
    assert "histories" not in said
    committed.gitmemo("push")

    theirs = clone_of(tmp_path / "hub", "theirs")
    only = "are not on this machine: run `gitmemo pull`"
    theirs.git("checkout", "-q", "-b", "empty", "HEAD~4")
    assert only in theirs.process("git", "checkout", "-q", "main").err
    theirs.git("checkout", "-q", "-B", "mine", "origin/before")
    assert only in theirs.process("git", "merge", "-q", "origin/main").err
    assert only not in theirs.process("git", "checkout", "-q", "main", "--", "helper.py").err
    theirs.gitmemo("pull")
    theirs.git("checkout", "-q", "empty")
    assert only not in theirs.process("git", "checkout", "-q", "main").text
    assert theirs.is_clean()


def test_a_merge_asks_about_functions_and_keeps_pending_calls(committed: Clone) -> None:
    committed.git("checkout", "-q", "-b", "side")
    committed.change("value * 2", "value * 3")
    committed.git("commit", "-q", "-a", "--no-verify", "-m", "Side")
    committed.git("checkout", "-q", "main")
    committed.write("other.txt", "other\n")
    committed.commit("Other")
    committed.run("9")
    refused = committed.process(
        "git", "merge", "--no-edit", "side", code=None, GITMEMO_ON_CHANGE="error"
    )
    assert refused.code != 0
    assert "helper.py:scale" in refused.err
    committed.git("merge", "--abort")
    done = committed.process(
        "git", "merge", "-q", "--no-edit", "side", GITMEMO_ON_CHANGE="non-breaking"
    )
    assert "helper.py:scale changed (non-breaking)" in done.err
    assert committed.is_clean()
    assert committed.calls_in() == 5
    committed.gitmemo("commit")
    assert committed.calls_in() == 7
    assert [line for line in committed.committed() if line.startswith('["decision"')]


def test_calls_of_a_rebase_and_of_detached_heads_are_kept(committed: Clone) -> None:
    committed.git("checkout", "-q", "-b", "side", "HEAD~1")
    committed.run("3")
    committed.write("side.txt", "side\n")
    committed.commit("Side")
    for mode in ("--merge", "--apply"):
        committed.git("rebase", "-q", mode, "--force-rebase", "main")
        assert committed.is_clean()
    calls = committed.calls_in()
    committed.git("checkout", "-q", "--detach")
    committed.run("4")
    committed.git("commit", "-q", "--amend", "--no-edit")
    assert committed.calls_in() == calls + 2
    assert committed.is_clean()


def test_git_dir_of_another_repository_is_left_alone(ran: Clone, tmp_path: Path) -> None:
    other = tmp_path / "other"
    ran.git("init", "-q", str(other))
    Clone(other, ran.home).git("config", "user.name", "Other")
    Clone(other, ran.home).git("config", "user.email", "other@localhost")
    for name in ("pre-commit", "post-commit"):
        shutil.copy2(ran.root / ".git/hooks" / name, other / ".git/hooks" / name)
    bound = {"GIT_DIR": str(other / ".git"), "GIT_WORK_TREE": str(ran.root)}
    ran.git("add", "helper.py", **bound)
    ran.git("commit", "-q", "-m", "Elsewhere", **bound)
    assert ran.git("ls-tree", "-r", "--name-only", "HEAD", **bound) == "helper.py"
    ran.gitmemo("hook", "run", "pre-commit", **bound)
    assert ran.git("ls-files", ".gitmemo/index", **bound) == ""
    assert ran.git("ls-files", ".gitmemo/index") == ""
    ran.git("commit", "-q", "--allow-empty", "-m", "Here", GIT_DIR=".git", GIT_WORK_TREE=".")
    assert ran.calls_in() == 5


def test_a_hook_that_gitmemo_does_not_know_stops_nothing(begun: Clone) -> None:
    assert "gitmemo hook install" in begun.gitmemo("hook", "run", "pre-unheard").err


def test_the_state_of_hooks_is_told(begun: Clone, tmp_path: Path) -> None:
    assert "pre-push          installed" in begun.gitmemo("hook", "status").out
    (begun.root / ".git/hooks/pre-push").unlink()
    begun.git("config", "core.hooksPath", str(tmp_path / "shared"))
    assert "prints lines to add by hand" in begun.gitmemo("hook", "status", code=3).out
    begun.git("config", "--unset", "core.hooksPath")
    done = begun.gitmemo("hook", "status", code=3)
    assert "pre-push          not installed" in done.out
    assert "gitmemo hook install" in done.out


def test_what_the_framework_calls_stages_nothing(ran: Clone) -> None:
    ran.gitmemo("hook", "uninstall")
    ran.gitmemo("commit", code=2)
    ran.change("value * 2", "value * 3")
    ran.git("add", "-A")
    before = ran.git("ls-files", "--stage")
    done = ran.gitmemo("hook", "run", "--check", "pre-commit", code=3)
    assert "helper.py:scale" in done.err
    ran.gitmemo("hook", "run", "--no-export", "pre-commit", GITMEMO_ON_CHANGE="non-breaking")
    assert ran.git("ls-files", "--stage") == before
    ran.gitmemo("hook", "run", "--check", "pre-commit")
    ran.git("commit", "-q", "-m", "Change")
    said = ran.gitmemo("hook", "run", "--no-export", "post-commit").err
    assert "5 calls in no commit yet" in said
    ran.gitmemo("hook", "install")
    ran.gitmemo("commit")
    assert ran.calls_in() == 5
    assert ran.is_clean()


@pytest.mark.skipif(not FRAMEWORK, reason="the pre-commit framework is not installed")
def test_the_real_framework_beside_our_hooks(ran: Clone) -> None:
    entry = " ".join(GITMEMO)
    ran.write(
        ".pre-commit-config.yaml",
        "repos:\n- repo: local\n  hooks:\n"
        f"  - {{id: a, name: a, language: system, entry: {entry} hook run --no-export pre-commit,"
        " always_run: true, pass_filenames: false}\n"
        "  - {id: b, name: b, language: system, entry: 'true', always_run: true}\n",
    )
    for first, second in (
        ((FRAMEWORK, "install"), (*GITMEMO, "hook", "install")),
        ((*GITMEMO, "hook", "install"), (FRAMEWORK, "install")),
    ):
        ran.gitmemo("hook", "uninstall")
        ran.process(FRAMEWORK, "uninstall")
        ran.process(*first)
        ran.process(*second)
        calls = ran.calls_in()
        number = str(10 + calls)
        ran.run(number)
        ran.git("add", "-A")
        said = ran.process("git", "commit", "-q", "--allow-empty", "-m", "Both").text
        assert said.count("Passed") == 2, said
        assert ran.calls_in() > calls
        assert ran.is_clean()
    ran.gitmemo("hook", "uninstall")
    ran.write("c.txt", "")
    assert "Passed" in ran.commit("Theirs alone")
