"""A component that stored calls depend on, and that holds something else now.

Not how it is found (`finding`) or decided (`deciding`). Invariant: values only.
"""

from __future__ import annotations

from dataclasses import dataclass

from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.contests import Place


@dataclass(frozen=True, slots=True)
class Dependents:
    """The calls of one op that touched a component: how many, and how long they took."""

    op: str
    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Affected:
    """A version of an op that touched a component, by its two ids."""

    op: str
    content: Digest
    semantic: Digest


@dataclass(frozen=True, slots=True)
class Change:
    """A component that stored calls depend on holds something else now.

    Attributes:
        old, new: What a decision is about: source ids, or value ids where the sources are equal.
        old_text, new_text: The texts, for the diff; empty if not known.
        source: The source id of what it holds now: `new`, unless that is a value id.
        dependents: The ops whose calls touched it with its old content.
        affected: The versions of these calls, in the order in which they came; only of changes
            that are not found at a commit.
        former: What calls touched under another name, if nobody said yet that it is `old` now.
    """

    component: Component
    old: Digest
    new: Digest
    old_text: str
    new_text: str
    source: Digest
    dependents: tuple[Dependents, ...]
    affected: tuple[Affected, ...] = ()
    former: tuple[Place, ...] = ()

    @property
    def only_value(self) -> bool:
        """Whether the text is the same: a variable has another value, or names point elsewhere."""
        return self.source != self.new and self.old_text == self.new_text

    def diff(self) -> list[str]:
        """Return the unified diff, without line endings."""
        import difflib  # who looks for changes mostly finds none

        lines = difflib.unified_diff(
            self.old_text.splitlines(), self.new_text.splitlines(), lineterm="", n=3
        )
        return [line for line in lines if not line.startswith(("---", "+++"))]
