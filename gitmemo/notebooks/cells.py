"""`%%memo`: a cell whose body is run as a call of an op.

Not which function the body is (`source.memo_cells`). Invariant: the notebook has values, never
refs; a value that another such cell bound, and that is still what it was, goes on as its ref.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Mapping
from pathlib import Path
from types import BuiltinFunctionType, FrameType, FunctionType, MethodType, ModuleType
from typing import Any

from gitmemo.display.notebook import say
from gitmemo.errors import MemoCellRefused
from gitmemo.hashing import content_id
from gitmemo.memo.op import Op, op
from gitmemo.memo.opening import open as open_repository
from gitmemo.memo.storage import Storage
from gitmemo.quantities import duration
from gitmemo.ref import Ref
from gitmemo.source.memo_cells import MemoCell, memo_cell, names_of_code, parts_of
from gitmemo.source.notebook import python_of
from gitmemo.tracing.cells import texts_of_cells
from gitmemo.tracing.project import is_cell

_CODE = (ModuleType, FunctionType, BuiltinFunctionType, MethodType, Op, Storage)


class MemoCells:
    """Runs the cells of `%%memo` of one notebook."""

    def __init__(self, variables: dict[str, Any]) -> None:
        """`variables` are those of the notebook."""
        self._variables = variables
        self._bound: dict[str, tuple[object, Ref[Any]]] = {}

    def run(self, line: str, body: str) -> None:
        """Call the op that a cell stands for, bind its results, and say what was done.

        Raises:
            MemoCellRefused: The cell cannot be an op, or its inputs or storage are not there.
        """
        code = names_of_code(python_of(text) for text in texts_of_cells())
        cell = memo_cell(line, body, code)
        place = _cell_of(line, body)
        storage = self._storage(cell)
        inputs = {name: self._input(name) for name in cell.inputs}
        called = self._op(cell, place)
        before, saved_s = storage.counter.computed, storage.counter.saved_s
        with storage:
            returned = called(**inputs)
        refs = dict(
            zip(cell.outputs, returned if len(cell.outputs) > 1 else [returned], strict=True)
        )
        for name, ref in refs.items():
            value = self._variables[name] = ref.unwrap()
            self._bound[name] = value, ref
        is_reused = storage.counter.computed == before  # ops in the body may be reused
        done = f"reused, {duration(storage.counter.saved_s - saved_s)} saved"
        say(f"{cell.name}: {', '.join(refs)} {done if is_reused else 'computed'}")

    def _storage(self, cell: MemoCell) -> Storage:
        if cell.storage is not None:
            named = self._variables.get(cell.storage)
            if isinstance(named, Storage):
                return named
            raise MemoCellRefused(f"{cell.storage} is no storage", "bind one: storage = gm.open()")
        public = {n: v for n, v in self._variables.items() if not n.startswith("_")}
        found = {id(v): (n, v) for n, v in public.items() if isinstance(v, Storage)}
        if len(found) > 1:
            listed = " or ".join(f"-s {name}" for name, _ in found.values())
            raise MemoCellRefused("the notebook has several storages", f"say which one: {listed}")
        return next(iter(found.values()))[1] if found else open_repository(Path.cwd())

    def _input(self, name: str) -> object:
        if name not in self._variables:
            raise MemoCellRefused(
                f"it reads {name}, and the notebook has no such variable",
                "run the cell that binds it first, or say what the inputs are: -i a,b",
            )
        value = self._variables[name]
        if isinstance(value, _CODE):
            raise MemoCellRefused(
                f"{name} is a {type(value).__name__}, which is code and no input",
                "define or import it by its name in a cell (not with *), or say what the inputs "
                "are: -i a,b",
            )
        known = self._bound.get(name)
        if known is None or known[0] is not value or isinstance(value, Ref):
            return value
        # It may have been changed in place since.
        return known[1] if content_id(value) == known[1]._cid else value

    def _op(self, cell: MemoCell, place: str) -> Op[..., Any]:
        taken = self._variables.get(cell.name)
        if taken is not None and not _is_of_memo(taken, cell.name):
            raise MemoCellRefused(
                f"{cell.name} is a variable of the notebook",
                f"give the cell another name, or the variable: del {cell.name}",
            )
        # Under the name of the cell that runs, so that its lines are found in the notebook.
        text = compile(cell.text, place, "exec", dont_inherit=True)
        defined: dict[str, Any] = {}
        exec(text, self._variables, defined)
        options: Mapping[str, Any] = {"output_names": cell.outputs, "mutates": cell.changed}
        made: Op[..., Any] = op(**options)(defined[cell.name])  # type: ignore[no-untyped-call]
        self._variables[cell.name] = made
        return made


def _is_of_memo(value: object, name: str) -> bool:
    """Whether a value is the op that a cell of this name made, also before the magics were reloaded."""
    if not isinstance(value, Op) or value.__wrapped__.__qualname__ != name:
        return False
    made_in = value.__wrapped__.__code__.co_filename
    return is_cell(made_in) and parts_of("".join(linecache.getlines(made_in))) is not None


def _cell_of(line: str, body: str) -> str:
    """Return the file name of the cell that runs; it is this magic, and nothing else.

    Raises:
        MemoCellRefused: Other code called the magic, so that no cell says what the op is.
    """
    frame: FrameType | None = sys._getframe()
    while frame is not None and not is_cell(frame.f_code.co_filename):
        frame = frame.f_back
    name = frame.f_code.co_filename if frame is not None else ""
    parts = parts_of("".join(linecache.getlines(name)))
    if parts is None or (parts[0].strip(), parts[1].rstrip()) != (line.strip(), body.rstrip()):
        raise MemoCellRefused("%%memo is called by other code", "begin a cell with it")
    return name
