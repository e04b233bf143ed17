"""Why a call would be reused or computed, and what differs from the nearest stored one.

Not the look-up itself (`lookup`). Invariant: nothing is run or recorded, and at
most `MOST_CALLS` stored calls are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from gitmemo.changes.following import present
from gitmemo.errors import GitmemoError
from gitmemo.hashing.digest import to_hex
from gitmemo.memo import wording
from gitmemo.memo.differences import Difference, difference
from gitmemo.memo.explanation import (
    ArgumentDifference,
    CacheStatus,
    ChangedCode,
    CodeState,
    Explanation,
)
from gitmemo.memo.inputs import PreparedCall
from gitmemo.memo.lookup import Lookup
from gitmemo.memo.nearest import MOST_CALLS, equal_inputs, nearest_call
from gitmemo.memo.trust import Values
from gitmemo.model.components import Component, Content, in_words, is_external
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Call, Slot, Version
from gitmemo.model.spoken import typed
from gitmemo.model.validity import Code, holds, unrecorded
from gitmemo.ref import Ref, unwrap_all
from gitmemo.special import ValuePointer
from gitmemo.versions.revisions import history_of
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.view import World

_MOST_BYTES = 10_000_000


class Explainer:
    """Explains the calls of one storage."""

    def __init__(self, world: World, lookup: Lookup, values: Values, code: Code) -> None:
        self._world = world
        self._lookup = lookup
        self._values = values
        self._code = code

    def explain(self, call: PreparedCall) -> Explanation:
        """Say what would happen to `call`, and why."""
        hit = self._lookup.peek(call)
        if hit is not None:
            return self._with_older(call, self._about(call, CacheStatus.HIT, hit))
        stale = self._lookup.stale(call)
        if stale is not None:
            return self._about(call, CacheStatus.CODE_CHANGED, stale)
        stored = self._world.newest_calls(call.name, MOST_CALLS)
        mine = [known for known in stored if known.op_version == call.op.version]
        if mine:
            nearest = nearest_call(mine, call.slots, self._lookup)
            return self._about(call, CacheStatus.NEW_INPUTS, nearest)
        status = CacheStatus.OTHER_VERSION if stored else CacheStatus.NOT_STORED
        versions = sorted({known.op_version for known in stored})
        remedies = [f"set @op(version={number})" for number in versions]
        return Explanation(
            call.name,
            status,
            self._inputs(call),
            remedies=tuple(remedies or ["make the call once inside `with storage:`"]),
        )

    def _about(self, call: PreparedCall, status: CacheStatus, nearest: Call) -> Explanation:
        differences = (
            tuple(self._differences(call, nearest)) if status is not CacheStatus.HIT else ()
        )
        changed = tuple(self._changed(nearest)) if status is not CacheStatus.HIT else ()
        given = {(slot.name, slot.cid) for slot in call.slots}
        return Explanation(
            op=call.name,
            status=status,
            inputs=self._inputs(call),
            nearest=to_hex(nearest.hid),
            when=nearest.start,
            elapsed_s=nearest.seconds,
            equal=equal_inputs(nearest, given),
            differences=differences,
            changed=changed,
            remedies=(*map(_pass, differences), *map(self._mend, changed)),
        )

    def _with_older(self, call: PreparedCall, said: Explanation) -> Explanation:
        """Say of what was computed before with these inputs why it would not be reused."""
        older = self._lookup.older(call)
        if older is None:
            return said
        return replace(said, older_when=older.start, older_changed=tuple(self._changed(older)))

    def _inputs(self, call: PreparedCall) -> dict[str, str]:
        return {
            slot.name: self._said(slot, value)
            for slot, value in zip(call.slots, call.told.values(), strict=True)
        }

    def _said(self, slot: Slot, value: object) -> str:
        if isinstance(value, Ref) and slot.inline is None:
            return wording.of_stored(self._world, slot)
        return wording.of_argument(slot.name, value, slot)

    # --- arguments -------------------------------------------------------

    def _differences(self, call: PreparedCall, nearest: Call) -> Iterator[ArgumentDifference]:
        stored = {slot.name: slot for slot in nearest.inputs}
        for slot, value in zip(call.slots, call.told.values(), strict=True):
            other = stored.pop(slot.name, None)
            said = self._said(slot, value)
            if other is None:
                yield ArgumentDifference(slot.name, None, said)
            elif other.cid != slot.cid:
                if said == wording.SECRET:
                    yield ArgumentDifference(slot.name, said, said)
                    continue
                was = self._stored(other)
                found = self._difference(other, slot, value)
                how = str(found) if found and _says_more(found, was, said) else ""
                yield ArgumentDifference(slot.name, was, said, how)
        for name, slot in stored.items():
            yield ArgumentDifference(name, self._stored(slot), None)

    def _stored(self, slot: Slot) -> str:
        return wording.of_stored(self._world, slot)

    def _difference(self, stored: Slot, slot: Slot, value: Any) -> Difference | None:
        """Return how two values differ; None where they are not at hand."""
        is_ref = isinstance(value, Ref)
        if isinstance(value, ValuePointer) or self._is_large(stored):
            return None
        if is_ref and self._is_large(slot):
            return None
        try:
            was = self._values.of_slot(stored)
            now = self._values.of_slot(slot) if is_ref else unwrap_all(value)
        except (GitmemoError, OSError):
            return None
        return difference(was, now)

    def _is_large(self, slot: Slot) -> bool:
        """Whether reading a value would take too long for an explanation."""
        return any(value.size > _MOST_BYTES for value in self._world.values(slot.cid))

    # --- code ------------------------------------------------------------

    def _changed(self, nearest: Call) -> Iterator[ChangedCode]:
        if self._lookup.is_valid(nearest):
            return
        version = self._world.version(nearest.version) if nearest.version else None
        if version is None or not self._lookup.versions:
            yield ChangedCode(nearest.op, CodeState.UNTRACKED)
            return
        decisions = self._world.decisions()
        added = self._added(version, decisions)
        for component in self._lookup.changed(nearest):
            old = version.pairs.get(component) or added.get(component)
            if old is not None:
                yield self._told(component, old, decisions, component not in version.pairs)

    def _told(
        self, component: Component, old: Content, decisions: Decisions, is_added: bool
    ) -> ChangedCode:
        # What has another name now is said, and decided about, under that.
        component, old = present(component, old, self._code, decisions) or (component, old)
        return ChangedCode(
            str(component),
            self._state(component, old, decisions),
            in_words(component) if is_external(component) else "",
            self._decided(component, old),
            is_added,
        )

    def _added(self, version: Version, decisions: Decisions) -> dict[Component, Content]:
        """Return what dependencies that people added held then, and do not hold now."""
        return {
            need.on: need.content
            for need in unrecorded(version, decisions)
            if not holds(need.on, need.content, self._code, decisions)
        }

    def _state(self, component: Component, old: Content, decisions: Decisions) -> CodeState:
        new = self._code.current(component)
        if new is None:
            # Where it is called otherwise now, somebody said that it is not the same there.
            if decisions.contested(component, old.source):
                return CodeState.CONTESTED
            is_there = any(map(self._code.current, decisions.places(component)))
            return CodeState.BREAKING if is_there else CodeState.GONE
        if old.source == new.source:
            return CodeState.VALUE
        if decisions.contested(component, old.source) or decisions.contested(component, new.source):
            return CodeState.CONTESTED
        related = decisions.related(component, old.source, new.source)
        return CodeState.BREAKING if related else CodeState.PENDING

    def _decided(self, component: Component, old: Content) -> tuple[str, ...]:
        """Return what was decided about the content of then or of now."""
        new = self._code.current(component)
        contents = [old] if new is None else [old, new]
        ids = {to_hex(one) for c in contents for one in (c.source, c.value) if one}
        history = history_of(self._world, component, self._code)
        rulings = {r.id: r for revision in history for r in revision.rulings}
        return tuple(str(ruling) for ruling in rulings.values() if {ruling.old, ruling.new} & ids)

    def _mend(self, change: ChangedCode) -> str:
        if change.state is CodeState.UNTRACKED:
            return "use a storage that tracks code where the call was made, or does not where it was not"
        if change.state is CodeState.PENDING and isinstance(self._world, RepositoryWorld):
            path, _, unit = change.component.rpartition(":")
            component = typed(Component(path, unit))
            return f"gitmemo decide {component} --non-breaking, if older results stay valid"
        return f"bring {change.component} back to what it was"


def _says_more(found: Difference, was: str, now: str) -> bool:
    """Whether a difference says more than the two descriptions beside each other."""
    both_shown = not was.startswith("<") and not now.startswith("<")
    plain = found.what.startswith("was ") and ": equal" not in found.what
    return bool(found.path) or not (plain and both_shown)


def _pass(item: ArgumentDifference) -> str:
    if item.stored is None:
        return f"leave {item.name} out; gm.NewArgDefault(value) as its default keeps older results"
    if item.given is None:
        return f"give the op its argument {item.name!r} back"
    if item.how.startswith("only the order"):
        return f"pass {item.name} with its parts in the stored order"
    return f"pass {item.name} as stored: {item.stored}"
