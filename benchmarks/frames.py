"""Tables over chains of three ops: computation frames and patterns, beside pandas on ready data."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.amounts import scaled
from benchmarks.cases import Call, Case, Kind, Site
from benchmarks.peers import PLAIN, REPOSITORY

_STEPS = 250  # mandala gets slower in long blocks


def _filled(count: int, ask: Callable[[Any, Any, Any], Call], site: Site) -> Call:
    """Make so many calls, three to a row, and return what asks for a table of them."""
    subject = site.subject
    load, train, judge = map(site.wrap, (subject.load, subject.train, subject.judge))
    last: Any = None
    for begin in range(0, count // 3, _STEPS):
        with site.tool.block():
            for i in range(begin, min(begin + _STEPS, count // 3)):
                last = judge(train(load(i), 0.5 + i % 10), i % 7)
    return ask(site.tool.storage, judge, last)


def _made(storage: Any, judge: Any, _: Any) -> Call:
    return lambda: storage.cf(judge)


def _table(storage: Any, judge: Any, _: Any) -> Call:
    return lambda: storage.cf(judge).expand_all().df()


def _pattern(storage: Any, _: Any, last: Any) -> Call:
    return lambda: storage.similar(last, verbose=False)


def _case(
    count: int, title: str, ask: Callable[[Any, Any, Any], Call], *peers: str
) -> tuple[str, Case]:
    name = f"{count // 1000}k"
    calls = scaled(count)
    return name, Case(
        f"{title}, {calls:,} calls",
        partial(_filled, calls, ask),
        3,
        (f"pandas, {count // 3:,} ready rows joined",),
        (REPOSITORY, PLAIN, *peers),
        kind=Kind.BLOCK,
        warm_up=2,
        is_long=count > 10_000 or (count > 1_000 and bool(peers)),
    )


def _cases() -> dict[str, Case]:
    made: dict[str, Case] = {}
    for count in (1_000, 10_000, 100_000):
        for kind, title, ask, most_of_mandala in (  # which needs minutes to store 10,000
            ("frame", "`storage.cf(judge)`", _made, 1_000),
            ("table", "`storage.cf(judge).expand_all().df()`", _table, 10_000),
            ("similar", "`storage.similar(acc)`", _pattern, 0),
        ):
            peers = ("mandala",) if count <= most_of_mandala else ()
            name, case = _case(count, title, ask, *peers)
            made[f"{kind}{name}"] = case
    return made


TABLES = _cases()
