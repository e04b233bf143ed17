"""What other users of this machine can see, change, or make us wait for."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import Clone, make_project

import gitmemo

SOURCE = Path(gitmemo.__file__).parent
LOCKS = {"claims", "in-use", "sweep", "collecting", "settling", "locks", "index.db", "index.db-wal"}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A project with results, a failed call, settings of this clone, a key, and a shared store."""
    clone = make_project(tmp_path_factory.mktemp("ours") / "p", tmp_path_factory.mktemp("home"))
    before = os.umask(0o022)
    try:
        clone.gitmemo("run", "pipeline.py", "1", "x", code=1)
        clone.write("fails.py", "import pipeline as p\nwith p.storage:\n    p.evaluate(None, 1)\n")
        clone.gitmemo("run", "fails.py", code=1)
        clone.gitmemo("remote", "add", "lab", "../lab")
        clone.gitmemo("remote", "trust", "lab")
        clone.gitmemo("remote", "key", "lab", "--generate")
        clone.gitmemo("gc")
        clone.gitmemo("store", "share", str(clone.home / "store"))
        clone.gitmemo("run", "pipeline.py", "2")
    finally:
        os.umask(before)
    return clone


def files_in(*folders: Path) -> Iterator[tuple[Path, int]]:
    for folder in folders:
        for path in folder.rglob("*"):
            yield path, stat.S_IMODE(path.stat().st_mode)


def test_what_is_secret_or_locked_is_for_this_user_alone(ran: Clone) -> None:
    """A lock needs no more than a file that can be opened, so reading is enough to stop programs."""
    alone = {
        path: mode
        for path, mode in files_in(ran.root / ".git/gitmemo", ran.home / "store")
        if path.name in {*LOCKS, "failures.jsonl", "config.toml"} or path.suffix == ".key"
    }
    assert {"claims", "in-use", "locks", "index.db", "failures.jsonl", "config.toml"} <= {
        path.name for path in alone
    }
    assert ran.home / "store/in-use" in alone
    assert [path for path in alone if path.suffix == ".key"]
    assert [str(path) for path, mode in alone.items() if mode != 0o600] == []
    assert stat.S_IMODE((ran.home / "store").stat().st_mode) == 0o700


def test_nobody_else_may_write_what_the_umask_forbids(ran: Clone) -> None:
    folders = (ran.root / ".git/gitmemo", ran.root / ".gitmemo", ran.home / "store")
    assert [str(path) for path, mode in files_in(*folders) if mode & 0o022] == []
    assert all(not stat.S_IMODE(hook.stat().st_mode) & 0o022
               for hook in (ran.root / ".git/hooks").iterdir())  # fmt: skip


def test_temporary_files_have_names_that_nobody_foresees() -> None:
    """No fixed place in a folder that all users share, and no name that is made before the file."""
    allowed = {"mkdtemp", "mkstemp", "TemporaryDirectory", "TemporaryFile", "NamedTemporaryFile"}
    allowed.add("gettempdir")  # in messages
    for path in SOURCE.rglob("*.py"):
        text = path.read_text("utf-8")
        assert set(re.findall(r"tempfile\.(\w+)", text)) <= allowed, path
        assert not re.search(r"from tempfile import|[\"'](/var)?/tmp/|[\"']/dev/shm", text), path


def listens(text: str) -> bool:
    """Whether a module waits for connections: by a server of Python's, or by a socket."""
    servers = r"socketserver|http\.server|(start|create)_server|multiprocessing\.connection"
    has_socket = re.search(r"\bsocket\b", text) and re.search(r"\.(bind|listen)\(", text)
    return bool(re.search(servers, text) or has_socket)


def test_only_the_page_server_listens() -> None:
    assert listens("from socket import socket\nown = socket()\nown.bind(address)")
    assert listens("import socket\nown.listen()")
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if listens(path.read_text("utf-8"))
    }
    assert found == {"report/server.py"}
