"""A results page served on this machine: one page, its rows by query, and whether there is news.

Not what is in it (`live`, `source`). Invariants: it only answers GET and changes nothing; nobody gets
anything without the token that stands in the address, or the cookie that it is exchanged for; and a
name that somebody else may point at this machine is not answered to, whatever it comes with.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from gitmemo.errors import CannotListen
from gitmemo.report.live import Live
from gitmemo.report.page import html_of
from gitmemo.report.source import Question, Source, question_of

_TIMEOUT_S = 30
_ALWAYS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_NO_TOKEN = "open the address that `gitmemo serve` printed: it has the token of this page\n"
_NO_NAME = "this server does not answer to that name: use the address that it printed\n"


def _leading_to(address: str) -> bytes:
    """Return a page that leads on at once."""
    return (
        "<!doctype html><meta charset=utf-8><meta name=referrer content=no-referrer>"
        '<link rel=icon href="data:,">'  # else browsers ask for one, and complain that there is none
        f'<title>gitmemo</title><meta http-equiv=refresh content="0;url={escape(address)}">'
    ).encode()


class Server:
    """Serves one live document until it is closed."""

    def __init__(self, live: Live, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen already, so that `url` leads there.

        Raises:
            CannotListen: The address is not of this machine, or the port is taken.
        """
        if not host:  # to the system that is every address
            raise CannotListen(host, port, "the host is empty; 0.0.0.0 is every address")
        self._token = secrets.token_urlsafe(24)
        try:
            self._http = _Http(live, host, port, self._token)
        except (OSError, OverflowError) as error:
            raise CannotListen(host, port, getattr(error, "strerror", None) or str(error)) from None
        self.host, self.port = host, int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """The address to open, with the token: on all addresses of this machine the one with its name."""
        return self._url(self._http.names[0])

    def _url(self, host: str) -> str:
        bare = f"[{host}]" if ":" in host else host
        return f"http://{bare}:{self.port}/?token={self._token}"

    @contextmanager
    def opener(self, folder: Path | None) -> Iterator[str]:
        """Yield the address of a file that leads a browser to `url`, there as long as the body runs.

        Other users of this machine see what a browser is started with; this file, in `folder` or
        where temporary files are, only this user can read.
        """
        with tempfile.TemporaryDirectory(prefix="serve-", dir=folder) as name:
            file = Path(name) / "open.html"
            file.touch(mode=0o600)
            file.write_bytes(_leading_to(self._url(self._http.names[-1])))
            yield file.as_uri()

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def serve(self) -> None:
        """Answer until `close` is called from another thread, or an interrupt."""
        self._http.serve_forever(poll_interval=0.2)

    def close(self) -> None:
        """Stop answering, and listen no more."""
        self._http.shutdown()

    def release(self) -> None:
        """Listen no more; nobody serves."""
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, live: Live, host: str, port: int, token: str) -> None:
        self.live, self.token = live, token
        self.names = [host]
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)
        if ipaddress.ip_address(str(self.server_address[0])).is_unspecified:
            self.names = [socket.gethostname(), "localhost"]

    @property
    def cookie(self) -> str:
        # Cookies know no ports: two servers on one machine need two names.
        return f"gitmemo_{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of browsers that close connections in the middle of answers."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def answers_to(self, name: str) -> bool:
        """Whether a `Host` header names this server; nobody can point numbers elsewhere."""
        bare = name.rpartition(":")[0] if ":" in name.rpartition("]")[2] else name
        if bare.lower() in ("localhost", *map(str.lower, self.names)):
            return True
        try:
            ipaddress.ip_address(bare.strip("[]"))
        except ValueError:
            return False
        return True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT_S
    server_version = "gitmemo"
    sys_version = ""

    @property
    def _http(self) -> _Http:
        assert isinstance(self.server, _Http)
        return self.server

    def do_GET(self) -> None:
        """Answer, or refuse."""
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or not self._http.answers_to(hosts[0]):
            self._text(HTTPStatus.MISDIRECTED_REQUEST, _NO_NAME)
            return
        try:
            address = urlsplit(self.path)
            asked = {name: values[-1] for name, values in parse_qs(address.query).items()}
        except ValueError:
            self._text(HTTPStatus.BAD_REQUEST, "that is no address\n")
            return
        if address.path == "/" and self._is_token(asked.get("token", "")):
            self._welcome()
        elif not self._is_token(self._cookie()):
            self._text(HTTPStatus.FORBIDDEN, _NO_TOKEN)
        else:
            self._answer(address.path, asked)

    def _refuse(self) -> None:
        self.close_connection = True
        self._send(HTTPStatus.METHOD_NOT_ALLOWED, b"", "text/plain", {"Allow": "GET"})

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _refuse

    def _answer(self, path: str, asked: dict[str, str]) -> None:
        edition = self._http.live.edition
        if path == "/":
            self._page()
        elif path == "/news":
            self._news()
        elif path == "/favicon.ico":  # some ask while the page loads, though it has one
            self._send(HTTPStatus.NO_CONTENT, b"", "image/x-icon", {})
        elif path not in ("/rows", "/points", "/numbered", "/called"):
            self._text(HTTPStatus.NOT_FOUND, "there is no such page\n")
        elif asked.get("edition") != str(edition.number):
            self._text(HTTPStatus.CONFLICT, "there is a newer page\n")
        else:
            try:
                self._json(_data(edition.source, path, asked))
            except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
                self._text(HTTPStatus.BAD_REQUEST, "that is no question\n")

    def _page(self) -> None:
        live = self._http.live
        live.renew()
        edition = live.edition
        served = {"edition": edition.number, "problem": live.problem}
        data = edition.document.as_dict(rows=False) | {"served": served}
        html = html_of(data, edition.document.graph, served=True)
        self._send(HTTPStatus.OK, html.encode(), "text/html", {})

    def _news(self) -> None:
        live = self._http.live
        live.look()
        said = {"edition": live.edition.number, "old": live.is_old, "problem": live.problem}
        body = json.dumps(said).encode()
        tag = f'"{hashlib.sha256(self._http.token.encode() + body).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == tag:
            self._send(HTTPStatus.NOT_MODIFIED, b"", "application/json", {"ETag": tag})
        else:
            self._send(HTTPStatus.OK, body, "application/json", {"ETag": tag})

    def _welcome(self) -> None:
        cookie = f"{self._http.cookie}={self._http.token}; HttpOnly; SameSite=Strict; Path=/"
        # No redirection: after one from a file, browsers would keep the cookie to themselves.
        self._send(HTTPStatus.OK, _leading_to("/"), "text/html", {"Set-Cookie": cookie})

    def _cookie(self) -> str:
        try:
            found = SimpleCookie(self.headers.get("Cookie", "")).get(self._http.cookie)
        except CookieError:
            return ""
        return found.value if found else ""

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self._http.token.encode())

    def _json(self, data: dict[str, object]) -> None:
        body = json.dumps(data, ensure_ascii=True, separators=(",", ":")).encode()
        self._send(HTTPStatus.OK, body, "application/json", {})

    def _text(self, status: HTTPStatus, text: str) -> None:
        self._send(status, text.encode(), "text/plain", {})

    def _send(self, status: HTTPStatus, body: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
        for name, value in (_ALWAYS | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal is the user's."""


def _data(source: Source, path: str, asked: dict[str, str]) -> dict[str, object]:
    """Return what is asked of the rows of one document."""
    fields = json.loads(asked["q"])
    if not isinstance(fields, dict):
        raise ValueError("q")
    question: Question = question_of(fields, source.document)
    columns = len(source.document.tables[question.table].columns)
    if path == "/numbered":
        return source.numbered(question.table, list(map(int, fields["numbers"])))
    if path == "/called":
        return source.called(question.table, list(map(str, fields["calls"])))
    if path == "/points":
        wanted = list(map(int, fields["columns"]))
        if not all(0 <= place < columns for place in wanted):
            raise ValueError("columns")
        return source.points(question, wanted)
    return source.rows(question, max(0, int(fields["start"])), max(0, int(fields["most"])))
