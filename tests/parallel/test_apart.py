"""Workers that do not see the program's folder, with a clone of their own: on a real Dask cluster."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from driver import Clone, copy_of
from parallel.programs import SLOW, executions, make_parallel_project, records
from s3_server import new_bucket, serving

import gitmemo as gm
from gitmemo.errors import WorkersApart
from gitmemo.memo.opening import open as open_storage
from gitmemo.memo.parallel.apart import OwnClone
from gitmemo.memo.parallel.meeting import Meeting, arranged, is_seen, leave_sign

pytest.importorskip("distributed")

_PROGRAM = """\
import resource
import sys

import joblib
import gitmemo as gm
from lib import adder, big, connected, inner, outer, storage


class Model:
    def __init__(self, weights):
        self.weights = weights


@gm.op
def data(n):
    return list(range(n))


@gm.op
def fit(values, x):
    return Model([value * x for value in values])


@gm.op
def score(model):
    return sum(model.weights)


def each(op, *iterables):
    if HOW == "loop":
        return [op(*row) for row in zip(*iterables)]
    return storage.map(op, *iterables)


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main():
    with storage:
        values = data(500)
        models = each(fit, [values, values], [2, 3])
        scores = each(score, models)
        found = each(outer, range(3))
        more = each(adder(5), found)
        print(storage.unwrap([scores, found, more]), storage.unwrap(models[0]).weights[-1])
        with storage.batch(n_jobs=2):
            more = [score(fit(values, 5)), score(fit(data(400), 6))]
        print(storage.unwrap(more))
        before = peak()
        each(big, [24_000_000, 26_000_000])
        print(storage.counter.computed, peak() - before < 16_000)


HOW = sys.argv[1]
if __name__ == "__main__":
    if HOW == "loop":
        main()
    else:
        with connected(), joblib.parallel_config(HOW):
            main()
"""
_CLUSTER = """
import json, sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(
        n_workers=2,
        processes=True,
        threads_per_worker=1,
        dashboard_address=None,
        host=sys.argv[1],
    ) as cluster:
        print(json.dumps(cluster.scheduler_address), flush=True)
        sys.stdin.read()
"""
# Where a machine has no namespaces: what workers do when they do not see the file.
_BLIND = """
import gitmemo.memo.parallel.opened as opened

opened.is_seen = lambda sign: not sign
"""


def works(*command: str) -> bool:
    """Whether a command is there, and succeeds."""
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


class Cluster:
    """Two workers in a clone of their own; they do not see the folder `hidden`."""

    def __init__(self, clone: Clone, hidden: Path, *before: str, host: str = "127.0.0.1") -> None:
        self.clone = clone
        script, blind = clone.home / "cluster.py", clone.home / "blind.py"
        script.write_text(_CLUSTER)
        blind.write_text(_BLIND)
        variables = {}
        command = [sys.executable, str(script), host]
        if works("unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"):
            hide = 'mount -t tmpfs none "$0" && exec "$@"'
            command = ["unshare", "-rm", "sh", "-c", hide, str(hidden), *command]
        else:
            variables["DASK_DISTRIBUTED__WORKER__PRELOAD"] = str(blind)
        self.process = subprocess.Popen(
            (*before, *command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=clone.env(**variables),
            cwd=clone.root,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.address: str = json.loads(self.process.stdout.readline())

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Places:
    """A project with a remote, in clones that know nothing of each other."""

    def __init__(self, folder: Path, url: str, *options: str) -> None:
        self.folder = folder
        self.variables: dict[str, str] = {}
        (folder / "home").mkdir()
        self.begun = make_parallel_project(folder / "begun", folder / "home", _PROGRAM)
        self.begun.gitmemo("remote", "add", "lab", url, *(w for o in options for w in ("-o", o)))
        self.begun.commit("Share")

    def clone(self, name: str) -> Clone:
        found = copy_of(self.begun, self.folder / name)
        found.variables |= self.variables
        found.gitmemo("remote", "trust", "lab")
        return found


@contextmanager
def running(places: Places, driver: Clone, *before: str, **how: str) -> Iterator[Cluster]:
    own = Cluster(places.clone("theirs"), driver.root, *before, **how)
    try:
        yield own
    finally:
        own.end()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Clone, Cluster]]:
    folder = tmp_path_factory.mktemp("apart")
    places = Places(folder, str(folder / "lab"))
    driver = places.clone("driver")
    with running(places, driver) as cluster:
        yield driver, cluster


@pytest.fixture(scope="module")
def looped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Clone, list[str]]:
    """The program as a plain loop, and what it said."""
    folder = tmp_path_factory.mktemp("looped")
    clone = Places(folder, str(folder / "lab")).begun
    return clone, clone.python("program.py", "loop").out.splitlines()


def check_like_a_loop(
    looped: tuple[Clone, list[str]], driver: Clone, cluster: Cluster, *before: str
) -> None:
    """Check that workers do what a loop does, and that values do not come to the driver."""
    loop, (*said, computed) = looped
    command = (*before, sys.executable, "program.py", "dask", cluster.address)
    out = driver.process(*command).out.splitlines()
    assert out[:-1] == said
    assert computed.split()[0] == "19"
    assert out[-1] == "17 True"  # inner calls are counted where they are made
    assert records(driver) == records(loop)
    assert executions(driver) == []
    assert executions(cluster.clone) == executions(loop)
    stored = driver.root / ".git/gitmemo/blobs"
    assert sum(path.stat().st_size for path in stored.rglob("*") if path.is_file()) < 1_000_000
    assert not list((driver.root / ".git/gitmemo").glob("workers/*"))


def test_records_are_those_of_a_loop(
    shared: tuple[Clone, Cluster], looped: tuple[Clone, list[str]]
) -> None:
    driver, cluster = shared
    check_like_a_loop(looped, driver, cluster)
    again = driver.python("program.py", "dask", cluster.address).out.splitlines()
    assert (again[:-1], again[-1].split()[0]) == (looped[1][:-1], "0")
    # What the program lost, its workers still have: all of it comes back, inner calls too.
    for path in (driver.root / ".git/gitmemo").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "config.toml":
            path.unlink()
    check_like_a_loop(looped, driver, cluster)


def test_what_came_back_is_stored_when_the_driver_is_killed(
    shared: tuple[Clone, Cluster],
) -> None:
    driver, cluster = shared
    driver.write("slow.py", SLOW)
    cluster.clone.write("slow.py", SLOW)
    process = subprocess.Popen(
        [sys.executable, "slow.py", "dask", cluster.address],
        cwd=driver.root,
        env=driver.env(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while stored(driver) < 4:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = stored(driver)
    assert before >= 4
    done = driver.python("slow.py", "dask", cluster.address)
    assert done.out.strip() == str(sum(range(40)))
    assert stored(driver) == 40
    # The workers' clone had what was on its way: nothing that was finished is computed twice.
    ran = [line for line in executions(cluster.clone) if line.startswith("slow")]
    assert len(ran) <= 40 + 4


_SHARED = SLOW.replace("slow", "shared").replace("40", "12")


def test_two_drivers_make_no_call_twice(shared: tuple[Clone, Cluster]) -> None:
    driver, cluster = shared
    driver.write("both.py", _SHARED)
    cluster.clone.write("both.py", _SHARED)
    # Claims of the workers' own clone would hide that the drivers do not claim.
    settings = cluster.clone.root / ".git/gitmemo/config.toml"
    before = settings.read_text()
    settings.write_text(f'[run]\nclaims = "off"\n{before}')
    try:
        command = [sys.executable, "both.py", "dask", cluster.address]
        drivers = [
            subprocess.Popen(
                command, cwd=driver.root, env=driver.env(), stdout=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        said = [process.communicate(timeout=60)[0].strip() for process in drivers]
    finally:
        settings.write_text(before)
    assert said == [str(sum(range(12)))] * 2
    ran = [line for line in executions(cluster.clone) if line.startswith("shared")]
    assert ran == sorted(f"shared {x}" for x in range(12))


def stored(clone: Clone) -> int:
    return sum('["call", "slow:' in line for line in records(clone))


def test_values_go_to_a_bucket(tmp_path: Path, looped: tuple[Clone, list[str]]) -> None:
    with serving() as endpoint:
        places = Places(tmp_path, f"s3://{new_bucket(endpoint)}/values", f"endpoint_url={endpoint}")
        places.variables = {
            name: value for name, value in os.environ.items() if name.startswith("AWS_")
        }
        driver = places.clone("driver")
        with running(places, driver) as cluster:
            check_like_a_loop(looped, driver, cluster)


def test_two_hosts(tmp_path: Path, looped: tuple[Clone, list[str]]) -> None:
    """A cluster and a program in two network namespaces that are joined by a wire."""
    here, there = f"gm{os.getpid()}a", f"gm{os.getpid()}b"
    if not works("ip", "netns", "add", here):
        pytest.skip("this machine lets nobody make network namespaces")
    try:
        for command in (
            f"netns add {there}",
            f"link add v0 netns {here} type veth peer name v1 netns {there}",
            f"-n {here} addr add 10.77.0.1/24 dev v0",
            f"-n {there} addr add 10.77.0.2/24 dev v1",
            f"-n {here} link set v0 up",
            f"-n {there} link set v1 up",
            f"-n {here} link set lo up",
            f"-n {there} link set lo up",
        ):
            if not works("ip", *command.split()):
                pytest.skip("this machine lets nobody join network namespaces")
        places = Places(tmp_path, str(tmp_path / "lab"))
        driver = places.clone("driver")
        host = ("ip", "netns", "exec", there, "unshare", "-u", "sh", "-c")
        renamed = (*host, 'hostname another && exec "$@"', "sh")
        with running(places, driver, *renamed, host="10.77.0.2") as cluster:
            check_like_a_loop(looped, driver, cluster, "ip", "netns", "exec", here)
    finally:
        works("ip", "netns", "del", here)
        works("ip", "netns", "del", there)


def met(places: Places, **other: object) -> Meeting:
    root = places.begun.root
    said: dict[str, object] = {
        "root": "/nowhere/at/all",
        "commit": places.begun.git("rev-parse", "HEAD"),
        "roots": frozenset({places.begun.git("rev-list", "--max-parents=0", "HEAD")}),
        "remote": "lab",
        "address": "",
        "sign": "there",
    }
    (places.folder / "lab/workers").mkdir(parents=True, exist_ok=True)
    (places.folder / "lab/workers/there").touch()
    assert root.is_dir()
    return Meeting(**(said | other))  # type: ignore[arg-type]


def test_a_worker_refuses_what_cannot_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places(tmp_path, str(tmp_path / "lab"))
    clone = places.clone("refusing")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(WorkersApart, match="no clone of the project") as caught:
        OwnClone(met(places))
    assert "GITMEMO_PROJECT" in caught.value.remedy()
    monkeypatch.setenv("GITMEMO_PROJECT", str(clone.root))
    assert OwnClone(met(places)).path("/nowhere/at/all/x.py") == str(clone.root / "x.py")
    # A shallow clone lacks the first commit; the one that the program has is enough.
    OwnClone(met(places, roots=frozenset()))
    with pytest.raises(WorkersApart, match="another history"):
        OwnClone(met(places, commit="0" * 40, roots=frozenset({"1" * 40})))
    with pytest.raises(WorkersApart, match="not the same there") as caught:
        OwnClone(met(places, sign="other"))
    assert "bucket" in caught.value.remedy()
    with pytest.raises(WorkersApart, match="cannot use the remote 'other'"):
        OwnClone(met(places, remote="other"))


def test_a_program_refuses_without_a_remote(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    clone = make_parallel_project(tmp_path / "p", tmp_path / "home")
    storage = open_storage(clone.root)
    try:
        with pytest.raises(WorkersApart, match="no default remote") as caught:
            arranged(storage, Owner())
        assert "gitmemo remote add" in caught.value.remedy()
        owner = Owner()
        sign = leave_sign(storage, owner)
        assert is_seen(sign)
        assert not is_seen(f"{sign}x")
        del owner
        assert not is_seen(sign)
    finally:
        storage.close()


def test_a_sign_can_be_left_while_another_program_takes_its_own_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, owner = gm.Storage(tmp_path / "calls.db"), Owner()

    others = [Owner()]
    left = [leave_sign(storage, others[0])]
    with monkeypatch.context() as patched:
        touch = Path.touch

        def taken_away_before(path: Path) -> None:
            others.clear()
            touch(path)

        patched.setattr(Path, "touch", taken_away_before)
        left.append(leave_sign(storage, owner))
    assert [is_seen(sign) for sign in left] == [False, True]


class Owner:
    """Whatever a sign is left for."""
