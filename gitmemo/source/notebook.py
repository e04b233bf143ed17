"""Reading notebooks: the code cells of an `.ipynb` file as Python texts.

Not running them. Invariant: the result parses wherever the cell would run,
with lines that only IPython understands blanked and every other line at the
place where it stood.
"""

from __future__ import annotations

import ast
import json
import re

from gitmemo.errors import SourceError

_INDENTED = re.compile(r"[ \t]*")
_ASSIGNED_MAGIC = re.compile(r"(\s*[\w.,\s\[\]]+?=\s*)[%!].*")
# Cell magics whose body is still Python that runs in the notebook.
_TRANSPARENT_CELL_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")


def cells_of(text: str, path: str) -> list[str]:
    """Return the code cells in the order of the notebook; raise `SourceError` if it is none."""
    try:
        notebook = json.loads(text)
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        sources = ["".join(cell["source"]) for cell in cells]
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(path, f"not a notebook ({error})") from None
    return [python_of(source) for source in sources]


def python_of(cell: str) -> str:
    """Blank what is not Python; a cell that still does not parse becomes empty."""
    lines = cell.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%"):
        if not first.startswith(_TRANSPARENT_CELL_MAGICS):
            return "\n" * max(len(lines) - 1, 0)
        lines[lines.index(first)] = ""
    if _parses("\n".join(lines)):
        return "\n".join(lines)
    blanked = "\n".join(map(_blank_magic, lines))
    # People keep cells with half a thought in them; the others still count.
    return blanked if _parses(blanked) else "\n" * max(len(lines) - 1, 0)


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def _blank_magic(line: str) -> str:
    stripped = line.strip()
    if stripped.startswith(("%", "!", "?")) or stripped.endswith("?"):
        indent = _INDENTED.match(line)
        return (indent.group() if indent else "") + "pass"
    assigned = _ASSIGNED_MAGIC.fullmatch(line)
    return assigned.group(1) + "None" if assigned else line
