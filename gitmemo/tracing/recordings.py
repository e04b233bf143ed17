"""Recordings of calls: which code objects ran in the context of each.

Not how that is heard of (`events`). Invariant: what ran in a recording ran in those around it.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterable
from types import CodeType
from typing import Protocol


class Owner(Protocol):
    """Tells which files are of interest."""

    def owns(self, filename: str) -> bool: ...


class Recording:
    """The code objects that ran during one call.

    Kept by identity: equal functions at equal lines of two files have equal
    code objects.

    Attributes:
        owner: Tells which code counts.
        parent: The recording that this one runs inside.
        codes: What ran, by id.
        found: What unpickling looked up: module and name.
        blind: Code may have run that could not be watched.
    """

    __slots__ = ("active", "blind", "codes", "found", "owner", "parent")

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.parent = current_recording()
        self.codes: dict[int, CodeType] = {}
        self.found: dict[tuple[str, str], None] = {}
        self.active = False
        self.blind = False

    def add(self, code: CodeType) -> None:
        if self.owner.owns(code.co_filename):
            self.codes[id(code)] = code

    def add_all(self, codes: Iterable[CodeType]) -> None:
        owns, found = self.owner.owns, self.codes
        for code in codes:
            if owns(code.co_filename):
                found[id(code)] = code


_current: contextvars.ContextVar[Recording | None] = contextvars.ContextVar(
    "gitmemo_recording", default=None
)


def current_recording() -> Recording | None:
    """Return the innermost recording of this context that is still running."""
    recording = _current.get()
    while recording is not None and not recording.active:
        recording = recording.parent
    return recording


class Recordings:
    """Those under way, in every thread."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.active: tuple[Recording, ...] = ()

    def open(self, recording: Recording) -> None:
        with self.lock:
            recording.active = True
            self.active = (*self.active, recording)
        _current.set(recording)

    def close(self, recording: Recording) -> None:
        with self.lock:
            recording.active = False
            if len(self.active) == 1:
                self.active = ()
            else:
                self.active = tuple([one for one in self.active if one is not recording])
            if recording.parent is not None:
                recording.parent.add_all(recording.codes.values())
                recording.parent.blind |= recording.blind
        # Not by token: a generator may end in another context than it began in.
        if _current.get() is recording:
            _current.set(recording.parent)
