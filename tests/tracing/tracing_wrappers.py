"""Programs about what stands between a name and the code behind it.

Decorators, defaults, partials, caches, dispatch and registries; see
`tracing_programs` for how to read them.
"""

from __future__ import annotations

from tracing.tracing_programs import program

# --- decorators -----------------------------------------------------------------

program(
    "stacked decorators with arguments from three modules",
    """
from near import scaled, STEP
from far import Shifted
@scaled(by=STEP)
@Shifted(3)
def g(v): return v + 1
def op(v): return g(v)
""",
    "op g near.py:scaled near.py:$STEP far.py:Shifted.__call__ far.py:class~Shifted",
    files={
        "near.py": """
import functools
STEP = 2
def scaled(*, by):
    def deco(fn):
        @functools.wraps(fn)
        def inner(*a, **k): return fn(*a, **k) * by
        return inner
    return deco
""",
        "far.py": """
class Shifted:
    extra = 1
    def __init__(self, n): self.n = n
    def __call__(self, fn):
        return lambda *a: fn(*a) + self.n + self.extra
""",
    },
    noticed=[
        ("@Shifted(3)", "@Shifted(4)"),
        ("v + 1", "v + 2"),
        ("by=STEP", "by=7"),
        ("@scaled(by=STEP)\n@Shifted(3)", "@Shifted(3)\n@scaled(by=STEP)"),
        ("near.py", "STEP = 2", "STEP = 5"),
        ("near.py", "* by", "- by"),
        ("far.py", "extra = 1", "extra = 2"),
        ("far.py", "+ self.n", "- self.n"),
    ],
    arguments="(1,)",
)

program(
    "a decorator that returns a class",
    """
def as_class(fn):
    class Made:
        gain = 2
        def __call__(self, v): return fn(v) * self.gain
    return Made
@as_class
def g(v): return v + 1
def op(v): return g()(v)
""",
    "op g as_class",
    noticed=[("gain = 2", "gain = 3"), ("v + 1", "v + 2"), ("@as_class\n", "import math\n")],
    arguments="(1,)",
)

program(
    "decorators of classes: one adds, one replaces, one wraps a method",
    """
import functools
def plus(kind):
    kind.more = lambda self: self.v + 10
    return kind
def sealed(kind):
    class Sealed(kind):
        def total(self): return super().total() * 2
    return Sealed
def traced(fn):
    @functools.wraps(fn)
    def inner(self, *a): return fn(self, *a) - 1
    return inner
@sealed
@plus
class Box:
    def __init__(self, v): self.v = v
    @traced
    def total(self): return self.v + self.more()
def op(v): return Box(v).total()
""",
    "op plus sealed traced Box.total class~Box|$Box",
    noticed=[
        ("v + 10", "v + 11"),
        ("* 2", "* 3"),
        ("- 1", "- 2"),
        ("self.v + self.more()", "self.more()"),
        ("@sealed\n", ""),
        ("    @traced\n", ""),
    ],
    arguments="(5,)",
)

program(
    "an order completed by the library",
    """
import functools
@functools.total_ordering
class Ranked:
    def __init__(self, v): self.v = v
    def __lt__(self, other): return self.v < other.v
    def __eq__(self, other): return self.v == other.v
def op(): return Ranked(1) >= Ranked(2), Ranked(2) >= Ranked(2)
""",
    "op Ranked.__lt__ class~Ranked",
    noticed=[("self.v < other.v", "self.v > other.v"), ("self.v < other.v", "True")],
)

program(
    "a decorator that swallows the function",
    """
def constant(fn): return 42
def called(fn): return fn()
@constant
def a(): return 1
@called
def b(): return 2
def op(): return a, b
""",
    "op a b",
    noticed=[("return 42", "return 43"), ("return 2", "return 3"), ("@called", "@constant")],
)

program(
    "a context manager as a decorator",
    """
import contextlib
LOG = []
@contextlib.contextmanager
def noted(mark):
    LOG.append(mark)
    yield
    LOG.append(mark * 2)
@noted(3)
def g(v): return v, list(LOG)
def op(v):
    del LOG[:]
    return g(v), list(LOG)
""",
    "op g noted $LOG",
    noticed=[("@noted(3)", "@noted(4)"), ("mark * 2", "mark * 3"), ("return v, ", "return -v, ")],
    arguments="(1,)",
    mutated="$LOG",
)

# --- defaults --------------------------------------------------------------------

program(
    "defaults that are lambdas, classes, objects and computed",
    """
class Conf:
    rate = 2
    def __init__(self, k): self.k = k
BASE = 3
def start(): return BASE * 2
def g(v, key=lambda q: q + 1, kind=Conf, conf=Conf(5), first=start(), *, last=(BASE, [BASE])):
    return key(v), kind.rate, conf.k, first, last
def op(v): return g(v)
""",
    "op g class~Conf $BASE",
    noticed=[
        ("q + 1", "q + 2"),
        ("rate = 2", "rate = 3"),
        ("Conf(5)", "Conf(6)"),
        ("BASE = 3", "BASE = 4"),
        ("BASE * 2", "BASE * 3"),
        ("before", "", "main.g.__kwdefaults__['last'][1].append(0)"),
        ("before", "", "main.g.__defaults__[2].k = 0"),
    ],
    arguments="(1,)",
)

program(
    "a mutable default that collects",
    """
def gather(v, into=[]):
    into.append(v)
    return sum(into)
def op(v): return gather(v)
""",
    "op gather",
    noticed=[("sum(into)", "len(into) * 9"), ("into=[]", "into=[7]")],
    arguments="(2,)",
    mutated="gather",
)

# --- partials and operators ---------------------------------------------------------

program(
    "partials of partials, with keywords",
    """
from functools import partial, partialmethod
def f(a, b, c=1, *, d=2): return a, b, c, d
one = partial(f, 10)
two = partial(one, c=5)
three = partial(two, d=partial(max, 3)(1))
class Box:
    def move(self, a, b): return a - b
    left = partialmethod(move, 1)
    far = partialmethod(left, 2)
def op(v): return three(v), Box().far()
""",
    "op f $three Box.move",
    noticed=[
        ("partial(f, 10)", "partial(f, 11)"),
        ("c=5", "c=6"),
        ("partial(max, 3)", "partial(max, 4)"),
        ("return a, b, c, d", "return d, c, b, a"),
        ("a - b", "a + b"),
        ("partialmethod(left, 2)", "partialmethod(left, 3)"),
        ("before", "", "main.two.keywords['c'] = 0; main.three.keywords['c'] = 0"),
    ],
    arguments="(1,)",
)

program(
    "composed from a list of functions",
    """
import functools, operator
def double(v): return v * 2
def bump(v): return v + 1
def compose(*fns): return lambda v: functools.reduce(lambda acc, fn: fn(acc), fns, v)
STEPS = [double, bump]
run = compose(*STEPS)
get = operator.itemgetter(1)
def op(v): return run(v), get([v, 7, 8])
""",
    "op double bump compose $run $get",
    noticed=[
        ("v * 2", "v * 3"),
        ("v + 1", "v + 2"),
        ("[double, bump]", "[bump, double]"),
        ("fn(acc)", "-fn(acc)"),
        ("itemgetter(1)", "itemgetter(2)"),
    ],
    arguments="(5,)",
)

# --- caches --------------------------------------------------------------------------

program(
    "warm caches of every kind",
    """
import functools
K = 3
def base(v): return v * K
def other(v): return v + K
class Model:
    @functools.cached_property
    def table(self): return base(2)
    @classmethod
    @functools.lru_cache
    def shared(cls, v): return other(v)
    @staticmethod
    @functools.cache
    def plain(v): return base(v) - 1
MODEL = Model()
def op(v): return MODEL.table, Model.shared(v), Model.plain(v)
""",
    "op base other Model.table Model.shared Model.plain $K",
    noticed=[
        ("K = 3", "K = 4"),
        ("v * K", "v - K"),
        ("v + K", "v - K"),
        ("base(2)", "base(3)"),
        ("- 1", "- 2"),
    ],
    before="main.op(7)",
    arguments="(7,)",
)

program(
    "a warm cache over a cache in another module",
    """
import functools
import near
@functools.cache
def outer(v): return near.inner(v) + 1
def op(v): return outer(v)
""",
    "op outer near.py:inner near.py:deepest near.py:$K",
    files={
        "near.py": """
import functools
K = 2
def deepest(v): return v * K
@functools.cache
def inner(v): return deepest(v)
"""
    },
    noticed=[
        ("+ 1", "+ 2"),
        ("near.py", "K = 2", "K = 3"),
        ("near.py", "v * K", "v - K"),
        ("near.py", "return deepest(v)", "return -deepest(v)"),
    ],
    before="main.op(7)",
    arguments="(7,)",
)

# --- dispatch --------------------------------------------------------------------------

program(
    "dispatch: another module registers before the call",
    """
from show import show
import plug
def op(v): return show(v)
""",
    "op show.py:show plug.py:shown",
    files={
        "show.py": "import functools\n@functools.singledispatch\ndef show(v): return 'any'\n",
        "plug.py": "from show import show\n@show.register\ndef shown(v: int): return 'int'\n",
    },
    noticed=[
        ("plug.py", "'int'", "'whole'"),
        ("plug.py", "v: int", "v: str"),
        ("import plug\n", ""),
    ],
    arguments="(2,)",
)

program(
    "dispatch: a later registration takes the call over",
    """
import functools
@functools.singledispatch
def show(v): return "any"
@show.register
def _(v: int): return "int"
def op(v): return show(v)
""",
    "op show",
    noticed=[
        ("before", "", "main.show.register(bool, lambda v: 'bool')"),
        ("before", "", "import plug"),
        ('"int"', '"whole"'),
    ],
    files={"plug.py": "from main import show\n@show.register\ndef _(v: bool): return 'truth'\n"},
    arguments="(True,)",
)

program(
    "dispatch: the implementation stays but its registration is patched",
    """
import functools
@functools.singledispatch
def show(v): return "any"
def text(v): return "text " + v
def other(v): return "other " + v
show.register(str, text)
def op(v): return show(v)
""",
    "op show text",
    noticed=[
        ("before", "", "main.show.register(str, main.other)"),
        ("show.register(str, text)", "show.register(str, other)"),
        ('"text "', '"words "'),
    ],
    ignored=[('"other "', '"others "')],
    arguments="('a',)",
)

program(
    "dispatch on methods, extended later",
    """
import functools
class Printer:
    mark = "!"
    @functools.singledispatchmethod
    def show(self, v): return "any"
    @show.register
    def _(self, v: int): return f"int{self.mark}"
def op(v): return Printer().show(v)
""",
    "op class~Printer",
    noticed=[
        ('f"int{self.mark}"', "'whole'"),
        ('"!"', '"?"'),
        ("before", "", "main.Printer.show.register(bool, lambda self, v: 'bool')"),
        ("before", "", "import plug"),
    ],
    files={
        "plug.py": "from main import Printer\n@Printer.show.register\ndef _(self, v: bool): return 'truth'\n"
    },
    arguments="(True,)",
)

program(
    "dispatch in a warm cache",
    """
import functools
from plug import show
@functools.cache
def g(v): return show(v)
def op(v): return g(v)
""",
    "op g plug.py:show plug.py:of_int",
    files={
        "plug.py": """
import functools
@functools.singledispatch
def show(v): return 'any'
@show.register
def of_int(v: int): return 'int'
"""
    },
    noticed=[("plug.py", "'int'", "'whole'")],
    before="main.op(2)",
    arguments="(2,)",
)

# --- registries -------------------------------------------------------------------------

program(
    "a registry by class, filled by subclasses of other modules",
    """
from base import Base
import one, two
def op(name): return Base.kinds[name]().run()
""",
    "op base.py:class~Base one.py:One.run one.py:class~One",
    files={
        "base.py": """
class Base:
    kinds = {}
    gain = 1
    def __init_subclass__(cls, key, **k):
        super().__init_subclass__(**k)
        Base.kinds[key] = cls
""",
        "one.py": "from base import Base\nclass One(Base, key='a'):\n    def run(self): return self.gain\n",
        "two.py": "from base import Base\nclass Two(Base, key='b'):\n    def run(self): return 2\n",
    },
    noticed=[
        ("one.py", "return self.gain", "return -self.gain"),
        ("base.py", "gain = 1", "gain = 2"),
        ("one.py", "(Base, key='a'):", "(Base, key='a'):\n    gain = 9"),
        ("two.py", "key='b'", "key='a'"),
    ],
    ignored=[("two.py", "return 2", "return 3")],
    arguments="('a',)",
)

program(
    "a registry of objects with a decorator that takes a name",
    """
class Registry:
    def __init__(self): self.items = {}
    def add(self, name):
        def deco(fn):
            self.items[name] = fn
            return fn
        return deco
    def __getitem__(self, name): return self.items[name]
RUN = Registry()
@RUN.add("left")
def left(v): return v - 1
@RUN.add("right")
def right(v): return v + 1
def op(name, v): return RUN[name](v)
""",
    "op left $RUN Registry.__getitem__",
    noticed=[
        ("v - 1", "v - 2"),
        ("self.items[name]\n", "lambda v: 0\n"),
        ('@RUN.add("right")', '@RUN.add("left")'),
        ("before", "", "main.RUN.items['left'] = main.right"),
    ],
    ignored=[("v + 1", "v + 2")],
    arguments="('left', 3)",
)

program(
    "a registry whose item ran only in a cache",
    """
import functools
def left(v): return v - 1
def right(v): return v + 1
RUN = {"left": left, "right": right}
@functools.cache
def run(name, v): return RUN[name](v)
def op(name, v): return run(name, v)
""",
    "op run left $RUN",
    noticed=[("v - 1", "v - 2")],
    before="main.op('left', 3)",
    arguments="('left', 3)",
)
