"""One table of all cases: gitmemo, its distance from the floor, and each peer as a ratio.

Not a measurement of its own: `turns` measures. A cell "4.2x" says that the peer takes 4.2 times as long.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.cases import CASES
from benchmarks.peers import PLAIN, REPOSITORY
from benchmarks.timing import SHOWN, Figure, Table
from benchmarks.turns import compare

_COLUMNS = {PLAIN: "one file", "diskcache": "diskcache", "joblib.Memory": "joblib"}
_COLUMNS |= {"mandala": "mandala", "redun": "redun"}
_ROUNDS = 5


def overview() -> None:
    """Run all cases with few rounds, and print one table of ratios; it takes about five minutes."""
    begun = len(SHOWN)
    for name in CASES:
        compare(name, rounds=_ROUNDS, tools=(REPOSITORY, *_COLUMNS))
    print(f"\n{as_markdown(SHOWN[begun:])}")


def as_markdown(tables: Sequence[Table]) -> str:
    """Return one table of the cases, and below it where gitmemo is behind."""
    head = ("", "gitmemo (best)", "floor: distance", *_COLUMNS.values())
    lines = [_row(head), "|---" * len(head) + "|"]
    behind: list[str] = []
    for table in tables:
        ours = table.figures[0]
        floors = [one for one in table.figures if one.is_floor]
        others = {one.name: one for one in table.figures[1:] if not one.is_floor}
        floor = f"{floors[0].name} ({_time(floors[0].median_us)}): {_times(ours.ratio(floors[0]))}"
        cells = [_ratio(others.get(name), ours) for name in _COLUMNS]
        said = f"{_time(ours.median_us)} ({_time(ours.fastest_us)})"
        lines.append(_row((table.title, said, floor, *cells)))
        behind += [
            f"- {table.title}: {_times(1 / one.ratio(ours))} the time of {one.name}."
            for one in others.values()
            if one.ratio(ours) < 1 and one.name != PLAIN
        ]
    return "\n".join([*lines, "", "gitmemo is behind:", "", *(behind or ["- nowhere."])])


def described(found: dict[str, str]) -> str:
    """Return the machine as one line."""
    return "; ".join(f"{what} {value}" for what, value in found.items())


def write_json(path: Path, found: dict[str, str], tables: Sequence[Table]) -> None:
    """Write the tables of a run, and the machine that it ran on."""
    shown = [
        {
            "title": table.title,
            "figures": [
                {
                    "name": one.name,
                    "is_floor": one.is_floor,
                    "median_us": one.median_us,
                    "fastest_us": one.fastest_us,
                    "slowest_us": one.slowest_us,
                    "ratio": one.ratio(table.figures[0]),
                    "times_us": one.times_us,
                }
                for one in table.figures
            ],
        }
        for table in tables
    ]
    ended = {**found, "load average at the end": machine.load()}
    text = json.dumps({"machine": ended, "tables": shown}, indent=1, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")


def _ratio(one: Figure | None, ours: Figure) -> str:
    return "-" if one is None else _times(one.ratio(ours))


def _times(ratio: float) -> str:
    return f"{ratio:.2g}x" if ratio < 100 else f"{round(ratio, -1):,.0f}x"


def _time(us: float) -> str:
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if us >= size:
            return f"{us / size:.3g} {unit}"
    return f"{us:.3g} µs"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
