"""The rows of a run: printed as they come, kept, and read from the JSON of an earlier run.

Not the table in a document (`overview`). Invariant: a file that was written reads as the same rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.timing import TIME, Figure, Row

SHOWN: list[Row] = []
"""All rows of this run, in their order."""


def show(row: Row) -> None:
    """Print a row, and keep it; ratios are to the first figure, and from floors to it."""
    SHOWN.append(row)
    ours = row.figures[0]
    print(f"\n{row.name}: {row.title}")
    print(f"  {'':34} {'median':>12} {'least':>12} {'most':>12} {'ratio':>8}")
    for one in row.figures:
        if one.is_floor:
            name, last = f"floor: {one.name}", f"   we: {ours.ratio(one):.1f} times that"
        else:
            name, last = one.name, f"{one.ratio(ours):8.2f}"
        cells = " ".join(f"{said(x, row.unit):>12}" for x in (one.median, one.least, one.most))
        print(f"  {name:34} {cells} {last}", flush=True)


def said(value: float, unit: str) -> str:
    """Return a figure as people read it; times are in microseconds."""
    if unit != TIME:
        return f"{_number(value)} {unit}"
    for name, size in (("s", 1e6), ("ms", 1e3)):
        if rounded(value / size, 3) >= 1:
            return f"{_number(value / size)} {name}"
    return f"{_number(value)} µs"


def write(path: Path, found: Mapping[str, str], rows: Iterable[Row]) -> None:
    """Write the rows of a run, and the machine that it ran on."""
    described = {**found, machine.LOAD_AT_END: machine.load()}
    kept = {"machine": described, "rows": [_as_json(row) for row in rows]}
    path.write_text(f"{json.dumps(kept, indent=1, ensure_ascii=False)}\n", encoding="utf-8")


def read(path: Path) -> tuple[dict[str, str], list[Row]]:
    """Return the machine and the rows that a run wrote."""
    kept = json.loads(path.read_text("utf-8"))
    return kept["machine"], [_from_json(row) for row in kept["rows"]]


def _as_json(row: Row) -> dict[str, Any]:
    figures = [{**asdict(one), "ratio": one.ratio(row.figures[0])} for one in row.figures]
    return {**asdict(row), "figures": figures}


def _from_json(kept: Mapping[str, Any]) -> Row:
    figures = [
        Figure(
            **{key: value for key, value in one.items() if key not in ("ratio", "samples")},
            samples=tuple(one["samples"]),
        )
        for one in kept["figures"]
    ]
    return Row(kept["name"], kept["title"], figures, kept["unit"], kept["group"])


def rounded(value: float, digits: int) -> float:
    """Return the nearest number of so many digits."""
    return float(f"{value:.{digits}g}")


def _number(value: float) -> str:
    return f"{rounded(value, 3):g}" if rounded(value, 3) < 1000 else f"{value:,.0f}"
