"""The histories of functions, brought up to what a workspace knows.

Not how they are written (`gitmemo.history`). Invariant: what is there already stays as it is.
"""

from __future__ import annotations

from gitmemo.model.facts import Decision, Source
from gitmemo.workspace import Workspace


def render_histories(workspace: Workspace) -> None:
    """Write the sources and decisions that are known here as git commits, where they are missing."""
    index = workspace.world.index
    facts = [
        fact
        for kind in ("source", "decision")
        for _, _, fact in index.facts(kind)
        if isinstance(fact, Source | Decision)
    ]
    if not facts:
        return
    from gitmemo.history import Histories

    Histories(workspace.layout).render(facts, index.texts())
