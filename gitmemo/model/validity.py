"""Whether a stored call is valid for a state of the code: computed, never stored.

Not how the state is found out (`tracing` for a running program, `source` for
files). Invariant: the verdict is a function of the version, the code and the
decisions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from gitmemo.model.components import Component, Content, is_variable
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Call, Dependency, Version


class Code(Protocol):
    """What the components are right now: in this process, in files, or in a commit."""

    def current(self, component: Component) -> Content | None:
        """Return what `component` holds, or None where there is no such component."""
        ...

    def knows(self, component: Component) -> bool:
        """Whether anything can be said of it here; if not, it is assumed to be unchanged."""
        ...


class NoCode:
    """The code of a storage that does not version: nothing is tracked."""

    def current(self, component: Component) -> Content | None:
        """Return None: nothing is known."""
        return None

    def knows(self, component: Component) -> bool:
        """Return False."""
        return False


def changed(version: Version, code: Code, decisions: Decisions) -> list[Component]:
    """Return the components of `version` that are no longer what they were; empty when it is valid."""
    found = [
        component
        for component, content in version.pairs.items()
        if not holds(component, content, code, decisions)
    ]
    unmet = (n for n in unrecorded(version, decisions) if not _is_met(n, code, decisions))
    foreign = _made_with_others(version, code, decisions)
    found += dict.fromkeys(n.on for n in (*unmet, *foreign) if n.on not in found)
    if not found and decisions.any_moves:
        found = _ambiguous(version, code, decisions)
    return found


def _ambiguous(version: Version, code: Code, decisions: Decisions) -> list[Component]:
    """Return what is back under its old name while what it moved to is something else.

    Code that was edited since may mean the one or the other. Code that is exactly what it was
    means the old name.
    """
    back = [
        component
        for component, old in version.pairs.items()
        if _current(component, code) is not None
        for place in decisions.places(component)
        if _current(place, code) is not None
        and not holds_at(component, old, place, code, decisions)
    ]
    exact = all(_is_exactly(c, old, code) for c, old in version.pairs.items())
    return [] if exact else list(dict.fromkeys(back))


def _current(component: Component, code: Code) -> Content | None:
    return code.current(component) if code.knows(component) else None


def _is_exactly(component: Component, old: Content, code: Code) -> bool:
    if not code.knows(component):
        return True
    now = code.current(component)
    if now is None or now.source != old.source:
        return False
    return now.value == old.value or None in (now.value, old.value)


def stands(call: Call, version: Version, code: Code, decisions: Decisions) -> bool:
    """Whether a call of this valid version is one of its op: for all but links under another name it is.

    The function that such a link repeats must be the op's function today too. Its old name may
    be in use again, which makes the version valid, while the new name holds something else.
    """
    moved = call.moved
    if moved is None:
        return True
    was, own = moved
    old = version.pairs.get(was)
    if old is None:
        return False
    if was == own or not code.knows(own):
        return True
    places = [own] if code.current(own) is not None else decisions.places(own)
    return any(holds_at(was, old, place, code, decisions) for place in places if place != was)


def watched(version: Version, decisions: Decisions) -> list[Component]:
    """Return all components that the verdict on `version` follows from."""
    found = dict.fromkeys(version.pairs)
    for component in version.pairs:
        found.update(dict.fromkeys(decisions.places(component)))
    for need in unrecorded(version, decisions):
        found.update(dict.fromkeys((need.on, *decisions.places(need.on))))
    return list(found)


def holds(component: Component, old: Content, code: Code, decisions: Decisions) -> bool:
    """Whether `component` is today what it was, or something decided to be equivalent.

    A decision about two texts of code covers what the new text refers to; one about two
    texts of a variable covers its value only where the text says it. Where a value is not
    known on both sides, in files for instance, the sources decide. What is gone is looked
    for where it moved to.
    """
    if not code.knows(component):
        return True
    new = code.current(component)
    if new is None:
        return any(
            holds_at(component, old, place, code, decisions)
            for place in decisions.places(component)
        )
    same_source = decisions.equivalent(component, old.source, new.source)
    if old.value is None or new.value is None:
        return same_source
    decided = same_source and old.source != new.source
    same_value = decisions.equivalent(component, old.value, new.value)
    if is_variable(component):
        return same_value or (decided and new.is_fixed)  # however it is written, its value decides
    # The same text means the same only if the names in it do.
    return decided or (same_source and same_value)


def holds_at(
    component: Component, old: Content, place: Component, code: Code, decisions: Decisions
) -> bool:
    """Whether what `component` was is what `place` is now."""
    new = code.current(place) if code.knows(place) else None
    if new is None:
        return False
    was, now = (component, old.source), (place, new.source)
    is_same_text = decisions.same(was, now)
    if not is_variable(place) or old.value is None or new.value is None:
        return is_same_text
    # As where it did not move: a variable's value decides, unless somebody judged texts that say it.
    if is_same_text and new.is_fixed and not decisions.only_moved(was, now):
        return True
    same_value = decisions.equivalent(place, old.value, new.value)
    return same_value or decisions.same((component, old.value), (place, new.value))


def unrecorded(version: Version, decisions: Decisions) -> Iterator[Dependency]:
    """Yield what people say that calls of a version depended on, and its pairs do not hold."""
    for component, content in version.pairs.items():
        for need in decisions.needs(component, content.source):
            if need.on not in version.pairs:
                yield need


def _made_with_others(version: Version, code: Code, decisions: Decisions) -> Iterator[Dependency]:
    """Yield what newer code was run with that is not what it had when it equalled the code of now.

    A dependency that came with an edit says of the text of before: the text of after is the same
    as long as what it calls is. A call of the later text with another helper is none of the text
    of before, though the texts were said to be equivalent.
    """
    for component, content in version.pairs.items():
        if not decisions.needs_any(component):
            continue
        now = code.current(component) if code.knows(component) else None
        if now is None or now.source == content.source:
            continue
        for need in decisions.needs(component, now.source):
            held = version.pairs.get(need.on)
            if need.source is None or held is None:
                continue
            if not _is_same(need.on, need.content, held, decisions):
                yield need


def _is_same(component: Component, one: Content, other: Content, decisions: Decisions) -> bool:
    if not is_variable(component) or one.value is None or other.value is None:
        return decisions.equivalent(component, one.source, other.source)
    return decisions.equivalent(component, one.value, other.value) or (
        one.source != other.source and decisions.equivalent(component, one.source, other.source)
    )


def _is_met(need: Dependency, code: Code, decisions: Decisions) -> bool:
    """Whether a dependency that people added is what it was; where there is none, nothing needs it."""
    if need.source is not None and code.knows(need.component):
        # It came with an edit: the text of before, and all that equalled it, do without it.
        others = _needed_now(need.component, code, decisions)
        if any(other.source is not None and other.on == need.on for other in others):
            return True
    if not code.knows(need.on):
        return True
    gone = code.current(need.on) is None and not decisions.places(need.on)
    return gone or holds(need.on, need.content, code, decisions)


def _needed_now(component: Component, code: Code, decisions: Decisions) -> Iterator[Dependency]:
    """Yield what the content of now depends on beyond what is recorded, also where it moved to."""
    for place in (component, *decisions.places(component)):
        now = code.current(place) if code.knows(place) else None
        if now is not None:
            yield from decisions.needs(place, now.source)
            return
