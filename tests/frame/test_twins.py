"""Which calls are one result: what no program makes easily."""

from __future__ import annotations

from gitmemo.frames.twins import twins_among
from gitmemo.frames.universe import Universe
from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.facts import Call
from gitmemo.model.items import OBJECT, Parts, raw
from gitmemo.model.slots import Slot

WHOLE, LEFT, RIGHT = (digest(name) for name in (b"whole", b"left", b"right"))


def returned(version: bytes, *listed: Digest) -> Call:
    """A call that returned the same object, of which the record lists these parts."""
    maker = digest(version)
    parts = Parts(
        OBJECT, tuple(raw(cid).holding(Parts("list", ()), digest(version + cid)) for cid in listed)
    )
    output = Slot("output_0", WHOLE, digest(version + b"whole"), parts=parts)
    return Call("m:op", 0, maker, (), (output,))


def test_parts_of_an_object_are_twins_only_where_they_are_equal() -> None:
    first, second = returned(b"1", LEFT), returned(b"2", RIGHT)
    third = returned(b"3", LEFT)
    twins = twins_among(Universe([first, second, third]), older=())
    assert twins[second.hid] == twins[third.hid] == first.hid
    assert twins[digest(b"2whole")] == digest(b"1whole")
    assert digest(b"2" + RIGHT) not in twins
    assert twins[digest(b"3" + LEFT)] == digest(b"1" + LEFT)
