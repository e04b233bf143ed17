"""The bytes of git objects: trees and commits, to and from values.

Not where they are stored. Written here instead of taken from a library because
the ids of rendered histories are part of gitmemo's format: they must never
change with a library's version. Invariant: `parse` never trusts its input; it
raises `ValueError` for anything malformed and joins no name to any path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FILE_MODE = 0o100644
TREE_MODE = 0o040000
_TREE_ENTRY = re.compile(rb"([0-7]{5,6}) ([^\0]+)\0")
# What git's users had before UTF-8; Python knows more, some of it slow or no text at all.
_ENCODING = re.compile(
    rb"(?i)(iso-?8859-?[0-9]{1,2}|latin-?[0-9]{1,2}|windows-?125[0-8]|cp[0-9]{3,4}"
    rb"|koi8-[ru]|euc-(jp|kr)|shift_?jis|gbk|gb2312|gb18030|big5)"
)
_HEX = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One line of a tree."""

    mode: int
    name: bytes
    oid: str


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """One commit.

    Attributes:
        oid, tree, parents: Object ids in hex.
        message: Decoded as the commit says, else as UTF-8; bad bytes replaced.
        time: Seconds since 1970 of the committer.
        author: The author's name.
    """

    oid: str
    tree: str
    parents: tuple[str, ...]
    message: str
    time: int
    author: str = ""


def object_id(kind: str, body: bytes, object_format: str = "sha1") -> str:
    """Return the id of an object.

    >>> object_id("blob", b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    header = f"{kind} {len(body)}\0".encode()
    import hashlib  # here: what only reads objects need not load it

    return hashlib.new(object_format, header + body, usedforsecurity=False).hexdigest()


def encode_tree(entries: list[TreeEntry]) -> bytes:
    """Return the body of a tree; git sorts a folder as if its name ended with a slash."""
    ordered = sorted(entries, key=lambda e: e.name + (b"/" if e.mode == TREE_MODE else b""))
    return b"".join(
        b"%o %s\0%s" % (entry.mode, entry.name, bytes.fromhex(entry.oid)) for entry in ordered
    )


def parse_tree(body: bytes, oid_bytes: int = 20) -> list[TreeEntry]:
    """Read a tree as it is, hostile names included; raise `ValueError` if it is malformed."""
    entries, at = [], 0
    while at < len(body):
        match = _TREE_ENTRY.match(body, at)
        if match is None or match.end() + oid_bytes > len(body):
            raise ValueError("a tree is malformed")
        at = match.end() + oid_bytes
        oid = body[match.end() : at].hex()
        entries.append(TreeEntry(int(match[1], 8), match[2], oid))
    return entries


def encode_commit(
    tree: str, parents: tuple[str, ...], identity: str, time: int, message: str
) -> bytes:
    """Return the body of a commit: one identity, UTC, no signature, no encoding header."""
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    lines += [f"author {identity} {time} +0000", f"committer {identity} {time} +0000", ""]
    return ("\n".join(lines) + "\n" + message).encode("utf-8")


def parse_commit(oid: str, body: bytes) -> CommitInfo:
    """Read a commit; raise `ValueError` if it is malformed."""
    headers, _, message = body.partition(b"\n\n")
    parents: list[str] = []
    first: dict[bytes, bytes] = {}
    for line in headers.split(b"\n"):
        key, _, value = line.partition(b" ")
        if key == b"parent":
            parents.append(_oid(value))
        else:
            first.setdefault(key, value)
    if b"tree" not in first:
        raise ValueError("a commit names no tree")
    named = first.get(b"encoding", b"")
    encoding = named.decode("ascii") if _ENCODING.fullmatch(named) else "utf-8"
    return CommitInfo(
        oid,
        _oid(first[b"tree"]),
        tuple(parents),
        _decoded(message, encoding),
        _time(first.get(b"committer", b"")),
        _decoded(first.get(b"author", b"").partition(b"<")[0].strip(), encoding),
    )


def _decoded(text: bytes, encoding: str) -> str:
    try:
        return text.decode(encoding, "replace")
    except LookupError:  # a code page that Python does not have
        return text.decode("utf-8", "replace")


def _time(identity: bytes) -> int:
    fields = identity.rpartition(b">")[2].split()
    return int(fields[0]) if fields and re.fullmatch(rb"-?[0-9]{1,18}", fields[0]) else 0


def _oid(value: bytes) -> str:
    if not _HEX.fullmatch(value):
        raise ValueError("a commit names something that is not an object id")
    return value.decode("ascii")
