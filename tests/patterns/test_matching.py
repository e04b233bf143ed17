"""Patterns over random programs: the planner against the engine that tries everything."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_calls import OPS, Raw, Step, calls_of, programs

from gitmemo.errors import AmbiguousPattern, UnconstrainedVariable
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Slot
from gitmemo.model.items import Item, inside
from gitmemo.patterns.alike import Called, alike
from gitmemo.patterns.matching import matches, naive_matches
from gitmemo.patterns.pattern import Among, Atom, CallAtom, MemberAtom, Pattern
from gitmemo.patterns.stored import Stored
from gitmemo.patterns.tables import Matched
from gitmemo.ref import ref_to

QUICK = settings(suppress_health_check=[HealthCheck.too_slow])

_VARIABLES = st.integers(1, 5)


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    """Draw a pattern, connected or not; variables meet in every way."""
    atoms: list[Atom] = []
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.integers(0, 3)):
            op = draw(st.sampled_from(sorted(OPS)))
            names, results = OPS[op]
            inputs = tuple((n, draw(_VARIABLES)) for n in names if draw(st.booleans()))
            outputs = tuple((n, draw(_VARIABLES)) for n in results if draw(st.booleans()))
            if inputs or outputs:
                atoms.append(CallAtom(op, 0, inputs, outputs))
        else:
            index = draw(st.none() | _VARIABLES)
            kind = draw(st.sampled_from([None, None, "list", "tuple", "dict"]))
            atoms.append(MemberAtom(draw(_VARIABLES), draw(_VARIABLES), index, kind))
    used = sorted({variable for atom in atoms for variable in atom.variables})
    asked = draw(st.lists(st.sampled_from(used), min_size=1, unique=True)) if used else []
    pinned = draw(st.lists(st.sampled_from(used), max_size=1)) if used else []
    among = {v: Among(cids=frozenset({content_id(draw(st.integers(0, 1)))})) for v in pinned}
    return Pattern(tuple(atoms), tuple(asked), among)


@QUICK
@given(programs() | programs(versions=True), patterns(), st.booleans())
def test_both_engines_find_the_same_rows(
    program: list[Step], pattern: Pattern, links: bool
) -> None:
    stored = Stored(calls_of(program, links=links))
    found = matches(pattern, stored)
    assert len(set(found)) == len(found)
    assert set(found) == set(naive_matches(pattern, stored))


def made_by_calls(calls: Sequence[Call]) -> list[Slot | Item]:
    """Return all results and what is in them, and what was put into collections."""
    slots = [slot for call in calls for slot in call.outputs]
    return [*slots, *(item for slot in slots for item in inside(slot))]


def maker_among(calls: Sequence[Call]) -> dict[Digest, Call]:
    return {
        held.hid: call for call in calls for slot in call.outputs for held in (slot, *inside(slot))
    }


@QUICK
@given(programs(), st.data())
def test_values_are_among_what_was_computed_like_them(
    program: list[Step], data: st.DataObject
) -> None:
    calls = calls_of(program)
    values = made_by_calls(calls)
    chosen = data.draw(st.lists(st.sampled_from(values), min_size=1, max_size=2))
    refs = [ref_to(held, None) for held in chosen]
    try:
        pattern, _ = alike(refs, Called([None] * len(refs), {}), maker_among(calls).get)
    except AmbiguousPattern:
        assert len(refs) == 2
        return
    stored = Stored(calls)
    found = matches(pattern, stored)
    assert tuple(held.hid for held in chosen) in found
    assert set(found) == set(naive_matches(pattern, stored))


@QUICK
@given(programs(), patterns(), st.randoms(use_true_random=False))
def test_the_table_depends_on_the_set_of_calls_alone(
    program: list[Step], pattern: Pattern, chance: random.Random
) -> None:
    calls = calls_of(program)
    shuffled = list(calls)
    chance.shuffle(shuffled)
    one, other = Matched(pattern, Stored(calls), None), Matched(pattern, Stored(shuffled), None)
    assert one.rows == other.rows


def test_a_value_whose_calls_are_not_known_has_no_pattern() -> None:
    slot = calls_of([Step("m:source", (Raw(1),))])[0].outputs[0]
    with pytest.raises(UnconstrainedVariable):
        alike([ref_to(slot, None)], Called(["y"], {}), lambda hid: None)
