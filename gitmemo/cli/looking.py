"""What commands that only read look at: what cannot be read is left out, and that is said.

Not what they show of it. Invariant: a command that left something out says so and does not
end with 0.
"""

from __future__ import annotations

import click

from gitmemo.cli.commands import LEFT_OUT
from gitmemo.cli.screen import AS_JSON
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable, printable_lines
from gitmemo.errors import SegmentUnreadable
from gitmemo.workspace import View, look

_WARNING = "left out, with all that it says, decisions too"


def look_at(rev: str | None, *, later: bool = True, beside: View | None = None) -> View:
    """Return what there is to see in the work tree, or in a revision; see `workspace.look`."""
    view = look(rev=rev, later=later, beside=beside, lenient=True)
    meta = click.get_current_context().meta
    said: set[str] = meta.setdefault(LEFT_OUT, set())
    for error in view.left_out:
        if error.path not in said:
            said.add(error.path)
            click.echo(_as_json(error) if meta.get(AS_JSON) else _as_text(error), err=True)
    return view


def _as_json(error: SegmentUnreadable) -> str:
    fields = {
        "kind": error.kind,
        "path": error.path,
        "problem": error.problem(),
        "remedy": error.remedy(),
    }
    return json_line({"left_out": fields})


def _as_text(error: SegmentUnreadable) -> str:
    return printable_lines(f"gitmemo: {_WARNING}: {error}")


def where(view: View) -> str:
    """Say what is looked at."""
    place = view.world.place
    if view.rev is not None:
        return printable(f"{view.rev} at {(place.commit or '')[:9]}")
    branch = printable(f"on {place.branch}") if place.branch else "detached"
    return branch + (f" at {place.commit[:9]}" if place.commit else " (no commit yet)")
