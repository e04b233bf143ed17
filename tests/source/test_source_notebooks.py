"""Notebooks are read without running them."""

from __future__ import annotations

import ast
import json

import pytest

from gitmemo.errors import SourceError
from gitmemo.source import SourceFile
from gitmemo.source.notebook import python_of


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


def as_notebook(cells: list[dict[str, object]], **top: object) -> bytes:
    return json.dumps({"cells": cells, "nbformat": 4, **top}).encode()


def test_sources_are_lists_or_texts_and_other_cells_do_not_count() -> None:
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "source": ["N = 1\n", "M = 'é'"], "outputs": [{"text": "X = 1"}]},
        {"cell_type": "raw", "source": "R = 1"},
        {"cell_type": "markdown", "source": ["P = 1"]},
        {"cell_type": "code", "source": "K = 2\r\nL = 3\r\n"},
        {"cell_type": "code", "source": []},
    ]
    file = SourceFile.parse(as_notebook(cells), "nb.ipynb")
    assert set(file.units) == {"$N", "$M", "$K", "$L"}


def test_format_3_has_worksheets_and_inputs() -> None:
    cells = [{"cell_type": "code", "input": ["def f(): return 1"], "language": "python"}]
    old = json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3})
    new = notebook("def f(): return 1")
    ids = [SourceFile.parse(text, "nb.ipynb").units["f"].source for text in (old, new)]
    assert ids[0] == ids[1]


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(SourceError, match=r"nb\.ipynb"):
        SourceFile.parse(notebook("N = 'x'").replace("x", "é").encode("latin-1"), "nb.ipynb")
    marked = b"\xef\xbb\xbf" + notebook("N = 'é'").encode()
    assert set(SourceFile.parse(marked, "nb.ipynb").units) == {"$N"}


TYPED = [
    "%matplotlib inline\nN = 1",
    "!echo 'it' $HOME",
    "files = !ls -l \\\n  --all\nN = 1",
    "a, b = %sql select 1",
    "!!ls",
    "f?",
    "np.a.b??",
    "?f",
    "*.load?",
    "def f(v):\n    %time g(v)\n    !rm x\n    return v",
    "x = (1\n     %2)\n%who",
    'text = """\n%who\n!ls\n"""\n%who',
    "y = [1, # why?\n     2]\n# really?\n%who",
    "if x:\n    %who\nelse:\n    files = !ls",
    "await g()\n%who",
    "  N = 1\n  %who",
    "s = 'a(' + \"b'[\"\n%who",
    "x = 1 + \\\n  2\n%who",
]


@pytest.mark.parametrize("cell", TYPED)
def test_what_was_typed_is_what_ipython_makes_of_it(cell: str) -> None:
    transformer = pytest.importorskip("IPython.core.inputtransformer2").TransformerManager()
    made = transformer.transform_cell(cell)
    assert ast.dump(ast.parse(python_of(cell))) == ast.dump(ast.parse(made))
    assert ast.dump(ast.parse(python_of(made))) == ast.dump(ast.parse(made))


@pytest.mark.parametrize("cell", TYPED)
def test_every_line_stays_where_it_was(cell: str) -> None:
    made = python_of(cell)
    assert made.strip()
    assert made.count("\n") == cell.count("\n")
    assert python_of(made) == made


def test_a_few_calls_by_heart() -> None:
    assert python_of("a = !ls 'x'") == "a = get_ipython().getoutput(\"ls 'x'\")"
    assert python_of("%time f(1)") == "get_ipython().run_line_magic('time', 'f(1)')"
    assert python_of("if x:\n  !ls") == "if x:\n  get_ipython().system('ls')"


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("%%time\nN = 1", {"$N"}),
        ("\n%%capture out\n%%time\n\nN = 1\n!ls", {"$N"}),
        ("get_ipython().run_cell_magic('time', '', 'N = 1\\n%who\\n')", {"$N"}),
        ("%%timeit\nN = 1", set()),  # that is inside of a function
        ("%%bash\nN=1", set()),
        ("%%writefile m.py\nN = 1", set()),
        ("%%html", set()),
        ("%%time", set()),
        ("N = (", set()),
        ("%%time\nN = (", set()),
        ("", set()),
    ],
)
def test_cell_magics(cell: str, names: set[str]) -> None:
    file = SourceFile.parse(notebook(cell, "def f():\n    return 1"), "nb.ipynb")
    assert set(file.units) == names | {"f"}
    assert file.text.split("\n")[file.units["f"].spans[0].first - 1] == "def f():"


def test_the_first_cell_of_two_that_define_a_function_is_forgotten() -> None:
    cells = ["def f(): return 1\ndef g(): return f()", "class f: pass", "def f(): return 2"]
    units = SourceFile.parse(notebook(*cells), "nb.ipynb").units
    assert set(units) == {"f", "g"}
    assert units["f"].source == SourceFile.parse("def f(): return 2", "m.py").units["f"].source


def test_a_notebook_that_nests_too_deep_is_refused() -> None:
    with pytest.raises(SourceError):
        SourceFile.parse("[" * 100_000, "nb.ipynb")
