"""What goes wrong with questions that are patterns of calls."""

from __future__ import annotations

from gitmemo.errors.base import GitmemoError


class AmbiguousPattern(GitmemoError, ValueError):
    """Two refs have one role in the computation, or one value has two."""

    kind = "ambiguous-pattern"
    exit_code = 2

    def __init__(self, what: str, candidates: tuple[str, ...], advice: str) -> None:
        super().__init__(what, candidates, advice)
        self.what, self.candidates, self.advice = what, candidates, advice

    def problem(self) -> str:
        return f"{self.what}: {' and '.join(self.candidates)}"

    def remedy(self) -> str:
        return self.advice


class DisconnectedPattern(GitmemoError, ValueError):
    """No call connects some of the variables of a table with the others."""

    kind = "disconnected-pattern"
    exit_code = 2

    def __init__(self, parts: tuple[str, ...]) -> None:
        super().__init__(parts)
        self.parts = parts

    def problem(self) -> str:
        shown = "\n  and\n".join(
            "\n".join(f"    {line}" for line in part.splitlines()) for part in self.parts
        )
        return f"nothing connects these parts of the pattern:\n{shown}\n"

    def remedy(self) -> str:
        return (
            "ask about each part on its own, or say allow_product=True to pair every match of one "
            "with every match of the other"
        )


class UnconstrainedVariable(GitmemoError, ValueError):
    """No op is asked about a variable, so that it stands for anything."""

    kind = "unconstrained-variable"
    exit_code = 2

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def problem(self) -> str:
        return f"{self.what} is in no call of the pattern, so that it could be anything"

    def remedy(self) -> str:
        return (
            "pass a result that was computed from it too, or use it in a call of an op inside "
            "`with storage.query():`"
        )


class NotInPattern(GitmemoError, TypeError):
    """Something cannot be part of a pattern, or not in this way."""

    kind = "not-in-pattern"
    exit_code = 2

    def __init__(self, what: str, reason: str, advice: str) -> None:
        super().__init__(what, reason, advice)
        self.what, self.reason, self.advice = what, reason, advice

    def problem(self) -> str:
        return f"{self.what} cannot be part of a pattern like this: {self.reason}"

    def remedy(self) -> str:
        return self.advice
