"""Programs about statements, closures, generators and data.

See `tracing_programs` for how to read them.
"""

# ruff: noqa: E501  programs and edits read best with each on one line
from __future__ import annotations

from tracing.tracing_programs import program

# --- statements --------------------------------------------------------------------------

program(
    "match: values, classes, guards and captures",
    """
class Point:
    __match_args__ = ("x", "y")
    def __init__(self, x, y): self.x, self.y = x, y
class Codes:
    DONE = 7
LIMIT = 3
def big(v): return v > LIMIT
def op(v):
    match v:
        case Codes.DONE: return "done"
        case {"k": int(n)} if big(n): return "big"
        case Point(x=0, y=n): return n
        case [first, *_]: return op(first)
    return None
""",
    "op big class~Codes $LIMIT",
    noticed=[
        ("LIMIT = 3", "LIMIT = 9"),
        ("v > LIMIT", "v < LIMIT"),
        ('"big"', '"large"'),
        ("int(n)}", "str(n)}"),
    ],
    arguments="([{'k': 5}],)",
)

program(
    "match: positions of a class pattern",
    """
class Point:
    __match_args__ = ("x", "y")
    def __init__(self, x, y): self.x, self.y = x, y
def op(a, b):
    match Point(a, b):
        case Point(1, n): return n
        case Point(): return None
""",
    "op class~Point Point.__init__",
    noticed=[('("x", "y")', '("y", "x")'), ("= x, y", "= x, -y")],
    arguments="(1, 2)",
)

program(
    "walrus, star arguments, chained comparison, slices, deletes",
    """
LOW, (HIGH, *REST) = 1, (5, 6, 7)
def size(vs): return len(vs)
def spread(*a, **k): return a, sorted(k)
def op(vs):
    if (n := size(vs)) > LOW:
        del vs[LOW:HIGH]
    return n, spread(*REST, **{"n": n}), LOW < n < HIGH, [y := 1, y + HIGH]
""",
    "op size spread $LOW $HIGH $REST",
    noticed=[
        ("6, 7)", "6, 8)"),
        ("LOW, (HIGH", "HIGH, (LOW"),
        ("len(vs)", "len(vs) + 9"),
        ("a, sorted(k)", "sorted(k), a"),
    ],
    arguments="([1, 2, 3],)",
)

program(
    "names bound by for, with, try, import and del at module level",
    """
import contextlib
for INDEX in range(3): LAST = INDEX
with contextlib.nullcontext(8) as HELD: pass
try:
    raise ValueError("bad")
except ValueError as error:
    TEXT = str(error)
TMP = 5
KEPT = TMP
del TMP
if (FOUND := KEPT + 1) > 3: MARK = "m"
else: MARK = "n"
A = B = [1]
B.append(2)
def op(): return LAST, HELD, TEXT, KEPT, FOUND, MARK, A
""",
    "op $LAST $HELD $TEXT $KEPT $FOUND $MARK $A",
    noticed=[
        ("range(3)", "range(4)"),
        ("nullcontext(8)", "nullcontext(9)"),
        ('"bad"', '"worse"'),
        ("TMP = 5", "TMP = 6"),
        ("> 3", "> 30"),
        ("B.append(2)", "B.append(3)"),
    ],
)

program(
    "global statements that read, write and define",
    """
LEVEL = 1
made = None
def raise_to(n):
    global LEVEL
    LEVEL = n
def define():
    global made
    def made(v): return v + LEVEL
def op(n):
    raise_to(n)
    define()
    return made(LEVEL)
""",
    "op raise_to define $LEVEL",
    noticed=[("LEVEL = n", "LEVEL = n + 1"), ("v + LEVEL", "v - LEVEL")],
    arguments="(4,)",
    mutated="$LEVEL $made",
)

program(
    "type aliases that run, and that do not",
    """
from typing import NewType, TypeAlias, Union, get_args
Number: TypeAlias = Union[int, float]
UserId = NewType("UserId", int)
Unused = Union[str, bytes]
def check(v: Unused) -> Number: return isinstance(v, get_args(Number))
def op(v): return check(v), UserId(v), isinstance(v, int | str)
""",
    "op check $Number $UserId",
    noticed=[("Union[int, float]", "Union[str, float]"), ("int | str", "bytes | str")],
    ignored=[("Union[str, bytes]", "Union[str, list]"), ("v: Unused", "v: object")],
    arguments="(1,)",
)

program(
    "annotations that a function reads",
    """
import typing
class Conf:
    size: int
    name: str
def typed(v: int) -> str: ...
def op(): return sorted(typing.get_type_hints(Conf)), typed.__annotations__["v"].__name__
""",
    "op class~Conf typed",
    noticed=[("    name: str\n", "    name: str\n    more: str\n"), ("v: int", "v: float")],
)

# --- literals -----------------------------------------------------------------------------

program(
    "literals, f-strings and nested containers",
    """
WIDTH = 6
MODES = {"a": (1, [2, {"b": frozenset({3})}]), None: ...}
TEXT = f"{WIDTH:>{WIDTH}}|{'x'!r}"
RAW = b"\\x00" * 2
BIG = 10 ** 3 + 1j
def op(v): return f"{v:{WIDTH}.2f}{TEXT=}", MODES["a"][1][1], len(RAW), BIG, 0.1 + 0.2, -0.0, "a" "b"
""",
    "op $WIDTH $MODES $TEXT $RAW $BIG",
    noticed=[
        ("WIDTH = 6", "WIDTH = 7"),
        ("frozenset({3})", "frozenset({4})"),
        ("'x'!r", "'x'"),
        ('" * 2', '" * 3'),
        ("1j", "2j"),
        ("-0.0", "0.0"),
        (".2f", ".3f"),
        ('"a" "b"', '"a" "c"'),
        ("{TEXT=}", "{TEXT}"),
    ],
    ignored=[
        ('"a" "b"', '"ab"'),
        ("10 ** 3", "1000"),
        ('(1, [2, {"b": frozenset({3})}])', '(1, [2, {"b": frozenset((3,))}],)'),
    ],
    arguments="(1.5,)",
)

# --- closures -----------------------------------------------------------------------------

program(
    "closures over counters, dicts and functions",
    """
def make(start):
    state = {"n": start}
    total = start
    def step(by):
        nonlocal total
        total += by
        state["n"] += by
        return total, state["n"]
    def peek(): return step(0)
    return peek
peek = make(5)
def op(): return peek()
""",
    "op make $peek",
    noticed=[
        ("make(5)", "make(6)"),
        ("step(0)", "step(1)"),
        ("total += by", "total -= by + 1"),
        ("before", "", "main.peek.__closure__[0].cell_contents(4)"),
    ],
)

program(
    "late binding in a loop of lambdas",
    """
FNS = [lambda v: v + i for i in range(3)]
BOUND = [lambda v, i=i: v * i for i in range(3)]
def op(v): return [f(v) for f in FNS], [f(v) for f in BOUND]
""",
    "op $FNS $BOUND",
    noticed=[
        ("v + i", "v - i"),
        ("v * i", "v - i"),
        ("i in range(3)]\nBOUND", "i in range(4)]\nBOUND"),
    ],
    arguments="(2,)",
)

program(
    "lambdas that one global reaches through another",
    """
SCALE = 3
shift = lambda v: v + SCALE
chain = {"f": lambda v: shift(v) * 2}
table = dict(g=chain["f"])
def op(v): return table["g"](v)
""",
    "op $table $shift $SCALE",
    noticed=[("SCALE = 3", "SCALE = 4"), ("v + SCALE", "v - SCALE"), ("* 2", "* 3")],
    arguments="(1,)",
)

# --- generators, tasks, context managers -----------------------------------------------------

program(
    "a generator made before the call and one sent values",
    """
GAIN = 2
def endless():
    n = 0
    while True:
        n += 1
        yield n * GAIN
def talk():
    got = yield 0
    while True: got = yield got * GAIN
def relay(): yield from (v + 1 for v in range(GAIN))
def op():
    stream, speaker = endless(), talk()
    next(speaker)
    return [next(stream), next(stream)], speaker.send(5), list(relay())
""",
    "op endless talk relay $GAIN",
    noticed=[
        ("GAIN = 2", "GAIN = 3"),
        ("n * GAIN", "n - GAIN"),
        ("got * GAIN", "got - GAIN"),
        ("v + 1", "v + 2"),
    ],
)

program(
    "asynchronous generators, iterators and context managers",
    """
import asyncio, contextlib
WAIT = 0
class Ticks:
    def __aiter__(self): return self
    left = 2
    async def __anext__(self):
        self.left -= 1
        if self.left < 0: raise StopAsyncIteration
        return self.left
class Door:
    async def __aenter__(self): return "open"
    async def __aexit__(self, *a): return None
@contextlib.asynccontextmanager
async def scope(): yield "in"
async def stream(n):
    for i in range(n):
        await asyncio.sleep(WAIT)
        yield i
async def main_task():
    async with Door() as door, scope() as inside:
        return door, inside, [i async for i in stream(2)], [t async for t in Ticks()]
def op(): return asyncio.run(main_task())
""",
    "op main_task stream scope Door.__aenter__ Ticks.__anext__ class~Ticks",
    noticed=[
        ('"open"', '"shut"'),
        ('yield "in"', 'yield "out"'),
        ("yield i", "yield -i"),
        ("left = 2", "left = 3"),
        ("-= 1", "-= 2"),
    ],
)

program(
    "a context manager that changes the outcome by its exit",
    """
import contextlib
class Quiet:
    def __init__(self, *kinds): self.kinds = kinds
    def __enter__(self): return self
    def __exit__(self, kind, *rest): return kind is not None and issubclass(kind, self.kinds)
KINDS = (ValueError,)
def leave(out): out.append("left")
def op():
    out = []
    with contextlib.ExitStack() as stack:
        stack.callback(leave, out)
        with Quiet(*KINDS): raise ValueError
        out.append("on")
    return out
""",
    "op Quiet.__exit__ leave $KINDS",
    noticed=[
        ('"left"', '"gone"'),
        ("issubclass(kind, self.kinds)", "False"),
        ("(ValueError,)", "(KeyError,)"),
    ],
)

program(
    "an exception's own text and a handler chosen by its class",
    """
class Base(Exception):
    code = 1
    def __str__(self): return f"<{self.code}>"
class Special(Base):
    code = 2
def fail(): raise Special
def op():
    try: fail()
    except Base as error: return str(error), error.code
""",
    "op fail Base.__str__ class~Special",
    noticed=[
        ("code = 2", "code = 3"),
        ('f"<{self.code}>"', '"x"'),
        ("raise Special", "raise Base"),
    ],
)

# --- data ---------------------------------------------------------------------------------

program(
    "globals of many types, changed in place",
    """
import array, collections, datetime, decimal, re
ORDER = collections.OrderedDict(a=1)
COUNT = collections.Counter("aab")
QUEUE = collections.deque([1, 2], maxlen=3)
MISS = collections.defaultdict(list, a=[1])
VIEW = array.array("i", [1, 2])
DAY = datetime.date(2020, 1, 2)
RATE = decimal.Decimal("1.10")
WORD = re.compile("a+")
RAW = bytearray(b"ab")
def op(): return list(ORDER), COUNT["a"], list(QUEUE), MISS["a"], list(VIEW), DAY.day, str(RATE), WORD.findall("aab"), bytes(RAW)
""",
    "op $ORDER $COUNT $QUEUE $MISS $VIEW $DAY $RATE $WORD $RAW",
    noticed=[
        ("before", "", "main.ORDER['b'] = 2"),
        ("before", "", "main.COUNT['a'] += 1"),
        ("before", "", "main.QUEUE.append(3)"),
        ("before", "", "main.MISS['a'].append(3)"),
        ("before", "", "main.VIEW[0] = 3"),
        ("before", "", "main.RAW[0] = 67"),
        ("(2020, 1, 2)", "(2020, 1, 3)"),
        ('"1.10"', '"1.1"'),
        ('"a+"', '"a"'),
    ],
)

program(
    "a table computed at import from functions of other modules",
    """
from near import row
TABLE = {name: row(name) for name in ("a", "bb")}
TOTAL = sum(TABLE.values())
def op(): return TABLE["bb"], TOTAL
""",
    "op $TABLE $TOTAL",
    files={"near.py": "UNIT = 2\ndef row(name): return len(name) * UNIT\n"},
    noticed=[
        ("near.py", "UNIT = 2", "UNIT = 3"),
        ("near.py", "* UNIT", "+ UNIT"),
        ('"bb")', '"bb", "c")'),
    ],
)

program(
    "several functions as arguments: lambda, method, partial, class",
    """
import functools
BASE = 2
class Box:
    def __init__(self, v): self.v = v
    def plus(self, v): return self.v + v + BASE
def mul(a, b): return a * b
def run(fn, v): return fn(v)
def op(fns, v): return [run(fn, v) for fn in fns]
""",
    "op run Box.plus mul $BASE",
    noticed=[
        ("BASE = 2", "BASE = 3"),
        ("self.v + v", "self.v - v"),
        ("a * b", "a + b"),
        ("fn(v)\n", "-fn(v)\n"),
    ],
    arguments="((main.Box(1).plus, main.functools.partial(main.mul, 3)), 4)",
)

# --- called by installed packages -----------------------------------------------------------

program(
    "callbacks of numpy and of the operator module",
    """
import operator
import numpy as np
K = 2
def f(v): return v * K
class Box:
    size = 3
    def go(self, by): return self.size + by
    def __deepcopy__(self, memo): return "copied"
def op():
    import copy
    return (
        np.vectorize(f)(np.arange(3)).tolist(), np.apply_along_axis(f, 0, np.ones(2)).tolist(),
        operator.methodcaller("go", 1)(Box()), operator.attrgetter("size")(Box()), copy.deepcopy(Box()),
    )
""",
    "op f $K Box.go class~Box Box.__deepcopy__",
    noticed=[
        ("K = 2", "K = 3"),
        ("v * K", "v - K"),
        ("size = 3", "size = 4"),
        ("+ by", "- by"),
        ('"copied"', '"other"'),
    ],
)

program(
    "worker processes of joblib",
    """
from joblib import Parallel, delayed
K = 3
def inner(v): return v * K
def work(v): return inner(v)
def op(): return Parallel(n_jobs=2, backend="multiprocessing")(delayed(work)(v) for v in range(3))
""",
    "op work inner $K",
    noticed=[("v * K", "v + K + 9"), ("K = 3", "K = 4")],
)

program(
    "imports that nothing uses, and a relative one inside a function",
    """
import os
import json as j
from pack.a import run
IDLE = 1
def op(v): return run(v)
""",
    "op pack/a.py:run pack/b.py:g pack/b.py:$T",
    files={
        "pack/__init__.py": "",
        "pack/a.py": "def run(v):\n    from . import b\n    from .b import g as h\n    return b.g(v) + h(v)\n",
        "pack/b.py": "T = 1\nIDLE = 2\ndef g(v): return v + T\n",
    },
    noticed=[("pack/b.py", "T = 1", "T = 2"), ("pack/b.py", "v + T", "v - T")],
    ignored=[
        ("import os\n", ""),
        ("import json as j", "import json"),
        ("IDLE = 1", "IDLE = 2"),
        ("pack/b.py", "IDLE = 2", "IDLE = 3"),
    ],
    arguments="(1,)",
)
