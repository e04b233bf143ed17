"""Which units of code are others under a new name, or in another file.

Not what is recorded of it (`recognising`). Pure: it compares texts. Invariant:
two units are paired only if they say the same about the same things, and no
other unit could be either of them.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component, plain_name
from gitmemo.source import ModulePlace, Unit, UnitKind, resolved_source

_ANYTHING = "<moved>"
_NAMING = frozenset({"__name__", "__qualname__", "__module__"})
_LEAST_ALIKE = 0.7
_MOST_ALIKE = 3

Units = Mapping[Component, Unit]
Pairs = Mapping[Component, Component]


def paired(gone: Units, new: Units, roots: Sequence[str]) -> dict[Component, Component]:
    """Return which units of `new` are units of `gone`, each of both at most once.

    `roots` are the folders that do not count in module names.
    """
    usable = {c: unit for c, unit in gone.items() if _says_no_names(unit)}
    return _confirmed(_guessed(usable, new, roots), usable, new, roots)


def confirmed(pairs: Pairs, gone: Units, new: Units, roots: Sequence[str]) -> Pairs:
    """Return those of `pairs`, which somebody named, whose units say the same but for these names."""
    usable = {old: to for old, to in pairs.items() if _says_no_names(gone[old])}
    return _confirmed(usable, gone, new, roots)


def differs_in_names(
    component: Component, old: Unit, new: Unit, pairs: Pairs, roots: Sequence[str]
) -> bool:
    """Whether the text of a unit that stayed is another because of these names alone."""
    if not _says_no_names(old) or old.source == new.source:
        return False
    place = ModulePlace.of(component.path, roots)
    return resolved_source(old, place) == resolved_source(new, place, _names(pairs, roots))


def alike(component: Component, unit: Unit, new: Units) -> list[Component]:
    """Return the units of `new` that look like one that is gone, the most similar first."""
    lines = _lines(unit)
    found = []
    for other, text in new.items():
        near = other.path == component.path or other.unit == component.unit
        if (
            near
            and text.kind is unit.kind
            and (share := _share(lines, _lines(text))) >= _LEAST_ALIKE
        ):
            found.append((-share, other))
    return [other for _, other in sorted(found)][:_MOST_ALIKE]


def full_name(component: Component, roots: Sequence[str]) -> str:
    """Return the dotted name by which other modules know a component."""
    module = ModulePlace.of(component.path, roots).module
    return f"{module}.{plain_name(component)}"


def _names(pairs: Pairs, roots: Sequence[str]) -> dict[str, str]:
    return {full_name(to, roots): full_name(old, roots) for old, to in pairs.items()}


def _guessed(gone: Units, new: Units, roots: Sequence[str]) -> dict[Component, Component]:
    """Pair by what units say if all names that went or came are one."""
    olds, news = _grouped(gone, roots), _grouped(new, roots)
    found: dict[Component, Component] = {}
    for key, group in olds.items():
        others = news.get(key, [])
        for old, to in (*_of_one_name(group, others), *_alone(group, others)):
            if old not in found and to not in found.values():
                found[old] = to
    return found


def _grouped(units: Units, roots: Sequence[str]) -> dict[tuple[UnitKind, Digest], list[Component]]:
    blank = {full_name(component, roots): _ANYTHING for component in units}
    groups: dict[tuple[UnitKind, Digest], list[Component]] = defaultdict(list)
    for component in sorted(units):
        unit = units[component]
        place = ModulePlace.of(component.path, roots)
        groups[unit.kind, resolved_source(unit, place, blank)].append(component)
    return groups


def _of_one_name(
    olds: Sequence[Component], news: Sequence[Component]
) -> Iterator[tuple[Component, Component]]:
    """Pair those that kept their name, where no other of that name is among them."""
    for old in olds:
        same = [new for new in news if new.unit == old.unit]
        if len(same) == 1 and sum(other.unit == old.unit for other in olds) == 1:
            yield old, same[0]


def _alone(
    olds: Sequence[Component], news: Sequence[Component]
) -> Iterator[tuple[Component, Component]]:
    if len(olds) == len(news) == 1:
        yield olds[0], news[0]


def _confirmed(
    pairs: Pairs, gone: Units, new: Units, roots: Sequence[str]
) -> dict[Component, Component]:
    """Drop pairs until all that are left say the same under the names of all that are left."""
    left = dict(pairs)
    while True:
        names = _names(left, roots)
        right = {
            old: to
            for old, to in left.items()
            if resolved_source(gone[old], ModulePlace.of(old.path, roots))
            == resolved_source(new[to], ModulePlace.of(to.path, roots), names)
        }
        if len(right) == len(left):
            return right
        left = right


def _says_no_names(unit: Unit) -> bool:
    """Whether a unit can do nothing else under another name: it asks for none, and looks none up."""
    nodes = (node for outer in unit.nodes for node in ast.walk(outer))
    asks = any(isinstance(node, ast.Attribute) and node.attr in _NAMING for node in nodes)
    return not asks and not unit.names.reflects


def _lines(unit: Unit) -> Counter[str]:
    return Counter(line for line in map(str.strip, unit.text.splitlines()) if line)


def _share(lines: Counter[str], others: Counter[str]) -> float:
    both = (lines & others).total()
    return 2 * both / max(1, lines.total() + others.total())
