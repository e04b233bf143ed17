"""Plain text for terminals: diffs, tables. Numbers are in `quantities`.

Not rich display in notebooks. Invariant: pure; the caller writes the lines and
decides on colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

_COLORS = {"+": "green", "-": "red", "@": "cyan"}
_WIDEST_CELL = 60


def diff_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a unified diff, indented and coloured."""
    import click  # here: hooks print too, and load as little as they can

    for line in lines:
        line = printable(line)
        yield "  " + click.style(line, fg=_COLORS.get(line[:1]))


def printable(text: str) -> str:
    """Return `text` without what could steer a terminal: it may come from another repository.

    >>> printable("a\\x1b[31mb")
    'a�[31mb'
    """
    return "".join(c if c.isprintable() or c == "\t" else "�" for c in text)


def printable_lines(text: str) -> str:
    """Return `text` as `printable` does each of its lines."""
    return "\n".join(map(printable, text.split("\n")))


def table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], widest: int = _WIDEST_CELL
) -> Iterator[str]:
    """Yield an aligned table of cells of at most `widest` characters; numbers stand on the right."""
    columns = [printable(column) for column in columns]
    cells = [[_cell(value, widest) for value in row] for row in rows]
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


def _cell(value: object, widest: int) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else repr(value)
    return cut(printable(text), widest)


def cut(text: str, most: int) -> str:
    """Return `text`, or as much of it as fits into `most` characters.

    >>> cut("abc", 3), cut("abcd", 3)
    ('abc', 'ab…')
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"
