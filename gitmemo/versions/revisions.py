"""The history of one component: its contents, what each follows, and what was decided.

Not versions (`listing`), which are sets of contents. Invariant: a content is
there once, after all that it follows, whatever the order in which facts came.
"""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import overload

from gitmemo import markup
from gitmemo.changes.contested import who_said
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.components import Component, Content, is_variable
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Decision, JsonValue, Move, Source, Statement, Withdrawal
from gitmemo.model.statements import in_force
from gitmemo.model.validity import Code
from gitmemo.short_ids import short
from gitmemo.world.view import World


class Standing(StrEnum):
    """Whether a decision counts."""

    IN_FORCE = "in force"
    CONTESTED = "contested"
    REPLACED = "replaced by a later one"
    WITHDRAWN = "withdrawn"
    ELSEWHERE = "made on another branch"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What somebody said of two contents.

    Attributes:
        id: The decision's record id, in hex.
        old, new: What it is about: ids of contents, or of values.
        listed: The same, as contents are listed: a value by the content that had it, where one had.
        who: `{"user": …, "at": …}` where the project records it.
    """

    id: str
    old: str
    new: str
    verdict: str
    why: str
    who: Mapping[str, JsonValue]
    standing: Standing
    listed: tuple[str, str]

    def __str__(self) -> str:
        standing = "" if self.standing is Standing.IN_FORCE else f" ({self.standing})"
        old, new = map(short, self.listed)
        said = f"{old} to {new}: {self.verdict}{standing}"
        return said + self._by_whom_and_why()

    def since(self) -> str:
        """Say it of the new content, with the decision's id."""
        standing = "" if self.standing is Standing.IN_FORCE else f", {self.standing}"
        said = f"{self.verdict} since {short(self.listed[0])} (decision {short(self.id)}{standing})"
        return said + self._by_whom_and_why()

    def _by_whom_and_why(self) -> str:
        by = " ".join(who_said(self.who))
        return (f", said {by}" if by else "") + (f": {self.why}" if self.why else "")

    def as_dict(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "id": self.id,
            "old": self.old,
            "new": self.new,
            "verdict": self.verdict,
            "why": self.why or None,
            "who": dict(self.who) or None,
            "standing": self.standing.value,
        }


@dataclass(frozen=True, slots=True)
class Revision:
    """One content in the history of a component.

    Attributes:
        component: `path:unit`.
        id: The content's id (its source id), in hex.
        parents: Ids of the contents that it came after.
        text: The code as written; None where it is not on this machine.
        is_head: Whether the code has this content now.
        rulings: What was decided about the change to this content, or about values that it had.
        moved: Where else the same content is or was: the component was renamed, or moved.
        former: The text of what the component was before it was renamed or moved, if this
            content follows nothing else.
    """

    component: str
    id: str
    parents: tuple[str, ...]
    text: str | None
    is_head: bool
    rulings: tuple[Ruling, ...]
    moved: tuple[str, ...] = ()
    former: str | None = None

    def as_dict(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "component": self.component,
            "content": self.id,
            "parents": list(self.parents),
            "head": self.is_head,
            "decisions": [ruling.as_dict() for ruling in self.rulings],
            "moved": list(self.moved),
            "text": self.text,
        }


class SourceHistory(Sequence[Revision]):
    """The contents of one component, the earliest first. Printing it shows them."""

    def __init__(
        self, component: Component, found: Iterable[Revision], *, compact: bool, plain: bool
    ) -> None:
        self.component = str(component)
        self._found = tuple(found)
        self._compact = compact
        self._plain = plain

    @overload
    def __getitem__(self, index: int) -> Revision: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Revision, ...]: ...
    def __getitem__(self, index: int | slice) -> Revision | tuple[Revision, ...]:
        return self._found[index]

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"SourceHistory({self.component}: {len(self._found)})"

    def _repr_html_(self) -> str:
        parts = [markup.heading(str(self).partition("\n")[0])]
        for revision in self._found:
            now = " (now)" if revision.is_head else ""
            parts.append(markup.line(f"{short(revision.id)}{now}"))
            parts += [markup.line(str(ruling)) for ruling in revision.rulings]
            parts.append(markup.difference(self.diff(revision)))
        return markup.block(*parts)

    def __str__(self) -> str:
        if not self._found:
            return f"no content of {self.component} was ever recorded"
        return "\n".join([f"history of {self.component}", *self._lines()])

    def _lines(self) -> Iterator[str]:
        edge, dot = ("  ", "* ") if self._plain else ("│ ", "● ")
        for revision in self._found:
            head = "  now" if revision.is_head else ""
            after = ", ".join(short(parent) for parent in revision.parents)
            yield f"{dot}{short(revision.id)}{head}" + (f"  after {after}" if after else "")
            for ruling in revision.rulings:
                yield f"{edge}  {ruling}"
            for place in revision.moved:
                yield f"{edge}  also {place}"
            is_first = not revision.parents and revision.former is None
            whole = (revision.text or "").splitlines()
            lines = whole if is_first or not self._compact else self.diff(revision)
            yield from (f"{edge}    {line}".rstrip() for line in lines)

    def diff(self, revision: Revision) -> list[str]:
        """Return how a content differs from the first one that it follows, or from nothing.

        The first one of a component that was renamed or moved follows what that was before.
        """
        before = next((r for r in self._found if r.id in revision.parents), None)
        return diff_of(before.text if before else revision.former, revision.text)


def diff_of(old: str | None, new: str | None, context_lines: int = 3) -> list[str]:
    """Return the unified diff of two texts, without its head."""
    before, after = (old or "").splitlines(), (new or "").splitlines()
    return list(difflib.unified_diff(before, after, lineterm="", n=context_lines))[2:]


def history_of(
    world: World, component: Component, code: Code, *, compact: bool = False, plain: bool = False
) -> SourceHistory:
    """Return the history of a component; `code` says which content it has now."""
    [history] = histories_of(world, [component], code, compact=compact, plain=plain)
    return history


def histories_of(
    world: World,
    components: Sequence[Component],
    code: Code,
    *,
    compact: bool = False,
    plain: bool = False,
) -> list[SourceHistory]:
    """Return the histories of several components; each kind of fact is read once."""
    statements = world.statements()
    came = {move.to: move for move in in_force(statements, Move).values()}
    known = world.about({*components, *(came[to].component for to in components if to in came)})
    names = {f.text for facts in known.values() for f in facts.values() if isinstance(f, Source)}
    texts = world.texts(names)
    decisions = Decisions(statements)
    moves: dict[tuple[Component, Digest], list[str]] = defaultdict(list)
    for move in in_force(statements, Move).values():
        moves[move.component, move.source].append(f"{move.to} ({short(move.new)})")
        moves[move.to, move.new].append(f"{move.component} ({short(move.source)})")
    histories = []
    for component in components:
        facts = known.get(component, {})
        head = code.current(component) if code.knows(component) else None
        values = _contents_of_values(world, component, facts, head)
        history = _History(component, facts, decisions, statements, values)
        found = history.revisions(texts, head.source if head else None, moves)
        if component in came:
            text = _text_at(came[component], known, texts)
            found = [one if one.parents else replace(one, former=text) for one in found]
        histories.append(SourceHistory(component, found, compact=compact, plain=plain))
    return histories


def _text_at(
    move: Move, known: Mapping[Component, Mapping[Digest, object]], texts: Mapping[Digest, str]
) -> str | None:
    """Return the text of what moved, as it was before."""
    facts = known.get(move.component, {}).values()
    named = (f.text for f in facts if isinstance(f, Source) and f.source == move.source)
    return next((texts[name] for name in named if name in texts), None)


def _contents_of_values(
    world: World,
    component: Component,
    facts: Mapping[Digest, Source | Decision],
    head: Content | None,
) -> dict[Digest, Digest]:
    """Return the content that had each value of a variable, where just one had it and it one value."""
    if not is_variable(component) or all(isinstance(fact, Source) for fact in facts.values()):
        return {}
    contents = [version.pairs.get(component) for version in world.versions().values()]
    pairs = {(c.value, c.source) for c in (*contents, head) if c is not None and c.value}
    values, sources = Counter(v for v, _ in pairs), Counter(s for _, s in pairs)
    return {value: s for value, s in pairs if values[value] == sources[s] == 1}


class _History:
    """The facts about one component, put in order."""

    def __init__(
        self,
        component: Component,
        facts: Mapping[Digest, Source | Decision],
        decisions: Decisions,
        statements: Sequence[tuple[Digest, Statement]],
        values: Mapping[Digest, Digest],
    ) -> None:
        self._component = component
        self._facts = facts
        self._decisions = decisions
        self._values = values
        self._here = {record for record, _ in statements}
        self._replaced = {
            record
            for _, fact in statements
            if not isinstance(fact, Withdrawal)
            for record in fact.supersedes
        }
        self._texts: dict[Digest, Digest] = {}
        self._before: dict[Digest, set[Digest]] = defaultdict(set)
        for fact in facts.values():
            if isinstance(fact, Source):
                self._texts.setdefault(fact.source, fact.text)
                self._before[fact.source] |= self._contents_before(fact) - {fact.source}

    def revisions(
        self,
        texts: Mapping[Digest, str],
        head: Digest | None,
        moves: Mapping[tuple[Component, Digest], Sequence[str]],
    ) -> list[Revision]:
        """Return the contents, each after all that it follows."""
        rulings = self._rulings()
        return [
            Revision(
                str(self._component),
                to_hex(source),
                tuple(to_hex(parent) for parent in sorted(self._before[source])),
                texts.get(self._texts[source]),
                source == head,
                tuple(rulings.get(source, ())),
                tuple(sorted(moves.get((self._component, source), ()))),
            )
            for source in self._in_order()
        ]

    def _contents_before(self, fact: Source | Decision) -> set[Digest]:
        """Return the contents that the parents of a fact are, or are about."""
        found: set[Digest] = set()
        todo, seen = list(fact.parents), set[Digest]()
        while todo:
            record = todo.pop()
            parent = self._facts.get(record)
            if parent is None or record in seen:
                continue
            seen.add(record)
            if isinstance(parent, Source):
                found.add(parent.source)
            else:
                todo += parent.parents
        return found

    def _in_order(self) -> Iterator[Digest]:
        # Facts may have come in any order. A cycle (back to an older text) is cut where it closes.
        done: set[Digest] = set()
        for start in self._texts:
            todo = [(start, False)]
            while todo:
                source, after = todo.pop()
                if after:
                    yield source
                elif source not in done:
                    done.add(source)
                    todo.append((source, True))
                    todo += [(parent, False) for parent in sorted(self._before[source] - done)]

    def _rulings(self) -> dict[Digest, list[Ruling]]:
        found: dict[Digest, list[Ruling]] = defaultdict(list)
        for record, fact in self._facts.items():
            if isinstance(fact, Decision):
                new = self._values.get(fact.new, fact.new)
                about = {new} & self._texts.keys() or self._contents_before(fact)
                for source in about:
                    found[source].append(self._ruling(record, fact))
        return found

    def _ruling(self, record: Digest, fact: Decision) -> Ruling:
        if record in self._decisions.current:
            is_contested = self._decisions.contested(self._component, fact.old)
            standing = Standing.CONTESTED if is_contested else Standing.IN_FORCE
        else:
            gone = Standing.REPLACED if record in self._replaced else Standing.WITHDRAWN
            standing = gone if record in self._here else Standing.ELSEWHERE
        old, new = to_hex(fact.old), to_hex(fact.new)
        listed = [to_hex(self._values.get(end, end)) for end in (fact.old, fact.new)]
        return Ruling(
            to_hex(record),
            old,
            new,
            fact.verdict.value,
            fact.why,
            fact.who,
            standing,
            (listed[0], listed[1]),
        )
