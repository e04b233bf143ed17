"""What goes wrong with files and folders that are values."""

from __future__ import annotations

from gitmemo.errors.base import GitmemoError, KeepsResult


class NotAFile(KeepsResult, GitmemoError, ValueError):
    """A path does not lead to something that `gm.File` or `gm.Dir` can stand for."""

    kind = "not-a-file"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def problem(self) -> str:
        return f"{self.path} cannot be used as a value: {self.reason}"

    def remedy(self) -> str:
        return (
            "pass the path of a regular file to gm.File, or of a folder of regular files to gm.Dir; "
            "files that do not belong to the value go elsewhere"
        )


class FileInTheWay(GitmemoError, FileExistsError):
    """A stored file belongs where another file lies that is stored nowhere."""

    kind = "file-in-the-way"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def problem(self) -> str:
        return f"a stored file belongs at {self.path}, but {self.reason}"

    def remedy(self) -> str:
        return "move it away or delete it, then ask for the value again"


class FileOutside(GitmemoError, PermissionError):
    """A stored file belongs outside the project, where gitmemo never writes."""

    kind = "file-outside"

    def __init__(self, path: str, root: str) -> None:
        super().__init__(path, root)
        self.path, self.root = path, root

    def problem(self) -> str:
        return (
            f"a stored file belongs at {self.path!r}; gitmemo writes files only inside {self.root}"
        )

    def remedy(self) -> str:
        return "write the file to a relative path inside the project and compute the value again"
