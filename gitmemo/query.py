"""Questions to a world: which calls make a frame.

Not the frame's algebra (`frame`). Invariant: a frame holds only calls that are
visible and valid for one state of the code, so that one row is one result.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from gitmemo.errors import ComponentIsNoOp, UnknownOp
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.facts import Call, Slot, Version
from gitmemo.model.feeding import fed_by
from gitmemo.model.items import histories
from gitmemo.model.renames import Renames
from gitmemo.model.spoken import all_meant
from gitmemo.model.unsaid import of_other_values, unsaid
from gitmemo.model.validity import Code, changed, stands
from gitmemo.workspace import View, Workspace
from gitmemo.world.view import World, first_of_each, in_order

if TYPE_CHECKING:
    from gitmemo.frames import ComputationFrame
    from gitmemo.frames.naming import Spoken

_FEWEST_THAT_DIFFER = 2

NEWEST_COUNTS = "files do not say which is that of now, so that of the newest call counts"
"""Why calls of other values of a variable are left out, for people."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The calls of a state of the code, and the others.

    Attributes:
        stale: Those that touched other code.
        unreachable: Those that touched this code, but with inputs that only `stale` ones made.
        others: Those that had another value of a variable whose value the code does not say, and
            those with inputs that only such calls made.
        variables: The variable that was otherwise, by history id; those on results of such calls
            have none.
    """

    calls: tuple[Call, ...]
    stale: tuple[Call, ...]
    unreachable: tuple[Call, ...] = ()
    others: tuple[Call, ...] = ()
    variables: Mapping[Digest, Component] = field(default_factory=dict)

    @property
    def states(self) -> dict[Digest, str]:
        """What tables say of the calls that do not count, by history id."""
        from gitmemo.frames.tables import OLDER_CODE, ON_OLDER_RESULTS, ON_OTHER_VALUES, OTHER_VALUE

        fed = dict.fromkeys((call.hid for call in self.unreachable), ON_OLDER_RESULTS)
        fed |= dict.fromkeys((call.hid for call in self.others), ON_OTHER_VALUES)
        fed |= {hid: f"{OTHER_VALUE} {variable}" for hid, variable in self.variables.items()}
        return fed | dict.fromkeys((call.hid for call in self.stale), OLDER_CODE)

    @property
    def left_out(self) -> tuple[Call, ...]:
        """The calls that do not count."""
        return (*self.stale, *self.unreachable, *self.others)

    def otherwise(self, calls: Collection[Call]) -> str:
        """Return in words of which variables these of the `others` had another value."""
        known = [self.variables.get(call.hid) for call in calls]
        meant = self.variables.values() if None in known else known
        return ", ".join(sorted({str(variable) for variable in meant}))

    def every(self) -> list[Call]:
        """Return all calls, those that do not count too, in the order in which they ran."""
        calls = (*self.calls, *self.unreachable, *self.others, *self.stale)
        return in_order(first_of_each(calls).values())


def valid_calls(world: World, calls: Iterable[Call], code: Code) -> Selection:
    """Return the calls among `calls` that running `code` would lead to.

    Those whose version is valid, and whose inputs were not made by calls that
    are not; calls without versions are kept. Of several values of a variable that `code` does not
    say, that of the newest call counts.
    """
    is_stale = stale_test(world, code)
    valid: list[Call] = []
    stale: list[Call] = []
    for call in calls:
        (stale if is_stale(call) else valid).append(call)
    chosen = first_of_each(valid)
    unreachable = _fed_by(stale, chosen) if stale else {}
    kept = {hid: call for hid, call in chosen.items() if hid not in unreachable}
    variables = _of_other_values(world, kept, code)
    others = [kept.pop(hid) for hid in variables]
    fed = _fed_by(others, kept) if others else {}
    return Selection(
        tuple(call for hid, call in kept.items() if hid not in fed),
        tuple(stale),
        tuple(unreachable.values()),
        (*others, *fed.values()),
        variables,
    )


def _of_other_values(
    world: World, calls: Mapping[Digest, Call], code: Code
) -> dict[Digest, Component]:
    """Return which of the valid calls had another value of a variable than the newest one."""
    versions = world.versions({call.version for call in calls.values() if call.version})
    if len(versions) < _FEWEST_THAT_DIFFER:
        return {}
    variables = unsaid(versions.values(), code, world.decisions())
    if not variables:
        return {}
    from gitmemo.world.revisions import RevisionWorld

    later = world.later.hids if isinstance(world, RevisionWorld) else ()
    return of_other_values(variables, calls.values(), later)


def without_repeats(selection: Selection) -> Selection:
    """Return `selection` without links, but where what they repeat does not count.

    A call is one call, however often it was run, whatever histories its inputs have and names its
    op had: it is its op, its code and the contents of its inputs.
    """
    current = runs(selection.calls)
    seen = {call.cid for call in current}
    unreachable = runs(selection.unreachable, seen)
    seen |= {call.cid for call in unreachable}
    others = runs(selection.others, seen)
    stale = runs(selection.stale, seen | {call.cid for call in others})
    return Selection(current, stale, unreachable, others, selection.variables)


def runs(calls: Iterable[Call], seen: Collection[Digest] = ()) -> tuple[Call, ...]:
    """Return one record of each call, no link where there is another, but for what was seen before."""
    others = [call for call in calls if call.cid not in seen]
    found: dict[Digest, Call] = {}
    for call in others:
        if call.cid not in found or (found[call.cid].is_link and not call.is_link):
            found[call.cid] = call
    return tuple(call for call in others if found[call.cid] is call)


def stale_test(world: World, code: Code) -> Callable[[Call], bool]:
    """Return what tells the calls that are not valid for `code`; each version is judged once."""
    decisions = world.decisions()
    valid: dict[Digest, Version | None] = {}

    def is_stale(call: Call) -> bool:
        if call.version is None:
            return False
        if call.version not in valid:
            version = world.version(call.version)
            is_old = version is None or changed(version, code, decisions)
            valid[call.version] = None if is_old else version
        held = valid[call.version]
        return held is None or not stands(call, held, code, decisions)

    return is_stale


def _fed_by(stale: Iterable[Call], valid: Mapping[Digest, Call]) -> dict[Digest, Call]:
    """Return the calls in `valid` that use, directly or through others, what only `stale` ones made."""
    made = {hid: tuple(_made(call)) for hid, call in valid.items()}
    makers = Counter(value for values in made.values() for value in values)
    users: dict[Digest, list[Digest]] = defaultdict(list)
    for hid, call in valid.items():
        for slot in call.inputs:
            for used in histories(slot):
                users[used].append(hid)
    others = (value for call in stale for value in _made(call))
    found = fed_by(others, made, users, makers)
    return {hid: call for hid, call in valid.items() if hid in found}


def _made(call: Call) -> Iterator[Digest]:
    """Yield the history ids of what a call returned, and of what is in it."""
    for slot in call.outputs:
        yield from histories(slot)


def select(
    calls: Iterable[Call],
    ops: Collection[str],
    later: frozenset[Digest] = frozenset(),
    spoken: Spoken | None = None,
    older: Mapping[Digest, str] | None = None,
) -> ComputationFrame:
    """Return the frame of the calls of `ops` among `calls`; `ops` are full names.

    `later` are the history ids of calls that tables mark as committed later, `spoken` knows what the
    program calls results, `older` what tables say of calls that do not count.
    """
    from gitmemo.frames import ComputationFrame, Universe  # most commands make no frame
    from gitmemo.frames.naming import nothing_spoken

    universe = Universe(calls)
    chosen = frozenset(call.hid for call in universe.calls if call.op in ops)
    return ComputationFrame(
        universe, chosen, later=later, older=older or {}, spoken=spoken or nothing_spoken
    )


class NamesNow:
    """Shows calls under the names that their ops, arguments and outputs have now."""

    def __init__(
        self,
        world: World,
        code: Code,
        module_at: Callable[[str], str],
        used: Collection[str] = (),
    ) -> None:
        """`module_at` names the module of a file; `used` are ops that this program has met."""
        self._world = world
        self._code = code
        self._module_at = module_at
        self._used = frozenset(used)
        self._ops: dict[tuple[str, Digest | None], str] = {}

    @cached_property
    def _renames(self) -> Renames:
        # Only when it is asked for: the world may not have been entered before.
        return self._world.renames()

    @property
    def former(self) -> Mapping[str, str]:
        """The names that ops had, with the newest name of each."""
        return self._renames.former_ops()

    def resolve(self, name: str) -> str:
        """Return the name of now of an op, given in full, in short, or by a name that it had.

        Raises:
            UnknownOp: There is none, or several.
        """
        known = (self.former.get(op, op) for op in self._world.ops())
        return resolve_op(name, sorted(set(known)), self.former)

    def calls(self, calls: Iterable[Call]) -> list[Call]:
        """Return `calls` with the names of now; their ids stay."""
        return [self.call(call) for call in calls] if self._renames else list(calls)

    def call(self, call: Call) -> Call:
        """Return `call` with the names of now; its ids stay."""
        if not self._renames.concern(call.op):
            return call
        op = call.op if self._is_again(call) else self.op(call.op, call.version)
        return renamed(call, self._renames, op)

    def op(self, op: str, version: Digest | None) -> str:
        """Return the name of now of an op whose call with this version is stored as `op`."""
        if not self._renames.concern(op):
            return op
        if (op, version) not in self._ops:
            taken = op in self._used or self._is_there(op, version)
            self._ops[op, version] = op if taken else self._renames.op_now(op)
        return self._ops[op, version]

    def _is_again(self, call: Call) -> bool:
        """Whether a link under another name has its function at that name today."""
        return call.moved is not None and self._code.current(call.moved[1]) is not None

    def _is_there(self, op: str, version: Digest | None) -> bool:
        """Whether the code still, or again, has a function of that name."""
        found = self._world.version(version) if version else None
        return found is not None and any(
            f"{self._module_at(component.path)}:{component.unit}" == op
            and self._code.current(component) is not None
            for component in found.pairs
        )


def resolve_versioned(now: NamesNow, world: World, name: str) -> str:
    """Return the name of now of an op that somebody asks about the versions of.

    Raises:
        ComponentIsNoOp: It is a component that calls touched, and no op.
        UnknownOp: There is none, or several.
    """
    try:
        return now.resolve(name)
    except UnknownOp as error:
        found = [] if error.ambiguous else all_meant(name, world.about())
        if not found:
            raise
        raise ComponentIsNoOp(name, str(found[0])) from None


def names_now(workspace: Workspace | View) -> NamesNow:
    """Return what shows calls under the names that they have in the work tree, or in a revision."""
    return NamesNow(workspace.world, workspace.code, workspace.project.module_name_of)


def renamed(call: Call, renames: Renames, op: str) -> Call:
    """Return `call` as one of `op`, its inputs and outputs with the names of now; its ids stay."""
    inputs = renames.newest_arguments(call.op, [slot.name for slot in call.inputs])
    outputs = renames.newest_outputs(call.op, [slot.name for slot in call.outputs])
    return replace(
        call,
        op=op,
        inputs=_called(call.inputs, inputs),
        outputs=_called(call.outputs, outputs),
    ).known_as(call.hid, call.key)


def _called(slots: Sequence[Slot], names: Sequence[str]) -> tuple[Slot, ...]:
    return tuple(
        slot if slot.name == name else slot.called(name)
        for slot, name in zip(slots, names, strict=True)
    )


def resolve_op(name: str, known: Sequence[str], former: Mapping[str, str] | None = None) -> str:
    """Return the full name of an op, given in full or by its last part.

    `former` are names that ops had, with those of now.

    Raises:
        UnknownOp: It is none of `known`, or a short name means several.
    """
    if name in known:
        return name
    matches = [op for op in known if op.rpartition(":")[2] == name]
    if len(matches) == 1:
        return matches[0]
    renamed = {
        now
        for old, now in (former or {}).items()
        if name in (old, old.rpartition(":")[2]) and now in known
    }
    if not matches and len(renamed) == 1:
        return renamed.pop()
    if not matches:
        import difflib

        shorts = {op.rpartition(":")[2]: op for op in known}
        shorts = {**{short.rpartition(".")[2]: op for short, op in shorts.items()}, **shorts}
        close = difflib.get_close_matches(name, [*known, *shorts], n=1)
        matches = [shorts.get(close[0], close[0])] if close else []
        raise UnknownOp(name, tuple(matches), False, known=tuple(known))
    raise UnknownOp(name, tuple(matches), True)
