"""Which function the body of a `%%memo` cell stands for: from texts alone."""

from __future__ import annotations

import ast

import pytest

from gitmemo.errors import MemoCellRefused
from gitmemo.source import SourceFile
from gitmemo.source.memo_cells import memo_cell, names_of_code, parts_of
from gitmemo.source.notebook import python_of_cells


@pytest.mark.parametrize(
    ("line", "body", "inputs", "outputs"),
    [
        ("", "a = b + c", "b c", "a"),
        ("", "model = train(X)\nacc = model.score(X)", "X", "model acc"),
        ("", "for i in range(n):\n    s = i\n    t = s", "n", "s t"),
        ("", "total += step", "total step", "total"),
        ("", "df['a'] = df.b * k", "df k", "df"),
        ("", "box.size = n\nx = 1", "box n", "x box"),
        ("", "r = [x * k for x in xs if (y := x)]", "k xs", "r y"),
        ("", "m = [[c for c in row] for row in rows]\nc = 3", "rows", "m c"),
        ("", "m = [(lambda c: c)(r) for r in rows]\nc = 3", "rows", "m c"),
        ("", "m = [c for a in {b for b in bs} for c in a if c]\na = b = c = m", "bs", "m c a b"),
        ("", "x = [[c for a in b] for b in d]\nc = 3", "c d", "x c"),
        ("", "x = [c for c in c]\nc = 3", "c", "x c"),
        ("", "m = [[k for j in i] for i in (q for q in n)]", "k n", "m"),
        ("", "def f(q, d=m):\n    return q + z\nr = f(1)", "m z", "r"),
        ("", "import math\nfrom os import path as p\nr = math.pi + len(p.sep)", "", "r"),
        ("", "try:\n    r = 1 / n\nexcept ValueError as e:\n    r = str(e)", "n", "r"),
        ("", "match v:\n    case {'k': w, **rest}:\n        r = w, rest", "v", "r"),
        ("", "with open(name) as h:\n    text = h.read()", "name", "text"),
        ("", "for k in ks:\n    if k:\n        r = last\n    last = k", "ks last", "r last"),
        ("", "_tmp = n\nr = _tmp\nt = 1\ndel t", "n", "r"),
        ("", "(a, b), *c = v\nx: int = a", "v", "a b c x"),
        ("-i b -o a", "a = b + c\nd = a", "b", "a"),
        ("-o f", "def f(): return n", "n", "f"),
    ],
)
def test_inputs_are_what_it_reads_and_outputs_what_it_assigns(
    line: str, body: str, inputs: str, outputs: str
) -> None:
    cell = memo_cell(line, body, {"train"})
    assert cell.inputs == tuple(inputs.split())
    assert cell.outputs == tuple(outputs.split())
    assert cell.name == "_".join(("make", *cell.outputs))
    (function,) = ast.parse(cell.text).body
    assert isinstance(function, ast.FunctionDef)
    # The body is what it was, each statement on the line below where it stood.
    written = ast.parse(body).body
    assert [ast.dump(n) for n in function.body[:-1]] == [ast.dump(n) for n in written]
    assert [n.lineno for n in function.body[:-1]] == [n.lineno + 1 for n in written]


def test_text_that_spans_lines_stays_as_it_is() -> None:
    body = "text = f'''a\n  {n}\n'''\nmore = ('b'\n'c')\nif n:\n    # why\n    text += \"x\""
    names: dict[str, object] = {}
    exec(memo_cell("f", body, ()).text, names)
    assert names["f"](3) == ("a\n  3\nx", "bc")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("line", "body", "reason"),
    [
        ("", "print(1)", "binds no variable"),
        ("", "x = (", "not plain Python"),
        ("", "%time x = 1", "not plain Python"),
        ("", "x = 1\nreturn x", "return"),
        ("", "x = await f()", "awaits"),
        ("", "x = yield", "yield"),
        ("", "x = [await f(y) for y in z]", "awaits"),
        ("", "x = [y async for y in z]", "awaits"),
        ("", "global x\nx = 1", "global"),
        ("", "from os import *\nx = 1", "all names"),
        ("", "x = eval(text)", "eval"),
        ("two words", "x = 1", "not understood"),
        ("-x a", "x = 1", "not understood"),
        ("-i", "x = 1", "without names"),
        ("-i a, b", "x = a", "no name"),
        ("-i a -i b", "x = a", "twice"),
        ("class", "x = 1", "no name"),
        ("-i z", "x = 1", "does not read z"),
        ("-o z", "x = 1", "does not bind z"),
        ("x", "x = 1", "its name and a variable"),
        ("-i n", "x = x + n", "-i x"),
        ("", "y = make_y(x)", "it reads that"),
        ("f", "y = [f(n) for n in x]", "it reads that"),
    ],
)
def test_what_cannot_be_a_function_is_refused(line: str, body: str, reason: str) -> None:
    with pytest.raises(MemoCellRefused) as refused:
        memo_cell(line, body, {"f", "make_y"})
    assert reason in str(refused.value)
    assert refused.value.remedy()


def test_a_cell_counts_as_typed_and_as_ipython_made_it() -> None:
    body = "y = helper(x) + numpy.pi\n"
    others = ["import numpy", "if True:\n    def helper(n): return n"]
    typed = [*others, "\n%%memo f  \n" + body]
    made = [*others, f"get_ipython().run_cell_magic('memo', 'f', {body!r})\n"]
    one, two = (SourceFile.from_cells(cells, "n.ipynb").units["f"] for cells in (typed, made))
    assert one.source == two.source
    assert "def f(x):" in python_of_cells(made)[-1]
    assert parts_of("%%memory\nx") is None
    assert parts_of("memo = 1") is None
    assert python_of_cells(["%%memo\nprint(1)", "a = 1"]) == ["\n", "a = 1"]
    assert names_of_code(others) == {"numpy", "helper"}
