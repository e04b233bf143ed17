"""What faults found, each as small as it can be told. The faults themselves are in `test_faults`."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from driver import Clone
from forked import forked

import gitmemo as gm
from gitmemo.blobs import RepositoryBlobs
from gitmemo.blobs.holding import copies
from gitmemo.blobs.inspecting import inspect
from gitmemo.blobs.moving import carry
from gitmemo.blobs.store import SELF
from gitmemo.database import Database
from gitmemo.errors import SystemRefused
from gitmemo.hashing.digest import Digest, digest
from gitmemo.plain_files import alone_in, replace_file
from gitmemo.world.derived import open_derived
from gitmemo.world.journal import Journal, Place, read_entries

PLACE = Place("main", None)


def entries(folder: Path) -> list[str]:
    return sorted(e.line for path in folder.glob("*.jsonl") for e in read_entries(path)[0])


def refusing(number: int) -> Callable[..., None]:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def test_nothing_is_written_behind_a_torn_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails in the middle of a line, and then does not let it be taken back."""
    journal = Journal(tmp_path)
    journal.append(PLACE, ["one"])
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: write(file, data[: len(data) // 2]))
        patch.setattr(os, "ftruncate", refusing(errno.EIO))
        with pytest.raises(OSError, match="no space"):
            journal.append(PLACE, ["two"])
    journal.append(PLACE, ["three"])
    assert entries(tmp_path) == ["one", "three"]


def test_an_interrupt_behind_a_line_costs_no_line_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written counts as written, also if Ctrl-C came before anybody noted that."""
    journal = Journal(tmp_path)
    write = os.write

    def interrupted(file: int, data: bytes) -> int:
        write(file, data)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            journal.append(PLACE, ["one"])
    journal.append(PLACE, ["two"])
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: write(file, data[:5]))
        with pytest.raises(OSError, match="no space"):
            journal.append(PLACE, ["three"])
    assert entries(tmp_path) == ["one", "two"]


def test_a_commit_that_fails_leaves_no_transaction_open(tmp_path: Path) -> None:
    """Others would wait for it, and this process could begin none."""
    storage = gm.Storage(db_path=tmp_path / "s.db")

    @gm.op(name="f")
    def f(n: int) -> str:
        return "x" * n

    with storage:
        f(1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, before[1]))
        with pytest.raises(SystemRefused, match="fix: ") as refused, storage:
            for n in range(20_000, 20_100):
                f(n)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(tmp_path / "s.db") in str(refused.value)
    other = sqlite3.connect(tmp_path / "s.db", timeout=0.1)
    other.execute("begin immediate")
    other.rollback()
    other.close()
    with storage:
        assert storage.unwrap(f(5)) == "xxxxx"


def test_no_room_for_the_derived_index_stops_nobody(ran: Clone) -> None:
    """All that it holds is in other files."""
    for path in (ran.root / ".git/gitmemo").glob("index.db*"):
        path.unlink()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))
        said = forked(ran, "df", "pipeline:train", "--json").out
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(said.splitlines()) == 2
    assert ran.run() == (5, 0)


def test_where_nothing_can_be_locked_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite would wait for a minute: it takes that for a lock of somebody else."""
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "lockf", refusing(errno.ENOLCK))
        index = open_derived(tmp_path / "index.db")
    assert index.newest() == 0
    assert not (tmp_path / "index.db").exists()
    index.close()


def test_errors_of_sqlite_say_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    database = Database(path, lambda connection: connection.execute("create table t(a)").close())
    database.execute("pragma query_only = 1")
    with pytest.raises(SystemRefused, match=r"x\.db.*readonly.*\n  fix: "):
        database.execute("insert into t values (1)")
    with pytest.raises(sqlite3.OperationalError, match="syntax"):
        database.execute("not SQL")
    database.close()


def test_what_a_killed_process_did_not_finish_is_not_committed(begun: Clone) -> None:
    left = begun.root / ".gitmemo/..gitattributes.0123456789abcdef.new"
    left.write_text("half")
    begun.gitmemo("init")
    assert "new" not in begun.git("diff", "--cached", "--name-only")


def test_files_of_the_project_wait_where_git_does_not_look(
    begun: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "replace", refusing(errno.EIO))
    monkeypatch.setattr(Path, "unlink", refusing(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        replace_file(begun.root, ".gitmemo/config.toml", b"")
    assert begun.is_clean()


def test_gc_removes_what_nobody_finished(ran: Clone) -> None:
    private = ran.root / ".git/gitmemo"
    (private / "remotes/lab").mkdir(parents=True)
    left = [
        private / ".config.toml.0123456789abcdef.new",
        private / "journal/main/x.exported.17-01234567.new",
        private / "remotes/lab/.tmp-17-0123456789abcdef",
        private / "blobs/.store.json.0123456789abcdef.new",
        ran.root / ".gitmemo/.config.toml.0123456789abcdef.new",
    ]
    young = private / "journal/main/y.exported.17-01234567.new"
    for path in (*left, young):
        path.write_text("half")
    long_ago = time.time() - 2 * 86_400
    for path in left:
        os.utime(path, (long_ago, long_ago))
    forked(ran, "gc")
    assert all(path.exists() for path in left)
    forked(ran, "gc", "--yes")
    assert not any(path.exists() for path in left)
    assert young.exists()


def test_what_comes_in_pieces_is_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of a file may come in several; a value in a pack was taken for damaged, for good."""
    chunk = b"some value"
    stored = [Digest(digest(chunk * n)) for n in range(1, 9)]
    for n, blob in enumerate(stored, 1):
        RepositoryBlobs(tmp_path / "here").put_verified(blob, "raw", (chunk * n,), SELF)
    read = os.pread
    monkeypatch.setattr(os, "pread", lambda file, size, at: read(file, min(size, 7), at))
    store = RepositoryBlobs(tmp_path / "here")
    assert [store.find(blob).read() for blob in stored] == [chunk * n for n in range(1, 9)]
    assert not list(tmp_path.rglob("*.damage"))
    assert not inspect(tmp_path / "here").damaged
    done = carry(tmp_path / "here", tmp_path / "there", lambda _: True)
    assert (done.copies, done.damaged) == (8, set())


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ESTALE])
def test_what_cannot_be_read_now_is_not_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Else its values would not be carried into another store, or counted by gc."""
    blob = Digest(digest(b"some value"))
    RepositoryBlobs(tmp_path / "here").put_verified(blob, "raw", (b"some value",), SELF)
    open_file = os.open

    def failing(path: str | Path, *arguments: int, **options: int) -> int:
        if str(path).endswith(".pack"):
            raise OSError(number, os.strerror(number), str(path))
        return open_file(path, *arguments, **options)

    monkeypatch.setattr(os, "open", failing)
    with pytest.raises(OSError, match="pack"):
        RepositoryBlobs(tmp_path / "here").missing([blob])
    with pytest.raises(OSError, match="pack"):
        carry(tmp_path / "here", tmp_path / "there", lambda _: True)
    with pytest.raises(OSError, match="pack"):
        list(copies(tmp_path / "here"))


def commit_without_the_hook_after(clone: Clone) -> None:
    """Let the hook after a commit fail, so that the segment is in the commit alone."""
    hook = clone.root / ".git/hooks/post-commit"
    whole = hook.read_text()
    hook.write_text("#!/bin/sh\nexit 1\n")
    clone.git("add", "-A")
    clone.process("git", "commit", "-q", "--allow-empty", "-m", "Results")
    hook.write_text(whole)
    assert not clone.is_clean()


def test_what_was_committed_on_a_full_disk_reaches_the_work_tree(ran: Clone) -> None:
    """The hook after the commit fails; `git commit -a` would take the segment for deleted."""
    commit_without_the_hook_after(ran)
    assert forked(ran, "status").code == 0
    assert ran.is_clean()
    ran.git("commit", "-q", "-a", "--allow-empty", "-m", "More")
    assert ran.calls_in() == 5


def test_a_hook_on_a_full_disk_says_what_to_do(ran: Clone) -> None:
    commit_without_the_hook_after(ran)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))
        said = forked(ran, "hook", "run", "post-commit")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "internal error" not in said.err
    assert "\n  fix: no file may grow so large here" in said.err
    assert "git goes on without results" in said.err
    assert not ran.is_clean()
    forked(ran, "hook", "run", "post-commit")
    assert ran.is_clean()


def test_who_is_interrupted_while_a_folder_is_locked_does_not_wait_for_it_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock

    def interrupted(file: int, how: int) -> None:
        lock(file, how)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", interrupted)
        with pytest.raises(KeyboardInterrupt), alone_in(tmp_path):
            pass
    with opened(tmp_path) as file:
        lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def opened(folder: Path) -> Iterator[int]:
    file = os.open(folder, os.O_RDONLY)
    try:
        yield file
    finally:
        os.close(file)
