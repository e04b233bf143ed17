"""HTML for notebooks: tables, code, differences.

Not what is shown (each object says that). Invariant: every text is escaped, nothing runs and nothing
is loaded from elsewhere, and colours are readable on light and dark pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_TINTS = {"+": "rgba(46,160,67,.18)", "-": "rgba(248,81,73,.18)", "@": "rgba(56,139,253,.14)"}
_MOST_LINES = 400
"""Longer texts are cut: a notebook keeps what it shows in its file."""


def block(*parts: str) -> str:
    """Return markup as one block."""
    return f'<div class="gitmemo">{"".join(parts)}</div>'


def line(text: str) -> str:
    """Return a text as a line of its own."""
    return f"<div>{escape(text)}</div>"


def heading(text: str) -> str:
    """Return a text that stands above others."""
    return f"<div><b>{escape(text)}</b></div>"


def code(text: str) -> str:
    """Return code as it is written."""
    return _pre(escape(one) for one in _cut(text.splitlines()))


def difference(lines: Iterable[str]) -> str:
    """Return the lines of a unified diff, coloured."""
    return _pre(_tinted(one) for one in _cut(list(lines)))


def folded(summary: str, inner: str) -> str:
    """Return markup that is shown when its summary, a text, is clicked."""
    return f"<details><summary>{escape(summary)}</summary>{inner}</details>"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table of texts."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _pre(lines: Iterable[str]) -> str:
    return f'<pre style="line-height:1.3;margin:.3em 0">{"<br>".join(lines)}</pre>'


def _tinted(one: str) -> str:
    tint = _TINTS.get(one[:1])
    text = escape(one)
    return f'<span style="background:{tint}">{text}</span>' if tint else text


def _cut(lines: Sequence[str]) -> list[str]:
    if len(lines) <= _MOST_LINES:
        return list(lines)
    return [*lines[:_MOST_LINES], f"… {len(lines) - _MOST_LINES} more lines"]
