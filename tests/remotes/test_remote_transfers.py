"""Pushing and pulling, on each kind of remote."""

from __future__ import annotations

import random
import struct
import zlib
from collections import Counter

import pytest
from blake3 import blake3

from gitmemo.blobs import DatabaseBlobs, MemoryBlobs, RepositoryBlobs
from gitmemo.errors import RemoteMissing
from gitmemo.hashing.digest import digest, from_text, to_text
from gitmemo.remotes import Remote, WantedBlob, pull, push

BIG = b"big value " * 500_000
MIDDLE = b"middle " * 20_000


class Counting:
    """A transport that counts what is asked of the one inside."""

    def __init__(self, inner):
        self.inner, self.calls = inner, Counter()

    def __getattr__(self, name):
        self.calls[name] += 1
        return getattr(self.inner, name)


def counted(remote):
    transport = Counting(remote.transport)
    return Remote(remote.config, transport), transport.calls


def test_what_one_pushes_another_pulls(remote, ours, theirs, share, tmp_path):
    values = [b"", b"small", MIDDLE, BIG, *(b"%d" % i for i in range(100))]
    wanted = share(ours, *values)
    sent = push(ours, remote, wanted, cache=tmp_path / "cache")
    assert (sent.sent, sent.sent_bytes) == (104, sum(map(len, values)))
    assert (sent.already_there, sent.absent) == (0, ())

    got = pull(theirs, remote, wanted, cache=tmp_path / "their cache")
    assert (got.stored, got.stored_bytes) == (104, sent.sent_bytes)
    assert (got.already_here, got.missing, got.damaged) == (0, (), ())
    for item, value in zip(wanted, values, strict=True):
        found = theirs.find(item.blob)
        assert (found.read(), found.codec, found.origin) == (value, "raw", remote.config.origin)


def test_the_names_on_a_remote_are_the_documented_ones(remote, ours, share):
    push(ours, remote, share(ours, b"small", MIDDLE, BIG))
    names = sorted({*remote.transport.listing(), "catalogues/latest.json"})
    big = digest(BIG).hex()
    assert names[0] == f"blobs/{big[:2]}/{big}"
    assert names[1:3] == ["catalogues/latest.json", "gitmemo-remote.json"]
    pack = digest(remote.transport.read(names[4], 1 << 20)).hex()
    assert names[3:] == [f"packs/{pack[:2]}/{pack}.idx", f"packs/{pack[:2]}/{pack}.pack"]
    assert remote.transport.read("gitmemo-remote.json", 1 << 20) == (
        b'{"format": 1, "hash": "blake3-256"}\n'
    )


def test_a_push_of_nothing_new_is_one_listing(remote, ours, share, tmp_path):
    wanted = share(ours, b"1", b"2", MIDDLE, BIG)
    push(ours, remote, wanted, cache=tmp_path / "cache")
    again, calls = counted(remote)
    report = push(ours, again, wanted, cache=tmp_path / "cache")
    assert (report.sent, report.already_there) == (0, 4)
    assert calls == {"listing": 1}


def test_a_pull_of_nothing_new_asks_nothing(remote, ours, share):
    again, calls = counted(remote)
    wanted = share(ours, b"1", BIG)
    assert pull(ours, again, wanted).already_here == 2
    assert not calls


def test_only_what_is_new_is_sent(remote, ours, theirs, share):
    push(ours, remote, share(ours, b"1", b"2", BIG))
    wanted = share(ours, b"1", b"2", BIG, b"3")
    assert (report := push(ours, remote, wanted)).sent == 1
    assert report.already_there == 3
    assert pull(theirs, remote, wanted).stored == 4


def test_a_push_without_a_cache_sends_nothing_twice(remote, ours, share, tmp_path):
    wanted = share(ours, b"1", b"2", MIDDLE)
    push(ours, remote, wanted, cache=tmp_path / "cache")
    assert push(ours, remote, wanted, cache=None).sent == 0
    for path in (tmp_path / "cache").rglob("*.idx"):
        path.write_text("not an index")
    assert push(ours, remote, wanted, cache=tmp_path / "cache").sent == 0


def test_two_who_push_the_same_values_disturb_nobody(remote, ours, theirs, share, tmp_path):
    wanted = share(ours, b"1", b"2", BIG)
    listing = remote.transport.listing()
    push(ours, remote, wanted)

    class Early(Counting):  # the other one listed before the first push
        def listing(self):
            return dict(listing)

    share(theirs, b"1", b"2", BIG, b"3")
    more = [*wanted, *share(theirs, b"3")]
    push(theirs, Remote(remote.config, Early(remote.transport)), more)
    third = RepositoryBlobs(tmp_path / "third")
    assert pull(third, remote, more).stored == 4


def test_values_that_are_nowhere_are_reported(remote, ours, theirs, share):
    there, absent = share(ours, b"1")[0], WantedBlob(digest(b"gone"), "raw", 4)
    assert push(ours, remote, [there, absent]).absent == (absent,)
    report = pull(theirs, remote, [there, absent])
    assert (report.stored, report.missing) == (1, (absent,))


def test_an_empty_remote_is_an_error_for_a_pull_and_fine_for_a_push(remote, ours, share):
    with pytest.raises(RemoteMissing, match="gitmemo push"):
        pull(ours, remote, [WantedBlob(digest(b"x"), "raw", 1)])
    assert push(ours, remote, []).sent == 0
    assert remote.transport.listing() == {}
    assert push(ours, remote, share(ours, b"x")).sent == 1


@pytest.mark.parametrize("make", [MemoryBlobs, DatabaseBlobs], ids=["memory", "database"])
def test_other_stores_can_be_pulled_into(remote, ours, share, make):
    from gitmemo.database import Database

    store = make(Database(None, lambda _: None)) if make is DatabaseBlobs else make()
    wanted = share(ours, b"1", BIG)
    push(ours, remote, wanted)
    assert pull(store, remote, wanted).stored == 2
    assert store.find(digest(BIG)).read() == BIG
    assert push(store, remote, wanted).already_there == 2


def test_progress_adds_up(remote, ours, theirs, share):
    wanted = share(ours, b"1", MIDDLE, BIG)
    for transfer, store in ((push, ours), (pull, theirs)):
        seen = []
        transfer(store, remote, wanted, progress=lambda *step, seen=seen: seen.append(step))
        assert sum(size for size, _ in seen) == sum(item.size for item in wanted)
        assert sum(count for _, count in seen) == 3


def test_a_few_values_of_a_large_pack_are_read_by_ranges(remote, ours, theirs, share):
    values = [random.Random(i).randbytes(40_000) for i in range(60)]
    wanted = share(ours, *values)
    push(ours, remote, wanted)
    some, calls = counted(remote)
    report = pull(theirs, some, [wanted[3], wanted[4], wanted[50]])
    assert report.stored == 3
    assert calls["read_ranges"] == 1
    assert calls["read"] == 3  # the note about the format (twice) and the index
    assert theirs.find(wanted[50].blob).read() == values[50]


def test_a_pushed_pack_can_be_read_with_struct_alone(remote, ours, share):
    import json

    wanted = share(ours, *(b"%d" % i * i for i in range(20)))
    push(ours, remote, wanted)
    (index,) = [name for name in remote.transport.listing() if name.endswith(".idx")]
    data = remote.transport.read(index.replace(".idx", ".pack"), 1 << 20)
    found = {}
    *lines, checksum = remote.transport.read(index, 1 << 20).splitlines(keepends=True)
    sum_of_lines = blake3(b"".join(lines)).digest()
    assert json.loads(checksum) == [to_text(sum_of_lines), 0, 0, "checksum"]
    for line in lines:
        text, offset, length, codec = json.loads(line)
        payload = data[offset : offset + length]
        assert blake3(payload).digest() == from_text(text)
        # … and the header in front of it says the same.
        at = offset - 4 - len(codec) - 45
        expected = struct.pack("<4s32sQB", b"gmb1", from_text(text), length, len(codec))
        assert data[at : at + 45] == expected
        assert struct.unpack_from("<I", data, offset - 4)[0] == zlib.crc32(
            bytes(8) + data[at : offset - 4]
        )
        found[from_text(text)] = payload
    assert set(found) == {item.blob for item in wanted}


def test_equal_values_make_equal_packs(remote, ours, theirs, share):
    wanted = share(ours, b"1", b"2", b"3")
    share(theirs, b"3", b"2", b"1")
    push(ours, remote, wanted)
    before = remote.transport.listing()
    unseen = Counting(remote.transport)
    unseen.listing = dict
    push(theirs, Remote(remote.config, unseen), wanted)
    assert remote.transport.listing() == before


def test_packs_are_cut_at_their_target_size(remote, ours, theirs, share, monkeypatch):
    monkeypatch.setattr("gitmemo.remotes.plan.PACK_TARGET", 1000)
    wanted = share(ours, *(b"%04d" % i * 50 for i in range(20)))
    push(ours, remote, wanted)
    packs = [name for name in remote.transport.listing() if name.endswith(".pack")]
    assert len(packs) == 4
    assert pull(theirs, remote, wanted).stored == 20
