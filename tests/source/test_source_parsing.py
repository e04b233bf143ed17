"""Parsing in several threads: on some Pythons they disturb each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gitmemo.source import file
from gitmemo.source.parsing import parse


def test_threads_parse_at_once() -> None:
    text = Path(file.__file__).read_text()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(parse, [text] * 60))
    assert len({len(tree.body) for tree in found}) == 1


def test_what_is_no_python_is_refused() -> None:
    with pytest.raises(SyntaxError):
        parse("def (")
