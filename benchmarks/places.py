"""Where values are shared in a measurement: a directory, or an S3 server on loopback (`s3server`)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

from benchmarks.environments import ROOT

_BUCKET = "values"


class Server:
    """The address of the server, and what it counted."""

    def __init__(self, address: str) -> None:
        self.address = address

    def counted(self) -> int:
        """Return the number of requests since the last such question."""
        with urlopen(f"{self.address}/-counted-") as answer:
            return int(answer.read())

    def clear(self) -> None:
        """Forget all that was put there."""
        urlopen(Request(f"{self.address}/moto-api/reset", method="POST")).close()
        urlopen(Request(f"{self.address}/{_BUCKET}", method="PUT")).close()


@contextmanager
def server() -> Iterator[Server]:
    """Start a server."""
    command = [sys.executable, "-m", "benchmarks.s3server"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield Server(process.stdout.readline().strip())
        finally:
            process.kill()


@dataclass(frozen=True, slots=True)
class Place:
    """A folder to work in, and where to share: a directory in it, unless there is a server."""

    folder: Path
    server: Server | None = None

    def url(self, tool: str) -> str:
        """Return where one tool shares."""
        return f"s3://{_BUCKET}/{tool}" if self.server else str(self.folder / f"to-{tool}")

    @property
    def endpoint(self) -> str:
        """The address of the server, or nothing."""
        return self.server.address if self.server else ""

    def clear(self, tool: str) -> None:
        """Forget all that was shared by a tool; a server forgets everything."""
        if self.server:
            self.server.clear()
        shutil.rmtree(self.folder / f"to-{tool}", ignore_errors=True)
