"""Whether a change matters: stored calls that touched the old content are run under the new code.

Not whether an op is deterministic (`checking`), whose parts it uses. Invariant: nothing is
recorded; the calls are chosen by their contents alone, so every machine chooses the same ones.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitmemo.changes.evidence import Checked, in_words
from gitmemo.changes.finding import decided_by
from gitmemo.changes.following import Names
from gitmemo.hashing.digest import Digest
from gitmemo.memo.checking import CheckedCall, Checker, CheckReport, Finding
from gitmemo.memo.lookup import Lookup
from gitmemo.model.components import Component, Content
from gitmemo.model.facts import Call
from gitmemo.model.validity import Code
from gitmemo.world.view import World, first_of_each


@dataclass(frozen=True, slots=True)
class ChangeReport(CheckReport):
    """What came of checking a changed component.

    Attributes:
        component: What was checked.
        found: What a decision would be about, old and new, to what the calls say of it. Calls for
            which other code has changed too are not counted there when they differ.
    """

    component: Component
    found: Mapping[tuple[Digest, Digest], Checked]


@dataclass(frozen=True, slots=True)
class _Stale:
    """A call that touched another content of the component than the one of now."""

    call: Call
    old: Content
    others: tuple[Component, ...]


class ChangeChecker:
    """Checks the stored calls that a change is about."""

    def __init__(self, world: World, code: Code, lookup: Lookup, checker: Checker) -> None:
        self._world = world
        self._code = code
        self._lookup = lookup
        self._checker = checker

    def ops(self, component: Component) -> list[str]:
        """Return the ops whose calls touched something else than `component` is now."""
        return sorted({stale.call.op for stale in self._stale(component)})

    def rerun(self, component: Component, sample: int | None, seed: int) -> ChangeReport:
        """Run a sample of these calls, all if `sample` is None, and compare what they return.

        Calls for which nothing else has changed come first.
        """
        stale = self._stale(component)
        chosen = _chosen([one for one in stale if not one.others], sample, seed)
        left = None if sample is None else sample - len(chosen)
        chosen += _chosen([one for one in stale if one.others], left, seed)
        checked = [(one, self._checker.again(one.call, _but(one.others))) for one in chosen]
        calls = tuple(call for _, call in checked)
        now = self._code.current(component)
        found = _counted(component, checked, now) if now is not None else {}
        return ChangeReport(f"code:{component}", calls, len(stale), component, found)

    def _stale(self, component: Component) -> list[_Stale]:
        now = self._code.current(component)
        if now is None:
            return []
        names = Names(self._code, self._world.decisions())
        found: dict[Digest, _Stale] = {}
        for call in first_of_each(self._world.calls(self._code)).values():
            version = self._world.version(call.version) if call.version else None
            old = names.followed(version).pairs.get(component) if version else None
            if old is not None and not _is_now(old, now):
                changed = self._lookup.changed(call)
                mine = {component, *self._world.decisions().places(component)}
                others = tuple(other for other in changed if other not in mine)
                found[call.cid] = _Stale(call, old, others)
        return [found[cid] for cid in sorted(found)]


def _is_now(old: Content, now: Content) -> bool:
    return old.source == now.source and (None in (old.value, now.value) or old.value == now.value)


def _chosen(stale: list[_Stale], sample: int | None, seed: int) -> list[_Stale]:
    if sample is None or sample >= len(stale):
        return stale
    return random.Random(seed).sample(stale, sample)


def _but(others: Iterable[Component]) -> str:
    names = ", ".join(map(str, others))
    return f"other code has changed too: {names}" if names else ""


def _counted(
    component: Component, checked: Iterable[tuple[_Stale, CheckedCall]], now: Content
) -> dict[tuple[Digest, Digest], Checked]:
    found: dict[tuple[Digest, Digest], Checked] = {}
    for stale, call in checked:
        pair = decided_by(component, stale.old, now)
        known = found.get(pair, Checked(0, 0))
        if call.finding is Finding.SAME:
            found[pair] = Checked(known.equal + 1, known.differ, known.first)
        elif call.finding in (Finding.DIFFERS, Finding.RAISED) and not stale.others:
            first = known.first or in_words(stale.call)
            found[pair] = Checked(known.equal, known.differ + 1, first)
    return found
