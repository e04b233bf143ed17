"""How IPython shows an error of gitmemo: what it says, and where in the user's code it came up.

Not what it says. Invariant: no line of gitmemo's own is shown; of an exception that is behind it and
that came from the user's code, nothing is left out.
"""

from __future__ import annotations

import linecache
import sys
import traceback
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

_AROUND = frozenset({"gitmemo", "IPython", "ipykernel"})
_MAGIC = "get_ipython().run_"
_LONGEST = 100


def shown(error: BaseException) -> list[str]:
    """Return the lines of an error: the sentences first, then places, then what is behind it."""
    places = [f"  at {place}" for place in _places(error.__traceback__)]
    notes: list[str] = getattr(error, "__notes__", [])
    return [f"{type(error).__name__}: {error}", *notes, *places, *_behind(error)]


def _behind(error: BaseException) -> Iterator[str]:
    cause = error.__cause__
    if cause is None and not error.__suppress_context__:
        cause = error.__context__
    if cause is None:
        return
    if any(_places(cause.__traceback__)):
        yield "because of"
        yield from map(str.rstrip, traceback.format_exception(cause))
    elif cause is error.__cause__:
        yield "".join(["because of ", *traceback.format_exception_only(cause)]).rstrip()


def _places(trace: TracebackType | None) -> Iterator[str]:
    """Yield the lines of the user's code that a traceback goes through."""
    for frame, number in traceback.walk_tb(trace):
        module = str(frame.f_globals.get("__name__")).partition(".")[0]
        if module not in _AROUND and module not in sys.stdlib_module_names:
            yield _place(frame, number)


def _place(frame: FrameType, number: int) -> str:
    code = frame.f_code
    where = f"{_name_of(code.co_filename)}, line {number}"
    if code.co_name != "<module>":
        where = f"{where}, in {code.co_name}"
    line = linecache.getline(code.co_filename, number, frame.f_globals).strip()
    if not line or line.startswith(_MAGIC):  # it holds the whole cell
        return where
    return f"{where}: {line if len(line) <= _LONGEST else f'{line[:_LONGEST]}...'}"


def _name_of(file: str) -> str:
    """Return what IPython calls a cell, `Cell In[3]`; else the file."""
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    found = shell.compile.format_code_name(file) if shell is not None else None
    return " ".join(found) if found else file
