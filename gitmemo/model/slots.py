"""Inputs and outputs of calls: values by name, with their ids.

Not the calls (`facts`) nor how slots are written (`notation`). Invariant: an id that is computed
late is the one that it would have been at once.
"""

from __future__ import annotations

from typing import Self

from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model import ids
from gitmemo.model.items import Held, Inline, Parts, made_by


class Slot:
    """One input or output of a call. Nobody changes one.

    Ids that follow from what is in the record are computed when they are asked for: a table of
    100,000 calls asks for few of them, and each costs more than reading the rest.

    Attributes:
        name: The argument's or the output's name.
        inline: The value itself when it is small and plain.
        short: Its encoding where that is at most 64 bytes and the value is not inline.
        parts: What it holds, if it is a collection whose items are known on their own.
    """

    __slots__ = ("_cid", "_hid", "_is_raw", "_maker", "inline", "name", "parts", "short")

    def __init__(
        self,
        name: str,
        cid: Digest | None,
        hid: Digest | None,
        inline: Inline | None = None,
        short: bytes | None = None,
        parts: Parts | None = None,
        maker: Digest | None = None,
        is_raw: bool | None = None,
    ) -> None:
        """Make one; without `cid` it is that of `inline`, without `hid` that of an output of `maker`.

        Without either, it is a value that came from outside; `is_raw` may say whether it is one.
        """
        self.name, self.inline, self.short, self.parts = name, inline, short, parts
        self._cid, self._hid, self._maker, self._is_raw = cid, hid, maker, is_raw

    @property
    def cid(self) -> Digest:
        """Content id of the value."""
        if self._cid is None:
            assert self.inline is not None  # who left the id away said what it follows from
            self._cid = content_id(self.inline.json)
        return self._cid

    @property
    def hid(self) -> Digest:
        """History id of the value; for a raw input `ids.raw_hid(cid)`."""
        if self._hid is None:
            maker = self._maker
            self._hid = ids.output_hid(maker, self.name) if maker else ids.raw_hid(self.cid)
        return self._hid

    @property
    def is_raw(self) -> bool:
        """Whether the value came from outside, and all that is in it."""
        known = self._is_raw
        if known is None:
            if self._hid is None or self._maker is not None:
                known = self._maker is None
            else:
                known = self._hid == ids.raw_hid(self.cid)
            self._is_raw = known
        return known

    def called(self, name: str) -> Slot:
        """Return the same under another name."""
        return Slot(name, self.cid, self.hid, self.inline, self.short, self.parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slot) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((self.name, self.cid, self.hid))

    def __repr__(self) -> str:
        return f"Slot{self._parts()!r}"

    def _parts(self) -> tuple[object, ...]:
        return self.name, self.cid, self.hid, self.inline, self.short, self.parts

    @classmethod
    def of(cls, name: str, held: Held, hid: Digest | None = None) -> Self:
        """Return what `held` is as an input of this name, with history id `hid` or its own."""
        return cls(name, held.cid, hid or held.hid, held.inline, held.short, held.parts)

    @classmethod
    def output(cls, call: Digest, name: str, held: Held) -> Self:
        """Return what `held` is as an output of the call with this history id."""
        hid = ids.output_hid(call, name)
        parts = made_by(held.parts, hid) if held.parts else None
        return cls(name, held.cid, hid, held.inline, held.short, parts)
