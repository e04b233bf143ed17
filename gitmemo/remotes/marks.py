"""Marks on a remote: which objects are to be deleted, and who pushes there.

Not the deciding (`gitmemo.cleaning.remote`). Invariant: a mark is immutable and named by its
content, the moment of its making included; reading one gives well-formed names or raises
`ValueError`, whatever the bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from gitmemo.blobs.entry import NO_SALT, SALT_SIZE
from gitmemo.hashing.digest import Digest, digest, from_text, to_hex, to_text
from gitmemo.quantities import timestamp

FOLDER = "gc"
_OBJECT = re.compile(r"gc/([0-9a-f]{2})/(([0-9a-f]{2})[0-9a-f]{62})\.(mark|user)")
_FORMAT = 1
LARGEST_MARK = 32 << 20
LARGEST_USER = 4096
MOST_MARKED = 500_000
"""More than this goes into the next mark: nobody could read a larger one."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What was without a live value when somebody looked.

    Attributes:
        packs: Packs of which no value is live.
        singles: Values that are objects of their own.
    """

    packs: frozenset[Digest] = frozenset()
    singles: frozenset[Digest] = frozenset()

    def __or__(self, other: Mark) -> Mark:
        """Return what either marks."""
        return Mark(self.packs | other.packs, self.singles | other.singles)

    def __bool__(self) -> bool:
        """Whether anything is marked."""
        return bool(self.packs or self.singles)


NO_MARK = Mark()


def mark_name(mark: Digest) -> str:
    """Return the name of a mark: BLAKE3 of its bytes."""
    return _name(mark, "mark")


def user_name(user: Digest) -> str:
    """Return the name of the note that a repository pushes here."""
    return _name(user, "user")


def marks_in(listing: Iterable[str]) -> list[Digest]:
    """Return the marks among the names of a listing."""
    return _listed(listing, "mark")


def users_in(listing: Iterable[str]) -> list[Digest]:
    """Return the notes about repositories among the names of a listing."""
    return _listed(listing, "user")


def _name(name: Digest, kind: str) -> str:
    return f"{FOLDER}/{to_hex(name)[:2]}/{to_hex(name)}.{kind}"


def _listed(listing: Iterable[str], kind: str) -> list[Digest]:
    matches = (_OBJECT.fullmatch(name) for name in listing)
    return sorted(
        Digest(bytes.fromhex(match[2]))
        for match in matches
        if match and match[1] == match[3] and match[4] == kind
    )


def write_mark(mark: Mark, now_s: float) -> bytes:
    """Return the object that says `mark`."""
    note = {
        "format": _FORMAT,
        "written": timestamp(now_s),
        "packs": [to_text(pack) for pack in sorted(mark.packs)],
        "singles": [to_text(blob) for blob in sorted(mark.singles)],
    }
    return json.dumps(note, separators=(",", ":")).encode() + b"\n"


def read_mark(name: Digest, data: bytes) -> Mark:
    """Read what `write_mark` wrote and `name` names."""
    if len(data) > LARGEST_MARK or digest(data) != name:
        raise ValueError("these are not the bytes that the name says")
    # Small things take many times their length when they are read: each of ours is an id.
    if data.count(b"[") + data.count(b"{") > 3 or data.count(b",") > 16 + len(data) // 20:
        raise ValueError("a mark lists names")
    try:
        note = json.loads(data)
        if note["format"] != _FORMAT:
            raise ValueError("the mark has another format")
        return Mark(_digests(note["packs"]), _digests(note["singles"]))
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"the mark is malformed: {error}") from None


def write_user(repository: str) -> bytes:
    """Return the object that says which repository pushes here."""
    return json.dumps({"format": _FORMAT, "repository": repository}).encode() + b"\n"


def read_user(name: Digest, data: bytes) -> str:
    """Read what `write_user` wrote and `name` names."""
    if len(data) > LARGEST_USER or digest(data) != name:
        raise ValueError("these are not the bytes that the name says")
    try:
        found = json.loads(data)["repository"]
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"the note is malformed: {error}") from None
    if not isinstance(found, str) or not found.isprintable():
        raise ValueError("the repository must be plain text")
    return found


def salt_under(marks: Iterable[Digest]) -> bytes:
    """Return the salt of packs that are made while these marks are there.

    A value that is marked and pushed again must not come to lie in an object of the same name:
    that one may be deleted in the same moment.
    """
    names = sorted(marks)
    return digest(b"".join(names))[:SALT_SIZE] if names else NO_SALT


def _digests(texts: Iterable[str]) -> frozenset[Digest]:
    if not isinstance(texts, list):
        raise ValueError("a mark lists names")
    return frozenset(from_text(text) for text in texts)
