"""What a repository from elsewhere, a killed hook or a bad disk must not be able to do."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from driver import Clone

EVIL = """\
class Model:
    def __init__(self, weights):
        self.weights = weights

    def __reduce__(self):
        import os
        return os.system, ("echo pwned > {proof}",)


def scale(value):
    return value * 2
"""


def segments(clone: Clone) -> list[Path]:
    return sorted((clone.root / ".gitmemo/index/1").glob("*/*.jsonl"))


def test_trust_does_not_follow_a_committed_change_of_the_address(
    committed: Clone, clone_of, tmp_path: Path
) -> None:
    proof = tmp_path / "proof"
    committed.gitmemo("remote", "add", "lab", str(tmp_path / "good"))
    committed.commit("Share")
    attacker = clone_of(committed, "attacker")
    attacker.write("helper.py", EVIL.format(proof=proof))
    attacker.git("checkout", "-q", "-b", "evil")
    attacker.change(str(tmp_path / "good"), str(tmp_path / "evil"), ".gitmemo/config.toml")
    attacker.gitmemo("run", "--recompute-missing", "pipeline.py", "7", code=None)
    attacker.commit("Innocent")
    attacker.gitmemo("push", code=None)
    proof.unlink(missing_ok=True)

    committed.gitmemo("remote", "trust", "lab")
    committed.git("fetch", "-q", str(attacker.root), "evil:evil")
    committed.git("checkout", "-q", "evil")
    committed.gitmemo("pull", code=None)
    committed.git("checkout", "-q", "main")
    committed.gitmemo("run", "pipeline.py", "7", code=None)
    assert not proof.exists()
    assert (tmp_path / "evil").is_dir(), "there was something to pull"
    pulled = {p.name for p in (committed.root / ".git/gitmemo/blobs/remote").glob("*")}
    assert all("-" in name for name in pulled), "bytes are kept apart by address"


def test_a_killed_hook_leaves_nothing_for_good(ran: Clone) -> None:
    hook = ran.root / ".git/hooks/post-commit"
    kept = hook.read_bytes()
    hook.write_text("#!/bin/sh\nkill -9 $$\n")
    ran.write("notes.txt", "first\n")
    ran.git("add", "-A")
    ran.process("git", "commit", "-q", "-m", "First", code=None)
    assert not ran.is_clean()
    hook.write_bytes(kept)
    hook.chmod(0o755)
    ran.write("notes.txt", "second\n")
    ran.commit("Second")
    assert ran.is_clean()
    assert ran.calls_in() == 5


def test_a_mixed_reset_loses_nothing(committed: Clone) -> None:
    committed.git("reset", "-q", "HEAD~1")
    committed.commit("Again")
    assert committed.is_clean()
    assert committed.calls_in() == 5


@pytest.mark.skipif(os.name == "nt", reason="needs named pipes")
def test_a_link_in_the_index_is_refused_not_read(committed: Clone, tmp_path: Path) -> None:
    (committed.root / ".git/gitmemo/index.db").unlink()
    (segment, *_) = segments(committed)
    segment.unlink()
    os.mkfifo(tmp_path / "pipe")
    segment.symlink_to(tmp_path / "pipe")
    done = committed.gitmemo("status", code=4)
    assert "not a regular file" in done.err


def test_nothing_is_written_through_a_linked_folder(committed: Clone, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    shutil.move(committed.root / ".gitmemo/index/1", outside)
    (committed.root / ".gitmemo/index/1").symlink_to(outside)
    before = sorted(outside.rglob("*"))
    committed.gitmemo("run", "pipeline.py", "9", code=None)
    committed.write("notes.txt", "more\n")
    committed.git("add", "notes.txt")
    committed.process("git", "commit", "-q", "-m", "More", code=None)
    assert sorted(outside.rglob("*")) == before


def test_decisions_of_a_branch_that_was_left_do_not_count(committed: Clone) -> None:
    committed.git("checkout", "-q", "-b", "experiment")
    committed.change("value * 2", "value * 3")
    committed.commit("Try", GITMEMO_ON_CHANGE="non-breaking")
    assert committed.run("1", "2") == (5, 0)
    committed.git("checkout", "-q", "main")
    committed.git("branch", "-q", "-D", "experiment")
    committed.change("value * 2", "value * 3")
    assert committed.run("1", "2") == (1, 4)


def test_a_damaged_index_is_made_anew(committed: Clone) -> None:
    index = committed.root / ".git/gitmemo/index.db"
    committed.gitmemo("status")
    data = bytearray(index.read_bytes())
    data[2048:] = b"\x55" * (len(data) - 2048)
    index.write_bytes(data)
    for suffix in ("-wal", "-shm"):
        Path(f"{index}{suffix}").unlink(missing_ok=True)
    assert committed.run("1", "2") == (5, 0)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_repository_can_be_asked(committed: Clone) -> None:
    (committed.root / ".git/gitmemo/index.db").unlink()
    (committed.root / ".git/gitmemo").chmod(0o555)
    try:
        assert "5 calls" in committed.gitmemo("status").out
    finally:
        (committed.root / ".git/gitmemo").chmod(0o755)


@pytest.mark.parametrize(
    "line",
    [
        '["call","m:f",0,null,[],[],[],{"seconds":NaN}]',
        '["call","m:f",99999999999999999999,null,[],[],[],{}]',
        '["value","A","json",1,"A"]',
        '["surprise"]',
        "[]",
    ],
)
def test_a_hostile_record_is_one_clear_error_everywhere(committed: Clone, line: str) -> None:
    from gitmemo.world.segments import build_segment

    segment = build_segment([line])
    target = committed.root / segment.path("2026-01")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(segment.data)
    for command in (("status",), ("df", "train"), ("verify",)):
        done = committed.gitmemo(*command, code=4)
        assert "Traceback" not in done.text
        assert "damaged" in done.text


def test_a_commit_writes_through_no_link(committed: Clone) -> None:
    """Two links: what the index seems to hold, and where its bytes would be written first."""
    evil = "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\teditor = evil\n"
    folder = committed.root / ".gitmemo/index/1/2026-11"
    folder.mkdir(parents=True, exist_ok=True)
    name = "a" * 64
    (folder / f"{name}.jsonl").symlink_to(evil)
    (folder / f".{name}.jsonl.new").symlink_to("../../../../.git/config")
    before = (committed.root / ".git/config").read_bytes()
    committed.git("add", "-A")
    committed.git("commit", "-q", "--no-verify", "-m", "Links")
    committed.gitmemo("hook", "run", "post-commit", code=None)
    committed.write("notes.txt", "more\n")
    committed.git("commit", "-q", "-a", "-m", "Mine")
    assert (committed.root / ".git/config").read_bytes() == before
