"""Components by the names that people write: `path:name`, or an op's.

Not ops themselves: nothing is imported. Invariant: a name means one component, or is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gitmemo.errors import UnknownComponent
from gitmemo.model.components import Component
from gitmemo.model.spoken import close_to, meant
from gitmemo.query import resolve_op
from gitmemo.source.tree import SourceTree
from gitmemo.source.units import UnitKind
from gitmemo.world.view import World


def component_named(name: str, world: World, code: SourceTree) -> Component:
    """Return the component that `path:name` means in the files as they are.

    A name alone is looked for among what stored calls are known to depend on.

    Raises:
        UnknownComponent: There is no such file, nothing of that name in it, or a name alone could
            be any of several.
    """
    path = name.rpartition(":")[0]
    file = code.file(path) if path else None
    if file is not None:
        there = [Component(path, unit) for unit in file.units]
    else:
        about = world.about()
        there = [component for component in about if code.current(component) is not None]
    found = meant(name, there)
    if found is None:
        raise UnknownComponent(name, close_to(name, there), ambiguous=False, in_files=True)
    return found


def function_of(
    name: str, world: World, code: SourceTree, path_of_module: Callable[[str], str | None]
) -> Component:
    """Return the function of an op, or of `path:name`.

    Raises:
        UnknownOp: No call of such an op is known.
        UnknownComponent: No file has its function, or several could be it.
    """
    if code.file(name.rpartition(":")[0]) is not None:
        return component_named(name, world, code)
    full = resolve_op(name, world.ops())
    module, _, qualname = full.rpartition(":")
    path = path_of_module(module) if module else None
    if path is not None and code.current(Component(path, qualname)) is not None:
        return Component(path, qualname)
    named = sorted(_with_explicit_name(full, world, code))
    if len(named) != 1:
        candidates = tuple(map(str, named))
        raise UnknownComponent(full, candidates, ambiguous=bool(named), in_files=True)
    return named[0]


def _with_explicit_name(op: str, world: World, code: SourceTree) -> Iterator[Component]:
    """Yield the functions that the newest call touched and that mention the name of its op."""
    for call in world.newest_calls(op, 1):
        version = world.version(call.version) if call.version else None
        for component in version.pairs if version else ():
            file = code.file(component.path)
            unit = file.units.get(component.unit) if file else None
            if unit is None or unit.kind is not UnitKind.FUNCTION:
                continue
            if f'"{op}"' in unit.text or f"'{op}'" in unit.text:
                yield component
