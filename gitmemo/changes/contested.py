"""What was decided, and what is contested, as something to decide about; and who said what.

Not the algebra (`model.contests`). Invariant: values only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from gitmemo.changes.change import Change
from gitmemo.changes.finding import ReadableCode
from gitmemo.changes.uses import Uses
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.contests import Contest, Edge
from gitmemo.model.facts import Decision, JsonValue
from gitmemo.short_ids import short


def contested_change(
    contest: Contest,
    uses: Uses,
    code: ReadableCode,
    text_of: Callable[[Component, Digest], str | None],
) -> Change:
    """Return the two contents that a contest holds apart, those of the code of now as the new ones."""
    component = contest.component
    said = contest.breaking[0].statement
    assert isinstance(said, Decision)  # a move holds nothing apart
    now = code.current(component) if code.knows(component) else None
    if now is not None and said.old in (now.source, now.value):
        said = replace(said, old=said.new, new=said.old)
    change = decided_change(said, uses, text_of)
    if now is not None and now.source == change.source and not change.new_text:
        return replace(change, new_text=code.text(component) or "")
    return change


def decided_change(
    said: Decision, uses: Uses, text_of: Callable[[Component, Digest], str | None]
) -> Change:
    """Return the two contents that a decision is about."""
    component = said.component
    old_source, source = (_source_of(component, content, uses) for content in (said.old, said.new))
    return Change(
        component,
        said.old,
        said.new,
        text_of(component, old_source) or "",
        text_of(component, source) or "",
        source,
        uses.dependents(component, said.old),
    )


def said_in(contest: Contest) -> Iterator[str]:
    """Yield what the statements of a contest say, a line each."""
    for edge in (*contest.breaking, *contest.joining):
        yield said_by(edge)


def said_by(edge: Edge) -> str:
    """Return what one statement says of which contents, who said it, when and why."""
    said = edge.statement
    old, new = (short(content) for _, content in edge.ends)
    what = said.verdict.value if isinstance(said, Decision) else f"moved to {said.to}"
    by = ", ".join(who_said(said.who)) if isinstance(said, Decision) else ""
    who = f" ({by})" if by else ""
    why = f": {said.why}" if said.why else ""
    return f"{short(edge.record)} {what} {old} -> {new}{who}{why}"


def who_said(who: Mapping[str, JsonValue]) -> list[str]:
    """Return who made a decision, and when, as far as that was recorded in its `who`."""
    return [str(who[name]) for name in ("user", "at") if name in who]


def _source_of(component: Component, content: Digest, uses: Uses) -> Digest:
    """Return the source id of a content that a decision names by its value id."""
    for known in uses.contents.get(component, ()):
        if content == known.value:
            return known.source
    return content
