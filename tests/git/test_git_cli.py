"""The git program is run as asked, whatever the environment."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from gitmemo.errors import GitFailed, GitMissing
from gitmemo.git.cli import Git, environment


def test_a_failure_names_the_command_and_what_git_said(repo: Path) -> None:
    with pytest.raises(GitFailed) as caught:
        Git(repo).run("show", "no such thing")
    assert "git show 'no such thing'" in str(caught.value)
    assert "no such thing" in caught.value.stderr
    assert "fix:" in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_missing_git_says_so(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repo))
    with pytest.raises(GitMissing, match="PATH"):
        Git(repo).run("status")


def test_a_missing_folder_is_not_a_missing_git(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Git(tmp_path / "none").run("status")


def test_variables_of_an_enclosing_hook_do_not_redirect_git(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -x")
    assert Path(Git(repo).run("rev-parse", "--show-toplevel")) == repo
    assert "GIT_INDEX_FILE" not in environment()
    assert environment(["GIT_INDEX_FILE"])["GIT_INDEX_FILE"] == str(tmp_path / "index")
    assert environment()["GIT_SSH_COMMAND"] == "ssh -x"


def test_messages_are_english_and_no_prompt_can_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")
    monkeypatch.setattr(os, "isatty", lambda _: False)
    found = environment()
    assert (found["LC_ALL"], found["LANGUAGE"]) == ("C", "")
    assert found["GIT_TERMINAL_PROMPT"] == "0"
    assert found["GIT_OPTIONAL_LOCKS"] == "0"
    monkeypatch.setattr(os, "isatty", lambda _: True)
    assert "GIT_TERMINAL_PROMPT" not in environment()


def test_a_batch_reads_what_is_there_and_none_for_the_rest(repo: Path) -> None:
    git = Git(repo)
    (repo / "ä b.py").write_bytes(b"x = 1\n\n")
    (repo / "empty").write_bytes(b"")
    git.run("add", ".")
    oid = git.hash_object(b"loose\0bytes")
    specs = [oid, ":ä b.py", ":no such file", "0" * 40, ":empty", "two\nlines", "", ":ä b.py"]
    assert git.cat_file_batch(specs) == {
        oid: b"loose\0bytes",
        ":ä b.py": b"x = 1\n\n",
        ":no such file": None,
        "0" * 40: None,
        ":empty": b"",
        "two\nlines": None,
        "": None,
    }
    assert git.cat_file_batch([]) == {}


def test_entries_go_into_the_index_that_is_named(repo: Path, tmp_path: Path) -> None:
    git = Git(repo)
    oid = git.hash_object(b"data\r\n")
    other = tmp_path / "other index"
    git.update_index([(".gitmemo/ö x", oid)], other)
    assert git.run("ls-files") == ""
    git.update_index([(".gitmemo/ö x", oid)])
    assert git.run("ls-files", "-z").rstrip("\0") == ".gitmemo/ö x"
    assert git.cat_file_batch([":.gitmemo/ö x"]) == {":.gitmemo/ö x": b"data\r\n"}
    assert other.is_file()
    git.update_index([])


def test_importing_the_package_imports_no_git_library() -> None:
    code = (
        "import sys, gitmemo.git.cli, gitmemo.git.repository, gitmemo.git.objects\n"
        "import gitmemo.git.hookfiles, gitmemo.history\n"
        "print([m for m in ('dulwich', 'pygit2', 'numpy', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
