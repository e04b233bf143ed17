"""What calls touched, under the names of now: whatever was said of it before and after a move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gitmemo.changes.following import Names, present
from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.components import Component, Content
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Decision, Move, Statement, Verdict, Version
from gitmemo.model.lines import record_id, to_line
from gitmemo.model.validity import holds

OLD, NEW, NEWER = (Component(path, "f") for path in ("a.py", "b.py", "c.py"))
OLD_N, NEW_N = Component("a.py", "$N"), Component("b.py", "$N")


class State:
    """Code that holds what it is told to."""

    def __init__(self, now: Mapping[Component, Content]) -> None:
        self._now = now

    def current(self, component: Component) -> Content | None:
        return self._now.get(component)

    def knows(self, component: Component) -> bool:
        return True


def source(name: str) -> Digest:
    return digest(name.encode())


def content(name: str, value: str | None = None) -> Content:
    return Content(source(name), source(value) if value else None)


def said(*facts: Statement) -> Decisions:
    return Decisions((record_id(to_line(fact)), fact) for fact in facts)


MOVE = Move(OLD, source("old"), NEW, source("moved"))


def judged(component: Component, old: str, new: str, *, breaking: bool = False) -> Decision:
    verdict = Verdict.BREAKING if breaking else Verdict.NON_BREAKING
    return Decision(component, source(old), source(new), verdict)


def test_what_moved_is_the_content_that_it_is_there() -> None:
    edited = State({NEW: content("edited")})
    assert present(OLD, content("old"), edited, said(MOVE)) == (NEW, content("moved"))
    assert present(OLD, content("old"), edited, said()) is None


def test_a_decision_about_the_new_name_counts_for_calls_under_the_old_one() -> None:
    edited = State({NEW: content("edited")})
    decisions = said(MOVE, judged(NEW, "moved", "edited"))
    assert holds(OLD, content("old"), edited, decisions)
    assert present(OLD, content("old"), edited, decisions) == (NEW, content("edited"))


def test_what_equals_something_that_moved_moved_too() -> None:
    edited = State({NEW: content("edited")})
    decisions = said(MOVE, judged(OLD, "older", "old"))
    assert present(OLD, content("older"), edited, decisions) == (NEW, content("moved"))


def test_what_nobody_compared_with_what_moved_is_asked_about_under_the_new_name() -> None:
    moved = State({NEW: content("moved")})
    assert present(OLD, content("open"), moved, said(MOVE)) == (NEW, content("open"))


def test_what_was_said_to_be_other_code_is_not_asked_about_again() -> None:
    moved = State({NEW: content("moved")})
    decisions = said(MOVE, judged(OLD, "older", "old", breaking=True))
    assert present(OLD, content("older"), moved, decisions) is None


def test_two_moves_are_followed_and_what_is_there_is_not() -> None:
    decisions = said(MOVE, Move(NEW, source("moved"), NEWER, source("again")))
    state = State({NEWER: content("edited")})
    assert present(OLD, content("old"), state, decisions) == (NEWER, content("again"))
    both = State({OLD: content("other"), NEWER: content("edited")})
    assert present(OLD, content("old"), both, decisions) is None


def test_a_variable_keeps_its_value_and_a_verdict_on_its_text_counts() -> None:
    move = Move(OLD_N, source("N = 2"), NEW_N, source("N = 2"))
    old, state = content("N = 2", "two"), State({NEW_N: content("N = 3", "three")})
    assert present(OLD_N, old, state, said(move)) == (NEW_N, content("N = 2", "two"))
    assert not holds(OLD_N, old, state, said(move))
    decisions = said(move, judged(NEW_N, "N = 2", "N = 3"))
    assert not holds(OLD_N, old, state, decisions), "a computed one may be another tomorrow"
    fixed = State({NEW_N: replace(content("N = 3", "three"), is_fixed=True)})
    assert holds(OLD_N, old, fixed, decisions)
    computed = State({NEW_N: content("N = 2", "three")})
    assert not holds(OLD_N, old, computed, said(move)), "a move says nothing of a value"
    assert holds(OLD_N, old, computed, said(move, judged(NEW_N, "two", "three")))


def test_a_version_only_gains_pairs() -> None:
    names = Names(State({NEW: content("edited")}), said(MOVE))
    version = Version({OLD: content("old")})
    found = names.followed(version).pairs
    assert found == {OLD: content("old"), NEW: content("moved")}
    assert list(names.former[NEW, source("moved")]) == [(OLD, source("old"))]
