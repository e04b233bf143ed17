"""What goes wrong when results of other tools are brought in."""

from __future__ import annotations

from gitmemo.errors.base import GitmemoError


class NotAnOldStore(GitmemoError, ValueError):
    """What was named holds no results of the tool that was named."""

    kind = "not-an-old-store"
    exit_code = 2

    def __init__(self, path: str, tool: str, reason: str) -> None:
        super().__init__(path, tool, reason)
        self.path, self.tool, self.reason = path, tool, reason

    def problem(self) -> str:
        return f"{self.path!r} is no store of {self.tool}: {self.reason}"

    def remedy(self) -> str:
        return (
            "name what the old program was given: the folder of joblib.Memory(...), or the db_path "
            "of mandala's Storage(...)"
        )


class NothingMapped(GitmemoError, LookupError):
    """`--map` names a function of which the old store has no results, or several have that name."""

    kind = "nothing-mapped"
    exit_code = 2

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name, known)
        self.name, self.known = name, known

    def problem(self) -> str:
        return f"--map {self.name}=…: the old store has no such function, or several"

    def remedy(self) -> str:
        return f"it has results of {', '.join(self.known)}"
