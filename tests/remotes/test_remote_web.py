"""Web servers that send us elsewhere: followed where that is a web server as safe as the one named."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from gitmemo.blobs import RepositoryBlobs
from gitmemo.errors import RemoteUnreachable
from gitmemo.remotes import Remote, RemoteConfig, open_remote, pull, push

pytestmark = pytest.mark.usefixtures("impatient")


@contextmanager
def serving(
    answer: Callable[[BaseHTTPRequestHandler], None], certificate: Path | None = None
) -> Iterator[str]:
    """Serve on loopback; with a certificate over TLS."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            return

        def do_GET(self) -> None:
            answer(self)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def sends_to(target: str, body: bytes = b"", length: int | None = None):
    """Answer with a redirection to the same object below `target`."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", target + request.path)
        request.send_header("Content-Length", str(len(body) if length is None else length))
        request.end_headers()
        request.wfile.write(body)
        if length is not None:
            over.wait(30)  # and never the rest

    return answer


over = threading.Event()


def web(url: str, folder: Path) -> Remote:
    return open_remote(RemoteConfig("web", url, {"timeout": "2", "retries": "0"}), folder)


@pytest.mark.parametrize(
    "target", ["ftp://127.0.0.1:1", "file:///etc", "data:,", "gopher://h", "//["]
)
def test_a_redirection_to_what_is_no_web_server_is_refused_and_named(target, share, theirs):
    wanted = share(theirs, b"one")
    with serving(sends_to(target)) as url, pytest.raises(RemoteUnreachable) as refused:
        pull(RepositoryBlobs(theirs.directory / "none"), web(url, theirs.directory), wanted)
    if target != "//[":
        assert f"redirects to {target}" in refused.value.problem()
        assert "which is no web server" in refused.value.problem()


def test_what_comes_with_a_redirection_is_not_waited_for(share, ours, theirs, tmp_path):
    wanted = share(ours, b"one", b"two" * 500)
    push(ours, open_remote(RemoteConfig("lab", "shared"), tmp_path), wanted)

    def shows(request: BaseHTTPRequestHandler) -> None:
        data = (tmp_path / "shared" / request.path[1:]).read_bytes()
        request.send_response(200)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    with serving(shows) as there, serving(sends_to(there, b"x", 10**9)) as url:
        assert pull(theirs, web(url, tmp_path), wanted).stored == 2
    over.set()


def test_a_redirection_to_itself_ends(share, theirs):
    wanted = share(theirs, b"one")
    with serving(sends_to("")) as url, pytest.raises(RemoteUnreachable, match="loop"):
        pull(RepositoryBlobs(theirs.directory / "none"), web(url, theirs.directory), wanted)


PULL = """
import sys
from pathlib import Path
from gitmemo.blobs import RepositoryBlobs
from gitmemo.errors import RemoteUnreachable
from gitmemo.hashing.digest import digest
from gitmemo.remotes import RemoteConfig, WantedBlob, open_remote, pull
remote = open_remote(RemoteConfig("web", sys.argv[1], {"retries": "0"}), Path("."))
try:
    pull(RepositoryBlobs(Path("none")), remote, [WantedBlob(digest(b"one"), "raw", 3)])
except RemoteUnreachable as error:
    print(error.problem())
"""


def test_nobody_is_led_out_of_encryption(tmp_path):
    certificate = self_signed(tmp_path / "server.pem")
    with serving(sends_to("http://127.0.0.1:1"), certificate) as url:
        done = subprocess.run(
            [sys.executable, "-c", PULL, url],
            cwd=tmp_path,
            env={**os.environ, "SSL_CERT_FILE": str(certificate)},
            capture_output=True,
            text=True,
        )
    assert "redirects to http://127.0.0.1:1" in done.stdout, done.stderr
    assert "which is not encrypted" in done.stdout


def self_signed(path: Path) -> Path:
    """Write key and certificate of this machine, as it calls itself, into one file."""
    pytest.importorskip("cryptography")  # comes with the server for S3
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(secret + built.public_bytes(serialization.Encoding.PEM))
    return path
