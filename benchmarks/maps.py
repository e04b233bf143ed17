"""Many calls at once: what a map costs beside bare joblib and bare Dask, which remember nothing."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import joblib

from benchmarks.peers import REPOSITORY, open_tool, prepare, subject

_CALLS = 2_000
_STORED = 10_000
_ROUNDS = 3
_CORES = 2


def maps() -> None:
    """Print all figures; the program that measures is one process for all of them."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Path(folder) / "project"
        prepare(REPOSITORY, place)
        done = subprocess.run([sys.executable, "-m", "benchmarks.maps", str(place)], check=False)
        if done.returncode:
            print("  (the maps could not be measured)")


def main(place: Path) -> None:
    """Measure in a project."""
    module = subject(place)
    sys.path.insert(0, str(place))  # bare workers find the functions by it
    tool = open_tool(REPOSITORY, place)
    triple, noise, nap = (tool.wrap(f) for f in (module.triple, module.noise, module.nap))
    print("\nmaps on two cores")
    numbers = iter(range(1_000_000_000))
    with tool.block(), joblib.parallel_config("loky", n_jobs=_CORES):
        storage = triple.storage()
        _overhead("joblib (loky)", storage, triple, module.triple, numbers, _bare_joblib)
        _naps(storage, nap, module.nap)
        _memory(storage, noise)
    _again(storage, triple)
    if find_spec("distributed") is None:
        print("  (distributed is not installed, so not measured)")
        return
    with tool.block(), _cluster() as client, joblib.parallel_config("dask"):
        bare = _bare_dask(client)
        _overhead("Dask", storage, triple, module.triple, numbers, bare)


def _overhead(
    name: str,
    storage: Any,
    op: Any,
    function: Callable[[int], int],
    numbers: Iterator[int],
    bare: Callable[[Callable[[int], int], list[int]], object],
) -> None:
    """Say what a computed call costs more than with the bare engine."""
    bare_s: list[float] = []
    ours_s: list[float] = []
    for number in range(_ROUNDS + 1):
        wanted = [next(numbers) for _ in range(_CALLS)]
        times = (
            _time(lambda wanted=wanted: bare(function, wanted)),
            _time(lambda wanted=wanted: storage.map(op, wanted)),
        )
        if number:  # the first round warms up
            bare_s.append(times[0])
            ours_s.append(times[1])
    theirs, ours = statistics.median(bare_s), statistics.median(ours_s)
    print(
        f"  {_CALLS} computed calls, {name}: {ours:.2f} s, bare {theirs:.2f} s:"
        f" {(ours - theirs) / _CALLS * 1000:.2f} ms more each",
        flush=True,
    )


def _bare_joblib(function: Callable[[int], int], wanted: list[int]) -> object:
    return joblib.Parallel()(joblib.delayed(function)(number) for number in wanted)


def _bare_dask(client: Any) -> Callable[[Callable[[int], int], list[int]], object]:
    return lambda function, wanted: client.gather(client.map(function, wanted, pure=False))


def _naps(storage: Any, op: Any, function: Callable[[int], int]) -> None:
    """Say how much faster two cores are, with calls of 200 ms."""
    alone = _time(lambda: [function(number) for number in range(20)])
    together = _time(lambda: storage.map(op, range(20)))
    print(f"  20 calls of 200 ms: {together:.2f} s, {alone / together:.2f} times as fast as a loop")


def _memory(storage: Any, op: Any) -> None:
    """Say how far the driver grows with large results."""
    storage.map(op, [-1], [1000])
    before = _peak_mb()
    storage.map(op, range(20), [32 << 20] * 20)
    print(f"  20 results of 32 MiB: the driver grows by {_peak_mb() - before:.0f} MiB")


def _again(storage: Any, op: Any) -> None:
    """Say what it costs to map calls again that are stored."""
    wanted = range(-_STORED, 0)
    with storage, joblib.parallel_config("loky", n_jobs=_CORES):
        storage.map(op, wanted)
    storage.clear_cache()
    for label in ("nothing in memory", "once more"):
        with storage:
            began, cpu = time.perf_counter(), time.process_time()
            storage.map(op, wanted)
            took, used = time.perf_counter() - began, time.process_time() - cpu
        print(f"  {_STORED} stored calls, {label}: {took:.2f} s, {used:.2f} s of the processor")


def _time(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def _cluster() -> Iterator[Any]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=_CORES, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


if __name__ == "__main__":
    main(Path(sys.argv[1]))
