"""Cells of marimo, which have the file names that marimo 0.25 gives them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gitmemo as gm
from gitmemo.errors import UntrackableOp

CELL = "/tmp/marimo_28944/__marimo__cell_MJUe_.py"
TEXT = "def helper(n):\n    return n + 1\n\n{decorator}\ndef f(n):\n    return helper(n)\n"


@pytest.mark.parametrize("decorator", ["@gm.op", "@gm.op(name='f')"])
def test_an_op_in_a_cell_is_refused_where_code_is_versioned(tmp_path: Path, decorator: str) -> None:
    names: dict[str, Any] = {"gm": gm, "__name__": "__main__"}
    exec(compile(TEXT.format(decorator=decorator), CELL, "exec"), names)
    with gm.Storage() as plain:
        assert plain.unwrap(names["f"](1)) == 2
    for path in (tmp_path, "__main__"):
        with gm.Storage(deps_path=path), pytest.raises(UntrackableOp, match="module"):
            names["f"](1)
