"""Many calls at once on two cores, beside bare joblib and bare Dask, which remember nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.amounts import scaled
from benchmarks.cases import Call, Case, Kind, Site
from benchmarks.peers import REPOSITORY, imported

CORES = 2
COMPUTED, STORED, NAPS = scaled(2_000), scaled(10_000), scaled(20)
_Map = Callable[[Iterable[int]], object]


def _mapped(site: Site, name: str) -> _Map:
    """Return what maps a function of the subject as people do it with a tool."""
    import joblib

    function = site.wrap(getattr(site.subject, name))
    if site.name != REPOSITORY:
        return lambda wanted: joblib.Parallel(n_jobs=CORES)(
            joblib.delayed(function)(number) for number in wanted
        )

    def run(wanted: Iterable[int]) -> object:
        with site.tool.block(), joblib.parallel_config("loky", n_jobs=CORES):
            return site.tool.storage.map(function, wanted)

    return run


def _computed(site: Site) -> Call:
    run, numbers = _mapped(site, "triple"), itertools.count()
    return lambda: run([next(numbers) for _ in range(COMPUTED)])


def _again(site: Site) -> Call:
    run = _mapped(site, "triple")
    run(range(STORED))
    return lambda: run(range(STORED))


def _slow(site: Site) -> Call:
    run, numbers = _mapped(site, "nap"), itertools.count()
    return lambda: run([next(numbers) for _ in range(NAPS)])


def _with_dask(site: Site) -> Call:
    import joblib

    function, numbers = site.wrap(site.subject.triple), itertools.count()

    def run() -> object:
        with cluster(), site.tool.block(), joblib.parallel_config("dask"):
            return site.tool.storage.map(function, [next(numbers) for _ in range(COMPUTED)])

    return run


@contextmanager
def cluster() -> Iterator[Any]:
    """A Dask cluster of processes on this machine."""
    import distributed

    dask: Any = distributed
    options = {"threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with dask.LocalCluster(n_workers=CORES, **options) as made, dask.Client(made) as client:
        yield client


def _case(title: str, make: Callable[[Site], Call], floor: str, *peers: str) -> Case:
    return Case(title, make, 1, (floor,), (REPOSITORY, *peers), kind=Kind.BLOCK)


MAPS = {
    "map": _case(f"{COMPUTED:,} computed calls", _computed, "joblib.Parallel", "joblib.Memory"),
    "map-again": _case(
        f"{STORED:,} stored calls", _again, "dictionary look-ups, 10,000", "joblib.Memory"
    ),
    "map-slow": _case(f"{NAPS} calls of 200 ms", _slow, "joblib.Parallel, naps", "joblib.Memory"),
    "map-dask": _case(f"{COMPUTED:,} computed calls, cluster included", _with_dask, "bare Dask"),
}


def bare(name: str, count: int, folder: Path) -> Call:
    """Return a map by joblib alone."""
    import joblib

    function = getattr(imported("subject", folder), name)
    return lambda: joblib.Parallel(n_jobs=CORES)(
        joblib.delayed(function)(number) for number in range(count)
    )


def bare_dask(folder: Path) -> Call:
    """Return a map by Dask alone, with a new cluster."""
    function = imported("subject", folder).triple

    def run() -> object:
        with cluster() as client:
            return client.gather(client.map(function, range(COMPUTED), pure=False))

    return run
