"""The cells of docs/notebooks.md run, from top to bottom, in one real kernel."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from desk import Desk

pytest.importorskip("nbclient", reason="nbclient is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "notebooks.md"
_CELL = re.compile(r"^```ipython(?: raises=(\w+))?\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(not DOCUMENT.is_file(), reason="the documents are not beside the tests")
def test_the_cells_of_the_document_run(desk: Desk) -> None:
    cells = [(found[1], found[2]) for found in _CELL.finditer(DOCUMENT.read_text("utf-8"))]
    shown = desk.sitting(*(cell for _, cell in cells))
    assert len(cells) > 5
    for (error, cell), below in zip(cells, shown, strict=True):
        raised = [one["ename"] for one in below.outputs if one["output_type"] == "error"]
        assert raised == ([error] if error else []), f"{cell}\n{below.text}"
    assert shown[3].text == "train: model, loss computed"
