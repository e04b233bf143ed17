"""From a change and an answer to the facts that say so.

Not who answers (`cases`). Invariant: what is recorded contradicts nothing that
counts, and is a new fact even if the same was said and taken back before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitmemo.changes.change import Change
from gitmemo.changes.extracted import Need, dependencies_of
from gitmemo.changes.seen import source_facts
from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.components import Component
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Decision, Fact, JsonValue, Move, Source, Text, Verdict
from gitmemo.model.lines import record_id, to_line
from gitmemo.model.statements import standing
from gitmemo.world.view import World


def facts_of(
    world: World,
    change: Change,
    verdict: Verdict | None,
    why: str = "",
    who: Mapping[str, JsonValue] | None = None,
    needs: Mapping[Component, Need] | None = None,
) -> Iterator[Fact]:
    """Yield the facts that put a change, and what was decided about it, into the histories.

    `needs` is what only the new text calls (`extracted`): after a non-breaking verdict old
    results depend on that too.
    """
    history = world.history(change.component).values()
    known = {
        record: fact
        for record, fact in history
        if isinstance(fact, Source) and fact.source == change.source
    }
    parent: Digest
    if known:
        parent = min(known)
    else:
        text = change.new_text
        lineage = world.lineage(change.component)
        source = Source(change.component, change.source, digest(text.encode("utf-8")), lineage)
        parent = record_id(to_line(source))
        yield Text(text)
        yield source
    if verdict is not None:
        for component, content in change.former:
            move = Move(component, content, change.component, change.old, why)
            yield standing(move, world.statements())
        decision = decision_about(change, verdict, why, world.decisions(), parent, who)
        yield standing(decision, world.statements())
    if verdict is Verdict.NON_BREAKING and needs:
        for component, need in needs.items():
            yield from source_facts(world, component, need.content.source, need.text)
        yield from dependencies_of(world, change, needs, why)


def decision_about(
    change: Change,
    verdict: Verdict,
    why: str,
    decisions: Decisions,
    parent: Digest,
    who: Mapping[str, JsonValue] | None = None,
) -> Decision:
    """Return the decision about `change`, which follows the fact `parent` in the history.

    It replaces what was said of the same pair, and what contradicts it.
    """
    return Decision(
        change.component,
        change.old,
        change.new,
        verdict,
        why,
        parents=(parent,),
        supersedes=decisions.to_give_up(change.component, change.old, change.new, verdict),
        who=who or {},
    )
