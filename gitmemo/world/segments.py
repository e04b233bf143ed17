"""Segments: the committed form of facts, add-only files of JSON lines.

Not the journal of what is not committed yet. Invariant: a segment is named by
the BLAKE3 of its bytes and never changes; merging two sets of segments is a
union of files that no merge tool can get wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from operator import lt

from gitmemo.errors import CorruptRecord, CorruptSegment
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import digest, to_hex
from gitmemo.model.lines import from_canonical_line

INDEX_FOLDER = ".gitmemo/index/1"
_NAME = re.compile(r"\.gitmemo/index/1/[0-9]{4}-(?:0[1-9]|1[0-2])/([0-9a-f]{64})\.jsonl")
MAX_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Segment:
    """One committed file of facts.

    Attributes:
        name: 64 hex digits, the BLAKE3 of `data`.
        data: The file's bytes.
    """

    name: str
    data: bytes

    def path(self, month: str) -> str:
        """Return its path in the repository; `month` (`yyyy-mm`) only bounds the folder's width."""
        return f"{INDEX_FOLDER}/{month}/{self.name}.jsonl"


def build_segment(lines: Iterable[str]) -> Segment:
    """Return the segment that holds `lines`: sorted, each once, so equal sets give equal files."""
    data = "".join(f"{line}\n" for line in sorted(set(lines))).encode("utf-8")
    return Segment(to_hex(digest(data)), data)


def segment_name(path: str) -> str | None:
    """Return the segment's name if `path` is one; anything else found there is not ours."""
    match = _NAME.fullmatch(path)
    return match.group(1) if match else None


def read_segment(path: str, data: bytes) -> list[str]:
    """Return the lines of a segment.

    Raises:
        CorruptSegment: The bytes do not match the name, or are not sorted lines. The lines
            themselves are not looked at.
    """
    name = segment_name(path)
    if name is None:
        raise CorruptSegment(path, "it is not named like a segment")
    if len(data) > MAX_BYTES:
        raise CorruptSegment(path, "it is too large")
    if to_hex(digest(data)) != name:
        raise CorruptSegment(path, "its bytes do not match its name")
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise CorruptSegment(
            path, "it is not UTF-8", data.count(b"\n", 0, error.start) + 1
        ) from None
    if lines.pop():
        raise CorruptSegment(path, "its last line has no end", len(lines) + 1)
    # One set of facts has one name only if there is one order.
    if not all(map(lt, lines, islice(lines, 1, None))):
        number = next(n for n, (line, after) in enumerate(pairwise(lines), 2) if line >= after)
        raise CorruptSegment(path, "it does not sort behind the line before", number)
    return lines


def damage(path: str, lines: Iterable[str]) -> Iterator[CorruptSegment]:
    """Yield what is wrong with those of a segment's lines that are no facts."""
    for number, line in enumerate(lines, 1):
        try:
            from_canonical_line(line, content_id)
        except CorruptRecord as error:
            yield CorruptSegment(path, f"{error.reason}: {error.excerpt!r}", number)
