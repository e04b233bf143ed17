"""Plans and settings: what is decided before anything is touched."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmemo.errors import GitmemoError, InvalidName, RemoteDriverMissing, RemoteInvalid
from gitmemo.hashing.digest import digest
from gitmemo.remotes import RemoteConfig, WantedBlob, open_remote, plan_pull, plan_push
from gitmemo.remotes.drivers import driver_options, patience
from gitmemo.remotes.index import Slot, read_index, write_index, write_lines
from gitmemo.remotes.layout import (
    Inventory,
    index_name,
    newer_format,
    pack_name,
    read_listing,
    single_name,
)
from gitmemo.remotes.parallel import in_parallel
from gitmemo.remotes.plan import Catalogue

ids = st.binary(max_size=4).map(digest)
sizes = st.one_of(st.integers(0, 2000), st.integers(0, 30 << 20))
wanted_lists = st.lists(
    st.builds(WantedBlob, ids, st.sampled_from(["json", "npy"]), sizes),
    unique_by=lambda item: item.blob,
)
EMPTY = Catalogue(Inventory(True, {}, {}), {})


def catalogue_of(plan):
    """Return what a remote holds after `plan`."""
    slots, sizes = {}, {}
    for group in plan.packs:
        pack, at = digest(b"".join(item.blob for item in group)), 0
        for item in group:
            slots[item.blob] = ((pack, Slot(item.blob, at, item.size, item.codec)),)
            at += item.size
        sizes[pack] = at
    singles = {item.blob: item.size for item in plan.singles}
    return Catalogue(Inventory(True, sizes, singles), slots)


@given(wanted_lists)
def test_a_plan_sends_everything_once_and_then_nothing(wanted):
    plan = plan_push([*wanted, *wanted], EMPTY)
    sent = [item for group in (*plan.packs, plan.singles) for item in group]
    assert sorted(sent, key=lambda i: i.blob) == sorted(wanted, key=lambda i: i.blob)
    assert (plan.blobs, plan.size_bytes) == (len(wanted), sum(i.size for i in wanted))
    assert all(group for group in plan.packs)
    again = plan_push(wanted, catalogue_of(plan))
    assert (again.blobs, again.already_there) == (0, len(wanted))


@given(wanted_lists)
def test_small_values_travel_together_and_large_ones_alone(wanted):
    plan = plan_push(wanted, EMPTY)
    assert all(item.size >= 4 << 20 for item in plan.singles)
    assert all(item.size < 4 << 20 for group in plan.packs for item in group)
    assert all(sum(i.size for i in group) < 20 << 20 for group in plan.packs)
    assert all(sum(i.size for i in group) >= 16 << 20 for group in plan.packs[:-1])


@given(wanted_lists, st.data())
def test_a_pull_plan_reads_every_wanted_value_from_where_it_lies(wanted, draw):
    catalogue = catalogue_of(plan_push(wanted, EMPTY))
    some = (
        draw.draw(st.lists(st.sampled_from(wanted), unique_by=lambda i: i.blob)) if wanted else []
    )
    absent = WantedBlob(digest(b"absent value"), "json", 3)
    plan = plan_pull([*some, absent], catalogue)
    assert plan.missing == (absent,)
    read = [item.blob for item in plan.singles]
    for fetch in plan.packs:
        for span in fetch.spans:
            for slot in span.slots:
                assert span.start <= slot.offset
                assert span.end is None or slot.offset + slot.length <= span.end
                read.append(slot.blob)
        whole = [span for span in fetch.spans if span.end is None]
        assert not whole or len(fetch.spans) == 1
    assert sorted(read) == sorted(item.blob for item in some)


def test_near_values_are_read_together_and_far_ones_apart():
    pack = digest(b"pack")
    items = [WantedBlob(digest(b"%d" % i), "raw", 1000) for i in range(4)]
    offsets = [0, 2000, 5_000_000, 5_002_000]
    slots = {
        item.blob: ((pack, Slot(item.blob, offset, 1000, "raw")),)
        for item, offset in zip(items, offsets, strict=True)
    }
    plan = plan_pull(items, Catalogue(Inventory(True, {pack: 10_000_000}, {}), slots))
    assert [(s.start, s.end) for s in plan.packs[0].spans] == [(0, 3000), (5_000_000, 5_003_000)]
    small = plan_pull(items[:1], Catalogue(Inventory(True, {pack: 900_000}, {}), slots))
    assert small.packs[0].spans[0].end is None


def test_places_that_failed_are_not_tried_again():
    item = WantedBlob(digest(b"x"), "raw", 1)
    first, second = digest(b"1"), digest(b"2")
    slot = Slot(item.blob, 0, 1, "raw")
    inventory = Inventory(True, {first: 1, second: 1}, {item.blob: 1})
    catalogue = Catalogue(inventory, {item.blob: ((first, slot), (second, slot))})
    avoid = set()
    for name in (single_name(item.blob), pack_name(first), pack_name(second)):
        plan = plan_pull([item], catalogue, avoid)
        assert [*(f.name for f in plan.packs), *(single_name(s.blob) for s in plan.singles)] == [
            name
        ]
        avoid.add((name, item.blob))
    assert plan_pull([item], catalogue, avoid).missing == (item,)


# --- formats ------------------------------------------------------------------


numbers = st.integers(0, 2**60)
plain_slots = st.builds(Slot, ids, numbers, numbers, st.just("npy"), st.just(""), st.just(0))
packed_slots = st.builds(
    Slot,
    ids,
    numbers,
    st.integers(0, 1000),
    st.just("npy"),
    st.sampled_from(["zlib", "later1"]),
    st.integers(1000, 16 << 20),
)


@given(st.lists(st.one_of(plain_slots, packed_slots)))
def test_an_index_reads_back(slots):
    assert read_index(write_index(slots)) == tuple(slots)
    if slots:
        assert read_index(write_lines(slots)) == tuple(slots), "as it was before it had a checksum"


@given(st.one_of(plain_slots, packed_slots), st.data())
def test_a_bit_that_flips_in_an_index_changes_no_slot(slot, data):
    index = bytearray(write_index([slot]))
    index[data.draw(st.integers(0, len(index) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(ValueError):  # in the words of the checksum's own line it is none any more
        assert read_index(bytes(index))[0] == slot


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_an_index_of_random_bytes_is_refused_and_nothing_else(data):
    for attempt in (data, data + b"\n"):
        with pytest.raises(ValueError):
            read_index(attempt)


@given(st.dictionaries(st.text(max_size=90), st.one_of(st.none(), st.integers(0, 9))))
def test_foreign_names_in_a_listing_are_ignored(listing):
    inventory = read_listing(listing)
    assert (inventory.packs, inventory.singles) == ({}, {})


def test_a_listing_shows_packs_that_have_an_index():
    whole, half, single = digest(b"1"), digest(b"2"), digest(b"3")
    names = [pack_name(whole), index_name(whole), pack_name(half), single_name(single)]
    inventory = read_listing(dict.fromkeys(names, 7))
    assert inventory.packs == {whole: 7}
    assert inventory.singles == {single: 7}
    assert not inventory.marked


@given(st.binary(max_size=60))
def test_a_random_note_about_the_format_is_no_format_of_ours(data):
    assert newer_format(data) is not None


# --- settings -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "Lab", "-lab", "a/b", "..", "a" * 65, "lab\n"])
def test_names_that_are_no_names(name):
    with pytest.raises(InvalidName):
        RemoteConfig(name, "x")


@pytest.mark.parametrize(
    "option",
    [
        "aws_access_key_id",
        "secret",
        "key",
        "token",
        "Password",
        "account_key",
        "connection_string",
        "sas_token",
        "credentials",
    ],
)
def test_secrets_are_refused_and_sent_where_they_belong(option):
    with pytest.raises(RemoteInvalid, match="environment variables") as caught:
        RemoteConfig("lab", "s3://b", {option: "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["sftp://me:hunter2@host/x", "az://c/x?sig=hunter2", "", "a\nb", "simplecache::s3://b"],
)
def test_addresses_that_are_refused(url):
    with pytest.raises(RemoteInvalid) as caught:
        RemoteConfig("lab", url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("option", ["Endpoint", "a-b", "", "_x"])
def test_option_names_that_are_refused(option):
    with pytest.raises(RemoteInvalid):
        RemoteConfig("lab", "s3://b", {option: "x"})


def test_options_become_what_the_driver_wants():
    s3_session = pytest.importorskip("gitmemo.remotes.s3_session", exc_type=ImportError)
    config = RemoteConfig(
        "lab",
        "s3://b",
        {
            "endpoint_url": "http://x",
            "region": "eu",
            "profile": "p",
            "anon": "true",
            "timeout": "7",
            "retries": "2",
        },
    )
    assert driver_options(config) == {
        "client_kwargs": {"endpoint_url": "http://x", "region_name": "eu"},
        "config_kwargs": {
            "retries": {"max_attempts": 0},  # repeating is ours
            "connect_timeout": 7,
            "read_timeout": 7,
            "max_pool_connections": 16,
            "http_session_cls": s3_session.PatientSession,
        },
        "max_concurrency": 1,
        "profile": "p",
        "anon": True,
        "use_listings_cache": False,
    }
    assert patience(config).retries == 2


@pytest.mark.parametrize("option", [{"retries": "many"}, {"timeout": "0"}, {"timeout": "-1"}])
def test_waiting_that_makes_no_sense_is_refused(option, tmp_path):
    with pytest.raises(RemoteInvalid, match="whole number"):
        open_remote(RemoteConfig("lab", "shared", option), tmp_path)


@pytest.mark.parametrize("url", ["shared", "./shared", "{root}/shared", "file://{root}/shared"])
def test_addresses_of_directories(tmp_path, url):
    remote = open_remote(RemoteConfig("lab", url.format(root=tmp_path)), tmp_path)
    remote.transport.write("gitmemo-remote.json", b"x")
    assert (tmp_path / "shared/gitmemo-remote.json").read_bytes() == b"x"


def test_a_home_directory_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    remote = open_remote(RemoteConfig("lab", "~/shared"), tmp_path / "elsewhere")
    remote.transport.write("gitmemo-remote.json", b"x")
    assert (tmp_path / "shared/gitmemo-remote.json").exists()


def test_a_missing_driver_is_named_with_what_to_install(tmp_path, monkeypatch):
    from fsspec.registry import _registry

    monkeypatch.delitem(_registry, "s3", raising=False)
    monkeypatch.setitem(sys.modules, "s3fs", None)
    remote = open_remote(RemoteConfig("lab", "s3://bucket"), tmp_path)
    with pytest.raises(RemoteDriverMissing, match=r"pip install 'gitmemo\[s3\]'"):
        remote.transport.listing()


@pytest.mark.parametrize("url", ["nosuchthing://x", "s4://x"])
def test_an_unknown_kind_of_address_is_named(tmp_path, url):
    with pytest.raises(RemoteInvalid, match=r"s4|nosuchthing"):
        open_remote(RemoteConfig("lab", url), tmp_path).transport.listing()


def test_nothing_heavy_is_imported():
    code = (
        "import sys, gitmemo.blobs, gitmemo.remotes; "
        "print({'fsspec', 's3fs', 'numpy', 'asyncio', 'pandas'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"


def test_errors_survive_the_way_to_and_from_workers():
    import pickle

    from gitmemo import errors

    for error in [
        errors.InvalidName("codec", "x"),
        errors.BlobCorrupt("ab", "file", "why"),
        errors.RemoteInvalid("lab", "why", "advice"),
        errors.RemoteDriverMissing("lab", "s3://b", "gitmemo[s3]"),
        errors.RemoteUnreachable("lab", "s3://b", "why"),
        errors.RemoteMissing("lab", "s3://b"),
        errors.RemoteTooNew("lab", "s3://b", "2"),
        errors.RemoteCorrupt("lab", ("packs/x",), 3, 1),
    ]:
        again = pickle.loads(pickle.dumps(error))
        assert isinstance(again, GitmemoError)
        assert str(again) == str(error)
        assert error.remedy()


def test_items_are_taken_only_when_a_worker_is_free():
    taken = []

    def items():
        for i in range(20):
            taken.append(i)
            yield i

    results = in_parallel(lambda i: i, items(), jobs=3)
    next(results)
    assert len(taken) <= 3
    list(results)
    assert len(taken) == 20
