"""Values that are trusted by signature: right and wrong keys, and everything that can be swapped."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.blobs import RepositoryBlobs
from gitmemo.errors import BadSetting, KeyUnusable, RemoteCorrupt, RemoteUnsigned
from gitmemo.hashing.digest import Digest, digest, to_text
from gitmemo.remotes import Remote, WantedBlob, pull, push
from gitmemo.remotes.catalogue import read_catalogue
from gitmemo.remotes.collecting import DAY_S, Sweep, plan_sweep, sweep
from gitmemo.remotes.latest import read_latest
from gitmemo.remotes.layout import LATEST
from gitmemo.remotes.signature_lists import MANY, SignatureList, superfluous
from gitmemo.remotes.signing import (
    all_signatures_on,
    key_origin,
    read_signatures,
    signature,
    write_signatures,
)
from gitmemo.signing_keys import KeyRing, KeyTable, SigningKey, key_in, new_key, ring, tables_in

OURS, OTHER = SigningKey(b"1" * 32), SigningKey(b"2" * 32)
BIG = b"big value " * 500_000


def with_keys(
    remote: Remote, *keys: SigningKey, signs: bool = True, required: bool = False
) -> Remote:
    keyring = KeyRing({key.id: key for key in keys}, keys[0] if signs and keys else None, required)
    return Remote(remote.config, remote.transport, keyring)


def origins(store: RepositoryBlobs, wanted: list[WantedBlob]) -> list[str]:
    return [store.find(item.blob, item.codec).origin for item in wanted]


def signed_object(folder: Path, data: bytes) -> None:
    """Put signatures on a remote as anybody who can write there could."""
    name = digest(data).hex()
    path = folder / "signatures" / name[:2] / f"{name}.sig"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    return tmp_path / "shared"


def test_who_has_the_key_gets_signed_values(remote, ours, theirs, share, tmp_path):
    wanted = share(ours, b"small", b"other", BIG, codec="pickle")
    cache = tmp_path / "cache"
    assert push(ours, with_keys(remote, OURS), wanted, cache=cache).sent == 3
    report = pull(theirs, with_keys(remote, OURS, signs=False), wanted)
    assert report.stored == 3
    assert set(origins(theirs, wanted)) == {key_origin(OURS.id)}
    listing = remote.transport.listing()
    assert len([name for name in listing if name.startswith("signatures/")]) == 1
    push(ours, with_keys(remote, OURS), wanted, cache=cache)
    assert remote.transport.listing() == listing, "nothing new, nothing to sign"


def test_other_keys_and_no_keys_mean_no_trust(directory, ours, theirs, share):
    wanted = share(ours, b"small", BIG, codec="pickle")
    push(ours, with_keys(directory, OTHER), wanted)
    assert pull(theirs, with_keys(directory, OURS), wanted).stored == 2
    assert set(origins(theirs, wanted)) == {directory.config.origin}
    # Later somebody with the key signs them: what is here already counts from then on.
    push(ours, with_keys(directory, OURS), wanted)
    theirs.prefer([key_origin(OURS.id)].__contains__)
    report = pull(theirs, with_keys(directory, OURS, signs=False), wanted)
    assert (report.stored, report.already_here) == (0, 2)
    assert set(origins(theirs, wanted)) == {key_origin(OURS.id)}


def test_values_from_elsewhere_are_never_signed_on(directory, ours, theirs, share, tmp_path):
    wanted = share(ours, b"small", BIG, codec="pickle")
    push(ours, directory, wanted)
    pull(theirs, directory, wanted)
    push(theirs, with_keys(directory, OURS), wanted)
    third = RepositoryBlobs(tmp_path / "third")
    pull(third, with_keys(directory, OURS), wanted)
    assert set(origins(third, wanted)) == {directory.config.origin}
    # But what a trusted key has signed may be handed on under another.
    push(ours, with_keys(directory, OTHER), wanted)
    fourth = RepositoryBlobs(tmp_path / "fourth")
    pull(fourth, with_keys(directory, OTHER), wanted)
    push(fourth, with_keys(directory, OURS, OTHER), wanted)
    fifth = RepositoryBlobs(tmp_path / "fifth")
    pull(fifth, with_keys(directory, OURS), wanted)
    assert set(origins(fifth, wanted)) == {key_origin(OURS.id)}


def test_several_keys_may_be_trusted(directory, ours, theirs, share):
    old, new = share(ours, b"old", codec="pickle"), share(ours, b"new", codec="pickle")
    push(ours, with_keys(directory, OTHER), old)
    push(ours, with_keys(directory, OURS), new)
    pull(theirs, with_keys(directory, OURS, OTHER), [*old, *new])
    assert origins(theirs, [*old, *new]) == [key_origin(OTHER.id), key_origin(OURS.id)]


def test_a_signature_is_for_one_value_and_one_codec(directory, shared, ours, theirs, share):
    good, evil = share(ours, b"good", b"evil", codec="pickle")
    push(ours, directory, [good, evil])
    mac = signature(OURS, (good.blob, "json"))
    for blob, codec in ((evil.blob, "pickle"), (evil.blob, "json"), (good.blob, "pickle")):
        line = f'["{to_text(blob)}","{codec}","{to_text(mac)}"]\n'
        signed_object(shared, f"gmsig1 {OURS.id}\n{line}".encode())
    signed_object(shared, write_signatures(OURS, [(good.blob, "json")]))
    # The right signature, under the name of another key.
    right = write_signatures(OTHER, [(good.blob, "pickle")])
    signed_object(shared, right.replace(OTHER.id.encode(), OURS.id.encode()))
    pull(theirs, with_keys(directory, OURS), [good, evil])
    assert set(origins(theirs, [good, evil])) == {directory.config.origin}


def test_where_signatures_are_required_nothing_else_is_fetched(directory, ours, theirs, share):
    signed, bare = share(ours, b"signed", b"bare")
    push(ours, directory, [bare])
    push(ours, with_keys(directory, OURS), [signed])
    with pytest.raises(RemoteUnsigned, match="1 value without") as caught:
        pull(theirs, with_keys(directory, OURS, required=True), [signed, bare])
    assert (caught.value.refused, caught.value.stored) == (1, 1)
    assert theirs.missing([signed.blob, bare.blob]) == {bare.blob}
    with pytest.raises(RemoteUnsigned):
        pull(theirs, with_keys(directory, required=True), [bare])


@pytest.mark.parametrize("damage", ["flip", "truncate", "swap", "empty", "name", "rubbish"])
def test_damaged_signatures_are_named_and_prove_nothing(
    directory, shared, ours, theirs, share, damage
):
    wanted = share(ours, b"value", codec="pickle")
    push(ours, with_keys(directory, OURS), wanted)
    (path,) = shared.rglob("*.sig")
    data = path.read_bytes()
    other = write_signatures(OURS, [(digest(b"x"), "json")])
    changed = {"flip": data[:-9] + bytes([data[-9] ^ 1]) + data[-8:], "truncate": data[:-5]}
    changed |= {"swap": other, "empty": b"", "name": data, "rubbish": b"\xff" * 100}
    if damage == "name":
        path.rename(path.with_name("x.sig"))
    else:
        path.write_bytes(changed[damage])
    report = pull(theirs, with_keys(directory, OURS), wanted)
    assert report.stored == 1
    assert origins(theirs, wanted) == [directory.config.origin]
    named = () if damage == "name" else (path.relative_to(shared).as_posix(),)
    assert report.damaged == named


def test_a_signed_value_with_other_bytes_is_still_refused(directory, shared, ours, theirs, share):
    wanted = share(ours, b"value", codec="pickle")
    push(ours, with_keys(directory, OURS), wanted)
    (pack,) = shared.rglob("*.pack")
    pack.write_bytes(pack.read_bytes().replace(b"value", b"evil!"))
    with pytest.raises(RemoteCorrupt):
        pull(theirs, with_keys(directory, OURS), wanted)
    assert theirs.missing([wanted[0].blob])


def test_signatures_say_what_the_specification_says() -> None:
    import hashlib
    import hmac

    blob = digest(b"value")
    message = b"gitmemo signature 1\n" + blob + b"pickle"
    assert (
        signature(OURS, (blob, "pickle")) == hmac.new(b"1" * 32, message, hashlib.sha256).digest()
    )
    data = write_signatures(OURS, [(blob, "pickle"), (blob, "json"), (blob, "json")])
    key_id, found = read_signatures(digest(data), data)
    assert key_id == OURS.id
    assert found == {(blob, codec): signature(OURS, (blob, codec)) for codec in ("json", "pickle")}
    for wrong in (data[:-1], data + b"\n", data.replace(b"json", b"JSON"), b"", data[1:]):
        with pytest.raises(ValueError, match=r"it |line"):
            read_signatures(digest(wrong), wrong)
    with pytest.raises(ValueError, match="name"):
        read_signatures(Digest(b"\0" * 32), data)


def test_keys_are_long_and_stay_out_of_sight(tmp_path: Path) -> None:
    key = new_key()
    assert len(key.secret) == 32
    assert key_in(key.text(), "here") == key
    assert key.text().split()[1] not in repr(key) + repr(KeyRing({key.id: key}, key))
    assert key.secret.hex() not in repr(key)
    for text in (
        "",
        "x",
        "gitmemo-key-1 AAAA",
        "gitmemo-key-1 " + "!" * 60,
        "gitmemo-key-2 " + "A" * 44,
    ):
        with pytest.raises(KeyUnusable):
            key_in(text, "here")
    place = tmp_path / "a.key"
    with pytest.raises(KeyUnusable, match="No such file"):
        ring(KeyTable({key.id: str(place)}), None)
    place.write_text(OTHER.text())
    with pytest.raises(KeyUnusable, match="another key"):
        ring(KeyTable({key.id: str(place)}), None)
    place.write_text(key.text())
    assert ring(KeyTable({key.id: str(place)}, key.id), OTHER.text()).signer == key
    assert ring(KeyTable(), OTHER.text()).signer == OTHER


def test_keys_are_never_committed() -> None:
    with pytest.raises(BadSetting, match="keys"):
        tables_in({"keys": {}}, {})
    for local in (
        {"keys": 1},
        {"keys": {"lab": {"x": "y"}}},
        {"keys": {"lab": {"sign": "0" * 32}}},
    ):
        with pytest.raises(BadSetting):
            tables_in({}, local)


def swept(remote: Remote) -> Sweep:
    found = plan_sweep(remote, lambda blobs: blobs, cache=None, jobs=1)
    sweep(remote, found)
    return found


def test_many_lists_become_one_and_the_others_go(
    directory, ours, theirs, share, shared, tmp_path, monkeypatch
):
    signs = with_keys(directory, OURS)
    wanted: list[WantedBlob] = []
    for number in range(MANY + 2):
        wanted += share(ours, b"%d" % number, codec="pickle")
        push(ours, signs, wanted, cache=tmp_path / "cache")
    forged = to_text(digest(b"forged"))
    strange = f'gmsig1 {OURS.id}\n["{to_text(wanted[0].blob)}","pickle","{forged}"]\n'.encode()
    signed_object(shared, strange)
    signed_object(shared, write_signatures(OTHER, [(wanted[0].blob, "pickle")]))
    lists = all_signatures_on(directory, read_catalogue(directory, None, 1), None, 1).lists
    assert len(lists) == MANY + 4  # one for each push, and those of strangers
    assert max(len(one.signatures) for one in lists.values()) == MANY + 1
    assert not swept(directory).lists, "too young"
    then = time.time() - 15 * DAY_S
    for path in shared.rglob("*.sig"):
        os.utime(path, (then, then))
    with monkeypatch.context() as patch:
        patch.setattr("gitmemo.remotes.collecting.LARGEST_LIST", 1000)
        assert not swept(directory).lists, "more than is read at once"
    assert len(swept(directory).lists) == MANY
    assert len(list(shared.rglob("*.sig"))) == 4
    listing = read_latest((shared / LATEST).read_bytes())
    assert len([name for name in listing if name.startswith("signatures/")]) == 4
    required = with_keys(directory, OURS, signs=False, required=True)
    assert pull(theirs, required, wanted).stored == MANY + 2
    assert not swept(directory).lists


def test_lists_of_strangers_are_no_reason_to_write(directory, ours, share, shared):
    signs = with_keys(directory, OURS)
    (first,) = share(ours, b"first", codec="pickle")
    for number in range(MANY + 8):
        mac = to_text(digest(b"%d" % number))
        line = f'["{to_text(first.blob)}","pickle","{mac}"]\n'
        signed_object(shared, f"gmsig1 {OURS.id}\n{line}".encode())
    wanted = [first, *share(ours, b"second", codec="pickle")]
    push(ours, signs, wanted[:1])
    push(ours, signs, wanted)
    push(ours, signs, [*wanted, *share(ours, b"third", codec="pickle")])
    lists = all_signatures_on(directory, read_catalogue(directory, None, 1), None, 1).lists
    right = [one for one in lists.values() if len(one.signatures) > 1]
    assert len(lists) == MANY + 11 and len(right) <= 2


LINES = st.dictionaries(
    st.tuples(st.sampled_from([digest(bytes([i])) for i in range(6)]), st.just("raw")),
    st.sampled_from([digest(b"right"), digest(b"wrong")]),
)
LISTS = st.lists(st.builds(SignatureList, st.sampled_from("ab"), LINES, st.just(1)), max_size=9)


def lines_of(lists: dict[Digest, SignatureList]) -> set[object]:
    return {(one.key_id, *line) for one in lists.values() for line in one.signatures.items()}


@given(LISTS, st.data())
def test_two_who_see_different_lists_lose_no_line(lists, data):
    named = {digest(repr(one).encode()): one for one in lists}
    views = [data.draw(st.sets(st.sampled_from(sorted(named)))) if named else set() for _ in "12"]
    gone = [superfluous({name: named[name] for name in view}) for view in views]
    left = {name: one for name, one in named.items() if name not in gone[0] | gone[1]}
    assert lines_of(left) == lines_of(named)
