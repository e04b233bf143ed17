"""What ops are called in a storage.

Not the names of arguments (`signature`). Invariant: a name depends on what the
op says or on the place of its file in the project, not on how it was started.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gitmemo.errors import UnknownNotebook, UntrackableOp
from gitmemo.memo.inputs import slots_of
from gitmemo.model import ids
from gitmemo.model.components import Component
from gitmemo.model.facts import Call
from gitmemo.model.validity import Code
from gitmemo.query import NamesNow, resolve_op
from gitmemo.tracing import Project
from gitmemo.tracing.project import is_kernel_cell, is_marimo_cell
from gitmemo.world.view import World

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

MAIN = "__main__"
_MAIN_OF_A_WORKER = "__mp_main__"  # what multiprocessing calls the same script


class OpNames:
    """The ops that a storage has met, and their names in its project.

    Attributes:
        needs_notebooks: An op of a notebook needs a name of its own where the notebook's place
            is not known: as `__main__:f` it would be one op in all notebooks.
    """

    def __init__(self, project: Project | None) -> None:
        self._project = project
        self.needs_notebooks = False
        self._names: dict[Op[..., Any], tuple[str, bytes]] = {}
        self._ops: dict[str, Op[..., Any]] = {}

    def name_of(self, op: Op[..., Any]) -> tuple[str, bytes]:
        """Return the op's name, and the part of look-up keys that it makes.

        Raises:
            UnknownNotebook: It has no name, and its notebook is not known.
            UntrackableOp: It is in a cell of marimo.
        """
        found = self._names.get(op)
        if found is None:
            self._refuse_marimo(op)
            name = op.options.name or f"{self._module_of(op)}:{op.qualname}"
            found = self._names[op] = (name, ids.op_key(name, op.version))
            self._ops[name] = op
        return found

    def now(self, world: World, code: Code) -> NamesNow:
        """Return what shows calls under the names that they have in this program."""
        return NamesNow(world, code, self._module_at, self._ops)

    def name_at(self, component: Component) -> str:
        """Return what an op in a component is called that gave itself no name."""
        return f"{self._module_at(component.path)}:{component.unit}"

    def named(self, name: str) -> Op[..., Any] | None:
        """Return the op that was last met under a name."""
        return self._ops.get(name)

    def met(self) -> list[str]:
        """Return the names of the ops that were met."""
        return sorted(self._ops)

    def with_defaults(self, call: Call) -> Call:
        """Return `call` with the arguments that its op has now, those since added at their defaults."""
        op = self._ops.get(call.op)
        if op is None or op.version != call.op_version:
            return call
        added = op.arguments.defaults_since(call.input_names)
        if not added:
            return call
        inputs = (*call.inputs, *slots_of(op, call.op, added))
        return replace(call, inputs=inputs).known_as(call.hid)

    def full_name(self, op: Op[..., Any] | str) -> str:
        """Return the name of an op, given as the op or as the name of one that was met.

        Raises:
            UnknownOp: No such op was met, or its short name means several.
        """
        return resolve_op(op, self.met()) if isinstance(op, str) else self.name_of(op)[0]

    def _module_at(self, path: str) -> str:
        if self._project is None or path == MAIN:
            return MAIN
        return self._project.module_name_of(path)

    def _refuse_marimo(self, op: Op[..., Any]) -> None:
        """Raise for an op whose helpers, in cells of marimo, would not be seen to change."""
        code = getattr(op.__wrapped__, "__code__", None)
        if self._project is not None and code is not None and is_marimo_cell(code.co_filename):
            raise UntrackableOp(
                op.qualname,
                "it is defined in a cell of marimo, and what it calls there cannot be followed",
                "define it in a module of the project and import that in the cell",
            )

    def _module_of(self, op: Op[..., Any]) -> str:
        code = getattr(op.__wrapped__, "__code__", None)
        if self._project is not None and code is not None:
            path = self._project.component_path(code.co_filename)
            if path is not None and path != MAIN:
                return self._project.module_name(code.co_filename)
            if path == MAIN and self.needs_notebooks and is_kernel_cell(code.co_filename):
                raise UnknownNotebook(op.qualname, self._project.notebooks_alike())
        return MAIN if op.__module__ == _MAIN_OF_A_WORKER else op.__module__
