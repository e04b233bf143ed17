"""Hooks are installed beside others, start Python only if needed, and never block a commit."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import gitmemo
from gitmemo.errors import GitFailed, HookRefused, NotInRepository
from gitmemo.git.cli import Git
from gitmemo.git.hookfiles import (
    HookAction,
    HookState,
    hooks_folder,
    inspect,
    install,
    is_installed,
    plan_install,
    plan_uninstall,
    uninstall,
)
from gitmemo.git.hooktexts import HOOKS, VERSION, hook_text
from gitmemo.git.repository import locate


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def begin(repo: Path) -> None:
    """Commit what a project with results and a remote has."""
    for name, text in (
        ("config.toml", '[remotes.store]\nurl = "/store"\n'),
        ("index/1/2026-11/zero.jsonl", ""),
    ):
        path = repo / ".gitmemo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    Git(repo).run("add", ".gitmemo")
    Git(repo).run("commit", "-q", "-m", "Begin")


@pytest.fixture
def started(repo: Path, tmp_path: Path) -> Callable[[], list[str]]:
    """Install the hooks with a false interpreter; return what it was asked to run since."""
    log = tmp_path / "asked"
    log.touch()
    begin(repo)
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


def segment(repo: Path, name: str) -> str:
    """Put a segment into the index only, as the hook before a commit does."""
    path = f".gitmemo/index/1/2026-11/{name}.jsonl"
    git = Git(repo)
    git.update_index([(path, git.hash_object(name.encode()))])
    return path


def test_the_first_commit_counts(repo: Path, started: Callable[[], list[str]]) -> None:
    Git(repo).run("checkout", "-q", "--orphan", "new")
    segment(repo, "one")
    commit(repo, a_py="x = 1\n")
    assert started() == [PRE, POST]


def test_without_results_or_without_gitmemo_python_never_starts(
    repo: Path, started: Callable[[], list[str]]
) -> None:
    Git(repo).run("rm", "-q", "-r", ".gitmemo/index")
    commit(repo, a_py="x = 1\n")
    Git(repo).run("rm", "-q", ".gitmemo/config.toml")
    commit(repo, a_py="x = 2\n")
    assert started() == []


def test_a_commit_is_completed_only_if_a_segment_is_not_in_the_work_tree(
    repo: Path, started: Callable[[], list[str]]
) -> None:
    path = segment(repo, "one")
    commit(repo)
    assert started() == [PRE, POST], "a staged segment is looked at before"
    (repo / path).write_text("one")
    Git(repo).run("commit", "-q", "--amend", "-m", "Again")
    assert started() == []
    (repo / path).unlink()
    Git(repo).run("commit", "-q", "--amend", "-m", "And again")
    assert started() == [POST, "-P -m gitmemo hook run post-rewrite amend"]


def test_a_journal_that_is_noted_to_be_committed_does_not_count(
    repo: Path, started: Callable[[], list[str]]
) -> None:
    folder = locate(repo).private_dir / "journal/main"
    folder.mkdir(parents=True)
    (folder / "one.jsonl").write_text("12345\n")
    for note, expected in (("6", []), ("5", [PRE, POST]), ("nonsense", [PRE, POST])):
        (folder / "one.exported").write_text(note)
        commit(repo)
        assert started() == expected


def test_only_checkouts_of_other_results_count(
    repo: Path, started: Callable[[], list[str]], tmp_path: Path
) -> None:
    git = Git(repo)
    git.run("branch", "bare")
    git.run("checkout", "-q", "-b", "new")
    segment(repo, "one")
    commit(repo)
    git.run("reset", "-q", "--hard")
    commit(repo, a_txt="x")
    started()
    git.run("checkout", "-q", "HEAD~1")
    git.run("checkout", "-q", "new")
    git.run("checkout", "-q", "bare", "--", ".gitmemo")
    git.run("reset", "-q", "--hard")
    assert started() == []
    git.run("checkout", "-q", "bare")
    said = started()
    assert len(said) == 1
    assert said[0].startswith("-P -m gitmemo hook run post-checkout ")
    assert said[0].endswith(" 1")
    for mode in ("--merge", "--apply"):
        git.run("checkout", "-q", "-B", "mine", "bare")
        commit(repo, b_txt=mode)
        started()
        git.run("rebase", "-q", mode, "new")
        assert started() == ["-P -m gitmemo hook run post-rewrite rebase"], mode
    git.run("bisect", "start", "HEAD", "bare")
    git.run("bisect", "reset")
    assert started() == []
    git.run("checkout", "-q", "-B", "fast", "bare")
    started()
    git.run("merge", "-q", "--ff-only", "new")
    assert started() == ["-P -m gitmemo hook run post-merge 0"]
    git.run("worktree", "add", "-q", str(tmp_path / "linked"), "bare")
    git.run("worktree", "remove", str(tmp_path / "linked"))
    assert len(started()) == 1, "all there is new to a work tree that is new"
    (repo / ".gitmemo/config.toml").write_text("")
    git.run("commit", "-q", "-a", "-m", "No remote")
    git.run("checkout", "-q", "--detach", "bare")
    started()
    git.run("checkout", "-q", "fast")
    assert started() == [], "nothing is only on a remote if there is none"


def test_merges_are_decided_about_and_pushes_are_looked_at(
    repo: Path, started: Callable[[], list[str]], tmp_path: Path
) -> None:
    git = Git(repo)
    git.run("checkout", "-q", "-b", "side")
    commit(repo, a_py="x = 1\n")
    git.run("checkout", "-q", "main")
    commit(repo, b_txt="x")
    started()
    git.run("merge", "-q", "--no-edit", "side")
    assert started() == ["-P -m gitmemo hook run pre-merge-commit"]
    git.run("init", "-q", "--bare", str(tmp_path / "hub"))
    hub = str(tmp_path / "hub")
    git.run("push", "-q", hub, "main", "side")
    assert started() == [f"-P -m gitmemo hook run pre-push {hub} {hub}"]
    git.run("push", "-q", hub, "main")
    git.run("push", "-q", hub, ":side")
    git.run("push", "-q", hub, "main:refs/gitmemo/versions")
    git.run("push", "-q", "--no-verify", hub, "main:other")
    assert started() == []


@pytest.mark.parametrize("name", ["pre-push", "post-rewrite"])
def test_an_earlier_hook_and_ours_both_read_what_git_says(
    repo: Path, tmp_path: Path, name: str
) -> None:
    begin(repo)
    for who in ("earlier", "python"):
        script(tmp_path / who, f"cat > {tmp_path}/{who}.heard; exit 0")
    (repo / ".git/hooks").mkdir(exist_ok=True)
    (tmp_path / "earlier").rename(repo / ".git/hooks" / name)
    install(plan_install(locate(repo), str(tmp_path / "python")))
    segment(repo, "one")
    commit(repo)
    git = Git(repo)
    (tmp_path / "python.heard").unlink(missing_ok=True)
    git.run("init", "-q", "--bare", str(tmp_path / "hub"))
    if name == "pre-push":
        git.run("push", "-q", str(tmp_path / "hub"), "main:a", "main:b")
    else:
        git.run("commit", "-q", "--amend", "-m", "x")
    heard = (tmp_path / "earlier.heard").read_text()
    assert heard.endswith("\n")
    assert len(heard.splitlines()) == (2 if name == "pre-push" else 1)
    assert (tmp_path / "python.heard").read_text() == heard


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
    begin(repo)
    layout, marker = locate(repo), tmp_path / "ran"
    script(repo / ".git/hooks/pre-commit", f"cat; echo ran >> {marker}\n[ ! -e bad ]")
    plan = plan_install(layout, "/nowhere/python")
    assert [step.action for step in plan.steps][:2] == [HookAction.CHAIN, HookAction.WRITE]
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
    begin(repo)
    folder, count = repo / ".git/hooks", tmp_path / "count"
    script(folder / "pre-commit", f"echo x >> {count}\nexec {shlex.quote(str(folder))}/pre-commit")
    install(plan_install(locate(repo), "/nowhere/python"))
    commit(repo, a_py="")
    assert count.read_text() == "x\n"


def test_a_missing_interpreter_never_blocks(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(repo)
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
    begin(repo)
    install(plan_install(locate(repo), str(script(tmp_path / "python", "exit 1"))))
    (repo / "a.py").touch()
    Git(repo).run("add", ".")
    done = Git(repo).process("commit", "-q", "-m", "m")
    assert done.returncode == 0
    assert b"gitmemo: not installed" in done.stderr


def test_modules_of_the_repository_are_not_imported(repo: Path) -> None:
    begin(repo)
    install(plan_install(locate(repo), sys.executable))
    for name in ("gitmemo.py", "json.py", "importlib.py"):
        (repo / name).write_text("open('imported', 'w')\n")
    Git(repo).run("add", ".")
    Git(repo).process("commit", "-q", "-m", "m")
    assert not (repo / "imported").exists()


@pytest.mark.parametrize("entries", ["", ":{}", "{}:", "{}::{}", ".:{}", "{}:sub/..:{}"])
def test_an_empty_or_relative_entry_of_pythonpath_is_not_the_repository(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entries: str
) -> None:
    """Many people have `PYTHONPATH=$PYTHONPATH:…`, where Python reads an empty entry as `.`."""
    source = str(Path(gitmemo.__file__).parents[1])
    asked = tmp_path / "asked"
    python = script(
        tmp_path / "python",
        f'printf "%s\\n" "${{PYTHONPATH-unset}}" >> {shlex.quote(str(asked))}\n'
        f'exec {shlex.quote(sys.executable)} "$@"',
    )
    begin(repo)
    install(plan_install(locate(repo), str(python)))
    for name in ("gitmemo.py", "json.py", "importlib.py"):
        (repo / name).write_text("open('imported', 'w')\n")
    monkeypatch.setenv("PYTHONPATH", entries.format(source, source))
    Git(repo).run("add", ".")
    done = Git(repo).process("commit", "-q", "-m", "m")
    assert done.returncode == 0 and done.stderr == b""
    assert not (repo / "imported").exists()
    kept = ":".join([source] * entries.count("{}"))
    assert set(asked.read_text().splitlines()) == {kept or ("" if not entries else "unset")}


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


def test_uninstalling_puts_every_earlier_hook_back(repo: Path) -> None:
    layout = locate(repo)
    folder = hooks_folder(layout)
    for name in HOOKS[:5]:
        script(folder / name, f"echo {name} \xff; exit 0")
    (folder / HOOKS[1]).chmod(0o644)
    (folder / HOOKS[2]).unlink()
    (folder / HOOKS[2]).symlink_to(HOOKS[0])
    before = {path.name: (path.read_bytes(), path.lstat()) for path in folder.iterdir()}
    install(plan_install(layout))
    assert {one.state for one in inspect(layout)} == {HookState.CURRENT}
    assert [bool(one.earlier) for one in inspect(layout)] == [True] * 5 + [False] * 2
    uninstall(plan_uninstall(layout))
    uninstall(plan_uninstall(layout))
    after = {path.name: (path.read_bytes(), path.lstat()) for path in folder.iterdir()}
    assert {name: data for name, (data, _) in after.items()} == {
        name: data for name, (data, _) in before.items()
    }
    assert all(after[name][1].st_mode == stat.st_mode for name, (_, stat) in before.items())
    assert not is_installed(layout)


FRAMEWORK = "# File generated by pre-commit: https://pre-commit.com"


def framework_install(folder: Path, count: Path) -> None:
    """Do to the hooks what `pre-commit install` does."""
    path, legacy = folder / "pre-commit", folder / "pre-commit.legacy"
    if path.exists() and FRAMEWORK not in path.read_text():
        path.rename(legacy)
    script(
        path,
        f"{FRAMEWORK}\n"
        '[ -z "$PRE_COMMIT_RUNNING_LEGACY" ] || { echo bug; exit 1; }\n'
        f'[ ! -x "${{0%/*}}/pre-commit.legacy" ] ||\n'
        '    PRE_COMMIT_RUNNING_LEGACY=1 "${0%/*}/pre-commit.legacy" || exit 1\n'
        f"echo framework >> {shlex.quote(str(count))}",
    )


def test_the_framework_and_ours_run_once_each_in_every_order(repo: Path, tmp_path: Path) -> None:
    begin(repo)
    layout, ran = locate(repo), tmp_path / "ran"
    folder = hooks_folder(layout)
    folder.mkdir(exist_ok=True)
    python = str(script(tmp_path / "python", f"echo ours >> {shlex.quote(str(ran))}"))
    versions = iter(range(100))

    def both_run() -> None:
        commit(repo, a_py=f"x = {next(versions)}\n")
        assert sorted(ran.read_text().split()) == ["framework", "ours"]
        ran.unlink()

    def ours_install() -> None:
        install(plan_install(layout, python))
        assert is_installed(layout)

    earlier = script(folder / "pre-commit", "exit 0").read_bytes()
    ours_install()
    framework_install(folder, ran)
    both_run()
    ours_install()
    both_run()
    uninstall(plan_uninstall(layout))
    assert (folder / "pre-commit.legacy").read_bytes() == earlier
    (folder / "pre-commit.legacy").unlink()
    theirs = (folder / "pre-commit").read_bytes()
    ours_install()
    assert (folder / "pre-commit.before-gitmemo").read_bytes() == theirs
    both_run()
    framework_install(folder, ran)
    both_run()
    ours_install()
    both_run()
    (folder / "pre-commit.legacy").unlink()  # pre-commit install -f
    assert not is_installed(layout)
    ours_install()
    both_run()
    framework_install(folder, ran)
    uninstall(plan_uninstall(layout))
    names = {path.name for path in folder.glob("pre-commit*") if path.suffix != ".sample"}
    assert names == {"pre-commit"}
    assert (folder / "pre-commit").read_bytes() == theirs


def test_what_is_installed_is_told(repo: Path, tmp_path: Path) -> None:
    layout = locate(repo)
    folder = hooks_folder(layout)

    def states() -> list[HookState]:
        return [one.state for one in inspect(layout)][:2]

    assert states() == [HookState.MISSING] * 2
    install(plan_install(layout, str(tmp_path / "gone")))
    assert states() == [HookState.GONE] * 2
    install(plan_install(layout))
    text = (folder / "pre-commit").read_text()
    script(folder / "pre-commit", text.replace(f"gitmemo-hook {VERSION}", "gitmemo-hook 1"))
    script(folder / "pre-merge-commit", "python3 -m gitmemo hook run pre-merge-commit")
    assert states() == [HookState.OLDER, HookState.BY_HAND]
    install(plan_install(layout))
    assert states() == [HookState.CURRENT, HookState.BY_HAND]
    script(folder / "pre-commit", text.replace(f"gitmemo-hook {VERSION}", "gitmemo-hook 99"))
    assert states() == [HookState.NEWER, HookState.BY_HAND]


def test_a_failing_gitmemo_blocks_nothing_and_a_refusal_does(repo: Path, tmp_path: Path) -> None:
    begin(repo)
    for code, blocks in ((2, False), (3, True), (130, True), (139, False), (1, False)):
        python = script(tmp_path / "python", f'[ "$2" = -c ] || exit {code}')
        install(plan_install(locate(repo), str(python)))
        (repo / "a.py").write_text(f"x = {code}\n")
        Git(repo).run("add", "a.py")
        done = Git(repo).process("commit", "-q", "-m", "m")
        assert bool(done.returncode) == blocks, code
        assert (b"git goes on without it" in done.stderr) != blocks


def test_an_earlier_hook_that_fails_after_a_commit_does_not_keep_ours_from_completing_it(
    repo: Path, tmp_path: Path, started: Callable[[], list[str]]
) -> None:
    script(repo / ".git/hooks/post-commit.before-gitmemo", "exit 9")
    segment(repo, "one")
    commit(repo)
    assert started() == [PRE, POST]


def test_hooks_need_no_path_and_no_home(repo: Path, tmp_path: Path) -> None:
    begin(repo)
    log = tmp_path / "log"
    python = script(tmp_path / "python", f"echo $* >> {shlex.quote(str(log))}")
    install(plan_install(locate(repo), str(python)))
    (repo / "a.py").write_text("x = 1\n")
    git = shutil.which("git") or "git"
    for path in ({}, {"PATH": "/nowhere"}):
        (repo / "a.py").write_text(f"x = {len(path)}\n")
        command = [git, "commit", "-q", "-am", "m"]
        subprocess.run([git, "add", "a.py"], cwd=repo, env=path, check=True)
        subprocess.run(command, cwd=repo, env=path, check=True)
        assert log.read_text().splitlines() == [PRE]
        log.unlink()


def test_a_submodule_has_hooks_of_its_own(repo: Path, make_repo: Callable[..., Path]) -> None:
    commit(repo)
    outer = make_repo("outer")
    Git(outer).run("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repo), "inner")
    layout = locate(outer / "inner")
    install(plan_install(layout))
    assert hooks_folder(layout) == outer / ".git/modules/inner/hooks"
    assert is_installed(layout)
    assert not is_installed(locate(outer))


def test_a_bare_repository_gets_none(make_repo: Callable[..., Path], tmp_path: Path) -> None:
    Git(tmp_path).run("init", "-q", "--bare", "hub")
    with pytest.raises(NotInRepository):
        plan_install(locate(tmp_path / "hub"))


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
    commit(repo)
    Git(repo).run("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = locate(tmp_path / "side")
    assert not is_installed(side), "git looks for them in each work tree"
    install(plan_install(side))
    assert (tmp_path / "side/tools/my hooks/pre-commit").is_file()
    Git(repo).run("config", "core.hooksPath", str(tmp_path / "shared"))
    with pytest.raises(HookRefused) as caught:
        plan_install(locate(repo), "/my python")
    assert "'/my python' -P -m gitmemo hook run post-commit" in str(caught.value)
    assert not (tmp_path / "shared").exists()
    Git(repo).run("config", "core.hooksPath", ".husky/_")
    with pytest.raises(HookRefused, match="husky"):
        plan_install(locate(repo))


def test_the_lines_to_add_by_hand_stop_no_commit(repo: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    Git(repo).run("config", "core.hooksPath", str(shared))
    with pytest.raises(HookRefused) as caught:
        plan_install(locate(repo), "/gone/python")
    lines = caught.value.remedy().splitlines()
    line = next(one for one in lines if "in pre-commit:" in one).partition("pre-commit:  ")[2]
    (shared / "pre-commit").write_text(f"#!/bin/sh\n{line}\n")
    (shared / "pre-commit").chmod(0o755)
    commit(repo)  # no gitmemo in this repository
    (repo / ".gitmemo").mkdir()
    (repo / ".gitmemo/config.toml").write_text("format = 1\n")
    commit(repo)  # and its Python is gone
    broken = line.replace("/gone/python", "/bin/false")
    (shared / "pre-commit").write_text(f"#!/bin/sh\n{broken}\n")
    commit(repo)  # and is no Python with gitmemo
    refusing = tmp_path / "refuses"
    refusing.write_text("#!/bin/sh\nexit 3\n")
    refusing.chmod(0o755)
    (shared / "pre-commit").write_text(
        f"#!/bin/sh\n{line.replace('/gone/python', str(refusing))}\n"
    )
    with pytest.raises(GitFailed):
        commit(repo)


@pytest.mark.parametrize("name", HOOKS)
def test_templates_are_posix_shell(name: str, tmp_path: Path) -> None:
    path = script(tmp_path / name, hook_text(name, "/a 'b'/python").split("\n", 1)[1])
    assert "@PYTHON@" not in path.read_text()
    assert subprocess.run(["sh", "-n", str(path)], check=False).returncode == 0
