"""What `gitmemo run --frozen` does around the script: its processes are told, and tell what they did.

Not what refuses a call. Invariant: the exit code is 3 if a new call was refused or computed in the script
or in a process that it started, however the script ends.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gitmemo.display.text import printable
from gitmemo.errors import NewCallRefused
from gitmemo.frozen import VARIABLE, Event, read_notes, variable_with
from gitmemo.quantities import count


class Freezing:
    """A frozen run."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes

    @property
    def has_refused(self) -> bool:
        """Whether a new call was refused."""
        return any(event is Event.REFUSED for event, _ in read_notes(self._notes))

    def end(self) -> int:
        """Say which calls would have been computed, or were; return the exit code, 0 if none."""
        noted = read_notes(self._notes)
        refused = Tally(op for event, op in noted if event is Event.REFUSED)
        for op, number in refused.items():
            said = f"{count(number, 'call')} of {op} would have to be computed"
            click.echo(printable(f"gitmemo: frozen: {said} (`gitmemo why {op}`)"), err=True)
        if computed := len(noted) - refused.total():
            said = f"{count(computed, 'call')} computed, for the script allowed new calls"
            click.echo(f"gitmemo: frozen: {said}", err=True)
        return NewCallRefused.exit_code if noted else 0


@contextmanager
def freezing(root: Path) -> Iterator[Freezing]:
    """Freeze a work tree for the length of a `with` statement, here and in processes that begin in it."""
    file, name = tempfile.mkstemp(prefix="gitmemo-frozen-")
    os.close(file)
    run = Freezing(Path(name))
    before, process, leave = os.environ.get(VARIABLE), os.getpid(), os._exit

    def left(status: int) -> None:
        # A script that ends so would take the exit code with it.
        if os.getpid() == process:
            status = run.end() or status
            Path(name).unlink(missing_ok=True)
        leave(status)

    os.environ[VARIABLE] = variable_with(root, Path(name))
    setattr(os, "_exit", left)  # noqa: B010  no type checker lets it be assigned
    try:
        yield run
    finally:
        setattr(os, "_exit", leave)  # noqa: B010
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
        Path(name).unlink(missing_ok=True)
