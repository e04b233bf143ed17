"""What `%load_ext gitmemo` adds to a shell, and takes away again.

Not what the magics do (`commands`, `cells`). Invariant: loading again replaces what was loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from gitmemo.notebooks.cells import MemoCells
from gitmemo.notebooks.commands import completions, run_command
from gitmemo.source.memo_cells import MAGIC

_COMMAND = "gitmemo"
_TYPED = f"%{_COMMAND}"
_COMPLETING = "complete_command"


class Shell(Protocol):
    """What the magics need of IPython's shell."""

    user_ns: dict[str, Any]
    magics_manager: Any
    strdispatchers: dict[str, Any]

    def register_magic_function(
        self, func: Callable[..., object], magic_kind: str = ..., magic_name: str | None = ...
    ) -> None:
        """Make a function a magic."""
        ...

    def set_hook(self, name: str, hook: Callable[..., object], *, str_key: str) -> None:
        """Call a function for text that begins with `str_key`."""
        ...


def load(shell: Shell) -> None:
    """Add `%gitmemo` and `%%memo`."""
    cells = MemoCells(shell.user_ns)

    def gitmemo(line: str) -> None:
        """Run a command of gitmemo: `%gitmemo status`."""
        run_command(line)

    def memo(line: str, cell: str) -> None:
        """Make the body of this cell an op, and call it: `%%memo [NAME] [-i a,b] [-o c,d] [-s storage]`.

        Its inputs are the variables of the notebook that it reads, its outputs those that it
        assigns to. A call with the same inputs and code is not run again.
        """
        cells.run(line, cell)

    shell.register_magic_function(gitmemo, "line", _COMMAND)
    shell.register_magic_function(memo, "cell", MAGIC)

    def completed(_shell: object, event: Any) -> list[str]:
        return completions(event.line)

    _forget_completions(shell)
    shell.set_hook(_COMPLETING, completed, str_key=_TYPED)


def unload(shell: Shell) -> None:
    """Take the magics away."""
    magics = shell.magics_manager.magics
    magics["line"].pop(_COMMAND, None)
    magics["cell"].pop(MAGIC, None)
    _forget_completions(shell)


def _forget_completions(shell: Shell) -> None:
    """Take the hook away, which a shell would keep beside the next one."""
    if _COMPLETING in shell.strdispatchers:
        shell.strdispatchers[_COMPLETING].strs.pop(_TYPED, None)
