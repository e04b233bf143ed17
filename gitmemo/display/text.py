"""Plain text for terminals: numbers, diffs, tables.

Not rich display in notebooks. Invariant: pure; the caller writes the lines and
decides on colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click

_COLORS = {"+": "green", "-": "red", "@": "cyan"}


def diff_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a unified diff, indented and coloured."""
    for line in lines:
        line = printable(line)
        yield "  " + click.style(line, fg=_COLORS.get(line[:1]))


def printable(text: str) -> str:
    """Return `text` without what could steer a terminal: it may come from another repository.

    >>> printable("a\\x1b[31mb")
    'a�[31mb'
    """
    return "".join(c if c.isprintable() or c == "\t" else "�" for c in text)


def duration(seconds: float) -> str:
    """Return a duration as people say it.

    >>> duration(0.0042), duration(3.14), duration(75), duration(7300)
    ('4.2 ms', '3.1 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 1:
        return f"{seconds * 1000:.2g} ms"
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def size(size_bytes: int) -> str:
    """Return a size in bytes as people say it.

    >>> size(999), size(2500), size(5_100_000)
    ('999 B', '2.5 kB', '5.1 MB')
    """
    value, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{size_bytes} B" if unit == "B" else f"{value:.1f} {unit}"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun.

    >>> count(1, "call"), count(2, "call"), count(0, "history", "histories")
    ('1 call', '2 calls', '0 histories')
    """
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Yield an aligned table; numbers stand on the right."""
    columns = [printable(column) for column in columns]
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    numeric = [
        bool(rows) and all(isinstance(row[i], int | float) or row[i] is None for row in rows)
        for i in range(len(columns))
    ]

    def line(values: Sequence[str]) -> str:
        parts = (
            value.rjust(width) if right else value.ljust(width)
            for value, width, right in zip(values, widths, numeric, strict=True)
        )
        return "  ".join(parts).rstrip()

    yield line(columns)
    for row in cells:
        yield line(row)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else repr(value)
    text = printable(text)
    return text if len(text) <= 60 else f"{text[:59]}…"
