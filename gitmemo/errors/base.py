"""The base of every error that gitmemo raises on purpose.

Not the errors themselves. Invariant: a subclass passes its own arguments to
`super().__init__` unchanged, so that it survives pickling to and from worker
processes, and every subclass has a remedy.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, ClassVar


class ExitCode(IntEnum):
    """What `gitmemo` exits with, as `docs/reference.md` publishes it."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_READY = 3
    DAMAGED = 4
    UNREACHABLE = 5
    UNTRUSTED = 6
    DIFFERENT = 7
    BUG = 70
    ABORTED = 130


class GitmemoError(Exception):
    """Base of every error that gitmemo raises on purpose.

    Attributes:
        kind: Stable code for programs, in `--json` output; never renamed.
        exit_code: What `gitmemo` exits with; see `docs/reference.md`.
    """

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def problem(self) -> str:
        """Say what went wrong, as one sentence without a full stop."""
        return ", ".join(map(str, self.args))

    def remedy(self) -> str:
        """Say what to do next, as one sentence without a full stop."""
        return ""

    def __str__(self) -> str:
        remedy = self.remedy()
        return f"{self.problem()}\n  fix: {remedy}" if remedy else self.problem()

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows."""
        from gitmemo.errors.in_notebooks import shown

        return shown(self)


class KeepsResult:
    """For errors after an op's body: the work is done, only its result cannot be stored.

    Attributes:
        value: What the body returned, None where no body ran. It is not pickled with the error:
            a value that cannot be stored cannot be sent to another process either.
    """

    value: object = None

    def __reduce__(self) -> tuple[Any, ...]:
        reduced: Any = super().__reduce__()  # (class, args), and a state if there is one
        state = {name: item for name, item in vars(self).items() if name != "value"}
        return (*reduced[:2], state)
