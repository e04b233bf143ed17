"""Compressed payloads, catalogues of many indexes, and the list of the latest state."""

from __future__ import annotations

import json
import random
import tracemalloc
import zlib
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.blobs import RepositoryBlobs
from gitmemo.errors import RemoteCorrupt
from gitmemo.hashing.digest import digest, to_text
from gitmemo.remotes import Remote, pull, push
from gitmemo.remotes.bundle import bundles, read_bundle, write_bundle
from gitmemo.remotes.index import Slot, read_index, write_index, write_lines
from gitmemo.remotes.latest import read_latest, write_latest
from gitmemo.remotes.layout import (
    LATEST,
    catalogue_name,
    index_name,
    pack_name,
    read_listing,
    single_name,
)
from gitmemo.remotes.payload import payload, stored_form

NOISE = random.Random(0).randbytes(200_000)
ids = st.binary(max_size=4).map(digest)
indexes = st.dictionaries(ids, st.binary(min_size=1, max_size=60), max_size=6)
values = st.one_of(
    st.binary(max_size=700),
    st.builds(lambda data, times: data * times, st.binary(max_size=40), st.integers(0, 2000)),
    st.integers(0, 100_000).map(lambda length: NOISE[:length]),
)


class Counting:
    """A transport that notes the names that are read."""

    def __init__(self, inner):
        self.inner, self.names, self.listings = inner, [], 0

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def listing(self):
        self.listings += 1
        return self.inner.listing()

    def read(self, name, most):
        self.names.append(name)
        return self.inner.read(name, most)

    def kinds(self):
        return Counter(name.rpartition(".")[2] for name in self.names)


def counted(remote):
    transport = Counting(remote.transport)
    return Remote(remote.config, transport), transport


# --- compression --------------------------------------------------------------


@given(values)
def test_a_payload_reads_back_and_is_the_same_each_time(value):
    slot, head, stored = stored_form(digest(value), "json", value, 16, 0)
    assert payload(slot, stored) == value
    assert (slot.offset, slot.length, slot.size) == (16 + len(head), len(stored), len(value))
    assert stored_form(digest(value), "json", value, 16, 0) == (slot, head, stored)
    assert read_index(write_index([slot])) == (slot,)


def test_only_what_shrinks_is_compressed():
    shrinks = json.dumps({f"metric {i}": i for i in range(3000)}).encode()
    for value, expected in [
        (shrinks, "zlib"),
        (NOISE, ""),
        (b"x" * 511, ""),
        (b"x" * 512, "zlib"),
        (b"header" * 4000 + NOISE, ""),
    ]:
        slot, _, stored = stored_form(digest(value), "raw", value, 0, 0)
        assert slot.method == expected
        assert len(stored) <= len(value) if not expected else len(stored) * 8 <= len(value) * 7


@given(st.binary(max_size=80), st.integers(0, 100))
def test_a_hostile_payload_is_refused_and_never_grows(data, size):
    slot = Slot(digest(b""), 0, len(data), "raw", "zlib", size)
    for attempt in (
        data,
        zlib.compress(data),
        zlib.compress(data) + b"x",
        zlib.compress(data)[:-1],
    ):
        with suppress(ValueError):
            assert len(payload(slot, attempt)) == size


def test_a_bomb_is_not_unpacked():
    bomb = zlib.compress(bytes(8 << 20), 1)
    tracemalloc.start()
    with pytest.raises(ValueError, match="does not unpack"):
        payload(Slot(digest(b""), 0, len(bomb), "raw", "zlib", 1000), bomb)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    line = write_index([Slot(digest(b""), 0, 9, "raw", "zlib", (16 << 20) + 1)])
    with pytest.raises(ValueError, match="too long"):
        read_index(line)


@pytest.mark.parametrize(
    "change", [lambda data: data + b"x", lambda data: b"x" + data, lambda data: data[:-1]]
)
def test_a_payload_with_more_or_less_than_one_stream_is_refused(change):
    data = change(zlib.compress(b"value"))
    with pytest.raises(ValueError):
        payload(Slot(digest(b"value"), 0, len(data), "raw", "zlib", 5), data)


def test_a_compressed_pack_can_be_read_as_documented(directory, tmp_path, ours, theirs, share):
    from gitmemo.blobs.entry import compressed_header

    text = b"a text that repeats itself " * 100
    wanted = share(ours, text, b"short", NOISE[:5000])
    push(ours, directory, wanted)
    (index,) = (tmp_path / "shared").rglob("*.idx")
    pack = index.with_suffix(".pack").read_bytes()
    whole = index.read_text().splitlines(keepends=True)
    *lines, checksum = [json.loads(line) for line in whole]
    assert [len(line) for line in lines] == [6, 4, 4]
    assert checksum == [to_text(digest("".join(whole[:-1]).encode())), 0, 0, "checksum"]
    _, offset, length, codec, method, size = lines[0]
    assert (codec, method, size) == ("raw", "zlib", len(text))
    assert zlib.decompress(pack[offset : offset + length]) == text
    head = compressed_header(digest(text), "raw", length, size, zlib.crc32(bytes(8)))
    assert pack[offset - len(head) : offset] == head
    assert pull(theirs, directory, wanted).stored == 3


def test_a_method_of_a_later_gitmemo_is_as_good_as_absent(directory, tmp_path, ours, theirs, share):
    wanted = share(ours, b"a text that repeats itself " * 100, b"short")
    push(ours, directory, wanted)
    (index,) = (tmp_path / "shared").rglob("*.idx")
    slots = read_index(index.read_bytes())
    index.write_bytes(write_index(s._replace(method=s.method and "zlib9") for s in slots))
    assert pull(theirs, directory, wanted).missing == (wanted[0],)
    assert push(ours, directory, wanted).sent == 1
    assert pull(theirs, directory, wanted).stored == 1


# --- formats ------------------------------------------------------------------


@given(indexes)
def test_a_catalogue_reads_back_whatever_the_order(found):
    data = write_bundle(dict(reversed(found.items())))
    assert data == write_bundle(found)
    assert read_bundle(digest(data), data) == found


@given(indexes, st.data())
def test_a_damaged_catalogue_is_refused(found, draw):
    data = write_bundle(found)
    cut = draw.draw(st.integers(0, len(data)))
    other = data[:cut] + draw.draw(st.binary(max_size=5)) + data[cut + 1 :]
    if other != data:
        with pytest.raises(ValueError):
            read_bundle(digest(data), other)
        with suppress(ValueError):  # under its own name it is whole indexes or an error
            assert write_bundle(read_bundle(digest(other), other)) == other


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(b"gmcat1\n".__add__)))
def test_random_bytes_are_no_catalogue(data):
    with suppress(ValueError):
        assert write_bundle(read_bundle(digest(data), data)) == data


@given(st.dictionaries(ids, st.integers(1, 300_000), max_size=40))
def test_catalogues_hold_every_small_index_once(sizes):
    small = [pack for pack, size in sizes.items() if size <= 256 << 10]
    made = list(bundles({pack: b"x" * size for pack, size in sizes.items()}))
    held = [pack for _, _, packs in made for pack in packs]
    assert len(held) == len(set(held))
    assert set(held) <= set(small)
    assert len(small) - len(held) <= 1


sizes = st.one_of(st.none(), st.integers(0, 2**60))
listings = st.lists(st.tuples(ids, sizes, sizes), max_size=5).map(
    lambda rows: {
        name: size
        for pack, first, second in rows
        for name, size in [
            (pack_name(pack), first),
            (index_name(pack), second),
            (single_name(pack), first),
            (catalogue_name(pack), second),
            ("packs/foreign", 1),
        ]
    }
)


@given(listings)
def test_the_latest_list_stands_for_a_listing(listing):
    again = read_latest(write_latest(listing))
    assert {**again, "packs/foreign": 1} == {
        **listing,
        "gitmemo-remote.json": None,
        "packs/foreign": 1,
    }
    assert write_latest(again) == write_latest(listing)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.text(max_size=3), ids.map(to_text)), inner, max_size=3),
    ),
    max_leaves=8,
)


@given(
    st.one_of(
        st.binary(max_size=100),
        json_values.map(lambda value: json.dumps(value).encode()),
        st.fixed_dictionaries(
            {"format": st.just(1)} | dict.fromkeys(("packs", "singles", "catalogues"), json_values)
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_a_hostile_list_gives_our_names_or_an_error(data):
    try:
        listing = read_latest(data)
    except ValueError:
        return
    known = read_listing(listing)
    names = 2 * len(known.packs) + len(known.singles) + len(known.catalogues)
    assert len(listing) == names + 1
    assert all(size is None or size >= 0 for size in listing.values())


def test_a_deep_list_is_an_error():
    with pytest.raises(ValueError):
        read_latest(b"[" * 200_000)


# --- catalogues on a remote ---------------------------------------------------


@pytest.fixture
def shared(tmp_path):
    return tmp_path / "shared"


@pytest.fixture
def many(directory, ours, share, monkeypatch, tmp_path):
    """Values that were pushed one by one, so that there are 12 packs and a catalogue of 11."""
    monkeypatch.setattr("gitmemo.remotes.notes.UNCOVERED", 10)
    wanted = share(ours, *(b"value %d" % i for i in range(12)))
    for item in wanted:
        push(ours, directory, [item], cache=tmp_path / "cache")
    return wanted


def one(folder: Path, pattern: str) -> Path:
    (path,) = folder.rglob(pattern)
    return path


def test_a_fresh_pull_reads_one_catalogue_instead_of_many_indexes(
    directory, shared, theirs, many, tmp_path
):
    assert len(list(shared.rglob("*.idx"))) == 12
    assert len(read_bundle_of(one(shared, "*.cat"))) == 11
    fresh, transport = counted(directory)
    report = pull(theirs, fresh, many, cache=tmp_path / "their cache")
    assert (report.stored, report.damaged) == (12, ())
    assert transport.kinds() == {"cat": 1, "idx": 1, "pack": 12, "json": 2}

    again, transport = counted(directory)
    assert push(theirs, again, many, cache=tmp_path / "their cache").already_there == 12
    assert (transport.listings, transport.names) == (1, [])


def read_bundle_of(path: Path):
    data = path.read_bytes()
    assert path.stem == digest(data).hex()
    return read_bundle(digest(data), data)


def test_catalogues_add_up_and_are_the_same_from_everyone(
    directory, shared, ours, theirs, many, share, tmp_path
):
    more = share(ours, *(b"more %d" % i for i in range(11)))
    for item in more:
        push(ours, directory, [item])  # without a cache: what is covered is read from the remote
    first, second = (read_bundle_of(path) for path in shared.rglob("*.cat"))
    assert not first.keys() & second.keys()
    assert len(first) + len(second) == 22
    for path in shared.rglob("*.cat"):
        path.unlink()
    last = share(ours, b"last")
    push(ours, directory, last, cache=tmp_path / "cache")
    assert len(read_bundle_of(one(shared, "*.cat"))) == 23
    assert pull(theirs, directory, [*many, *more, *last]).stored == 24


@pytest.mark.parametrize("gone", ["pack", "idx"])
def test_a_catalogue_does_not_bring_back_what_was_deleted(
    directory, shared, ours, theirs, many, gone, tmp_path
):
    pack = next(iter(read_bundle_of(one(shared, "*.cat"))))
    name = pack_name(pack) if gone == "pack" else index_name(pack)
    (shared / name).unlink()
    assert len(pull(theirs, directory, many).missing) == 1
    assert push(ours, directory, many, cache=tmp_path / "cache").sent == 1
    assert pull(theirs, directory, many).stored == 1


def hostile(path: Path, kind: str) -> bytes:
    """Return what someone put in place of a catalogue."""
    data = path.read_bytes()
    found = read_bundle(digest(data), data)
    first, *rest = found
    match kind:
        case "flip":
            return data[:-30] + bytes([data[-30] ^ 1]) + data[-29:]
        case "truncate":
            return data[:-1]
        case "empty":
            return b""
        case "swap":
            return write_bundle({first: found[first]})
        case "no index":
            return write_bundle({**found, first: b"x" * len(found[first])})
        case "other size":
            return write_bundle({**found, first: found[rest[0]] + found[rest[1]]})
        case _:
            (slot,) = read_index(found[first])
            return write_bundle({**found, first: write_index([slot._replace(offset=10**6)])})


@pytest.mark.parametrize("named", [False, True], ids=["old name", "own name"])
@pytest.mark.parametrize(
    "kind", ["flip", "truncate", "empty", "swap", "no index", "other size", "out of the pack"]
)
def test_a_bad_catalogue_is_set_aside_by_name(directory, shared, theirs, many, kind, named):
    path = one(shared, "*.cat")
    data = hostile(path, kind)
    if named:
        path.unlink()
        path = shared / catalogue_name(digest(data))
        path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    report = pull(theirs, directory, many)
    assert report.stored == 12
    name = path.relative_to(shared).as_posix()
    # A well-formed catalogue of fewer packs, under its own name, is just that.
    assert report.damaged == (() if (kind, named) == ("swap", True) else (name,))


def test_a_catalogue_that_lies_plausibly_is_found_out_and_corrected(
    directory, shared, ours, theirs, many, tmp_path
):
    path = one(shared, "*.cat")
    found = read_bundle_of(path)
    first = next(iter(found))
    (slot,) = read_index(found[first])
    found[first] = write_index([slot._replace(offset=slot.offset - 1)])
    path.unlink()
    lie = write_bundle(found)
    path = shared / catalogue_name(digest(lie))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(lie)
    report = pull(theirs, directory, many, cache=tmp_path / "their cache")
    assert (report.stored, report.damaged) == (12, (catalogue_name(digest(lie)),))
    third = RepositoryBlobs(tmp_path / "third")
    assert pull(third, directory, many, cache=tmp_path / "their cache").damaged == ()


def test_what_is_remembered_wrongly_on_this_machine_is_not_blamed_on_the_remote(
    directory, theirs, many, tmp_path
):
    cache = one(tmp_path / "cache", "singles").parent
    index = min(cache.glob("*.idx"))
    (slot,) = read_index(index.read_bytes())
    index.write_bytes(write_index([slot._replace(offset=slot.offset - 1)]))
    report = pull(theirs, directory, many, cache=tmp_path / "cache")
    assert (report.stored, report.damaged) == (12, ())


def test_an_index_that_was_changed_on_its_way_is_not_remembered(
    directory, shared, ours, theirs, share, tmp_path
):
    wanted = share(ours, b"one", b"two")
    push(ours, directory, wanted)
    index = one(shared, "*.idx")
    sent = index.read_bytes()
    index.write_bytes(sent.replace(to_text(wanted[0].blob).encode(), to_text(digest(b"")).encode()))
    with pytest.raises(RemoteCorrupt) as caught:
        pull(theirs, directory, wanted, cache=tmp_path / "cache")
    assert caught.value.objects == (index.relative_to(shared).as_posix(),)
    index.write_bytes(sent)
    assert pull(theirs, directory, wanted, cache=tmp_path / "cache").stored == 2


def test_an_index_that_came_in_part_is_not_remembered(directory, ours, theirs, share, tmp_path):
    """Cut behind a line it could be one of before, without a checksum."""

    class Short(Counting):
        def read(self, name, most):
            data = super().read(name, most)
            return data[: data.index(b"\n") + 1] if name.endswith(".idx") and self.cuts else data

    wanted = share(ours, b"one", b"two")
    push(ours, directory, wanted)
    transport = Short(directory.transport)
    cut = Remote(directory.config, transport)
    transport.cuts = True
    with pytest.raises(RemoteCorrupt):
        pull(theirs, cut, wanted, cache=tmp_path / "cache")
    transport.cuts = False
    assert pull(theirs, cut, wanted, cache=tmp_path / "cache").stored == 2


def test_an_index_that_goes_meanwhile_spoils_no_catalogue(
    directory, shared, ours, theirs, share, monkeypatch, tmp_path
):
    wanted = share(ours, *(b"value %d" % i for i in range(12)))
    for item in wanted[:11]:
        push(ours, directory, [item])
    gone = min(shared.rglob("*.idx")).relative_to(shared).as_posix()

    class Losing(Counting):
        def read(self, name, most):
            if name == gone:
                raise FileNotFoundError(name)
            return super().read(name, most)

    monkeypatch.setattr("gitmemo.remotes.notes.UNCOVERED", 5)
    push(ours, Remote(directory.config, Losing(directory.transport)), wanted[11:])
    assert len(read_bundle_of(one(shared, "*.cat"))) == 10
    assert pull(theirs, directory, wanted).damaged == ()


def test_indexes_without_a_checksum_are_read_and_join_catalogues(
    directory, shared, ours, theirs, share, monkeypatch, tmp_path
):
    monkeypatch.setattr("gitmemo.remotes.notes.UNCOVERED", 3)
    wanted = share(ours, *(b"value %d" % i for i in range(6)))
    with monkeypatch.context() as before:
        before.setattr("gitmemo.remotes.pushing.write_index", write_lines)
        for item in wanted[:3]:
            push(ours, directory, [item])
    for item in wanted[3:]:
        push(ours, directory, [item])
    assert len(read_bundle_of(one(shared, "*.cat"))) == 4
    report = pull(theirs, directory, wanted, cache=tmp_path / "cache")
    assert (report.stored, report.damaged) == (6, ())


def test_damage_in_a_pack_is_still_damage(directory, shared, theirs, many):
    pack = min(shared.rglob("*.pack"))
    data = pack.read_bytes()
    pack.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(RemoteCorrupt) as caught:
        pull(theirs, directory, many)
    assert caught.value.objects == (pack.relative_to(shared).as_posix(),)
    assert (caught.value.stored, caught.value.lost) == (11, 1)


# --- the latest list ----------------------------------------------------------


def test_the_latest_list_is_enough_where_nothing_can_be_listed(
    directory, ours, theirs, many, share
):
    big = share(ours, NOISE * 25)
    push(ours, directory, big)

    class Http:
        def __getattr__(self, name):
            return getattr(directory.transport, name)

        def listing(self):
            return read_latest(directory.transport.read(LATEST, 1 << 20))

    assert pull(theirs, Remote(directory.config, Http()), [*many, *big]).stored == 13


def test_a_lost_race_for_the_latest_list_costs_only_freshness(directory, shared, ours, many, share):
    before = (shared / LATEST).read_bytes()
    push(ours, directory, share(ours, b"another"))
    (shared / LATEST).write_bytes(before)  # the slower of two who pushed at once
    push(ours, directory, share(ours, b"one more"))
    listed = read_latest((shared / LATEST).read_bytes())
    assert {**directory.transport.listing(), "gitmemo-remote.json": None} == listed


def test_a_push_of_nothing_new_writes_nothing(directory, shared, ours, many, tmp_path):
    (shared / LATEST).unlink()
    push(ours, directory, many, cache=tmp_path / "cache")
    assert not (shared / LATEST).exists()
