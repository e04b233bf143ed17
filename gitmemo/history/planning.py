"""Which commits a set of facts still needs: decided here, written elsewhere.

Not a repository: what it must know of one comes in as functions. Invariant: a
fact is rendered only after everything that it follows, and one that cannot be
rendered yet is reported, never dropped silently.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field

from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.history.names import key_of
from gitmemo.history.rendering import Parent, Rendering, fact_id, render
from gitmemo.model.components import Component
from gitmemo.model.facts import Decision, Source


@dataclass(slots=True)
class RenderPlan:
    """What to write, in the order of writing.

    Attributes:
        new: Fact to its rendering, where the repository has none yet.
        facts: The facts of `new`.
        known: How many of the facts given have their commit already.
        waiting_for_text: `Source` facts whose text nobody gave.
        waiting_for_parents: Facts that follow one that is not known here.
        rejected: Facts that can never be commits, and why.
    """

    new: dict[Digest, Rendering] = field(default_factory=dict)
    facts: dict[Digest, Source | Decision] = field(default_factory=dict)
    known: int = 0
    waiting_for_text: list[Digest] = field(default_factory=list)
    waiting_for_parents: list[Digest] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)

    def heads(self) -> dict[Component, list[str]]:
        """Return the new commits of each component, all of them."""
        result: dict[Component, list[str]] = {}
        for fact, rendering in self.new.items():
            result.setdefault(self.facts[fact].component, []).append(rendering.commit)
        return result


def plan_rendering(
    facts: Iterable[Source | Decision],
    known: Container[Digest],
    parent_of: Callable[[Digest], Parent | None],
    text_of: Callable[[Digest], str | None],
    object_format: str = "sha1",
) -> RenderPlan:
    """Decide what to render.

    Args:
        facts: In any order, with repetitions.
        known: The facts that have their commit already.
        parent_of: The commit of a known fact, None for another.
        text_of: The text with a digest, if it is known.
        object_format: The repository's hash function.
    """
    plan = RenderPlan()
    given = {fact_id(fact): fact for fact in facts}
    for ident in _parents_first(given):
        if ident in known:
            plan.known += 1
        else:
            _plan_one(plan, ident, given[ident], parent_of, text_of, object_format)
    return plan


def _plan_one(
    plan: RenderPlan,
    ident: Digest,
    fact: Source | Decision,
    parent_of: Callable[[Digest], Parent | None],
    text_of: Callable[[Digest], str | None],
    object_format: str,
) -> None:
    parents = [
        plan.new[parent].parent if parent in plan.new else parent_of(parent)
        for parent in fact.parents
    ]
    present = [parent for parent in parents if parent is not None]
    text = text_of(fact.text) if isinstance(fact, Source) else None
    if len(present) < len(parents):
        plan.waiting_for_parents.append(ident)
    elif isinstance(fact, Source) and text is None:
        plan.waiting_for_text.append(ident)
    else:
        try:
            key_of(fact.component)
            plan.new[ident] = render(fact, text, present, object_format)
            plan.facts[ident] = fact
        except ValueError as error:
            plan.rejected.append(f"fact {to_hex(ident)} of {fact.component}: {error}")


def _parents_first(given: dict[Digest, Source | Decision]) -> list[Digest]:
    """Order facts so that each comes after those that it follows; sorted otherwise."""
    ordered: list[Digest] = []
    done: set[Digest] = set()
    for start in sorted(given):
        stack = [(start, False)]
        while stack:
            ident, parents_done = stack.pop()
            if ident in done or ident not in given:
                continue
            if parents_done:
                done.add(ident)
                ordered.append(ident)
            else:
                stack.append((ident, True))
                stack += [(parent, False) for parent in given[ident].parents]
    return ordered
