"""Maps on a real Dask cluster of two worker processes, and what is left when its parts are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from driver import Clone, copy_of, environment
from parallel.batch_programs import GRAPH, MORE
from parallel.programs import SLOW, executions, kept, make_parallel_project, records

pytest.importorskip("distributed")

_CLUSTER = """
import json, sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(
        n_workers=2, processes=True, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        print(json.dumps(cluster.scheduler_address), flush=True)
        sys.stdin.read()
"""


class Cluster:
    """A scheduler in a process of its own, and its two workers."""

    def __init__(self, folder: Path) -> None:
        script = folder / "cluster.py"
        script.write_text(_CLUSTER)
        self.process = subprocess.Popen(
            [sys.executable, script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(folder),
            cwd=folder,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.address: str = json.loads(self.process.stdout.readline())

    def workers(self) -> list[int]:
        from distributed import Client

        with Client(self.address) as client:
            return sorted(client.run(os.getpid).values())

    def restart(self) -> None:
        """Let its workers forget the modules of another test."""
        from distributed import Client

        with Client(self.address) as client:
            client.restart()

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    yield found
    found.end()


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    home = tmp_path_factory.mktemp("home")
    return make_parallel_project(tmp_path_factory.mktemp("project") / "p", home)


def test_records_are_those_of_a_loop(begun: Clone, cluster: Cluster, tmp_path: Path) -> None:
    cluster.restart()
    looped, clone = copy_of(begun, tmp_path / "looped"), copy_of(begun, tmp_path / "p")
    said = looped.python("program.py", "loop").out.splitlines()[0]
    assert clone.python("program.py", "dask", cluster.address).out.splitlines()[0] == said
    assert records(clone) == records(looped)
    assert executions(clone) == executions(looped)
    assert clone.python("program.py", "dask", cluster.address).out.splitlines() == [said, "0"]


def test_records_of_a_batch_are_those_of_a_plain_program(
    begun: Clone, cluster: Cluster, tmp_path: Path
) -> None:
    cluster.restart()
    plain, clone = copy_of(begun, tmp_path / "plain"), copy_of(begun, tmp_path / "p")
    for one in (plain, clone):
        one.write("program.py", GRAPH)
        one.write("more.py", MORE)
    said = plain.python("program.py", "plain").out.splitlines()[0]
    assert clone.python("program.py", "dask", cluster.address).out.splitlines()[0] == said
    assert kept(clone) == kept(plain)
    assert executions(clone) == executions(plain)
    assert clone.python("program.py", "dask", cluster.address).out.splitlines() == [said, "0"]


def start(clone: Clone, *arguments: str) -> subprocess.Popen[bytes]:
    """Begin a map of 40 calls that take a while, and wait for the first ones."""
    clone.write("slow.py", SLOW)
    process = subprocess.Popen(
        [sys.executable, "slow.py", *arguments],
        cwd=clone.root,
        env=clone.env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while len(executions(clone)) < 6:
        assert time.monotonic() < deadline
        assert process.poll() is None, _read(process.stdout)
        time.sleep(0.02)
    return process


def _read(stream: IO[bytes] | None) -> str:
    return stream.read().decode() if stream else ""


def stored(clone: Clone) -> int:
    return sum('["call", "slow:' in line for line in records(clone))


@pytest.mark.parametrize("victim", ["worker", "driver", "scheduler"])
def test_whatever_is_killed_finished_calls_are_stored(
    begun: Clone, tmp_path: Path, victim: str
) -> None:
    clone = copy_of(begun, tmp_path / "p")
    own = Cluster(tmp_path)
    try:
        process = start(clone, "dask", own.address)
        target = {"driver": process.pid, "scheduler": own.process.pid}
        os.kill(target[victim] if victim in target else own.workers()[0], signal.SIGKILL)
        out = process.communicate(timeout=50)[0].decode()
        if victim == "worker":
            assert process.returncode == 0, out
        if victim == "scheduler":
            assert "WorkersLost" in out or "workers-lost" in out, out
            assert "run the same again" in out
        before = stored(clone)
        assert before >= 4
        # What was begun when it was killed may run twice; what was finished never does.
        done = clone.python("slow.py", "loky")
        assert done.out.strip() == str(sum(range(40)))
        assert stored(clone) == 40
        assert len(executions(clone)) <= 40 + 4
    finally:
        own.end()


_GREEDY = """
import sys
import joblib
import gitmemo as gm
from distributed import Client
from gitmemo.errors import ResourceMissing

storage = gm.Storage("calls.db")


@gm.op(resources={"GPU": 1})
def fit(x):
    return x


if __name__ == "__main__":
    with Client(sys.argv[1]), joblib.parallel_config("dask"):
        for made in ("map", "batch"):
            try:
                if made == "map":
                    storage.map(fit, range(4))
                else:
                    with storage.batch():
                        fit(1)
            except ResourceMissing as error:
                print(error)
"""


def test_what_no_worker_has_is_said_and_not_waited_for(
    begun: Clone, cluster: Cluster, tmp_path: Path
) -> None:
    clone = copy_of(begun, tmp_path / "p")
    clone.write("greedy.py", _GREEDY)
    out = clone.python("greedy.py", cluster.address).out
    assert out.count("a call needs 1 GPU, and no worker of the Dask cluster fits") == 2, out
    assert out.count("LocalCluster(resources={'GPU': 1})") == 2, out


_INSIDE = """
import sys
import joblib
import gitmemo as gm
from distributed import Client

storage = gm.Storage("calls.db")
FACTOR = 10


class Model:
    def __init__(self, n):
        self.n = n


class Unlucky(Exception):
    pass


@gm.op
def fit(n):
    if n < 0:
        raise Unlucky(n)
    return Model(n * FACTOR)


@gm.op
def score(model):
    assert type(model) is Model
    return model.n + 1


if __name__ == "__main__":
    own = sys.modules["__main__"]
    inside = dict(processes=False, dashboard_address=None, n_workers=1, threads_per_worker=2)
    with Client(**inside), joblib.parallel_config("dask"):
        with storage:
            print(storage.unwrap(storage.map(score, storage.map(fit, range(4)))))
            try:
                storage.map(fit, [-1], on_error="raise")
            except Unlucky as error:
                print(type(error) is Unlucky)
        with storage.batch():
            found = [score(fit(n)) for n in range(4, 7)]
        print(storage.unwrap(found), storage.counter.computed)
    print(sys.modules["__main__"] is own, own.fit is fit, own.Model is Model)
"""


def test_workers_in_the_process_of_the_program_leave_its_main_script_as_it_is(
    begun: Clone, tmp_path: Path
) -> None:
    clone = copy_of(begun, tmp_path / "p")
    clone.write("inside.py", _INSIDE)
    out = clone.python("inside.py").out
    assert out.splitlines() == [
        "[1, 11, 21, 31]",
        "True",
        "[41, 51, 61] 14",
        "True True True",
    ], out
