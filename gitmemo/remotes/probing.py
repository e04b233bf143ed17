"""Finding out whether a remote can be used, and what it cannot do.

Not a push or a pull. Invariant: what is written to try it is removed again, and has a name that
no gitmemo takes for a value.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gitmemo.errors import GitmemoError, RemotePlaceMissing, RemoteUnreachable
from gitmemo.quantities import count, duration
from gitmemo.remotes.catalogue import refuse_gone
from gitmemo.remotes.layout import FORMAT, Inventory, read_listing
from gitmemo.remotes.remote import Remote

_SKEW_S = 60.0


class Grade(StrEnum):
    """How a finding is meant."""

    GOOD = "ok"
    NOTE = "note"
    BAD = "problem"


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that was tried.

    Attributes:
        what: `reachable`, `format`, `writable`, `conditional` or `clock`.
        said: What came of it.
        remedy: What to do about it; empty if there is nothing to do.
        exit_code: Of a problem: what a command that needs it would exit with.
    """

    what: str
    grade: Grade
    said: str
    remedy: str = ""
    exit_code: int = 0


def probe(remote: Remote, cache: Path | None = None) -> Iterator[Probe]:
    """Try a remote, one thing after the other; what needs a thing that failed is left out.

    `cache` is the folder that says what was seen there.
    """
    try:
        inventory = _listed(remote, cache)
    except GitmemoError as error:
        yield _failed("reachable", error)
        return
    reached = _answer(inventory)
    try:
        remote.check_format()
    except GitmemoError as error:
        yield from (reached, _failed("format", error))
        return
    written = _written(remote)
    first = next(written)
    if first.what != reached.what:  # only who writes is told that there is no such place
        said = f"format {FORMAT}" if inventory.marked else "nobody has pushed there yet"
        yield from (reached, Probe("format", Grade.GOOD, said))
    yield first
    yield from written


def reach(remote: Remote, cache: Path | None = None) -> Probe:
    """Only ask a remote what it holds: nothing is written there."""
    try:
        found = _answer(_listed(remote, cache))
        remote.check_format()
    except GitmemoError as error:
        return _failed("reachable", error)
    return found


def _listed(remote: Remote, cache: Path | None) -> Inventory:
    inventory = read_listing(remote.transport.listing())
    refuse_gone(remote, cache, inventory)
    return inventory


def _answer(inventory: Inventory) -> Probe:
    held = len(inventory.packs) + len(inventory.singles)
    said = f"it answers, and lists {count(held, 'object')} of values"
    return Probe("reachable", Grade.GOOD, said)


def _written(remote: Remote) -> Iterator[Probe]:
    name, data = f"probe-{secrets.token_hex(16)}", secrets.token_bytes(32)
    try:
        remote.transport.write(name, data)
    except RemotePlaceMissing as error:
        yield _failed("reachable", error)
        return
    except GitmemoError as error:
        read_only = "pulling works; to push, get the right to write there"
        yield Probe("writable", Grade.BAD, error.problem(), read_only, error.exit_code)
        return
    try:
        yield from _of_object(remote, name, data)
    except FileNotFoundError:
        said = "what was written cannot be read back a moment later"
        yield Probe("writable", Grade.BAD, said, _WEAK, RemoteUnreachable.exit_code)
    except GitmemoError as error:
        yield _failed("writable", error)
    finally:
        gone = _removed(remote, name)
    if gone is not None:
        said = f"objects can be written and not deleted ({name}: {gone})"
        yield Probe(
            "writable", Grade.NOTE, said, "pushing works; `gitmemo remote gc` needs the right to"
        )


_WEAK = "use a service that shows what was written at once; gitmemo cannot rely on this one"


def _of_object(remote: Remote, name: str, data: bytes) -> Iterator[Probe]:
    if remote.transport.read(name, len(data)) != data:
        said = "what was written comes back changed"
        yield Probe("writable", Grade.BAD, said, _WEAK, RemoteUnreachable.exit_code)
        return
    yield Probe("writable", Grade.GOOD, "an object was written and read back")
    if remote.transport.write_new(name, data):
        said = "the service replaces an object though it was told to create it only"
        yield Probe("conditional", Grade.NOTE, said, "nothing to do: gitmemo does not need it")
    else:
        yield Probe("conditional", Grade.GOOD, "what exists is not created again")
    yield from _clock(remote.transport.written_at(name))


def _clock(written_at: float | None) -> Iterator[Probe]:
    if written_at is None:
        yield Probe("clock", Grade.NOTE, "the service does not say when objects were written")
        return
    skew = written_at - time.time()
    if abs(skew) < _SKEW_S:
        yield Probe("clock", Grade.GOOD, "its clock and this machine's agree")
        return
    said = (
        f"its clock is {duration(abs(skew))} {'ahead of' if skew > 0 else 'behind'} this machine's"
    )
    yield Probe(
        "clock", Grade.NOTE, said, "set the clock that is wrong; services refuse what is far off"
    )


def _removed(remote: Remote, name: str) -> str | None:
    """Remove what was written; return what went wrong."""
    try:
        remote.transport.delete(name)
    except GitmemoError as error:
        return error.problem()
    return None


def _failed(what: str, error: GitmemoError) -> Probe:
    return Probe(what, Grade.BAD, error.problem(), error.remedy(), error.exit_code)
