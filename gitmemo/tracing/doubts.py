"""Which contents that a call touched say less than they seem to.

Not what is done about it (`memo.strictness`). Invariant: a doubt is about what
this process holds now; nothing is doubted that was looked up.
"""

from __future__ import annotations

from collections.abc import Mapping

from gitmemo.model.components import Component, Content
from gitmemo.tracing.modules import OUTSIDE
from gitmemo.tracing.observations import Observations
from gitmemo.tracing.state import CodeState
from gitmemo.tracing.values import opaque_id


def unhashable_globals(
    state: CodeState, contents: Mapping[Component, Content]
) -> dict[Component, str]:
    """Return the globals that count by type and source, for their values cannot be hashed."""
    found = {}
    for component, content in contents.items():
        module = state.modules.module(component.path) if component.unit.startswith("$") else None
        if module is not None and component.unit[1:] in vars(module):
            value = vars(module)[component.unit[1:]]
            if content.value == opaque_id(value, content.source):
                found[component] = type(value).__qualname__
    return found


def edited_code(state: CodeState, contents: Mapping[Component, Content]) -> list[Component]:
    """Return what counts in this process alone: its text perhaps is not what was loaded."""
    return [
        component
        for component, content in contents.items()
        if content.source == state.modules.doubted_source(component)
    ]


def unverified_code(state: CodeState, contents: Mapping[Component, Content]) -> list[Component]:
    """Return the functions that count by bytecode: the text of their file is not what runs."""
    return [
        component
        for component in contents
        if not component.unit.startswith(("$", "class ")) and not component.path.startswith(OUTSIDE)
        if (unit := state.live_unit(component, Observations())) is not None and not unit.text
    ]
