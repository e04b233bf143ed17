"""Reading many refs, of which some may have no value that can be read.

Not the reading (`atoms`). Invariant: one that cannot be read costs no other one.
"""

from __future__ import annotations

import warnings

from gitmemo.errors import GitmemoError
from gitmemo.ref.atoms import Ref


def value_or_ref(cell: object, *, stacklevel: int) -> object:
    """Return the value of a ref; the ref itself, with a warning, where it cannot be read.

    What is no ref stays what it is.
    """
    if not isinstance(cell, Ref):
        return cell
    try:
        return cell.unwrap()
    except GitmemoError as error:
        warnings.warn(f"{cell!r} stays a ref: {error.problem()}", stacklevel=stacklevel)
        return cell
