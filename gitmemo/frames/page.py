"""A frame as a notebook shows it: what is in it, its picture, and its first rows.

Not the picture (`picture`), nor the table (`shown`). Invariant: what values and names are is text in
it, never markup, and the work for the rows does not grow with the number of rows.
"""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from gitmemo.drawing import folded, to_svg
from gitmemo.frames.description import Description
from gitmemo.quantities import count

if TYPE_CHECKING:
    from gitmemo.frames.answers import FrameAnswers

_ROWS = 10
_MOST_CALLS = 5_000
"""Rows with a longer history than that are left to `df()`."""


def page_of(frame: FrameAnswers) -> str:
    """Return a frame as HTML."""
    parts = [f"<p>{escape(Description(frame).line())}</p>"]
    if frame.nodes:
        parts.append(to_svg(folded(frame.graph())))
    parts.append(_first_rows(frame))
    return f"<div>{''.join(parts)}</div>"


def _first_rows(frame: FrameAnswers) -> str:
    finals = frame.roles.finals
    first = [call.hid for call in finals[:_ROWS]]
    behind = frame.universe.reach(first, [frame.roles.before])
    if not first or len(behind) > _MOST_CALLS:
        return ""
    # In a part of a frame variables may be called otherwise.
    names = {one: name for one, name in frame.names.items() if one in frame.roles.variables}
    layout = replace(frame.layout, names={**names, **frame.layout.names}, sorted_by=())
    few = replace(frame, selected=behind, free={}, layout=layout)
    shown = few.df().to_html(max_rows=_ROWS, max_cols=20, border=0)
    more = len(finals) - len(first)
    return shown + (f"<p>and {count(more, 'more row', 'more rows')}</p>" if more else "")
