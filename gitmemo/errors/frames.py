"""Questions to computation frames that cannot be answered as they were asked.

Not what is wrong with what is stored (`records`, `values`), and not patterns.
"""

from __future__ import annotations

from gitmemo.errors.base import GitmemoError


class FramesDiffer(GitmemoError):
    """Two frames cannot be combined, because people arranged them differently."""

    kind = "frames-differ"
    exit_code = 2

    def __init__(self, what: str, one: str, other: str) -> None:
        super().__init__(what, one, other)
        self.what, self.one, self.other = what, one, other

    def problem(self) -> str:
        return f"the frames {self.what} {self.one!r} and {self.other!r}"

    def remedy(self) -> str:
        return "combine the frames first, and arrange what comes out"


class UnknownNode(GitmemoError, KeyError):
    """A frame has no variable or function of that name."""

    kind = "unknown-node"
    exit_code = 2

    def __init__(self, name: str, close: tuple[str, ...], known: tuple[str, ...]) -> None:
        super().__init__(name, close, known)
        self.name, self.close, self.known = name, close, known

    def problem(self) -> str:
        return f"the frame has no {self.name!r}"

    def remedy(self) -> str:
        if self.close:
            return f"did you mean {self.close[0]!r}?"
        if not self.known:
            return (
                "the frame is empty: `storage.cf()` has every call of the code of now, and "
                "`gitmemo status` says how many are of older code"
            )
        shown = ", ".join(self.known[:12])
        more = f", and {len(self.known) - 12} more" if len(self.known) > 12 else ""
        return f"it has {shown}{more}"

    __str__ = GitmemoError.__str__  # a KeyError shows its first argument only


class TableNotWritten(GitmemoError, OSError):
    """The file of a table cannot be written."""

    kind = "table-not-written"
    exit_code = 2

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def problem(self) -> str:
        return f"the table {self.path} cannot be written: {self.reason}"

    def remedy(self) -> str:
        return "name a file in a folder that exists and that you may write to"


class UnknownAuthor(GitmemoError, LookupError):
    """Nobody is called like this who committed calls."""

    kind = "unknown-author"
    exit_code = 2

    def __init__(self, text: str, known: tuple[str, ...]) -> None:
        super().__init__(text, known)
        self.text, self.known = text, known

    def problem(self) -> str:
        return f"nobody whose name or email has {self.text!r} in it committed calls"

    def remedy(self) -> str:
        if not self.known:
            return "git knows no author here: `git config user.name` says who you are"
        shown = ", ".join(self.known[:12])
        more = f", and {len(self.known) - 12} more" if len(self.known) > 12 else ""
        return f"the authors are {shown}{more}"


class NameTaken(GitmemoError, ValueError):
    """A variable or function would get the name of another."""

    kind = "name-taken"
    exit_code = 2

    def __init__(self, old: str, new: str) -> None:
        super().__init__(old, new)
        self.old, self.new = old, new

    def problem(self) -> str:
        return (
            f"{self.old!r} cannot be renamed to {self.new!r}: that is another variable or function"
        )

    def remedy(self) -> str:
        return f"merge_vars({self.old!r}, {self.new!r}) makes one of two variables; else choose another name"


class WrongQuestion(GitmemoError, TypeError):
    """What was asked of a frame makes no sense; the text says why."""

    kind = "wrong-question"
    exit_code = 2

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason, advice)
        self.reason, self.advice = reason, advice

    def problem(self) -> str:
        return self.reason

    def remedy(self) -> str:
        return self.advice


class PlanOutdated(GitmemoError):
    """What a plan to forget calls said does not hold any more; the text says why."""

    kind = "plan-outdated"
    exit_code = 2

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason, advice)
        self.reason, self.advice = reason, advice

    def problem(self) -> str:
        return self.reason

    def remedy(self) -> str:
        return self.advice
