"""One request to a web server and its answer, given up in time and by its length.

Not the trying again (`retry`) nor what an answer means (`web`). Invariant: a server that says
nothing, or says it byte by byte, is waited for in bounded time; no more is taken in than was
asked for.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPMessage, HTTPResponse, HTTPSConnection
from io import BytesIO
from typing import IO
from urllib.parse import urljoin, urlsplit
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from gitmemo.remote_tables import veiled
from gitmemo.remotes.transport import SLOWEST

_PIECE = 64 << 10


@contextmanager
def _given_up(connection: HTTPConnection) -> Iterator[None]:
    """End the connection when the head of an answer is not there in time.

    The time-out of a socket begins anew with each byte.
    """

    late = threading.Event()

    def end() -> None:
        late.set()
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(connection.timeout or SLOWEST, end)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
        if late.is_set():
            raise TimeoutError("the head of the answer came too slowly")


class _Connection(HTTPConnection):
    def getresponse(self) -> HTTPResponse:
        with _given_up(self):
            return super().getresponse()


class _SecureConnection(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:
        with _given_up(self):
            return super().getresponse()


class _Plain(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_Connection, req)


class _Secure(HTTPSHandler):
    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_SecureConnection, req)


class RedirectRefused(Exception):
    """A server sends us to where values must not come from."""


class _Redirects(HTTPRedirectHandler):
    """Follows redirections to web servers, and from https to https alone.

    Python's own follows any to `ftp` and out of the encryption that was asked for, and reads what
    comes with them to its end, which need not come.
    """

    def http_error_302(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> HTTPResponse | None:
        fp.close()
        target = urljoin(req.full_url, headers.get("location") or "")
        scheme = urlsplit(target).scheme
        if scheme not in ("http", "https") or (scheme == "http" and req.type == "https"):
            said = f"{veiled(req.full_url)} redirects to {veiled(target)}"
            reason = "which is not encrypted" if scheme == "http" else "which is no web server"
            raise RedirectRefused(f"{said}, {reason}")
        return super().http_error_302(req, BytesIO(), code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


_opener = build_opener(_Plain, _Secure, _Redirects)


def answer(request: Request, timeout: float) -> HTTPResponse:
    """Return the answer to `request`, of which only the head was read."""
    response: HTTPResponse = _opener.open(request, timeout=timeout)
    return response


def taken(response: HTTPResponse, size: int, timeout: float) -> bytes:
    """Return the next `size` bytes of an answer, or what there is of them."""
    pieces: list[bytes] = []
    began, left = time.monotonic(), size
    while left > 0 and (piece := response.read1(min(left, _PIECE))):
        pieces.append(piece)
        left -= len(piece)
        if left and time.monotonic() - began > timeout + (size - left) / SLOWEST:
            raise TimeoutError(f"{size - left} bytes came in {time.monotonic() - began:.0f} s")
    return b"".join(pieces)
