"""What is said of two texts to whoever decides about a change."""

from __future__ import annotations

import ast
import builtins
import keyword

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gitmemo.source import renamed_only, same_bytecode

F = '''\
import numpy as np

def f(rows, by=2, *rest, **more):
    """Doc."""
    total = 0  # why
    for row in rows:
        total += row * by
    def add(n):
        nonlocal total
        total = total + n
        return [n * k for k in rest if k] + [q for q in more]
    try:
        import os.path as p
        pick = lambda v: p.join(v, by)
    except OSError as error:
        raise error
    match rows:
        case [first, *others] as everything: return first, others, everything
        case {"a": a, **left}: return a, left
    if (found := add(total)):
        return np.sqrt(found), pick
    class Local:
        total = total
        def m(self): return total
    return Local
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# why", "# because"),
        ('"""Doc."""', '"""Another."""'),
        ('    """Doc."""\n', ""),
        ("total += row * by", "total += (row * by)"),
        ("    total = 0", "\n\n    total = 0"),
        ("total = 0", "total = 0x0"),
        ("total = 0", "total = 1 - 1"),  # folded
    ],
)
def test_the_same_bytecode(old: str, new: str) -> None:
    assert old in F
    assert same_bytecode(F, F.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("total = 0", "total = 0.0"),
        ("total = 0", "total = False"),
        ("total = 0", "total = -0.0"),
        ("by=2", "by=3"),
        ("row * by", "by * row"),
        ("np.sqrt", "np.sin"),
        ("import numpy as np", "import cupy as np"),
        ("raise error", "raise error from None"),
        ("OSError", "KeyError"),
        ("def f(", "def g("),
        ("def f(", "async def f("),
        ("def f(", "@cached\ndef f("),
        ("total", "sum_"),
        ("def f(", "def f(("),
        ("return Local", "assert Local\n    return Local"),
    ],
)
def test_another_bytecode(old: str, new: str) -> None:
    assert not same_bytecode(F, F.replace(old, new))
    assert not same_bytecode(F.replace(old, new), F)


def test_what_does_not_compile_is_like_nothing() -> None:
    for text in ("def f(:", "return 1", "def f(x, x): pass", "x = 1\x00", "(" * 500):
        assert not same_bytecode(text, text)
        assert not renamed_only(text, text)


LOCALS = [
    "rows", "by", "rest", "more", "total", "row", "add", "n", "k", "q", "p", "pick", "v", "error",
    "first", "others", "everything", "a", "left", "found", "self",
]  # fmt: skip


def renamed(text: str, names: dict[str, str]) -> str:
    """Rename the locals of `F`, whose names are one for each thing but for `total`."""

    class Renamer(ast.NodeTransformer):
        in_class = False

        def generic_visit(self, node: ast.AST) -> ast.AST:
            for field in ("id", "arg", "name", "rest", "asname"):
                value = getattr(node, field, None)
                is_local = isinstance(value, str) and not isinstance(node, ast.keyword | ast.alias)
                if is_local or (field == "asname" and value == "p"):
                    setattr(node, field, names.get(str(value), value))
            if isinstance(node, ast.Nonlocal):
                node.names = [names.get(name, name) for name in node.names]
            return super().generic_visit(node)

    tree = Renamer().visit(ast.parse(text))
    return ast.unparse(tree)


IDENTIFIERS = st.text("abcxyz_", min_size=1, max_size=4).filter(
    lambda name: name.isidentifier() and not keyword.iskeyword(name) and not hasattr(builtins, name)
)
NO_CLASS = F.replace("        total = total\n", "        pass\n")


@given(st.lists(IDENTIFIERS, min_size=len(LOCALS), max_size=len(LOCALS), unique=True))
def test_other_names_for_locals_are_recognised(chosen: list[str]) -> None:
    taken = {"np", "Local", "f", "m", "_"}
    assume(not taken & set(chosen))
    names = dict(zip(LOCALS, chosen, strict=True))
    assume(any(old != new for old, new in names.items()))
    other = renamed(NO_CLASS, names)
    assert renamed_only(NO_CLASS, other)
    assert renamed_only(other, NO_CLASS)


@given(st.sampled_from(LOCALS), st.sampled_from(LOCALS))
def test_two_locals_in_one_are_no_renaming(one: str, other: str) -> None:
    assume(one != other)
    # Unless they never meet in one scope: `k` and `q` are of two comprehensions.
    assume({one, other} not in ({"k", "q"}, {"n", "v"}))
    merged = renamed(NO_CLASS, {one: other})
    scopes = {"row", "rows", "by", "rest", "more", "total", "add", "p", "pick", "found"}
    assume({one, other} <= scopes)
    assert not renamed_only(NO_CLASS, merged)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def f(a): return a", "def f(b): return b"),
        ("def f(a, *, k=a): return k", "def f(b, *, j=a): return j"),
        ("def f():\n    import os\n    return os.x", "def f():\n    import os as o\n    return o.x"),
        ("class C:\n    def m(self): return self.x", "class C:\n    def m(me): return me.x"),
        ("f = lambda a: a", "f = lambda b: b"),
        ("def f(a):\n    def g(): return a\n    return g",
         "def f(h):\n    def k(): return h\n    return k"),
    ],
)  # fmt: skip
def test_renamed(old: str, new: str) -> None:
    assert renamed_only(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def f(a): return a", "def f(a): return a"),
        ("def f(a): return a  # why", "def f(a): return a"),
        ("def f(a): return a", "def f(b): return a"),
        ("def f(a): return N", "def f(a): return M"),
        ("def f(a): return a", "def g(a): return a"),
        ("def f(a): return a.x", "def f(a): return a.y"),
        ("def f(a): return g(k=a)", "def f(a): return g(j=a)"),
        ("def f(a, b): return a - b", "def f(b, a): return a - b"),
        ("def f(a): return f'{a=}'", "def f(b): return f'{b=}'"),
        ("def f(a): return locals()", "def f(b): return locals()"),
        ("def f(a): return eval('a')", "def f(b): return eval('a')"),
        ("N = 1", "M = 1"),
        ("class C:\n    x = 1", "class C:\n    y = 1"),
        ("def f():\n    class C:\n        x = 1", "def f():\n    class C:\n        y = 1"),
        ("def f():\n    x = 1\n    class C:\n        x = 2\n        def m(self): return x",
         "def f():\n    y = 1\n    class C:\n        x = 2\n        def m(self): return x"),
        ("def f(x):\n    def g():\n        global x\n        x = 1",
         "def f(x):\n    def g():\n        global y\n        y = 1"),
        ("def f(x):\n    def g():\n        x = 1\n    return x",
         "def f(x):\n    def g():\n        nonlocal x\n        x = 1\n    return x"),
        ("def f():\n    import os", "def f():\n    import os.path as os"),
    ],
)  # fmt: skip
def test_not_only_renamed(old: str, new: str) -> None:
    assert not renamed_only(old, new)
