"""Python text as a syntax tree, in several threads at once.

Not what trees mean. Invariant: what Python can parse is parsed.

Before 3.11.9 and 3.12.3 threads share a counter of Python's parser, and one that parses while another
does so may get a `SystemError` (https://github.com/python/cpython/issues/106905).
"""

from __future__ import annotations

import ast
import os
import threading
from typing import Final

_TIMES: Final = 20
_lock = threading.Lock()


def parse(text: str | bytes) -> ast.Module:
    """Return the tree of a module.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: As `ast.parse` does.
    """
    for _ in range(_TIMES - 1):
        try:
            with _lock:
                return ast.parse(text)
        except SystemError:  # another thread, not of ours, parsed at the same time
            continue
    return ast.parse(text)


def _begin_in_child() -> None:
    global _lock
    _lock = threading.Lock()  # a thread that is not in the child may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
