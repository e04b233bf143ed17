"""How many requests a push and a pull through S3 take, as a proxy counts them: each costs time far away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from remotes.faults import FaultyProxy

from gitmemo.remotes import Remote, RemoteConfig, open_remote, pull, push

MANY = [b"%06d" % number * 40 for number in range(2_000)]
LARGE = [os.urandom(5 << 20) for _ in range(3)]


@pytest.fixture
def counted(proxy: FaultyProxy, bucket: str, tmp_path: Path) -> Remote:
    """A remote behind `proxy`."""
    config = RemoteConfig("lab", f"s3://{bucket}/values", {"endpoint_url": proxy.url})
    return open_remote(config, tmp_path)


def test_requests_do_not_grow_with_the_number_of_small_values(
    counted, proxy, ours, theirs, share, tmp_path
) -> None:
    wanted = share(ours, *MANY, *LARGE)
    cache = tmp_path / "cache"

    def asked() -> int:
        seen = proxy.methods.total()
        proxy.methods.clear()
        return seen

    assert push(ours, counted, wanted, cache=cache).sent == len(wanted)
    assert asked() <= 6 + len(LARGE)
    assert push(ours, counted, wanted, cache=cache).sent == 0
    assert asked() <= 1
    more = [*wanted, *share(ours, b"one more")]
    assert push(ours, counted, more, cache=cache).sent == 1
    assert asked() <= 5
    assert pull(theirs, counted, more).stored == len(more)
    assert asked() <= 7 + len(LARGE)
    assert pull(theirs, counted, more).stored == 0
    assert asked() == 0
