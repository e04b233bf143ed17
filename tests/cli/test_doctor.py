"""`gitmemo doctor`: what it finds, what it says to do, and what it keeps to itself."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from driver import Clone, copy_of, make_project

from gitmemo.cli.doctor import without_home


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A project with results in a commit."""
    clone = make_project(tmp_path_factory.mktemp("ill") / "p", tmp_path_factory.mktemp("home"))
    clone.run()
    clone.commit("Results", "--allow-empty")
    return clone


@pytest.fixture
def project(ran: Clone, tmp_path: Path) -> Clone:
    return copy_of(ran, tmp_path / "p")


def found(clone: Clone, code: int, *options: str, **variables: str) -> dict[str, dict[str, Any]]:
    """Return the findings by what they are about."""
    done = clone.gitmemo("doctor", "--json", *options, code=code, **variables)
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert {frozenset(row) for row in rows} == {
        frozenset({"area", "what", "grade", "said", "remedy"})
    }
    assert all(row["remedy"] for row in rows if row["grade"] == "problem")
    return {row["what"]: row for row in rows}


def test_all_is_well(project: Clone) -> None:
    rows = found(project, 0)
    areas = {row["area"] for row in rows.values()}
    assert areas == {
        "installed", "packages", "configured", "reachable", "healthy", "stale",
    }  # fmt: skip
    assert {"gitmemo", "python", "git", "sqlite", "click", "hooks", "index", "locks", "clock"} <= (
        rows.keys()
    )
    text = project.gitmemo("doctor").text
    assert "all is well" in text and "\x1b" not in text
    assert project.is_clean()


def test_what_is_wrong_has_a_remedy_and_an_exit_code(project: Clone, tmp_path: Path) -> None:
    (project.root / ".git/hooks/pre-commit").unlink()
    (project.root / ".gitmemo/config.toml").write_text('format = 1\non_chnage = "ask"\n')
    project.gitmemo("remote", "add", "lab", str(tmp_path / "lab"), "--local")
    (tmp_path / "lab").write_text("a file")
    project.run("7")
    rows = found(project, 3)
    wrong = {what for what, row in rows.items() if row["grade"] == "problem"}
    assert wrong == {"hooks", "on_chnage", "lab"}
    assert "gitmemo hook install" in rows["hooks"]["remedy"]
    assert rows["calls"]["remedy"] == "gitmemo commit"
    assert "lab" not in found(project, 3, "--offline")


def test_damaged_records_are_found(project: Clone) -> None:
    (segment,) = (project.root / ".gitmemo/index").rglob("*.jsonl")
    segment.write_bytes(segment.read_bytes()[:-40])
    for path in (project.root / ".git/gitmemo").glob("index.db*"):
        path.unlink()
    assert found(project, 3)["index"]["grade"] == "problem"


@pytest.mark.parametrize("part", ["index", "objects"])
def test_a_git_folder_that_git_cannot_read_is_found(project: Clone, part: str) -> None:
    path = project.root / ".git" / part
    if part == "objects":
        shutil.rmtree(path)
        path.mkdir()
    else:
        path.write_text("garbage")
    wrong = "git's index" if part == "index" else "git's commit"
    assert found(project, 3, "--offline")[wrong]["grade"] == "problem"
    done = project.gitmemo("status", "--check", code=1)
    assert "`git " in done.err and "Traceback" not in done.text


def test_a_branch_without_commits_is_well(project: Clone) -> None:
    project.git("checkout", "-q", "--orphan", "none")
    assert found(project, 0, "--offline")["git's files"]["grade"] == "ok"


def test_settings_that_nobody_can_read_do_not_end_it(project: Clone) -> None:
    (project.root / ".gitmemo/config.toml").write_text("format = \n")
    rows = found(project, 3)
    assert rows["set up"]["grade"] == "problem" and rows["python"]["grade"] == "ok"


def test_a_remote_that_does_not_answer_is_not_waited_for(project: Clone) -> None:
    # No packet comes back from this range (RFC 5737), or a refusal at once: either is said.
    project.gitmemo("remote", "add", "far", "http://192.0.2.1/x", "--local")
    row = found(project, 3, "--timeout", "0.5")["far"]
    assert row["grade"] == "problem" and row["remedy"]


def test_no_secret_and_no_home_is_in_it(project: Clone) -> None:
    project.gitmemo("remote", "add", "lab", "s3://b/x", "-o", "secret=hush", "--local")
    key = "not a key but as secret"
    text = project.gitmemo(
        "doctor", "--offline", code=0, GITMEMO_SIGNING_KEY=key, HOME=str(project.root.parent)
    ).text
    assert "hush" not in text and key not in text
    assert str(project.root) not in text and f"~/{project.root.name}" in text


def test_outside_of_a_repository_it_looks_at_the_machine(ran: Clone, tmp_path: Path) -> None:
    done = ran.gitmemo("doctor", cwd=tmp_path, GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert "no repository was looked at" in done.out and "python" in done.out


def test_before_init_it_says_what_to_do(ran: Clone, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "new")], check=True)
    done = ran.gitmemo("doctor", cwd=tmp_path / "new", code=3)
    assert "gitmemo init" in done.out


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_without_git_it_says_so(ran: Clone, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    done = ran.gitmemo("doctor", code=3, PATH=str(tmp_path / "bin"))
    assert "problem  git" in done.out and "Traceback" not in done.text


def test_a_home_is_hidden_where_its_name_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/al")
    said = {
        "in /home/al": "in ~",
        "/home/al/p, /home/al.": "~/p, ~.",
        "/home/alice/p": "/home/alice/p",
        "/home/al.old": "/home/al.old",
        "/mnt/home/al": "/mnt/home/al",
    }
    assert {text: without_home(text) for text in said} == said
