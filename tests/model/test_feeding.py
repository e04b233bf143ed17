"""Which calls used what only others made, against the definition."""

from __future__ import annotations

from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from gitmemo.model.feeding import fed_by

values = st.integers(0, 8)
some = st.lists(values, max_size=3, unique=True)
calls = st.dictionaries(st.text("abcdef", min_size=1, max_size=1), st.tuples(some, some))


@given(calls, some, some)
def test_what_only_found_calls_and_others_made_finds_its_users(
    graph: dict[str, tuple[list[int], list[int]]], others: list[int], own: list[int]
) -> None:
    made = {name: makes for name, (_, makes) in graph.items()}
    users: dict[int, list[str]] = defaultdict(list)
    for name, (uses, _) in graph.items():
        for value in uses:
            users[value].append(name)
    makers = Counter([*own, *(value for makes in made.values() for value in makes)])
    found = fed_by(others, made, users, makers)

    # The least set that holds whoever uses something whose every known maker is found.
    expected: set[str] = set()
    grew = True
    while grew:
        lost = set(others) | {value for name in expected for value in made[name]}
        kept = {*own, *(value for name in made if name not in expected for value in made[name])}
        more = {name for name, (uses, _) in graph.items() if set(uses) & (lost - kept)}
        grew = not more <= expected
        expected |= more
    assert found == expected
    assert makers == Counter([*own, *(value for makes in made.values() for value in makes)])
