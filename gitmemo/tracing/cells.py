"""The cells that ran in this process, put together as a notebook file would be.

Not the notebook file (`source.notebook`). Invariant: a cell that ran twice
counts once, where it ran last, so that running cells again changes no id.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, MethodType

from gitmemo.source import SourceFile
from gitmemo.source.notebook import python_of, timed_body
from gitmemo.tracing.project import is_cell

_WITHOUT_A_FILE = frozenset({"<string>", "<stdin>"})
_INSIDE_A_CELL = frozenset({"<timed exec>", "<string>"})


@dataclass(frozen=True, slots=True)
class Cells:
    """The text of all cells, and where each of them stands in it.

    Attributes:
        file: The cells one after the other, as Python.
        starts: File name that IPython gave a cell to the lines before it.
        timed: Bodies of `%%time` and the like, with the lines before each.
    """

    file: SourceFile
    starts: Mapping[str, int]
    timed: tuple[tuple[str, int], ...]

    def says(self, other: Cells) -> bool:
        """Whether both are the same cells in the same order."""
        return self.file.text == other.file.text and self.starts == other.starts

    def line_of(self, code: CodeType) -> int | None:
        """Return the line of the text where `code` begins, None if no cell that is known has it."""
        start = self.starts.get(code.co_filename)
        if start is None and code.co_filename in _INSIDE_A_CELL:
            found = (above for body, above in reversed(self.timed) if _gives(body, code))
            start = next(found, None)
        return None if start is None else start + code.co_firstlineno


def cells_seen() -> tuple[int, int]:
    """Return something that differs once another cell ran."""
    return len(linecache.cache), max(_run_counts().values(), default=0)


def cells_that_ran(path: str) -> Cells | None:
    """Read the cells in the order in which they ran last, None if there are none."""
    by_text: dict[str, list[str]] = {}
    for name in names_of_cells():
        text = "".join(linecache.getlines(name))
        same = by_text.pop(text, [])  # again at the end
        by_text[text] = [*same, name]
    if not by_text:
        return None
    file = SourceFile.from_cells(by_text, path)
    places = list(zip(by_text.items(), file.cell_starts, strict=True))
    starts = {name: start for (_, names), start in places for name in names}
    timed = [(timed_body(text), start + 1) for (text, _), start in places]
    return Cells(file, starts, tuple((body, above) for body, above in timed if body is not None))


def texts_of_cells() -> list[str]:
    """Return the texts of the cells, each once, in the order in which they ran last."""
    texts = ["".join(linecache.getlines(name)) for name in names_of_cells()]
    return list(dict.fromkeys(reversed(texts)))[::-1]


def names_of_cells() -> list[str]:
    """Return the file names of the cells, in the order in which they ran last."""
    counts = _run_counts()
    names = [n for n in list(linecache.cache) if is_cell(n) or n in _WITHOUT_A_FILE]
    return sorted(names, key=lambda name: counts.get(name, 0))


def _run_counts() -> Mapping[str, int]:
    """Return which run of a cell was its last, as far as IPython says so.

    A kernel names cells by their text, so `linecache` keeps one where it stood first.
    """
    counts = getattr(getattr(_shell(), "compile", None), "_filename_map", {})
    return counts if isinstance(counts, dict) else {}


def is_shell_getter(value: object) -> bool:
    """Whether it is the `get_ipython` of the running shell, which magics are calls of."""
    owner = getattr(value, "__self__", None) if isinstance(value, MethodType) else None
    return owner is not None and owner is _shell()


def _shell() -> object:
    return getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()


def _gives(body: str, code: CodeType) -> bool:
    try:
        top = compile(python_of(body), code.co_filename, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return any(inner == code for inner in nested(top))


def nested(code: CodeType) -> Iterator[CodeType]:
    """Walk a code object and those that it holds."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from nested(constant)
