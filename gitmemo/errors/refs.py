"""Errors of refs: of what is none, and of what is taken for the value itself."""

from __future__ import annotations

from gitmemo.errors.base import GitmemoError


class NotARef(GitmemoError, TypeError):
    """A question about a ref was asked with something else."""

    kind = "not-a-ref"

    def __init__(self, given: str, question: str) -> None:
        super().__init__(given, question)
        self.given, self.question = given, question

    def problem(self) -> str:
        return f"{self.question} takes a ref, and {self.given} is none"

    def remedy(self) -> str:
        return (
            "pass what an op returned inside `with storage:`, before it is unwrapped; the cells of a "
            'table are refs with `values="refs"`'
        )


class RefMisuse(GitmemoError, TypeError):
    """A ref was used as if it were its value."""

    kind = "ref-misuse"

    def __init__(self, ref: str, action: str, reason: str) -> None:
        super().__init__(ref, action, reason)
        self.ref, self.action, self.reason = ref, action, reason

    def problem(self) -> str:
        return f"cannot {self.action} {self.ref}: {self.reason}"

    def remedy(self) -> str:
        advice = "get the value with storage.unwrap(ref), or pass the ref to an op, which receives the value"
        if self.action == "compare":  # also what `ref in refs` does, and a dict with refs as keys
            return f"{advice}; ref.same_as(other) tells whether two refs have one history"
        return advice


class UnknownRef(GitmemoError, KeyError):
    """No call known here made a ref with this history id."""

    kind = "unknown-ref"

    def __init__(self, hid: str) -> None:
        super().__init__(hid)
        self.hid = hid

    def problem(self) -> str:
        return f"no stored call made a value with history id {self.hid!r}"

    def remedy(self) -> str:
        return (
            "check the id (4 to 64 hex digits); in a repository, fetch the calls first: `git pull`, then "
            "`gitmemo pull`"
        )
