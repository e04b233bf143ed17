"""Whether the code behind old results is the code of today's op.

Not what an op depends on (`memo.bringing`). Invariant: two texts are the same code only if they
differ in nothing but what runs around the function: its outermost decorator, comments, docstring,
annotations and its name.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from gitmemo.hashing.digest import Digest
from gitmemo.source.canonical import digest_of, normalise


def same_function(old: str, new: str) -> bool:
    """Whether two texts of a function, decorators included, are the same code."""
    mine = _digest(old)
    return mine is not None and mine == _digest(new)


def text_of(function: Callable[..., Any]) -> str:
    """Return the text of a function as it is in its file; empty if it cannot be read."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return ""


def _digest(text: str) -> Digest | None:
    try:
        body = ast.parse(textwrap.dedent(text)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if len(body) != 1 or not isinstance(body[0], ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    function = body[0]
    # The one that remembered the calls, then or now; what others do is no part of this text.
    if len(function.decorator_list) > 1:
        return None
    function.decorator_list = []
    function.name = "_"
    return digest_of(normalise(ast.Module(body, []), lambda _: False).body)
