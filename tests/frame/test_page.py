"""What notebooks show of a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import pytest

import gitmemo as gm
from gitmemo.errors import UnknownNode
from gitmemo.frames.shown import ShownTables


@gm.op(name="page_echo", output_names=["echo"])
def echo(text: str) -> str:
    return text + "!"


@gm.op(name="page_more", output_names=["more"])
def more(echo: str) -> str:
    return echo + "?"


def test_a_page_has_counts_a_picture_and_the_first_rows() -> None:
    with gm.Storage() as storage:
        for n in range(30):
            more(echo(f"<b>{n}</b>"))
    frame = storage.cf(more).expand_back().rename(echo="shout")
    made: list[int] = []
    build = ShownTables.df

    def counted(self: ShownTables, nodes: Sequence[str], *rest: Any) -> Any:
        found = build(self, nodes, *rest)
        made.append(len(found))
        return found

    with patch.object(ShownTables, "df", counted):
        html = frame._repr_html_()
    assert made == [10]
    assert "60 calls" in html and "<svg" in html and "<table" in html
    assert "and 20 more rows" in html
    assert "<b>" not in html and "&lt;b&gt;0&lt;/b&gt;!" in html
    assert "<th>shout</th>" in html
    assert (
        gm.Storage().cf()._repr_html_() == "<div><p>ComputationFrame(0 calls of nothing)</p></div>"
    )


def test_what_cannot_be_sorted_by_names_the_columns() -> None:
    with gm.Storage() as storage:
        more(echo("a"))
    with pytest.raises(UnknownNode) as caught:
        storage.cf(more).expand_back().sort("nothing")
    assert caught.value.remedy() == "it has echo, more, text"
