"""What is said of globals that ops change: once for each op and global.

Not how a change is found (`tracing.capture`). Invariant: every op whose results
are stored without a global that counts for it, or are found less often because
other calls change one, is named in a warning with the ways out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitmemo.hashing.digest import Digest
from gitmemo.memo.execute import CallOutcome
from gitmemo.memo.scopes import Untracked
from gitmemo.memo.telling import tell
from gitmemo.model.components import Component, in_words, is_external
from gitmemo.source.units import WHOLE_MODULE
from gitmemo.tracing import CodeState

if TYPE_CHECKING:
    from gitmemo.memo.op import Op


class GlobalChanged(UserWarning):
    """An op changed a global of the project while it ran: later calls do not depend on its value.

    Attributes:
        op: Who changed it.
        component: What was changed.
        said: The global in words.
        place: The file and line of the statement that binds it; empty if not known.
        name: What `@op(untracked=[...])` of this op calls it.
    """

    def __init__(self, op: str, component: Component, place: str = "", name: str = "") -> None:
        super().__init__(op, component, place, name)
        self.op, self.component, self.place = op, component, place
        self.said, self.name = _in_words(component), name or str(component)

    def __str__(self) -> str:
        if is_external(self.component):
            return (
                f"{self.op}: {self.said} changed while it ran, so nobody can say what the result "
                "was made from: it is stored, but not reused"
            )
        return (
            f"{self.op} changed {self.said} while it ran{self._where()}: its results are stored "
            "as if they did not depend on the value, and a call that is reused changes nothing. "
            "If the value matters, make it a parameter or return it; "
            f'if not, write @op(untracked=["{self.name}"])' + self._besides()
        )

    def _where(self) -> str:
        return f" ({self.place})" if self.place else ""

    def _besides(self) -> str:
        if self.component.unit.startswith("$"):
            return ""
        return ", and what its code says counts no more either"


class GlobalVaries(GlobalChanged):
    """An op depends on a global that ops change: its calls are computed again for each value."""

    def __str__(self) -> str:
        return (
            f"{self.op} depends on {self.said}{self._where()}, which other calls change: it is "
            "computed again whenever the value is another. If the value matters, make it a parameter; "
            f'if not, write @op(untracked=["{self.name}"])' + self._besides()
        )


class Mutations:
    """What was changed so far, and what was said; `code` is None where code is not versioned."""

    def __init__(self, code: CodeState | None) -> None:
        self._code = code
        self._changed: set[Component] = set()
        self._said: set[tuple[str, Component]] = set()
        self._values: dict[tuple[str, Component], Digest | None] = {}

    def report(self, op: Op[..., Any], name: str, outcome: CallOutcome) -> None:
        """Warn of what a call changed, and of what others keep changing under it."""
        if self._code is None:
            return
        for component in outcome.mutated:
            self._changed.add(component)
            self._warn(GlobalChanged, op, name, component)
        for component in self._changed & outcome.components.keys() if self._changed else ():
            value = outcome.components[component].value
            before = self._values.setdefault((name, component), value)
            if value is not None and value != before:
                self._warn(GlobalVaries, op, name, component)

    def _warn(
        self,
        kind: type[GlobalChanged],
        op: Op[..., Any],
        name: str,
        component: Component,
    ) -> None:
        if self._code is None or (name, component) in self._said:
            return
        self._said.add((name, component))
        line = self._code.line_of(component)
        place = f"{component.path}:{line}" if line else component.path
        called = Untracked(op, self._code).name_for(component)
        tell(kind(name, component, place, called))


def _in_words(component: Component) -> str:
    if is_external(component):
        return in_words(component)
    if component.unit == WHOLE_MODULE:
        return "globals of the module"
    if component.unit.startswith("$"):
        return f"the global {component.unit[1:]}"
    if component.unit.startswith("class "):
        return f"the {component.unit}"
    return f"the function {component.unit}"
