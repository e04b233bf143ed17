"""Facts: everything that gitmemo remembers, as immutable values.

Not how they are written (`lines`) or kept (`world`). Invariant: facts only
grow; each is named by its content (its record id), so that merging two sets of
facts is a set union.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Self, TypeAlias

from gitmemo.hashing.digest import Digest
from gitmemo.model import ids
from gitmemo.model.components import Component, Content
from gitmemo.model.items import Held, inside
from gitmemo.model.items import Inline as Inline
from gitmemo.model.items import JsonValue as JsonValue
from gitmemo.model.slots import Slot as Slot

Reader: TypeAlias = "Callable[[str, Digest], Call]"
"""Reads the line of the call with a history id."""

_READ_LATE = frozenset({"inputs", "outputs", "inner", "run"})
_TWO_COMPONENTS = 4  # path and unit of each
_NOWHERE = Component("?", "?")


@dataclass(frozen=True)
class Call:
    """One finished call of an op.

    Attributes:
        op: The op's name, `module:qualname` or what `name=` said.
        op_version: The op's own version number (`@op(version=…)`).
        version: Id of the set of code contents that it touched; None where code is not versioned.
        inputs: In signature order.
        outputs: In order.
        inner: History ids of the op calls that its body made, in order.
        run: Facts about the run that never select a result: start, seconds, commit, python, …;
            `{"same": record id}` for a link: same outputs as that record, inputs of another history,
            beside what is repeated of that run: start, seconds, commit;
            with `"as"` if the op's function was another component then (`moved`).
    """

    op: str
    op_version: int
    version: Digest | None
    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]
    inner: tuple[Digest, ...] = field(default_factory=tuple)
    run: Mapping[str, JsonValue] = field(default_factory=dict)

    @cached_property
    def hid(self) -> Digest:
        """History id: which op, which code, which inputs with which histories."""
        return ids.call_hid(
            self.op, self.op_version, self.version, [(s.name, s.hid) for s in self.inputs]
        )

    @classmethod
    def made(
        cls,
        op: str,
        op_version: int,
        version: Digest | None,
        inputs: tuple[Slot, ...],
        outputs: tuple[Slot, ...],
        inner: tuple[Digest, ...],
        run: Mapping[str, JsonValue],
        hid: Digest,
        key: Digest,
    ) -> Self:
        """Return a call whose ids are known already; a third of the time, in every call that is run."""
        call = cls.__new__(cls)
        vars(call).update(
            op=op,
            op_version=op_version,
            version=version,
            inputs=inputs,
            outputs=outputs,
            inner=inner,
            run=run,
            hid=hid,
            key=key,
        )
        return call

    def known_as(self, hid: Digest, key: Digest | None = None) -> Self:
        """Take over the history id, and perhaps the key, computed already; return the call."""
        known = vars(self)
        known["hid"] = hid
        if key is not None:
            known["key"] = key
        return self

    @cached_property
    def cid(self) -> Digest:
        """The same over the contents of the inputs."""
        return ids.call_hid(
            self.op, self.op_version, self.version, [(s.name, s.cid) for s in self.inputs]
        )

    @cached_property
    def key(self) -> Digest:
        """The key under which look-ups find it: op and contents of inputs, whatever the code."""
        return ids.call_key(
            ids.op_key(self.op, self.op_version), [(s.name, s.cid) for s in self.inputs]
        )

    @property
    def ignored(self) -> Mapping[str, JsonValue]:
        """The arguments that did not count, by name; None where the value was not noted."""
        noted = self.run.get("ignored")
        return noted if isinstance(noted, dict) else {}

    @classmethod
    def unread(cls, known: Mapping[str, object], line: str, read: Reader) -> Self:
        """Return the call of `line`, which is read when something is asked that is not `known`.

        `known` holds values of `op`, `op_version`, `version`, `hid`, `input_names`, `start` and `is_link`.
        """
        call = cls.__new__(cls)
        vars(call).update(known, _unread=(line, read))
        return call

    def __getattr__(self, name: str) -> Any:
        # Only what a call that was not read does not have yet comes here.
        unread = vars(self).get("_unread")
        if unread is None or name not in _READ_LATE:
            raise AttributeError(f"a call has no {name!r}")
        line, read = unread
        found = vars(read(line, self.hid))
        vars(self).update({one: found[one] for one in _READ_LATE})
        vars(self).pop("_unread", None)  # another thread may have been here
        return found[name]

    @cached_property
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs."""
        return tuple([slot.name for slot in self.inputs])

    @cached_property
    def start(self) -> str:
        """When it began, in UTC; empty where that is not known."""
        return str(self.run.get("start", ""))

    @cached_property
    def is_link(self) -> bool:
        """Whether it repeats the outputs of another record, for inputs of other histories."""
        return "same" in self.run

    @property
    def brought(self) -> Mapping[str, JsonValue]:
        """For a call that another tool ran: `tool`, and `code`, "same" or "trusted"; else empty."""
        came = self.run.get("from")
        return came if isinstance(came, dict) else {}

    @property
    def moved(self) -> tuple[Component, Component] | None:
        """For a link under another name: the op's function in the version, and what that is since."""
        if not self.is_link or "as" not in self.run:
            return None
        names = self.run["as"]
        if isinstance(names, list) and len(names) == _TWO_COMPONENTS:
            old_path, old_unit, path, unit = map(str, names)
            return Component(old_path, old_unit), Component(path, unit)
        return _NOWHERE, _NOWHERE  # written by nobody we know: it stands for nothing

    @property
    def seconds(self) -> float:
        """How long the body took; 0 where that is not known."""
        value = self.run.get("seconds")
        return float(value) if isinstance(value, int | float) else 0.0


@dataclass(frozen=True, slots=True)
class Value:
    """Where the bytes of a value are: one content id may have several.

    Attributes:
        parts: Content ids of the other values that the bytes name; without them it cannot be read.
    """

    cid: Digest
    codec: str
    size: int
    blob: Digest
    parts: tuple[Digest, ...] = ()


@dataclass(frozen=True)
class Version:
    """The set of component contents that a call touched."""

    pairs: Mapping[Component, Content]

    @cached_property
    def id(self) -> Digest:
        """Digest of the sorted pairs."""
        return ids.version_id(
            sorted(
                [
                    (component.path, component.unit, content.source, content.value)
                    for component, content in self.pairs.items()
                ]
            )
        )


@dataclass(frozen=True, slots=True)
class Source:
    """A content of a component was seen, with its text, after `parents`.

    Attributes:
        parents: Record ids of the `Source` and `Decision` facts that it follows.
        text: BLAKE3 of the text as written (UTF-8).
    """

    component: Component
    source: Digest
    text: Digest
    parents: tuple[Digest, ...] = ()


class Verdict(StrEnum):
    """What a person said of a change."""

    BREAKING = "breaking"
    NON_BREAKING = "non-breaking"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether two contents of one component give the same results.

    Attributes:
        old, new: Source ids (or, for globals, value ids).
        supersedes: Record ids of earlier decisions that this one replaces.
        parents: Record ids of the facts that it follows in the component's history.
        who: `{"user": …, "at": …}` if the project records it.
    """

    component: Component
    old: Digest
    new: Digest
    verdict: Verdict
    why: str = ""
    supersedes: tuple[Digest, ...] = ()
    parents: tuple[Digest, ...] = ()
    who: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Move:
    """A content of one component is a content of another: it was renamed, or went to another file.

    Attributes:
        component, source: What it was, and the source id that it had.
        to, new: What it is, and the source id that it has there.
        supersedes: Record ids of earlier statements that this one replaces.
    """

    component: Component
    source: Digest
    to: Component
    new: Digest
    why: str = ""
    supersedes: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True)
class Dependency:
    """Calls that touched `component` depended on another one too, though no tracking saw it.

    Attributes:
        source: Only calls that touched this content of `component`; None for all of them.
        on, content: The other component, and what it held.
        supersedes: Record ids of earlier statements that this one replaces.
    """

    component: Component
    source: Digest | None
    on: Component
    content: Content
    why: str = ""
    supersedes: tuple[Digest, ...] = ()


class RenameKind(StrEnum):
    """What has another name now."""

    OP = "op"
    ARGUMENT = "argument"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Rename:
    """An op, or an argument or output of one, has another name: look-ups try both.

    Attributes:
        of: The op, for an argument or an output; empty for an op.
        supersedes: Record ids of earlier statements that this one replaces.
    """

    kind: RenameKind
    of: str
    old: str
    new: str
    why: str = ""
    supersedes: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    """A value that a call made has a name.

    Attributes:
        hid, cid: Its history, and its content: one history may have led to several contents.
        supersedes: Record ids of earlier statements that this one replaces.
    """

    name: str
    hid: Digest
    cid: Digest
    why: str = ""
    supersedes: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Statements (decisions, moves, dependencies, renames, tags) do not count any more.

    Attributes:
        supersedes: Their record ids. One that is made again names this one, so that it is another.
    """

    supersedes: tuple[Digest, ...]
    why: str = ""


Statement: TypeAlias = Decision | Move | Dependency | Rename | Tag | Withdrawal
"""What people said of code and values. It counts as long as no other supersedes it."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Calls are forgotten: look-ups and tables leave them out.

    Attributes:
        records: Record ids of the calls, sorted. A call that is made again is another record.
        keys: Their look-up keys, sorted: where to find them, for a record id alone says nothing.
        follows: Record ids of the tombstones in force and of the `Undo` facts about these calls
            that came before, so that forgetting again, also after an undo, is another fact.
    """

    records: tuple[Digest, ...]
    keys: tuple[Digest, ...]
    why: str = ""
    follows: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True)
class Undo:
    """Tombstones do not count any more: the calls that they name are back.

    Attributes:
        tombstones: Record ids of the tombstones, sorted.
    """

    tombstones: tuple[Digest, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """The text behind a `Source`; only in journals, committed as a git blob."""

    text: str


Fact: TypeAlias = Call | Value | Version | Source | Statement | Tombstone | Undo | Text


def referenced_cids(calls: Iterable[Call]) -> set[Digest]:
    """Return the content ids whose bytes are not inline in `calls`."""
    return {
        slot.cid for call in calls for slot in (*call.inputs, *call.outputs) if slot.inline is None
    }


def sources(call: Call) -> set[Digest]:
    """Return the history ids that `call` used: of its arguments, and of what is in them."""
    held: list[Held] = []
    for slot in call.inputs:
        held += (slot, *inside(slot))
    return {one.hid for one in held if one.hid != ids.raw_hid(one.cid)}
