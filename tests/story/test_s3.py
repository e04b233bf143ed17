"""Two clones that share through S3: a real server on the loopback interface."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from driver import Clone
from s3_server import CREDENTIALS, new_bucket, serving

from gitmemo import errors


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server that speaks S3."""
    with serving() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(endpoint: str) -> str:
    """The name of a new bucket."""
    return new_bucket(endpoint)


def test_two_clones_share_through_s3(
    committed: Clone,
    clone_of: Callable[[Clone, str], Clone],
    endpoint: str,
    bucket: str,
    say: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first push and pull are processes of their own; to import the driver for each takes long."""
    import s3fs

    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    url = f"s3://{bucket}/some/värde"
    committed.variables = CREDENTIALS
    options = ("-o", f"endpoint_url={endpoint}")
    say(committed, "remote", "add", "nowhere", f"s3://{bucket}-misspelt/values", *options)
    nowhere = say(committed, "remote", "check", "nowhere", code=errors.RemoteUnreachable.exit_code)
    assert "no such bucket" in nowhere and ": ok" not in nowhere
    say(committed, "remote", "remove", "nowhere")
    say(committed, "remote", "add", "lab", url, *options)
    checked = say(committed, "remote", "check")
    for what in ("reachable", "writable", "conditional", "clock"):
        assert f"{what}: ok" in checked
    committed.commit("Share")
    assert "lab: sent 3 values" in committed.gitmemo("push").out
    for path in committed.root.rglob("config.toml"):
        assert "testing" not in path.read_text("utf-8")

    theirs = clone_of(committed, "colleague")
    with monkeypatch.context() as nobody:
        for name in CREDENTIALS:
            nobody.delenv(name)
        nobody.setenv("HOME", str(theirs.home))
        nobody.setenv("AWS_EC2_METADATA_DISABLED", "true")
        denied = say(theirs, "pull", code=errors.RemoteUnreachable.exit_code)
        assert "credentials" in denied
        own = ("key=testing", "secret=testing")
        say(theirs, "remote", "modify", "--local", "lab", *own)
        assert "lab: would fetch 3 values" in say(theirs, "pull", "-n")
    say(theirs, "remote", "modify", "--local", "lab", "--unset", "key", "--unset", "secret")
    theirs.variables = CREDENTIALS
    assert "lab: fetched 3 values" in theirs.gitmemo("pull").out
    say(theirs, "remote", "trust", "lab")
    assert theirs.run() == (5, 0)
    assert theirs.run("3") == (1, 2)
    say(theirs, "commit", "-m", "Theirs")
    assert "lab: sent 1 value " in say(theirs, "push")

    files = s3fs.S3FileSystem(endpoint_url=endpoint, skip_instance_cache=True)
    for pack in files.find(f"{bucket}/some"):
        if pack.endswith(".pack"):
            data = bytearray(files.cat_file(pack))
            data[len(data) // 2] ^= 1
            files.pipe_file(pack, bytes(data))
    third = clone_of(committed, "third")
    say(third, "pull", code=errors.RemoteCorrupt.exit_code)
    say(third, "verify")


def test_a_bucket_that_is_not_there(committed: Clone, endpoint: str) -> None:
    committed.variables = CREDENTIALS
    committed.gitmemo(
        "remote", "add", "lab", f"s3://nosuch-{uuid.uuid4().hex}", "-o", f"endpoint_url={endpoint}"
    )
    done = committed.gitmemo("push", code=None)
    assert done.code == 5
    assert "Traceback" not in done.err
    assert done.err.count("fix:") == 1


def test_secrets_do_not_get_into_the_configuration(committed: Clone) -> None:
    before = (committed.root / ".gitmemo/config.toml").read_text("utf-8")
    done = committed.gitmemo("remote", "add", "lab", "s3://bucket", "-o", "secret=hunter2", code=2)
    assert "hunter2" not in done.text
    assert (committed.root / ".gitmemo/config.toml").read_text("utf-8") == before
    assert committed.is_clean()
