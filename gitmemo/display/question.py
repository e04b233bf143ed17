"""Questions to a person at a terminal, asked where a git hook can reach one.

Not the policy (`commits`). Invariant: a question is asked only through the
controlling terminal; where there is none, nobody waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import click

from gitmemo.changes.change import Change
from gitmemo.display.text import diff_lines, printable
from gitmemo.errors import Aborted
from gitmemo.model.facts import Verdict
from gitmemo.quantities import count, duration

_ANSWERS: dict[str, Verdict | None] = {
    "b": Verdict.BREAKING,
    "breaking": Verdict.BREAKING,
    "n": Verdict.NON_BREAKING,
    "non-breaking": Verdict.NON_BREAKING,
    "l": None,
    "later": None,
}
_PROMPT = "Do results of the old code stay valid? [n]on-breaking / [b]reaking / [l]ater / [a]bort: "


_TTY = Path("/dev/tty")


@dataclass(frozen=True, slots=True)
class Terminal:
    """The two directions of a terminal."""

    reading: TextIO
    writing: TextIO


class TerminalAsker:
    """Shows each change and asks, on `/dev/tty`: a hook's own input is never a terminal."""

    def __init__(self, terminal: Terminal, *, color: bool) -> None:
        self._terminal = terminal
        self._color = color

    def ask(self, change: Change, number: int, total: int) -> Verdict | None:
        """Return the verdict, or None for later.

        Raises:
            Aborted: The person answered abort, pressed Ctrl-C, or closed the terminal.
        """
        for line in describe(change, number, total):
            self._say(line)
        while True:
            self._terminal.writing.write(_PROMPT)
            self._terminal.writing.flush()
            try:
                answer = self._terminal.reading.readline()
            except KeyboardInterrupt:
                raise Aborted("the commit") from None
            word = answer.strip().lower()
            if not answer or word in ("a", "abort"):
                raise Aborted("the commit")
            if word in _ANSWERS:
                return _ANSWERS[word]
            self._say("Please answer n, b, l or a.")

    def _say(self, line: str) -> None:
        self._terminal.writing.write((line if self._color else click.unstyle(line)) + "\n")


@contextmanager
def terminal() -> Iterator[Terminal | None]:
    """Open the controlling terminal for reading and writing; None where there is none."""
    try:
        # A terminal cannot seek, so one file in mode `r+` would not do.
        with _TTY.open(encoding="utf-8") as reading, _TTY.open("w", encoding="utf-8") as writing:
            yield Terminal(reading, writing)
    except OSError as error:
        if error.filename != str(_TTY):
            raise
        yield None


def describe(change: Change, number: int, total: int) -> Iterator[str]:
    """Yield the lines that say what changed and what depends on it."""
    of = f" ({number} of {total})" if total > 1 else ""
    yield click.style(f"{printable(str(change.component))} changed{of}", bold=True)
    for dependent in change.dependents:
        calls = count(dependent.calls, "stored call")
        yield f"  {calls} of {printable(dependent.op)} ({duration(dependent.seconds)})"
    yield from diff_lines(change.diff())
