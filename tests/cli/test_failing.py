"""A bug of gitmemo, and databases that SQLite cannot use: one message each, and its exit code."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest
from driver import Clone, Done, copy_of, make_project

from gitmemo.cli import main

_LIMITED = (
    "import os, resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0));"
    "os.execv(sys.executable, [sys.executable, '-P', '-m', 'gitmemo', *sys.argv[1:]])"
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    clone = make_project(tmp_path_factory.mktemp("bugs") / "p", tmp_path_factory.mktemp("home"))
    clone.run("1")
    clone.gitmemo("commit")
    return clone


@pytest.fixture
def here(ran: Clone, monkeypatch: pytest.MonkeyPatch) -> Clone:
    monkeypatch.chdir(ran.root)
    return ran


def _raise(error: Exception) -> object:
    def look(*_given: object, **_named: object) -> None:
        raise error

    return look


@pytest.fixture
def broken(here: Clone, monkeypatch: pytest.MonkeyPatch) -> Clone:
    monkeypatch.setattr("gitmemo.cli.status.look_at", _raise(KeyError("no such thing")))
    return here


@pytest.mark.usefixtures("broken")
def test_a_bug_is_one_message_and_a_file_with_the_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["status"]) == 70
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    assert said.err.count("error:") == 1
    assert "a bug of gitmemo, not of your program: KeyError: 'no such thing'" in said.err
    assert "gitmemo doctor" in said.err
    (written,) = tmp_path.iterdir()
    assert str(written) in said.err
    text = written.read_text("utf-8")
    assert text.startswith("gitmemo 0.") and "Traceback" in text and "KeyError" in text
    assert re.search(r"Python \d", text)


@pytest.mark.usefixtures("broken")
def test_the_traceback_is_shown_to_who_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("GITMEMO_DEBUG", "1")
    assert main(["status"]) == 70
    assert "Traceback" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("broken")
def test_the_traceback_is_shown_where_no_file_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    assert main(["status"]) == 70
    said = capsys.readouterr().err
    assert "Traceback" in said and "the traceback is above" in said


@pytest.mark.usefixtures("broken")
def test_a_bug_is_told_to_programs_as_every_error_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["status", "--json"]) == 70
    error = json.loads(capsys.readouterr().err)["error"]
    assert (error["kind"], error["exit_code"]) == ("bug", 70)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (sqlite3.OperationalError("database is locked"), 5),
        (sqlite3.OperationalError("attempt to write a readonly database"), 5),
        (sqlite3.DatabaseError("database disk image is malformed"), 5),
        (sqlite3.ProgrammingError("Incorrect number of bindings"), 70),
    ],
)
def test_what_sqlite_refuses_is_no_bug_but_wrong_use_of_it_is(
    error: Exception,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("gitmemo.cli.status.look_at", _raise(error))
    assert main(["status"]) == code
    said = capsys.readouterr().err
    assert str(error) in said and said.count("fix:") == 1


def test_a_full_disk_is_told_and_stored_calls_are_found(ran: Clone, tmp_path: Path) -> None:
    clone = copy_of(ran, tmp_path / "p")

    def limited(*words: str, code: int) -> Done:
        done = clone.python("-P", "-c", _LIMITED, *words, code=code, TMPDIR=str(tmp_path))
        assert "Traceback" not in done.text
        return done

    assert "3 calls" in limited("status", code=0).out
    assert limited("df", "load", "--csv", code=0).out.startswith("size,data")
    assert limited("run", "pipeline.py", "1", code=0).counted == (3, 0)
    told = limited("run", "pipeline.py", "9", code=1).err
    assert "too large" in told and told.count("error:") == told.count("fix:") == 1
    limited("tag", "best", "nosuch", code=2)


def test_a_bug_in_a_hook_lets_git_go_on(
    here: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("gitmemo.cli.hook_run.find", _raise(KeyError("lost")))
    assert main(["hook", "run", "pre-commit"]) == 0
    said = capsys.readouterr().err
    assert "a bug of gitmemo" in said and "git goes on without results" in said
    assert len(list(tmp_path.iterdir())) == 1


def test_warnings_of_gitmemo_are_lines_without_its_own_code(ran: Clone, tmp_path: Path) -> None:
    clone = copy_of(ran, tmp_path / "p")
    exported = clone.root / ".git/gitmemo/journal/exported"
    for path in sorted(exported.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    if exported.exists():
        exported.rmdir()
    exported.write_text("x")
    done = clone.gitmemo("status", code=None)
    assert "workspace.py" not in done.err and "Traceback" not in done.err
