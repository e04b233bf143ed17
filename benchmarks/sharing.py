"""Sharing values through S3 and through a directory, beside DVC and bare fsspec.

Whole processes, as people start them: `gitmemo push`, `dvc push`. The server is a process of its own
and counts requests. DVC runs from an environment of its own (`environments`), or is a program given by
`GITMEMO_BENCH_DVC`, or found on the path; without it, it is left out.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

from benchmarks.environments import program_of
from benchmarks.peers import REPOSITORY, git, prepare

_SMALL, _SMALL_SIZE = 2_000, 200
_LARGE, _LARGE_SIZE = 20, 5_000_000
_MANY = 100_000
_ROUNDS = int(os.environ.get("GITMEMO_BENCH_ROUNDS", "3"))
_BUCKET = "values"
_ROOT = Path(__file__).parent.parent
_FILL = """
import sys
import gitmemo as gm
import subject

with gm.open("."):
    noise = gm.op(subject.noise)
    for number in range(int(sys.argv[1])):
        noise(number, 200)
    for number in range(int(sys.argv[2])):
        noise(number, 5_000_000)
"""
_BARE = """
import sys
from pathlib import Path
from fsspec.core import url_to_fs

action, url, endpoint, folder = sys.argv[1:]
options = {"endpoint_url": endpoint} if endpoint else {}
fs, root = url_to_fs(url, **options)
if action == "open":
    fs.connect()
elif action == "push":
    files = sorted(Path(folder).iterdir())
    fs.makedirs(root, exist_ok=True) if not endpoint else None
    fs.put([str(path) for path in files], [f"{root}/{path.name}" for path in files])
else:
    names = fs.ls(root, detail=False)
    Path(folder).mkdir()
    fs.get(names, [f"{folder}/{name.rpartition('/')[2]}" for name in names])
"""
_LIBRARY = """
import json, sys, time
from pathlib import Path
from random import Random
from gitmemo.blobs import RepositoryBlobs
from gitmemo.codecs import encode
from gitmemo.remotes import RemoteConfig, WantedBlob, open_remote, pull, push

url, endpoint, folder, count = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
remote = open_remote(RemoteConfig("lab", url, {"endpoint_url": endpoint} if endpoint else {}), folder)
ours, theirs = RepositoryBlobs(folder / "ours"), RepositoryBlobs(folder / "theirs")
wanted = []
for number in range(count):
    value = encode(Random(number).randbytes(200))
    wanted.append(WantedBlob(ours.put(value), value.codec, value.size))
remote.transport.listing()  # opens the client
start = time.process_time()
push(ours, remote, wanted, cache=folder / "cache")
pushed = time.process_time()
pull(theirs, remote, wanted, cache=folder / "their cache")
pulled = time.process_time()
push(ours, remote, wanted, cache=folder / "cache")
print(json.dumps([pushed - start, pulled - pushed, time.process_time() - pulled]))
"""


@dataclass(frozen=True, slots=True)
class _Cost:
    """What one process took: on the clock, of the client's processor, of the server."""

    wall: float
    cpu: float
    requests: int


def sharing() -> None:
    """2,000 values of 200 bytes and 20 of 5 MB, to a server on loopback and to a directory."""
    print(f"\nsharing, load average {os.getloadavg()[0]:.1f}")
    dvc = os.environ.get("GITMEMO_BENCH_DVC") or program_of("dvc") or shutil.which("dvc")
    if dvc is None:
        print("  (no dvc: python -m benchmarks setup; it is not measured)")
    with _server() as server:
        _many(server)
        for title, small, large in (
            ("small: 2,000 x 200 B", _SMALL, 0),
            ("large: 20 x 5 MB", 0, _LARGE),
            ("both", _SMALL, _LARGE),
        ):
            for kind in ("s3", "directory"):
                with tempfile.TemporaryDirectory() as name:
                    place = _Place(Path(name), server, kind)
                    print(f"\n{title}, {kind}")
                    _measure(place, _Workload(small, large), dvc)


def _many(server: _Server) -> None:
    """The library alone, without the start of a process and the world."""
    for count in (_SMALL, _MANY):
        with tempfile.TemporaryDirectory() as name:
            place = _Place(Path(name), server, "s3")
            place.clear()
            ran = _run(
                sys.executable,
                "-c",
                _LIBRARY,
                place.url("many"),
                place.endpoint,
                place.folder,
                count,
            )
            pushed, pulled, again = json.loads(ran.stdout)
            print(
                f"\n{count:,} values of 200 bytes, client CPU without start-up: push {pushed:.2f} s,"
                f" pull {pulled:.2f} s, push of nothing new {again:.2f} s"
            )


# --- a server, and a place on it ----------------------------------------------


class _Server:
    """The address of the server, and what it counted."""

    def __init__(self, address: str) -> None:
        self.address = address

    def counted(self) -> int:
        with urlopen(f"{self.address}/-counted-") as answer:
            return int(answer.read())

    def clear(self) -> None:
        urlopen(Request(f"{self.address}/moto-api/reset", method="POST")).close()
        urlopen(Request(f"{self.address}/{_BUCKET}", method="PUT")).close()


@contextmanager
def _server() -> Iterator[_Server]:
    command = [sys.executable, "-m", "benchmarks.s3server"]
    with subprocess.Popen(
        command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield _Server(process.stdout.readline().strip())
        finally:
            process.kill()


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder to work in, and where to share: `s3` or `directory`."""

    folder: Path
    server: _Server
    kind: str

    def url(self, tool: str) -> str:
        """Return where one tool shares."""
        return f"s3://{_BUCKET}/{tool}" if self.kind == "s3" else str(self.folder / f"to-{tool}")

    @property
    def endpoint(self) -> str:
        """The address of the server, or nothing."""
        return self.server.address if self.kind == "s3" else ""

    def clear(self) -> None:
        """Forget all that was shared."""
        self.server.clear()
        for path in self.folder.glob("to-*"):
            shutil.rmtree(path)


@dataclass(frozen=True, slots=True)
class _Workload:
    small: int
    large: int

    def files(self, folder: Path) -> None:
        """Write the values as files, for tools that share files."""
        folder.mkdir()
        for number in range(self.small):
            (folder / f"small-{number}").write_bytes(random.Random(number).randbytes(_SMALL_SIZE))
        for number in range(self.large):
            (folder / f"large-{number}").write_bytes(random.Random(number).randbytes(_LARGE_SIZE))


# --- the tools ----------------------------------------------------------------


class _Gitmemo:
    """A repository whose calls made the values."""

    def __init__(self, place: _Place, workload: _Workload) -> None:
        self._folder = place.folder / "gitmemo"
        self._copy = place.folder / "gitmemo-copy"
        prepare(REPOSITORY, self._folder)
        _run(sys.executable, "-c", _FILL, workload.small, workload.large, cwd=self._folder)
        options = ("-o", f"endpoint_url={place.endpoint}") if place.endpoint else ()
        _gitmemo(self._folder, "remote", "add", "lab", place.url("gitmemo"), *options)
        git(self._folder, "add", "--all")
        git(self._folder, "commit", "-q", "--allow-empty", "-m", "Results")

    def push(self) -> None:
        _gitmemo(self._folder, "push")

    def new_clone(self) -> None:
        shutil.rmtree(self._copy, ignore_errors=True)
        git(self._folder, "clone", "-q", ".", str(self._copy))
        _gitmemo(self._copy, "status")  # reads the segments into the index

    def pull(self) -> None:
        _gitmemo(self._copy, "pull")

    def forget(self) -> None:
        shutil.rmtree(self._folder / ".git/gitmemo/remotes", ignore_errors=True)


class _Dvc:
    """A repository with the values as files."""

    def __init__(self, place: _Place, workload: _Workload, program: str) -> None:
        self._program = program
        self._folder = folder = place.folder / "dvc"
        folder.mkdir()
        self._environment = {
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(place.folder / "dvc-site"),
        }
        git(folder, "init", "-q")
        self._dvc("init", "-q")
        workload.files(folder / "data")
        self._dvc("remote", "add", "-q", "-d", "lab", place.url("dvc"))
        if place.endpoint:
            self._dvc("remote", "modify", "-q", "lab", "endpointurl", place.endpoint)
        self._dvc("add", "-q", "data")

    def push(self) -> None:
        self._dvc("push", "-q")

    def new_clone(self) -> None:
        shutil.rmtree(self._folder / ".dvc/cache", ignore_errors=True)
        shutil.rmtree(self._folder / "data", ignore_errors=True)
        shutil.rmtree(self._environment["DVC_SITE_CACHE_DIR"], ignore_errors=True)

    def pull(self) -> None:
        self._dvc("pull", "-q")

    def forget(self) -> None:
        shutil.rmtree(self._environment["DVC_SITE_CACHE_DIR"], ignore_errors=True)

    def _dvc(self, *arguments: str) -> None:
        _run(self._program, *arguments, cwd=self._folder, environment=self._environment)


class _Bare:
    """The same bytes as files, by fsspec alone: `put` and `get` of all at once."""

    def __init__(self, place: _Place, workload: _Workload) -> None:
        self._place = place
        self._folder = place.folder / "bare"
        self._copy = place.folder / "bare-copy"
        workload.files(self._folder)

    def push(self) -> None:
        self._do("push", self._folder)

    def new_clone(self) -> None:
        shutil.rmtree(self._copy, ignore_errors=True)

    def pull(self) -> None:
        self._do("pull", self._copy)

    def open(self) -> None:
        self._do("open", self._folder)

    def _do(self, action: str, folder: Path) -> None:
        place = self._place
        _run(sys.executable, "-c", _BARE, action, place.url("bare"), place.endpoint, folder)


# --- measuring ----------------------------------------------------------------


def _measure(place: _Place, workload: _Workload, dvc: str | None) -> None:
    tools: dict[str, _Gitmemo | _Dvc | _Bare] = {"gitmemo": _Gitmemo(place, workload)}
    if dvc is not None:
        tools["dvc"] = _Dvc(place, workload, dvc)
    tools["bare fsspec"] = bare = _Bare(place, workload)
    costs: dict[tuple[str, str], list[_Cost]] = {}

    def take(action: str, tool: str, call: Callable[[], None]) -> None:
        costs.setdefault((action, tool), []).append(_cost(place.server, call))

    for _ in range(_ROUNDS):
        place.clear()
        for name, tool in tools.items():
            if not isinstance(tool, _Bare):
                tool.forget()
            take("push", name, tool.push)
            tool.new_clone()
            take("pull", name, tool.pull)
            if not isinstance(tool, _Bare):
                take("push of nothing new", name, tool.push)
        if place.endpoint:
            take("push of nothing new", "opening s3fs", bare.open)
    _show(costs)


def _cost(server: _Server, action: Callable[[], None]) -> _Cost:
    server.counted()
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    action()
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _Cost(wall, cpu, server.counted())


def _show(costs: dict[tuple[str, str], list[_Cost]]) -> None:
    print(f"  {'':34} {'s':>8} {'least':>8} {'CPU s':>8} {'requests':>9} {'ratio':>7} {'CPU':>7}")
    for (action, tool), taken in sorted(costs.items(), key=lambda item: item[0][0]):
        wall, cpu = _median(taken)
        ours, ours_cpu = _median(costs[action, "gitmemo"])
        print(
            f"  {action + ', ' + tool:34} {wall:8.2f} {min(c.wall for c in taken):8.2f} {cpu:8.2f}"
            f" {max(c.requests for c in taken):9} {wall / ours:7.1f} {cpu / ours_cpu:7.1f}",
            flush=True,
        )


def _median(costs: list[_Cost]) -> tuple[float, float]:
    return statistics.median(c.wall for c in costs), statistics.median(c.cpu for c in costs)


def _gitmemo(folder: Path, *arguments: object) -> None:
    _run(sys.executable, "-m", "gitmemo", *arguments, cwd=folder)


def _run(
    *command: object, cwd: Path = _ROOT, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    credentials = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    path = os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            **credentials,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            "PYTHONPATH": path,
            "PYTHONDONTWRITEBYTECODE": "",
            **(environment or {}),
        },
    )
    if ran.returncode:
        raise RuntimeError(f"{command} failed: {ran.stderr}")
    return ran
