"""What every store promises, checked on each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from gitmemo.blobs import SELF, remote_origin
from gitmemo.errors import BlobCorrupt, InvalidName
from gitmemo.hashing.digest import digest

SIZES = [0, 1, 100, 65535, 65536, 65537, 300_000]


@pytest.mark.parametrize("size", SIZES)
def test_what_was_put_is_found_with_its_codec_and_origin(store, encode, size):
    data = bytes(i % 251 for i in range(size))
    blob = store.put(encode(data[: size // 3], data[size // 3 :], codec="json"))
    found = store.find(blob)
    assert (found.blob, found.codec, found.size, found.origin) == (digest(data), "json", size, SELF)
    assert found.read() == data


@pytest.mark.parametrize("size", SIZES)
def test_what_is_pulled_keeps_its_origin_until_it_is_also_computed(store, encode, size):
    data = bytes(size)
    store.put_verified(digest(data), "pickle", [data], remote_origin("lab"))
    assert store.find(digest(data)).origin == "remote:lab"
    store.put(encode(data, codec="pickle"))
    assert store.find(digest(data)).origin == SELF
    store.put_verified(digest(data), "pickle", [data], remote_origin("lab"))
    assert store.find(digest(data)).origin == SELF


@pytest.mark.parametrize("size", SIZES)
def test_bytes_are_only_found_under_a_codec_that_wrote_them(store, encode, size):
    data = bytes(size)
    blob = store.put(encode(data, codec="raw"))
    assert store.find(blob, "pickle") is None
    assert store.put(encode(data, codec="text")) == blob
    assert store.codecs(blob) == {"raw", "text"}
    assert store.find(blob, "text").codec == "text"
    assert store.find(blob, "raw").codec == "raw"


def test_pulled_bytes_do_not_lend_their_codec_to_own_ones(store, encode):
    blob = store.put(encode(b"cos\nsystem\n", codec="raw"))
    store.put_verified(blob, "pickle", [b"cos\nsystem\n"], remote_origin("lab"))
    assert store.find(blob).codec == "raw"
    assert store.find(blob, "pickle").origin == "remote:lab"


@pytest.mark.parametrize("size", SIZES)
def test_offered_bytes_that_are_something_else_are_refused(store, size):
    blob = digest(b"what it should be")
    with pytest.raises(BlobCorrupt, match=blob.hex()[:12]):
        store.put_verified(blob, "raw", [bytes(size)], remote_origin("lab"))
    assert store.find(blob) is None
    assert store.find(digest(bytes(size))) is None
    assert store.missing([blob]) == {blob}


def test_missing_names_what_is_not_here(store, encode):
    here = {store.put(encode(bytes(size))) for size in SIZES}
    away = {digest(b"%d" % i) for i in range(5)}
    assert store.missing(here | away) == away
    assert store.missing([]) == set()
    assert store.codecs(digest(b"0")) == frozenset()
    assert store.find(digest(b"0")) is None


def test_putting_twice_is_putting_once(store, encode):
    assert {store.put(encode(b"x" * 70_000)) for _ in range(3)} == {digest(b"x" * 70_000)}
    assert {store.put(encode(b"x")) for _ in range(3)} == {digest(b"x")}


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", ".x", "a" * 65, "a\0", "a\n"])
def test_names_that_would_become_paths_are_refused(store, encode, name):
    with pytest.raises(InvalidName):
        store.put(encode(b"x", codec=name))
    with pytest.raises(InvalidName):
        store.put_verified(digest(b"x"), "raw", [b"x"], f"remote:{name}")
    with pytest.raises(InvalidName):
        store.put_verified(digest(b"x"), "raw", [b"x"], name)
    assert store.missing([digest(b"x")])


def test_eight_threads_put_and_find_at_once(store, encode):
    values = [b"%d" % (i % 50) * (1 + (i % 7) * 2000) for i in range(400)]

    def work(data):
        blob = store.put(encode(data))
        return store.find(blob).read() == data

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, values))
    assert store.missing({digest(data) for data in values}) == set()
