"""Which components of the files as they are a name can mean, and which is the function of an op.

Not what names mean (`model.spoken`). Invariant: nothing is imported or run.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitmemo.errors import UnknownComponent
from gitmemo.model.components import Component
from gitmemo.source.tree import SourceTree
from gitmemo.source.units import UnitKind
from gitmemo.workspace import Workspace
from gitmemo.world.view import World


def components_here(name: str, world: World, code: SourceTree) -> list[Component]:
    """Return what `name` can mean in the files as they are: for `path:name` all that is in the file.

    A name alone is looked for among what stored calls are known to depend on.
    """
    path = name.rpartition(":")[0]
    file = code.file(path) if path else None
    if file is not None:
        return [Component(path, unit) for unit in file.units]
    return [component for component in world.about() if code.current(component) is not None]


def function_of_op(op: str, workspace: Workspace) -> Component:
    """Return the function of an op, given by its full name.

    Raises:
        UnknownComponent: No file has its function, or several could be it.
    """
    world, code = workspace.world, workspace.code
    module, _, qualname = op.rpartition(":")
    path = workspace.project.path_of_module_name(module) if module else None
    if path is not None and code.current(Component(path, qualname)) is not None:
        return Component(path, qualname)
    named = sorted(_with_explicit_name(op, world, code))
    if len(named) != 1:
        candidates = tuple(map(str, named))
        raise UnknownComponent(op, candidates, ambiguous=bool(named), in_files=True)
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
