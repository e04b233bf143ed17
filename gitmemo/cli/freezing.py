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
    """A frozen run, also as a fork of the script knows it, which comes to the end of the run too."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes
        self._process = os.getpid()

    @property
    def is_own(self) -> bool:
        """Whether this is the process of the run, and no fork of it."""
        return self._process == os.getpid()

    @property
    def has_refused(self) -> bool:
        """Whether a new call was refused."""
        return any(event is Event.REFUSED for event, _ in self._noted())

    def end(self) -> int:
        """Say which calls would have been computed, or were; return the exit code, 0 if none."""
        noted = self._noted()
        if self.is_own:
            self._tell(noted)
        return NewCallRefused.exit_code if noted else 0

    def _noted(self) -> list[tuple[Event, str]]:
        try:
            return read_notes(self._notes)
        except FileNotFoundError:
            if self.is_own:
                raise
            return []  # the run was over before this fork of it

    def _tell(self, noted: list[tuple[Event, str]]) -> None:
        refused = Tally(op for event, op in noted if event is Event.REFUSED)
        for op, number in refused.items():
            said = f"{count(number, 'call')} of {op} would have to be computed"
            click.echo(printable(f"gitmemo: frozen: {said} (`gitmemo why {op}`)"), err=True)
        if computed := len(noted) - refused.total():
            said = f"{count(computed, 'call')} computed, for the script allowed new calls"
            click.echo(f"gitmemo: frozen: {said}", err=True)

    def forget(self) -> None:
        """Remove the notes."""
        if self.is_own:
            self._notes.unlink(missing_ok=True)


@contextmanager
def freezing(root: Path) -> Iterator[Freezing]:
    """Freeze a work tree for the length of a `with` statement, here and in processes that begin in it."""
    file, name = tempfile.mkstemp(prefix="gitmemo-frozen-")
    os.close(file)
    run = Freezing(Path(name))
    before, leave = os.environ.get(VARIABLE), os._exit

    def left(status: int) -> None:
        # A script that ends so would take the exit code with it.
        if run.is_own:
            status = run.end() or status
            run.forget()
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
        run.forget()
