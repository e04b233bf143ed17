"""A notebook in a repository: run in a kernel, committed, edited, committed again."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from driver import Clone, Done, make_clone

NOTEBOOK = "analysis/first.ipynb"

# What a kernel does with cells, with or without IPython. Run as `kernel.py NOTEBOOK [CELL...]`.
KERNEL = """
import json, linecache, os, sys, types, zlib
path, order = sys.argv[1], [int(n) for n in sys.argv[2:]]
where = os.environ.get("NOTEBOOK")
cells = [c["source"] for c in json.load(open(path))["cells"] if c["cell_type"] == "code"]
names = {"__session__": os.path.abspath(where)} if where else {}
def name_of(text):
    return f"/tmp/ipykernel_{os.getpid()}/{zlib.crc32(text.encode())}.py"
"""
FAKE = (
    KERNEL
    + """
main = sys.modules["__main__"] = types.ModuleType("__main__")
vars(main).update(names)
for n in order or range(len(cells)):
    text = "".join(cells[n])
    name = name_of(text)
    linecache.cache.pop(name, None)  # without run counts, the order says what ran last
    linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
    exec(compile(text, name, "exec"), vars(main))
"""
)
REAL = (
    KERNEL
    + """
from IPython.core.compilerop import CachingCompiler
from IPython.core.interactiveshell import InteractiveShell
class Compiler(CachingCompiler):
    def get_code_name(self, raw_code, code, number): return name_of(raw_code)
InteractiveShell.compiler_class.default_value = Compiler
shell = InteractiveShell.instance(user_ns=names, compiler_class=Compiler)
shell.compile = Compiler()
for n in order or range(len(cells)):
    shell.run_cell("".join(cells[n]), store_history=True).raise_error()
"""
)
HAS_IPYTHON = importlib.util.find_spec("IPython") is not None
KERNELS = [
    pytest.param(FAKE, id="cells"),
    pytest.param(
        REAL,
        id="ipython",
        marks=pytest.mark.skipif(not HAS_IPYTHON, reason="IPython is not installed"),
    ),
]

CELLS = (
    "import gitmemo as gm\nstorage = gm.open()\nRATE = 3\n",
    "def scale(n):\n    # why\n    return n * RATE\n",
    "@gm.op\ndef train(n):\n    return scale(n) + 1\n",
    "with storage:\n    print(storage.unwrap(train(2)))\n",
)


def written(clone: Clone, cells: Sequence[str], **metadata: object) -> None:
    text = {"cell_type": "markdown", "source": "# not ( Python", "metadata": {}}
    code = [
        {
            "cell_type": "code",
            "source": cell.splitlines(keepends=True),
            "outputs": [],
            "metadata": metadata,
            "execution_count": None,
        }
        for cell in cells
    ]
    notebook = {"cells": [text, *code], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}
    clone.write(NOTEBOOK, json.dumps(notebook, indent=1))


@pytest.fixture
def clone(tmp_path: Path, template_home: Path) -> Clone:
    clone = make_clone(tmp_path / "lab", template_home)
    clone.write(".gitignore", "__pycache__/\n")
    clone.gitmemo("init")
    clone.commit("Begin")
    return clone


def run(clone: Clone, kernel: str, *order: int, known: bool = True, code: int | None = 0) -> Done:
    variables = {"IPYTHONDIR": str(clone.home), "NOTEBOOK": NOTEBOOK if known else ""}
    return clone.python("-c", kernel, NOTEBOOK, *map(str, order), code=code, **variables)


def reused(clone: Clone) -> list[dict[str, object]]:
    return [row for row in clone.rows("train") if row]


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_notebooks_calls_are_valid_for_the_staged_notebook(clone: Clone, kernel: str) -> None:
    written(clone, CELLS)
    assert run(clone, kernel).out.split() == ["7"]
    records = clone.records()
    said = clone.commit("Train in a notebook")
    assert "change" not in said
    assert clone.calls_in() == 1
    assert any(f'"{NOTEBOOK}"' in line for line in clone.committed())
    run(clone, kernel)
    assert clone.records() <= records
    assert clone.status()["pending"] == 0


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_changed_cell_is_asked_about_and_a_cosmetic_one_is_not(clone: Clone, kernel: str) -> None:
    written(clone, CELLS)
    run(clone, kernel)
    clone.commit("Train in a notebook")
    cosmetic = [CELLS[0], CELLS[1].replace("# why", "# because"), "x = 1\n", *CELLS[2:]]
    written(clone, cosmetic, tags=["seen"])
    assert "change" not in clone.commit("Explain")
    written(clone, [cell.replace("n * RATE", "n + RATE") for cell in cosmetic])
    said = clone.commit("Add")
    assert f"{NOTEBOOK}:scale" in said
    assert "pending" in said
    assert run(clone, kernel).out.split() == ["6"]


@pytest.mark.parametrize("kernel", KERNELS)
def test_running_cells_again_and_in_another_order_changes_nothing(
    clone: Clone, kernel: str
) -> None:
    other = "def scale(n):\n    return -n\n"
    written(clone, [*CELLS[:2], other, *CELLS[2:], "WORDS = []\n", "WORDS.append(1)\n"])
    # `scale` as it was defined last counts, not the one that stands last.
    assert run(clone, kernel, 0, 2, 1, 3, 4).out.split() == ["7"]
    assert run(clone, kernel, 0, 1, 2, 1, 3, 4).out.split() == ["7"]
    assert clone.status()["pending"] == 1
    written(clone, CELLS)
    assert "change" not in clone.commit("Train in a notebook")
    assert run(clone, kernel).out.split() == ["7"]
    assert clone.status()["pending"] == 0


@pytest.mark.parametrize("kernel", KERNELS[1:])
def test_magics_are_read_as_ipython_runs_them(clone: Clone, kernel: str) -> None:
    cells = (
        "%config InlineBackend.figure_format = 'svg'\n" + CELLS[0] + "%alias_magic -l t time",
        "\n\n%%time\n" + CELLS[1],
        "!echo it's\nfiles = !echo a \\\n  b\n" + CELLS[2].replace("    ret", "    %who\n    ret"),
        "%%capture out\nLATE = 1\ntrain?\n",
        *CELLS[3:],
    )
    written(clone, cells)
    assert run(clone, kernel).out.split()[-1] == "7"
    assert clone.status()["pending"] == 1
    assert "change" not in clone.commit("Train in a notebook")
    run(clone, kernel)
    assert clone.status()["pending"] == 0


@pytest.mark.parametrize("kernel", KERNELS)
def test_where_the_notebook_is_not_known_an_op_needs_a_name(clone: Clone, kernel: str) -> None:
    written(clone, CELLS)
    done = run(clone, kernel, known=False, code=None)
    assert done.code != 0
    assert "UnknownNotebook" in done.text
    assert "name=" in done.text
    assert "__session__" in done.text
    named = [cell.replace("@gm.op\n", '@gm.op(name="train")\n') for cell in CELLS]
    written(clone, named)
    assert run(clone, kernel, known=False).out.split() == ["7"]
    alone = CELLS[0].replace("gm.open()", 'gm.Storage(deps_path="__main__")')
    written(clone, [alone, *CELLS[1:]])
    assert run(clone, kernel, known=False).out.split() == ["7"]
    told = f'__session__ = "{clone.root / NOTEBOOK}"\n'
    written(clone, [told, *CELLS])
    assert run(clone, kernel, known=False).out.split() == ["7"]
