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
    assert {path.name for path in tmp_path.iterdir()} <= {
        "s.db",
        "s.db-wal",
        "s.db-shm",
        "s.db-claims",
    }


POINT = """\
import sys
import gitmemo as gm

storage = gm.Storage(db_path=sys.argv[1])


class Point:
    def __init__(self, x):
        self.x = x


class Broken(Point):
    def __reduce__(self):
        return unreadable, ()


def unreadable():
    if "--read" in sys.argv:
        raise RuntimeError("cannot be read")
    return Broken(0)


@gm.op(name="make")
def make(x):
    return Broken(x) if x == 2 else Point(x)


if __name__ == "__main__":
    with storage:
        for x in range(4):
            make(x)
"""

READ = """\
import sys, warnings
import gitmemo as gm

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    frame = gm.Storage(db_path=sys.argv[1]).cf("make").df(values="objs")
for x, value in sorted(zip(frame["x"], frame["make"])):
    print(x, "ref" if isinstance(value, gm.Ref) else value.x)
print(len(caught), "cannot be read" in str(caught[0].message))
"""


def test_objects_of_a_script_are_readable_elsewhere_and_one_that_is_not_costs_only_itself(
    tmp_path: Path,
) -> None:
    (tmp_path / "point.py").write_text(POINT)
    (tmp_path / "read.py").write_text(READ)
    command = [sys.executable, str(tmp_path / "point.py"), str(tmp_path / "s.db")]
    subprocess.run(command, check=True)
    command = [sys.executable, str(tmp_path / "read.py"), str(tmp_path / "s.db"), "--read"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["0 0", "1 1", "2 ref", "3 3", "1 True", ""]


def test_settings_given_later_count(tmp_path: Path) -> None:
    """The other tool took the settings of the first time, whatever was said."""
    with gm.Storage(tmp_path / "s.db") as plain:
        nested(1)
    plain.close()
    with gm.Storage(tmp_path / "s.db", deps_path=Path(__file__).parent) as tracking:
        assert not nested.is_cached(1), "a call without a version is not reused under versions"
        nested(1)
        assert nested.is_cached(1)
    tracking.close()
    with gm.Storage(tmp_path / "s.db", deps_path="__main__") as other:
        assert "versioned)" in repr(other)
        assert "not versioned" not in repr(other)
    other.close()
    with gm.Storage(tmp_path / "s.db"):
        assert nested.is_cached(1)


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
