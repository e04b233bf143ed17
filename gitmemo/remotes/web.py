"""A remote behind a web server: the files of another remote, to be read only.

Not for services with an interface of their own (`objects`). Invariant: what is
there is what a push has noted (`latest`), as web servers list nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http.client import HTTPResponse
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request

from gitmemo.errors import GitmemoError, RemoteNotListed, RemoteReadOnly, RemoteUnreachable
from gitmemo.remotes.config import RemoteConfig
from gitmemo.remotes.exchange import answer, taken
from gitmemo.remotes.latest import LARGEST_LATEST, read_latest
from gitmemo.remotes.layout import LATEST
from gitmemo.remotes.parallel import pause
from gitmemo.remotes.retry import Patience
from gitmemo.remotes.transport import CHUNK_SIZE, Reached, too_large, within

Result = TypeVar("Result")


class WebTransport:
    """Objects below an http or https address."""

    def __init__(self, config: RemoteConfig, patience: Patience) -> None:
        self._config, self._patience = config, patience

    def listing(self) -> dict[str, int | None]:
        """Return what was there when somebody pushed last."""
        try:
            return read_latest(self.read(LATEST, LARGEST_LATEST))
        except FileNotFoundError:
            raise RemoteNotListed(self._config.name, self._config.shown_url, LATEST) from None
        except GitmemoError:
            raise
        except ValueError as error:
            reason = f"{LATEST} makes no sense: {error}"
            raise RemoteUnreachable(self._config.name, self._config.shown_url, reason) from error

    def read(self, name: str, most: int) -> bytes:
        """Return a whole object of at most `most` bytes."""
        data = self._reached(partial(self._read_whole, name, most))
        return within(self._config.name, name, data, most)

    def _read_whole(self, name: str, most: int) -> bytes:
        with self._open(name) as response:
            if (response.length or 0) > most:
                raise too_large(self._config.name, name, most)
            data = taken(response, most + 1, self._patience.timeout_s)
            if len(data) <= most and not _ended(response):
                raise ConnectionResetError("the connection was cut")
            return data

    def read_ranges(self, name: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each range."""
        return [self._reached(partial(self._read_range, name, *each)) for each in ranges]

    def _read_range(self, name: str, start: int, end: int) -> bytes:
        try:
            response = self._open(name, start)
        except _PastTheEnd:
            return b""
        with response:
            return taken(response, end - start, self._patience.timeout_s)

    def stream(self, name: str, size: int, start: int = 0) -> Iterator[bytes]:
        """Yield an object in pieces."""
        pieces = _Pieces(partial(self._open, name), start, self._patience.timeout_s)
        try:
            while pieces.position < size and (data := self._reached(partial(pieces.next, size))):
                yield data
                pause()
        finally:
            pieces.close()

    def write(self, name: str, data: bytes) -> None:
        """Refuse."""
        self._refuse()

    def upload(self, name: str, path: Path, reached: Reached = lambda _: None) -> None:
        """Refuse."""
        self._refuse()

    def write_new(self, name: str, data: bytes) -> bool:
        """Refuse."""
        self._refuse()

    def delete(self, name: str) -> None:
        """Refuse."""
        self._refuse()

    def written_at(self, name: str) -> float | None:
        """Say nothing: servers that copy files tell of the copy."""
        return None

    def _refuse(self) -> NoReturn:
        reason = "a web server shows files, and takes none"
        raise RemoteReadOnly(self._config.name, self._config.shown_url, reason)

    def _open(self, name: str, start: int = 0) -> HTTPResponse:
        headers = {"User-Agent": "gitmemo", "Cache-Control": "no-cache"}
        if start:
            headers["Range"] = f"bytes={start}-"
        url = f"{self._config.url.rstrip('/')}/{quote(name)}"
        try:
            response = answer(Request(url, headers=headers), self._patience.timeout_s)
        except HTTPError as error:
            error.close()
            if error.code in (404, 410):
                raise FileNotFoundError(url) from error
            if error.code == 416:
                raise _PastTheEnd from error
            raise
        if start and response.status != 206:  # a server that knows no ranges
            _skip(response, start, self._patience.timeout_s)
        return response

    def _reached(self, action: Callable[[], Result]) -> Result:
        """Return `action()`, repeated while it may succeed, with its failure as an error of ours."""
        return self._patience.reach(self._config.name, self._config.shown_url, action)


class _PastTheEnd(Exception):
    """An object has no bytes from there on."""


class _Pieces:
    """One object as it is read, by another request where a connection was cut."""

    def __init__(
        self, open_at: Callable[[int], HTTPResponse], position: int, timeout: float
    ) -> None:
        self._open_at, self.position, self._timeout = open_at, position, timeout
        self._response: HTTPResponse | None = None

    def next(self, size: int) -> bytes:
        """Return the next piece of an object of `size` bytes; none at its end."""
        try:
            if self._response is None:
                self._response = self._open_at(self.position)
            data = taken(self._response, min(CHUNK_SIZE, size - self.position), self._timeout)
        except _PastTheEnd:
            return b""
        except BaseException:
            self.close()
            raise
        if not data and not _ended(self._response):
            self.close()
            raise ConnectionResetError("the connection was cut")
        self.position += len(data)
        return data

    def close(self) -> None:
        """Let the connection go."""
        if self._response is not None:
            self._response.close()
            self._response = None


def _ended(response: HTTPResponse) -> bool:
    """Say whether everything that was announced has come."""
    return not response.length


def _skip(response: HTTPResponse, size: int, timeout: float) -> None:
    while size > 0 and (data := taken(response, min(size, CHUNK_SIZE), timeout)):
        size -= len(data)
