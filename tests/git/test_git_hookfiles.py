"""Hooks are installed beside others, start Python only if needed, and never block a commit."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmemo.errors import HookRefused
from gitmemo.git.cli import Git
from gitmemo.git.hookfiles import (
    HOOKS,
    HookAction,
    hook_text,
    hooks_folder,
    install,
    is_installed,
    plan_install,
    plan_uninstall,
    uninstall,
)
from gitmemo.git.repository import locate


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def started(repo: Path, tmp_path: Path) -> Callable[[], list[str]]:
    """Install the hooks with a false interpreter; return what it was asked to run since."""
    log = tmp_path / "asked"
    log.touch()
    python = script(
        tmp_path / "it's a python" / "python",
        f'[ "$2" = -c ] && exit 0\necho "$@" >> {shlex.quote(str(log))}',
    )
    install(plan_install(locate(repo), str(python)))

    def read() -> list[str]:
        lines = log.read_text().splitlines()
        log.write_text("")
        return lines

    return read


def commit(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("_", ".")
        path.write_text(text)
        Git(folder).run("add", path.name)
    Git(folder).run("commit", "-q", "--allow-empty", "-m", "m")


PRE, POST = "-P -m gitmemo hook run pre-commit", "-P -m gitmemo hook run post-commit"


def test_python_starts_only_for_what_concerns_gitmemo(
    repo: Path, started: Callable[[], list[str]]
) -> None:
    commit(repo, readme_md="x")
    assert started() == []
    commit(repo, a_py="x = 1\n")
    assert started() == [PRE]
    commit(repo, readme_md="y")
    assert started() == []
    commit(repo, b_ipynb="{}")
    assert started() == [PRE]
    Git(repo).run("rm", "-q", "a.py")
    commit(repo)
    assert started() == [PRE]


def test_the_first_commit_counts(repo: Path, started: Callable[[], list[str]]) -> None:
    (repo / ".gitmemo").mkdir()
    (repo / ".gitmemo/config.toml").write_text("")
    Git(repo).run("add", ".gitmemo")
    commit(repo, a_py="x = 1\n")
    assert started() == [PRE, POST]


def test_unstaged_changes_do_not_count_and_partial_commits_do(
    repo: Path, started: Callable[[], list[str]]
) -> None:
    commit(repo, a_py="x = 1\n", b_txt="")
    started()
    (repo / "a.py").write_text("x = 2\n")
    commit(repo, b_txt="more")
    assert started() == []
    (repo / "b.txt").write_text("again")
    Git(repo).run("commit", "-q", "-m", "partial", "a.py")
    assert started() == [PRE]


def test_pending_calls_count_in_their_own_work_tree_only(
    repo: Path, started: Callable[[], list[str]], tmp_path: Path
) -> None:
    commit(repo)
    for name in ("main", "a b"):
        Git(repo).run("worktree", "add", "-q", "-b", f"{name[:1]}2", str(tmp_path / name))
    places = [repo, tmp_path / "main", tmp_path / "a b"]
    started()
    for place in places:
        layout = locate(place)
        journal = layout.private_dir / "journal" / layout.worktree_name / "host 1.jsonl"
        journal.parent.mkdir(parents=True)
        journal.write_text("")
        commit(place)
        assert started() == []
        journal.write_text("[]\n")
        for other in places:
            commit(other)
            assert started() == ([PRE, POST] if other == place else [])
        journal.write_text("")


def test_it_can_be_skipped_once(
    repo: Path, started: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITMEMO_SKIP", "1")
    commit(repo, a_py="x = 1\n")
    assert started() == []


def test_an_earlier_hook_runs_first_and_its_verdict_counts(repo: Path, tmp_path: Path) -> None:
    layout, marker = locate(repo), tmp_path / "ran"
    script(repo / ".git/hooks/pre-commit", f"cat; echo ran >> {marker}\n[ ! -e bad ]")
    plan = plan_install(layout, "/nowhere/python")
    assert [step.action for step in plan.steps] == [HookAction.CHAIN, HookAction.WRITE]
    install(plan)
    assert is_installed(layout)
    commit(repo)
    assert marker.read_text() == "ran\n"
    (repo / "bad").touch()
    done = subprocess.run(["git", "commit", "--allow-empty", "-m", "x"], cwd=repo, check=False)
    assert done.returncode == 1
    fed = subprocess.run(
        [".git/hooks/pre-commit"], cwd=repo, input=b"through", capture_output=True, check=False
    )
    assert (fed.returncode, fed.stdout) == (1, b"through")


def test_an_earlier_hook_that_calls_ours_again_does_not_loop(repo: Path, tmp_path: Path) -> None:
    folder, count = repo / ".git/hooks", tmp_path / "count"
    script(folder / "pre-commit", f"echo x >> {count}\nexec {shlex.quote(str(folder))}/pre-commit")
    install(plan_install(locate(repo), "/nowhere/python"))
    commit(repo, a_py="")
    assert count.read_text() == "x\n"


def test_a_missing_interpreter_never_blocks(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(plan_install(locate(repo), str(tmp_path / "gone/python")))
    (repo / "a.py").touch()
    Git(repo).run("add", ".")
    done = Git(repo).process("commit", "-q", "-m", "m")
    assert done.returncode == 0
    assert done.stderr.decode().count("gitmemo: not installed") == 1
    script(tmp_path / "bin/gitmemo", f'echo "$@" > {shlex.quote(str(tmp_path / "called"))}')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    (repo / "a.py").write_text("x = 1\n")
    Git(repo).run("commit", "-q", "-am", "m")
    assert (tmp_path / "called").read_text() == "hook run pre-commit\n"


def test_an_interpreter_without_gitmemo_never_blocks(repo: Path, tmp_path: Path) -> None:
    install(plan_install(locate(repo), str(script(tmp_path / "python", "exit 1"))))
    (repo / "a.py").touch()
    Git(repo).run("add", ".")
    done = Git(repo).process("commit", "-q", "-m", "m")
    assert done.returncode == 0
    assert b"gitmemo: not installed" in done.stderr


def test_modules_of_the_repository_are_not_imported(repo: Path) -> None:
    install(plan_install(locate(repo), sys.executable))
    for name in ("gitmemo.py", "json.py", "importlib.py"):
        (repo / name).write_text("open('imported', 'w')\n")
    Git(repo).run("add", ".")
    Git(repo).process("commit", "-q", "-m", "m")
    assert not (repo / "imported").exists()


def test_installing_again_changes_nothing_and_a_new_interpreter_updates(repo: Path) -> None:
    layout = locate(repo)
    install(plan_install(layout, "/one/python"))
    again = plan_install(layout, "/one/python")
    assert {step.action for step in again.steps} == {HookAction.LEAVE}
    install(again)
    other = plan_install(layout, "/an other/python")
    assert {step.action for step in other.steps} == {HookAction.UPDATE}
    install(other)
    assert "PYTHON='/an other/python'" in (hooks_folder(layout) / "pre-commit").read_text()
    assert not list(hooks_folder(layout).glob("*.before-gitmemo"))


def test_uninstalling_puts_the_earlier_hook_back(repo: Path) -> None:
    layout = locate(repo)
    earlier = script(repo / ".git/hooks/pre-commit", "exit 0")
    content = earlier.read_text()
    install(plan_install(layout))
    plan = plan_uninstall(layout)
    assert [step.action for step in plan.steps] == [HookAction.RESTORE, HookAction.REMOVE]
    uninstall(plan)
    uninstall(plan_uninstall(layout))
    assert earlier.read_text() == content
    assert not (repo / ".git/hooks/post-commit").exists()
    assert not is_installed(layout)


def test_two_hooks_that_are_not_ours_are_both_kept(repo: Path) -> None:
    folder = repo / ".git/hooks"
    script(folder / "pre-commit", "exit 0")
    script(folder / "pre-commit.before-gitmemo", "exit 0")
    with pytest.raises(HookRefused, match="neither may be lost"):
        plan_install(locate(repo))


def test_a_linked_work_tree_installs_in_the_shared_folder(repo: Path, tmp_path: Path) -> None:
    commit(repo)
    Git(repo).run("worktree", "add", "-q", "-b", "side", str(tmp_path / "side tree"))
    plan = plan_install(locate(tmp_path / "side tree"))
    assert plan.folder == repo / ".git/hooks"
    install(plan)
    assert is_installed(locate(repo))


def test_a_hooks_path_inside_is_used_and_one_outside_is_refused(repo: Path, tmp_path: Path) -> None:
    Git(repo).run("config", "core.hooksPath", "tools/my hooks")
    install(plan_install(locate(repo)))
    assert (repo / "tools/my hooks/pre-commit").is_file()
    Git(repo).run("config", "core.hooksPath", str(tmp_path / "shared"))
    with pytest.raises(HookRefused) as caught:
        plan_install(locate(repo), "/my python")
    assert "'/my python' -P -m gitmemo hook run post-commit" in str(caught.value)
    assert not (tmp_path / "shared").exists()
    Git(repo).run("config", "core.hooksPath", ".husky/_")
    with pytest.raises(HookRefused, match="husky"):
        plan_install(locate(repo))


@pytest.mark.parametrize("name", HOOKS)
def test_templates_are_posix_shell(name: str, tmp_path: Path) -> None:
    path = script(tmp_path / name, hook_text(name, "/a 'b'/python").split("\n", 1)[1])
    assert "@PYTHON@" not in path.read_text()
    assert subprocess.run(["sh", "-n", str(path)], check=False).returncode == 0
