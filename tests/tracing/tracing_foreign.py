"""Programs about things of installed packages, what classes hold, and what definitions say.

See `tracing_programs` for how to read them.
"""

from __future__ import annotations

from tracing.tracing_programs import program

_OTHER = "def other(v): return 0\n"

# --- re-exports of installed packages ---------------------------------------------------------

for _name, _main, _link, _noticed in (
    (
        "a function of the standard library, handed on",
        "from near import g\ndef op(): return g(2.5)\n",
        "from math import ceil as g\n",
        [("ceil", "floor")],
    ),
    (
        "a class, handed on by a module that is named",
        "import near\ndef op(): return near.g([1, 1]), near.__name__\n",
        "from collections import Counter as g\n",
        [("Counter", "UserList")],
    ),
    (
        "a constant, handed on",
        "from near import g\ndef op(): return g\n",
        "from math import pi as g\n",
        [("pi", "e")],
    ),
    (
        "a built-in function, handed on",
        "from near import g\ndef op(): return g([2, 1])\n",
        "from builtins import min as g\n",
        [("min", "max")],
    ),
    (
        "a function in C of a private module, handed on",
        "from near import g\ndef op(): return g(2, 3)\n",
        "from operator import add as g\n",
        [("add", "mul")],
    ),
    (
        "a function of numpy, handed on",
        "from near import g\ndef op(): return float(g(1.0))\n",
        "from numpy import sin as g\n",
        [("sin", "cos")],
    ),
    (
        "all of a foreign module, handed on",
        "from near import *\ndef op(): return ceil(2.5)\n",
        "from math import *\n",
        [("from math import *", "from math import floor as ceil")],
    ),
    (
        "the first of two foreign things that are there, handed on",
        "import near\ndef op(): return near.g(2.5)\n",
        "try:\n    from math import ceil as g\nexcept ImportError:\n    from math import floor as g\n",
        [("ceil", "not_there")],
    ),
    (
        "an exception to catch, handed on",
        """
import near
def op():
    try:
        raise KeyError
    except near.g:
        return 1
    except LookupError:
        return 2
""",
        "from builtins import KeyError as g\n",
        [("KeyError", "ValueError")],
    ),
    (
        "imported inside the function, handed on",
        "def op():\n    from near import g\n    return g(2.5)\n",
        "from math import ceil as g\n",
        [("ceil", "floor")],
    ),
    (
        "imported inside the function, handed on by one of two statements",
        "def op():\n    from near import g\n    return g(2.5)\n",
        "try:\n    from math import ceil_ as g\nexcept ImportError:\n    from math import ceil as g\n",
        [("import ceil as", "import floor as")],
    ),
    (
        "imported inside the function, handed on with all others of a module",
        "def op():\n    import near as n\n    return n.ceil(2.5)\n",
        "from math import *\n",
        [("import *", "import floor as ceil")],
    ),
):
    for _flags, _before in (("", ""), ("late", "op()")):
        if _flags and "inside" not in _name:
            continue
        program(
            f"{_name}{', of a process that has not imported it' if _flags else ''}",
            _main,
            "op near.py:$g" if "as g" in _link else "op",
            files={"near.py": _link},
            noticed=[("near.py", *edit) for edit in _noticed],
            before=_before.replace("op()", "main.op()"),
            flags=_flags,
        )

program(
    "handed on by a package and its module, through a helper",
    "import pack\ndef helper(v): return pack.g(v)\ndef op(): return helper(2.5)\n",
    "op helper",
    files={
        "pack/__init__.py": "from .inner import g\n",
        "pack/inner.py": "from math import ceil as g\n",
    },
    noticed=[("pack/inner.py", "ceil", "floor")],
)

for _bound in (
    "def g(v): return v\n",
    "class g: pass\n",
    "from math import sqrt as g\n",
    "g = None\n",
):
    for _set, _other in (
        ("math.ceil", "math.floor"),
        ("int", "float"),
        ("posixpath.normpath", "posixpath.normcase"),
        ("{2.5: 1}.get", "{2.5: 2}.get"),
    ):
        program(
            f"{_set} set in the place of `{_bound.strip()}`",
            "import near\ndef op(): return near.g(ARGUMENT)\nARGUMENT = 2.5\n".replace(
                "2.5", "'a//b'" if "path" in _set else "2.5"
            ),
            "op",
            files={"near.py": _bound},
            before=f"import math, posixpath, near; near.g = {_set}",
            noticed=[("before", "", f"import math, posixpath, near; near.g = {_other}")]
            if "path" not in _set
            else [("before", "", "import posixpath, near; near.g = posixpath.basename")],
        )

# --- what classes hold ----------------------------------------------------------------------

_HOLDER = """
import math, operator, functools
class A: size = 1
class B: size = 2
class C:
    held = None
    wide = 5
    tall = 6
    @staticmethod
    def s(v=0): return v
def op(): return USE
"""

for _use, _one, _two in (
    ("C.held(2.5)", "int", "float"),
    ("C().held(2.5)", "int", "float"),
    ("C.held.size", "main.A", "main.B"),
    ("C.held.sqrt(4)", "__import__('math')", "__import__('cmath')"),
    ("C.held(2.5)", "main.math.ceil", "main.math.floor"),
    ("C.held('a/b')", "__import__('posixpath').dirname", "__import__('posixpath').basename"),
    ("C.held(2.5)", "staticmethod(main.math.ceil)", "staticmethod(main.math.floor)"),
    ("C.held('a')", "eval('lambda v: 1')", "eval('lambda v: 2')"),
    ("C.held()", "main.functools.partial(int, 3)", "main.functools.partial(int, 4)"),
    ("C.held()", "main.functools.partial(main.C.s, 3)", "main.functools.partial(main.C.s, 4)"),
    (
        "C().held",
        "property(main.operator.attrgetter('wide'))",
        "property(main.operator.attrgetter('tall'))",
    ),
    (
        "C.held(2.5)",
        "main.functools.lru_cache(main.math.ceil)",
        "main.functools.lru_cache(main.math.floor)",
    ),
    ("str(C.held)", "classmethod(len)", "classmethod(repr)"),
):
    program(
        f"`{_use}` where the class holds {_one}",
        _HOLDER.replace("USE", _use),
        "op class C",
        before=f"main.C.held = {_one}",
        noticed=[("before", "", f"main.C.held = {_two}"), ("before", "", "main.C.held = repr")],
    )

program(
    "a class that another one holds",
    "class A:\n    size = 1\nclass C: held = A\ndef op(): return C.held.size\n",
    "op class C class A",
    noticed=[("size = 1", "size = 2")],
)

program(
    "an attribute with two underscores, which the class binds or not",
    "class C: __level__ = 1\ndef op(): return C.__level__, getattr(C, '__other__', 0)\n",
    "op class C",
    noticed=[
        ("__level__ = 1", "__level__ = 2"),
        ("before", "", "main.C.__level__ = 2"),
        ("before", "", "main.C.__other__ = 2"),
    ],
)

program(
    "what a metaclass holds",
    "class M(type): held = None\nclass C(metaclass=M): pass\ndef op(): return C.held(2.5)\n",
    "op class C",
    before="main.M.held = int",
    noticed=[("before", "", "main.M.held = float")],
)

program(
    "what a class is made with that something else decides",
    "import near\nclass C: held = near.chosen()\ndef op(): return C.held(2.5)\n",
    "op class C",
    files={"near.py": "WIDE = True\ndef chosen(): return float if WIDE else int\n"},
    noticed=[("near.py", "WIDE = True", "WIDE = False")],
)

program(
    "a generated class of the standard library says the same as before",
    """
import dataclasses, enum, functools, typing
@functools.total_ordering
@dataclasses.dataclass(frozen=True)
class D:
    a: int = 1
    def __lt__(self, other): return self.a < other.a
class N(typing.NamedTuple):
    b: int = 2
class E(enum.Enum):
    ONE = 1
class G(typing.Generic[typing.TypeVar("T")]):
    c = typing.Generic
class S:
    __slots__ = ("d",)
    def __eq__(self, other): return True
def op(): return D().a, N().b, E.ONE.value, G.c.__name__, S() == S(), D(1) <= D(2)
""",
    "op class D class N class E class G class S",
    noticed=[("a: int = 1", "a: int = 3"), ("c = typing.Generic", "c = typing.Protocol")],
)

# --- mocks -----------------------------------------------------------------------------------

for _target, _use in (("s", "C.s()"), ("m", "C().m()"), ("p", "C().p")):
    program(
        f"a mock in the place of {_use}",
        f"""
from unittest import mock
class C:
    @staticmethod
    def s(): return 1
    def m(self): return 1
    @property
    def p(self): return 1
def op(): return {_use}
""",
        "op class C",
        noticed=[
            ("before", "", f"main.mock.patch.object(main.C, '{_target}', return_value=5).start()"),
            ("before", "", f"main.mock.patch.object(main.C, '{_target}', new=int).start()"),
        ]
        if _target != "p"
        else [
            ("before", "", "main.mock.patch.object(main.C, 'p', main.mock.PropertyMock()).start()"),
            ("before", "", "main.mock.patch.object(main.C, 'p', 5).start()"),
        ],
    )

# --- what definitions say of themselves -----------------------------------------------------

_SAYING = """
import inspect, typing
from inspect import getdoc as said
from near import signature as shape
Size = int
class K:
    'of K'
    def m(self, v: Size = 1) -> str:
        'of m'
    def own(self): return self.__doc__
    @classmethod
    def its(cls): return cls.__doc__
def g(v: Size) -> list:
    'of g'
    def inner(w: bytes):
        'of inner'
    return inner
def doc(function): return function.__doc__
def deep(): return g(1).__doc__
KEPT = K()
def op(): return USE
"""
_DOC, _CLASS_DOC, _METHOD_DOC = ("of g", "on g"), ("of K", "on K"), ("of m", "on m")
_ANNOTATION = ("g(v: Size)", "g(v: float)")

for _use, _seen, _unseen in (
    ("str(inspect.signature(g))", [_ANNOTATION, ("Size = int", "Size = bytes")], [_DOC]),
    ("str(shape(g))", [_ANNOTATION], [_DOC]),
    ("inspect.getdoc(g)", [_DOC], [_ANNOTATION]),
    ("said(g)", [_DOC], [_ANNOTATION]),
    ("str(typing.get_type_hints(g))", [_ANNOTATION], [_DOC]),
    ("doc(g)", [_DOC], [_ANNOTATION]),
    ("getattr(g, '__doc__')", [_DOC], []),
    ("deep()", [("of inner", "on inner")], [_ANNOTATION]),
    (
        "str(K.m.__annotations__)",
        [("-> str", "-> bytes"), ("Size = int", "Size = bytes")],
        [_METHOD_DOC],
    ),
    ("K.m.__doc__", [_METHOD_DOC], []),
    ("type(KEPT).__doc__", [_CLASS_DOC], []),
    ("K().own()", [_CLASS_DOC], [_DOC]),
    ("K.its()", [_CLASS_DOC], [_DOC]),
    ("g.__name__", [], [_DOC, _ANNOTATION, _CLASS_DOC, _METHOD_DOC]),
):
    program(
        f"`{_use}` reads what is said",
        _SAYING.replace("USE", _use),
        "op",
        files={"near.py": "from inspect import signature\n"},
        noticed=_seen,
        ignored=_unseen,
    )

program(
    "a docstring given at run time",
    "def g(): 'as written'\ndef doc(f): return f.__doc__\ndef op(): return doc(g)\n",
    "op g g.__doc__ doc",
    noticed=[("before", "", "main.g.__doc__ = 'other'"), ("as written", "as it is written")],
    ignored=[("before", "", "main.g.__doc__ = 'as written'")],
)
