"""What happens to which step of a trial: the shared memory that `shim.c` reads in every process.

Not the trials. Invariant: nothing happens to a process while the block is not armed.
"""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

SHIM = Path(__file__).with_name("shim.c")
HOUR_NS = 3600 * 10**9
_NAMES, _NAME, _HEAD, _ROOT = 8192, 96, struct.Struct("=QQQqiiiiiii"), 256
_KINDS = (
    *("nothing", "error", "short", "kill before", "kill after", "torn"),
    *("interrupt before", "interrupt after", "clock", "storm"),
)
GROWS, CHANGES, LOCKS, READS, OPENING = 1, 2, 4, 8, 16
WRITING, READING = 1, 2
"""Which steps are counted."""


@dataclass(frozen=True)
class Fault:
    """What happens at a step.

    Args:
        families: What it happens to from then on, if not once.
        group: Whether all processes of the trial get the signal, as from a terminal.
    """

    name: str
    kind: str
    error: int = 0
    families: int = 0
    group: bool = False
    clock_ns: int = 0

    @property
    def is_deadly(self) -> bool:
        """Whether a process is ended by it."""
        return self.kind in ("kill before", "kill after", "torn")


FAULTS = (
    Fault("ENOSPC once", "error", errno.ENOSPC),
    Fault("ENOSPC from then on", "error", errno.ENOSPC, GROWS),
    Fault("EIO once", "error", errno.EIO),
    Fault("EIO from then on", "error", errno.EIO, CHANGES),
    Fault("EACCES once", "error", errno.EACCES),
    Fault("EROFS from then on", "error", errno.EROFS, CHANGES),
    Fault("short write", "short"),
    Fault("short writes from then on", "short", 0, GROWS),
    Fault("short write, then full", "short", errno.ENOSPC, GROWS),
    Fault("SIGKILL before", "kill before"),
    Fault("SIGKILL after", "kill after"),
    Fault("SIGKILL in the middle", "torn"),
    Fault("SIGKILL of all before", "kill before", group=True),
    Fault("SIGKILL of all after", "kill after", group=True),
    Fault("SIGINT before", "interrupt before", group=True),
    Fault("SIGINT after", "interrupt after", group=True),
    Fault("clock 5 h ahead", "clock", clock_ns=5 * HOUR_NS),
    Fault("clock 5 h back", "clock", clock_ns=-5 * HOUR_NS),
    Fault("no locks", "error", errno.ENOLCK, LOCKS),
)


READ_FAULTS = (
    Fault("EIO once", "error", errno.EIO),
    Fault("EIO from then on", "error", errno.EIO, READS),
    Fault("EACCES once", "error", errno.EACCES),
    Fault("EACCES from then on", "error", errno.EACCES, OPENING),
    Fault("ESTALE once", "error", errno.ESTALE),
    Fault("EMFILE once", "error", errno.EMFILE),
    Fault("short read", "short"),
    Fault("short reads from then on", "short", 0, READS),
)


def storm(seed: int) -> Fault:
    """Return a fault that errors and short writes happen to many steps; its step says to how many of 1000."""
    return Fault(f"storm {seed}", "storm", clock_ns=seed)


def fault_of(name: str, faults: Sequence[Fault] = FAULTS) -> Fault:
    """Return the fault with a name."""
    kind, _, seed = name.partition(" ")
    return storm(int(seed)) if kind == "storm" else named("fault", name, faults)


class Named(Protocol):
    """An operation or a fault."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...


_N = TypeVar("_N", bound=Named)


def named(kind: str, name: str, known: Sequence[_N]) -> _N:
    """Return what has a name; end the program, saying which there are, if nothing has."""
    for one in known:
        if one.name == name:
            return one
    names = "\n  ".join(one.name for one in known)
    raise SystemExit(f"there is no {kind} {name!r}, but:\n  {names}")


class Control:
    """The block of memory, and what loads the shim into programs."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        size = _HEAD.size + _ROOT + _NAMES * _NAME
        if create:
            path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), size)

    def arm(self, root: Path, fault: Fault | None, step: int, *, counts: int = WRITING) -> None:
        """Count steps from now on; let `fault` happen at one of them, the first being 1.

        At step 0 a clock is wrong from the beginning."""
        fault = fault or Fault("nothing", "nothing")
        place = os.fsencode(root.resolve())
        assert len(place) < _ROOT
        self._memory[_HEAD.size : _HEAD.size + _ROOT] = place.ljust(_ROOT, b"\0")
        _HEAD.pack_into(
            self._memory,
            0,
            *(0, 0, step, fault.clock_ns, 1),
            *(_KINDS.index(fault.kind), fault.error, int(bool(fault.families))),
            *(fault.families, int(fault.group), counts),
        )

    def disarm(self) -> tuple[int, int]:
        """Let nothing happen any more; return how many steps there were, and how many faults."""
        steps, fired, *_ = _HEAD.unpack_from(self._memory)
        struct.pack_into("=i", self._memory, 32, 0)
        return steps, fired

    def names(self, count: int) -> list[str]:
        """Return what the first steps were."""
        start = _HEAD.size + _ROOT
        places = (start + n * _NAME for n in range(min(count, _NAMES)))
        return [
            self._memory[at : at + _NAME].split(b"\0")[0].decode(errors="replace") for at in places
        ]


def can_build() -> bool:
    """Whether the shim can be built and loaded here."""
    return os.name == "posix" and os.uname().sysname == "Linux" and shutil.which("cc") is not None


def shim(source: Path = SHIM) -> Path:
    """Build the shim, or another one, if that was not done yet."""
    name = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    built = Path(tempfile.gettempdir()) / f"gitmemo-faults-{os.getuid()}-{name}.so"
    if not built.exists():
        new = built.with_suffix(f".{os.getpid()}")
        flags = ("-O1", "-Wall", "-shared", "-fPIC")
        subprocess.run(["cc", *flags, "-o", str(new), str(source), "-ldl"], check=True)
        new.replace(built)
    return built


def environment(control: Path) -> dict[str, str]:
    """Return the environment of a program that does what the block of memory at `control` says."""
    tests = Path(__file__).resolve().parents[1]
    return os.environ | {
        "LD_PRELOAD": str(shim()),
        "FAULTS_CONTROL": str(control),
        "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
