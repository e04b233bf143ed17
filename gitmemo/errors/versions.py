"""What goes wrong when versions are looked at, or decided about in a notebook."""

from __future__ import annotations

import shlex

from gitmemo.errors.base import GitmemoError
from gitmemo.errors.decisions import UndecidedChanges
from gitmemo.short_ids import short

_WHOLE = 64  # digits of an id


class NotVersioned(GitmemoError, RuntimeError):
    """Versions were asked of a storage that does not look at code."""

    kind = "not-versioned"
    exit_code = 2

    def __init__(self, question: str) -> None:
        super().__init__(question)
        self.question = question

    def problem(self) -> str:
        return f"{self.question}: this storage does not track code, so its calls have no versions"

    def remedy(self) -> str:
        return (
            'say which code counts, Storage(deps_path="__main__") or Storage(deps_path="a/folder"), '
            "or use gitmemo.open() in a git repository"
        )


class UnknownComponent(GitmemoError, LookupError):
    """Neither stored calls nor the project's files have such a piece of code, or several are meant."""

    kind = "unknown-component"
    exit_code = 2

    def __init__(
        self, name: str, candidates: tuple[str, ...], ambiguous: bool, in_files: bool = False
    ) -> None:
        """`in_files` is true where it was looked for in the files as they are."""
        super().__init__(name, candidates, ambiguous, in_files)
        self.name, self.candidates, self.ambiguous = name, candidates, ambiguous
        self.in_files = in_files

    def problem(self) -> str:
        if self.ambiguous:
            return f"{self.name!r} could be any of {', '.join(self.candidates)}"
        if self.in_files:
            return f"no function, class or variable is called {self.name!r}"
        return f"no stored call touched a component called {self.name!r}"

    def remedy(self) -> str:
        if self.ambiguous:
            return "give the file too: path/to/file.py:name; or one of these in full, in quotes"
        if self.candidates:
            return f"did you mean {' or '.join(map(repr, self.candidates))}?"
        if self.in_files:
            return "write PATH:NAME, the path from the top of the repository, such as lib/step.py:scale"
        return (
            "write path/to/file.py:name; `gitmemo deps OP` lists what the calls of an op touched, "
            "and so do the `components` of storage.versions(op)"
        )


class ComponentIsNoOp(GitmemoError, LookupError):
    """A question about an op was asked of another piece of code."""

    kind = "component-is-no-op"
    exit_code = 2

    def __init__(self, name: str, component: str) -> None:
        super().__init__(name, component)
        self.name, self.component = name, component

    def problem(self) -> str:
        return f"{self.component} has no stored calls of its own: it is no op, or they were dropped"

    def remedy(self) -> str:
        return (
            f"`gitmemo log {shlex.quote(self.name)}` shows its contents; for the rest give an op "
            "that uses it: `gitmemo status` lists them"
        )


class DifferentKinds(GitmemoError, ValueError):
    """A content and a version were to be compared."""

    kind = "different-kinds"
    exit_code = 2

    def __init__(self, version: str, content: str) -> None:
        """Both are ids in hex."""
        super().__init__(version, content)
        self.version, self.content = version, content

    def problem(self) -> str:
        return (
            f"{short(self.version)} is a version of an op, {short(self.content)} a content of one "
            "component: they cannot be compared"
        )

    def remedy(self) -> str:
        return (
            "give two versions (`gitmemo versions OP`) or two contents (`gitmemo log COMPONENT`); "
            "`gitmemo show` lists the contents of a version"
        )


class UnknownId(GitmemoError, LookupError):
    """Nothing that is known here has an id that begins like this."""

    kind = "unknown-id"
    exit_code = 2

    def __init__(self, ident: str, is_id: bool = True) -> None:
        """`is_id` is false for what cannot be an id at all."""
        super().__init__(ident, is_id)
        self.ident, self.is_id = ident, is_id

    def problem(self) -> str:
        if not self.is_id:
            return f"{self.ident!r} is not an id"
        return f"nothing that is known here has an id that begins with {self.ident!r}"

    def remedy(self) -> str:
        if not self.is_id:
            return (
                "an id is 4 to 64 hex digits, and its beginning is enough where only one has it; "
                "`gitmemo calls OP` lists those of calls, and `gitmemo show CALL` those of its results; "
                "of a name, `gitmemo log NAME` lists the contents with their ids, and `gitmemo "
                "versions OP` the versions of an op"
            )
        return (
            "copy the id from `gitmemo versions`, `gitmemo log`, storage.versions(op) or a ref; "
            "in a repository, `gitmemo pull` fetches what others recorded"
        )


class AmbiguousId(GitmemoError, LookupError):
    """Several ids begin like this."""

    kind = "ambiguous-id"
    exit_code = 2

    def __init__(self, ident: str, candidates: tuple[str, ...]) -> None:
        super().__init__(ident, candidates)
        self.ident, self.candidates = ident, candidates

    def problem(self) -> str:
        listed = "".join(f"\n    {candidate}" for candidate in self.candidates)
        return f"the short id {self.ident!r} is ambiguous; the candidates are:{listed}"

    def remedy(self) -> str:
        if len(self.ident) < _WHOLE:
            return "give more digits"
        return "several have this very id: give one of these"


class DecisionNeeded(UndecidedChanges):
    """In a notebook: the same, and the changes are shown with what decides about them."""

    kind = "decision-needed"

    def remedy(self) -> str:
        return (
            "decide where the changes are shown, or with storage.undecided().keep() or "
            '.recompute(), and run the cell again; storage.on_change = "pending" goes on and '
            "computes again"
        )
