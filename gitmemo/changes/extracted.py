"""What new code calls that the calls of before never recorded: helpers that were extracted.

Not who is asked (`deciding`). When a change is said to be non-breaking, old results stand for
the new code. They never touched what the new code calls in addition, so a later change of that
would pass unseen. Invariant: what the old text referred to itself is not offered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gitmemo.changes.change import Change
from gitmemo.changes.following import Names
from gitmemo.changes.uses import Uses
from gitmemo.errors import SourceError
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component, Content
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Dependency, Version
from gitmemo.model.statements import standing
from gitmemo.model.validity import Code
from gitmemo.source.file import SourceFile
from gitmemo.source.references import Files, References
from gitmemo.world.view import World


class NamedCode(Code, Files, Protocol):
    """Code whose names can be followed."""

    def text(self, component: Component) -> str | None:
        """Return the text of a component, nothing where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Need:
    """What a component that only new code calls holds; its text, if it has one."""

    content: Content
    text: str | None


def extracted(
    world: World,
    change: Change,
    code: NamedCode,
    uses: Uses,
    source_roots: Sequence[str] = ("src",),
) -> dict[Component, Need]:
    """Return the components that the new text calls and the old version does not know.

    With what these call in turn. `code` is the code with the change in it.
    """
    if change.only_value:
        return {}
    names = Names(code, world.decisions())
    versions = [names.followed(version) for version in _versions(world, change, uses)]
    found = missing(change, versions, code, References(code, source_roots))
    return {component: Need(content, code.text(component)) for component, content in found.items()}


def missing(
    change: Change, versions: Sequence[Version], code: Code, references: References
) -> dict[Component, Content]:
    """Return what the new text of a change leads to and not every one of `versions` holds."""
    if not versions:
        return {}
    known = set.intersection(*(set(version.pairs) for version in versions))
    known |= _referred_before(change, references)
    found: dict[Component, Content] = {}
    todo = [change.component]
    while todo:
        for component in sorted(references.of(todo.pop()) - known):
            content = code.current(component)
            if component != change.component and component not in found and content is not None:
                found[component] = content
                todo.append(component)
    return dict(sorted(found.items()))


def dependencies_of(
    world: World, change: Change, needs: Mapping[Component, Need], why: str = ""
) -> Iterator[Dependency]:
    """Yield the facts that old results depend on `needs`, for every content that they stand for.

    Results of still older contents that were said to be equivalent pass for the new code too.
    """
    statements = world.statements()
    decisions = world.decisions()
    places = [(change.component, source) for source in _equivalent(decisions, change)]
    places += decisions.alike_elsewhere(change.component, change.old)
    for place, source in dict.fromkeys((*places, *change.former)):
        for component, need in needs.items():
            dependency = Dependency(place, source, component, need.content, why)
            yield standing(dependency, statements)


def _equivalent(decisions: Decisions, change: Change) -> list[Digest]:
    alike = decisions.alike(change.component, change.old)
    return [source for source in alike if source != change.new]


def _versions(world: World, change: Change, uses: Uses) -> Iterator[Version]:
    """Yield the versions of stored calls that touched the old content, or one equivalent to it."""
    old = _equivalent(world.decisions(), change)
    component = change.component
    contents = [c for c in uses.contents.get(component, ()) if c.source in old]
    for name in {tally.version for c in contents for tally in uses.tallies[component, c]}:
        version = world.version(name)
        if version is not None:
            yield version


def _referred_before(change: Change, references: References) -> set[Component]:
    """Return what the old text refers to: a call that did not touch it took another branch."""
    component = change.component
    try:
        units = SourceFile(change.old_text, component.path).units
    except SourceError:
        return set()
    # A method's text stands alone here, without its class.
    unit = units.get(component.unit) or units.get(component.unit.rpartition(".")[2])
    return references.of_unit(component, unit) if unit else set()
