"""The algebra of renames: order never counts, and what could mean two things means neither."""

from __future__ import annotations

import itertools
import random
import time

from hypothesis import given
from hypothesis import strategies as st

from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Rename, RenameKind, Statement, Withdrawal
from gitmemo.model.lines import record_id, to_line
from gitmemo.model.renames import Renames

NAMES = ["a", "b", "c", "d"]
OP = RenameKind.OP
ARGUMENT = RenameKind.ARGUMENT
names = st.sampled_from(NAMES)


def named(*facts: Statement) -> list[tuple[Digest, Statement]]:
    return [(record_id(to_line(fact)), fact) for fact in facts]


def arguments(*pairs: str | tuple[str, str], of: str = "f") -> Renames:
    return Renames(named(*(Rename(ARGUMENT, of, old, new) for old, new in pairs)))


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Digest, Statement]]:
    """Renames, some of which replace earlier ones, and withdrawals."""
    made: list[tuple[Digest, Statement]] = []
    for _ in range(draw(st.integers(0, 7))):
        records = [record for record, _ in made]
        over = draw(st.lists(st.sampled_from(records), max_size=2, unique=True)) if made else []
        if over and draw(st.booleans()):
            made += named(Withdrawal(tuple(sorted(over))))
            continue
        kind = draw(st.sampled_from(RenameKind))
        of = "" if kind is OP else draw(names)
        made += named(Rename(kind, of, draw(names), draw(names), "", tuple(sorted(over))))
    return made


@given(histories(), st.integers())
def test_the_order_in_which_renames_arrive_does_not_count(
    history: list[tuple[Digest, Statement]], seed: int
) -> None:
    shuffled = [*history, *history[:1]]
    random.Random(seed).shuffle(shuffled)
    one, other = Renames(history), Renames(shuffled)
    assert one.current == other.current
    assert one.former_ops() == other.former_ops()
    for name in NAMES:
        assert one.ops(name) == other.ops(name)
        assert one.concern(name) == other.concern(name)
        for stored in (NAMES[:1], NAMES[:2], NAMES[1:3]):
            for now in (NAMES[:1], NAMES[:2], NAMES):
                assert one.arguments(name, stored, now) == other.arguments(name, stored, now)
                assert one.outputs(name, stored, now) == other.outputs(name, stored, now)


@given(histories())
def test_aliases_of_ops_are_an_equivalence(history: list[tuple[Digest, Statement]]) -> None:
    renames = Renames(history)
    for a in NAMES:
        assert a not in renames.ops(a)
        for b in renames.ops(a):
            assert a in renames.ops(b)
            assert set(renames.ops(a)) | {a} == set(renames.ops(b)) | {b}
        assert renames.op_now(a) in {a, *renames.ops(a)}


@given(histories(), st.lists(names, unique=True), st.sets(names))
def test_no_two_arguments_become_one(
    history: list[tuple[Digest, Statement]], stored: list[str], now: set[str]
) -> None:
    renames = Renames(history)
    found = renames.arguments("a", stored, now)
    assert found == {} or list(found) == stored
    assert len(set(found.values())) == len(found)
    newest = renames.newest_arguments("a", stored)
    assert len(set(newest)) == len(newest) == len(stored)


@given(histories())
def test_without_renames_nothing_is_concerned(history: list[tuple[Digest, Statement]]) -> None:
    renames = Renames(history)
    withdrawn = Renames([*history, *named(Withdrawal(tuple(sorted(renames.current))))])
    assert not withdrawn.current
    assert not any(map(withdrawn.concern, NAMES))
    assert withdrawn.arguments("a", NAMES, NAMES) == {name: name for name in NAMES}


def test_names_are_followed_to_the_newest() -> None:
    renames = Renames(named(Rename(OP, "", "a", "b"), Rename(OP, "", "b", "c")))
    assert renames.op_now("a") == "c"
    assert renames.former_ops() == {"a": "c", "b": "c"}
    assert renames.ops("b") == ("a", "c")


def test_an_op_that_two_branches_renamed_keeps_its_name_in_tables() -> None:
    renames = Renames(named(Rename(OP, "", "a", "b"), Rename(OP, "", "a", "c")))
    assert renames.op_now("a") == "a"
    assert renames.ops("b") == ("a", "c")


def test_an_old_name_that_another_argument_took_is_not_guessed() -> None:
    chain = arguments("ab", "bc")
    assert chain.arguments("f", ["a", "b"], ["b", "c"]) == {}
    assert chain.arguments("f", ["a"], ["b"]) == {"a": "b"}
    taken = arguments("ab")
    assert taken.arguments("f", ["a"], ["a", "b"]) == {}, "a is another argument by now, or is it?"
    assert taken.arguments("f", ["a", "b"], ["b", "c"]) == {}
    assert taken.arguments("f", ["a", "n"], ["b", "n"]) == {"a": "b", "n": "n"}


def test_arguments_follow_the_op() -> None:
    renames = Renames(named(Rename(ARGUMENT, "m:f", "a", "b"), Rename(OP, "", "m:f", "m:g")))
    assert renames.arguments("m:g", ["a"], ["b"]) == {"a": "b"}
    assert renames.concern("m:g")
    assert not renames.concern("m:h")


def ways(stored: list[str], became: dict[str, list[str]]) -> list[dict[str, str]]:
    """All ways to give each name another: what is asked for, however long it takes."""
    tried = itertools.product(*(became[name] for name in stored))
    return [dict(zip(stored, way, strict=True)) for way in tried if len(set(way)) == len(stored)]


def candidates(name: str, pairs: set[tuple[str, str]], now: set[str]) -> list[str]:
    """What a name may be: what it became, else what it is connected with, else itself."""
    forward, both = {name}, {name}
    for _ in NAMES:
        forward |= {new for old, new in pairs if old in forward}
        both |= {b for pair in pairs if both & set(pair) for b in pair}
    renamed = any(old == name for old, _ in pairs)
    return sorted(forward & now or both & now) or ([] if renamed else [name])


@given(
    st.sets(st.tuples(names, names), max_size=8),
    st.lists(names, unique=True, min_size=1),
    st.sets(names),
)
def test_arguments_are_matched_if_there_is_just_one_way(
    pairs: set[tuple[str, str]], stored: list[str], now: set[str]
) -> None:
    became = {name: candidates(name, pairs, now) for name in stored}
    found = Renames(named(*(Rename(ARGUMENT, "f", *pair) for pair in pairs))).arguments(
        "f", stored, now
    )
    possible = ways(stored, became)
    if pairs and not (now.issuperset(stored) and all(became[name] == [name] for name in stored)):
        assert found == (possible[0] if len(possible) == 1 else {})
    else:
        assert found == {name: name for name in stored}


def test_renames_of_arguments_work_in_code_of_before() -> None:
    """The old text is back: what was stored under the new name is understood."""
    chain = arguments("bc", "cd")
    assert chain.arguments("f", ["a", "d"], ["a", "b"]) == {"a": "a", "d": "b"}
    assert chain.arguments("f", ["a", "c"], ["a", "b"]) == {"a": "a", "c": "b"}
    assert chain.arguments("f", ["d"], ["b", "c"]) == {}, "either could be meant"
    assert chain.arguments("f", ["c"], ["b", "d"]) == {"c": "d"}, "forward comes first"
    assert arguments("bc", "bd").arguments("f", ["c"], ["d"]) == {"c": "d"}, "on another branch"


def test_however_many_renames_there_are_matching_is_quick() -> None:
    many = [f"a{number}" for number in range(40)]
    renames = arguments(*((a, b) for a in many for b in many if a != b))
    started_s = time.process_time()
    assert renames.arguments("f", many, many) == {}
    assert renames.arguments("f", many, many[1:]) == {}
    assert time.process_time() - started_s < 1
