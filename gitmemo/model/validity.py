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

    def loaded(self, component: Component) -> bool:
        """Whether its module runs here, so that values are known and decide."""
        ...

    def knows(self, component: Component) -> bool:
        """Whether anything can be said of it here; if not, it is assumed to be unchanged."""
        ...


class NoCode:
    """The code of a storage that does not version: nothing is tracked."""

    def current(self, component: Component) -> Content | None:
        """Return None: nothing is known."""
        return None

    def loaded(self, component: Component) -> bool:
        """Return False."""
        return False

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

    A decision about two texts covers what the new text refers to; where the text
    is the same, what it refers to (or the global's value) must be the same too.
    """
    if not code.knows(component):
        return True
    new = code.current(component)
    if new is None:
        return False
    same_source = decisions.equivalent(component, old.source, new.source)
    if not code.loaded(component) or old.value is None:
        return same_source
    if new.value is not None and decisions.equivalent(component, old.value, new.value):
        # The value of a global decides, however it is written; the names that
        # code refers to only confirm that the same text means the same thing.
        return same_source or component.unit.startswith("$")
    return same_source and old.source != new.source
