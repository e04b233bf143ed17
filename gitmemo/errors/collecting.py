"""What goes wrong when what nobody needs is removed."""

from __future__ import annotations

import shlex

from gitmemo.errors.base import GitmemoError


class RecordsUnreadable(GitmemoError):
    """Records cannot be read, so nobody can say which values are needed."""

    kind = "records-unreadable"
    exit_code = 4

    def __init__(self, places: tuple[str, ...]) -> None:
        """`places` say what cannot be read, and why."""
        super().__init__(places)
        self.places = places

    def problem(self) -> str:
        shown = "; ".join(self.places[:3]) + ("; …" if len(self.places) > 3 else "")
        return f"nobody can say which values are needed, as records cannot be read: {shown}"

    def remedy(self) -> str:
        return (
            "restore these files (`git fetch`, `git checkout`), or remove the branch that has them; "
            "nothing was removed"
        )


class CollectingAlready(GitmemoError):
    """Another process removes values of the same store, or the file system has no locks."""

    kind = "collecting-already"
    exit_code = 5

    def __init__(self, folder: str, reason: str) -> None:
        super().__init__(folder, reason)
        self.folder, self.reason = folder, reason

    def problem(self) -> str:
        return f"nothing can be removed from {self.folder} now: {self.reason}"

    def remedy(self) -> str:
        return "wait for the other `gitmemo gc`; on a file system without locks remove nothing"


class RemoteShared(GitmemoError):
    """Other repositories push to a remote, and nobody here knows which values they need."""

    kind = "remote-shared"
    exit_code = 3

    def __init__(self, name: str, others: tuple[str, ...]) -> None:
        super().__init__(name, others)
        self.name, self.others = name, others

    def problem(self) -> str:
        return (
            f"other repositories use the remote {self.name!r}: {', '.join(self.others)}; "
            "what only they need would be marked and deleted"
        )

    def remedy(self) -> str:
        forget = " ".join(f"--forget {shlex.quote(other)}" for other in self.others)
        return (
            "give each repository a remote of its own; if these are gone, or are this repository under "
            f"the name that it had: gitmemo remote gc {self.name} {forget} --yes; --ignore-others "
            "passes over them once"
        )


class PusherUnknown(GitmemoError):
    """No repository of this name has pushed to a remote."""

    kind = "pusher-unknown"
    exit_code = 2

    def __init__(self, name: str, repository: str, known: tuple[str, ...]) -> None:
        """`known` are those that have."""
        super().__init__(name, repository, known)
        self.name, self.repository, self.known = name, repository, known

    def problem(self) -> str:
        return f"no repository {self.repository!r} pushes to the remote {self.name!r}"

    def remedy(self) -> str:
        if not self.known:
            return "nothing is to be forgotten there"
        return f"those that do: {', '.join(map(shlex.quote, self.known))}"


class MarkDamaged(GitmemoError):
    """What is marked for deletion on a remote cannot be read, so nobody knows what stays there."""

    kind = "mark-damaged"
    exit_code = 4

    def __init__(self, name: str, objects: tuple[str, ...]) -> None:
        super().__init__(name, objects)
        self.name, self.objects = name, objects

    def problem(self) -> str:
        return (
            f"the remote {self.name!r} is damaged in {', '.join(self.objects[:3])}: "
            "nobody can say which values are to be deleted there"
        )

    def remedy(self) -> str:
        return "delete these objects in the remote, and push again; nothing else is lost by that"
