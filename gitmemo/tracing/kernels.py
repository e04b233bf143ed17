"""Whether this program runs in the kernel of a notebook, and whether somebody sits at it.

Not which notebook that is (`project`). Invariant: nothing of IPython is imported.
"""

from __future__ import annotations

import builtins
import sys


def has_front_end() -> bool | None:
    """Whether somebody sees what the kernel shows, as far as it knows; None outside of kernels.

    A notebook that is executed as a whole (by nbclient, papermill, nbconvert) has none.
    """
    kernel = running_kernel()
    return None if kernel is None else bool(getattr(kernel, "_allow_stdin", True))


def running_kernel() -> object | None:
    """Return the kernel that runs this program, None if none does."""
    # While a cell runs, a kernel's own function stands in the place of `input`.
    owner = getattr(builtins.input, "__self__", None)
    if hasattr(owner, "_allow_stdin"):
        return owner
    return getattr(running_shell(), "kernel", None)


def running_shell() -> object | None:
    """Return IPython's shell, None if there is none."""
    found: object | None = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return found
