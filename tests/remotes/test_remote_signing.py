"""Values that are trusted by signature: right and wrong keys, and everything that can be swapped."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitmemo.blobs import RepositoryBlobs
from gitmemo.errors import BadSetting, KeyUnusable, RemoteCorrupt, RemoteUnsigned
from gitmemo.hashing.digest import Digest, digest, to_text
from gitmemo.remotes import Remote, WantedBlob, pull, push
from gitmemo.remotes.signing import (
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
