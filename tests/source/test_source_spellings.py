"""What is only written otherwise has the same id; what may mean something else has not."""

from __future__ import annotations

import pytest

from gitmemo.source import SourceFile

SPELLINGS = [
    ("return (a)", "return a"),
    ("return 'a'", 'return """a"""'),
    ("return 'a' 'b'", "return 'ab'"),
    ("return 'é'", r"return '\xe9'"),
    ("return 1_000", "return 1000"),
    ("return 0xff, 1e3, 1J", "return (255, 1000.0, 1j)"),
    (r"return r'\d'", r"return '\\d'"),
    (
        "if a: return 1\n    else:\n        if b: return 2",
        "if a: return 1\n    elif b: return 2",
    ),
    ("return a if (b and c) else d", "return (a if b and c else d)"),
    ("return a, b", "return (a, b,)"),
    ("return f(a, b=1)", "return f(\n        a,\n        b=1,\n    )"),
    ("return a + \\\n        b", "return a + b"),
    ("a = 1; b = 2", "a = 1\n    b = 2"),
    ("with (a as b, c): pass", "with a as b, c: pass"),
    ("for (i, j) in a: pass", "for i, j in a: pass"),
    ("return not (a in b)", "return (not (a in b))"),
    ("return lambda a: (a)", "return lambda a: a"),
    ("return f'{a}' f'{b}'", "return f'{a}{b}'"),
    ("return f'{a}' 'b'", 'return f"{a}b"'),
    ("return a[(1, 2)]", "return a[1, 2]"),
    ("del (a), b", "del a, b"),
    ("assert (a), ('b')", "assert a, 'b'"),
    ("raise (a) from (b)", "raise a from b"),
    ("'doc'\n    return a", '"""another"""\n    return a'),
    ("'doc'\n    return a", "return a"),
    ("'doc'", "pass"),
    ("a: int = 1\n    return a", "a = 1\n    return a"),
    ("def g(a: int) -> str: return a\n    return g", "def g(a): return a\n    return g"),
    ("return a  # type: ignore", "return a"),
    ("return a", "\n\n    # why\n    return a\n\n"),
]


def ids(*bodies: str) -> list[bytes]:
    texts = (f"def f(a, b, c, d):\n    {body}\n" for body in bodies)
    return [SourceFile.parse(text, "mod.py").units["f"].source for text in texts]


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_two_spellings_have_one_id(one: str, other: str) -> None:
    first, second = ids(one, other)
    assert first == second


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("return not a in b", "return not (b in a)"),
        ("return 1", "return 1.0"),
        ("return 1", "return True"),
        ("return 'a'", "return b'a'"),
        ("return a, b", "return [a, b]"),
        ("return (a,)", "return a"),
        ("return a + (b + c)", "return a + b + c"),
        ("return f'{a}'", "return str(a)"),
        ("return f'{a}'", "return f'{a!r}'"),
        ("n: int\n    return n", "return n"),  # it makes `n` a local
        ("if a: return 1\n    if b: return 2", "if a: return 1\n    elif b: return 2"),
    ],
)
def test_what_may_mean_something_else_has_another_id(one: str, other: str) -> None:
    first, second = ids(one, other)
    assert first != second
