"""What counts as a change of which unit."""

from __future__ import annotations

import textwrap

import pytest

from gitmemo.errors import SourceError
from gitmemo.hashing import content_id
from gitmemo.source import SourceFile, UnitKind

TEXT = '''
"""A module."""
from __future__ import annotations
import os.path
import numpy as np, json
from gitmemo import op
import gitmemo as gm
from .near import helper as h

N = 3
M: int = -4
WORDS = ["a", "b"]
WORDS.append("c")
PAIR = LEFT, RIGHT = (1, 2)
made = h(N)

def plain(v, by=N):
    """Explain."""
    # why
    return np.sqrt(v) + by

@op(output_names=["x"])
def stored(v: float) -> float:
    return json.dumps(plain(v))

class Point(object):
    """Doc that a base might read."""
    scale = 2

    def length(self): return self.scale * M

    @property
    def half(self):
        return self.length() / 2

    @half.setter
    def half(self, v):
        self.scale = v

    class Inner:
        depth = 1
        def deep(self): return os.path.join("a")

if N > 2:
    def chosen(): return 1
else:
    def chosen(): return 2
    def other(): return 3

square = lambda v: v * v
stored.note = 1
'''

UNITS = {
    "$N", "$M", "$WORDS", "$PAIR", "$LEFT", "$RIGHT", "$made", "$square", "plain", "stored",
    "class Point", "Point.length", "Point.half", "class Point.Inner", "Point.Inner.deep",
    "chosen", "other",
}  # fmt: skip


def read(text: str) -> SourceFile:
    return SourceFile.parse(text, "mod.py")


def changed(old: str, new: str, text: str = TEXT) -> set[str]:
    assert old in text
    before, after = read(text).units, read(text.replace(old, new, 1)).units
    same = {name for name in before if name in after and before[name].source == after[name].source}
    return (set(before) | set(after)) - same


def test_the_units_of_a_module() -> None:
    units = read(TEXT).units
    assert set(units) == UNITS
    assert units["plain"].kind is UnitKind.FUNCTION
    assert units["class Point"].kind is UnitKind.CLASS
    assert units["$N"].kind is UnitKind.GLOBAL


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Explain."""', '"""Explain more."""'),
        ("# why", "# because"),
        ("v: float) -> float", "v: int) -> str"),
        ('@op(output_names=["x"])', "@gm.op"),
        ('@op(output_names=["x"])\n', ""),
        ("M: int = -4", "M = -4"),
        ('["a", "b"]', "['a',\n    'b']"),
        ("N = 3\n", "N = (3)  # three\n\n\n"),
        ("N = 3", "N = 0b11"),
        ('"""A module."""', '"""Another."""'),
        ("import gitmemo as gm", "import gitmemo as gm, sys"),
        ("import os.path", "import os.path, os.path as _unused"),
    ],
)
def test_edits_that_say_the_same(old: str, new: str) -> None:
    assert changed(old, new) == set()


@pytest.mark.parametrize(
    ("old", "new", "units"),
    [
        ("N = 3", "N = 4", "$N"),
        ('append("c")', 'append("d")', "$WORDS"),
        ("by=N", "by=M", "plain"),
        ("import numpy as np", "import cupy as np", "plain"),
        (".near import helper as h", ".far import helper as h", "$made"),
        (".near import helper as h", ".near import other as h", "$made"),
        ("scale = 2", "scale = 3", "class Point"),
        ("Doc that a base might read", "Doc", "class Point"),
        ("self.scale * M", "self.scale + M", "Point.length"),
        ("def length(self)", "@staticmethod\n    def length(self)", "Point.length"),
        ("def length(self)", "def size(self)", "class Point,Point.length,Point.size"),
        ("self.scale = v", "self.scale = -v", "Point.half"),
        ("depth = 1", "depth = 2", "class Point.Inner"),
        ("import os.path", "import posixpath as os", "Point.Inner.deep"),
        ("return 3", "return 4", "other"),
        ("return 2", "return 4", "chosen"),
        ("if N > 2", "if N > 3", "chosen,other"),
        ("v * v", "v ** v", "$square"),
        ("stored.note = 1", "stored.note = 2", "stored"),
        ("PAIR = LEFT, RIGHT = (1, 2)", "PAIR = LEFT, RIGHT = (1, 3)", "$PAIR,$LEFT,$RIGHT"),
    ],
)
def test_an_edit_changes_its_own_unit(old: str, new: str, units: str) -> None:
    assert changed(old, new) == set(units.split(","))


def test_foreign_decorators_may_read_docstrings_and_annotations() -> None:
    text = '@click.command()\ndef f(v: int):\n    "Doc."\n    return v\n'
    assert changed('"Doc."', '"Text."', text) == {"f"}
    assert changed("v: int", "v: str", text) == {"f"}
    assert changed("@click.command()", "@op", text) == {"f"}  # no op of ours is imported here


def test_a_star_import_of_gitmemo_makes_op_ours() -> None:
    text = "from gitmemo import *\n@op\ndef f(): return 1\n"
    assert changed("@op\n", "@op(version=2)\n", text) == set()


def test_all_statements_that_bind_a_name_belong_to_it() -> None:
    text = (
        "def f(): return 1\nf = wrap(f)\nclass C: pass\nC.x = 1\nX = 1\nX += 2\nuse(X)\nmain(f)\n"
    )
    assert changed("wrap(f)", "other(f)", text) == {"f"}
    assert changed("C.x = 1", "C.x = 2", text) == {"class C"}
    assert changed("X += 2", "X += 3", text) == {"$X"}
    assert changed("use(X)", "abuse(X)", text) == {"$X"}
    assert changed("main(f)", "start(f)", text) == set()


@pytest.mark.parametrize(
    "line",
    [
        "print(f.ref(1).unwrap())",
        "print(f.is_cached(3), f.recompute(3))",
        "f.forget(3)",
        "print(f.table().head())",
        "f(3).keys()",
        "f(1).x.append(2)",
        "f(1).x = 2",
        "f.ref(1).attached().x = 2",
        "if LATE:\n    f.ref(1)",
        "with storage:\n    print(f.ref(1).unwrap(), f(2).real)",
    ],
)
def test_asking_a_function_is_no_part_of_it(line: str) -> None:
    text = "def f(n): return n\n"
    assert read(f"{text}{line}\n").units["f"].source == read(text).units["f"].source


@pytest.mark.parametrize(
    ("text", "line", "unit"),
    [
        ("def f(n): return n\n", "f.register(int)(g)", "f"),
        ("def f(n): return n\n", "f.limit = 1", "f"),
        ("def f(n): return n\n", "f.cache_clear()", "f"),
        ("def f(n): return n\n", "f.seen.table()", "f"),
        ("def f(n): return n\n", "f.ref(1); f.limit = 1", "f"),
        ("def f(n): return n\nf = wrap(f)\n", "f.forget(1)", "f"),
        ("class C: pass\n", "C.table()", "class C"),
        ("f = make()\n", "f.forget(1)", "$f"),
        ("f = make()\n", "f.get(1).clear()", "$f"),
    ],
)
def test_whatever_may_change_a_name_is_part_of_it(text: str, line: str, unit: str) -> None:
    assert read(f"{text}{line}\n").units[unit].source != read(text).units[unit].source


def test_methods_may_change_places_in_a_plain_class() -> None:
    text = "class C:\n    def a(self): return 1\n    def b(self): return 2\n"
    assert read(text).units["class C"].source == (
        read("class C:\n    def b(self): return 2\n    def a(self): return 1\n")
        .units["class C"]
        .source
    )


def test_texts_are_for_people() -> None:
    units = read(TEXT).units
    assert units["stored"].text == textwrap.dedent(
        """\
        import json

        @op(output_names=["x"])
        def stored(v: float) -> float:
            return json.dumps(plain(v))

        stored.note = 1
        """
    )
    assert (
        units["Point.Inner.deep"].text
        == 'import os.path\n\ndef deep(self): return os.path.join("a")\n'
    )
    assert "def length" not in units["class Point"].text
    assert "scale = 2" in units["class Point"].text


def test_values_of_literals() -> None:
    units = read(TEXT).units
    assert units["$N"].literal_value == content_id(3)
    assert units["$M"].literal_value == content_id(-4)
    assert units["$WORDS"].literal_value is None  # changed after it was made
    assert units["$made"].literal_value is None
    text = "N = 1\ndef f():\n    global N\n    N = 2\nf()\n"
    assert read(text).units["$N"].literal_value is None


@pytest.mark.parametrize("change", ["N.append(2)", "N[0] = 2", "N += [2]", "N[0].x.clear()"])
def test_a_literal_that_a_function_changes_is_none(change: str) -> None:
    text = "N = [1]\nM = 3\ndef f():\n    {}\n"
    assert read(text.format(change)).units["$N"].literal_value is None
    assert read(text.format("return len(N), N[0]")).units["$N"].literal_value == content_id([1])
    assert read(text.format("M.append(1)")).units["$M"].literal_value == content_id(3)


def test_lines_belong_to_units() -> None:
    file = read(TEXT)
    lines = TEXT.split("\n")

    def at(text: str) -> str | None:
        unit = file.unit_at(next(i for i, line in enumerate(lines, 1) if text in line))
        return unit.name if unit else None

    assert at("@op(") == "stored"
    assert at("return 2") == "chosen"
    assert at("self.scale = v") == "Point.half"
    assert at("scale = 2") == "class Point"
    assert at("depth = 1") == "class Point.Inner"
    assert at("square") == "$square"
    assert at("import os") is None


def test_encodings_and_line_ends() -> None:
    text = 'N = "é"\r\ndef f():\r\n    return """a\r\nb"""\r\n'
    plain = read(text.replace("\r\n", "\n"))
    for data in (
        text.encode(),
        b"\xef\xbb\xbf" + text.encode(),
        ("# -*- coding: latin-1 -*-\r\n" + text).encode("latin-1"),
    ):
        units = SourceFile.parse(data, "mod.py").units
        assert {n: u.source for n, u in units.items()} == {
            n: u.source for n, u in plain.units.items()
        }


@pytest.mark.parametrize(
    "data", ["def f(:\n", b"# coding: no-such\n", b"N = '\xff'\n", "x = 1\x00"]
)
def test_what_is_not_python_is_refused(data: str | bytes) -> None:
    with pytest.raises(SourceError, match=r"bad\.py"):
        SourceFile.parse(data, "bad.py")
