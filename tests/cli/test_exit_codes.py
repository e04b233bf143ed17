"""Exit codes as docs/reference.md publishes them: frozen runs, checks, and errors that were provoked."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from driver import GITMEMO, Clone, at_terminal, copy_of, make_clone, make_project

from gitmemo.cli import main

FROZEN = """\
import sys
from gitmemo import errors
from pipeline import load, storage

with storage:
    for text in sys.argv[1:]:
        try:
            load(int(text))
        except errors.NewCallRefused:
            print("refused", text)
"""
MANY = """\
import sys
from pipeline import load, storage

with storage:
    storage.map(load, [int(text) for text in sys.argv[1:]])
"""

ELSEWHERE = """\
import os, subprocess, sys
from multiprocessing import get_context
from gitmemo import errors
from pipeline import load, storage


def go(size):
    with storage:
        return len(storage.unwrap(load(size)))


def allowed(size):
    with storage, storage.allow_new_calls():
        storage.map(load, [size, size + 1], n_jobs=2)


def fork(size):
    if os.fork() == 0:
        try:
            go(size)
        finally:
            os._exit(0)
    os.wait()


def fork_that_goes_on(size):
    if os.fork() == 0:
        go(size)
    else:
        os.wait()


def leave(size):
    try:
        go(size)
    finally:
        os._exit(0)


def spawn(size):
    process = get_context("spawn").Process(target=go, args=(size,))
    process.start()
    process.join()


def run(size):
    subprocess.run([sys.executable, "-m", "gitmemo", "run", *sys.argv[3:], "elsewhere.py", "go", str(size)])


if __name__ == "__main__":
    globals()[sys.argv[1]](int(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A project with results in a commit."""
    clone = make_project(tmp_path_factory.mktemp("codes") / "p", tmp_path_factory.mktemp("home"))
    clone.write("frozen.py", FROZEN)
    clone.write("many.py", MANY)
    clone.write("elsewhere.py", ELSEWHERE)
    clone.run()
    clone.commit("Results")
    return clone


@pytest.fixture
def project(ran: Clone, tmp_path: Path) -> Clone:
    return copy_of(ran, tmp_path / "p")


def test_a_frozen_run_computes_nothing(project: Clone) -> None:
    before = project.records()
    assert project.run("1", "2") == (5, 0)
    project.gitmemo("run", "--frozen", "pipeline.py", "1", "2")
    done = project.gitmemo("run", "--frozen", "pipeline.py", "1", "9", code=3)
    assert "frozen: 1 call of pipeline:train would have to be computed" not in done.out
    assert "pipeline:train would have to be computed" in done.err and "gitmemo why" in done.err
    assert project.records() == before


def test_a_frozen_run_fails_though_the_script_goes_on(project: Clone) -> None:
    done = project.gitmemo("run", "--frozen", "frozen.py", "500", "8", "9", code=3)
    assert done.out == "refused 8\nrefused 9\n"
    assert "2 calls of pipeline:load" in done.err
    assert done.counted == (1, 0)
    assert project.gitmemo("run", "--frozen", "frozen.py", "500").out == ""
    many = project.gitmemo("run", "--frozen", "many.py", "500", "8", "9", code=3)
    assert "pipeline:load" in many.err and "Traceback" not in many.err


@pytest.mark.parametrize(
    "how", ["fork", "fork_that_goes_on", "leave", "spawn", "run", "run --frozen"]
)
def test_a_frozen_run_reaches_the_processes_of_its_script(project: Clone, how: str) -> None:
    before = project.records()
    how, *options = how.split()
    run = ("run", "--frozen", "elsewhere.py", how)
    assert "frozen:" not in project.gitmemo(*run, "500", *options).text
    done = project.gitmemo(*run, "8", *options, code=3)
    assert "frozen: 1 call of pipeline:load would have to be computed" in done.err
    assert project.records() == before


def test_what_a_frozen_run_allows_is_counted_once_where_workers_compute_it(project: Clone) -> None:
    done = project.gitmemo("run", "--frozen", "elsewhere.py", "allowed", "8", code=3)
    assert "frozen: 2 calls computed, for the script allowed new calls" in done.err
    assert "would have" not in done.err


def test_a_variable_that_no_frozen_run_set_is_refused(project: Clone) -> None:
    for said in ("1", '{"/": "x"}', '{"/": [1]}'):
        done = project.gitmemo("run", "pipeline.py", code=2, GITMEMO_FROZEN=said)
        assert "GITMEMO_FROZEN" in done.err and "Traceback" not in done.err


def test_status_check_fails_on_what_is_not_settled(project: Clone) -> None:
    project.gitmemo("status", "--check")
    project.run("7")
    done = project.gitmemo("status", "--check", code=3)
    assert "2 pending calls" in done.err
    assert project.status()["to_do"] == ["2 pending calls"]
    project.commit("More", "--allow-empty")
    project.gitmemo("status", "--check")
    project.change("value * 2", "value * 3")
    done = project.gitmemo("status", "--check", "--json", code=3)
    assert json.loads(done.out)["to_do"] == ["1 undecided change"]


def test_verify_check_fails_on_damage_and_changes_nothing(project: Clone) -> None:
    assert "can be read" in project.gitmemo("verify", "--check").err
    project.gitmemo("verify", "--check", "--repair", code=2)
    (pack,) = (project.root / ".git/gitmemo/blobs").rglob("*.pack")
    data = bytearray(pack.read_bytes())
    data[-10] ^= 1
    pack.write_bytes(data)
    done = project.gitmemo("verify", "--check", code=4)
    assert done.out and "problem" in done.err
    assert pack.read_bytes() == data
    assert done.out == project.gitmemo("verify", "--check", code=4).out


@pytest.mark.parametrize(("key", "code", "dropped"), [("y", 0, True), ("n", 130, False)])
def test_at_a_terminal_dropping_is_asked_about(
    project: Clone, key: str, code: int, dropped: bool
) -> None:
    with at_terminal(project, *GITMEMO, "drop", "op:evaluate", TERM="xterm") as terminal:
        terminal.expect("dropping these calls?")
        terminal.send(f"{key}\n")
        assert terminal.finish() == code
    assert (project.status()["calls"] == 3) is dropped


READING = [
    "report", "serve", "drop op:train -n", "remote gc", "remote check", "remote default",
    "status", "calls", "df train", "log train", "versions", "show 1234", "diff HEAD", "blame train",
    "deps train", "failures", "forget", "rename", "tag", "gc", "verify", "world", "why train",
    "decide", "graph", "remote list", "remote show", "hook status", "store show", "push", "pull",
    "fetch", "config", "index compact -n", "commit -n", "check train",
]  # fmt: skip


BEFORE_INIT = {"hook status": (3, False), "config": (0, False)}
"""Those that show how things are, also before `gitmemo init`: code, and whether an error says so."""


@pytest.mark.parametrize("command", READING)
def test_outside_and_before_init_each_command_is_one_message(
    ran: Clone,
    tmp_path: Path,
    command: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    assert main(command.split()) == 1
    assert "git init" in capsys.readouterr().err
    make_clone(tmp_path / "new", ran.home)
    monkeypatch.chdir(tmp_path / "new")
    code = main(command.split())
    err = capsys.readouterr().err
    assert (code, "gitmemo init" in err) == BEFORE_INIT.get(command, (3, True)), err


def test_doctor_says_what_is_missing_wherever_it_is(
    ran: Clone, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", "--offline"]) == 0
    assert "run `git init`" in capsys.readouterr().out
    make_clone(tmp_path / "new", ran.home)
    monkeypatch.chdir(tmp_path / "new")
    assert main(["doctor", "--offline"]) == 3
    assert "run `gitmemo init`" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", ["status", "calls", "df train", "push", "config set reuse any", "run x.py"]
)
def test_a_bare_repository_is_one_message(
    ran: Clone,
    tmp_path: Path,
    command: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran.git("clone", "-q", "--bare", str(ran.root), str(tmp_path / "bare.git"))
    monkeypatch.chdir(tmp_path / "bare.git")
    (tmp_path / "bare.git/x.py").write_text("")
    assert main(command.split()) == 3
    assert "fix:" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_what_may_not_be_read_is_one_message(project: Clone) -> None:
    (project.root / ".gitmemo/config.toml").chmod(0)
    done = project.gitmemo("status", code=1)
    assert "Permission denied" in done.err and "fix:" in done.err and "Traceback" not in done.err


def test_a_place_where_nothing_can_be_made_is_one_message(project: Clone) -> None:
    private = project.root / ".git/gitmemo"
    for path in sorted(private.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    private.rmdir()
    private.write_text("a file in the way")
    done = project.gitmemo("status", code=None)
    assert done.code == 1 and "Traceback" not in done.err and "fix:" in done.err
