"""S3 without s3fs: for whom, and what happens where it cannot go on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from remotes.faults import FaultyProxy

from gitmemo.errors import RemoteDenied, RemoteUnreachable
from gitmemo.remotes import RemoteConfig, open_remote, pull, push
from gitmemo.remotes.aws import plain_access
from gitmemo.remotes.bucket import Bucket
from gitmemo.remotes.drivers import open_driver

pytest.importorskip("obstore")
CREDENTIALS = "[default]\naws_access_key_id = A\naws_secret_access_key = B\n"
ANN = CREDENTIALS + "[ann]\naws_access_key_id=C\naws_secret_access_key = D\naws_session_token = E\n"
REGION = "[default]\nregion = eu-west-1\noutput = json\n[profile ann]\nregion = us-west-2\n"


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`account(credentials, config, NAME=…)` is all that this machine says of an account."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    def account(credentials: str = "", config: str = "", **environment: str) -> None:
        (tmp_path / ".aws").mkdir()
        for name, text in (("credentials", credentials), ("config", config)):
            if text:
                (tmp_path / ".aws" / name).write_text(text)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return account


PAIR = {"AWS_ACCESS_KEY_ID": "X", "AWS_SECRET_ACCESS_KEY": "Y"}


@pytest.mark.parametrize(
    ("credentials", "config", "environment", "profile"),
    [
        ("", "", PAIR, None),
        (ANN, REGION, PAIR, None),
        (ANN, REGION, PAIR, "ann"),
        (ANN, REGION, {}, None),
        (ANN, REGION, {"AWS_PROFILE": "ann"}, None),
        (ANN, REGION, {**PAIR, "AWS_PROFILE": "ann"}, None),
        (ANN, "", {"AWS_DEFAULT_REGION": "ap-south-1", "AWS_REGION": "no"}, "ann"),
        (ANN, REGION, {**PAIR, "AWS_SESSION_TOKEN": "Z", "AWS_DEFAULT_REGION": "r"}, None),
    ],
)
def test_who_is_found_is_who_the_sdk_finds(account, credentials, config, environment, profile):
    session = pytest.importorskip("botocore.session")
    account(credentials, config, **environment)
    found = plain_access({} if profile is None else {"profile": profile})
    known = session.Session(profile=profile)
    keys = known.get_credentials().get_frozen_credentials()
    assert found is not None
    assert found.keys == (keys.access_key, keys.secret_key, keys.token)
    assert found.region == known.get_config_variable("region")


@pytest.mark.parametrize(
    ("credentials", "config", "environment", "options"),
    [
        ("", "", {}, {}),
        (ANN, REGION, {"AWS_ENDPOINT_URL": "https://elsewhere.example"}, {}),
        (ANN, REGION, {"AWS_ROLE_ARN": "arn:aws:iam::1:role/x"}, {}),
        (ANN, REGION, {"AWS_CA_BUNDLE": "/authorities.pem"}, {}),
        (ANN, REGION, {}, {"profile": "nobody"}),
        (ANN, REGION, {}, {"key": "half"}),
        (ANN, "[default]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = ann\n", {}, {}),
        (ANN, "[default]\nendpoint_url = https://elsewhere.example\n", {}, {}),
        (ANN, "[default]\ns3 =\n  addressing_style = path\n", {}, {}),
        ("[default]\ncredential_process = ask\n", "", {}, {}),
        ("", CREDENTIALS, {}, {}),
        ("no section\n", "", {}, {}),
        ("", "", {"AWS_ACCESS_KEY_ID": "half"}, {}),
    ],
)
def test_what_says_more_is_left_to_the_sdk(account, credentials, config, environment, options):
    account(credentials, config, **environment)
    assert plain_access(options) is None


@pytest.mark.parametrize(
    ("url", "options", "quick"),
    [
        ("s3://bucket/some/where", {}, True),
        ("s3://bucket", {"anon": "true"}, True),
        ("s3://bucket", {"endpoint_url": "https://s3.example.org:9000/", "region": "any"}, True),
        ("s3://bucket", {"key": "a", "secret": "b", "requester_pays": "True"}, True),
        ("s3://bucket", {"region": "cn-north-1"}, False),
        ("s3://bucket", {"endpoint_url": "https://example.org/s3"}, False),
        ("s3://bucket/a/../b", {}, False),
        ("s3://bucket/per%20cent", {}, False),
        ("s3://arn:aws:s3:us-east-1:1:accesspoint/x", {}, False),
        ("s3://bucket", {"anon": "maybe"}, False),
        ("s3://bucket", {"cache_regions": "true"}, False),
    ],
)
def test_settings_that_it_cannot_express_are_left_to_s3fs(account, url, options, quick):
    account(**PAIR)
    config = RemoteConfig("lab", url, options, own=frozenset({"url", *options}))
    driver, root = open_driver(config)
    assert isinstance(driver, Bucket) is quick
    if quick:
        assert root == url.removeprefix("s3://")


@pytest.mark.parametrize(
    ("options", "who", "token"),
    [
        ({"key": "OWN", "secret": "S"}, "OWN", None),
        ({"key": "OWN", "secret": "S", "token": "T"}, "OWN", "T"),
        ({"profile": "default"}, "A", None),
        ({"profile": "ann"}, "C", "E"),
        ({"anon": "true"}, None, None),
        ({}, "X", "ENV"),
    ],
)
def test_nothing_of_another_account_is_sent(account, proxy, tmp_path, options, who, token):
    account(ANN, REGION, **PAIR, AWS_SESSION_TOKEN="ENV", AWS_REGION="no", AWS_DEFAULT_REGION="us")
    options = {"endpoint_url": proxy.url, "retries": "0", "region": "eu-west-9", **options}
    config = RemoteConfig("lab", "s3://bucket/values", options, own=frozenset(options))
    proxy.decide = lambda *_: "500"
    remote = open_remote(config, tmp_path).transport
    actions = [remote.listing, lambda: remote.read("a", 9), lambda: remote.write("a", b"1")]
    for action in actions:
        with pytest.raises(RemoteUnreachable):
            action()
    assert len(proxy.told) == 3
    for told in proxy.told:
        assert told["user-agent"].startswith("object_store")
        assert told.get("x-amz-security-token") == token
        scope = told.get("authorization", "").partition("Credential=")[2].split("/")
        assert (scope[0], scope[2]) == (who, "eu-west-9") if who else scope == [""]


def test_what_takes_long_to_import_is_left_alone(s3_config, tmp_path):
    code = (
        "import sys; from pathlib import Path; from gitmemo.remotes import RemoteConfig, open_remote; "
        f"at = open_remote(RemoteConfig('lab', {s3_config.url!r}, {dict(s3_config.options)!r}), Path()); "
        "at.transport.write('gitmemo-remote.json', b'1'); at.transport.listing(); "
        "at.transport.read('gitmemo-remote.json', 9); at.transport.delete('gitmemo-remote.json'); "
        "print({'fsspec', 's3fs', 'botocore', 'aiohttp', 'asyncio'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"


def test_a_fork_gets_a_driver_of_its_own(s3_config, ours, share, tmp_path):
    remote = open_remote(s3_config, tmp_path)
    push(ours, remote, share(ours, b"1"))
    child = os.fork()
    if child == 0:
        driver, root = open_driver(s3_config)  # the threads of the other one are not here
        os._exit(7 if not isinstance(driver, Bucket) and driver.find(root) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_without_the_package_s3fs_does_everything(
    s3_config, ours, theirs, share, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "obstore", None)
    assert not isinstance(open_driver(s3_config)[0], Bucket)
    wanted = share(ours, b"1", b"2" * 9_000_000)
    assert push(ours, open_remote(s3_config, tmp_path), wanted).sent == 2
    monkeypatch.undo()
    assert pull(theirs, open_remote(s3_config, tmp_path), wanted).stored == 2


def test_names_that_it_cannot_read_are_left_to_s3fs(s3_config, ours, theirs, share, tmp_path):
    wanted = share(ours, b"1")
    remote = open_remote(s3_config, tmp_path)
    push(ours, remote, wanted)
    with remote.transport._drivers.one() as (bucket, root):
        bucket.call_s3("put_object", Bucket=root.split("/")[0], Key="values/packs//..", Body=b"odd")
    again = open_remote(s3_config, tmp_path)
    assert "packs//.." in again.transport.listing()
    assert pull(theirs, again, wanted).stored == 1


def test_a_refusal_has_the_words_of_the_sdk(s3_config, proxy: FaultyProxy, tmp_path):
    options = {**s3_config.options, "endpoint_url": proxy.url}
    remote = open_remote(RemoteConfig("lab", s3_config.url, options), tmp_path)
    proxy.decide = lambda *_: "403"
    with pytest.raises(RemoteDenied, match="Access Denied"):
        remote.transport.write("gitmemo-remote.json", b"1")
    assert proxy.methods.total() == 2


@pytest.mark.parametrize(("fault", "said"), [("503", "503 SlowDown"), ("silent", "silent")])
def test_what_may_pass_is_told_without_loading_the_sdk(
    s3_config, proxy: FaultyProxy, tmp_path, fault, said
):
    options = {**s3_config.options, "endpoint_url": proxy.url, "retries": "0", "timeout": "1"}
    remote = open_remote(RemoteConfig("lab", s3_config.url, options), tmp_path)
    proxy.decide = lambda *_: fault
    with pytest.raises(Exception, match=said):
        remote.transport.read("gitmemo-remote.json", 10)
    assert proxy.methods.total() == 1
