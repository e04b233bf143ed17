"""What property tests of several packages draw from."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Strategy = st.SearchStrategy[Any]


def containers(inner: Strategy, keys: Strategy) -> Strategy:
    """Return one more level of plain containers around `inner`."""
    return (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(keys, inner)
        | st.sets(keys)
        | st.frozensets(keys)
    )
