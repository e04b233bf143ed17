"""From values and outcomes to facts and blobs.

Not look-ups (`lookup`) and not files (`world`, `blobs`). Invariant: bytes are
stored before the fact that names them, and the facts of one call in one piece.
"""

from __future__ import annotations

import threading
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from typing import Any

from gitmemo.codecs import Encoded
from gitmemo.hashing.digest import Digest, digest
from gitmemo.memo.composing import composed
from gitmemo.memo.execute import CallOutcome
from gitmemo.memo.inputs import PreparedCall
from gitmemo.memo.secrecy import is_secret
from gitmemo.memo.trust import Values
from gitmemo.memo.verdicts import Verdicts
from gitmemo.model import ids
from gitmemo.model.components import Component, Content
from gitmemo.model.facts import (
    Call,
    Fact,
    JsonValue,
    Slot,
    Source,
    Text,
    Tombstone,
    Value,
    Version,
)
from gitmemo.model.items import raw
from gitmemo.model.lines import record_id, to_line
from gitmemo.model.names import CLOSURE
from gitmemo.model.tombstones import origin_of
from gitmemo.quantities import timestamp
from gitmemo.ref import Ref, holds
from gitmemo.special import ValuePointer
from gitmemo.tracing import CodeState
from gitmemo.world.view import World

_MOST_VERSIONS = 1000
# What a link says of the run whose outputs it repeats: frames ask when and where a result was made.
_REPEATED = ("commit", "dirty", "seconds", "start")

recorded: ContextVar[list[Call] | None] = ContextVar("gitmemo_recorded", default=None)
"""Where the calls are noted that are recorded in this context, if anybody wants to know."""


class Recorder:
    """Writes what a storage's calls leave behind. `code` is None where code is not versioned."""

    def __init__(
        self,
        world: World,
        values: Values,
        code: CodeState | None,
        verdicts: Verdicts | None = None,
    ) -> None:
        self._world = world
        self._values = values
        self._code = code
        self._verdicts = verdicts
        # Two threads that record the first calls with a version record its sources once.
        self._lock = threading.RLock()
        self._versions: set[Digest] = set()
        self._sources: set[tuple[Component, Digest]] = set()
        self._latest: dict[Component, Digest] = {}
        self._place: dict[str, JsonValue] = {}
        # By the id of the mapping, which each of them holds: calls of one op share one.
        self._made: dict[int, Version] = {}

    def enter(self) -> None:
        """Begin a block: the commit, and what other processes recorded, may have changed."""
        self._place = {}
        self._latest.clear()

    def inputs(
        self, op: str, inputs: Mapping[str, Any], slots: Sequence[Slot], stored: Collection[str]
    ) -> list[Fact]:
        """Store those raw inputs that are to be, before a body can change them; return the facts."""
        facts: list[Fact] = []
        for value, slot in zip(inputs.values(), slots, strict=True):
            if slot.inline or slot.name not in stored or is_secret(slot.name, value):
                continue
            if holds(value, (ValuePointer,)):
                continue
            if slot.name.startswith(CLOSURE) and _is_code(value):
                continue  # it identifies the call, and no call is run again with another one
            if isinstance(value, Ref) and value.is_stored_alone:
                continue  # its bytes are kept, or are not to be
            if not self._values.can_read(slot.cid):
                where = f"argument {slot.name!r} of {op}"
                data = composed(slot, value, where, self._values.can_read)
                facts += self._stored(slot.cid, data)
        return facts

    def call(
        self,
        prepared: PreparedCall,
        outcome: CallOutcome,
        facts: list[Fact],
        ignored: Mapping[str, JsonValue],
    ) -> Call:
        """Record a finished call, with `facts` about its inputs; it is durable when this returns.

        `ignored` are arguments that do not count, noted beside the call.
        """
        facts += self.outputs(outcome)
        with self._lock:
            call = self._recorded(prepared, outcome, facts, ignored)
        _note(call)
        return call

    def _recorded(
        self,
        prepared: PreparedCall,
        outcome: CallOutcome,
        facts: list[Fact],
        ignored: Mapping[str, JsonValue],
    ) -> Call:
        op, number, slots = prepared.name, prepared.op.version, tuple(prepared.slots)
        version = None
        if self._code is not None:
            version = self._version(self._with_added(outcome.components, self._code))
            if version.id not in self._versions:
                facts += self._version_facts(version, self._code)
        code = version.id if version else None
        hid = ids.call_hid(op, number, code, [(slot.name, slot.hid) for slot in slots])
        outputs = tuple(
            [
                Slot.output(
                    hid, o.name, o.item or raw(ids.unkept_cid(op, number, code, slots, o.name))
                )
                for o in outcome.outputs
            ]
        )
        run = self._run_facts(outcome)
        if ignored:
            run["ignored"] = dict(ignored)
        call = Call.made(
            op, number, code, slots, outputs, outcome.inner, run, hid=hid, key=prepared.key
        )
        call = self._alive(call, facts)
        self._record([*facts, call])
        if version and version.id not in self._versions:
            # Only now: another thread that finds them here writes calls without them.
            self._versions.add(version.id)
            self._sources.update((c, content.source) for c, content in version.pairs.items())
        return call

    def reported(self, facts: Sequence[Fact]) -> None:
        """Record what a worker recorded where it is not seen from here, but for what is known.

        Sources follow those of here, so that histories are what they were if the calls had run here.
        """
        with self._lock:
            versions = [f for f in facts if isinstance(f, Version) and f.id not in self._versions]
            new: list[Fact] = [*self._reported_sources(versions, facts), *versions]
            for fact in facts:
                if isinstance(fact, Call):
                    new += self._reported_call(fact)
                elif isinstance(fact, Value) and fact not in self._world.values(fact.cid):
                    new.append(fact)
            self._world.record(new)
            for version in versions:
                self._versions.add(version.id)
                self._sources.update((c, content.source) for c, content in version.pairs.items())

    def _reported_sources(
        self, versions: Iterable[Version], facts: Iterable[Fact]
    ) -> Iterator[Fact]:
        texts = {digest(f.text.encode("utf-8")): f.text for f in facts if isinstance(f, Text)}
        found = {(f.component, f.source): f.text for f in facts if isinstance(f, Source)}
        pairs = [pair for version in versions for pair in version.pairs.items()]
        for component, content in dict.fromkeys(pairs):
            at = component, content.source
            if at in found and at not in self._sources:
                yield from self._source_facts(
                    component, content, partial(texts.__getitem__, found[at])
                )

    def _reported_call(self, call: Call) -> Iterator[Call]:
        """Yield a call, unless another worker has recorded the same one here."""
        here = [c.call for c in self._world.candidates(call.key) if c.here]
        if not any(_is_same(known, call) for known in here):
            yield self._alive(call, ())

    def outputs(self, outcome: CallOutcome) -> list[Fact]:
        """Store the results that cannot be read here yet; return the facts about them."""
        facts: list[Fact] = []
        for output in outcome.outputs:
            if output.encoded is None or output.cid is None:
                continue
            if not self._values.can_read(output.cid):
                facts += self._stored(output.cid, output.encoded)
        return facts

    def _record(self, facts: Sequence[Fact]) -> None:
        self._world.record(facts)

    def _stored(self, cid: Digest, data: Encoded) -> Iterator[Value]:
        """Store bytes, and before them those of the values that they name; yield the facts."""
        for part, behind in data.parts.items():
            if behind is not None and not self._values.can_read(part):
                yield from self._stored(part, behind)
        blob = self._world.blobs.put(data)
        yield Value(cid, data.codec, data.size, blob, tuple(data.parts))

    def link(
        self,
        call: Call,
        slots: Sequence[Slot],
        op: str = "",
        outputs: Sequence[str] = (),
        moved: tuple[Component, Component] | None = None,
    ) -> Call:
        """Record that `call`'s outputs are also those of inputs with other histories.

        `op` and `outputs` are the names of now, where they are not those of `call`; `moved` is its
        function then and now, where that is another component.
        """
        op = op or call.op
        hid = ids.call_hid(
            op, call.op_version, call.version, [(slot.name, slot.hid) for slot in slots]
        )
        names = outputs or [slot.name for slot in call.outputs]
        named = zip(names, call.outputs, strict=True)
        results = tuple(Slot.output(hid, name, slot) for name, slot in named)
        origin = origin_of(call) or record_id(to_line(call))
        same: dict[str, JsonValue] = {k: call.run[k] for k in _REPEATED if k in call.run}
        same["same"] = origin.hex()
        moved = moved or call.moved
        if moved is not None:
            same["as"] = [name for one in moved for name in (one.path, one.unit)]
        linked = Call(op, call.op_version, call.version, tuple(slots), results, call.inner, same)
        linked = self._alive(linked.known_as(hid), ())
        self._world.record([linked])
        _note(linked)
        return linked

    def _alive(self, call: Call, facts: Iterable[Fact]) -> Call:
        """Return `call` as a record that no tombstone names: the same line would be forgotten."""
        dead = self._world.tombstones().records
        for fact in facts:
            if isinstance(fact, Tombstone):
                dead = dead.union(fact.records)
        if not dead:
            return call
        again = 0
        while record_id(to_line(call)) in dead:
            again += 1
            call = replace(call, run={**call.run, "again": again})
        return call

    def _with_added(
        self, components: Mapping[Component, Content], code: CodeState
    ) -> Mapping[Component, Content]:
        """Count what people said that these components depend on, with what it holds now, too."""
        decisions = self._verdicts.decisions() if self._verdicts else None
        if decisions is None or not decisions.any_needs:
            return components
        added: dict[Component, Content] = {}
        for component, content in components.items():
            for need in decisions.needs(component, content.source):
                now = code.current(need.on)
                # One that came with an edit is about results of before the edit.
                if need.source is None and need.on not in components and now is not None:
                    added[need.on] = now
        return {**components, **added} if added else components

    def _version(self, components: Mapping[Component, Content]) -> Version:
        """Return the version of a call that touched `components`, the same for the same mapping."""
        known = self._made.get(id(components))
        if known is not None and known.pairs is components:
            return known
        if len(self._made) > _MOST_VERSIONS:
            self._made.clear()
        version = self._made[id(components)] = Version(components)
        return version

    def _version_facts(self, version: Version, code: CodeState) -> list[Fact]:
        facts: list[Fact] = []
        for component, content in version.pairs.items():
            if (component, content.source) not in self._sources:
                facts += self._source_facts(
                    component, content, partial(code.text, component, content)
                )
        facts.append(version)
        return facts

    def _source_facts(
        self, component: Component, content: Content, text: Callable[[], str]
    ) -> Iterator[Fact]:
        if self._world.knows_source(component, content.source):
            return
        written = text()
        latest = self._latest.get(component)
        parents = (latest,) if latest else self._world.lineage(component)
        source = Source(component, content.source, digest(written.encode("utf-8")), parents)
        self._latest[component] = record_id(to_line(source))
        yield Text(written)
        yield source

    def place(self) -> Mapping[str, JsonValue]:
        """Return what is known of where calls run: Python, commit; found out once per block."""
        if not self._place:
            import platform

            self._place = {"python": platform.python_version(), **self._world.run_facts()}
        return self._place

    def _run_facts(self, outcome: CallOutcome) -> dict[str, JsonValue]:
        if outcome.came is not None:
            return dict(outcome.came)
        return {
            **(self._place or self.place()),
            "start": timestamp(outcome.started_s),
            "seconds": round(outcome.elapsed_s, 6),
        }


class Rehearsal(Recorder):
    """Does what a recorder does before it writes, and writes nothing."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder._world, recorder._values, recorder._code, recorder._verdicts)

    def _record(self, facts: Sequence[Fact]) -> None:
        pass

    def _stored(self, cid: Digest, data: Encoded) -> Iterator[Value]:
        return iter(())


def _note(call: Call) -> None:
    noted = recorded.get()
    if noted is not None:
        noted.append(call)


def _is_same(one: Call, other: Call) -> bool:
    """Whether two records are of one call, with the same code and results."""
    return (one.hid, one.version, one.outputs) == (other.hid, other.version, other.outputs)


def _is_code(value: object) -> bool:
    """Whether a value is a function or an op."""
    return isinstance(getattr(value, "__wrapped__", value), types.FunctionType)
