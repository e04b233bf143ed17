"""A server between a client and S3 that misbehaves as it is told."""

from __future__ import annotations

import http.client
import re
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Decide = Callable[[str, str, int], str | None]
"""Method, path and number of a request to what should go wrong with it."""

_SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
_INTERNAL = b"<Error><Code>InternalError</Code><Message>We are sorry.</Message></Error>"
_DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
_ABSENT = b"<Error><Code>NoSuchKey</Code><Message>There is no such key.</Message></Error>"
_ANSWERS = {
    "404": (404, _ABSENT),
    "500": (500, _INTERNAL),
    "502": (502, b"<html>Bad gateway</html>"),
    "503": (503, _SLOW_DOWN),
    "429": (429, b"Too many requests"),
    "403": (403, _DENIED),
    "error": (200, _INTERNAL),
}
_LISTED = re.compile(rb"<Contents>.*?</Contents>", re.DOTALL)
HARMLESS = ("500", "502", "503", "429", "reset", "lost", "twice", "cut", "slow")
"""What a client must get over without anybody noticing."""


class FaultyProxy:
    """Passes requests on to `target`, except as `decide` says.

    `500`, `502`, `503`, `429`, `403`, `404`: such an answer, and nothing is passed on.
    `reset`: the connection is closed instead of an answer; nothing is passed on.
    `early`: the connection is closed when half of what is sent was taken; nothing is passed on.
    `lost`: passed on, and the connection is closed instead of an answer.
    `twice`: passed on twice, as when a network repeats it.
    `cut`: the connection is closed in the middle of the answer.
    `short`: only half of the answer comes, and its head says that this is all.
    `flip N`: one bit of the answer is another one, N of 100 parts behind its beginning.
    `without N`: a listing does not show its object N.
    `slow`: passed on after a moment.
    `silent`: no answer ever comes.
    `deaf`: nor is what was sent taken.
    `trickle`: the answer comes byte by byte, `trickled`: its head, too; each byte before a time-out.
    `more`: after the answer come up to 64 MiB, `surplus` of them are sent.
    `error`: an error comes as if it were none.
    `stale`: the first answer to the same request again: a listing that lags.
    """

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target).netloc
        self.decide: Decide = lambda method, path, number: None
        self.seen: Counter[str] = Counter()
        self.methods: Counter[str] = Counter()
        self.surplus = 0
        self.told: list[dict[str, str]] = []
        self.answers: list[tuple[int, int, int]] = []
        self._first: dict[str, tuple[int, list[tuple[str, str]], bytes]] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: object) -> None:
                return

            def answer(self) -> None:
                proxy._answer(self)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args: object) -> None:
                return  # clients that hang up are no news here

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def forget(self) -> None:
        """Take the next answer to each request for the first."""
        self._first.clear()

    def close(self) -> None:
        """Stop."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        with self._lock:
            number = self.methods.total()
            self.methods[request.command] += 1
            self.told.append({name.lower(): value for name, value in request.headers.items()})
        fault = self.decide(request.command, request.path, number)
        self.seen[fault or "none"] += 1
        if fault == "deaf":
            self._over.wait(60)
        size = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(size // 2 if fault == "early" else size)
        if fault == "silent":
            self._over.wait(60)
        if fault == "trickled":
            self._dripped(request, b"HTTP/1.1 200 OK\r\nX: " + bytes(1000))
        if fault in ("reset", "early", "silent", "deaf", "trickled"):
            request.close_connection = True
            return
        if fault in _ANSWERS:
            status, text = _ANSWERS[fault]
            _reply(request, status, [], text)
            return
        if fault == "slow":
            self._over.wait(0.1)
        if fault == "twice" and request.command in ("PUT", "GET"):
            self._passed_on(request, body)
        answer = self._passed_on(request, body)
        self.answers.append((number, len(answer[2]), len(_LISTED.findall(answer[2]))))
        answer = (*answer[:2], _changed(answer[2], fault or ""))
        if fault == "stale":
            answer = self._first.get(request.path, answer)
        if request.command == "GET":
            self._first.setdefault(request.path, answer)
        if fault == "trickle":
            status, headers, data = answer
            _reply(request, status, headers, data, head_only=True)
            self._dripped(request, data)
        elif fault == "more":
            self._flooded(request, *answer)
        elif fault == "lost":
            request.close_connection = True
        else:
            _reply(request, *answer, cut=fault == "cut")

    def _dripped(self, request: BaseHTTPRequestHandler, data: bytes) -> None:
        request.close_connection = True
        for at in range(len(data)):
            if self._over.wait(0.2):
                return
            request.wfile.write(data[at : at + 1])

    def _flooded(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        headers: list[tuple[str, str]],
        data: bytes,
    ) -> None:
        request.close_connection = True
        request.send_response(status)
        for name, value in headers:
            if name.lower() in ("content-range", "last-modified", "etag"):
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(data) + (64 << 20)))
        request.end_headers()
        request.wfile.write(data)
        for _ in range(64):
            request.wfile.write(bytes(1 << 20))
            self.surplus += 1 << 20

    def _passed_on(
        self, request: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.target, timeout=30)
        try:
            connection.request(request.command, request.path, body, dict(request.headers.items()))
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()


def _changed(body: bytes, fault: str) -> bytes:
    """Return an answer with what is wrong with its bytes."""
    kind, _, number = fault.partition(" ")
    if kind == "short":
        return body[: len(body) // 2]
    if kind == "flip" and body:
        at = min(len(body) - 1, len(body) * int(number) // 100)
        return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
    if kind == "without" and (found := list(_LISTED.finditer(body))[int(number) :]):
        return body[: found[0].start()] + body[found[0].end() :]
    return body


def _reply(
    request: BaseHTTPRequestHandler,
    status: int,
    headers: list[tuple[str, str]],
    body: bytes,
    *,
    cut: bool = False,
    head_only: bool = False,
) -> None:
    request.send_response(status)
    told = None
    for name, value in headers:
        if name.lower() == "content-length":
            told = value
        elif name.lower() not in ("transfer-encoding", "connection", "server", "date"):
            request.send_header(name, value)
    request.send_header(
        "Content-Length", told if request.command == "HEAD" and told else str(len(body))
    )
    request.end_headers()
    if request.command != "HEAD" and not head_only:
        request.wfile.write(body[: len(body) // 2] if cut else body)
    if cut:
        request.close_connection = True
