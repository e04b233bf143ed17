"""What goes wrong with results pages."""

from __future__ import annotations

from gitmemo.errors.base import GitmemoError


class PageNotWritten(GitmemoError, OSError):
    """The file of a results page cannot be written."""

    kind = "page-not-written"
    exit_code = 2

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def problem(self) -> str:
        return f"the page {self.path} cannot be written: {self.reason}"

    def remedy(self) -> str:
        return "name a file in a folder that exists and that you may write to: -o results.html"


class CannotListen(GitmemoError, OSError):
    """Nothing can be served at this address and port."""

    kind = "cannot-listen"
    exit_code = 5

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(host, port, reason)
        self.host, self.port, self.reason = host, port, reason

    def problem(self) -> str:
        return f"cannot listen on {self.host}:{self.port}: {self.reason}"

    def remedy(self) -> str:
        return "--port 0 takes a port that is free, and without --host it is this machine alone"
