"""Programs made at random: an edit that changes the result is noticed, one elsewhere is not.

A program is a row of pieces in two modules. Each piece has a number of its own and
uses pieces that come later; the op uses some of them. What an edit does is found by
running the program without any tracking.
"""

# ruff: noqa: E501  a definition reads best on one line
from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tracing.test_tracing_programs import call, captured, differing
from tracing.tracing_programs import Edit, Program
from tracing.tracing_worlds import world

from gitmemo.tracing import CodeState, Project

# How a piece is defined: {n} its name, {k} its number, {v} what it uses given `v`, {u} without;
# and how others use it.
KINDS = {
    "function": ("def {n}(v): return v + {k} + {v}", "{n}(v)"),
    "default": ("def {n}(v, by={k}): return v + by + {v}", "{n}(v)"),
    "nested": (
        "def {n}(v):\n    def inner(w): return w + {k} + {v}\n    return inner(v)",
        "{n}(v)",
    ),
    "generator": ("def {n}(v):\n    yield {k}\n    yield {v}", "sum({n}(v))"),
    "branch": ("def {n}(v):\n    if v < -9999: return {v}\n    return {k} + {v}", "{n}(v)"),
    "lambda": ("{n} = lambda v: v + {k} + {v}", "{n}(v)"),
    "cached": ("@functools.cache\ndef {n}(v): return v + {k} + {v}", "{n}(v)"),
    "decorated": (
        "def make{n}(fn): return lambda v: fn(v) + {k}\n@make{n}\ndef {n}(v): return {v}",
        "{n}(v)",
    ),
    "closure": (
        "def make{n}(by):\n    def add(v): return v + by + {v}\n    return add\n{n} = make{n}({k})",
        "{n}(v)",
    ),
    "partial": ("def raw{n}(a, v): return a + {v}\n{n} = functools.partial(raw{n}, {k})", "{n}(v)"),
    "registry": ("def item{n}(v): return {k} + {v}\n{n} = dict(a=item{n}, b=abs)", "{n}['a'](v)"),
    "dispatch": (
        "@functools.singledispatch\ndef {n}(v): return 0\n@{n}.register\ndef of{n}(v: int): return {k} + {v}",
        "{n}(v)",
    ),
    "number": ("{n} = {k}", "{n}"),
    "computed": ("def build{n}(): return {k} + {u}\n{n} = [build{n}()]", "{n}[0]"),
    "table": ("{n} = {{}}\n{n}['x'] = {k} + {u}", "{n}['x']"),
    "class": (
        "class {n}:\n    rate = {k}\n    def go(self, v): return self.rate + {v}",
        "{n}().go(v)",
    ),
    "inherited": (
        "class Base{n}:\n    def go(self, v): return self.rate + {v}\nclass {n}(Base{n}):\n    rate = {k}",
        "{n}().go(v)",
    ),
    "property": (
        "class {n}:\n    @property\n    def go(self): return {k} + {u}",
        "{n}().go",
    ),
    "dataclass": ("@dataclasses.dataclass\nclass {n}:\n    size: int = {k} + {u}", "{n}().size"),
    "enum": (
        "class {n}(enum.Enum):\n    A = {k}\n    def go(self, v): return {v}",
        "({n}.A.value + {n}.A.go(v))",
    ),
    "object": (
        "class Kind{n}:\n    def __init__(self, k): self.k = k\n    def __call__(self, v): return self.k + {v}\n{n} = Kind{n}({k})",
        "{n}(v)",
    ),
    "metaclass": (
        "class Meta{n}(type):\n    def __new__(m, n, b, d): return super().__new__(m, n, b, dict(d, rate={k}))\nclass {n}(metaclass=Meta{n}):\n    def go(self, v): return self.rate + {v}",
        "{n}().go(v)",
    ),
}
IMPORTS = ("import near", "from near import {n}", "from near import {n} as other_{n}")
HEAD = "import dataclasses, enum, functools\n"


@dataclass(frozen=True)
class Piece:
    """One definition, what it uses, and how `main.py` imports it if it is in `near.py`."""

    kind: str
    uses: frozenset[int]
    how: str


@dataclass(frozen=True)
class Row:
    """Pieces, of which those from `first_near` on are in `near.py`, and what the op uses.

    If `late`, only the op imports `near`, and only when it runs.
    """

    pieces: Sequence[Piece]
    first_near: int
    op_uses: frozenset[int]
    late: bool

    def reached(self) -> set[int]:
        todo, found = list(self.op_uses), set[int]()
        for number in todo:  # it grows
            if number not in found:
                found.add(number)
                todo.extend(self.pieces[number].uses)
        return found


def some(numbers: range) -> st.SearchStrategy[frozenset[int]]:
    return st.frozensets(st.sampled_from(numbers), max_size=2) if numbers else st.just(frozenset())


@st.composite
def rows(draw: st.DrawFn) -> Row:
    count = draw(st.integers(2, 7))
    first_near = draw(st.integers(0, count))
    late = draw(st.booleans())
    pieces = []
    for number in range(count):
        end = first_near if late and number < first_near else count
        uses = draw(some(range(number + 1, end)))
        kind, how = draw(st.sampled_from(sorted(KINDS))), draw(st.sampled_from(IMPORTS))
        pieces.append(Piece(kind, uses, "import near" if late else how))
    return Row(pieces, first_near, draw(some(range(count))), late)


def used(row: Row, number: int, *, here: bool) -> str:
    """Write how `main.py` (`here`) or `near.py` uses a piece."""
    piece, name = row.pieces[number], f"P{number}"
    if here and number >= row.first_near:
        if piece.how == "import near":
            name = f"near.{name}"
        elif " as " in piece.how:
            name = f"other_{name}"
    return KINDS[piece.kind][1].format(n=name)


def total(row: Row, uses: frozenset[int], *, here: bool) -> str:
    return " + ".join(used(row, number, here=here) for number in sorted(uses)) or "0"


def written(row: Row) -> Program:
    main, near = [HEAD], [HEAD]
    for number in range(row.first_near, len(row.pieces)):
        if not row.late:
            main.append(row.pieces[number].how.format(n=f"P{number}"))
    for number in reversed(range(len(row.pieces))):
        here, piece = number < row.first_near, row.pieces[number]
        uses = total(row, piece.uses, here=here)
        given = {"v": uses, "u": uses.replace("(v)", "(1)")}
        text = KINDS[piece.kind][0].format(n=f"P{number}", k=1000 + number, **given)
        (main if here else near).append(text)
    late = "    import near\n" if row.late else ""
    main.append(f"def op(v):\n{late}    return {total(row, row.op_uses, here=True)}")
    files = {"main.py": "\n".join(main) + "\n", "near.py": "\n".join(near) + "\n"}
    return Program("random", files, (), (), (), "(1,)")


def result(program: Program, root: Path, edit: Edit | None) -> str:
    with world(program, root, edit) as it:
        return repr(call(it, program))


@settings(max_examples=25, deadline=None)
@given(rows(), st.data())
def test_an_edit_is_noticed_where_it_counts(row: Row, data: st.DataObject) -> None:
    program = written(row)
    edited = data.draw(st.integers(0, len(row.pieces) - 1), "edited")
    change = data.draw(st.sampled_from([f"{5000 + edited}", f"-{1000 + edited}"]), "to")
    file = "main.py" if edited < row.first_near else "near.py"
    edit = (file, f"{1000 + edited}", change)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        base, after = result(program, root / "p", None), result(program, root / "q", edit)
        with world(program, root / "base") as it:
            # What runs while the call imports a module counts too.
            if row.late or data.draw(st.booleans(), "ran before"):
                call(it, program)
            _, capture = captured(it, program, CodeState(Project(it.root)))
        assert differing(capture, program, root / "same", None) == []
        changes = differing(capture, program, root / "edit", edit)
    if after != base:
        assert changes
    if edited not in row.reached():
        assert changes == []
