"""Which calls are one result: what no program makes easily."""

from __future__ import annotations

from gitmemo.frames.twins import twins_among
from gitmemo.frames.universe import Universe
from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.facts import Call
from gitmemo.model.items import OBJECT, Parts, made_by, raw
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


def test_results_listed_to_different_depths_are_twins_place_by_place() -> None:
    """As when a return annotation says more than it did."""
    inner = digest(b"[1, 2]")

    def listed(version: bytes, *, deep: bool) -> Call:
        maker = digest(version)
        within = (raw(LEFT), raw(RIGHT)) if deep else None
        first = raw(inner).holding(Parts("list", within), digest(version + inner))
        parts = made_by(Parts("list", (first, raw(RIGHT))), digest(version + b"whole"))
        return Call(
            "m:op",
            0,
            maker,
            (),
            (Slot("output_0", WHOLE, digest(version + b"whole"), parts=parts),),
        )

    deep, flat = listed(b"1", deep=True), listed(b"2", deep=False)
    twins = twins_among(Universe([deep, flat]), older=())
    (whole, *_), (other, *_) = deep.outputs, flat.outputs
    assert whole.parts is not None and other.parts is not None
    assert [twins[item.hid] for item in other.parts.items or ()] == [
        item.hid for item in whole.parts.items or ()
    ]
    assert len(twins) == 4, "the call, its result, and what is in both lists"
