"""The pack format: every byte of it, and what a scan makes of anything else."""

from __future__ import annotations

import struct
import zlib

from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmemo.blobs import RepositoryBlobs
from gitmemo.blobs.entry import NO_SALT, PREAMBLE_SIZE, header, preamble, scan, seed_of
from gitmemo.hashing.digest import digest

codecs = st.from_regex(r"[a-z0-9][a-z0-9._+-]{0,63}", fullmatch=True)
payloads = st.one_of(st.binary(max_size=300), st.integers(8000, 9000).map(bytes))
values = st.lists(st.tuples(codecs, payloads), max_size=30)
salts = st.binary(min_size=8, max_size=8)


def pack_of(salt, values):
    """Return a pack, and what a scan of it should report."""
    data = preamble(salt)
    seed = seed_of(data)
    expected = []
    for codec, payload in values:
        data += header(digest(payload), codec, len(payload), seed)
        expected.append((digest(payload), codec, len(data), len(payload)))
        data += payload
    return data, expected, seed


def scan_all(data, seed, start=PREAMBLE_SIZE):
    return scan(lambda offset, length: data[offset : offset + length], start, len(data), seed)


@settings(max_examples=60)
@given(salts, values)
def test_a_scan_finds_what_was_written(salt, values):
    data, expected, seed = pack_of(salt, values)
    assert scan_all(data, seed) == (expected, len(data))


@settings(max_examples=60)
@given(salts, values, st.data())
def test_a_scan_continues_where_the_last_one_ended(salt, values, draw):
    data, expected, seed = pack_of(salt, values)
    cut = draw.draw(st.integers(PREAMBLE_SIZE, len(data)))
    first = scan_all(data[:cut], seed)
    assert first.end <= cut
    second = scan_all(data, seed, first.end)
    assert [*first.entries, *second.entries] == expected


@settings(max_examples=150)
@given(st.binary(max_size=400), st.integers(0, 20))
def test_random_bytes_give_no_entries(data, start):
    assert scan_all(data, 0, start).entries == []


@settings(max_examples=100)
@given(salts, values, st.binary(max_size=200), st.data())
def test_entries_behind_rubbish_are_found_again(salt, values, rubbish, draw):
    data, expected, seed = pack_of(salt, values)
    starts = [offset + length for _, _, offset, length in expected] + [PREAMBLE_SIZE]
    at = draw.draw(st.sampled_from(sorted(starts)))
    found = scan_all(data[:at] + rubbish + data[at:], seed).entries
    before = [e for e in expected if e[2] <= at and e[2] + e[3] <= at]
    after = [(b, c, o + len(rubbish), n) for b, c, o, n in expected if o > at]
    assert found == before + after


@settings(max_examples=150)
@given(salts, values.filter(bool), st.data())
def test_damaged_packs_never_crash_a_scan(salt, values, draw):
    data, _, seed = pack_of(salt, values)
    broken = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 5))):
        at = draw.draw(st.integers(0, len(broken) - 1))
        broken[at] = draw.draw(st.integers(0, 255))
    found = scan_all(bytes(broken), seed)
    assert all(offset + length <= len(broken) for _, _, offset, length in found.entries)


def test_a_header_that_straddles_two_windows_is_found_again():
    for gap in range(8000, 8400):
        data = preamble(NO_SALT)
        seed = seed_of(data)
        entry = header(digest(b"x"), "raw", 1, seed) + b"x"
        data += bytes(gap) + entry
        assert len(scan_all(data, seed).entries) == 1, gap


def test_a_wrong_beginning_is_no_pack():
    assert seed_of(b"") is None
    assert seed_of(b"gmpack1\n" + bytes(7)) is None
    assert seed_of(b"gmpack2\n" + bytes(8)) is None
    assert seed_of(b"gmpack1\n" + bytes(8)) is not None


def test_a_local_pack_can_be_read_with_struct_alone(folder, encode):
    store = RepositoryBlobs(folder)
    expected = {}
    for i in range(20):
        data = b"%d" % i * i
        expected[store.put(encode(data, codec="npy" if i % 2 else "json-1"))] = data
    (pack,) = folder.glob("self/packs/*.pack")
    assert read_pack(pack.read_bytes()) == {
        blob: ("npy" if len(expected) and i % 2 else "json-1", data)
        for i, (blob, data) in enumerate(expected.items())
    }


def read_pack(data):
    """Read a pack as docs/sharing-format.md describes it."""
    magic, salt = struct.unpack_from("<8s8s", data)
    assert magic == b"gmpack1\n"
    at, found = 16, {}
    while at < len(data):
        mark, blob, length, name_length = struct.unpack_from("<4s32sQB", data, at)
        assert mark == b"gmb1"
        end = at + 45 + name_length
        assert struct.unpack_from("<I", data, end) == (zlib.crc32(salt + data[at:end]),)
        payload = data[end + 4 : end + 4 + length]
        assert blake3(payload).digest() == blob
        found[blob] = (data[at + 45 : end].decode("ascii"), payload)
        at = end + 4 + length
    return found
