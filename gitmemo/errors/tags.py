"""Names of values that cannot be given, or that mean nothing here.

Not ids (`versions`), nor what frames are asked (`frames`).
"""

from __future__ import annotations

from gitmemo.errors.base import GitmemoError


class BadTagName(GitmemoError, ValueError):
    """A value cannot be called like this."""

    kind = "bad-tag-name"
    exit_code = 2

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason

    def problem(self) -> str:
        return f"{self.name!r} is no name for a value: {self.reason}"

    def remedy(self) -> str:
        return "choose a name like `baseline` or `paper/figure-2`, without an @ before it"


class UnknownTag(GitmemoError, LookupError):
    """No value has this name here."""

    kind = "unknown-tag"
    exit_code = 2

    def __init__(self, name: str, close: tuple[str, ...]) -> None:
        super().__init__(name, close)
        self.name, self.close = name, close

    def problem(self) -> str:
        return f"nothing is tagged {self.name!r} here"

    def remedy(self) -> str:
        if self.close:
            return f"did you mean {self.close[0]!r}? `gitmemo tag` lists the names"
        return (
            "`gitmemo tag` lists the names, `gitmemo tag --rev REV` those of another revision; "
            "`git pull` fetches what others tagged"
        )


class TagTaken(GitmemoError, ValueError):
    """Another value has this name already."""

    kind = "tag-taken"
    exit_code = 2

    def __init__(self, name: str, value: str) -> None:
        super().__init__(name, value)
        self.name, self.value = name, value

    def problem(self) -> str:
        return f"{self.name!r} is the name of another value: {self.value}"

    def remedy(self) -> str:
        return "choose another name, or move this one with --force (in Python: force=True)"


class TagContested(GitmemoError, LookupError):
    """Two branches gave a name to different values, and were merged."""

    kind = "tag-contested"
    exit_code = 3

    def __init__(self, name: str, values: tuple[str, ...]) -> None:
        super().__init__(name, values)
        self.name, self.values = name, values

    def problem(self) -> str:
        return f"{self.name!r} was given to different values: {', '.join(self.values)}"

    def remedy(self) -> str:
        return (
            f"say which one it is: `gitmemo tag --force {self.name} ID`; "
            f"or that it is none: `gitmemo tag -d {self.name}`"
        )


class TaggedGone(GitmemoError, LookupError):
    """A name is known, and no call that counts here made the value that has it."""

    kind = "tagged-gone"
    exit_code = 2

    def __init__(self, name: str, value: str) -> None:
        super().__init__(name, value)
        self.name, self.value = name, value

    def problem(self) -> str:
        return f"no call that is stored here made what is tagged {self.name!r}: {self.value}"

    def remedy(self) -> str:
        return (
            "if the call was forgotten or dropped, `gitmemo forget` lists what can be brought back; else "
            f"give the name to another value (`gitmemo tag --force {self.name} ID`) or remove it "
            f"(`gitmemo tag -d {self.name}`)"
        )


class CannotTag(GitmemoError, ValueError):
    """What was given is not one value that a stored call made."""

    kind = "cannot-tag"
    exit_code = 2

    def __init__(self, what: str, reason: str, advice: str) -> None:
        super().__init__(what, reason, advice)
        self.what, self.reason, self.advice = what, reason, advice

    def problem(self) -> str:
        return f"{self.what} cannot be tagged: {self.reason}"

    def remedy(self) -> str:
        return self.advice
