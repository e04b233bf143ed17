"""The controlling terminal of this process, for questions, wherever its input and output go.

Not what is asked (`asking`, `question`). Invariant: it is opened only for as long as somebody is
asked; where there is none, or it is another's to read from, nobody waits.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

_TTY = Path("/dev/tty")


@dataclass(frozen=True, slots=True)
class Terminal:
    """The two directions of a terminal."""

    reading: TextIO
    writing: TextIO

    def say(self, line: str) -> None:
        """Write one line."""
        self.writing.write(f"{line}\n")

    def ask(self, prompt: str) -> str:
        """Return the line that a person types; raise `EOFError` if they close the terminal."""
        self.writing.write(prompt)
        self.writing.flush()
        line = self.reading.readline()
        if not line:
            raise EOFError
        return line


@contextmanager
def terminal() -> Iterator[Terminal | None]:
    """Open the controlling terminal for reading and writing; None where nobody can answer there.

    In the background (an editor that was started with `&` runs git there) reading would stop
    the process, and with it git, until somebody thinks of `fg`.
    """
    try:
        # A terminal cannot seek, so one file in mode `r+` would not do.
        with _TTY.open(encoding="utf-8") as reading, _TTY.open("w", encoding="utf-8") as writing:
            yield Terminal(reading, writing) if _is_foreground(reading.fileno()) else None
    except OSError as error:
        if error.filename != str(_TTY):
            raise
        yield None


def _is_foreground(file: int) -> bool:
    try:
        return os.tcgetpgrp(file) == os.getpgrp()
    except OSError:  # it has gone
        return False
