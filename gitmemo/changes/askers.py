"""Who can be asked in a running program: about a change, or whether to fetch.

Not how they are asked (`display`), which this layer does not know: the package
sets `find` and `may_fetch` when it is imported. Invariant: where nobody can answer there is no
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


def _no_answer(_question: str) -> bool | None:
    return None


may_fetch: Callable[[str], bool | None] = _no_answer
"""Asks whether values are fetched as they are needed; None where nobody answers."""
