"""A server that speaks S3 on the loopback interface and counts requests: `python -m benchmarks.s3server`.

A process of its own, so that its time is not taken for the client's. It is `moto`, which keeps
objects in memory. Prints its address; `GET /-counted-` answers with the number of requests since
the last such question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from wsgiref.types import StartResponse, WSGIEnvironment

_QUESTION = "/-counted-"


class _Counting:
    """A WSGI application around another, which counts what goes through."""

    def __init__(self, inner: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]) -> None:
        self._inner = inner
        self._numbers = count()

    def __call__(self, environ: WSGIEnvironment, answer: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != _QUESTION:
            next(self._numbers)
            return self._inner(environ, answer)
        seen = next(self._numbers)
        self._numbers = count()
        answer("200 OK", [("Content-Type", "text/plain")])
        return [str(seen).encode()]


def main() -> None:
    """Serve until killed."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_request(self, *_: object) -> None:
            pass

    application = _Counting(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
