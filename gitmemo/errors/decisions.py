"""Errors of decisions: what is undecided, decided several times, or against what is known."""

from __future__ import annotations

from gitmemo.errors.base import GitmemoError


class UndecidedChanges(GitmemoError):
    """Code that stored calls depend on has changed, and the policy is to refuse that."""

    kind = "undecided-changes"
    exit_code = 3

    def __init__(self, components: tuple[str, ...]) -> None:
        super().__init__(components)
        self.components = components

    def problem(self) -> str:
        return f"stored results depend on code that has changed: {', '.join(self.components)}"

    def remedy(self) -> str:
        return (
            "say whether the results stay valid: repeat the command with "
            "GITMEMO_ON_CHANGE=breaking or GITMEMO_ON_CHANGE=non-breaking, or in a program with "
            "on_change= or storage.decide(...)"
        )


class ContraryEvidence(GitmemoError):
    """A non-breaking verdict, although results differ for equal inputs."""

    kind = "contrary-evidence"
    exit_code = 7

    def __init__(self, component: str, evidence: tuple[str, ...]) -> None:
        super().__init__(component, evidence)
        self.component, self.evidence = component, evidence

    def problem(self) -> str:
        return f"{self.component}: {'; '.join(self.evidence)}"

    def remedy(self) -> str:
        return (
            "say --breaking, or --non-breaking --force if older results stay valid all the same; "
            "`gitmemo check` says whether an op is deterministic"
        )


class SeveralDecisions(GitmemoError, LookupError):
    """Several decisions are meant by one name."""

    kind = "several-decisions"
    exit_code = 2

    def __init__(self, name: str, decisions: tuple[str, ...]) -> None:
        super().__init__(name, decisions)
        self.name, self.decisions = name, decisions

    def problem(self) -> str:
        return f"there are {len(self.decisions)} decisions about {self.name}"

    def remedy(self) -> str:
        return f"name one by its id: {', '.join(self.decisions)}"


class NothingToDecide(GitmemoError, LookupError):
    """No undecided change of that name."""

    kind = "nothing-to-decide"
    exit_code = 2

    def __init__(self, name: str, open_changes: tuple[str, ...]) -> None:
        super().__init__(name, open_changes)
        self.name, self.open_changes = name, open_changes

    def problem(self) -> str:
        return f"no undecided change of {self.name!r}"

    def remedy(self) -> str:
        if self.open_changes:
            return f"undecided are: {', '.join(self.open_changes)}"
        return "nothing is undecided; `gitmemo decide --revise` shows what was decided"


class NothingDecided(GitmemoError, LookupError):
    """No decision counts now that is about this component, or has this id."""

    kind = "nothing-decided"
    exit_code = 2

    def __init__(self, name: str, decided: tuple[str, ...]) -> None:
        """`decided` are the components that decisions are about."""
        super().__init__(name, decided)
        self.name, self.decided = name, decided

    def problem(self) -> str:
        return f"no decision about {self.name!r} is in force, and none has this id"

    def remedy(self) -> str:
        if self.decided:
            decided = ", ".join(dict.fromkeys(self.decided))
            return f"decided were: {decided}; `gitmemo decide --revise` lists the ids"
        return "nothing was decided here; `gitmemo decide` shows what is undecided"
