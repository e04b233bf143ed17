"""What a plan holds, whatever lies in the store; and what can be computed again."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gitmemo.blobs.holding import Copy
from gitmemo.cleaning.plan import Plan, Standing, Why, Wish, plan
from gitmemo.cleaning.recomputing import Maker, makers
from gitmemo.hashing.digest import Digest, digest
from gitmemo.model import ids
from gitmemo.model.facts import Call, Inline, Slot, Value

NOW = 1_000_000.0
BLOBS = [digest(bytes([n])) for n in range(8)]
some_blobs = st.frozensets(st.sampled_from(BLOBS))
ages = st.floats(0, 900_000)


@st.composite
def lying(draw: st.DrawFn) -> list[Copy]:
    return [
        Copy(
            draw(st.sampled_from(BLOBS)), "raw", draw(st.integers(0, 100)), Path("x"), 0, NOW - age
        )
        for age in draw(st.lists(ages, max_size=12))
    ]


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    live = draw(some_blobs)
    makers = {blob: Maker("m:f", draw(st.floats(0, 9))) for blob in draw(some_blobs)}
    forgotten = draw(some_blobs) & live
    return Standing(live, draw(some_blobs), forgotten, makers, draw(some_blobs))


wishes = st.builds(
    Wish,
    grace_s=ages,
    older_than_s=st.none() | ages,
    max_bytes=st.none() | st.integers(0, 500),
    ops=st.none() | st.just(frozenset({"m:f"})) | st.just(frozenset({"m:g"})),
    forgotten=st.booleans(),
    raw_on_remote=st.booleans(),
    computes=st.booleans(),
    least_age_s=ages,
)


def oldest(found: Plan, copies: list[Copy]) -> float:
    chosen = [copy for copy in copies if copy.blob in found.blobs]
    return min((NOW - copy.written_s for copy in chosen), default=float("inf"))


@given(lying(), standings(), wishes)
def test_a_plan_holds_no_value_that_somebody_may_lose(
    copies: list[Copy], standing: Standing, wish: Wish
) -> None:
    found = plan(copies, standing, wish, NOW)
    assert len(found.blobs) == len(found.doomed)
    assert oldest(found, copies) >= min(wish.least_age_s, NOW) - 1e-6
    for one in found.doomed:
        match one.why:
            case Why.GARBAGE:
                assert one.blob not in standing.live | standing.relied_on
            case Why.FORGOTTEN:
                assert wish.forgotten and one.blob in standing.forgotten
            case Why.COMPUTABLE:
                assert wish.evicts and wish.computes and one.blob in standing.makers
            case Why.ON_REMOTE:
                assert wish.evicts and one.blob in standing.on_remote
                assert one.blob in standing.makers or wish.raw_on_remote
    if not wish.evicts and not wish.forgotten:
        assert not found.blobs & standing.live


@given(lying(), standings(), wishes)
def test_a_budget_is_met_with_as_little_as_it_takes(
    copies: list[Copy], standing: Standing, wish: Wish
) -> None:
    found = plan(copies, standing, wish, NOW)
    left = found.total_bytes - found.doomed_bytes
    if wish.max_bytes is None:
        assert found.missed_bytes == 0
        return
    assert found.missed_bytes == max(0, left - wish.max_bytes)
    evicted = [one for one in found.doomed if one.why in (Why.ON_REMOTE, Why.COMPUTABLE)]
    if evicted:
        assert left + evicted[-1].size_bytes > wish.max_bytes
    costs = [one.why for one in evicted]
    assert costs == sorted(costs, key=[Why.ON_REMOTE, Why.COMPUTABLE].index)


# --- what can be computed again ---------------------------------------------------


def cid(name: str) -> Digest:
    return digest(name.encode())


def given_value(name: str) -> Slot:
    return Slot("x", cid(name), ids.raw_hid(cid(name)))


def call(op: str, *inputs: Slot, gives: str, seconds: float = 1.0, version: str = "") -> Call:
    named = tuple(Slot.of(f"a{at}", one) for at, one in enumerate(inputs))
    code = digest(version.encode()) if version else None
    bare = Call(op, 0, code, named, (), (), {"seconds": seconds})
    return Call(op, 0, code, named, (made(bare, gives),), (), {"seconds": seconds})


def made(by: Call, gives: str) -> Slot:
    return Slot("out", cid(gives), ids.output_hid(by.hid, "out"))


def names(calls: list[Call], present: str, values: tuple[Value, ...] = ()) -> set[str]:
    every = "abcdefgh"
    found = makers(calls, {cid(name) for name in present}, values)
    return {name for name in every if cid(name) in found}


def test_what_leads_back_to_inputs_that_stay_can_be_computed() -> None:
    first = call("f", given_value("a"), gives="b")
    second = call("g", first.outputs[0], gives="c")
    assert names([first, second], "abc") == {"b", "c"}
    assert names([first, second], "a") == {"b", "c"}
    assert names([first, second], "bc") == set()  # the input is gone


def test_a_value_that_was_given_from_outside_too_stays() -> None:
    first = call("f", given_value("a"), gives="b")
    second = call("g", given_value("b"), gives="c")  # as after `storage.unwrap`
    assert names([first, second], "abc") == {"c"}
    same = call("same", given_value("a"), gives="a")
    assert names([same], "a") == set()


def test_a_call_that_returned_this_and_that_makes_nothing_again() -> None:
    one = call("f", given_value("a"), gives="b")
    other = call("f", given_value("a"), gives="c")
    assert names([one, other], "abc") == set()


def test_small_inputs_stand_in_the_record() -> None:
    small = Slot("x", cid("s"), ids.raw_hid(cid("s")), Inline(7))
    assert names([call("f", small, gives="b")], "b") == {"b"}


def test_what_a_value_that_stays_is_made_of_stays() -> None:
    part = call("f", given_value("a"), gives="b")
    holder = Value(cid("h"), "tree", 10, digest(b"h"), (cid("b"),))
    assert names([part], "abh", (holder,)) == set()


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.booleans()), max_size=12))
def test_everything_can_be_made_from_what_stays(steps: list[tuple[int, int, bool]]) -> None:
    """Against a model: remove all that is said to be computable, then run calls until all is there."""
    letters = "abcdefgh"
    slots = {name: [given_value(name)] for name in letters[:2]}
    calls: list[Call] = []
    for source, target, raw in steps:
        known = [slot for name in sorted(slots) for slot in slots[name]]
        used = known[source % len(known)]
        one = call("f", given_value_of(used) if raw else used, gives=letters[target])
        if any(other.hid == one.hid for other in calls):
            continue
        calls.append(one)
        slots.setdefault(letters[target], []).append(one.outputs[0])
    every = {one.cid for c in calls for one in (*c.inputs, *c.outputs)}
    gone = set(makers(calls, every, ()))
    have = every - gone
    known_hids = {ids.raw_hid(one) for one in have}
    for _ in calls:
        for c in calls:
            if all(s.cid in have or s.hid in known_hids for s in c.inputs):
                known_hids.update(s.hid for s in c.outputs)
    for c in calls:
        for one in (*c.inputs, *c.outputs):
            assert one.cid in have or one.hid in known_hids


def given_value_of(slot: Slot) -> Slot:
    return Slot("x", slot.cid, ids.raw_hid(slot.cid))
