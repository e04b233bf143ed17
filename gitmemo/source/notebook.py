"""Reading notebooks: the code cells of an `.ipynb` file as Python texts.

Not running them. Invariant: a cell of the file gives the same statements as
the text that IPython made of it when it ran, each on the line where it stood;
a cell that would not run gives none.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Sequence

from gitmemo.errors import MemoCellRefused, SourceError
from gitmemo.source.memo_cells import memo_cell, names_of_code, parts_of
from gitmemo.source.parsing import parse

_CELL_MAGIC = re.compile(r"\s*%%(\w*).*(?:\n|$)")
# Cell magics whose body binds names of the notebook. `%%timeit` runs its own in a function.
_TRANSPARENT = frozenset({"time", "capture", "prun"})
_ASSIGNED = re.compile(r"([ \t]*[\w.,\s\[\]]+?=\s*)([%!])(.*)", re.DOTALL)
_HELP_AFTER = re.compile(r"([ \t]*)(%{0,2}(?!\d)[\w*]+(?:\.[\w*]+)*)(\?\??)\s*;?\s*")
_ESCAPED = re.compile(r"([ \t]*)(!!|!|\?\??|%)(.*)", re.DOTALL)
_LEXEME = re.compile(
    r"""(?P<comment>\#.*)|(?P<long>\"\"\"|''')|(?P<short>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"""|(?P<opening>[(\[{])|(?P<closing>[)\]}])|."""
)


def cells_of(text: str, path: str) -> list[str]:
    """Return the code cells in the order of the notebook; raise `SourceError` if it is none.

    Format 3 kept cells in worksheets, and what is typed into one under another name.
    """
    try:
        notebook = json.loads(text)
        sheets = notebook.get("worksheets", [notebook])
        cells = [cell for sheet in sheets for cell in sheet["cells"]]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        return ["".join(cell["input"] if "input" in cell else cell["source"]) for cell in code]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(path, f"not a notebook ({error})") from None


def python_of(cell: str) -> str:
    """Return the Python of a cell, with IPython's own syntax as the calls that it stands for.

    What IPython made of a cell is taken as well as what was typed in.
    """
    cell = cell.replace("\r\n", "\n").replace("\r", "\n")
    magic, above, body = _cell_magic(cell)
    if magic in _TRANSPARENT:
        return "\n" * above + python_of(body)
    called = "" if magic else _with_calls(cell)
    for text in () if magic else (cell, called, textwrap.dedent(called)):
        tree = _parsed(text)
        if tree is not None:
            inner = _timed_body(tree)
            return text if inner is None else "\n" + python_of(inner)
    # People keep cells with half a thought in them; the others still count.
    return "\n" * cell.count("\n")


def python_of_cells(cells: Sequence[str]) -> list[str]:
    """Return the Python of the cells of a notebook; of a `%%memo` cell the function that it stands for.

    Which names are its inputs follows from what the others define.
    """
    texts = [python_of(cell) for cell in cells]
    memos = {number: parts for number, cell in enumerate(cells) if (parts := parts_of(cell))}
    code = names_of_code(texts) if memos else frozenset[str]()
    for number, (line, body) in memos.items():
        try:
            texts[number] = memo_cell(line, body, code).text
        except MemoCellRefused:  # it would not run either
            texts[number] = "\n" * cells[number].count("\n")
    return texts


def _cell_magic(cell: str) -> tuple[str, int, str]:
    """Return the magic that a cell begins with, the lines up to its body, and the body."""
    found = _CELL_MAGIC.match(cell)
    if found is None:
        return "", 0, cell
    return found[1], found[0].count("\n"), cell[found.end() :]


def timed_body(text: str) -> str | None:
    """Return the body of what IPython made of a `%%time` or `%%prun` cell: it runs as its own text."""
    tree = _parsed(text)
    return None if tree is None else _timed_body(tree)


def _timed_body(tree: ast.Module) -> str | None:
    match tree.body:
        case [
            ast.Expr(
                ast.Call(
                    ast.Attribute(ast.Call(ast.Name("get_ipython")), "run_cell_magic"),
                    [ast.Constant("time" | "prun"), ast.Constant(), ast.Constant(str(body))],
                )
            )
        ]:
            return body
        case _:
            return None


def _parsed(text: str) -> ast.Module | None:
    try:
        return parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


# --- IPython's syntax ---------------------------------------------------------------


def _with_calls(cell: str) -> str:
    """Write magics and shell commands as calls, where a statement may begin; keep all lines."""
    lines = cell.split("\n")
    result: list[str] = []
    reader = _Reader()
    while lines:
        line = lines.pop(0)
        joined, taken = _joined(line, lines)
        call = _call(joined) if reader.is_at_statement else None
        if call is None:
            reader.read(line)
            result.append(line)
        else:
            del lines[:taken]
            result.extend([call, *[""] * taken])
    return "\n".join(result)


def _joined(line: str, following: list[str]) -> tuple[str, int]:
    """Return a line with those that a backslash adds to it, and how many these are."""
    parts = [line]
    while parts[-1].endswith("\\") and len(parts) <= len(following):
        parts.append(following[len(parts) - 1])
    ends = [part.rstrip()[:-1] for part in parts[:-1]]
    return " ".join([*ends, parts[-1].rstrip()]), len(parts) - 1


def _call(line: str) -> str | None:
    """Return the Python that IPython makes of a line, None if the line is Python itself."""
    if found := _HELP_AFTER.fullmatch(line):
        return found[1] + _help(found[2], found[3])
    if found := _ESCAPED.fullmatch(line):
        return found[1] + _command(found[2], found[3])
    if found := _ASSIGNED.fullmatch(line):
        return found[1] + (_magic(found[3]) if found[2] == "%" else _shell("getoutput", found[3]))
    return None


def _command(escape: str, rest: str) -> str:
    if escape == "%":
        return _magic(rest)
    if escape.startswith("?"):
        return _help(rest, escape) if rest else "get_ipython().show_usage()"
    return _shell("getoutput" if escape == "!!" else "system", rest)


def _magic(rest: str) -> str:
    name, _, arguments = rest.partition(" ")
    return f"get_ipython().run_line_magic({name!r}, {arguments!r})"


def _shell(method: str, command: str) -> str:
    return f"get_ipython().{method}({command!r})"


def _help(target: str, mark: str) -> str:
    name = "pinfo2" if mark == "??" else "psearch" if "*" in target else "pinfo"
    return f"get_ipython().run_line_magic({name!r}, {target!r})"


class _Reader:
    """Tells whether the next line begins a statement: not in brackets, text or a continued line.

    Not `tokenize`, which gives up at what is not Python.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._quotes = ""
        self._is_continued = False

    @property
    def is_at_statement(self) -> bool:
        return not (self._depth or self._quotes or self._is_continued)

    def read(self, line: str) -> None:
        rest = line
        is_comment = False
        while rest:
            if self._quotes:
                found = re.search(r"(?<!\\)" + self._quotes, rest)
                if found is None:
                    return
                rest, self._quotes = rest[found.end() :], ""
                continue
            lexeme = _LEXEME.match(rest)
            if lexeme is None:
                break
            match lexeme.lastgroup:
                case "long":
                    self._quotes = lexeme.group()
                case "opening":
                    self._depth += 1
                case "closing":
                    self._depth = max(self._depth - 1, 0)
                case "comment":
                    is_comment = True
            rest = rest[lexeme.end() :]
        self._is_continued = line.endswith("\\") and not is_comment
