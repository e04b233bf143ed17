"""Two functions of one file that give themselves the same name: tables could not tell their calls apart.

Not a function that was defined again, by a notebook or a reload. Invariant: nothing is refused unless
the file as it is has both.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

from gitmemo.errors import OpNameTaken

if TYPE_CHECKING:
    from gitmemo.memo.op import Op


def refuse_same_name(made: Op[..., Any], kind: type[Op[..., Any]]) -> None:
    """Refuse a name that another op of the same module has, in the same version.

    Raises:
        OpNameTaken: There is one.
    """
    name, function = made.options.name, made.__wrapped__
    module = sys.modules.get(function.__module__)
    if name is None or module is None or not isinstance(function, FunctionType):
        return
    for other in list(vars(module).values()):
        if not isinstance(other, kind) or (other.options.name, other.version) != (
            name,
            made.version,
        ):
            continue
        earlier = other.__wrapped__
        path = function.__code__.co_filename
        if (
            isinstance(earlier, FunctionType)
            and earlier.__code__.co_filename == path
            and earlier.__qualname__ != function.__qualname__
            and {earlier.__qualname__, function.__qualname__} <= _functions(path)
        ):
            raise OpNameTaken(name, _place(function), _place(earlier))


def _functions(path: str) -> set[str]:
    """Return the functions at the top of a file as it is now; none if it cannot be read."""
    try:
        tree = ast.parse(Path(path).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return set()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {statement.name for statement in tree.body if isinstance(statement, kinds)}


def _place(function: FunctionType) -> str:
    code = function.__code__
    return f"{function.__qualname__} ({code.co_filename}:{code.co_firstlineno})"
