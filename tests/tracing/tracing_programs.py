"""Small programs, each with what a call of its `op` touches and how edits of it must count.

`touches` lists units of `main.py` unless a file is given; `a|b` means that either
will do. A `noticed` edit changes the result of the call, an `ignored` one does
not; the tests prove that first. An edit of the file `before` replaces the
statements that run before the call. With the flag `late` these run only for the
recorded call: the process that looks it up has not imported as much yet.
"""

# ruff: noqa: E501  programs and edits read best with each on one line
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Edit = tuple[str, str, str]


@dataclass(frozen=True)
class Program:
    name: str
    files: Mapping[str, str]
    touches: tuple[str, ...]
    noticed: tuple[Edit, ...]
    ignored: tuple[Edit, ...] = ()
    arguments: str = "()"
    before: str = ""
    mutated: tuple[str, ...] = ()
    flags: frozenset[str] = field(default_factory=frozenset)


PROGRAMS: list[Program] = []


def program(
    name: str,
    main: str,
    touches: str,
    *,
    noticed: Iterable[tuple[str, ...]] = (),
    ignored: Iterable[tuple[str, ...]] = (),
    files: Mapping[str, str] | None = None,
    arguments: str = "()",
    before: str = "",
    mutated: str = "",
    flags: str = "",
) -> None:
    def full(edits: Iterable[tuple[str, ...]]) -> tuple[Edit, ...]:
        return tuple(e if len(e) == 3 else ("main.py", *e) for e in edits)  # type: ignore[misc]

    words = tuple(w.replace("~", " ") for w in touches.replace("class ", "class~").split())
    PROGRAMS.append(
        Program(
            name,
            {"main.py": main, **(files or {})},
            words,
            full(noticed),
            full(ignored),
            arguments,
            before,
            tuple(mutated.split()),
            frozenset(flags.split()),
        )
    )


# --- functions and globals ----------------------------------------------------

program(
    "a helper and a global",
    """
RATE = 5
IDLE = 1
def scaled(v): return v * RATE
def never(v): return v - IDLE
def op(v):
    'Scale.'
    return scaled(v)  # at the rate
""",
    "op scaled $RATE",
    noticed=[
        ("RATE = 5", "RATE = 6"),
        ("v * RATE", "v + RATE"),
        ("return scaled(v)", "return -scaled(v)"),
    ],
    ignored=[
        ("IDLE = 1", "IDLE = 2"),
        ("v - IDLE", "v + IDLE"),
        ("'Scale.'", "'Scale it.'"),
        ("# at the rate", "# unchanged"),
        ("RATE = 5", "RATE: int = 5"),
        ("RATE = 5", "RATE = 0x5"),
        ("def scaled(v)", "def scaled(v: float) -> float"),
        ("RATE = 5\nIDLE = 1\n", "IDLE = 1\nRATE = 5\n"),
        ("def op(v):", "\n\n\ndef op( v ):"),
    ],
    arguments="(3,)",
)

program(
    "helpers three calls deep, in a loop",
    """
START = 10
def c(v): return v + START
def b(v): return c(v) * 2
def a(v): return b(v) - 1
def op():
    total = 0
    for v in range(3):
        total += a(v)
    return total
""",
    "op a b c $START",
    noticed=[("START = 10", "START = 11"), ("* 2", "* 3"), ("- 1", "- 2")],
)

program(
    "only the branch that runs",
    """
def warm(v): return v + 1
def cold(v): return v - 1
def op(v):
    if v > 0:
        return warm(v)
    return cold(v)
""",
    "op warm",
    noticed=[("v + 1", "v + 2")],
    ignored=[("v - 1", "v - 2")],
    arguments="(4,)",
)

program(
    "only the branch that runs, in functions with defaults",
    """
def warm(v, by=1): return grow(v, by) if by else shrink(v)
def grow(v, by): return v + by
def shrink(v): return v / 2
def cold(v): return v - 1
def op(v, cooling=False):
    if cooling:
        return cold(v)
    return warm(v)
""",
    "op warm grow",
    noticed=[("v + by", "v - by"), ("by=1", "by=3"), ("cooling=False", "cooling=True")],
    ignored=[("v - 1", "v - 2"), ("v / 2", "v / 3")],
    arguments="(4,)",
)

program(
    "a local name hides the global",
    """
SIZE = 2
def op():
    SIZE = 7
    return [SIZE for _ in range(2)]
""",
    "op",
    noticed=[("    SIZE = 7", "    SIZE = 8")],
    ignored=[("SIZE = 2", "SIZE = 3")],
)

program(
    "a comprehension variable hides the global only inside",
    """
k = 100
def op(): return [k for k in range(3)] + [k]
""",
    "op $k",
    noticed=[("k = 100", "k = 101")],
)

program(
    "nested functions, lambdas and generators",
    """
STEP = 2
def bump(v): return v + STEP
def op(n):
    def each(v):
        return (lambda w: bump(w))(v)
    return list(each(i) for i in range(n))
""",
    "op bump $STEP",
    noticed=[("STEP = 2", "STEP = 3"), ("bump(w)", "bump(w + 1)")],
    arguments="(3,)",
)

program(
    "a later definition of the same name counts",
    """
def size(): return 1
def op(): return size()
size = lambda: 2
""",
    "op size",
    noticed=[("size = lambda: 2", "size = lambda: 3"), ("size = lambda: 2\n", "")],
)

program(
    "a global is built over several statements",
    """
TABLE = {}
TABLE["a"] = 1
TABLE.update(b=2)
for letter in "cd":
    TABLE[letter] = 3
def op(): return sorted(TABLE.items())
""",
    "op $TABLE",
    noticed=[('["a"] = 1', '["a"] = 9'), ("b=2", "b=9"), ('"cd"', '"ce"')],
)

program(
    "default arguments",
    """
BASE = 4
def shifted(v, by=BASE, *, key=abs): return key(v) + by
def op(v): return shifted(v)
""",
    "op shifted $BASE",
    noticed=[("BASE = 4", "BASE = 5"), ("key=abs", "key=lambda q: q * 2"), ("by=BASE", "by=1")],
    arguments="(-3,)",
)

program(
    "a default that was changed in place before the call",
    """
def gather(v, into=[1]): return [*into, v]
def op(v): return gather(v)
""",
    "op gather",
    noticed=[
        ("before", "", "main.gather.__defaults__[0].append(7)"),
        ("before", "", "main.gather.__defaults__ = ([5],)"),
    ],
    arguments="(0,)",
)

program(
    "attributes and documentation of a function",
    """
def plan(): 'one'
plan.level = 3
def op(): return plan.level, plan.__doc__
""",
    "op plan",
    noticed=[("level = 3", "level = 4"), ("'one'", "'two'"), ("before", "", "main.plan.level = 8")],
)

program(
    "a builtin is hidden later",
    """
def op(v): return sum(v)
""",
    "op",
    noticed=[("def op", "def sum(v): return 0\ndef op"), ("before", "", "main.sum = max")],
    arguments="([1, 2],)",
)

program(
    "an operation on itself: recursion with a floor",
    """
FLOOR = 1
def count(n): return FLOOR if n <= 0 else n + count(n - 1)
def op(n): return count(n)
""",
    "op count $FLOOR",
    noticed=[("FLOOR = 1", "FLOOR = 2"), ("n + count", "n * count")],
    arguments="(4,)",
)

program(
    "a context variable",
    """
import contextvars
DEPTH = contextvars.ContextVar("DEPTH")
DEPTH.set(3)
def op(): return DEPTH.get()
""",
    "op $DEPTH",
    noticed=[("before", "", "main.DEPTH.set(9)")],
)

program(
    "a folder beside the code",
    """
from pathlib import Path
HERE = Path(__file__).parent
DATA = HERE / "data"
NAME = str(DATA)
def op(): return DATA.name, NAME[-4:]
""",
    "op $DATA $NAME",
    noticed=[('"data"', '"dat2"')],
)

program(
    "a global that nothing can hash",
    """
import threading
GATE = threading.Lock()
LIMIT = 2
def op():
    with GATE:
        return LIMIT
""",
    "op $GATE $LIMIT",
    noticed=[("LIMIT = 2", "LIMIT = 3")],
)

# --- globals that the call itself changes ----------------------------------------

program(
    "a counter",
    """
COUNT = 0
WEIGHT = 2
def op():
    global COUNT
    COUNT += 1
    return COUNT * WEIGHT
""",
    "op $COUNT $WEIGHT",
    noticed=[("COUNT = 0", "COUNT = 5"), ("WEIGHT = 2", "WEIGHT = 3")],
    mutated="$COUNT",
)

program(
    "a cache by hand, empty and filled",
    """
CACHE = {}
def slow(v): return v * 11
def quick(v):
    if v not in CACHE:
        CACHE[v] = slow(v)
    return CACHE[v]
def op(v): return quick(v)
""",
    "op quick slow $CACHE",
    noticed=[("v * 11", "v * 12")],
    arguments="(2,)",
    mutated="$CACHE",
)

program(
    "made on first use",
    """
_table = None
def build(): return [1, 2]
def table():
    global _table
    if _table is None:
        _table = build()
    return _table
def op(): return table()
""",
    "op table build $_table",
    noticed=[("[1, 2]", "[1, 3]")],
    mutated="$_table",
)

# --- decorators and wrappers -----------------------------------------------------

program(
    "decorators with and without wraps",
    """
import functools
EXTRA = 100
def plus(fn):
    @functools.wraps(fn)
    def inner(*a): return fn(*a) + EXTRA
    return inner
def twice(fn):
    def inner(*a): return fn(*a) * 2
    return inner
@plus
@twice
def g(v): return v + 1
def op(v): return g(v)
""",
    "op g plus twice $EXTRA",
    noticed=[("EXTRA = 100", "EXTRA = 101"), ("* 2", "* 3"), ("v + 1", "v + 2"), ("@twice\n", "")],
    arguments="(1,)",
)

program(
    "a class as decorator, with a memory",
    """
class Remember:
    def __init__(self, fn):
        self.fn, self.seen = fn, {}
    def __call__(self, v):
        if v not in self.seen:
            self.seen[v] = self.fn(v)
        return self.seen[v]
def inner(v): return v * 5
@Remember
def g(v): return inner(v)
def op(v): return g(v)
""",
    "op g inner Remember.__call__",
    noticed=[
        ("v * 5", "v * 6"),
        ("return inner(v)", "return -inner(v)"),
        ("return self.seen[v]", "return self.seen[v], 1"),
    ],
    before="main.op(2)",
    arguments="(2,)",
)

program(
    "a warm lru_cache on a function and on a method",
    """
import functools
K = 3
def base(v): return v * K
@functools.lru_cache(maxsize=None)
def g(v): return base(v)
class Model:
    @functools.cache
    def score(self, v): return base(v) + 1
MODEL = Model()
def op(v): return g(v), MODEL.score(v)
""",
    "op g base Model.score $K",
    noticed=[
        ("K = 3", "K = 4"),
        ("v * K", "v + K"),
        ("base(v) + 1", "base(v) + 2"),
        ("return base(v)\n", "return -base(v)\n"),
    ],
    before="main.op(7)",
    arguments="(7,)",
)

program(
    "partials, bound methods and callables held by names",
    """
from functools import partial
class Shift:
    def __init__(self, by): self.by = by
    def move(self, v): return v + self.by
    def __call__(self, v): return v - self.by
def mul(a, b): return a * b
triple = partial(mul, 3)
move = Shift(4).move
back = Shift(5)
def op(v): return triple(v), move(v), back(v)
""",
    "op mul $triple $move $back Shift.move Shift.__call__",
    noticed=[
        ("partial(mul, 3)", "partial(mul, 2)"),
        ("Shift(4)", "Shift(6)"),
        ("Shift(5)", "Shift(7)"),
        ("a * b", "a + b"),
        ("v + self.by", "v + 2 * self.by"),
        ("v - self.by", "v - 2 * self.by"),
    ],
    arguments="(3,)",
)

program(
    "closures made at import",
    """
def adder(n):
    box = [n]
    def add(v): return v + box[0]
    return add
plus = adder(5)
def op(v): return plus(v)
""",
    "op adder $plus",
    noticed=[
        ("adder(5)", "adder(6)"),
        ("v + box", "v - box"),
        (
            "before",
            "",
            "main.plus.__closure__[0].cell_contents.append(0); main.plus.__closure__[0].cell_contents[0] = 50",
        ),
    ],
    arguments="(1,)",
)

program(
    "dispatch on types",
    """
import functools
@functools.singledispatch
def show(v): return "any"
@show.register
def _(v: int): return "int"
show.register(str, lambda v: "str")
def op(v): return show(v)
""",
    "op",
    noticed=[('"int"', '"whole"')],
    arguments="(2,)",
)

program(
    "handed on as values",
    """
def near(v): return -v
def keep(v): return v > 1
def apply(fn, vs): return [fn(v) for v in vs]
def op(vs): return sorted(filter(keep, vs), key=near) + apply(near, vs)
""",
    "op near keep apply",
    noticed=[("-v", "v"), ("v > 1", "v > 2"), ("fn(v) for", "fn(fn(v)) for")],
    arguments="([1, 2, 3],)",
)

program(
    "a registry picks one",
    """
REGISTRY = {}
def register(fn):
    REGISTRY[fn.__name__] = fn
    return fn
@register
def left(v): return v + 1
@register
def right(v): return v - 1
SHORT = {"neg": lambda v: -v}
def op(name, v): return REGISTRY[name](v), SHORT["neg"](v)
""",
    "op left $REGISTRY $SHORT",
    noticed=[
        ("v + 1", "v + 2"),
        ("lambda v: -v", "lambda v: -v * 2"),
        ("before", "", "main.REGISTRY['left'] = main.right"),
    ],
    ignored=[("v - 1", "v - 2")],
    arguments="('left', 3)",
)

# --- classes -----------------------------------------------------------------------

program(
    "methods, class attributes and what is not called",
    """
UNIT = 2
class Point:
    scale = 3
    def __init__(self, v): self.v = v
    def length(self): return self.v * self.scale * UNIT
    def unused(self): return 0
def op(v): return Point(v).length()
""",
    "op Point.__init__ Point.length class Point $UNIT",
    noticed=[
        ("scale = 3", "scale = 4"),
        ("self.v = v", "self.v = v + 1"),
        ("UNIT = 2", "UNIT = 3"),
        ("before", "", "main.Point.scale = 9"),
        ("before", "", "main.Point.length = lambda self: 0"),
    ],
    ignored=[
        ("return 0", "return 1"),
        (
            "    def length(self): return self.v * self.scale * UNIT\n    def unused(self): return 0\n",
            "    def unused(self): return 0\n    def length(self): return self.v * self.scale * UNIT\n",
        ),
    ],
    arguments="(2,)",
)

program(
    "a base class in another file",
    """
from shapes import Base
class Square(Base):
    side = 2
    def area(self): return super().area() + self.side
def op(): return Square().describe()
""",
    "op shapes.py:Base.describe shapes.py:Base.area Square.area class Square|$Square",
    noticed=[
        ("shapes.py", "return 1", "return 5"),
        ("side = 2", "side = 3"),
        ("    side = 2\n", "    side = 2\n    def describe(self): return 'own'\n"),
        ("shapes.py", "'area'", "'size'"),
    ],
    files={
        "shapes.py": "class Base:\n    def area(self): return 1\n    def describe(self): return 'area', self.area()\n"
    },
)

program(
    "properties, class methods, static methods, operators",
    """
class Amount:
    @classmethod
    def of(cls, v): return cls(cls.clean(v))
    @staticmethod
    def clean(v): return v + 1
    def __init__(self, v): self._v = v
    @property
    def v(self): return self._v
    @v.setter
    def v(self, new): self._v = new * 2
    def __add__(self, other): return Amount(self.v + other.v)
    def __lt__(self, other): return self.v < other.v
def op():
    a, b = Amount.of(1), Amount.of(2)
    a.v = 5
    return (a + b).v, sorted([a, b])[0].v
""",
    "op Amount.of Amount.clean Amount.v Amount.__add__ Amount.__lt__",
    noticed=[
        ("v + 1", "v + 2"),
        ("new * 2", "new * 3"),
        ("self.v + other.v", "self.v - other.v"),
        ("self.v < other.v", "self.v > other.v"),
    ],
)

program(
    "dataclasses and enumerations",
    """
import enum
from dataclasses import dataclass, field
LIMIT = 4
def fresh(): return [LIMIT]
@dataclass(order=True)
class Job:
    size: int = LIMIT
    items: list = field(default_factory=fresh)
class Mode(enum.Enum):
    FAST = 1
    SLOW = 2
    def doubled(self): return self.value * 2
def op(): return Job().size, Job().items, Mode.FAST.doubled()
""",
    "op class Job class Mode Mode.doubled fresh",
    noticed=[
        ("LIMIT = 4", "LIMIT = 5"),
        ("FAST = 1", "FAST = 3"),
        ("value * 2", "value * 4"),
        ("[LIMIT]", "[LIMIT, 0]"),
        ("size: int = LIMIT", "size: int = 9"),
    ],
)

program(
    "named tuples, old and new",
    """
from collections import namedtuple
from typing import NamedTuple
Old = namedtuple("Old", "a b", defaults=[7])
class New(NamedTuple):
    a: int
    b: int = 8
    def total(self): return self.a + self.b
def op(): return Old(1).b, New(1).total()
""",
    "op $Old class New New.total",
    noticed=[
        ("defaults=[7]", "defaults=[6]"),
        ("b: int = 8", "b: int = 9"),
        ("self.a + self.b", "self.a - self.b"),
    ],
)

program(
    "metaclasses, hooks of subclasses and descriptors",
    """
class Const:
    def __init__(self, v): self.v = v
    def __get__(self, owner, kind=None): return self.v
class Named(type):
    def __call__(cls, *a): return super().__call__(*a).tag()
class Root:
    kinds = []
    def __init_subclass__(cls, **k): Root.kinds.append(cls.__name__)
class Leaf(Root, metaclass=Named):
    five = Const(5)
    def tag(self): return self.five, list(Root.kinds)
def op(): return Leaf()
""",
    "op Leaf.tag Const.__get__ class Root class Leaf Named.__call__",
    noticed=[
        ("Const(5)", "Const(6)"),
        ("return self.v", "return -self.v"),
        (".append(cls.__name__)", ".append(0)"),
        ("self.five, list", "list"),
    ],
)

program(
    "attribute tricks",
    """
class Loose:
    def __getattr__(self, name): return name.upper()
    def do_it(self): return 1
    def do_not(self): return 2
def op(what): return Loose().anything, getattr(Loose(), "do_" + what)()
""",
    "op Loose.__getattr__ Loose.do_it",
    noticed=[("upper()", "title()"), ("return 1", "return 3")],
    ignored=[("return 2", "return 4")],
    arguments="('it',)",
)

program(
    "methods set from outside, inherited attributes",
    """
def extra(self): return self.rate * 2
class Parent:
    rate = 3
class Child(Parent): pass
Child.extra = extra
def op(): return Child().extra(), Child.rate
""",
    "op extra class Child class Parent",
    noticed=[("* 2", "* 5"), ("rate = 3", "rate = 4"), ("before", "", "main.Parent.rate = 8")],
)

program(
    "classes inside functions and classes",
    """
class Outer:
    class Inner:
        depth = 2
        def go(self): return self.depth
def make(k):
    class Made:
        def go(self): return k
    return Made
Made = make(4)
def op(): return Outer.Inner().go(), Made().go()
""",
    "op Outer.Inner.go class Outer.Inner make",
    noticed=[
        ("depth = 2", "depth = 3"),
        ("return self.depth", "return -self.depth"),
        ("make(4)", "make(5)"),
        ("return k", "return -k"),
    ],
)

program(
    "an object that holds functions and objects",
    """
def relu(v): return min(v, 60)
class Layer:
    def __init__(self, act, w): self.act, self.w = act, w
    def forward(self, v): return self.act(v * self.w)
class Net:
    def __init__(self): self.layers = [Layer(relu, 2), Layer(relu, 3)]
    def run(self, v):
        for layer in self.layers: v = layer.forward(v)
        return v
net = Net()
def op(v): return net.run(v)
""",
    "op $net Net.run Layer.forward relu",
    noticed=[
        ("Layer(relu, 2)", "Layer(relu, 5)"),
        ("min(v, 60)", "min(v, 1)"),
        ("before", "", "main.net.layers[1].w = 7"),
        ("before", "", "main.net.layers[1].act = str"),
    ],
    arguments="(2,)",
)

program(
    "context managers and exceptions of one's own",
    """
import contextlib
class Bad(Exception):
    code = 3
class Guard:
    def __enter__(self): return 1
    def __exit__(self, *a): return True
@contextlib.contextmanager
def scope(): yield 5
def fail(v): raise Bad(v)
def op():
    with Guard() as g, scope() as s:
        try: fail(g)
        except Bad as e: return e.args, s, e.code
""",
    "op Guard.__enter__ scope fail class Bad",
    noticed=[
        ("return 1", "return 2"),
        ("yield 5", "yield 6"),
        ("raise Bad(v)", "raise Bad(-v)"),
        ("code = 3", "code = 4"),
    ],
)

# --- modules and imports -------------------------------------------------------------

_CONFIG = {"config.py": "N = 3\nM = 4\ndef fn(v): return v + N\nclass K:\n    q = 1\n"}

program(
    "names of an imported module",
    """
import config
import config as c
from config import N as n, fn as f
def op(v): return config.N + c.fn(v) + n + f(v) + c.K.q
""",
    "op config.py:$N config.py:fn config.py:class~K",
    noticed=[
        ("config.py", "N = 3", "N = 5"),
        ("config.py", "v + N", "v - N"),
        ("config.py", "q = 1", "q = 2"),
        ("before", "", "import config; config.fn = lambda v: 0"),
    ],
    ignored=[("config.py", "M = 4", "M = 5")],
    files=_CONFIG,
    arguments="(1,)",
)

program(
    "imports inside the function",
    """
def op(v):
    import config
    from config import fn as g
    from pack import deep
    return config.N + g(v) + deep.value()
""",
    "op config.py:$N config.py:fn pack/deep.py:value pack/deep.py:$V",
    noticed=[
        ("config.py", "N = 3", "N = 5"),
        ("config.py", "v + N", "v - N"),
        ("pack/deep.py", "V = 2", "V = 9"),
        ("pack/deep.py", "return V", "return -V"),
    ],
    ignored=[("config.py", "M = 4", "M = 5")],
    files={**_CONFIG, "pack/__init__.py": "", "pack/deep.py": "V = 2\ndef value(): return V\n"},
    arguments="(1,)",
)

program(
    "handed on by a package, by star and by a lazy package",
    """
from lib import f
from stars import *
import lazy
def op(v): return f(v), LIGHT, glow(v), lazy.COLOR
""",
    "op lib/impl.py:f stars.py:$LIGHT|$LIGHT stars.py:glow",
    noticed=[
        ("lib/impl.py", "return v", "return -v"),
        ("lib/__init__.py", "import f", "import g as f"),
        ("stars.py", "LIGHT = 1", "LIGHT = 2"),
        ("stars.py", "v * 2", "v * 3"),
        ("lazy.py", "'red'", "'blue'"),
    ],
    files={
        "lib/__init__.py": "from .impl import f\n",
        "lib/impl.py": "def f(v): return v\ndef g(v): return 0\n",
        "stars.py": "LIGHT = 1\ndef glow(v): return v * 2\n",
        "lazy.py": "def __getattr__(name):\n    if name == 'COLOR': return 'red'\n    raise AttributeError(name)\n",
    },
    arguments="(3,)",
)

program(
    "handed on by a package, imported inside the function",
    """
def op(v):
    from lib import f
    return f(v)
""",
    "op lib/impl.py:f",
    noticed=[
        ("lib/impl.py", "return v", "return -v"),
        ("lib/__init__.py", "import f", "import g as f"),
    ],
    files={
        "lib/__init__.py": "from .impl import f\n",
        "lib/impl.py": "def f(v): return v\ndef g(v): return 0\n",
    },
    arguments="(3,)",
)

program(
    "another module under the same name",
    """
import math as m
from a1 import f
def op(v): return m.sqrt(v), f(v)
""",
    "op a1.py:f",
    noticed=[("import math as m", "import cmath as m"), ("from a1", "from a2")],
    ignored=[("import math as m", "import os, math as m")],
    files={"a1.py": "def f(v): return v\n", "a2.py": "def f(v): return -v\n"},
    arguments="(4,)",
)

program(
    "conditional definitions",
    """
import sys
FAST = False
try:
    import surely_not_installed
    def pick(v): return v
except ImportError:
    def pick(v): return -v
    def other(v): return 0
if FAST:
    def step(v): return v * 10
else:
    def step(v): return v + 10
def op(v): return pick(v), step(v)
""",
    "op pick step",
    noticed=[
        ("return -v", "return -v * 2"),
        ("surely_not_installed", "json"),
        ("v + 10", "v + 20"),
        ("FAST = False", "FAST = True"),
    ],
    ignored=[("return 0", "return 1")],
    arguments="(2,)",
)

program(
    "a module as a value",
    """
import config
def read(module, name): return getattr(module, name)
def op(name): return read(config, name)
""",
    "op read config.py:$*",
    noticed=[("config.py", "N = 3", "N = 4"), ("before", "", "import config; config.N = 8")],
    files=_CONFIG,
    arguments="('N',)",
)

program(
    "modules named by strings",
    """
import importlib
PLUGINS = ["plug"]
def load(name): return importlib.import_module(name)
def op(): return [load(name).ANSWER for name in PLUGINS] + [load("plug2").ANSWER]
""",
    "op load $PLUGINS plug2.py:$*",
    noticed=[("plug2.py", "ANSWER = 2", "ANSWER = 4")],
    files={"plug.py": "ANSWER = 1\n", "plug2.py": "ANSWER = 2\n"},
)

program(
    "a string that happens to name a module",
    """
import config
def op(row): return row["config"]
""",
    "op",
    noticed=[('["config"]', '["other"]')],
    ignored=[("config.py", "N = 3", "N = 4")],
    files=_CONFIG,
    arguments="({'config': 1, 'other': 2},)",
)

program(
    "names looked up at run time",
    """
A = 1
B = 2
def f(v): return v + A
def op(name): return globals()[name], eval("f(1)")
""",
    "op f $*",
    noticed=[("A = 1", "A = 5"), ("v + A", "v - A"), ("B = 2", "B = 7")],
    arguments="('B',)",
)

program(
    "code made by exec",
    """
SOURCE = "def made(v): return v + 1"
exec(SOURCE)
def op(v): return made(v)
""",
    "op $made|$SOURCE",
    noticed=[("v + 1", "v + 2")],
    arguments="(1,)",
)

program(
    "patched before the call",
    """
import config
def op(v): return config.fn(v)
""",
    "op config.py:other",
    noticed=[("before", "", "pass"), ("config.py", "v * 9", "v * 8")],
    files={"config.py": "def fn(v): return v\ndef other(v): return v * 9\n"},
    before="import config; config.fn = config.other",
    arguments="(2,)",
)

program(
    "twins: equal functions at equal lines of two files",
    """
import left, right
def op(v): return left.f(v), right.f(v)
""",
    "op left.py:f left.py:$Q right.py:f right.py:$Q",
    noticed=[
        ("left.py", "Q = 1", "Q = 5"),
        ("right.py", "Q = 2", "Q = 5"),
        ("left.py", "v + Q", "v - Q"),
        ("right.py", "v + Q", "v - Q"),
    ],
    files={
        "left.py": "Q = 1\ndef f(v): return v + Q\n",
        "right.py": "Q = 2\ndef f(v): return v + Q\n",
    },
    arguments="(1,)",
)

program(
    "reloaded",
    """
import config
def op(v): return config.fn(v)
""",
    "op config.py:fn config.py:$N",
    noticed=[("config.py", "v + N", "v - N"), ("config.py", "N = 3", "N = 4")],
    files=_CONFIG,
    before="import importlib, config; importlib.reload(config)",
    arguments="(1,)",
)

# --- data ---------------------------------------------------------------------------

program(
    "changed in place before the call",
    """
from types import SimpleNamespace
import numpy as np
LIST = [1, [2]]
SPACE = SimpleNamespace(rate=1, other=2)
ARRAY = np.zeros(3)
def op(): return LIST[1][0] + SPACE.rate + float(ARRAY.sum())
""",
    "op $LIST $SPACE $ARRAY",
    noticed=[
        ("before", "", "main.LIST[1].insert(0, 9)"),
        ("before", "", "main.SPACE.rate = 5"),
        ("before", "", "main.ARRAY[1] = 4"),
    ],
)

program(
    "numbers of other types",
    """
V = 1
def op(): return type(V).__name__, V
""",
    "op $V",
    noticed=[("V = 1", "V = True"), ("V = 1", "V = 1.0")],
)

# --- generators, threads, tasks ---------------------------------------------------------

program(
    "generators and coroutines",
    """
import asyncio
PAUSE = 0
GAIN = 2
def numbers(n):
    for i in range(n): yield i * GAIN
async def leaf(v):
    await asyncio.sleep(PAUSE)
    return v + GAIN
async def both(n): return await asyncio.gather(*[leaf(v) for v in numbers(n)])
def op(n): return asyncio.run(both(n))
""",
    "op both leaf numbers $GAIN $PAUSE",
    noticed=[("GAIN = 2", "GAIN = 3"), ("i * GAIN", "i - GAIN"), ("v + GAIN", "v - GAIN")],
    arguments="(3,)",
)

program(
    "threads and a pool that was there before",
    """
import threading
from concurrent.futures import ThreadPoolExecutor
POOL = ThreadPoolExecutor(1)
POOL.submit(int).result()
BIAS = 1
class Worker:
    def work(self, v): return v + BIAS
def other(out): out.append(more())
def more(): return BIAS * 10
def op():
    out = []
    thread = threading.Thread(target=other, args=(out,))
    thread.start(); thread.join()
    worker = Worker()
    return out + list(POOL.map(worker.work, [1, 2]))
""",
    "op other more Worker.work $BIAS",
    noticed=[("BIAS = 1", "BIAS = 2"), ("v + BIAS", "v - BIAS"), ("* 10", "* 20")],
)

program(
    "worker processes",
    """
import multiprocessing
K = 3
def inner(v): return v * K
def work(v): return inner(v)
def op():
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.map(work, [1, 2])
""",
    "op work inner $K",
    noticed=[("v * K", "v + K + 9"), ("K = 3", "K = 4")],
)

# --- code that only values lead to ------------------------------------------------

for _title, _setup, _read in (
    ("an object", "BOX = make()", "BOX"),
    ("an attribute of an attribute", "H = Bare(); H.a = Bare(); H.a.b = make()", "H.a.b"),
    ("an item of a list in a dict", "H = {'a': [1, make()]}", "H['a'][1]"),
    ("an attribute of a namespace", "H = types.SimpleNamespace(a=make())", "H.a"),
    ("a class in a registry", "H = {'a': type(make())}", "H['a']()"),
    ("a bound method", "H = [make().base]", "H[0].__self__"),
    ("an attribute of a class", "class H: a = [make()]", "H.a[0]"),
    ("a default", "def H(v=make()): return v", "H()"),
    ("a partial", "H = [functools.partial(max, make(), key=id)]", "H[0].args[0]"),
    ("a deque and a slot", "H = collections.deque([Slotted(make())])", "H[0].a"),
):
    program(
        f"the class behind a global: {_title}",
        f"""
import collections, functools, types
from shapes import make
class Bare: pass
class Slotted:
    __slots__ = ("a",)
    def __init__(self, a): self.a = a
{_setup}
def op(): return {_read}.total()
""",
        "op shapes.py:class~B shapes.py:class~A",
        files={
            "shapes.py": """
class Z:
    def part(self): return 0
class A:
    rate = 2
    def total(self): return self.rate * self.part() + self.base()
    def base(self): return 10
    def part(self): return 1
class B(A):
    weight = 1
class Other:
    rate = 7
def make(): return B()
"""
        },
        noticed=[
            ("shapes.py", "    weight = 1", "    rate = 3"),
            ("shapes.py", "    rate = 2", "    rate = 4"),
            ("shapes.py", "class B(A)", "class B(Z, A)"),
            ("shapes.py", "    weight = 1", "    def base(self): return 11"),
        ],
        ignored=[("shapes.py", "    rate = 7", "    rate = 8")],
    )

for _title, _given, _read in (
    ("an object", "main.B()", "v"),
    ("a nested object", "{'x': [main.B()]}", "v['x'][0]"),
    ("a class", "main.B", "v()"),
    ("classes in a list", "[main.B]", "v[0]()"),
    ("a partial of a class", "__import__('functools').partial(main.B)", "v()"),
    ("an object of a class made by a function", "main.local()", "v"),
):
    program(
        f"the class behind an argument: {_title}",
        f"""
class A:
    rate = 2
    def total(self): return self.rate + self.base()
    def base(self): return 10
class B(A):
    weight = 1
class Other:
    rate = 7
def local():
    class C(B):
        depth = 1
    return C()
def op(v): return {_read}.total()
""",
        "op class~B class~A",
        noticed=[
            ("    weight = 1", "    rate = 3"),
            ("    rate = 2", "    rate = 4"),
            ("    weight = 1", "    def base(self): return 11"),
        ],
        ignored=[("    rate = 7", "    rate = 8")],
        arguments=f"({_given},)",
    )

program(
    "a dataclass default of an argument",
    """
from dataclasses import dataclass
@dataclass
class Conf:
    rate: int = 2
    def total(self): return type(self)().rate
def op(v): return v.total()
""",
    "op class~Conf Conf.total",
    noticed=[("rate: int = 2", "rate: int = 3")],
    arguments="(main.Conf(),)",
)

program(
    "functions in an argument, run before in a cache or not at all",
    """
import functools
K = 2
def inner(v): return v * K
@functools.cache
def warm(v): return inner(v)
def op(v): return v["fns"][0](3)
""",
    "op warm inner $K",
    noticed=[("v * K", "v + K"), ("K = 2", "K = 3")],
    before="main.warm(3)",
    arguments="({'fns': (main.warm,)},)",
)

program(
    "modules as values",
    """
import near, far
MODULES = {"near": near}
def read(module): return module.N
def op(name, v): return read(MODULES[name]) + v["far"].N
""",
    "op read near.py:$* far.py:$* $MODULES",
    files={"near.py": "N = 1\n", "far.py": "N = 10\n"},
    noticed=[("near.py", "N = 1", "N = 2"), ("far.py", "N = 10", "N = 11")],
    arguments="('near', {'far': main.far})",
)

program(
    "the globals of a function",
    """
N = 1
def helper(): return 0
def op(): return helper.__globals__["N"]
""",
    "op helper $*",
    noticed=[("N = 1", "N = 2")],
)

program(
    "the globals of a function of another module",
    """
import near
def op():
    fn = near.helper
    return fn.__globals__["N"] + near.helper.__globals__["N"]
""",
    "op near.py:helper near.py:$*",
    files={"near.py": "N = 1\ndef helper(): return 0\n"},
    noticed=[("near.py", "N = 1", "N = 2")],
)

# --- how it is run -------------------------------------------------------------------------

program(
    "a script",
    """
N = 2
def helper(v): return v * N
def op(v): return helper(v)
if __name__ == "__main__":
    print_nothing = op(1)
""",
    "op helper $N",
    noticed=[("N = 2", "N = 3"), ("v * N", "v + N + 9")],
    ignored=[("op(1)", "op(2)")],
    arguments="(1,)",
    flags="script",
)

program(
    "notebook cells, one of them run again with a change",
    """
# %%
N = 2
# %%
def helper(v): return v * N
# %%
def op(v): return helper(v)
# %%
def helper(v): return v + N
""",
    "op helper $N",
    noticed=[("N = 2", "N = 3"), ("v + N", "v - N")],
    ignored=[("v * N", "v * N * 1")],
    arguments="(1,)",
    flags="cells",
)

program(
    "members of an enumeration that are computed",
    """
from enum import Enum
from near import VALUES
class Mode(Enum):
    A = VALUES[0]
    B = []
def op(): return Mode.A.value, list(Mode.B.value)
""",
    "op class~Mode",
    files={"near.py": "VALUES = [int('1')]\n"},
    noticed=[("near.py", "'1'", "'2'"), ("before", "", "main.Mode.B.value.append(1)")],
)

program(
    "a global that contains itself",
    """
RING = [1]
RING.append(RING)
def op(): return RING[0]
""",
    "op $RING",
    noticed=[("[1]", "[2]")],
)
