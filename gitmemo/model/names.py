"""Names of inputs and outputs that the user did not choose.

Not the names of ops (`memo.names`). Invariant: they stand in records, so that
none of them ever changes.
"""

from __future__ import annotations

import re

CLOSURE = "closure:"
"""What the names of inputs begin with that are cells of the op's closure: no argument has such a name."""

_UNNAMED = re.compile(r"output_(\d+)")


def is_closure(name: str) -> bool:
    """Whether an input is a cell of the op's closure."""
    return name.startswith(CLOSURE)


def plain_name(name: str) -> str:
    """Return the name in the user's code of an input: without what tells cells and keywords apart."""
    return name.removeprefix(CLOSURE).lstrip("*")


def unnamed_output(number: int) -> str:
    """Return what an output is called that the op does not name."""
    return f"output_{number}"


def number_of_output(name: str) -> str | None:
    """Return the digits in the name of an output that the op did not name; None if it did."""
    found = _UNNAMED.fullmatch(name)
    return found.group(1) if found else None
