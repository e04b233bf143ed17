"""Signatures of values: what a push leaves for who has the same key, and what a pull believes.

Not the keys (`signing_keys`). Invariant: only values of this machine, or of an origin that is
trusted here, are signed; and a value counts as signed only for the bytes and the codec that
were signed, whichever object or remote the signature comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from gitmemo.blobs.store import SELF, BlobStore, remote_origin
from gitmemo.errors import BlobCorrupt, RemoteObjectRefused
from gitmemo.hashing.digest import Digest, digest, from_text, to_text
from gitmemo.remotes.layout import signature_name
from gitmemo.remotes.parallel import in_parallel
from gitmemo.remotes.plan import Catalogue, WantedBlob
from gitmemo.remotes.remote import Remote
from gitmemo.remotes.seen import seen_on
from gitmemo.remotes.signature_lists import Said, SignatureList, to_merge
from gitmemo.signing_keys import SigningKey

LARGEST_LIST = 64 << 20
_DOMAIN = b"gitmemo signature 1\n"
_HEAD = re.compile(rb"gmsig1 ([0-9a-f]{32})\n")
_LINE = re.compile(
    rb'^\["([A-Za-z0-9_-]{43})","([a-z0-9][a-z0-9._+-]{0,63})","([A-Za-z0-9_-]{43})"\]$',
    re.MULTILINE,
)
_PREFIX = "signed_"


def key_origin(key_id: str) -> str:
    """Return what values that a key has signed are marked with on this machine.

    No remote is marked like this: there, name and address are parted by a hyphen.
    """
    return remote_origin(_PREFIX + key_id)


def signature(key: SigningKey, said: Said) -> Digest:
    """Return what proves that who has `key` says that these bytes may be read with this codec."""
    blob, codec = said
    return Digest(key.mac(_DOMAIN + blob + codec.encode("ascii")))


def write_signatures(key: SigningKey, values: Iterable[Said]) -> bytes:
    """Return the object that signs `values`; the same for the same ones."""
    lines = [f"gmsig1 {key.id}\n"]
    for blob, codec in sorted(set(values)):
        mac = to_text(signature(key, (blob, codec)))
        lines.append(f'["{to_text(blob)}","{codec}","{mac}"]\n')
    return "".join(lines).encode("ascii")


def read_signatures(name: Digest, data: bytes) -> tuple[str, dict[Said, Digest]]:
    """Return the id of the key and the signatures that an object holds, whether right or not.

    Raises:
        ValueError: It is no such object, or has another name.
    """
    head = _HEAD.match(data)
    if head is None or len(data) > LARGEST_LIST or not data.endswith(b"\n"):
        raise ValueError("it does not begin or end as signatures do")
    if digest(data) != name:
        raise ValueError("these are not the bytes that the name says")
    lines = _LINE.findall(data, head.end())
    if len(lines) != data.count(b"\n", head.end()):
        raise ValueError("a line is malformed")
    found = {
        (from_text(blob.decode("ascii")), codec.decode("ascii")): from_text(mac.decode("ascii"))
        for blob, codec, mac in lines
    }
    return head[1].decode("ascii"), found


class Signatures:
    """What was found on a remote by way of signatures.

    Attributes:
        lists: The lists of which something makes sense, by name.
        unreadable: The names of the others.
    """

    def __init__(self, remote: Remote, cache: Path | None) -> None:
        self._remote = remote
        self._known = seen_on(remote, cache)
        self._said: dict[Said, list[tuple[str, Digest]]] = {}
        self.lists: dict[Digest, SignatureList] = {}
        self.unreadable: list[str] = []

    def read(self, names: Mapping[Digest, int | None], jobs: int) -> None:
        """Read the objects of these names; those of which nothing makes sense are named."""

        def fetch(name: Digest) -> tuple[Digest, bytes | None]:
            return name, self._bytes(name, names[name] or 0)

        for name, data in in_parallel(fetch, list(names), jobs):
            if data is None:
                continue  # deleted since the listing
            try:
                key_id, found = read_signatures(name, data)
            except ValueError:
                self.unreadable.append(signature_name(name))
                continue
            self._known.put_signatures(name, data)
            self.lists[name] = SignatureList(key_id, found, len(data))
            for said, mac in found.items():
                self._said.setdefault(said, []).append((key_id, mac))

    def signer_of(self, said: Said, keys: Mapping[str, SigningKey]) -> str | None:
        """Return the id of the trusted key that has signed a value; None if none has."""
        for key_id, mac in self._said.get(said, ()):
            key = keys.get(key_id)
            if key is not None and _is_right(key, said, mac):
                return key_id
        return None

    def _bytes(self, name: Digest, size: int) -> bytes | None:
        if size > LARGEST_LIST:
            return b""
        known = self._known.signatures(name)
        if known is not None:
            return known
        try:
            return self._remote.transport.read(signature_name(name), LARGEST_LIST)
        except FileNotFoundError:
            return None
        except RemoteObjectRefused:
            return b""


def _is_right(key: SigningKey, said: Said, mac: Digest) -> bool:
    import hmac

    return hmac.compare_digest(signature(key, said), mac)


def signatures_on(
    remote: Remote, catalogue: Catalogue, cache: Path | None, jobs: int
) -> Signatures:
    """Return the signatures on a remote; without keys none are read."""
    if not remote.keys.keys:
        return Signatures(remote, cache)
    return all_signatures_on(remote, catalogue, cache, jobs)


def all_signatures_on(
    remote: Remote, catalogue: Catalogue, cache: Path | None, jobs: int
) -> Signatures:
    """Return the signatures on a remote, whether there are keys here to check them or not."""
    found = Signatures(remote, cache)
    found.read(catalogue.inventory.signatures, jobs)
    return found


def signed_origins(
    remote: Remote, signatures: Signatures, wanted: Iterable[WantedBlob]
) -> dict[Digest, str]:
    """Return the origins of those of `wanted` that a trusted key has signed."""
    keys = remote.keys.keys
    found = ((w.blob, signatures.signer_of((w.blob, w.codec), keys)) for w in wanted)
    return {blob: key_origin(key_id) for blob, key_id in found if key_id is not None}


def sign(
    store: BlobStore,
    remote: Remote,
    catalogue: Catalogue,
    wanted: Iterable[WantedBlob],
    cache: Path | None,
    jobs: int,
) -> dict[str, int]:
    """Sign what of `wanted` is trusted here and not signed there; return what was written.

    Where there are many short lists, the new one has what they sign, too.
    """
    signer = remote.keys.signer
    if signer is None:
        return {}
    there = signatures_on(remote, catalogue, cache, jobs)
    mine = {signer.id: signer}
    unsigned = [w for w in wanted if there.signer_of((w.blob, w.codec), mine) is None]
    trusted = {SELF, *map(key_origin, remote.keys.keys)}
    values = [(w.blob, w.codec) for w in unsigned if _origin(store, w) in trusted]
    if not values:
        return {}
    earlier = to_merge(there.lists, signer.id, lambda s, mac: _is_right(signer, s, mac))
    data = write_signatures(signer, (*values, *earlier))
    name = digest(data)
    remote.transport.write(signature_name(name), data)
    seen_on(remote, cache).put_signatures(name, data)
    return {signature_name(name): len(data)}


def _origin(store: BlobStore, wanted: WantedBlob) -> str | None:
    try:
        found = store.find(wanted.blob, wanted.codec)
    except BlobCorrupt:
        return None
    return None if found is None else found.origin


def unproven(store: BlobStore, remote: Remote, here: Iterable[WantedBlob]) -> list[WantedBlob]:
    """Return what is here, needs trust to be read, and has it neither by itself nor by a key."""
    if not remote.keys.keys:
        return []
    from gitmemo.codecs import is_safe

    trusted = {SELF, *map(key_origin, remote.keys.keys)}
    return [w for w in here if not is_safe(w.codec) and _origin(store, w) not in trusted]


def mark_signed(store: BlobStore, signed: Mapping[Digest, str], here: Iterable[WantedBlob]) -> None:
    """Keep what was pulled before it was signed once more, as signed."""
    for item in here:
        found = store.find(item.blob, item.codec) if item.blob in signed else None
        if found is not None:
            store.put_verified(item.blob, item.codec, (found.read(),), signed[item.blob])
