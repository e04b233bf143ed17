"""The table of `docs/peers.md` says what tools do: those that are installed here are tried."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/peers.md"
SCRIPT = ROOT / "benchmarks/changes.py"
pytestmark = pytest.mark.skipif(
    not (DOCUMENT.is_file() and SCRIPT.is_file()), reason="the documents are not beside the tests"
)


@pytest.fixture(scope="module")
def changes() -> ModuleType:
    """The script that tries the cells."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        return importlib.import_module("benchmarks.changes")


def column(title: str) -> dict[str, str]:
    """Return what the document says of a tool, by row."""
    lines = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| ")]
    rows = [[cell.strip(" *") for cell in line.strip("| ").split(" | ")] for line in lines]
    place = rows[0].index(title) + 1
    return {row[0]: row[place] for row in rows[2:]}


@pytest.mark.parametrize("module", ["joblib", "diskcache", "mandala", "dvc", "gitmemo"])
def test_the_column_is_what_is_seen(module: str, changes: ModuleType) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    tool = next(tool for tool in changes.TOOLS if tool.module == module)
    assert dict(changes.cells(sys.executable, tool)) == column(tool.title)
