"""Components that were renamed or moved: recognised in texts, and recorded as facts.

Not the comparison (`moving`), nor changes that somebody has to decide about
(`finding`). Invariant: what is recognised only keeps results that are stored;
it never takes the place of a decision that somebody made.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gitmemo.changes.change import Change
from gitmemo.changes.deciding import facts_of
from gitmemo.changes.moving import Pairs, Units, alike, confirmed, differs_in_names, paired
from gitmemo.changes.uses import Uses
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import (
    Decision,
    Fact,
    Move,
    Rename,
    RenameKind,
    Statement,
    Verdict,
)
from gitmemo.model.renames import Renames
from gitmemo.model.statements import in_force, standing
from gitmemo.source import Unit, unit_of_text
from gitmemo.source.tree import SourceTree
from gitmemo.world.view import World

TextOf = Callable[[Component, Digest], str | None]


@dataclass(frozen=True)
class Scene:
    """The code before and after, as far as it can be read, and what stored calls touched.

    Attributes:
        before: Where the old texts may stand: trees of files, the likeliest first.
        text_of: Finds the text of a content that a call recorded; None where it is not here.
        paths: The files that may differ.
        roots: The folders that do not count in module names.
    """

    uses: Uses
    before: Sequence[SourceTree]
    text_of: TextOf
    after: SourceTree
    paths: Sequence[str]
    decisions: Decisions
    roots: Sequence[str]

    @cached_property
    def gone(self) -> Units:
        """The units that are not in the files any more, those that calls touched and others."""
        found: dict[Component, Unit] = {}
        for tree in self.before:
            later = dict(found)
            for path in self.paths:
                file = tree.file(path)
                for name, unit in file.units.items() if file else ():
                    component = Component(path, name)
                    if self._is_there(component) or self._was_used(found, component):
                        continue
                    if not self._is_earlier(component, unit, later):
                        found[component] = unit
        for component in self.uses.contents:
            if component.path not in self.paths or component in found or self._is_there(component):
                continue
            text = next(self._from_texts(component), None)
            if text is not None and not self._is_earlier(component, text, found):
                found[component] = text
        return {c: unit for c, unit in found.items() if not self._is_found(c, unit)}

    @cached_property
    def new(self) -> Units:
        """The units that were not in the files before, and that no stored call knew then."""
        found: dict[Component, Unit] = {}
        for path in self.paths:
            old = self._former(path)
            file = self.after.file(path)
            for name, unit in file.units.items() if file else ():
                component = Component(path, name)
                if component not in old and not name.startswith("$<"):
                    found[component] = unit
        return found

    def formers(self, component: Component) -> Iterator[Unit]:
        """Yield the units that a component was before."""
        for tree in self.before:
            file = tree.file(component.path)
            unit = file.unit(component.unit) if file else None
            if unit is not None:
                yield unit
        yield from self._from_texts(component)

    def latter(self, component: Component) -> Unit | None:
        """Return the unit that a component is now."""
        file = self.after.file(component.path)
        return file.unit(component.unit) if file else None

    def names(self, component: Component) -> tuple[Component, ...]:
        """Return a component, and what it was called before or is since."""
        return component, *self.decisions.places(component)

    def is_used(self, component: Component) -> bool:
        """Whether calls touched a component, under this name or one that it had before."""
        return any(name in self.uses.contents for name in self.names(component))

    def change(self, component: Component, old: Unit, new: Unit) -> Change:
        """Return the change of a component from one unit to another."""
        calls = self.uses.dependents(component, old.source)
        texts = old.text, new.text
        return Change(component, old.source, new.source, *texts, new.source, calls)

    def _is_there(self, component: Component) -> bool:
        # Not `current`: a variable that is imported now is bound here, but made elsewhere.
        return self.latter(component) is not None

    def _was_used(self, found: Units, component: Component) -> bool:
        """Whether what was found of a component is what calls touched, if they touched it at all."""
        sources = self.uses.sources(component)
        return component in found and (not sources or found[component].source in sources)

    def _is_earlier(self, component: Component, unit: Unit, later: Units) -> bool:
        """Whether it was said that it became one of `later`: it went with that, not by itself."""
        return any(
            place in later
            and self.decisions.connected((component, unit.source), (place, later[place].source))
            for place in self.decisions.places(component)
        )

    def _is_found(self, component: Component, unit: Unit) -> bool:
        """Whether it was said before what a component is now."""
        for place in self.decisions.places(component):
            now = self.after.current(place)
            if now and self.decisions.same((component, unit.source), (place, now.source)):
                return True
        return False

    def _former(self, path: str) -> Units:
        for tree in self.before:
            file = tree.file(path)
            if file is not None:
                return {Component(path, name): unit for name, unit in file.units.items()}
        return {}

    def _from_texts(self, component: Component) -> Iterator[Unit]:
        for source in reversed(self.uses.sources(component)):
            text = self.text_of(component, source)
            unit = unit_of_text(text, component.unit, source) if text else None
            if unit is not None:
                yield unit


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something that is gone, and what it may be now: nobody is sure."""

    component: Component
    to: Component


@dataclass(frozen=True)
class Recognised:
    """What was renamed or moved.

    Attributes:
        pairs: What each component is now.
        callers: Components that say the same with the new names.
        suggestions: What may be the same, but is not certain to be.
    """

    pairs: Pairs
    callers: tuple[Change, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()

    def sentences(self) -> list[str]:
        """Say it, a line each."""
        lines = [f"recognised: {old} is {to} now" for old, to in sorted(self.pairs.items())]
        lines += [
            f"recognised: {caller.component} has only new names in it" for caller in self.callers
        ]
        for one in self.suggestions:
            names = f"{shlex.quote(str(one.component))} {shlex.quote(str(one.to))}"
            lines.append(f"{one.component} is gone; if it is {one.to} now: gitmemo rename {names}")
        return lines


def recognise(scene: Scene) -> Recognised:
    """Return what can only be a rename or a move.

    Classes, and the methods of one that is gone, are only suggested: stored values that are
    instances of a class know it by its name.
    """
    gone = {c: unit for c, unit in scene.gone.items() if not _is_of_class(c, scene.gone)}
    new = {c: unit for c, unit in scene.new.items() if not _is_of_class(c, scene.new)}
    pairs = paired(gone, new, scene.roots) if gone and new else {}
    lost = [c for c in scene.gone if scene.is_used(c) and pairs.keys().isdisjoint(scene.names(c))]
    callers = _callers(scene, pairs)
    used = {old: to for old, to in pairs.items() if scene.is_used(old)}
    classes = _classes(scene) if len(gone) < len(scene.gone) else ()
    return Recognised(used, callers, (*classes, *_suggested(scene, lost, pairs)))


def as_named(scene: Scene, pairs: Pairs, *, changed_too: bool) -> Recognised:
    """Return what follows if somebody says what components became; `changed_too`: also if they differ."""
    kept = pairs
    if not changed_too:
        new = {to: unit for to in pairs.values() if (unit := scene.latter(to)) is not None}
        kept = confirmed(pairs, scene.gone, new, scene.roots)
    return Recognised(kept, _callers(scene, kept))


def facts_for(
    world: World,
    scene: Scene,
    found: Recognised,
    op_at: Callable[[Component], str],
    why: str = "",
) -> list[Fact]:
    """Return the facts that say what was recognised; `op_at` names the op in a component."""
    statements = dict(world.statements())
    renames = world.renames()
    facts: list[Fact] = []
    for old, to in found.pairs.items():
        unit = scene.latter(to)
        if not scene.is_used(old) or unit is None:
            continue
        move = Move(old, scene.gone[old].source, to, unit.source, why)
        facts.append(standing(move, statements.items()))
        was = _newest_name(scene, old, renames, op_at)
        if was != op_at(to) and not {was, *renames.ops(was)}.isdisjoint(scene.uses.ops):
            facts.append(renamed(RenameKind.OP, "", was, op_at(to), why, statements))
    for change in found.callers:
        said = f"{why}; {reason(found.pairs)}" if why else reason(found.pairs)
        facts += facts_of(world, change, Verdict.NON_BREAKING, said)
    return facts


def _newest_name(
    scene: Scene, gone: Component, renames: Renames, op_at: Callable[[Component], str]
) -> str:
    """Return the last name of an op that is gone: from an older one it would have gone two ways."""
    now = renames.op_now(op_at(gone))
    since = [place for place in scene.names(gone) if scene.latter(place) is None]
    return now if now in map(op_at, since) else op_at(gone)


def renamed(
    kind: RenameKind,
    of: str,
    old: str,
    new: str,
    why: str,
    statements: Mapping[Digest, Statement],
) -> Rename:
    """Return the fact that `old` is called `new`; it replaces one that said the opposite."""
    opposite = [
        record
        for record, fact in statements.items()
        if isinstance(fact, Rename)
        and (fact.kind, fact.of, fact.old, fact.new) == (kind, of, new, old)
    ]
    rename = Rename(kind, of, old, new, why, tuple(sorted(opposite)))
    return standing(rename, statements.items())


def about(
    statements: Iterable[tuple[Digest, Statement]],
    pairs: Pairs,
    also: Iterable[str] = (),
) -> Iterator[Digest]:
    """Yield the record ids of what counts and was recorded because of `pairs`, or gives such a reason."""
    said = [f"{old} is {to}" for old, to in pairs.items()] + list(also)
    for record, fact in in_force(statements).items():
        if isinstance(fact, Move):
            if pairs.get(fact.component) == fact.to:
                yield record
        elif isinstance(fact, Decision) and any(text in fact.why for text in said):
            yield record


def reason(pairs: Pairs) -> str:
    """Say why callers are as they were."""
    return "only names: " + ", ".join(f"{old} is {to}" for old, to in sorted(pairs.items()))


def _callers(scene: Scene, pairs: Pairs) -> tuple[Change, ...]:
    found: dict[tuple[Component, Digest], Change] = {}
    for component in sorted(scene.uses.contents) if pairs else ():
        new = scene.latter(component) if component.path in scene.paths else None
        for old in scene.formers(component) if new is not None else ():
            if new is None or scene.decisions.related(component, old.source, new.source):
                continue
            if differs_in_names(component, old, new, pairs, scene.roots):
                found.setdefault((component, old.source), scene.change(component, old, new))
    return tuple(found.values())


def _classes(scene: Scene) -> Iterator[Suggestion]:
    """Suggest what classes are now that stored calls depend on, or on a method of."""
    for old, to in sorted(paired(scene.gone, scene.new, scene.roots).items()):
        name = old.unit.removeprefix("class ")
        if name != old.unit and any(
            used.path == old.path and (used == old or used.unit.startswith(f"{name}."))
            for used in (*scene.uses.contents, *filter(scene.is_used, scene.gone))
        ):
            yield Suggestion(old, to)


def _suggested(scene: Scene, lost: Iterable[Component], pairs: Pairs) -> Iterator[Suggestion]:
    taken = set(pairs.values())
    left = {c: unit for c, unit in scene.new.items() if c not in taken}
    for component in lost:
        if not component.unit.startswith("$") and not _is_of_class(
            component, scene.gone, inner=True
        ):
            for other in alike(component, scene.gone[component], left):
                yield Suggestion(component, other)


def _is_of_class(component: Component, units: Units, *, inner: bool = False) -> bool:
    """Whether a component is a class of `units`, unless `inner`, or a method of one."""
    if component.unit.startswith("class ") and not inner:
        return True
    outer = component.unit.removeprefix("class ").rpartition(".")[0]
    return bool(outer) and Component(component.path, f"class {outer}") in units
