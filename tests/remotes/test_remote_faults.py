"""Networks and servers that misbehave: no value is lost, none is wrong, the next run completes."""

from __future__ import annotations

import functools
import http.server
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from remotes.faults import HARMLESS, FaultyProxy

from gitmemo.blobs import RepositoryBlobs
from gitmemo.errors import RemoteDenied, RemoteNotListed, RemoteReadOnly, RemoteUnreachable
from gitmemo.remotes import Remote, RemoteConfig, open_remote, pull, push

BIG = os.urandom(5 << 20)
pytestmark = pytest.mark.usefixtures("impatient")
ROUNDS = int(os.environ.get("GITMEMO_TEST_FAULTS", "1"))


@pytest.fixture
def behind(proxy: FaultyProxy, bucket: str, tmp_path):
    """`behind(retries="8", …)` opens a remote behind `proxy`."""

    def behind(**options: str) -> Remote:
        settings = {"endpoint_url": proxy.url, **options}
        return open_remote(RemoteConfig("lab", f"s3://{bucket}/values", settings), tmp_path)

    return behind


@pytest.fixture
def faulty(behind) -> Remote:
    """A remote that is tried twice again."""
    return behind(retries="2")


def values(number: int) -> list[bytes]:
    return [b"%05d" % i * 2000 for i in range(number)]


def assert_sound(store: RepositoryBlobs, wanted) -> None:
    fresh = RepositoryBlobs(store.directory)
    assert not fresh.missing(item.blob for item in wanted)
    assert all(len(fresh.find(item.blob).read()) == item.size for item in wanted)
    assert not list(store.directory.rglob(".tmp-*"))
    assert not list(store.directory.rglob(".part-*"))


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_faults_that_pass_are_not_noticed(behind, proxy, ours, theirs, share, seed, monkeypatch):
    faulty = behind(retries="9")
    monkeypatch.setattr("gitmemo.remotes.plan.PACK_TARGET", 20_000)
    wanted = share(ours, *values(20), BIG)
    dice = random.Random(seed)
    proxy.decide = lambda *_: dice.choice(HARMLESS) if dice.random() < 0.25 else None
    assert push(ours, faulty, wanted).sent == 21
    assert pull(theirs, faulty, wanted).stored == 21
    assert len(proxy.seen) > 3
    assert_sound(theirs, wanted)


def test_a_refusal_is_told_at_once(faulty, proxy, ours, share):
    wanted = share(ours, b"1")
    proxy.decide = lambda *_: "403"
    with pytest.raises(RemoteDenied, match="credentials"):
        push(ours, faulty, wanted)
    assert proxy.methods.total() <= 2


def test_a_failure_that_does_not_pass_is_tried_a_few_times_only(faulty, proxy, ours, share):
    wanted = share(ours, b"1")
    proxy.decide = lambda *_: "500"
    with pytest.raises(RemoteUnreachable):
        push(ours, faulty, wanted)
    assert proxy.methods.total() == 3  # ours, not multiplied by the driver's and the SDK's


def test_a_silent_server_does_not_hang_us(behind, proxy, ours, share):
    remote = behind(timeout="1", retries="0")
    wanted = share(ours, b"1")
    proxy.decide = lambda *_: "silent"
    with pytest.raises(RemoteUnreachable, match=r"[Tt]imeout"):
        push(ours, remote, wanted)


def test_what_was_sent_before_a_breakdown_is_told_and_kept(
    faulty, proxy, ours, theirs, share, monkeypatch
):
    monkeypatch.setattr("gitmemo.remotes.plan.PACK_TARGET", 20_000)
    wanted = share(ours, *values(20))
    puts = 0

    def broken_after_a_while(method, path, number):
        nonlocal puts
        puts += method == "PUT"
        return "500" if puts > 9 else None

    proxy.decide = broken_after_a_while
    with pytest.raises(RemoteUnreachable) as caught:
        push(ours, faulty, wanted, jobs=2)
    assert 0 < caught.value.moved < 20
    assert f"values: {caught.value.moved}" in str(caught.value)
    proxy.decide = lambda *_: None
    assert push(ours, faulty, wanted).sent == 20 - caught.value.moved
    assert pull(theirs, faulty, wanted).stored == 20

    again = RepositoryBlobs(theirs.directory.with_name("again"))
    gets = 0

    def gone_after_a_while(method, path, number):
        nonlocal gets
        gets += path.endswith(".pack")
        return "500" if gets > 3 else None

    proxy.decide = gone_after_a_while
    with pytest.raises(RemoteUnreachable) as caught:
        pull(again, faulty, wanted, jobs=1)
    proxy.decide = lambda *_: None
    assert 0 < caught.value.moved < 20
    assert pull(again, faulty, wanted).stored == 20 - caught.value.moved
    assert_sound(again, wanted)


def test_a_listing_that_lags_costs_time_only(faulty, proxy, ours, theirs, share):
    wanted = share(ours, b"1", b"2", BIG)
    assert push(ours, faulty, []).sent == 0  # an empty listing was seen
    push(ours, faulty, share(ours, b"0"))
    proxy.decide = lambda method, path, _: "stale" if "list-type" in path else None
    assert "gitmemo-remote.json" in faulty.transport.listing()  # what is empty is doubted
    proxy.forget()
    faulty.transport.listing()
    push(ours, faulty, wanted)
    assert push(ours, faulty, wanted).sent == 3  # sent again: harmless
    assert pull(theirs, faulty, wanted).missing == tuple(wanted)
    proxy.decide = lambda *_: None
    assert pull(theirs, faulty, wanted).stored == 3
    assert_sound(theirs, wanted)


def test_a_large_download_goes_on_where_it_was_cut(faulty, proxy, ours, theirs, share, monkeypatch):
    monkeypatch.setattr("gitmemo.remotes.objects.CHUNK_SIZE", 1 << 20)
    wanted = share(ours, BIG)
    push(ours, faulty, wanted)
    gets = []

    def third_fails(method, path, _):
        if method == "GET" and "/blobs/" in path and "list-type" not in path:
            gets.append(path)
        return "500" if len(gets) > 2 else None

    proxy.decide = third_fails
    told = []
    with pytest.raises(RemoteUnreachable):
        pull(theirs, faulty, wanted, progress=lambda *step: told.append(step))
    (part,) = theirs.directory.rglob(".part-*")
    assert part.read_bytes() == BIG[: 2 << 20]
    assert sum(size for size, _ in told) == 2 << 20
    assert theirs.missing([wanted[0].blob])

    gets.clear()
    proxy.decide = lambda method, path, _: gets.append(path) if "/blobs/" in path else None
    told.clear()
    theirs = RepositoryBlobs(theirs.directory)
    assert pull(theirs, faulty, wanted, progress=lambda *step: told.append(step)).stored == 1
    assert len(gets) == 3
    assert (sum(size for size, _ in told), sum(n for _, n in told)) == (len(BIG), 1)
    assert_sound(theirs, wanted)
    assert theirs.find(wanted[0].blob).read() == BIG


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 asks for parts of 5 MiB at least."""
    monkeypatch.setattr("gitmemo.remotes.multipart.LARGEST_PIECE", 5 << 20)
    monkeypatch.setattr("gitmemo.remotes.objects.ONE_PUT_BELOW", 5 << 20)


def uploads(remote: Remote) -> list[str]:
    import s3fs

    bucket = remote.config.url.split("/")[2]
    fs = s3fs.S3FileSystem(
        endpoint_url=remote.config.options["endpoint_url"], skip_instance_cache=True
    )
    return [each["UploadId"] for each in fs.list_multipart_uploads(bucket)]


def test_a_large_upload_goes_on_where_it_was_cut(faulty, proxy, ours, theirs, share, small_parts):
    big = BIG + BIG + b"end"
    wanted = share(ours, big)
    proxy.decide = lambda method, path, _: "500" if "partNumber=2" in path else None
    with pytest.raises(RemoteUnreachable):
        push(ours, faulty, wanted)
    assert len(uploads(faulty)) == 1

    sent = []

    def watch(method, path, number):
        if "partNumber=" in path:
            sent.append(path)

    proxy.decide = watch
    told = []
    assert push(ours, faulty, wanted, progress=lambda *step: told.append(step)).sent == 1
    assert len(sent) == 2  # the first part was there
    assert (sum(size for size, _ in told), sum(n for _, n in told)) == (len(big), 1)
    assert uploads(faulty) == []
    assert pull(theirs, faulty, wanted).stored == 1
    assert theirs.find(wanted[0].blob).read() == big


def test_parts_of_something_else_are_sent_again(faulty, proxy, ours, theirs, share, small_parts):
    wanted = share(ours, BIG + BIG)
    with faulty.transport._drivers.one() as (fs, root):
        pass
    name = f"blobs/{wanted[0].blob.hex()[:2]}/{wanted[0].blob.hex()}"
    bucket, key, _ = fs.split_path(f"{root}/{name}")
    begun = fs.call_s3("create_multipart_upload", Bucket=bucket, Key=key)["UploadId"]
    where = {"Bucket": bucket, "Key": key, "UploadId": begun}
    fs.call_s3("upload_part", **where, PartNumber=1, Body=bytes(5 << 20))
    assert push(ours, faulty, wanted).sent == 1
    assert pull(theirs, faulty, wanted).stored == 1


@pytest.mark.parametrize("fault", ["lost", "twice"])
def test_the_end_of_an_upload_that_is_told_badly(
    faulty, proxy, ours, theirs, share, small_parts, fault
):
    wanted = share(ours, BIG + BIG)
    ends = []

    def at_the_end(method, path, _):
        if method == "POST" and "uploadId=" in path:
            ends.append(path)
            return fault if len(ends) == 1 else None
        return None

    proxy.decide = at_the_end
    assert push(ours, faulty, wanted).sent == 1
    assert ends
    assert pull(theirs, faulty, wanted).stored == 1
    assert_sound(theirs, wanted)


def test_two_who_push_at_once_and_four_who_pull(s3_config, ours, theirs, share, tmp_path):
    shared = [*values(30), BIG]
    wanted = share(ours, *shared, b"mine")
    more = share(theirs, *shared, b"yours")
    everything = {item.blob: item for item in (*wanted, *more)}.values()
    all_at_once(
        lambda: push(ours, open_remote(s3_config, tmp_path), wanted),
        lambda: push(theirs, open_remote(s3_config, tmp_path), more),
    )
    stores = [RepositoryBlobs(tmp_path / f"clone{n % 3}") for n in range(4)]  # two share a store
    all_at_once(
        *(lambda s=s: pull(s, open_remote(s3_config, tmp_path), everything) for s in stores)
    )
    for store in stores:
        assert_sound(store, everything)


def all_at_once(*actions) -> None:
    """Do all of these at once."""
    errors = []

    def run(action):
        try:
            action()
        except BaseException as error:  # noqa: BLE001  asserted on below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A plain web server, which knows no ranges."""

    def log_message(self, *args: object) -> None:
        return


class Ranging(Quiet):
    """One that knows them."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        asked = self.headers.get("Range")
        if asked is None or not path.is_file():
            return super().do_GET()
        start = int(asked.removeprefix("bytes=").partition("-")[0])
        data = path.read_bytes()[start:]
        self.send_response(206 if data else 416)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        return None


@pytest.fixture(params=[Quiet, Ranging])
def web(request, tmp_path) -> Iterator[str]:
    """The address of a web server that shows the `directory` remote."""
    (tmp_path / "shared").mkdir()
    handler = functools.partial(request.param, directory=str(tmp_path / "shared"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_web_server_shows_what_was_pushed(web, ours, theirs, share, tmp_path):
    data = [*values(10), BIG]
    wanted = share(ours, *data)
    shown = open_remote(RemoteConfig("web", web), tmp_path)
    pushed = open_remote(RemoteConfig("lab", "shared"), tmp_path)
    push(ours, pushed, wanted[:3])
    (tmp_path / "shared/catalogues/latest.json").unlink()
    with pytest.raises(RemoteNotListed, match=r"latest\.json"):
        pull(theirs, shown, wanted)
    push(ours, pushed, wanted)
    assert push(ours, shown, wanted).sent == 0
    with pytest.raises(RemoteReadOnly):
        push(ours, shown, share(ours, b"new"))
    assert pull(theirs, shown, wanted).stored == 11
    assert_sound(theirs, wanted)
    for nonsense in (b"", b"[]", b'{"format": 2}', b"[" * 10**5):
        (tmp_path / "shared/catalogues/latest.json").write_bytes(nonsense)
        with pytest.raises(RemoteUnreachable, match="makes no sense"):
            pull(RepositoryBlobs(tmp_path / "none"), shown, wanted)


def test_a_web_server_that_misbehaves(web, ours, theirs, share, tmp_path, monkeypatch):
    monkeypatch.setattr("gitmemo.remotes.web.CHUNK_SIZE", 1 << 20)
    wanted = share(ours, *(bytes([i]) * 40_000 for i in range(60)), BIG)
    push(ours, open_remote(RemoteConfig("lab", "shared"), tmp_path), wanted)
    proxy = FaultyProxy(web)
    options = {"retries": "9", "timeout": "5"}
    shown = open_remote(RemoteConfig("web", proxy.url, options), tmp_path)
    dice = random.Random(1)
    proxy.decide = lambda *_: dice.choice(HARMLESS) if dice.random() < 0.4 else None
    some = [wanted[2], wanted[50], wanted[-1]]
    assert pull(theirs, shown, some).stored == 3
    assert pull(theirs, shown, wanted).stored == 58
    assert proxy.seen.total() > proxy.seen["none"] > 0
    proxy.close()
    assert_sound(theirs, wanted)


@pytest.mark.parametrize("fault", ["trickle", "trickled"])
def test_a_listing_that_trickles_is_given_up(behind, proxy, ours, share, fault, monkeypatch):
    for driver in ("bucket", "s3_session"):
        monkeypatch.setattr(f"gitmemo.remotes.{driver}.SLOWEST", 1 << 24)
    wanted = share(ours, b"x" * 3000)
    proxy.decide = lambda method, path, number: fault if number == 0 else None
    with pytest.raises(RemoteUnreachable):
        push(ours, behind(retries="0", timeout="1"), wanted)
    proxy.decide = lambda method, path, number: fault if number == 1 else None
    assert push(ours, behind(retries="4", timeout="1"), wanted).sent == 1


def test_a_service_that_takes_nothing_is_given_up(behind, proxy, ours, share, monkeypatch):
    monkeypatch.setattr("gitmemo.remotes.s3_session.SLOWEST", 1 << 24)
    proxy.decide = lambda method, path, number: "deaf" if "/blobs/" in path else None
    with pytest.raises(RemoteUnreachable):
        push(ours, behind(retries="0", timeout="1"), share(ours, BIG))


@pytest.mark.parametrize("place", ["/packs/", "/blobs/"])
def test_an_object_that_trickles_is_given_up(behind, proxy, ours, theirs, share, place):
    wanted = share(ours, os.urandom(3000) if place == "/packs/" else BIG)
    push(ours, behind(), wanted)
    proxy.decide = lambda method, path, number: "trickle" if place in path else None
    with pytest.raises(RemoteUnreachable):
        pull(theirs, behind(retries="0", timeout="1"), wanted)
    proxy.decide = lambda *_: None
    assert pull(theirs, behind(), wanted).stored == 1
    assert_sound(theirs, wanted)


def test_parts_that_trickle_are_given_up(behind, proxy, monkeypatch):
    monkeypatch.setattr("gitmemo.remotes.bucket.SLOWEST", 1 << 24)
    behind().transport.write("packs/p", bytes(3000))
    proxy.decide = lambda method, path, number: "trickle" if "/packs/" in path else None
    with pytest.raises(RemoteUnreachable):
        behind(retries="0", timeout="1").transport.read_ranges("packs/p", [(0, 900), (2000, 2900)])


def test_what_is_sent_beyond_a_part_is_not_taken_in(behind, proxy):
    data = os.urandom(5000)
    behind().transport.write("packs/p", data)
    proxy.decide = lambda method, path, number: "more"
    transport = behind(retries="0").transport
    parts = transport.read_ranges("packs/p", [(0, 900), (30, 30), (2000, 4900)])
    assert parts == [data[0:900], b"", data[2000:4900]]
    assert b"".join(transport.stream("packs/p", 4000)) == data[:4000]
    assert proxy.surplus < 3 * (16 << 20)  # what buffers on the way hold


def test_s3fs_takes_in_no_more_than_a_part_either(behind, proxy, tmp_path):
    config = behind(retries="0").config
    transport = open_remote(config, tmp_path, thorough=True).transport
    data = os.urandom(3 << 20)
    transport.write("packs/p", data)
    assert transport.read_ranges("packs/p", [(5, 2 << 20)]) == [data[5 : 2 << 20]]
    proxy.decide = lambda method, path, number: "more"
    with pytest.raises(RemoteUnreachable, match="more than"):
        transport.read_ranges("packs/p", [(0, 900)])
    assert proxy.surplus < 16 << 20


def test_a_listing_that_is_an_error_is_not_taken_for_an_empty_one(behind, proxy, ours, share):
    push(ours, behind(), share(ours, b"1"))
    proxy.decide = lambda m, path, number: "error" if "list-type" in path else None
    with pytest.raises(RemoteUnreachable):
        behind(retries="0").transport.listing()
    start = proxy.methods.total()
    proxy.decide = lambda m, p, number: "error" if number in (start, start + 2) else None
    assert "gitmemo-remote.json" in behind(retries="1").transport.listing()
    assert proxy.seen["error"] == 4


def test_a_listing_that_ends_with_a_full_page_is_made_sure_of(behind, monkeypatch):
    transport = behind().transport
    for name in ("gitmemo-remote.json", "packs/p", "packs/q"):
        transport.write(name, b"1")
    monkeypatch.setattr("gitmemo.remotes.bucket._PAGE", 3)
    with transport._drivers.one() as (bucket, root):
        assert len(bucket.find(root)) == 3
        assert bucket._opened is not None  # s3fs was asked
        assert not bucket._resigned


def test_who_deletes_lists_with_what_notices_errors(behind, proxy, tmp_path):
    config = behind().config
    open_remote(config, tmp_path).transport.write("gitmemo-remote.json", b"1")
    open_remote(config, tmp_path, thorough=True).transport.listing()
    assert "botocore" in proxy.told[-1]["user-agent"]
