"""Whether a stored call is valid for a state of the code: computed, never stored.

Not how the state is found out (`tracing` for a running program, `source` for
files). Invariant: the verdict is a function of the version, the code and the
decisions.
"""

from __future__ import annotations

from typing import Protocol

from gitmemo.model.components import Component, Content
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Version


class Code(Protocol):
    """What the components are right now: in this process, in files, or in a commit."""

    def current(self, component: Component) -> Content | None:
        """Return what `component` holds, or None where there is no such component."""
        ...

    def knows(self, component: Component) -> bool:
        """Whether anything can be said of it here; if not, it is assumed to be unchanged."""
        ...


class NoCode:
    """The code of a storage that does not version: nothing is tracked."""

    def current(self, component: Component) -> Content | None:
        """Return None: nothing is known."""
        return None

    def knows(self, component: Component) -> bool:
        """Return False."""
        return False


def changed(version: Version, code: Code, decisions: Decisions) -> list[Component]:
    """Return the components of `version` that are no longer what they were; empty when it is valid."""
    return [
        component
        for component, content in version.pairs.items()
        if not holds(component, content, code, decisions)
    ]


def holds(component: Component, old: Content, code: Code, decisions: Decisions) -> bool:
    """Whether `component` is today what it was, or something decided to be equivalent.

    A decision about two texts covers what the new text refers to. Where a value is
    not known on both sides, in files for instance, the sources decide.
    """
    if not code.knows(component):
        return True
    new = code.current(component)
    if new is None:
        return False
    same_source = decisions.equivalent(component, old.source, new.source)
    if old.value is None or new.value is None:
        return same_source
    decided = same_source and old.source != new.source
    same_value = decisions.equivalent(component, old.value, new.value)
    if component.unit.startswith("$"):
        return same_value or decided  # however a global is written, its value decides
    # The same text means the same only if the names in it do.
    return decided or (same_source and same_value)
