"""Who can be asked in a running program: about a change, or whether to fetch.

Not how they are asked (`display`), which this layer does not know: the package
sets these functions when it is imported. Invariant: where nobody can answer there is no
asker, and nobody waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

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


class Answerable(Protocol):
    """Changes that can be decided about later, shown to somebody meanwhile."""

    def keep(self, why: str = "") -> None:
        """Say that older results stay valid."""
        ...

    def recompute(self, why: str = "") -> None:
        """Say that they do not."""
        ...

    def _repr_html_(self) -> str: ...


def _not_shown(_changes: Answerable) -> bool:
    return False


show: Callable[[Answerable], bool] = _not_shown
"""Shows changes where nobody is asked, but somebody looks: in a notebook. False elsewhere."""


def _no_buttons(_changes: Answerable) -> Mapping[str, Any]:
    return {}


buttons: Callable[[Answerable], Mapping[str, Any]] = _no_buttons
"""Returns buttons for changes by their MIME type; nothing where there are none."""
