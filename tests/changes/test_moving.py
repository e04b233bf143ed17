"""What is recognised as renamed or moved, and what is not: texts against texts."""

from __future__ import annotations

import pytest

from gitmemo.changes.arguments import has_renamed_argument, has_renamed_keyword
from gitmemo.changes.moving import alike, differs_in_names, paired
from gitmemo.model.components import Component
from gitmemo.source import SourceFile, Unit


def units(path: str, text: str) -> dict[Component, Unit]:
    file = SourceFile.parse(text, path)
    return {Component(path, name): unit for name, unit in file.units.items()}


def pairs(old: dict[Component, Unit], new: dict[Component, Unit]) -> dict[str, str]:
    return {str(a): str(b) for a, b in paired(old, new, ["src"]).items()}


def one(text: str) -> Unit:
    return next(iter(SourceFile.parse(text, "m.py").units.values()))


EVEN = "def even(n):\n    return n == 0 or odd(n - 1)\n"
ODD = "def odd(n):\n    return n != 0 and even(n - 1)\n"


def test_functions_that_call_one_another_move_together() -> None:
    moved = pairs(units("a.py", EVEN + ODD), units("src/lab/b.py", ODD + EVEN))
    assert moved == {"a.py:even": "src/lab/b.py:even", "a.py:odd": "src/lab/b.py:odd"}
    renamed = (EVEN + ODD).replace("even", "is_even")
    assert pairs(units("a.py", EVEN + ODD), units("b.py", renamed))["a.py:even"] == "b.py:is_even"


def test_what_stayed_behind_is_another_thing() -> None:
    old = units("a.py", "def f(x):\n    return g(x)\n")
    assert pairs(old, units("b.py", "from a import g\ndef f(x):\n    return g(x)\n"))
    assert not pairs(old, units("b.py", "from c import g\ndef f(x):\n    return g(x)\n"))
    assert not pairs(old, units("b.py", "def f(x):\n    return g(x)\n"))


def test_twins_that_kept_their_names_are_told_apart() -> None:
    twins = "def one(x):\n    return x\n\n\ndef two(x):\n    return x\n"
    assert len(pairs(units("a.py", twins), units("b.py", twins))) == 2
    assert not pairs(units("a.py", twins), units("b.py", "def three(x):\n    return x\n"))
    assert not pairs(units("a.py", "def f(x):\n    return x\n"), units("b.py", twins))


@pytest.mark.parametrize(
    "body", ["return f.__name__", "return globals()[x]", "return eval(x)", "return f.__qualname__"]
)
def test_code_that_looks_at_names_is_not_recognised(body: str) -> None:
    text = f"def f(x):\n    {body}\n"
    assert not pairs(units("a.py", text), units("b.py", text))


def test_callers() -> None:
    here = Component("c.py", "h")
    old = one("import a\ndef h(x):\n    return a.f(x)\n")
    new = one("from b import g\ndef h(x):\n    return g(x)\n")
    moved = {Component("a.py", "f"): Component("b.py", "g")}
    assert differs_in_names(here, old, new, moved, [])
    assert not differs_in_names(here, old, new, {}, [])
    changed = one("from b import g\ndef h(x):\n    return g(x) + 1\n")
    assert not differs_in_names(here, old, changed, moved, [])


def test_what_is_nearly_the_same_is_suggested() -> None:
    body = "".join(f"    x += {n}\n" for n in range(8))
    ((component, unit),) = units("a.py", f"def f(x):\n{body}").items()
    near = units("a.py", f"def g(x):\n{body}    x = 0\n")
    far = units("a.py", "def h(x):\n    x = 0\n")
    elsewhere = units("b.py", f"def k(x):\n{body}")
    assert alike(component, unit, near | far | elsewhere) == [Component("a.py", "g")]


@pytest.mark.parametrize(
    ("old", "new", "is_rename"),
    [
        ("def f(a):\n    return a + 1\n", "def f(b):\n    return b + 1\n", True),
        (
            "def f(a, *, k=1):\n    return [a for _ in k]\n",
            "def f(b, *, k=1):\n    return [b for _ in k]\n",
            True,
        ),
        (
            "def f(a):\n    a = a + 1\n    return lambda x: a + x\n",
            "def f(b):\n    b = b + 1\n    return lambda x: b + x\n",
            True,
        ),
        ("def f(a):\n    return a + 1\n", "def f(b):\n    return b + 2\n", False),
        ("def f(a):\n    return a + b\n", "def f(b):\n    return b + b\n", False),
        ("def f(a):\n    return [a for a in a]\n", "def f(b):\n    return [b for b in b]\n", False),
        ("def f(a):\n    return lambda a: a\n", "def f(b):\n    return lambda b: b\n", False),
        ("def f(a):\n    return locals()\n", "def f(b):\n    return locals()\n", False),
        ("def f(a):\n    return f'{a=}'\n", "def f(b):\n    return f'{b=}'\n", False),
        ("def f(a, b):\n    return a - b\n", "def f(b, a):\n    return b - a\n", False),
    ],
)
def test_renamed_arguments(old: str, new: str, is_rename: bool) -> None:
    assert has_renamed_argument(one(old), one(new), "a", "b") is is_rename


def test_renamed_keywords_of_callers() -> None:
    old = one("def h():\n    return f(a=1) + g(a=2) + lab.f(a=3)\n")
    new = one("def h():\n    return f(b=1) + g(a=2) + lab.f(b=3)\n")
    assert has_renamed_keyword(old, new, "f", "a", "b")
    assert not has_renamed_keyword(old, new, "g", "a", "b")
