"""Output that is longer than the screen, handed to a pager.

Not which commands do that, nor which pager (`cli.screen`). Invariant: what fits on the screen is written
as if there were no pager, and where standard output is no terminal nothing here is used.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, TextIO, cast


class _Held:
    """Standard output while it is not known yet whether it is longer than the screen."""

    def __init__(self, stream: TextIO, command: str, variables: Mapping[str, str]) -> None:
        self._stream, self._command, self._variables = stream, command, variables
        self.encoding, self.errors = stream.encoding, stream.errors
        self._lines_left = shutil.get_terminal_size().lines - 1
        self._parts: list[str] = []
        self.notes: list[str] = []
        self._pager: subprocess.Popen[str] | None = None

    @property
    def holds(self) -> bool:
        """Whether something was written that is not on the screen yet, or in a pager."""
        return bool(self._parts) or self._pager is not None

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        _refuse_bytes(text)
        if self._pager is None:
            self._parts.append(text)
            self._lines_left -= text.count("\n")
            if self._lines_left >= 0:
                return len(text)
            self._open()
            text, self._parts = "".join(self._parts), []
        self._out.write(text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: what is shorter than the screen is written at the end."""

    def _open(self) -> None:
        try:
            self._pager = subprocess.Popen(
                shlex.split(self._command), stdin=subprocess.PIPE, text=True, env=self._variables
            )
        except (OSError, ValueError) as error:
            self._lines_left = sys.maxsize  # never asked for again
            self.notes.append(f"the pager {self._command!r} cannot be run: {error}\n")

    @property
    def _out(self) -> IO[str]:
        if self._pager is None or self._pager.stdin is None:
            return self._stream
        return self._pager.stdin

    def finish(self) -> None:
        """Write what is held, and wait until nobody reads in the pager any more."""
        try:
            self._out.write("".join(self._parts))
            self._out.flush()
        finally:
            if self._pager is not None:
                _let_read(self._pager)


def _let_read(pager: subprocess.Popen[str]) -> None:
    if pager.stdin is not None:
        with suppress(BrokenPipeError):  # it was left before the end
            pager.stdin.close()
    while pager.returncode is None:
        with suppress(KeyboardInterrupt):  # meant for the pager: it stops a search there
            pager.wait()


class _Notes:
    """Standard error beside it: notes keep their place after what they are about."""

    def __init__(self, stream: TextIO, held: _Held) -> None:
        self._stream, self._held = stream, held
        self.encoding, self.errors = stream.encoding, stream.errors

    def isatty(self) -> bool:
        return self._stream.isatty()

    def write(self, text: str) -> int:
        _refuse_bytes(text)
        if self._held.holds:
            self._held.notes.append(text)
        else:
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        self._stream.flush()


def _refuse_bytes(text: object) -> None:
    """Be a stream of text: click finds out by writing bytes."""
    if not isinstance(text, str):
        raise TypeError("text is written here")


@contextmanager
def paging(command: str, variables: Mapping[str, str]) -> Iterator[None]:
    """Hand what is written to standard output to a pager, if it is longer than the screen.

    Raises:
        BrokenPipeError: The pager was left before everything was written; the command may stop.
    """
    out, err = sys.stdout, sys.stderr
    held = _Held(out, command, variables)
    # Neither is a whole stream: they have what `print` and click use.
    sys.stdout, sys.stderr = cast(TextIO, held), cast(TextIO, _Notes(err, held))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err
        try:
            held.finish()
        finally:
            err.write("".join(held.notes))
            err.flush()
