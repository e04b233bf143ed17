"""Whether what a call of mandala depended on is what today's op depends on.

Not which calls are there (`mandala_database`). Invariant: the same means that the texts of all
functions and the values of all variables are the same, as far as today's code could touch them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import joblib

from gitmemo.model.components import Component, Content
from gitmemo.moving.code import same_function, text_of
from gitmemo.moving.fitting import Refused
from gitmemo.moving.mandala_database import Dependency, OldCall, OldDatabase
from gitmemo.moving.taking import SAME, TRUSTED, Taker
from gitmemo.tracing import Project

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

_MAIN = "__main__"
_VARIABLE = "$"


class MandalaCode:
    """Compares the code of calls with that of ops; each version once."""

    def __init__(self, database: OldDatabase, taker: Taker, project: Project) -> None:
        self._database = database
        self._taker = taker
        self._project = project
        self._known: dict[tuple[str, str | None], str | None] = {}

    def of(self, op: Op[..., Any], call: OldCall) -> str:
        """Say how the code of a call compares with the op's: the same, or trusted.

        Raises:
            Refused: It is not the same, or that cannot be known.
        """
        key = call.op, call.version
        if key not in self._known:
            self._known[key] = self._difference(op, call)
        reason = self._known[key]
        if reason is None:
            return SAME
        if self._taker.trusts_code:
            return TRUSTED
        raise Refused(f"{reason} (--trust-code brings them all the same)")

    def _difference(self, op: Op[..., Any], call: OldCall) -> str | None:
        then = self._database.dependencies(call)
        if then is None:
            return "mandala did not keep the code (the storage had no deps_path)"
        own = [dependency for dependency in then if dependency[1] == call.op]
        text = self._database.code(own[0], then[own[0]]) if len(own) == 1 else None
        if text is None or not same_function(text, text_of(op.__wrapped__)):
            return "the code is not that of the op now"
        unlike: dict[Component, Content] = {}
        for component, content in self._taker.bringing.touched(op).items():
            dependency = self._meant(then, component, own[0][0])
            if dependency is None:
                unlike[component] = content
            elif not self._is_same(component, content, dependency, then[dependency]):
                return f"{component} is not what it was"
        return self._taker.beyond(unlike)

    def _meant(
        self, then: Mapping[Dependency, str], component: Component, main: str
    ) -> Dependency | None:
        """Return what mandala calls a component; `main` is the module of the op."""
        name = component.unit.removeprefix(_VARIABLE)
        modules = {self._project.module_name_of(component.path)}
        if main == _MAIN:
            modules.add(_MAIN)
        found = [one for one in then if one[1] == name and one[0] in modules]
        return found[0] if len(found) == 1 else None

    def _is_same(
        self, component: Component, content: Content, dependency: Dependency, then: str
    ) -> bool:
        if component.unit.startswith(_VARIABLE):
            module = sys.modules.get(self._project.module_name_of(component.path))
            try:
                now = vars(module)[dependency[1]]
                found: object = joblib.hash(now)
            except Exception:  # noqa: BLE001  of any type; what cannot be hashed is not the same
                return False
            return found == then
        text = self._database.code(dependency, then)
        return text is not None and same_function(
            text, self._taker.bringing.text(component, content)
        )
