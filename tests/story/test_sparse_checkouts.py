"""Work trees that sparse checkout makes smaller: nothing is lost, and nothing passed over in silence."""

from __future__ import annotations

import pytest
from driver import Clone, Done

from gitmemo.errors import NotCheckedOut

ADVICE = "git sparse-checkout add .gitmemo"


@pytest.fixture
def settings(committed: Clone) -> str:
    """Commit settings and a folder, and return the settings."""
    committed.write("sub/notes.txt", "notes")
    path = committed.root / ".gitmemo/config.toml"
    committed.write(".gitmemo/config.toml", path.read_text("utf-8") + "[record]\nuser = false\n")
    committed.commit("Settings")
    return path.read_text("utf-8")


def is_refused(done: Done, *parts: str) -> None:
    assert done.code == NotCheckedOut.exit_code, done.text
    assert "Traceback" not in done.text
    for part in parts:
        assert part in done.err


def test_init_never_writes_over_settings_that_sparse_checkout_left_out(
    committed: Clone, settings: str
) -> None:
    before = committed.status()
    committed.git("sparse-checkout", "set", "sub")
    for command in ("init", "status", "df train", "remote list"):
        is_refused(committed.gitmemo(*command.split(), code=None), ".gitmemo/config.toml", ADVICE)
    assert not (committed.root / ".gitmemo").exists()
    said = committed.python("pipeline.py", code=None)
    assert ADVICE in said.err
    assert committed.is_clean()
    committed.git("sparse-checkout", "add", ".gitmemo")
    assert (committed.root / ".gitmemo/config.toml").read_text("utf-8") == settings
    assert committed.status() == before
    assert committed.run() == (5, 0)


def test_a_committed_index_that_is_left_out_is_not_taken_for_an_empty_one(
    committed: Clone, settings: str
) -> None:
    before = committed.status()
    committed.git("sparse-checkout", "set", "--no-cone", "/*", "!/.gitmemo/index")
    for command in ("status", "df train", "decide scale --breaking"):
        is_refused(committed.gitmemo(*command.split(), code=None), ".gitmemo/index`")
    committed.change("value * 2", "value * 3")
    committed.commit("Three")
    committed.change("value * 3", "value * 2")
    committed.commit("Two")
    committed.git("sparse-checkout", "add", ".gitmemo/index")
    assert committed.status()["ops"] == before["ops"]
    assert committed.run() == (5, 0)


def test_settings_that_somebody_deleted_are_brought_back_rather_than_written_anew(
    committed: Clone, settings: str
) -> None:
    path = committed.root / ".gitmemo/config.toml"
    path.unlink()
    done = committed.gitmemo("init", code=None)
    is_refused(done, "git checkout HEAD -- .gitmemo/config.toml")
    assert not path.exists()
    committed.git("rm", "-q", "--cached", ".gitmemo/config.toml")
    is_refused(committed.gitmemo("init", code=None), "commit its removal")
    committed.git("checkout", "HEAD", "--", ".gitmemo/config.toml")
    assert path.read_text("utf-8") == settings
    committed.git("rm", "-q", ".gitmemo/config.toml")
    committed.git("commit", "-q", "-m", "Without gitmemo")
    committed.gitmemo("init")
    assert "[record]" not in path.read_text("utf-8")


def test_settings_that_git_is_told_to_pass_over_are_read(committed: Clone, settings: str) -> None:
    committed.git("update-index", "--skip-worktree", ".gitmemo/config.toml")
    committed.write(".gitmemo/config.toml", settings + 'on_change = "error"\n')
    assert committed.run() == (5, 0)
