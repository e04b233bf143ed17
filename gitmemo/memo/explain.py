"""Why a call would be reused or computed, and what differs from the nearest stored call.

Not the look-up itself (`lookup`). Invariant: nothing is run or recorded, and at
most `MOST_CALLS` stored calls are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gitmemo.codecs import from_inline
from gitmemo.errors import GitmemoError, WrongArguments
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.memo import wording
from gitmemo.memo.differences import Difference, difference
from gitmemo.memo.inputs import PreparedCall, slots_of
from gitmemo.memo.lookup import Lookup
from gitmemo.memo.trust import Values
from gitmemo.model.components import Component, Content
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Call, JsonValue, Slot
from gitmemo.model.validity import Code
from gitmemo.quantities import duration
from gitmemo.ref import Loader, Ref, ref_to, unwrap_all
from gitmemo.special import ValuePointer
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.view import World

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

MOST_CALLS = 5_000
_MOST_BYTES = 10_000_000


class Verdict(StrEnum):
    """What would happen to a call."""

    HIT = "hit"
    CODE_CHANGED = "code changed"
    NEW_INPUTS = "new inputs"
    OTHER_VERSION = "other op version"
    NOT_STORED = "not stored"


class CodeState(StrEnum):
    """How a component of a stored call compares to what it is now."""

    PENDING = "changed; nobody has decided whether older results stay valid"
    BREAKING = "changed; decided to be breaking"
    CONTESTED = "decisions about it contradict each other"
    VALUE = "its text is the same, but its value, or what its names refer to, is another"
    GONE = "not there any more"
    UNTRACKED = "the stored call, or this storage, does not track code"


_SENTENCES = {
    Verdict.HIT: "would be reused: the call is stored, and its code is the same",
    Verdict.CODE_CHANGED: "would be computed: it is stored with these inputs, but for other code",
    Verdict.NEW_INPUTS: "would be computed: it is not stored with these inputs",
    Verdict.OTHER_VERSION: "would be computed: calls are stored for another @op(version=...) only",
    Verdict.NOT_STORED: "would be computed: no call of it is stored",
}


@dataclass(frozen=True, slots=True)
class ArgumentDifference:
    """An argument that is not what the nearest stored call had.

    Attributes:
        stored, given: In a few words; None where there is no such argument.
        how: Where inside they differ, or why equal values count as different; else empty.
    """

    name: str
    stored: str | None
    given: str | None
    how: str = ""

    def __str__(self) -> str:
        if self.stored is None:
            said = f"{self.name}: given {self.given}; the stored call has no such argument"
        elif self.given is None:
            said = f"{self.name}: stored {self.stored}; not an argument now"
        else:
            said = f"{self.name}: stored {self.stored}, given {self.given}"
        return f"{said} ({self.how})" if self.how else said


@dataclass(frozen=True, slots=True)
class ChangedCode:
    """A component, written `file:unit`, that is not what it was for the nearest stored call."""

    component: str
    state: CodeState

    def __str__(self) -> str:
        return f"{self.component}: {self.state}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a call would be reused or computed.

    Attributes:
        inputs: What identifies the call, each in a few words.
        nearest: History id, in hex, of the stored call with the most equal arguments.
        when: When that call ran (ISO 8601); empty if not known.
        elapsed_s: How long it took.
        equal: How many of its arguments are those of the call.
        differences: The arguments that differ.
        changed: The code that differs.
        remedies: What would make it a hit.
    """

    op: str
    verdict: Verdict
    inputs: Mapping[str, str] = field(default_factory=dict)
    nearest: str | None = None
    when: str = ""
    elapsed_s: float = 0.0
    equal: int = 0
    differences: tuple[ArgumentDifference, ...] = ()
    changed: tuple[ChangedCode, ...] = ()
    remedies: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def as_dict(self) -> dict[str, object]:
        """Return the fields, for JSON."""
        return {
            "op": self.op,
            "verdict": self.verdict.value,
            "inputs": dict(self.inputs),
            "nearest": self.nearest,
            "when": self.when or None,
            "seconds": self.elapsed_s,
            "equal": self.equal,
            "differences": [
                {"name": d.name, "stored": d.stored, "given": d.given, "how": d.how or None}
                for d in self.differences
            ],
            "changed": [
                {"component": c.component, "state": c.state.name.lower()} for c in self.changed
            ],
            "remedies": list(self.remedies),
        }

    def _lines(self) -> Iterator[str]:
        yield f"{self.op} {_SENTENCES[self.verdict]}"
        yield from (f"  {name} = {value}" for name, value in self.inputs.items())
        if self.nearest:
            of = f"{self.equal} of {len(self.inputs)} arguments equal"
            ran = f"ran {self.when[:19].replace('T', ' ')} UTC, " if self.when else ""
            kind = "the stored call" if self.verdict is Verdict.HIT else "nearest stored call"
            yield f"{kind}: {ran}took {duration(self.elapsed_s)}, {of}"
        yield from (f"  {item}" for item in self.differences)
        yield from (f"  {item}" for item in self.changed)
        if self.remedies:
            yield f"to reuse it: {'; and '.join(self.remedies)}"


class Explainer:
    """Explains the calls of one storage."""

    def __init__(self, world: World, lookup: Lookup, values: Values, code: Code) -> None:
        self._world = world
        self._lookup = lookup
        self._values = values
        self._code = code

    def explain(self, call: PreparedCall) -> Explanation:
        """Say what would happen to `call`, and why."""
        hit = self._lookup.peek(call.op, call.slots)
        if hit is not None:
            return self._about(call, Verdict.HIT, hit)
        stale = self._lookup.stale(call.op, call.slots)
        if stale is not None:
            return self._about(call, Verdict.CODE_CHANGED, stale)
        stored = self._world.newest_calls(call.name, MOST_CALLS)
        mine = [known for known in stored if known.op_version == call.op.version]
        if mine:
            nearest = nearest_call(mine, call.slots, self._lookup)
            return self._about(call, Verdict.NEW_INPUTS, nearest)
        verdict = Verdict.OTHER_VERSION if stored else Verdict.NOT_STORED
        versions = sorted({known.op_version for known in stored})
        remedies = [f"set @op(version={number})" for number in versions]
        return Explanation(
            call.name,
            verdict,
            self._inputs(call),
            remedies=tuple(remedies or ["make the call once inside `with storage:`"]),
        )

    def _about(self, call: PreparedCall, verdict: Verdict, nearest: Call) -> Explanation:
        differences = tuple(self._differences(call, nearest)) if verdict is not Verdict.HIT else ()
        changed = tuple(self._changed(nearest)) if verdict is not Verdict.HIT else ()
        given = {(slot.name, slot.cid) for slot in call.slots}
        return Explanation(
            op=call.name,
            verdict=verdict,
            inputs=self._inputs(call),
            nearest=to_hex(nearest.hid),
            when=str(nearest.run.get("start", "")),
            elapsed_s=nearest.seconds,
            equal=_equal(nearest, given),
            differences=differences,
            changed=changed,
            remedies=(*map(_pass, differences), *map(self._mend, changed)),
        )

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
        if isinstance(value, ValuePointer):
            return None
        try:
            was = self._load(stored)
            now = self._load(slot) if isinstance(value, Ref) else unwrap_all(value)
        except (GitmemoError, OSError):
            return None
        return difference(was, now)

    # `Any`: what stored bytes hold is known only to the op that made them.
    def _load(self, slot: Slot) -> Any:
        if slot.inline is not None:
            return from_inline(slot.inline.json)
        if any(value.size > _MOST_BYTES for value in self._world.values(slot.cid)):
            raise OSError("too large to read for an explanation")
        return self._values.load(slot.cid, lambda: slot.name)

    # --- code ------------------------------------------------------------

    def _changed(self, nearest: Call) -> Iterator[ChangedCode]:
        if self._lookup.is_valid(nearest.version):
            return
        version = self._world.version(nearest.version) if nearest.version else None
        if version is None or not self._lookup.versions:
            yield ChangedCode(nearest.op, CodeState.UNTRACKED)
            return
        decisions = self._world.decisions()
        for component in self._lookup.changed(version.id):
            old = version.pairs.get(component)
            if old is not None:
                yield ChangedCode(str(component), self._state(component, old, decisions))

    def _state(self, component: Component, old: Content, decisions: Decisions) -> CodeState:
        new = self._code.current(component)
        if new is None:
            return CodeState.GONE
        if old.source == new.source:
            return CodeState.VALUE
        if decisions.contested(component, old.source) or decisions.contested(component, new.source):
            return CodeState.CONTESTED
        related = decisions.related(component, old.source, new.source)
        return CodeState.BREAKING if related else CodeState.PENDING

    def _mend(self, change: ChangedCode) -> str:
        if change.state is CodeState.UNTRACKED:
            return "use a storage that tracks code where the call was made, or does not where it was not"
        if change.state is CodeState.PENDING and isinstance(self._world, RepositoryWorld):
            return f"gitmemo decide {change.component} --non-breaking, if older results stay valid"
        return f"bring {change.component} back to what it was"


def nearest_call(calls: Sequence[Call], slots: Sequence[Slot], lookup: Lookup) -> Call:
    """Return the call with the most equal arguments; of several a valid one, then the newest.

    Before that, one with arguments that Python calls equal: `1.0` is near to `1`.
    """
    given = {(slot.name, slot.cid) for slot in slots}
    shown = {slot.name: slot.inline.json for slot in slots if slot.inline}
    scores = [(_equal(call, given), _alike(call, shown)) for call in calls]
    most = max(scores)
    best = [call for call, score in zip(calls, scores, strict=True) if score == most]
    best.sort(key=lambda call: call.hid)
    best.sort(key=lambda call: str(call.run.get("start", "")), reverse=True)
    return next((call for call in best if lookup.is_valid(call.version)), best[0])


def _equal(call: Call, given: set[tuple[str, Digest]]) -> int:
    return sum((slot.name, slot.cid) in given for slot in call.inputs)


def _alike(call: Call, shown: Mapping[str, JsonValue]) -> int:
    return sum(
        slot.inline is not None and slot.name in shown and slot.inline.json == shown[slot.name]
        for slot in call.inputs
    )


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


@dataclass(frozen=True, slots=True)
class Completed:
    """The arguments of a call, of which some were taken from a stored call."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    taken: tuple[str, ...]


def complete(
    op: Op[..., Any],
    name: str,
    given: Mapping[str, Any],
    world: World,
    lookup: Lookup,
    loader: Loader,
) -> Completed:
    """Return the arguments of a call of which only some are given.

    Others are at their defaults; those without a default are what the nearest stored call had.

    Raises:
        WrongArguments: There is no such argument, or one is missing and no call is stored.
    """
    parameters = _parameters(op)
    _refuse_unknown(op, name, given, parameters)
    inputs = dict(given)
    binder = op.arguments.binder
    needed = [p for p in parameters if p not in binder.defaults and p not in op.options.ignored]
    missing = [p for p in needed if p not in inputs]
    if missing:
        stored = [
            call
            for call in world.newest_calls(name, MOST_CALLS)
            if call.op_version == op.version and set(missing) <= {s.name for s in call.inputs}
        ]
        if not stored:
            reason = f"{', '.join(map(repr, missing))} missing, and no stored call has it"
            raise WrongArguments(name, reason, parameters)
        nearest = nearest_call(stored, slots_of(op, name, given), lookup)
        inputs |= {s.name: ref_to(s, loader) for s in nearest.inputs if s.name in missing}
    try:
        args, kwargs = binder.unbind(inputs)
    except KeyError as error:
        raise WrongArguments(name, f"{error} missing", parameters) from None
    return Completed(args, kwargs, tuple(missing))


def _parameters(op: Op[..., Any]) -> tuple[str, ...]:
    binder = op.arguments.binder
    parameters = binder.signature.parameters.values()
    return tuple(p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))


def _refuse_unknown(
    op: Op[..., Any], name: str, given: Mapping[str, Any], parameters: tuple[str, ...]
) -> None:
    binder = op.arguments.binder
    kinds = [p.kind for p in binder.signature.parameters.values()]
    takes_any = any(kind.name == "VAR_KEYWORD" for kind in kinds)
    for argument in given:
        known = argument in parameters or binder.is_numbered(argument)
        if not known and not (takes_any and argument.isidentifier()):
            raise WrongArguments(name, f"it has no argument {argument!r}", parameters)
