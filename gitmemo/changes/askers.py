"""Who can be asked about a change in a running program.

Not how they are asked (`display`), which this layer does not know: the package
sets `find` when it is imported. Invariant: where nobody can answer there is no
asker, and nobody waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitmemo.changes.cases import Reviewer


def _nobody() -> Reviewer | None:
    return None


find: Callable[[], Reviewer | None] = _nobody
"""Returns somebody who can answer now, None where there is nobody."""
