"""Which stored values may be read: those that run no code, and those whose origin is trusted.

Not where values come from (`blobs` knows). Invariant: only this clone's own
configuration can extend trust; nothing that was committed or fetched can.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gitmemo.blobs import SELF, StoredBlob
from gitmemo.codecs import Source, decode, from_inline, is_safe, runs_here
from gitmemo.errors import (
    BlobCorrupt,
    OverflowMissing,
    UndecodableValue,
    UntrustedValue,
    ValueMissing,
)
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Slot
from gitmemo.model.items import find
from gitmemo.ref import contents_at_hand
from gitmemo.world.view import World

if TYPE_CHECKING:
    from gitmemo.memo.lazy import Fetching


class Trust:
    """Trust in this machine alone; a clone may extend it (`clone_trust`)."""

    def covers(self, origin: str) -> bool:
        """Whether values of this origin may be unpickled."""
        return origin == SELF

    def refusal(self, what: str, codec: str, origin: str) -> UntrustedValue:
        """Return the error for a value of an origin that is not covered."""
        return UntrustedValue(what, codec, origin)


_MOST_PARTS = 1_000_000


def told(world: World, hid: Digest, what: str) -> str:
    """Return how errors name the value that `what` is: also by the call that made it."""
    call = world.creator(hid)
    for slot in call.outputs if call else ():
        if call and find(slot, hid):
            return f"{what}, output {slot.name!r} of {call.op}"
    return what


class Values:
    """The stored values of a world, as far as they are trusted.

    Attributes:
        fetching: What fetches bytes that are not here; None where no remote could have them.
    """

    def __init__(self, world: World, trust: Trust) -> None:
        self._world = world
        self._trust = trust
        self.fetching: Fetching | None = None

    def can_read(self, cid: Digest) -> bool:
        """Whether a value's bytes are here, whole and trusted, and those of its parts."""
        try:
            return self.find(cid, str) is not None
        except (UntrustedValue, BlobCorrupt, OverflowMissing):
            return False

    def load(self, cid: Digest, describe: Callable[[], str]) -> object:
        """Return a fresh copy of a value; `describe` is for errors.

        Raises:
            ValueMissing: Its bytes, or those of a part, are not on this machine, nor on the remote
                if that may be asked.
            RemoteUnreachable: It may be, and cannot be reached.
            UntrustedValue, BlobCorrupt: As `find`.
            UndecodableValue: The bytes are not what their codec writes.
        """
        try:
            return self._read(cid, describe)
        except ValueMissing as missing:
            fetching = self.fetching
            if fetching is None or missing.secret:
                raise
            if not fetching.bring({cid, *contents_at_hand()}):
                raise _not_there(missing, fetching) from None
        try:
            return self._read(cid, describe)
        except ValueMissing as missing:
            raise _not_there(missing, fetching) from None

    def _read(self, cid: Digest, describe: Callable[[], str]) -> object:
        stored = self._wanted(cid, describe)
        left = _MOST_PARTS

        def part(cid: Digest) -> tuple[str, Source]:
            nonlocal left
            left -= 1
            if left < 0:  # each part named twice by the next, and so on
                raise UndecodableValue(stored.codec, f"it is made of over {_MOST_PARTS:,} parts")
            found = self._wanted(cid, describe)
            return found.codec, found.source

        return decode(stored.codec, stored.source, part)

    # `Any`: what stored bytes hold is known only to the op that made them.
    def of_slot(self, slot: Slot) -> Any:
        """Return a fresh copy of the value of an input or output; raises what `load` raises."""
        if slot.inline is not None:
            return from_inline(slot.inline.json)
        return self.load(slot.cid, lambda: told(self._world, slot.hid, repr(slot.name)))

    def _wanted(self, cid: Digest, describe: Callable[[], str]) -> StoredBlob:
        stored = self.find(cid, describe)
        if stored is None:
            raise ValueMissing(describe(), to_hex(cid), not self._world.values(cid))
        return stored

    def find(self, cid: Digest, describe: Callable[[], str]) -> StoredBlob | None:
        """Return verified bytes of a value, None if there are none here; `describe` is for errors.

        A value whose parts are not here counts as not here.

        Raises:
            UntrustedValue: There are, but reading them could run code from elsewhere.
            OverflowMissing: They are in a file of their own, which is not where it was.
            BlobCorrupt: There are, but they are not what was stored.
        """
        seen = {cid}
        stored, todo = self._alone(cid, describe)
        while todo:
            part = todo.pop()
            if part not in seen:
                seen.add(part)
                found, parts = self._alone(part, describe)
                if found is None:
                    return None
                todo += parts
        return stored

    def _alone(
        self, cid: Digest, describe: Callable[[], str]
    ) -> tuple[StoredBlob | None, list[Digest]]:
        """Return the bytes of a value as `find` does, whatever is with its parts; and these."""
        refused: UntrustedValue | OverflowMissing | None = None
        for value in self._world.values(cid):
            if not runs_here(value.codec):
                continue  # like missing: it can be fetched or computed in another form
            try:
                stored = self._world.blobs.find(value.blob, value.codec)
            except OverflowMissing as missing:
                refused = missing
                continue
            if stored is None:
                continue
            if is_safe(stored.codec) or self._trust.covers(stored.origin):
                return stored, list(value.parts)
            refused = self._trust.refusal(describe(), stored.codec, stored.origin)
        if refused is not None:
            raise refused
        return None, []


def _not_there(missing: ValueMissing, fetching: Fetching) -> ValueMissing:
    return ValueMissing(
        missing.what,
        missing.cid,
        has_remote=True,
        where=fetching.asked,
        why=fetching.why_not,
        has_default=fetching.remote_name is not None,
    )
