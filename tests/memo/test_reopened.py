"""`Storage(db_path=…)`: one file, other processes, and what never gets into it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import gitmemo as gm

PROGRAM = """\
import sys
import gitmemo as gm

runs = []


@gm.op(name="square")
def square(x):
    runs.append(x)
    return [x * x] * 300


storage = gm.Storage(db_path=sys.argv[1])
with storage:
    refs = [square(i) for i in range(int(sys.argv[2]))]
print(len(runs), refs[0].hid, sum(storage.unwrap(ref)[0] for ref in refs))
"""


def run(path: Path, count: int, seed: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path), str(count)],
        capture_output=True,
        text=True,
        check=True,
        env={**__import__("os").environ, "PYTHONHASHSEED": seed},
    )
    return done.stdout.split()


def test_another_process_reuses_the_calls(tmp_path: Path) -> None:
    path = tmp_path / "my störage.db"
    first = run(path, 5, "1")
    assert first[0] == "5"
    again = run(path, 5, "2")
    assert again == ["0", *first[1:]]
    assert run(path, 7, "3")[0] == "2"


def test_one_file_needs_no_git(tmp_path: Path) -> None:
    run(tmp_path / "s.db", 2, "0")
    assert {path.name for path in tmp_path.iterdir()} <= {"s.db", "s.db-wal", "s.db-shm"}


SECRET = "hunter2-correct-horse"


@gm.op
def connect(password, user="me", **options):
    return f"connected as {user}"


@gm.op
def nested(config):
    return 1


@gm.op
def login(n, api_key=SECRET):
    return n


def everything_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def closure() -> object:
    token = SECRET

    @gm.op(name="with closure")
    def call(n):
        return (token and 1) + n

    return call(1)


def positional_only() -> object:
    @gm.op(name="positional only")
    def call(password, /, *token, **options):
        return 1

    return call("x", SECRET, password=SECRET)


CALLS = {
    "starred": positional_only,
    "positional": lambda: connect(SECRET),
    "keyword": lambda: connect(password=SECRET, user="you"),
    "star": lambda: connect("x" * 3, db_token=SECRET),
    "default": lambda: login(1),
    "bytes": lambda: connect(SECRET.encode()),
    "long": lambda: connect(SECRET * 1000),
    "dict": lambda: nested({"host": "h", "password": SECRET}),
    "deep": lambda: nested({"db": [{"secret": SECRET}]}),
    "list": lambda: connect([SECRET, "b"]),
    "wrapped": lambda: connect(gm.wrap(SECRET)),
    "wrapped inside": lambda: nested({"password": gm.wrap(SECRET)}),
    "closure": closure,
}


@pytest.mark.parametrize("how", CALLS)
def test_secrets_are_never_stored(tmp_path: Path, how: str) -> None:
    storage = gm.Storage(db_path=tmp_path / "s.db")
    with storage:
        CALLS[how]()
        CALLS[how]()
    assert (storage.counter.computed, storage.counter.reused) == (1, 1)
    storage.cf().df()
    storage.close()
    stored = everything_below(tmp_path)
    assert b"SQLite" in stored
    for part in (SECRET, "correct-horse"):
        assert part.encode() not in stored


def test_a_missing_secret_is_said_to_be_secret(tmp_path: Path) -> None:
    from gitmemo.errors import ValueMissing

    storage = gm.Storage(db_path=tmp_path / "s.db")
    with storage:
        ref = connect(SECRET)
    creator = storage.get_ref_creator(ref)
    assert creator is not None
    with pytest.raises(ValueMissing, match="never stored"):
        storage.unwrap(creator.inputs["password"])
    assert storage.unwrap(creator.inputs["user"]) == "me"
