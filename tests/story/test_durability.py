"""A finished call is durable: kills, several processes at once, a full disk."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from driver import Clone

# Reports each call as soon as it has returned, past all buffers.
CHILD = """\
import os, sys
import gitmemo as gm

where, first, count, pause = sys.argv[1], *map(int, sys.argv[2:5])
storage = gm.open() if where == "repository" else gm.Storage(db_path=where)


@gm.op(name="work")
def work(i):
    if pause:
        import time

        time.sleep(pause / 1000)
    return {"i": i, "text": "x" * 400}


try:
    with storage:
        for i in range(first, first + count):
            work(i)
            os.write(1, f"{i}\\n".encode())
except OSError as error:
    os.write(2, f"{type(error).__name__}: {error}".encode())
    sys.exit(9)
except Exception as error:
    os.write(2, f"{type(error).__name__}: {error}".encode())
    sys.exit(8)
"""

CHECK = """\
import json, sys
import gitmemo as gm

where, wanted = sys.argv[1], json.loads(sys.argv[2])
storage = gm.open() if where == "repository" else gm.Storage(db_path=where)
runs = []


@gm.op(name="work")
def work(i):
    runs.append(i)
    return {"i": i, "text": "x" * 400}


with storage:
    good = all(storage.unwrap(work(i)) == {"i": i, "text": "x" * 400} for i in wanted)
frame = storage.cf("work").df()
print(json.dumps({"good": good, "runs": runs, "stored": sorted(frame["i"])}))
"""


@pytest.fixture(params=["repository", "file"])
def place(request: pytest.FixtureRequest, begun: Clone, tmp_path: Path) -> tuple[Clone, str]:
    """A repository with the scripts, and where calls are stored: there, or in one file."""
    begun.write("child.py", CHILD)
    begun.write("check.py", CHECK)
    return begun, "repository" if request.param == "repository" else str(tmp_path / "one file.db")


def start(
    clone: Clone, where: str, first: int, count: int, pause: int = 0, *launcher: str
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*launcher, sys.executable, "child.py", where, str(first), str(count), str(pause)],
        cwd=clone.root,
        env=clone.env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def check(clone: Clone, where: str, wanted: list[int]) -> dict[str, list[int]]:
    done = clone.python("check.py", where, json.dumps(wanted))
    found: dict[str, list[int]] = json.loads(done.out)
    assert found["good"], "a value came back damaged"
    return found


def stored(clone: Clone, where: str) -> list[int]:
    """Return the arguments of the stored calls, each once."""
    if where != "repository":
        return check(clone, where, [])["stored"] if Path(where).exists() else []
    return [row["i"] for row in clone.rows("work")]


@pytest.mark.parametrize("kills", [5, pytest.param(60, marks=pytest.mark.deep)])
def test_a_kill_loses_at_most_the_running_call(place: tuple[Clone, str], kills: int) -> None:
    clone, where = place
    chance = random.Random(20)
    reported: list[int] = []
    for number in range(kills):
        child = start(clone, where, number * 10_000, 10_000)
        assert child.stdout
        lines = [child.stdout.readline() for _ in range(chance.randint(1, 60))]
        time.sleep(chance.random() / 50)
        os.killpg(child.pid, signal.SIGKILL)
        lines += child.stdout.readlines()
        child.communicate()
        # A torn last line was not reported.
        reported += [int(line) for line in lines if line.endswith(b"\n")]
    found = stored(clone, where)
    assert len(found) == len(set(found))
    assert set(reported) <= set(found)
    assert len(found) <= len(reported) + kills, "one call at most is ahead of each report"
    last = start(clone, where, reported[0], 1)
    assert last.communicate()[0] == f"{reported[0]}\n".encode()
    assert sorted(stored(clone, where)) == sorted(found), "a stored call was run again"
    if where == "repository":
        assert clone.gitmemo("verify").code == 0
        clone.commit("All")
        assert clone.calls_in() == len(found)
        assert clone.is_clean()


def test_processes_at_once_lose_nothing(place: tuple[Clone, str]) -> None:
    clone, where = place
    firsts = (0, 0, 0, 20, 20, 40, 40, 40)
    children = [start(clone, where, first, 40, 1) for first in firsts]
    outputs = [child.communicate(timeout=60) for child in children]
    assert [child.returncode for child in children] == [0] * len(firsts), outputs
    assert sorted(set(stored(clone, where))) == list(range(80))
    if where == "repository":
        assert clone.gitmemo("verify").code == 0
    else:
        assert check(clone, where, list(range(80)))["runs"] == []


_LIMITED = (
    "import os, resource, sys; n = int(sys.argv[1]);"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (n, n)); os.execvp(sys.argv[2], sys.argv[2:])"
)


def test_a_full_disk_stops_the_run_and_loses_nothing(place: tuple[Clone, str]) -> None:
    clone, where = place
    limit = 150_000
    start(clone, where, 5000, 1).communicate()  # the files of an empty store are there
    child = start(clone, where, 0, 3000, 0, sys.executable, "-c", _LIMITED, str(limit))
    out, err = child.communicate(timeout=60)
    reported = [int(line) for line in out.splitlines()]
    assert child.returncode in (8, 9), (child.returncode, err)
    assert reported, err
    found = set(stored(clone, where))
    assert {*reported, 5000} <= found
    assert len(found) <= len(reported) + 2
    more = start(clone, where, len(reported), 3)
    more.communicate()
    assert more.returncode == 0
    assert set(range(len(reported) + 3)) <= set(stored(clone, where))
    if where == "repository":
        assert clone.gitmemo("verify").code == 0


def test_a_short_write_to_the_journal_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gitmemo.world.journal import Journal, Place, read_entries

    place = Place("main", None)
    journal = Journal(tmp_path)
    journal.append(place, ["one"])
    (path,) = tmp_path.glob("*.jsonl")
    whole = path.read_bytes()
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[: len(data) // 2]))
    with pytest.raises(OSError, match="no space"):
        journal.append(place, ["two", "three"])
    assert path.read_bytes() == whole
    monkeypatch.setattr(os, "write", write)
    journal.append(place, ["four"])
    assert [entry.line for entry in read_entries(path)[0]] == ["one", "four"]


def test_a_torn_last_line_is_a_call_that_was_running(ran: Clone) -> None:
    (path,) = ran.journals()
    lines = path.read_bytes().splitlines(keepends=True)
    call = max(n for n, line in enumerate(lines) if b'["call",' in line)
    path.write_bytes(b"".join(lines[:call]) + lines[call][:-20])
    for name in ("index.db", "index.db-wal", "index.db-shm"):
        (ran.root / ".git/gitmemo" / name).unlink(missing_ok=True)
    assert ran.run() == (4, 1)
    assert ran.run() == (5, 0)
    assert ran.gitmemo("verify").code == 0


BLOCKS = """\
import os, subprocess, sys
import gitmemo as gm


@gm.op(name="work")
def work(i):
    return i + 1


def counted(*numbers):
    before = storage.counter.computed
    with storage:
        for i in numbers:
            work(i)
    return storage.counter.computed - before


storage = gm.open()
if len(sys.argv) > 1:
    counted(*map(int, sys.argv[1:]))
else:
    with storage:
        work(0)  # the index holds no call of this op: in this block it is not asked again
        subprocess.run([sys.executable, __file__, "1"], check=True)
        subprocess.run([sys.executable, __file__, "2"], check=True)  # reads what the first wrote
    print(counted(0, 1, 2))
"""


def test_calls_that_others_made_of_a_new_op_are_found_in_the_next_block(begun: Clone) -> None:
    begun.write("blocks.py", BLOCKS)
    assert begun.python("blocks.py").out.strip() == "0"
