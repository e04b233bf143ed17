"""What stands in a page, read without a browser. Not a test."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

_DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


def data_of(path: Path) -> dict[str, Any]:
    """Return the data of a page."""
    blocks = _DATA.findall(path.read_text("utf-8"))
    assert len(blocks) == 1
    found: dict[str, Any] = json.loads(blocks[0])
    return found


def cells_of(table: dict[str, Any], name: str) -> list[Any]:
    """Return the cells of a column, row by row, without ids."""
    column = next(one for one in table["columns"] if one["name"] == name)
    at = column["at"] if column["at"] is not None else range(table["rows"])
    return [column["cells"][place] for place in at]


def ids_of(table: dict[str, Any], name: str) -> list[str]:
    """Return the ids of the cells of a column, row by row."""
    column = next(one for one in table["columns"] if one["name"] == name)
    at = column["at"] if column["at"] is not None else range(table["rows"])
    return [column["ids"][12 * place : 12 * place + 12].strip() for place in at]


def table_of(data: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the table of an op by its short name."""
    found: dict[str, Any] = next(one for one in data["tables"] if one["name"] == name)
    return found
