"""The histories of functions, brought up to what a workspace knows.

Not how they are written (`gitmemo.history`). Invariant: what is there already stays as it is; and
nothing is left out because it was done before, unless all that it was done from is unchanged.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from gitmemo.git.repository import Layout, commit_of_ref
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import digest, to_hex
from gitmemo.model.facts import Decision, Source
from gitmemo.model.lines import from_line
from gitmemo.setting_values import SIDE_REF
from gitmemo.workspace import Workspace
from gitmemo.world.index import Index

_NOTE = "versions.rendered"
_SHOWN = "versions.views"


def render_histories(workspace: Workspace) -> None:
    """Write the sources and decisions that are known here as git commits, where they are missing."""
    index, layout = workspace.world.index, workspace.layout
    lines = [line for _, line in index.lines_of("source", "decision")]
    if not lines:
        return
    state = _state_of(index, lines)
    if _is_rendered(layout, state):
        return
    from gitmemo.history import Histories

    facts = [
        fact for line in lines if isinstance(fact := from_line(line, content_id), Source | Decision)
    ]
    report = Histories(layout).render(facts, index.texts())
    with suppress(OSError):
        (layout.private_dir / _NOTE).write_text(f"{report.anchor} {state}\n", "ascii")


def _state_of(index: Index, lines: list[str]) -> str:
    """Return a digest of all that histories are rendered from."""
    texts = [line for _, line in index.lines_of("text")]
    return to_hex(digest("\n".join([*lines, *texts]).encode("utf-8")))


def _is_rendered(layout: Layout, state: str) -> bool:
    """Whether this was rendered, and the anchor and the views are as they were afterwards.

    Most commits of results bring no new code, and rendering takes long to import.
    """
    known, _, rendered = _text(layout.private_dir / _NOTE).partition(" ")
    return (
        rendered == state
        and known == commit_of_ref(layout, SIDE_REF)
        and known == _text(layout.private_dir / _SHOWN)
    )


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
