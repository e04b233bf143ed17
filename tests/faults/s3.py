"""Faults of a remote in S3: each fault at each request of push, pull, fetching and cleaning.

Not the server (`s3_service`) and not faults of the disk (`trials`). Invariant: a trial begins with the
same project and the same objects.
"""

from __future__ import annotations

import gc
import os
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from faults import outcomes
from faults.control import Fault, named
from faults.invariants import after_each, in_the_end, is_done, of_the_outcome
from faults.operations import Operation
from faults.s3_service import BUCKET, Request, Service
from faults.trials import NOTHING, Trial, preload
from faults.world import Ended, World, copy, expect, fill
from s3_server import CREDENTIALS

from gitmemo.hashing.digest import digest, to_hex
from gitmemo.remotes import bucket, multipart, objects, plan, repacking

TIMEOUT_S = 3
_LARGE = 40_000
"""From this size on a value is an object of its own here, and goes in parts."""
_ALWAYS = (
    *("500", "503", "403", "404", "reset", "early", "lost", "cut", "short"),
    *("flip 10", "flip 50", "flip 99", "error", "twice"),
)
_STICKY = ("500", "403", "404", "reset", "short", "flip 50")
_STAYS = " from then on"
_DRIVERS = ("obstore", "s3fs")
DAYS = 20


@dataclass(frozen=True)
class S3World(World):
    """A project whose remote is in S3, behind what misbehaves."""

    service: Service
    driver: list[str] = field(default_factory=lambda: [_DRIVERS[0]])

    def child(self, act: Callable[[], int]) -> Ended:
        """Do something in a fork of this process, with credentials."""

        def connected() -> int:
            os.environ.update(CREDENTIALS)
            if self.driver[0] == "obstore":  # it is for processes that were not forked off
                bucket._PROCESS = os.getpid()
            return act()

        return super().child(connected)

    def shared(self) -> Iterator[tuple[str, bytes]]:
        """Yield what lies on the remote."""
        yield from self.service.objects().items()


def _none_here(world: World) -> None:
    """Take all values away, and what is remembered of the remote."""
    expect(world.gitmemo("push", "--all"))
    outcomes.take_away(world)


def _forget_calls(world: World, number: int) -> None:
    """Lose the journal of the calls with this number, so that nothing names their values."""
    for path in world.clone.journals():
        if f'"n",{{"v":{number}}}'.encode() in path.read_bytes():
            path.unlink()
    for path in world.private.glob("index.db*"):
        path.unlink()


def _dead_there(world: World) -> None:
    """Push values that nothing names any more: in a pack of their own, and in one with others."""
    for numbers in (("3", "4"), ("4", "12")):  # what is to be lost has a journal of its own
        expect(world.program("study.py", "run", *numbers))
    expect(world.gitmemo("push", "--all"))
    expect(world.program("study.py", "run", "12", "13"))
    expect(world.gitmemo("push", "--all"))
    for number in (11, 12):
        _forget_calls(world, number)


def _marked_there(world: World) -> None:
    assert isinstance(world, S3World)
    _dead_there(world)
    expect(world.gitmemo("remote", "gc", "lab", "--yes"))
    world.service.age(DAYS)


def _here_and_there(world: World, ended: Ended) -> None:
    outcomes.all_here(world, ended)
    outcomes.reaches_others(world, ended)


def _fetched(world: World, ended: Ended) -> None:
    outcomes.fetched(world, ended)
    outcomes.reaches_others(world, ended)


def _checked(world: World, ended: Ended) -> None:
    assert ended.out.count(": ok: ") == 5, ended
    outcomes.reaches_others(world, ended)


def _evicted(world: World, ended: Ended) -> None:
    found = expect(world.program("study.py", "check", "0", "3", fetches=False))
    gone = {(op, str(n)) for op in ("large", "model", "document") for n in range(3)}
    assert found.calls("missing") == gone, found.log
    outcomes.reaches_others(world, ended)


def _marked(world: World, ended: Ended) -> None:
    assert [name for name, _ in world.shared() if name.endswith(".mark")], ended
    outcomes.reaches_others(world, ended)


def _swept(world: World, ended: Ended) -> None:
    listed = expect(world.gitmemo("remote", "gc", "lab", "--sweep")).out
    assert "0 packs and 0 single values" in listed, listed
    outcomes.reaches_others(world, ended)


def _does(*arguments: str) -> Callable[[World], Ended]:
    return lambda world: world.gitmemo(*arguments)


def _pushed(world: World) -> None:
    expect(world.gitmemo("push", "--all"))


S3_OPERATIONS = (
    Operation("push", _does("push", "--all", "-j", "1"), finish=outcomes.reaches_others),
    Operation(
        "pull",
        _does("pull", "--all", "-j", "1"),
        prepare=_none_here,
        finish=_here_and_there,
        lacks=True,
    ),
    Operation(
        "fetch on demand",
        _does("run", "study.py", "check", "0", "3"),
        prepare=_none_here,
        finish=_here_and_there,
        lacks=True,
        is_program=True,
    ),
    Operation("fetch", _does("fetch"), prepare=_none_here, finish=_fetched, lacks=True),
    Operation("remote check", _does("remote", "check"), prepare=_pushed, finish=_checked),
    Operation(
        "gc: evict",
        _does("gc", "--yes", "--older-than", "0"),
        prepare=_pushed,
        finish=_evicted,
        lacks=True,
    ),
    Operation(
        "remote gc: mark",
        _does("remote", "gc", "lab", "--yes"),
        prepare=_dead_there,
        again=_does("remote", "gc", "lab", "--yes"),
        finish=_marked,
    ),
    Operation(
        "remote gc: sweep",
        _does("remote", "gc", "lab", "--yes", "--sweep"),
        prepare=_marked_there,
        again=_does("remote", "gc", "lab", "--yes", "--sweep"),
        finish=_swept,
    ),
)


@dataclass(frozen=True)
class Blow:
    """What happens to which request."""

    fault: str
    label: str
    sticky: bool = False
    driver: str = _DRIVERS[0]

    @property
    def name(self) -> str:
        """The fault, and whether it stays."""
        return f"{self.fault}{_STAYS if self.sticky else ''}"


@dataclass(frozen=True)
class _Known:
    requests: list[Request]
    status: str


class S3Bench:
    """A place for trials with a remote in S3."""

    def __init__(self, place: Path, service: Service) -> None:
        preload()
        for module, names in (
            (plan, ("SINGLE_FROM",)),
            (objects, ("ONE_PUT_BELOW", "CHUNK_SIZE")),
            (multipart, ("LARGEST_PIECE",)),
            (repacking, ("WORTH_BYTES",)),
        ):
            for name in names:
                setattr(module, name, _LARGE if name != "WORTH_BYTES" else 1)
        self._place, self._service = place, service
        self._world = S3World(place / "world", service)
        url = (f"s3://{BUCKET}/values", "-o", f"endpoint_url={service.url}")
        fill(self._world, *url, "-o", "retries=0", "-o", f"timeout={TIMEOUT_S}")
        gc.freeze()
        self._save("first")
        self._known: dict[tuple[str, str], _Known] = {}

    def blows(self, operation: Operation) -> list[Blow]:
        """Return each fault at each request of an operation."""
        return [
            Blow(fault, request.label, sticky, driver)
            for driver in _DRIVERS
            for request in self._prepared(operation, driver).requests
            for fault, sticky in _faults_at(request)
        ]

    def tried(self, operation: Operation, blow: Blow) -> Trial:
        """Try a fault, then what must hold, then the same without a fault."""
        known = self._prepared(operation, blow.driver)
        self._restore(operation.name)
        self._service.arm(blow.fault, blow.label, sticky=blow.sticky)
        ended = operation.act(self._world)
        _, fired = self._service.disarm()
        fault = Fault(blow.name, "network")
        found = after_each(self._world, operation, fault, ended)
        found += _false_there(self._world)
        done = is_done(fault, ended)
        if not found:
            found = in_the_end(
                self._world, operation, is_done=done, status=known.status, twice=False
            )
        found += _false_there(self._world)
        told = [(blow.name, f"{blow.label}@{blow.driver}", blow.label, ended.code)]
        return Trial(operation.name, told, fired, found, ended.err[-3000:])

    def notices(self, operation: Operation) -> bool:
        """Whether it is noticed if an operation does nothing, and only if so."""
        self._prepared(operation, self._world.driver[0])
        self._restore(operation.name)
        return bool(of_the_outcome(self._world, operation, NOTHING))

    def _prepared(self, operation: Operation, driver: str) -> _Known:
        self._world.driver[0] = driver
        if (operation.name, driver) not in self._known:
            if not (self._place / operation.name).exists():
                self._restore("first")
                operation.prepare(self._world)
                self._save(operation.name)
            self._restore(operation.name)
            self._service.arm()
            ended = expect(operation.act(self._world))
            requests, _ = self._service.disarm()
            operation.finish(self._world, ended)
            status = self._world.git("status", "--porcelain").out
            self._known[operation.name, driver] = _Known(requests, status)
        return self._known[operation.name, driver]

    def _save(self, name: str) -> None:
        copy(self._world.top, self._place / name)
        self._service.save(name)

    def _restore(self, name: str) -> None:
        copy(self._place / name, self._world.top)
        self._service.restore(name)


def _faults_at(request: Request) -> Iterator[tuple[str, bool]]:
    for fault in (*_ALWAYS, "silent"):
        yield fault, False
    for fault in _STICKY:
        yield fault, True
    for number in range(request.listed):
        yield f"without {number}", False
        yield f"without {number}", True


def _false_there(world: World) -> list[str]:
    """Return what on the remote is not what its name says."""
    return [
        f"a false name on the remote: {name}"
        for name, data in world.shared()
        if re.match(r"(packs|blobs|gc|catalogues/../)", name)
        and (hex_id := re.search(r"/([0-9a-f]{64})(?:\.(?!idx)\w+)?$", name))
        and to_hex(digest(data)) != hex_id[1]
    ]


def every_fault(bench: S3Bench, seed: str, only: str) -> list[tuple[Operation, Blow]]:
    """Return each fault at each request, in an order by chance."""
    found = [
        (operation, blow)
        for operation in S3_OPERATIONS
        if re.search(only, operation.name)
        for blow in bench.blows(operation)
    ]
    random.Random(seed).shuffle(found)
    return found


def blow_of(text: str) -> tuple[Operation, Blow]:
    """Return what a table names: OPERATION/FAULT@REQUEST@DRIVER."""
    name, blow = text.split("/")
    fault, label, driver = blow.split("@")
    operation = named("operation", name, S3_OPERATIONS)
    once = fault.removesuffix(_STAYS)
    return operation, Blow(once, label, once != fault, driver)
