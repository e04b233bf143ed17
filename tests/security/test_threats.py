"""Every threat in the document on security has a test, and every test that it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/security.md"
ATTACKERS = (
    "A malicious remote",
    "A malicious repository",
    "A malicious collaborator with push rights",
    "Another user of this machine",
)
_NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
pytestmark = pytest.mark.skipif(not DOCUMENT.is_file(), reason="the documents are not here")


def sections() -> dict[str, str]:
    parts = re.split(r"^### (.+)$", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_each_attacker_is_there_and_each_threat_has_a_test() -> None:
    assert tuple(sections()) == ATTACKERS
    for name, text in sections().items():
        head, _, *rows = [line for line in text.splitlines() if line.startswith("|")]
        assert head.startswith("| tries | wants | what stops it")
        assert len(rows) > 5, name
        for row in rows:
            tries, wants, stops, tests = (cell.strip() for cell in row.strip("|").split(" | "))
            assert tries and wants and stops, row
            assert _NAMED.search(tests), row
        assert "\nNot protected:" in text, name


def test_every_test_that_is_named_is_there() -> None:
    named = set(_NAMED.findall(DOCUMENT.read_text("utf-8")))
    assert len(named) > 60
    for file in {file for file, _ in named}:
        tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
        here = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert {test for one, test in named if one == file} <= here, file


def test_no_test_on_security_is_left_out() -> None:
    text = DOCUMENT.read_text("utf-8")
    for file in (ROOT / "tests/security").glob("test_*.py"):
        if file.name != Path(__file__).name:
            for test in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE):
                assert f"`security/{file.name}::{test}`" in text, test
