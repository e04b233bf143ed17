"""Remotes of three kinds, and values to share."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from remotes.faults import FaultyProxy
from s3_server import new_bucket, serving

from gitmemo.blobs import BlobStore, RepositoryBlobs
from gitmemo.hashing.digest import Digest, digest_chunks
from gitmemo.remotes import Remote, RemoteConfig, WantedBlob, open_remote, retry


@dataclass(frozen=True)
class Encoded:
    """What a codec would return."""

    codec: str
    chunks: tuple[bytes, ...]

    @property
    def size(self) -> int:
        return sum(map(len, self.chunks))

    def blob_id(self) -> Digest:
        return digest_chunks(self.chunks)


@pytest.fixture
def share() -> Callable[..., list[WantedBlob]]:
    """`share(store, b"…", …)` puts values and returns them as wanted."""

    def share(store: BlobStore, *values: bytes, codec: str = "raw") -> list[WantedBlob]:
        return [WantedBlob(store.put(Encoded(codec, (v,))), codec, len(v)) for v in values]

    return share


@pytest.fixture
def ours(tmp_path: Path) -> RepositoryBlobs:
    """The store that pushes."""
    return RepositoryBlobs(tmp_path / "ours")


@pytest.fixture
def theirs(tmp_path: Path) -> RepositoryBlobs:
    """The store that pulls."""
    return RepositoryBlobs(tmp_path / "theirs")


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A server that speaks S3 on the loopback interface."""
    with serving() as endpoint:
        yield endpoint


@pytest.fixture
def proxy(s3_endpoint: str) -> Iterator[FaultyProxy]:
    """What misbehaves before that server."""
    proxy = FaultyProxy(s3_endpoint)
    yield proxy
    proxy.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repetitions come at once."""
    pause = retry.pause
    monkeypatch.setattr(retry, "pause", lambda seconds=0.0: pause(min(seconds, 0.01)))


@pytest.fixture
def bucket(s3_endpoint: str) -> str:
    """The name of a new bucket."""
    return new_bucket(s3_endpoint)


@pytest.fixture
def s3_config(s3_endpoint: str, bucket: str) -> RemoteConfig:
    """A remote in a new bucket."""
    return RemoteConfig("lab", f"s3://{bucket}/values", {"endpoint_url": s3_endpoint})


@pytest.fixture
def directory(tmp_path: Path) -> Remote:
    """A remote in a directory."""
    return open_remote(RemoteConfig("lab", "shared"), tmp_path)


@pytest.fixture(params=["directory", "memory", "s3"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Remote:
    """A new remote of each kind in turn."""
    match request.param:
        case "directory":
            config = RemoteConfig("lab", "shared")
        case "memory":
            config = RemoteConfig("lab", f"memory://{uuid.uuid4().hex}")
        case _:
            config = request.getfixturevalue("s3_config")
    return open_remote(config, tmp_path)
