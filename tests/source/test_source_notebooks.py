"""Notebooks are read without running them."""

from __future__ import annotations

import json

import pytest

from gitmemo.errors import SourceError
from gitmemo.source import SourceFile


def notebook(*cells: str) -> str:
    listed = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    text = {"cell_type": "markdown", "source": "def prose(:"}
    return json.dumps({"cells": [text, *listed], "nbformat": 4})


def test_cells_magics_and_later_definitions() -> None:
    file = SourceFile.parse(
        notebook(
            "%matplotlib inline\nimport numpy as np\n!pip install x\nfiles = !ls",
            "%%bash\nls -l",
            "%%time\nX = []\ndef f(v):\n    %time g(v)\n    return v + 1",
            "X.append(2)\nf?\nclass C:\n    def m(self): return 1",
            "half a thought (",
            "def f(v): return np.sqrt(v)\nclass C:\n    def k(self): return 2",
        ),
        "work/nb.ipynb",
    )
    assert set(file.units) == {"$files", "$X", "f", "class C", "C.k"}
    assert file.units["f"].text == "import numpy as np\n\ndef f(v): return np.sqrt(v)\n"
    assert file.units["$X"].text == "X = []\n\nX.append(2)\n"


def test_ids_are_those_of_a_plain_file() -> None:
    cells = "N = 2", "def f(v): return v * N"
    plain = SourceFile.parse("\n".join(cells), "m.py").units
    for name, unit in SourceFile.parse(notebook(*cells), "m.ipynb").units.items():
        assert (unit.source, unit.literal_value) == (plain[name].source, plain[name].literal_value)


@pytest.mark.parametrize("text", ["", "[]", '{"cells": 3}', '{"cells": [{}]}'])
def test_what_is_no_notebook_is_refused(text: str) -> None:
    with pytest.raises(SourceError):
        SourceFile.parse(text, "bad.ipynb")
