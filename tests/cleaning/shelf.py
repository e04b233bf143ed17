"""A remote in memory with a clock of its own, and what is done to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stored import Encoded

from gitmemo.blobs import MemoryBlobs
from gitmemo.hashing.digest import Digest, digest
from gitmemo.remotes import Remote, RemoteConfig, WantedBlob, pull, push
from gitmemo.remotes.catalogue import read_catalogue
from gitmemo.remotes.collecting import DAY_S, Sweep, mark, plan_sweep, remains, sweep
from gitmemo.remotes.transport import Reached

Live = Callable[[frozenset[Digest]], frozenset[Digest]]
NOTHING: Live = lambda _: frozenset()  # noqa: E731


@dataclass
class Shelf:
    """A remote in memory with a clock of its own, where something else happens before step `at`."""

    objects: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    now_s: float = 1_000_000.0
    has_clock: bool = True
    steps: int = 0
    at: int = -1
    meanwhile: Callable[[], None] | None = None

    def listing(self) -> dict[str, int | None]:
        self._step()
        return {name: len(data) for name, (data, _) in self.objects.items()}

    def read(self, name: str, most: int = 1 << 30) -> bytes:
        self._step()
        if name not in self.objects:
            raise FileNotFoundError(name)
        return self.objects[name][0]

    def read_ranges(self, name: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        data = self.read(name)
        return [data[start:end] for start, end in ranges]

    def stream(self, name: str, size: int, start: int = 0) -> Iterator[bytes]:
        yield self.read(name)[start : size + 1]

    def write(self, name: str, data: bytes) -> None:
        self._step()
        self.objects[name] = (data, self.now_s)

    def upload(self, name: str, path: Path, reached: Reached = lambda _: None) -> None:
        self.write(name, path.read_bytes())

    def write_new(self, name: str, data: bytes) -> bool:
        self.write(name, data)
        return True

    def delete(self, name: str) -> None:
        self._step()
        self.objects.pop(name, None)

    def written_at(self, name: str) -> float | None:
        self._step()
        if name not in self.objects:
            raise FileNotFoundError(name)
        return self.objects[name][1] if self.has_clock else None

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.at and self.meanwhile is not None:
            then, self.meanwhile = self.meanwhile, None
            then()


def shelf_with(*values: bytes) -> tuple[Shelf, Remote]:
    shelf = Shelf()
    remote = Remote(RemoteConfig("lab", "memory://lab"), shelf)
    if values:
        send(remote, *values)
    return shelf, remote


def send(remote: Remote, *values: bytes) -> None:
    store = MemoryBlobs()
    wanted = [WantedBlob(store.put(Encoded(v)), "raw", len(v)) for v in values]
    push(store, remote, wanted, jobs=1)


def can_pull(remote: Remote, *values: bytes) -> bool:
    store = MemoryBlobs()
    wanted = [WantedBlob(digest(v), "raw", len(v)) for v in values]
    return not pull(store, remote, wanted, jobs=1).missing


def holds(remote: Remote, value: bytes) -> bool:
    catalogue = read_catalogue(remote, None, 1)
    return catalogue.holds(WantedBlob(digest(value), "raw", len(value)))


def marked(*values: bytes) -> tuple[Shelf, Remote]:
    """A remote with these values, all of them marked, 15 days ago."""
    shelf, remote = shelf_with(*values)
    shelf.now_s += 10
    mark(remote, remains(remote, NOTHING, cache=None, jobs=1).dead, shelf.now_s)
    shelf.now_s += 15 * DAY_S
    return shelf, remote


def swept(remote: Remote, live: Live = NOTHING) -> Sweep:
    found = plan_sweep(remote, live, cache=None, jobs=1)
    sweep(remote, found)
    return found


def only_sweep(remote: Remote) -> None:
    swept(remote)


def needs(*values: bytes) -> Live:
    wanted = frozenset(map(digest, values))
    return lambda blobs: blobs & wanted
