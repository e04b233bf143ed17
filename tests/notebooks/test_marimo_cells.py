"""Cells of marimo: with the file names that marimo 0.25 gives them, and run by a real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from desk import Desk

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


NOTEBOOK = """
import marimo

app = marimo.App()


@app.cell
def _():
    import gitmemo as gm
    {define}
    return gm, double


@app.cell
def _(gm, double):
    storage = gm.open()
    with storage:
        found = storage.unwrap(double(4))
    told = f"found {{found}}, computed {{storage.counter.computed}}"
    print(told)
    return


if __name__ == "__main__":
    app.run()
"""
INSIDE = "@gm.op\n    def double(n):\n        return 2 * n"


def test_a_real_notebook_uses_ops_of_modules(desk: Desk) -> None:
    pytest.importorskip("marimo", reason="marimo is not installed")
    desk.clone.write("lab.py", "import gitmemo as gm\n@gm.op\ndef double(n):\n    return 2 * n\n")
    desk.clone.write("outside.py", NOTEBOOK.format(define="from lab import double"))
    desk.clone.write("inside.py", NOTEBOOK.format(define=INSIDE))
    assert "found 8, computed 1" in exported(desk, "outside.py")
    assert "found 8, computed 0" in desk.clone.python("outside.py").out
    assert "UntrackableOp" in exported(desk, "inside.py", code=1)
    assert "found 8, computed 1" in desk.clone.python("inside.py").out
    assert "found 8, computed 0" in desk.clone.python("inside.py").out
    ops = desk.clone.status()["ops"]
    assert ops["lab:double"] == {"calls": 1, "current": 1}
    assert ops["inside:double"] == {"calls": 1, "current": 0}


def exported(desk: Desk, notebook: str, code: int = 0) -> str:
    """Run a notebook as marimo does, and return what came of it."""
    command = ("-m", "marimo", "-q", "export", "html", notebook, "-o", "out.html", "-f")
    done = desk.clone.python(*command, code=code)
    return done.text + (desk.clone.root / "out.html").read_text("utf-8")
