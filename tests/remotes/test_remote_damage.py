"""What interrupted pushes, bad disks and hostile remotes can do: nothing but cost values."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gitmemo.errors import (
    BlobCorrupt,
    InvalidName,
    RemoteCorrupt,
    RemoteMissing,
    RemoteTooNew,
    RemoteUnreachable,
)
from gitmemo.hashing.digest import digest, to_text
from gitmemo.remotes import Remote, RemoteConfig, WantedBlob, open_remote, pull, push

BIG = b"big value " * 500_000


@pytest.fixture
def shared(tmp_path):
    """The folder of the `directory` remote."""
    return tmp_path / "shared"


def one(folder: Path, pattern: str) -> Path:
    (path,) = folder.rglob(pattern)
    return path


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


class FailingAfter:
    """A transport that breaks down at its n-th write."""

    def __init__(self, inner, writes):
        self.inner, self.writes = inner, writes

    def __getattr__(self, name):
        if name in ("write", "upload"):
            self.writes -= 1
            if self.writes < 0:
                raise RemoteUnreachable("lab", "…", "the network is gone")
        return getattr(self.inner, name)


@pytest.mark.parametrize("writes", range(7))
def test_an_interrupted_push_is_completed_by_the_next(
    directory, shared, ours, theirs, share, writes, monkeypatch, tmp_path
):
    monkeypatch.setattr("gitmemo.remotes.plan.PACK_TARGET", 100)
    wanted = share(ours, *(b"%03d" % i * 20 for i in range(3)), BIG)
    broken = Remote(directory.config, FailingAfter(directory.transport, writes))
    if writes < 6:
        with pytest.raises(RemoteUnreachable):
            push(ours, broken, wanted, jobs=1, cache=tmp_path / "cache")
    push(ours, directory, wanted, cache=tmp_path / "cache")
    assert not list(shared.rglob(".tmp-*"))
    assert pull(theirs, directory, wanted).stored == 4


def test_a_pack_without_its_index_does_not_count(directory, shared, ours, theirs, share):
    wanted = share(ours, b"1", b"2")
    push(ours, directory, wanted)
    one(shared, "*.idx").unlink()
    assert pull(theirs, directory, wanted).missing == tuple(wanted)
    assert push(ours, directory, wanted).sent == 2
    assert pull(theirs, directory, wanted).stored == 2


@pytest.mark.parametrize("suffix", ["pack", "idx"])
def test_a_pack_that_was_deleted_is_pushed_again(directory, shared, ours, share, suffix, tmp_path):
    wanted = share(ours, b"1", b"2")
    push(ours, directory, wanted, cache=tmp_path / "cache")
    one(shared, f"*.{suffix}").unlink()
    assert push(ours, directory, wanted, cache=tmp_path / "cache").sent == 2


def test_a_flipped_bit_costs_one_value_and_names_the_object(directory, shared, ours, theirs, share):
    wanted = share(ours, b"first value", b"second value", b"third value", BIG)
    push(ours, directory, wanted)
    pack = one(shared, "*.pack")
    flip(pack, pack.read_bytes().index(b"second"))
    with pytest.raises(RemoteCorrupt) as caught:
        pull(theirs, directory, wanted)
    assert caught.value.objects == (pack.relative_to(shared).as_posix(),)
    assert (caught.value.stored, caught.value.lost) == (3, 1)
    assert theirs.missing(item.blob for item in wanted) == {wanted[1].blob}
    assert theirs.find(wanted[3].blob).read() == BIG

    pack.unlink()  # as the error advises
    assert push(ours, directory, wanted).sent == 3
    assert pull(theirs, directory, wanted).stored == 1


@pytest.mark.parametrize("damage", ["flip", "truncate", "extend", "swap"])
def test_a_damaged_large_value_is_never_stored(directory, shared, ours, theirs, share, damage):
    wanted = share(ours, BIG, BIG + b".", b"small")
    push(ours, directory, wanted)
    path = shared / "blobs" / wanted[0].blob.hex()[:2] / wanted[0].blob.hex()
    data = path.read_bytes()
    match damage:
        case "flip":
            flip(path, len(data) // 2)
        case "truncate":
            path.write_bytes(data[:-1])
        case "extend":
            path.write_bytes(data + b"x")
        case "swap":
            path.write_bytes(b"a" * len(data))
    if damage in ("truncate", "extend"):  # its size in the listing gives it away
        assert pull(theirs, directory, wanted).missing == (wanted[0],)
        assert push(ours, directory, wanted).sent == 1
        assert pull(theirs, directory, wanted).stored == 1
    else:
        with pytest.raises(RemoteCorrupt, match=wanted[0].blob.hex()):
            pull(theirs, directory, wanted)
        assert theirs.missing(item.blob for item in wanted) == {wanted[0].blob}
    assert not list(theirs.directory.rglob(".tmp-*"))


def test_swapped_packs_are_noticed(directory, shared, ours, theirs, share):
    push(ours, directory, share(ours, b"a" * 100))
    push(ours, directory, share(ours, b"b" * 100))
    first, second = sorted(shared.rglob("*.pack"))
    data = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(data)
    with pytest.raises(RemoteCorrupt) as caught:
        pull(theirs, directory, share(ours, b"a" * 100, b"b" * 100))
    assert len(caught.value.objects) == 2
    assert theirs.missing([digest(b"a" * 100)])


def test_a_sound_copy_elsewhere_on_the_remote_is_used(directory, shared, ours, theirs, share):
    wanted = share(ours, b"value")
    push(ours, directory, wanted)
    first = one(shared, "*.pack")
    kept = first.with_suffix(".kept")
    first.rename(kept)
    push(ours, directory, share(ours, b"value", b"another"))
    kept.rename(first)
    for pack in shared.rglob("*.pack"):
        if b"another" not in pack.read_bytes():
            flip(pack, -1)
    report = pull(theirs, directory, wanted)
    assert report.stored == 1
    assert theirs.find(wanted[0].blob).read() == b"value"


def hostile_index(shared: Path, *lines: object) -> None:
    one(shared, "*.idx").write_text(
        "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    )


@pytest.mark.parametrize(
    "line",
    [
        [to_text(digest(b"value")), 10**15, 5, "raw"],
        [to_text(digest(b"value")), -5, 5, "raw"],
        [to_text(digest(b"value")), 0, 10**400, "raw"],
        [to_text(digest(b"value")), True, 5, "raw"],
        [to_text(digest(b"value")), 0.0, 5, "raw"],
        [to_text(digest(b"value")), 0, 5, "../../x"],
        ["../../../etc/passwd", 0, 5, "raw"],
        ["ä" * 43, 0, 5, "raw"],
        [None, 0, 5, "raw"],
        [],
        {"a": 1},
        "text",
        7,
    ],
    ids=str,
)
def test_an_index_that_makes_no_sense_is_set_aside(directory, shared, ours, theirs, share, line):
    wanted = share(ours, b"value")
    push(ours, directory, wanted)
    hostile_index(shared, line)
    with pytest.raises(RemoteCorrupt, match=r"\.idx"):
        pull(theirs, directory, wanted)
    assert theirs.missing([wanted[0].blob])
    assert push(ours, directory, wanted).sent == 1  # replaces it, being the same pack
    assert pull(theirs, directory, wanted).stored == 1


@pytest.mark.parametrize("data", [b"", b"\n", b"[[[[" * 100_000, b"\xff\n", b"[1,2,3,4]"])
def test_an_index_that_is_rubbish_is_set_aside(directory, shared, ours, theirs, share, data):
    wanted = share(ours, b"value")
    push(ours, directory, wanted)
    one(shared, "*.idx").write_bytes(data)
    with pytest.raises(RemoteCorrupt):
        pull(theirs, directory, wanted)


def test_an_index_that_lies_costs_only_what_it_lies_about(directory, shared, ours, theirs, share):
    wanted = share(ours, b"value", b"other")
    push(ours, directory, wanted)
    offset = one(shared, "*.pack").read_bytes().index(b"other")
    hostile_index(
        shared,
        [to_text(digest(b"value")), 0, 5, "pickle"],
        [to_text(digest(b"other")), offset, 5, "pickle"],
    )
    with pytest.raises(RemoteCorrupt):
        pull(theirs, directory, wanted)
    found = theirs.find(wanted[1].blob)
    assert (found.read(), found.codec, found.origin) == (b"other", "raw", directory.config.origin)


def test_names_in_listings_are_never_joined_to_paths(directory, ours, theirs, share):
    wanted = share(ours, b"value", BIG)
    push(ours, directory, wanted)

    class Hostile:
        def __getattr__(self, name):
            return getattr(directory.transport, name)

        def listing(self):
            hexes = "ab" * 32
            return directory.transport.listing() | {
                "packs/ab/../../../../etc/passwd.idx": 5,
                f"packs/ab/{hexes}.pack/../x": 5,
                f"/packs/ab/{hexes}.pack": 5,
                f"packs/cd/{hexes}.pack": 5,
                f"packs/cd/{hexes}.idx": 5,
                f"packs/AB/{hexes.upper()}.idx": 5,
                f"blobs/ab/{hexes}\n": 5,
                "blobs/..": 5,
                "": 0,
            }

    assert pull(theirs, Remote(directory.config, Hostile()), wanted).stored == 2


def test_a_wanted_codec_cannot_be_a_path():
    with pytest.raises(InvalidName):
        WantedBlob(digest(b"x"), "../x", 1)


def test_pulling_never_makes_own_bytes_decodable_as_something_else(directory, ours, theirs, share):
    bait = b"cos\nsystem\n"
    share(theirs, bait, codec="bytes")
    wanted = share(ours, bait, codec="pickle")
    push(ours, directory, wanted)
    pull(theirs, directory, wanted)
    assert theirs.find(wanted[0].blob).codec == "bytes"
    assert theirs.find(wanted[0].blob, "pickle").origin == directory.config.origin


def test_damage_on_this_machine_does_not_stop_the_rest_of_a_push(directory, ours, theirs, share):
    wanted = share(ours, b"first value", b"second value", BIG)
    pack = one(ours.directory, "*.pack")
    flip(pack, pack.read_bytes().index(b"second"))
    with pytest.raises(BlobCorrupt):
        push(ours, directory, wanted)
    assert pull(theirs, directory, wanted).stored == 2


@pytest.mark.parametrize(
    "note",
    ['{"format": 2, "hash": "blake3-256"}', '{"format": 1, "hash": "sha256"}', "[]", "", "\0"],
)
def test_a_newer_format_is_refused(directory, shared, ours, theirs, share, note):
    wanted = share(ours, b"1")
    push(ours, directory, wanted)
    (shared / "gitmemo-remote.json").write_text(note)
    with pytest.raises(RemoteTooNew, match="upgrade") as caught:
        pull(theirs, directory, wanted)
    with pytest.raises(RemoteTooNew):
        push(ours, directory, share(ours, b"2"))
    if "delete it" in caught.value.remedy():
        (shared / "gitmemo-remote.json").unlink()
        push(ours, directory, share(ours, b"2"))
        assert json.loads((shared / "gitmemo-remote.json").read_bytes())["format"] == 1
        assert pull(theirs, directory, wanted).stored == 1


def test_a_share_that_is_not_mounted_is_not_created(tmp_path, ours, share):
    remote = open_remote(RemoteConfig("lab", "mnt/lab/values"), tmp_path)
    with pytest.raises(RemoteUnreachable, match="not mounted"):
        push(ours, remote, share(ours, b"1"))
    assert not (tmp_path / "mnt").exists()


def test_a_file_in_place_of_the_directory_is_an_error(tmp_path, ours, share):
    (tmp_path / "shared").write_text("?")
    remote = open_remote(RemoteConfig("lab", "shared"), tmp_path)
    with pytest.raises(RemoteUnreachable):
        push(ours, remote, share(ours, b"1"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_permission_is_an_error(tmp_path, ours, share):
    (tmp_path / "shared").mkdir(mode=0o500)
    remote = open_remote(RemoteConfig("lab", "shared"), tmp_path)
    with pytest.raises(RemoteUnreachable, match="ermission"):
        push(ours, remote, share(ours, b"1"))


def test_a_full_disk_here_is_not_blamed_on_the_remote(directory, ours, theirs, share, monkeypatch):
    wanted = share(ours, b"1", BIG)
    push(ours, directory, wanted)

    def full(fd, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("gitmemo.blobs.large.os.write", full)
        with pytest.raises(OSError, match="No space left") as caught:
            pull(theirs, directory, wanted)
    assert not isinstance(caught.value, RemoteUnreachable)
    assert pull(theirs, directory, wanted).missing == ()
    assert not list(theirs.directory.rglob(".tmp-*"))


def test_a_server_that_does_not_answer_is_named(ours, share, s3_config, tmp_path):
    config = RemoteConfig(
        "lab", s3_config.url, {"endpoint_url": "http://127.0.0.1:9", "retries": "1"}
    )
    with pytest.raises(RemoteUnreachable, match="lab") as caught:
        push(ours, open_remote(config, tmp_path), share(ours, b"1"))
    assert caught.value.exit_code == 5


def test_a_bucket_that_does_not_exist_is_named(ours, share, s3_config, tmp_path):
    config = RemoteConfig("lab", "s3://no-such-bucket-here/x", s3_config.options)
    remote = open_remote(config, tmp_path)
    with pytest.raises(RemoteUnreachable, match="bucket"):
        push(ours, remote, share(ours, b"1"))
    with pytest.raises(RemoteMissing):
        pull(ours, remote, [WantedBlob(digest(b"?"), "raw", 1)])


def test_damage_in_an_object_store_is_noticed_too(s3_config, ours, theirs, share, tmp_path):
    remote = open_remote(s3_config, tmp_path)
    wanted = share(ours, b"first", b"second", BIG)
    push(ours, remote, wanted)
    big = f"blobs/{wanted[2].blob.hex()[:2]}/{wanted[2].blob.hex()}"
    remote.transport.write(big, BIG[:-1] + b"!")
    with pytest.raises(RemoteCorrupt) as caught:
        pull(theirs, remote, wanted)
    assert caught.value.objects == (big,)
    assert theirs.missing(item.blob for item in wanted) == {wanted[2].blob}
