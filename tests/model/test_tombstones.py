"""What is forgotten depends on the set of facts alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model import ids
from gitmemo.model.facts import Call, Fact, Inline, Slot, Tombstone, Undo
from gitmemo.model.lines import record_id, to_line
from gitmemo.model.tombstones import Tombstones, undo_of
from gitmemo.model.validity import NoCode
from gitmemo.world.standalone import StandaloneWorld


def make_call(x: int, run: int, same: Call | None = None) -> Call:
    cid = content_id(x)
    hid = ids.raw_hid(cid) if same is None else ids.derive("other", cid)
    call = Call("m:f", 0, None, (Slot("x", cid, hid, Inline(x)),), ())
    output = Slot("y", content_id(x + 1), ids.output_hid(call.hid, "y"), Inline(x + 1))
    facts = {"seconds": run} if same is None else {"same": record_id(to_line(same)).hex()}
    return Call(call.op, 0, None, call.inputs, (output,), (), facts)


CALLS = [make_call(x, run) for x in range(2) for run in range(2)]
CALLS += [make_call(x, 0, CALLS[x * 2]) for x in range(2)]


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """What somebody did: made calls, forgot some, brought some back."""
    facts: list[Fact] = []
    for action in draw(st.lists(st.integers(0, 2), max_size=12)):
        pairs = [(record_id(to_line(f)), f) for f in facts if isinstance(f, Tombstone | Undo)]
        tombstones = Tombstones(pairs)
        if action == 0:
            facts.append(draw(st.sampled_from(CALLS)))
        elif action == 1:
            some = draw(st.lists(st.sampled_from(CALLS), min_size=1, max_size=3))
            facts.append(tombstones.over(some, draw(st.sampled_from(["", "wrong"]))))
        elif tombstones.in_force:
            facts.append(undo_of([draw(st.sampled_from(sorted(tombstones.in_force)))], ""))
    return facts


def view(*batches: list[Fact]) -> tuple[set[str], list[list[Call]], list[Call | None]]:
    """What a world shows that has taken in these facts, batch by batch."""
    world = StandaloneWorld(None)
    try:
        for batch in batches:
            world.record(batch)
        keys = sorted({call.key for call in CALLS})
        hids = sorted({call.outputs[0].hid for call in CALLS})
        return (
            {to_line(call) for call in world.calls(NoCode())},
            [[candidate.call for candidate in world.candidates(key)] for key in keys],
            [world.creator(hid) for hid in hids],
        )
    finally:
        world.close()


@given(histories(), histories(), st.randoms(use_true_random=False))
def test_merging_worlds_with_tombstones_is_a_union_in_any_order(ours, theirs, chance) -> None:
    shuffled = [*ours, *theirs, *ours]
    chance.shuffle(shuffled)
    expected = view(ours, theirs)
    assert view(theirs, ours) == expected
    assert view(shuffled) == expected
    assert view(*[[fact] for fact in shuffled]) == expected


@given(histories(), histories())
def test_a_forgotten_record_is_seen_nowhere_and_others_are(ours, theirs) -> None:
    facts = {record_id(to_line(fact)): fact for fact in (*ours, *theirs)}
    undone = {t for fact in facts.values() if isinstance(fact, Undo) for t in fact.tombstones}
    dead: set[Digest] = {
        record
        for number, fact in facts.items()
        if isinstance(fact, Tombstone) and number not in undone
        for record in fact.records
    }
    living = {
        record
        for record, fact in facts.items()
        if isinstance(fact, Call)
        and record not in dead
        and bytes.fromhex(str(fact.run.get("same", ""))) not in dead
    }
    calls, candidates, creators = view(ours, theirs)
    assert {record_id(line) for line in calls} == living
    assert {record_id(to_line(call)) for found in candidates for call in found} == living
    assert {record_id(to_line(call)) for call in creators if call} <= living
    assert sum(map(len, candidates)) == len(calls)


@given(histories())
def test_forgetting_always_forgets_and_undoing_always_undoes(history) -> None:
    facts = [(record_id(to_line(f)), f) for f in history if isinstance(f, Tombstone | Undo)]
    tombstone = Tombstones(facts).over([CALLS[0]], "")
    facts.append((record_id(to_line(tombstone)), tombstone))
    after = Tombstones(facts)
    assert after.cover(CALLS[0])
    undo = undo_of(sorted(after.in_force), "")
    facts.append((record_id(to_line(undo)), undo))
    assert not Tombstones(facts).records
