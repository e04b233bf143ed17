"""Which global names code reads."""

from __future__ import annotations

import pytest

from gitmemo.source import SourceFile


def uses(text: str, unit: str = "f") -> set[str]:
    found = SourceFile.parse(text, "mod.py").units[unit].names.uses
    return {(f"<{u.module}>" if u.module else "") + ".".join(u.chain) for u in found}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return a.b.c(d) + e", "a.b.c d e"),
        ("a = 1; return a + b", "b"),
        ("global a; a = b; return a", "a b"),
        ("return [x for x in y if x > z] + [x]", "y z x"),
        ("return {k: v for k, v in a.items()}", "a.items"),
        ("return (lambda q, w=e: q + w + r)(1)", "e r"),
        ("def g(): return a + h\n    h = 2\n    return g()", "a"),
        ("def g():\n        nonlocal n\n        n += s\n    n = 1\n    return g()", "s"),
        ("if (y := a()) > 1: return y", "a"),
        ("return any((t := w) for w in a) and t", "any a"),
        ("try: b()\n    except E as e: return e", "b E"),
        ("with a() as b, c: return b", "a c"),
        ("for i, (j, *k) in a: pass\n    return i, j, k", "a"),
        (
            "match a:\n        case P(x=q): return q\n        case {'k': v, **rest}: return v, rest"
            "\n        case [M.N, *o]: return o",
            "a P M.N",
        ),
        ("class L(B):\n        z = z\n        def m(self): return z, w\n    return L", "B z w"),
        ("import os.path as p, json\n    return p.join(json.x.y)", "<os.path>join <json>x.y"),
        ("from ..a import b as c, d\n    return c.x(d)", "<..a>b <..a>b.x <..a>d"),
        ("N += 1", ""),
        ("global N; N += 1", "N"),
        ("x: T = a; return x", "a"),
        ("return f'{a!r:>{b}}'", "a b"),
        ("del a.b; a.c = d; a[e] = 1", "a.b a.c d a e"),
        ("yield from a; await_ = b; return await_", "a b"),
        ("return a().b.c[d].e", "a d"),
    ],
)
def test_names_of_a_function(body: str, expected: str) -> None:
    assert uses(f"def f(p):\n    {body}\n") == set(expected.split())


def test_defaults_decorators_and_bases_are_read_outside() -> None:
    assert uses("@d(x)\ndef f(a=b, *, c=e): return a, c\n") == {"d", "x", "b", "e"}
    assert uses("class C(B, metaclass=M):\n    y: T = v\n    def m(self): pass\n", "class C") == {
        "B", "M", "T", "v",
    }  # fmt: skip


def test_a_class_hides_its_names_from_decorators_not_from_bodies() -> None:
    text = "class C:\n    v = 1\n    @v.setter\n    def v(self): return v\n"
    assert uses(text, "C.v") == {"v"}


def test_reflection_and_strings_are_noted() -> None:
    def names(body: str) -> tuple[bool, frozenset[str]]:
        found = SourceFile.parse(f"def f(x):\n    return {body}\n", "m.py").units["f"].names
        return found.reflects, found.strings

    assert names("globals()['x y']") == (True, frozenset())
    assert names("eval('pack.mod')") == (True, frozenset({"pack.mod"}))
    assert names("eval(x, {})")[0] is False
    assert names("vars(x)")[0] is False
    assert names("vars()")[0] is True
    assert names("run(eval)")[0] is True
