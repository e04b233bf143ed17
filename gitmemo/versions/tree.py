"""What the calls of an op touch, as a graph: the op, components, and who names whom.

Not versions (`listing`). Invariant: every component that a call touched is in
it. The edges are read from texts, so they are a best effort: what was called
through a variable is tied to the op itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gitmemo.errors import SourceError
from gitmemo.model.components import Component, Content, is_external, plain_name
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Version
from gitmemo.model.validity import Code, holds, unrecorded
from gitmemo.source import SourceFile
from gitmemo.versions.contents import ModuleOf, Texts
from gitmemo.versions.listing import Named, as_stored, tallies_of
from gitmemo.world.view import World


class State(StrEnum):
    """How a component compares to what the calls touched."""

    VALID = "valid"
    PARTLY = "changed for some calls"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Touched:
    """A component that calls of an op depend on.

    Attributes:
        calls: How many calls touched it; 0 where people added it alone.
        by_hand: Whether people added it: no tracking saw it.
        op: The op whose function it is, if it is one.
        uses: The components of the same op that its text names.
    """

    component: Component
    state: State
    calls: int
    by_hand: bool
    op: str | None
    uses: tuple[Component, ...]

    def as_dict(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "component": str(self.component),
            "state": self.state.value,
            "calls": self.calls,
            "by_hand": self.by_hand,
            "op": self.op,
            "uses": list(map(str, self.uses)),
        }


@dataclass(frozen=True, slots=True)
class DependencyTree:
    """What the calls of an op depend on, by file and name."""

    op: str
    calls: int
    versions: int
    touched: tuple[Touched, ...]

    def users(self) -> dict[Component, list[Component]]:
        """Return which components name each component."""
        found: dict[Component, list[Component]] = defaultdict(list)
        for one in self.touched:
            for used in one.uses:
                found[used].append(one.component)
        return dict(found)


def tree_of(
    world: World, op: str, code: Code, module_of: ModuleOf, named: Named = as_stored
) -> DependencyTree:
    """Return what the calls of `op` in this world depend on."""
    every = tallies_of(world, code, named)
    tallies = every[op]
    versions = world.versions(tallies)
    decisions = world.decisions()
    contents: dict[Component, Counter[Content]] = defaultdict(Counter)
    for ident, version in versions.items():
        for component, content in version.pairs.items():
            contents[component][content] += tallies[ident].calls
    added = _added(versions.values(), decisions)
    for component, content in added.items():
        contents[component][content] += 0
    uses = _uses(world, contents, module_of)
    places = {name: op_name for op_name in every for name in [_plain(op_name)]}
    touched = [
        Touched(
            component,
            _state(component, contents[component], code, decisions),
            contents[component].total(),
            component in added,
            places.get((module_of(component.path), component.unit)),
            tuple(sorted(uses[component])),
        )
        for component in sorted(contents)
    ]
    calls = sum(tally.calls for tally in tallies.values())
    return DependencyTree(op, calls, len(tallies), tuple(touched))


def _plain(op: str) -> tuple[str, str]:
    module, _, function = op.rpartition(":")
    return module, function


def _added(versions: Iterable[Version], decisions: Decisions) -> dict[Component, Content]:
    """Return what people added to the components that versions touched, and what it was."""
    return {
        need.on: need.content for version in versions for need in unrecorded(version, decisions)
    }


def _state(
    component: Component, contents: Iterable[Content], code: Code, decisions: Decisions
) -> State:
    if code.knows(component) and code.current(component) is None:
        return State.GONE
    held = [holds(component, content, code, decisions) for content in contents]
    if all(held):
        return State.VALID
    return State.PARTLY if any(held) else State.CHANGED


# --- who names whom -----------------------------------------------------------


def _uses(
    world: World, contents: Mapping[Component, Iterable[Content]], module_of: ModuleOf
) -> dict[Component, set[Component]]:
    """Return the components that the texts of each component name."""
    pairs = [(component, content) for component, known in contents.items() for content in known]
    texts = Texts(world, pairs)
    names = _Names(contents, module_of)
    found: dict[Component, set[Component]] = {component: set() for component in contents}
    for component, content in pairs:
        text = texts.shown(component, content).text
        found[component] |= names.used_by(component, text or "") - {component}
        if is_external(component):
            continue
        owner, _, method = component.unit.rpartition(".")
        around = Component(component.path, f"class {owner}")
        if method and around in contents:
            found[around].add(component)
    return found


class _Names:
    """What names stand for among the components of one op."""

    def __init__(self, components: Iterable[Component], module_of: ModuleOf) -> None:
        self._places: dict[tuple[str, str], Component] = {}
        self._modules: dict[str, str] = {}
        for component in components:
            self._modules[component.path] = module_of(component.path)
            self._places[self._modules[component.path], plain_name(component)] = component

    def used_by(self, component: Component, text: str) -> set[Component]:
        """Return the components that a text of `component` names."""
        try:
            file = SourceFile.parse(text, "<text>")
        except SourceError:
            return set()
        here = self._modules[component.path]
        imported = {
            one.bound: (_absolute(one.module, component.path, here), one.name)
            for many in file.imports.values()
            for one in many
        }
        found: set[Component] = set()
        for unit in file.units.values():
            for use in unit.names.uses:
                module = _absolute(use.module, component.path, here) if use.module else here
                found |= self._named(module, use.chain, {} if use.module else imported)
        return found

    def _named(
        self, module: str, chain: tuple[str, ...], imported: Mapping[str, tuple[str, str]]
    ) -> set[Component]:
        if chain and chain[0] in imported:
            module, name = imported[chain[0]]
            chain = (name, *chain[1:]) if name else chain[1:]
        # `a.b.f` may be f of module a.b; `C.m` a method; `N.attribute` a variable.
        for at in range(len(chain)):
            within = ".".join((module, *chain[:at]))
            for end in range(len(chain), at, -1):
                found = self._places.get((within, ".".join(chain[at:end])))
                if found is not None:
                    return {found}
        return set()


def _absolute(module: str, path: str, here: str) -> str:
    """Return a module's name without leading dots, as code in `path` means it."""
    dots = len(module) - len(module.lstrip("."))
    if not dots:
        return module
    parts = here.split(".")
    package = parts if path.endswith("__init__.py") else parts[:-1]
    kept = package[: len(package) - dots + 1]
    return ".".join((*kept, module[dots:])) if module[dots:] else ".".join(kept)
