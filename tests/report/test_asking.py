"""What people type into columns, and the order of cells: the same in Python and in a browser."""

from __future__ import annotations

import json
from functools import cmp_to_key
from typing import Any

import pytest
from browser import Browser, chromium

from gitmemo.report.asking import filter_of, order_of, text_of
from gitmemo.report.page import static

CELLS: list[Any] = [
    None,
    0,
    0.5,
    -3,
    1e-7,
    12345.678,
    {"n": "2.0"},
    {"n": "NaN"},
    {"n": "Infinity"},
    {"n": "1152921504606846976"},
    {"v": 0.25, "h": "0123456789ab"},
    {"v": "Tree", "h": "0123456789ab"},
    "tree",
    "2026-11-22T10:00",
    "",
    True,
    {"v": False, "h": "0123456789ab"},
    {"j": "[1, 2]"},
    {"j": "None"},
    {"s": "npy 80.1 kB", "c": "0123456789ab"},
    {"l": [1, {"v": 2, "h": "0123456789ab"}, "three"]},
    {"l": [{"n": "NaN"}, 0.9], "more": 3},
    *("\uff5e", "\U0001f600", "\U0001f601", "\ud83d\uff5e", "\ud83d"),
]
TYPED = [
    *("", " ", "tree", "TREE", "1", "=", "!=", "=tree", "!=tree", "== 0.5", "=0.50", "=nan"),
    *(">0.4", ">= 0.5", "<0", "<=-3", ">inf", "<inf", ">-inf", "0..1", "-5 .. 0.3", "a..b", "1..x"),
    *(">2026-11", "<b", ">", "=True", "true", "npy", "kB", "1e-7", "e", "..", "=[1, 2]", "three"),
    *(">\uff5e", "<\U0001f601", ">=\ud83d"),
]


def passing(typed: str) -> list[int]:
    test = filter_of(typed)
    return [n for n, cell in enumerate(CELLS) if test is None or test(cell)]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("tree", [11, 12]),
        (">0.4", [2, 5, 6, 8, 9, 20, 21]),
        ("0..0.5", [1, 2, 4, 10]),
        ("=2", [6, 20]),
        ("=nan", [7, 21]),
        ("=", [0]),
        (">2026-11", [11, 12, 13, 15, 16, 17, 18, 19, 20, 22, 23, 24, 25, 26]),
        ("=True", [15]),
        (">\uff5e", [23, 24]),
    ],
)
def test_what_is_typed_chooses_cells(typed: str, expected: list[int]) -> None:
    assert passing(typed) == expected


def order(upwards: bool) -> list[int]:
    keys = [order_of(cell, upwards=upwards) for cell in CELLS]
    return sorted(range(len(CELLS)), key=lambda n: keys[n], reverse=not upwards)


def test_numbers_come_first_and_gaps_last_both_ways() -> None:
    up, down = order(True), order(False)
    assert up[0] == 3 and down[0] == 8
    assert up[-1] == down[-1] == 0
    numbers = [n for n in up if order_of(CELLS[n])[0] == 0]
    assert up[: len(numbers)] == numbers and set(down[: len(numbers)]) == set(numbers)


def test_an_order_is_a_total_one() -> None:
    by_pairs = cmp_to_key(
        lambda a, b: -1 if order_of(a) < order_of(b) else order_of(a) > order_of(b)
    )
    assert sorted(CELLS, key=by_pairs) == [CELLS[n] for n in order(True)]


@pytest.mark.skipif(chromium() is None, reason="no Chromium is installed")
def test_a_browser_chooses_and_sorts_the_same() -> None:
    script = f"""(() => {{
        {static("cells.js")}
        {static("asking.js")}
        const cells = {json.dumps(CELLS)};
        const passing = (typed) => {{
            const test = testOf(typed);
            return cells.map((_, n) => n).filter((n) => test === null || test(cells[n]));
        }};
        const order = (upwards) => cells.map((_, n) => n).sort((a, b) =>
            compareOrders(orderOf(cells[a]), orderOf(cells[b]), upwards));
        return {{
            passing: {json.dumps(TYPED)}.map(passing),
            texts: cells.map(textOf),
            orders: [order(true), order(false)],
        }};
    }})()"""
    with Browser() as browser:
        found = browser.run(script)
    assert dict(zip(TYPED, found["passing"], strict=True)) == {t: passing(t) for t in TYPED}
    assert found["texts"] == list(map(text_of, CELLS))
    assert found["orders"] == [order(True), order(False)]
