"""The table of all rows in a document: gitmemo, its distance from the floor, and each peer as a ratio.

Not a measurement of its own. A cell "4.2x" says that the peer takes 4.2 times as long, or as much; one
that ends with `ONCE` is of something that was measured once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.peers import MANDALA_VERSIONS, PLAIN
from benchmarks.rows import rounded, said
from benchmarks.timing import Figure, Row

GROUPS = {
    "calls": "Calls in a warm process",
    "processes": "New processes",
    "many": "Many calls",
    "code": "Code",
    "tables": "Tables",
    "sharing": "Sharing",
    "git": "Work in git",
}
"""The parts of the table, by the name under which they are run."""
_COLUMNS = {
    PLAIN: "one file",
    "diskcache": "diskcache",
    "joblib.Memory": "joblib",
    "mandala": "mandala",
    MANDALA_VERSIONS: "mandala",
    "redun": "redun",
    "DVC": "DVC",
    "fsspec": "fsspec",
}
ONCE = "¹"
_ONCE = f"{ONCE} Measured once: it is slow, or the same each time."
BEGIN, END = "<!-- made by `python -m benchmarks table` -->", "<!-- end of what was made -->"


Run = tuple[Mapping[str, str], Sequence[Row]]
"""The machine that a run was on, and the rows that it found."""


def as_markdown(runs: Sequence[Run]) -> str:
    """Return the machines, a table for each group, and where a peer is ahead.

    Rows of later runs replace those of earlier ones.
    """
    rows: dict[str, Row] = {}
    parts: list[str] = []
    for number, (found, of_run) in enumerate(runs):
        replaced = {row.name for _, later in runs[number + 1 :] for row in later}
        kept = {row.name: row for row in of_run if row.group and row.name not in replaced}
        if kept:
            which = "" if len(runs) == 1 else f"\nRows: {', '.join(f'`{name}`' for name in kept)}."
            parts.append(f"{_described(found)}{which}")
        rows |= {row.name: row for row in of_run if row.group}
    for group, title in GROUPS.items():
        of_group = [row for row in rows.values() if row.group == group]
        if of_group:
            table = "\n".join(_table(of_group))
            parts += [f"### {title}", table, *([_ONCE] if ONCE in table else [])]
    ahead = [(name, ", ".join(_ahead(row))) for name, row in rows.items()]
    behind = [f"- `{name}`: {who}." for name, who in ahead if who]
    parts += ["### Where a peer is ahead", "\n".join(behind or ["Nowhere."])]
    return "\n\n".join(parts)


def write_into(document: Path, made: str) -> bool:
    """Put what was made between the two marks of a document; return whether it has them."""
    text = document.read_text("utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        return False
    document.write_text(f"{head}{begin}\n\n{made}\n\n{end}{tail}", encoding="utf-8")
    return True


def _described(found: Mapping[str, str]) -> str:
    return (
        f"Made on {found['date']} by `python -m benchmarks` of commit {found['commit']}:"
        f" {found['processor']}, {found['memory']},\n{found['system']}, Python {found['Python']},"
        f" git {found['git']}. Load average {found['load average']} at the start,"
        f" {found[machine.LOAD_AT_END]} at the end."
    )


def _table(rows: Sequence[Row]) -> Iterator[str]:
    present = {_COLUMNS.get(one.name) for row in rows for one in row.figures}
    columns = [name for name in dict.fromkeys(_COLUMNS.values()) if name in present]
    yield _line(("", "gitmemo (best)", "floor: distance", *columns))
    yield "|---" * (3 + len(columns)) + "|"
    for row in rows:
        ours = row.figures[0]
        cells = {
            _COLUMNS.get(one.name, ""): f"{_times(one.ratio(ours))}{_mark(one)}"
            for one in row.figures[1:]
        }
        yield _line(
            (
                f"`{row.name}`: {row.title}",
                f"{said(ours.median, row.unit)} ({said(ours.least, row.unit)}){_mark(ours)}",
                _floor(row),
                *(cells.get(column, "-") for column in columns),
            )
        )


def _floor(row: Row) -> str:
    floor = next((one for one in row.figures if one.is_floor), None)
    if floor is None:
        return "-"
    distance = _times(row.figures[0].ratio(floor))
    return f"{floor.name} ({said(floor.median, row.unit)}): {distance}{_mark(floor)}"


def _mark(one: Figure) -> str:
    return ONCE if len(one.samples) == 1 else ""


def _ahead(row: Row) -> Iterator[str]:
    """Yield the peers that are ahead: by more than is rounded away, and in nearly every round."""
    ours = row.figures[0]
    for one in _peers(row.figures[1:]):
        times = 1 / one.ratio(ours)
        if rounded(times, 2) > 1 and one.is_below(ours):
            yield f"{_times(times)} of {_COLUMNS[one.name]}{_mark(one)}"


def _peers(figures: Iterable[Figure]) -> Iterator[Figure]:
    return (one for one in figures if one.name in _COLUMNS and one.name != PLAIN)


def _times(ratio: float) -> str:
    near = rounded(ratio, 2)
    return f"{near:g}x" if near < 100 else f"{round(ratio, -1):,.0f}x"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
