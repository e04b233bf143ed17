"""From a change and an answer to the facts that say so.

Not who answers: a person at a commit, in a program or at the command line, or a
policy. Invariant: all answers are there before the first fact is recorded, so
that an abort changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from gitmemo.changes.change import Change
from gitmemo.changes.extracted import dependencies_of
from gitmemo.config import OnChange
from gitmemo.errors import UndecidedChanges
from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.components import Component, Content
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Decision, Fact, JsonValue, Source, Text, Verdict
from gitmemo.model.lines import record_id, to_line
from gitmemo.model.statements import standing
from gitmemo.world.view import World


class Asker(Protocol):
    """Somebody who can say whether a change is breaking."""

    def ask(self, change: Change, number: int, total: int) -> Verdict | None:
        """Return the verdict, None for later; raise `Aborted` to stop."""
        ...


def verdicts(
    changes: Sequence[Change], policy: OnChange, find_asker: Callable[[], Asker | None]
) -> list[tuple[Change, Verdict | None]]:
    """Return what the policy says of each change; `find_asker` is called when it is to ask.

    Raises:
        Aborted: The person who was asked stopped.
        UndecidedChanges: The policy is `error`, and there are changes.
    """
    if not changes:
        return []
    match policy:
        case OnChange.ERROR:
            raise UndecidedChanges(tuple(str(change.component) for change in changes))
        case OnChange.BREAKING:
            return [(change, Verdict.BREAKING) for change in changes]
        case OnChange.NON_BREAKING:
            return [(change, Verdict.NON_BREAKING) for change in changes]
        case OnChange.PENDING:
            return [(change, None) for change in changes]
        case OnChange.ASK:
            asker = find_asker()
            if asker is None:
                return [(change, None) for change in changes]
            # All answers first: an abort at the last question must change nothing.
            return [
                (change, asker.ask(change, number, len(changes)))
                for number, change in enumerate(changes, 1)
            ]


def facts_of(
    world: World,
    change: Change,
    verdict: Verdict | None,
    why: str = "",
    who: Mapping[str, JsonValue] | None = None,
    needs: Mapping[Component, Content] | None = None,
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
        text = Text(change.new_text)
        source = Source(
            change.component,
            change.source,
            digest(change.new_text.encode("utf-8")),
            world.lineage(change.component),
        )
        parent = record_id(to_line(source))
        yield text
        yield source
    if verdict is not None:
        decision = decision_about(change, verdict, why, world.decisions(), parent, who)
        yield standing(decision, world.statements())
    if verdict is Verdict.NON_BREAKING and needs:
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
