"""Dropping calls with what depends on them: planned, shown, carried out as one fact.

Not what being forgotten means (`world.forgetting`). Invariant: what stays can be
computed: a call stays only if its inputs are stored, or were made by calls that
stay, these or others with the same results.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from gitmemo.errors import NothingToDrop
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Call, Slot, Value, referenced_cids, sources
from gitmemo.model.ids import raw_hid
from gitmemo.model.items import Held, histories, inside
from gitmemo.model.lines import record_id, to_line
from gitmemo.model.semantics import semantic_id
from gitmemo.model.tombstones import origin_of
from gitmemo.model.validity import Code
from gitmemo.short_ids import begins, told_apart
from gitmemo.world.forgetting import with_copies
from gitmemo.world.tagging import tags_of
from gitmemo.world.view import World, values_behind


@dataclass(frozen=True)
class DropPlan:
    """Which calls go, and what that frees.

    Attributes:
        calls: Those that were asked for.
        dependents: Those that go too, because they used results of those.
        kept: Those that used results of them and stay: all that they need is stored.
            What other calls that stay have made as well is in neither.
        tags: The names, with @, of values that go: they lead nowhere then.
        values, size_bytes: What nothing else in this world needs, on this machine.
        undo: What brings them back; empty before it is carried out.
    """

    calls: tuple[Call, ...]
    dependents: tuple[Call, ...]
    kept: tuple[Call, ...]
    tags: tuple[str, ...]
    values: int
    size_bytes: int
    undo: str = ""

    def carried_out(self, world: World, why: str = "") -> DropPlan:
        """Forget the calls, all in one; return the plan with what undoes it."""
        grave = world.forget(with_copies(world, (*self.calls, *self.dependents)), why)
        return replace(self, undo=to_hex(grave))


def plan_drop(
    world: World, code: Code, chosen: Callable[[Call], bool], *, keep_dependents: bool = False
) -> DropPlan:
    """Return what it takes to drop the calls of this world that `chosen` names."""
    calls = world.calls(code)
    asked = [call for call in calls if chosen(call)]
    dependents = _Dependents(world, calls, asked, keep=keep_dependents)
    going = [*asked, *dependents.dropped]
    stays = {call.hid for call in calls} - {call.hid for call in going}
    values = _only_of(world, going, [call for call in calls if call.hid in stays])
    size_bytes = sum(value.size for value in values)
    return DropPlan(
        tuple(asked),
        tuple(dependents.dropped),
        tuple(dependents.kept),
        tags_of(world, going),
        len(values),
        size_bytes,
    )


def of_version(world: World, code: Code, text: str) -> Callable[[Call], bool]:
    """Return what tells the calls of a version, by the beginning of its content id or semantic id.

    Raises:
        NothingToDrop: No call has such a version, or the beginning means several.
    """
    decisions = world.decisions()
    found: dict[Digest, set[Digest]] = defaultdict(set)
    for id_ in {call.version for call in world.calls(code) if call.version}:
        version = world.version(id_)
        names = {id_, semantic_id(version, decisions)} if version else {id_}
        for name in names:
            if begins(name, text):
                found[name].add(id_)
    if len(found) != 1:
        several = tuple(told_apart(found))
        raise NothingToDrop(f"version {text!r}", several)
    ((_, versions),) = found.items()
    return lambda call: call.version in versions


def of_call(calls: Iterable[Call], text: str) -> Callable[[Call], bool]:
    """Return what tells one call, by the beginning of its history id.

    Raises:
        NothingToDrop: There is none, or the beginning means several.
    """
    hids = {call.hid for call in calls}
    found = {hid for hid in hids if begins(hid, text)}
    if len(found) != 1:
        raise NothingToDrop(f"call {text!r}", tuple(told_apart(found)))
    return lambda call: call.hid in found


class _Dependents:
    """What used the results of calls that go, directly or through others.

    Attributes:
        dropped: Those that go too.
        kept: Those that stay, if any are to.
    """

    def __init__(
        self, world: World, calls: Sequence[Call], asked: Sequence[Call], *, keep: bool
    ) -> None:
        self._world = world
        self._records: dict[Digest, list[Call]] = defaultdict(list)
        self._users: dict[Digest, list[Call]] = defaultdict(list)
        for call in calls:
            self._records[call.hid].append(call)
            for used in (*sources(call), *call.inner, origin_of(call)):
                if used is not None:
                    self._users[used].append(call)
        self.dropped: list[Call] = []
        self.kept: list[Call] = []
        self._spread(asked, keep=keep)

    def _spread(self, asked: Sequence[Call], *, keep: bool) -> None:
        going = {call.hid for call in asked}
        kept: dict[Digest, Call] = {}
        todo = list(asked)
        while todo:
            call = todo.pop()
            repeats = self._users.get(record_id(to_line(call)), ())
            for user in (*repeats, *self._users_of(call)):
                if user.hid in going:
                    continue
                # A link goes with the call whose results it repeats.
                if keep and user not in repeats and self._has_inputs(user):
                    kept[user.hid] = user
                    continue
                kept.pop(user.hid, None)
                going.add(user.hid)
                self.dropped.append(user)
                todo.append(user)
        self.kept = list(kept.values())
        self._rescue({call.hid for call in asked})

    def _rescue(self, asked: Collection[Digest]) -> None:
        """Let those stay whose inputs calls that stay have made too, and what follows from them."""
        going = {call.hid: call for call in self.dropped}
        if not going:
            return
        supply = _Supply(filter(None, map(origin_of, self.dropped)))
        for hid, records in self._records.items():
            if hid not in going and hid not in asked:
                supply.add(records)
        # From what stays onwards: calls that only feed each other do not hold each other up.
        while found := [call for call in going.values() if supply.is_enough_for(call)]:
            for call in found:
                supply.add(self._records[going.pop(call.hid).hid])
        self.dropped = list(going.values())

    def _users_of(self, call: Call) -> Iterator[Call]:
        yield from self._users.get(call.hid, ())
        for slot in call.outputs:
            for hid in histories(slot):
                yield from self._users.get(hid, ())

    def _has_inputs(self, call: Call) -> bool:
        return all(self._is_stored(slot) for slot in call.inputs)

    def _is_stored(self, slot: Slot) -> bool:
        return (
            slot.inline is not None or slot.short is not None or bool(self._world.values(slot.cid))
        )


class _Supply:
    """What calls that stay have made: histories, contents, and the records that are repeated."""

    def __init__(self, repeated: Iterable[Digest]) -> None:
        """`repeated` are the records of which it matters whether they stay."""
        self._repeated = set(repeated)
        self._histories: set[Digest] = set()
        self._contents: set[Digest] = set()

    def add(self, records: Iterable[Call]) -> None:
        """Count the records of a call that stays, and what it has made."""
        for call in records:
            self._histories.add(call.hid)
            if self._repeated:  # a digest of every record takes long
                self._repeated.discard(record_id(to_line(call)))
            for slot in call.outputs:
                self._histories.update(histories(slot))
                self._contents.update((slot.cid, *(item.cid for item in inside(slot))))

    def is_enough_for(self, call: Call) -> bool:
        """Whether all that a call used is there; a link needs the very record that it repeats."""
        if origin_of(call) in self._repeated:
            return False
        return self._histories.issuperset(call.inner) and all(map(self._has, call.inputs))

    def _has(self, held: Held) -> bool:
        if held.hid == raw_hid(held.cid) or held.cid in self._contents:
            return True
        if held.hid in self._histories:
            return True
        parts = tuple(inside(held))
        return bool(parts) and all(map(self._has, parts))


def _only_of(world: World, going: Iterable[Call], staying: Collection[Call]) -> list[Value]:
    """Return the places of bytes that only calls need which go."""
    needed = {value.blob for value in values_behind(world, referenced_cids(staying))}
    found = {value.blob: value for value in values_behind(world, referenced_cids(going))}
    return [value for blob, value in found.items() if blob not in needed]
