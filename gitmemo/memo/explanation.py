"""Explanations: what would happen to a call, and what keeps it from being reused.

Not how that is found out (`explain`). Invariant: they are values, which say
the same as text and as JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gitmemo.memo.taken import Taken
from gitmemo.quantities import duration


class CacheStatus(StrEnum):
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
    CacheStatus.HIT: "would be reused: the call is stored, and its code is the same",
    CacheStatus.CODE_CHANGED: "would be computed: it is stored with these inputs, but for other code",
    CacheStatus.NEW_INPUTS: "would be computed: it is not stored with these inputs",
    CacheStatus.OTHER_VERSION: "would be computed: calls are stored for another @op(version=...) only",
    CacheStatus.NOT_STORED: "would be computed: no call of it is stored",
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
    """A component, written `file:unit`, that is not what it was for the nearest stored call.

    Attributes:
        said: What people call it, where that is something else.
        decided: What was decided about its content of then, or about that of now, a sentence each.
        added: Whether no call was seen to touch it: people said that results depend on it.
    """

    component: str
    state: CodeState
    said: str = ""
    decided: tuple[str, ...] = ()
    added: bool = False

    def as_dict(self) -> dict[str, object]:
        """Return the fields, for JSON."""
        return {
            "component": self.component,
            "state": self.state.name.lower(),
            "decided": list(self.decided),
            "added": self.added,
        }

    def __str__(self) -> str:
        decided = "".join(f"\n    decided: {sentence}" for sentence in self.decided)
        if self.said:
            return f"{self.said} {self.state}{decided}"
        added = " (a dependency that was added)" if self.added else ""
        return f"{self.component}{added}: {self.state}{decided}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a call would be reused or computed.

    Attributes:
        op: The op's name.
        status: Whether the call would be reused, and if not, why.
        inputs: What identifies the call, each in a few words.
        nearest: History id, in hex, of the stored call with the most equal arguments.
        when: When that call ran (ISO 8601); empty if not known.
        elapsed_s: How long it took.
        equal: How many of its arguments are those of the call.
        differences: The arguments that differ.
        changed: The code that differs.
        remedies: What would make it a hit.
        older_when: When the newest call with these inputs ran that other code made; empty if none did.
        older_changed: The code that differs from that.
        taken: The arguments that were not given, but taken from a stored call.
    """

    op: str
    status: CacheStatus
    inputs: Mapping[str, str] = field(default_factory=dict)
    nearest: str | None = None
    when: str = ""
    elapsed_s: float = 0.0
    equal: int = 0
    differences: tuple[ArgumentDifference, ...] = ()
    changed: tuple[ChangedCode, ...] = ()
    remedies: tuple[str, ...] = ()
    older_when: str = ""
    older_changed: tuple[ChangedCode, ...] = ()
    taken: tuple[Taken, ...] = ()

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def as_dict(self) -> dict[str, object]:
        """Return the fields, for JSON."""
        return {
            "op": self.op,
            "status": self.status.value,
            "inputs": dict(self.inputs),
            "nearest": self.nearest,
            "when": self.when or None,
            "seconds": self.elapsed_s,
            "equal": self.equal,
            "differences": [
                {"name": d.name, "stored": d.stored, "given": d.given, "how": d.how or None}
                for d in self.differences
            ],
            "changed": [c.as_dict() for c in self.changed],
            "older": [c.as_dict() for c in self.older_changed],
            "remedies": list(self.remedies),
            "outdated": {one.name: one.older for one in self.taken if one.older},
        }

    def _sentence(self) -> str:
        older = [one.name for one in self.taken if one.older]
        if older and self.status is CacheStatus.HIT:
            return f"is stored with these inputs, but a run makes {' and '.join(older)} anew"
        files = [one.name for one in self.taken if one.is_file]
        if files and self.status is CacheStatus.HIT:
            return f"{_SENTENCES[self.status]}, if {' and '.join(files)} did not change since"
        return _SENTENCES[self.status]

    def _lines(self) -> Iterator[str]:
        yield f"{self.op} {self._sentence()}"
        yield from (f"  {name} = {value}" for name, value in self.inputs.items())
        if self.nearest:
            of = f"{self.equal} of {len(self.inputs)} arguments equal"
            ran = f"ran {_moment(self.when)}, " if self.when else ""
            kind = "the stored call" if self.status is CacheStatus.HIT else "nearest stored call"
            yield f"{kind}: {ran}took {duration(self.elapsed_s)}, {of}"
        yield from (f"  {item}" for item in self.differences)
        yield from (f"  {item}" for item in self.changed)
        if self.older_changed:
            ran = f" of {_moment(self.older_when)}" if self.older_when else ""
            yield f"a call{ran} with these inputs would not be reused:"
            yield from (f"  {item}" for item in self.older_changed)
        if self.remedies:
            yield f"to reuse it: {'; and '.join(self.remedies)}"


def _moment(when: str) -> str:
    return f"{when[:19].replace('T', ' ')} UTC"
