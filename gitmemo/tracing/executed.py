"""Which notebook a kernel executes that nobody sits at: nbclient, papermill and nbconvert do not say.

Not what a front end says (`project`). Invariant: it is a notebook under the root that has every
cell that ran, and the only one; notebooks that papermill wrote count only where no other is left.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from gitmemo.errors import SourceError
from gitmemo.tracing.kernels import has_front_end, running_shell

_INJECTED = "# Parameters\n"
"""How the cell begins that papermill adds."""


class Executed:
    """The notebooks under a folder that may be the one that is executed."""

    def __init__(self, root: Path, foreign: frozenset[str]) -> None:
        """In `foreign` folders nobody's notebooks are."""
        self._root = root
        self._foreign = foreign
        self._left: dict[Path, frozenset[str]] | None = None
        self._outputs: set[Path] = set()
        self._ran = 0
        self._alike: list[Path] = []

    def is_asked(self) -> bool:
        """Whether cells run here at which nobody sits."""
        return has_front_end() is False and bool(_typed_in())

    def alike(self) -> list[Path]:
        """Return the notebooks that have every cell that ran so far."""
        typed = _typed_in()
        if len(typed) != self._ran:
            self._ran = len(typed)
            cells = (cell.strip() for cell in typed if not cell.startswith(_INJECTED))
            wanted = frozenset(cell for cell in cells if cell)
            before = self._read() if self._left is None else self._left.items()
            self._left = {path: has for path, has in before if wanted <= has}
            left = [path for path in self._left if path not in self._outputs]
            self._alike = sorted(left or self._left)
        return self._alike

    def _read(self) -> Iterator[tuple[Path, frozenset[str]]]:
        for folder, inner, files in os.walk(self._root):
            inner[:] = [n for n in inner if not n.startswith(".") and n not in self._foreign]
            for name in files:
                if not name.endswith(".ipynb"):
                    continue
                path = Path(folder, name)
                try:
                    text = path.read_text("utf-8-sig")
                    from gitmemo.source.notebook import cells_of  # few programs are notebooks

                    cells = cells_of(text, str(path))
                except (OSError, UnicodeDecodeError, SourceError):
                    continue
                if "papermill" in json.loads(text).get("metadata", {}):
                    self._outputs.add(path)
                yield path, frozenset(cell.strip() for cell in cells)


def _typed_in() -> Sequence[str]:
    """Return what was typed into the cells that ran, also the one that runs now."""
    history = getattr(running_shell(), "history_manager", None)
    typed: Sequence[str] = getattr(history, "input_hist_raw", ())
    return typed
