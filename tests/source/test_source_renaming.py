"""Code that changed by nothing but names is told apart from code that changed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gitmemo.hashing.digest import Digest
from gitmemo.source import (
    ModulePlace,
    SourceFile,
    Unit,
    blank_source,
    resolved_source,
    unit_of_text,
)


def unit(text: str, name: str, path: str = "lab/a.py") -> Unit:
    return SourceFile.parse(text, path).units[name]


def blank(text: str, name: str, path: str = "lab/a.py") -> Digest:
    return blank_source(unit(text, name, path), ModulePlace.of(path))


def resolved(
    text: str, name: str, path: str = "lab/a.py", names: Mapping[str, str] | None = None
) -> Digest:
    return resolved_source(unit(text, name, path), ModulePlace.of(path), names)


F = "def f(n):\n    return 1 if n < 2 else n * f(n - 1)\n"


@pytest.mark.parametrize(
    ("old", "old_name", "new", "new_name"),
    [
        (F, "f", F.replace("f(", "fact("), "fact"),
        ("N = 3\n", "$N", "M = 3\n", "$M"),
        ("X = []\nX.append(1)\n", "$X", "Y = []\nY.append(1)\n", "$Y"),
        ("f = 1\ndef f(): pass\n", "f", "g = 1\ndef g(): pass\n", "g"),
        ("def f(): pass\nf = wrap(f)\n", "f", "def g(): pass\ng = wrap(g)\n", "g"),
        (
            "def f():\n    global f\n    f = None\n",
            "f",
            "def g():\n    global g\n    g = None\n",
            "g",
        ),
        ("class C:\n    me = 1\n    def m(self): pass\n", "class C",
         "class D:\n    me = 1\n    def m(self): pass\n", "class D"),
        ("class C:\n    def m(self): return C\n", "C.m",
         "class C:\n    def k(self): return C\n", "C.k"),
        ("if A:\n    def f(): return 1\nelse:\n    def f(): return 2\n", "f",
         "if A:\n    def g(): return 1\nelse:\n    def g(): return 2\n", "g"),
        ("def open(p): return open(p)\n", "open", "def load(p): return load(p)\n", "load"),
        ("from gitmemo import op\n@op\ndef f(): 'doc'\n", "f",
         "import gitmemo as gm\n@gm.op(version=2)\ndef g(): 'other'\n", "g"),
    ],
)  # fmt: skip
def test_a_renamed_unit_has_an_equal_blank_id(
    old: str, old_name: str, new: str, new_name: str
) -> None:
    assert blank(old, old_name) == blank(new, new_name)
    assert resolved(old, old_name) != resolved(new, new_name)


@pytest.mark.parametrize(
    ("new", "name"),
    [
        ("def g(n):\n    return 1 if n < 3 else n * g(n - 1)\n", "g"),
        ("def g(n):\n    return 1 if n < 2 else n * f(n - 1)\n", "g"),
        ("def g(m):\n    return 1 if m < 2 else m * g(m - 1)\n", "g"),
        ("from .b import n\ndef g(n=n):\n    return 1 if n < 2 else n * g(n - 1)\n", "g"),
        ("@wrap\ndef g(n):\n    return 1 if n < 2 else n * g(n - 1)\n", "g"),
        ("if A:\n    def g(n):\n        return 1 if n < 2 else n * g(n - 1)\n", "g"),
        ("def g(n):\n    return 1 if n < 2 else n * g(n - 1)\ng.x = 1\n", "g"),
    ],
)
def test_a_unit_that_changed_besides_has_another_blank_id(new: str, name: str) -> None:
    assert blank(F, "f") != blank(new, name)


def test_a_local_of_the_same_name_is_not_the_unit() -> None:
    text = "def {0}(x):\n    {1} = x\n    return lambda {1}: {1}\n"
    assert blank(text.format("f", "f"), "f") == blank(text.format("g", "f"), "g")
    assert blank(text.format("f", "f"), "f") != blank(text.format("g", "g"), "g")


def test_a_move_adapts_imports() -> None:
    old = "from .near import h\nimport numpy as np\nN = 3\ndef f(x): return np.sqrt(h(x)) + N\n"
    new = (
        "import lab.near\nfrom numpy import sqrt\nfrom lab.a import N\n"
        "def g(x): return sqrt(lab.near.h(x)) + N\n"
    )
    assert blank(old, "f", "lab/a.py") == blank(new, "g", "far/b.py")
    assert blank(old, "f", "lab/a.py") == blank(new, "g", "src/far/__init__.py")
    other = new.replace("from lab.a import N", "N = 3")
    assert blank(old, "f", "lab/a.py") != blank(other, "g", "far/b.py")
    assert blank(old, "f", "lab/a.py") != blank(old, "f", "far/a.py")  # another `near`


CALLERS = [
    "from lab.a import f\ndef run(x): return f(x) + 1\n",
    "from .a import f\ndef run(x): return f(x) + 1\n",
    "from lab.b import g\ndef run(x): return g(x) + 1\n",
    "from lab.b import g as f\ndef run(x): return f(x) + 1\n",
    "import lab.b\ndef run(x): return lab.b.g(x) + 1\n",
    "from . import b\ndef run(x): return b.g(x) + 1\n",
]


@pytest.mark.parametrize("old", CALLERS[:2])
@pytest.mark.parametrize("new", CALLERS[2:])
def test_callers_whose_only_change_is_a_rename_are_recognised(old: str, new: str) -> None:
    path = "lab/main.py"
    before = resolved(old, "run", path)
    assert resolved(new, "run", path) != before
    assert resolved(new, "run", path, {"lab.b.g": "lab.a.f"}) == before
    for edited in (new.replace("+ 1", "+ 2"), new.replace("(x) +", "(x, x) +")):
        assert resolved(edited, "run", path, {"lab.b.g": "lab.a.f"}) != before


def test_a_renamed_module_class_or_method_takes_along_what_is_in_it() -> None:
    old = "from lab.a import C\ndef run(): return C.make(1).go(), C\n"
    new = "from far.z import D\ndef run(): return D.make(1).go(), D\n"
    for names in ({"far.z": "lab.a", "far.z.D": "lab.a.C"}, {"far.z.D": "lab.a.C"}):
        assert resolved(new, "run", names=names) == resolved(old, "run")
    text = "class C:\n    size = 1\n    def {0}(self): return 1\n    def k(self): return 2\n"
    for a, b in (("a", "z"), ("z", "a")):
        names = {f"lab.a.C.{b}": f"lab.a.C.{a}"}
        renamed = resolved(text.format(b), "class C", names=names)
        assert renamed == resolved(text.format(a), "class C")


def test_a_function_that_moved_into_the_callers_module() -> None:
    old = "from .a import f\ndef run(x): return f(x)\n"
    new = "def f(x): pass\ndef run(x): return f(x)\n"
    names = {"lab.main.f": "lab.a.f"}
    assert resolved(old, "run", "lab/main.py") == resolved(new, "run", "lab/main.py", names)


def test_imports_inside_functions() -> None:
    old = "def run(x):\n    from .a import f\n    return f(x)\n"
    new = "def run(x):\n    from lab.b import g\n    return g(x)\n"
    names = {"lab.b.g": "lab.a.f"}
    assert resolved(old, "run") == resolved(new, "run", names=names)
    rebound = "def run(x):\n    from lab.b import g\n    g = g or x\n    return g(x)\n"
    assert resolved(rebound, "run", names=names) != resolved(old, "run")


def test_alternative_imports_stay_facts() -> None:
    text = "try:\n    from {0} import f\nexcept ImportError:\n    from b import f\ndef run(): return f\n"
    assert resolved(text.format("a"), "run") != resolved(text.format("c"), "run")
    assert resolved(text.format("c"), "run", names={"c": "a"}) == resolved(text.format("a"), "run")
    star = "from {0} import *\ndef run(): return f\n"
    assert resolved(star.format("a"), "run") != resolved(star.format("c"), "run")


TEXT = """\
import numpy as np
from gitmemo import op
import gitmemo as gm
import click

N = 3

@op(version=2)
def stored(x: int):
    'doc'
    return np.sqrt(x) + N

@gm.op
def other(x: int): return gm.File(x)

@click.command()
def tool(x: int): 'doc'

class C:
    size = N
    def m(self, n=size): return C.m(self)
    @property
    def q(self): return N
    @q.setter
    def q(self, v): np.add(v, 1)

class D: size = N

if N:
    def late(): return 1
"""


def test_stored_texts_give_their_units_where_they_are_all_of_it() -> None:
    units = SourceFile.parse(TEXT, "lab/a.py").units
    lost = {name for name, u in units.items() if unit_of_text(u.text, name, u.source) is None}
    assert lost == {"class C", "late"}
    place = ModulePlace.of("lab/a.py")
    for name in units.keys() - lost - {"C.m"}:  # alone it cannot know what `size` is
        found = unit_of_text(units[name].text, name, units[name].source)
        assert found is not None
        assert found.name == name
        assert blank_source(found, place) == blank_source(units[name], place)


def test_a_text_that_is_not_that_unit_is_refused() -> None:
    found = unit("def f(): return 1\n", "f")
    assert unit_of_text("def f(): return 2\n", "f", found.source) is None
    assert unit_of_text("def f(:\n", "f", found.source) is None
    assert unit_of_text("", "f", found.source) is None
    local = unit("def op(v): return v\n@op\ndef f(): return 1\n", "f")
    read = unit_of_text(local.text, "f", local.source)
    assert read is not None and read.source == local.source
