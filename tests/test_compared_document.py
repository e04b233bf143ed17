"""Every line of `docs/compared.md` names a test, and the test exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
DOCUMENT = TESTS.parent / "docs" / "compared.md"
pytestmark = pytest.mark.skipif(
    not DOCUMENT.is_file(), reason="the documents are not beside the tests"
)

NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
SECTIONS = {
    "Ops and signatures": 25,
    "Refs and calls": 14,
    "Collections": 5,
    "Memoization": 8,
    "Special values": 5,
    "Versioning": 12,
    "What goes wrong there": 47,
    "Looking at versions": 5,
    "Queries": 10,
    "Deleting and care": 6,
    "Storage": 5,
}


def rows(section: str) -> list[str]:
    text = DOCUMENT.read_text("utf-8").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return [line for line in text.splitlines() if line.startswith("| ")][2:]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_row_names_a_test(section: str) -> None:
    found = rows(section)
    assert len(found) == SECTIONS[section]
    assert [row for row in found if not NAMED.search(row.rpartition(" | ")[2])] == []


def test_every_test_that_is_named_exists() -> None:
    named = set(NAMED.findall(DOCUMENT.read_text("utf-8")))
    assert named
    for path in {path for path, _ in named}:
        tree = ast.parse((TESTS / path).read_text("utf-8"))
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        missing = {name for file, name in named if file == path} - defined
        assert not missing, f"{path}: {missing}"


def test_what_the_star_import_gives() -> None:
    from gitmemo import imports

    text = " ".join(DOCUMENT.read_text("utf-8").split()).rpartition("import *` gives ")[2]
    assert set(re.findall(r"`(\w+)`", text.partition(". ")[0])) == set(imports.__all__)
