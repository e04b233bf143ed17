"""A process that is forked off while a storage is open."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from pathlib import Path

import pytest

import gitmemo as gm
from gitmemo.errors import SystemRefused

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")


@gm.op(name="fork.double")
def double(x):
    return 2 * x


def in_child(act) -> int:
    """Run `act` in a forked child; return its exit code."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            act()
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def test_a_child_has_its_own_connection(tmp_path: Path) -> None:
    storage = gm.Storage(db_path=tmp_path / "s.db")
    with storage:
        double(1)
        parents = storage.world.index.database.connection

        def child() -> None:
            assert storage.world.index.database.connection is not parents
            for x in range(1, 50):
                assert storage.unwrap(double(x)) == 2 * x
            assert storage.counter.computed == 1 + 48  # the first was the parent's

        assert in_child(child) == 0
        for x in range(1, 50):
            double(x)
        assert storage.counter.computed == 1  # what the child made is found


def test_databases_whose_files_are_gone_do_not_keep_others_from_a_child(tmp_path: Path) -> None:
    def storage(name: str) -> gm.Storage:
        (tmp_path / name).mkdir()
        return gm.Storage(db_path=tmp_path / name / "s.db")

    gone = [storage(str(number)) for number in range(8)]
    here = storage("here")
    for number in range(len(gone)):
        shutil.rmtree(tmp_path / str(number))

    def child() -> None:
        with here:
            assert here.unwrap(double(3)) == 6
        for one in gone:
            with pytest.raises(SystemRefused):
                one.world.index.latest_tombstone()

    assert in_child(child) == 0


def test_a_lock_that_a_thread_of_the_parent_holds_does_not_block_the_child(tmp_path: Path) -> None:
    storage = gm.Storage(db_path=tmp_path / "s.db")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with storage.world.index.lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()

    def child() -> None:
        with storage:
            assert storage.unwrap(double(3)) == 6

    try:
        assert in_child(child) == 0
    finally:
        done.set()
        thread.join()
