"""What goes wrong with a store of values that several repositories share."""

from __future__ import annotations

from gitmemo.errors.base import GitmemoError


class StoreGone(GitmemoError):
    """The shared store of a repository is not where the repository looks for it."""

    kind = "store-gone"
    exit_code = 5

    def __init__(self, folder: str, repository: str) -> None:
        super().__init__(folder, repository)
        self.folder, self.repository = folder, repository

    def problem(self) -> str:
        return (
            f"the shared store {self.folder}, where {self.repository} has its values, is not there"
        )

    def remedy(self) -> str:
        return (
            "mount it, or bring it back; if it is gone for good, `gitmemo store own --abandon` begins "
            "with an empty store (`gitmemo pull` fetches what a remote has)"
        )


class StoreUnusable(GitmemoError):
    """A folder cannot be a shared store as it is."""

    kind = "store-unusable"
    exit_code = 2

    def __init__(self, folder: str, reason: str, advice: str) -> None:
        super().__init__(folder, reason, advice)
        self.folder, self.reason, self.advice = folder, reason, advice

    def problem(self) -> str:
        return f"{self.folder} cannot be a store of values: {self.reason}"

    def remedy(self) -> str:
        return self.advice


class StoreCommitted(GitmemoError):
    """The committed settings say where values lie, which only a clone itself may say."""

    kind = "store-committed"
    exit_code = 2

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def problem(self) -> str:
        return f"{self.name}, which others commit, names a folder for values on this machine"

    def remedy(self) -> str:
        return "remove `store` there; `gitmemo store share PATH` says it for this clone alone"


class StoreInUse(GitmemoError):
    """Values cannot be moved while programs use the store they lie in."""

    kind = "store-in-use"
    exit_code = 5

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.folder = folder

    def problem(self) -> str:
        return f"running programs use the values in {self.folder}, so nothing was changed"

    def remedy(self) -> str:
        return "say it again when they have ended; what was copied is not copied twice"


class SharersUnreadable(GitmemoError):
    """Nobody can say what a repository needs that shares a store, so nothing may be removed."""

    kind = "sharers-unreadable"
    exit_code = 4

    def __init__(self, folder: str, places: tuple[str, ...]) -> None:
        """`places` name repositories, and say why they cannot be read."""
        super().__init__(folder, places)
        self.folder, self.places = folder, places

    def problem(self) -> str:
        shown = "; ".join(self.places[:3]) + ("; …" if len(self.places) > 3 else "")
        return f"repositories that share {self.folder} cannot be read: {shown}"

    def remedy(self) -> str:
        return (
            "mount or mend them; run any gitmemo command in one that was moved; if one is gone for "
            "good, `gitmemo store forget PATH` (or ID): what only it needs may be removed then"
        )


class SharerUnknown(GitmemoError):
    """No repository of this name shares the store, or one that does so still."""

    kind = "sharer-unknown"
    exit_code = 2

    def __init__(self, name: str, reason: str, advice: str) -> None:
        super().__init__(name, reason, advice)
        self.name, self.reason, self.advice = name, reason, advice

    def problem(self) -> str:
        return f"{self.name} cannot be forgotten: {self.reason}"

    def remedy(self) -> str:
        return self.advice
