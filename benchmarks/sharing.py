"""Pushing and pulling values, beside DVC and bare fsspec: to a directory, and to S3 on loopback.

Whole processes, as people start them: `gitmemo push`, `dvc push`. DVC runs from an environment of its own
(`environments`); without it, it is left out.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.amounts import scaled
from benchmarks.environments import program_of
from benchmarks.peers import REPOSITORY, git
from benchmarks.places import Place, server
from benchmarks.processes import run, wall_us
from benchmarks.projects import Bare, Dvc, Gitmemo, Workload
from benchmarks.rows import show
from benchmarks.timing import TIME, Row, Take, Turns, figure

SMALL, LARGE, MANY = scaled(2_000), scaled(20), scaled(100_000)
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
_TITLES = {"push": "push of {}", "pull": "pull of {}", "nothing": "push of nothing new, {}"}
_WORKLOADS = {
    "": (f"{SMALL:,} values of 200 bytes", Workload(small=(0, SMALL))),
    "-large": (f"{LARGE} values of 5 MB", Workload(large=(0, LARGE))),
}


def to_directory(rounds: int, group: str) -> None:
    """Push and pull small values, then large ones, with a directory."""
    for suffix, (title, workload) in _WORKLOADS.items():
        with _place(on_server=False) as place:
            _share(place, workload, f"{title} (directory)", ("", suffix), rounds, group)


def to_server(rounds: int, group: str) -> None:
    """Push and pull small values, then large ones, with S3."""
    for suffix, (title, workload) in _WORKLOADS.items():
        with _place(on_server=True) as place:
            _share(place, workload, f"{title} (S3)", ("s3-", suffix), rounds, group)


def library(_: int, group: str) -> None:
    """Push and pull without starting a process or opening a world: client CPU."""
    with _place(on_server=True) as place:
        place.clear("many")
        arguments = (place.url("many"), place.endpoint, place.folder, MANY)
        ran = run(sys.executable, "-c", _LIBRARY, *arguments)
        for name, seconds in zip(("push", "pull", "nothing"), json.loads(ran.stdout), strict=True):
            title = f"{MANY:,} values of 200 bytes, S3, the library alone (CPU)"
            taken = figure(REPOSITORY, [1e6 * seconds])
            show(Row(f"library-{name}", title, [taken], group=group))


@contextmanager
def _place(*, on_server: bool) -> Iterator[Place]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        yield Place(folder, stack.enter_context(server()) if on_server else None)


def _share(
    place: Place, workload: Workload, title: str, affixes: tuple[str, str], rounds: int, group: str
) -> None:
    ours = Gitmemo(place)
    ours.make(workload)
    git(ours.folder, "add", "--all")
    git(ours.folder, "commit", "-q", "--allow-empty", "-m", "Results")
    takes: dict[str, Take] = {REPOSITORY: lambda: _both(place, ours)}
    if program := program_of("dvc"):
        theirs = Dvc(place, program)
        theirs.make(workload)
        git(theirs.folder, "add", "--all")
        git(theirs.folder, "commit", "-q", "-m", "Results")
        takes["DVC"] = lambda: _both(place, theirs)
    else:
        print("  (DVC is not installed, so not measured: python -m benchmarks setup)")
    bare = Bare(place, workload)
    takes["fsspec"] = lambda: _bare(place, bare)
    found = Turns(takes).run(rounds)
    before, after = affixes
    for what, figures in found.items():
        name, _, unit = what.partition(" ")
        said = _TITLES[name].format(title) + (f", {unit}" if unit else "")
        full = f"{before}{'push-nothing' if name == 'nothing' else name}{after}{'-' * bool(unit)}"
        show(Row(f"{full}{unit}", said, figures, unit or TIME, group))


def _both(place: Place, tool: Gitmemo | Dvc) -> dict[str, float]:
    tool.forget()
    found = _cost(place, "push", tool.push)
    tool.drop_copy()
    tool.clone()
    if isinstance(tool, Gitmemo):
        tool.look()
    found |= _cost(place, "pull", tool.pull)
    return found | _cost(place, "nothing", tool.push)


def _bare(place: Place, tool: Bare) -> dict[str, float]:
    tool.forget()
    found = _cost(place, "push", tool.push)
    tool.drop_copy()
    return found | _cost(place, "pull", tool.pull)


def _cost(place: Place, what: str, action: Callable[[], object]) -> dict[str, float]:
    """Return the time of an action, and the requests that it made."""
    if place.server is None:
        return {what: wall_us(action)}
    place.server.counted()
    taken = wall_us(action)
    return {what: taken, f"{what} requests": place.server.counted()}
