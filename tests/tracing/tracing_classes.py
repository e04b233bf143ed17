"""Programs about classes; see `tracing_programs` for how to read them."""

# ruff: noqa: E501  programs and edits read best with each on one line
from __future__ import annotations

from tracing.tracing_programs import program

# --- enumerations ------------------------------------------------------------------

program(
    "enumerations: automatic values, flags, aliases, hooks",
    """
import enum
class Mode(enum.Enum):
    def _generate_next_value_(name, start, count, last): return count * 10
    A = enum.auto()
    B = enum.auto()
    @property
    def label(self): return self.name.lower()
class Right(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()
    BOTH = READ | WRITE
class Level(enum.IntEnum):
    LOW = 1
    MIN = 1
    @classmethod
    def _missing_(cls, value): return cls.LOW
def op(): return Mode.B.value, Mode.B.label, Right.BOTH.value, Level(77).name, list(Mode)[0].name
""",
    "op class~Mode Mode.label class~Right class~Level Level._missing_",
    noticed=[
        ("count * 10", "count * 20"),
        ("lower()", "title()"),
        ("    A = enum.auto()\n    B", "    B"),
        ("READ | WRITE", "READ"),
        ("LOW = 1\n    MIN = 1", "MIN = 1\n    LOW = 1"),
        ("return cls.LOW", "return super()._missing_(value)"),
    ],
)

program(
    "a member of an enumeration as argument, and as default",
    """
import enum
class Mode(enum.Enum):
    FAST = (1, "f")
    SLOW = (2, "s")
    def __init__(self, speed, mark): self.speed, self.mark = speed * 2, mark
def op(mode, other=Mode.SLOW): return mode.speed, other.mark
""",
    "op class~Mode",
    noticed=[
        ("speed * 2", "speed * 3"),
        ('(2, "s")', '(2, "z")'),
        ("other=Mode.SLOW", "other=Mode.FAST"),
    ],
    arguments="(main.Mode.FAST,)",
)

# --- dataclasses --------------------------------------------------------------------

program(
    "dataclasses: factories, inheritance, frozen, slots, init-only",
    """
from dataclasses import dataclass, field, InitVar, replace
SIZE = 3
def items(): return list(range(SIZE))
@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    a: int = 1
    b: list = field(default_factory=items)
@dataclass(frozen=True, slots=True, kw_only=True)
class Child(Base):
    a: int = 5
    c: InitVar[int] = 7
    d: int = field(init=False, default=0)
    def __post_init__(self, c): object.__setattr__(self, "d", c * 2)
def op(): return replace(Child(), a=Child().a + 1, c=1).a, Child().b, Child().d, repr(Base())
""",
    "op class~Base class~Child Child.__post_init__ items $SIZE",
    noticed=[
        ("SIZE = 3", "SIZE = 2"),
        ("a: int = 5", "a: int = 6"),
        ("InitVar[int] = 7", "InitVar[int] = 8"),
        ("c * 2", "c * 3"),
        ("default_factory=items)", "default_factory=items, repr=False)"),
        ("list(range(SIZE))", "[0] * SIZE"),
    ],
)

program(
    "dataclasses: compared, hashed, ordered by fields",
    """
from dataclasses import dataclass, field, fields, asdict
@dataclass(order=True, unsafe_hash=True)
class Item:
    rank: int
    name: str = field(default="n", compare=False)
def op(): return Item(1, "a") == Item(1, "b"), sorted([Item(2), Item(1)])[0].rank, [f.name for f in fields(Item)], asdict(Item(3))
""",
    "op class~Item",
    noticed=[
        ("compare=False", "compare=True"),
        ("    rank: int\n", "    rank: int\n    more: int = 0\n"),
        ('default="n"', 'default="m"'),
    ],
)

program(
    "a dataclass whose default comes from a function and a class variable",
    """
from dataclasses import dataclass
from typing import ClassVar
from near import default
@dataclass
class Conf:
    rate: int = default()
    kind: ClassVar[str] = "k"
    @classmethod
    def make(cls): return cls()
def op(): return Conf.make().rate, Conf.kind
""",
    "op class~Conf Conf.make",
    files={"near.py": "N = 4\ndef default(): return N\n"},
    noticed=[("near.py", "N = 4", "N = 5"), ("near.py", "return N", "return -N"), ('"k"', '"l"')],
)

# --- inheritance ---------------------------------------------------------------------

program(
    "mixins and cooperative super",
    """
class Root:
    def run(self): return ["root"]
class Left(Root):
    def run(self): return ["left", *super().run()]
class Right(Root):
    def run(self): return ["right", *super().run()]
class Both(Left, Right): pass
def op(): return Both().run()
""",
    "op Root.run Left.run Right.run class~Both",
    noticed=[
        ("class Both(Left, Right)", "class Both(Right, Left)"),
        ('["right"', '["wrong"'),
        (
            "class Both(Left, Right): pass",
            "class Both(Left, Right):\n    def run(self): return super().run()[:1]",
        ),
        ("before", "", "main.Both.__bases__ = (main.Right, main.Left)"),
        ("before", "", "main.Left.run = main.Root.run"),
    ],
)

program(
    "abstract methods and hooks that subclasses fill",
    """
import abc
class Step(abc.ABC):
    @abc.abstractmethod
    def once(self, v): ...
    @property
    @abc.abstractmethod
    def times(self): ...
    def run(self, v):
        for _ in range(self.times): v = self.once(v)
        return v
class Twice(Step):
    times = 2
    def once(self, v): return v + 3
class Never(Step):
    times = 0
    def once(self, v): return v * 0
def op(v): return Twice().run(v)
""",
    "op Step.run Twice.once class~Twice",
    noticed=[
        ("times = 2", "times = 3"),
        ("v + 3", "v + 4"),
        ("v = self.once(v)", "v = -self.once(v)"),
    ],
    ignored=[("times = 0", "times = 1"), ("v * 0", "v * 1")],
    arguments="(1,)",
)

program(
    "virtual subclasses and structural checks",
    """
import abc
from typing import Protocol, runtime_checkable
class Shape(abc.ABC): pass
class Ball: pass
Shape.register(Ball)
@runtime_checkable
class HasArea(Protocol):
    def area(self): ...
class Square:
    def area(self): return 4
class Hooked(abc.ABC):
    @classmethod
    def __subclasshook__(cls, other): return other.__name__ == "Ball"
def op(): return isinstance(Ball(), Shape), isinstance(Square(), HasArea), issubclass(Ball, Hooked)
""",
    "op class~Shape class~Ball class~Square class~HasArea Hooked.__subclasshook__",
    noticed=[
        ("Shape.register(Ball)\n", ""),
        ("    def area(self): return 4", "    def size(self): return 4"),
        ("    def area(self): ...", "    def size(self): ..."),
        ('== "Ball"', '== "Box"'),
    ],
)

program(
    "a virtual subclass that another module registers",
    """
import abc
class Shape(abc.ABC): pass
class Ball: pass
def op(): return isinstance(Ball(), Shape)
""",
    "op class~Shape class~Ball",
    files={"plug.py": "import main\nmain.Shape.register(main.Ball)\n"},
    noticed=[("before", "", "import plug"), ("before", "", "main.Shape.register(main.Ball)")],
)

program(
    "hooks of a metaclass: prepared, made, listed",
    """
class Meta(type):
    size = 3
    def __new__(meta, name, bases, space, **k):
        space["stamp"] = name + k.get("mark", "")
        return super().__new__(meta, name, bases, space)
    def __init__(cls, *a, **k): super().__init__(*a)
    def __len__(cls): return cls.size
    def __getattr__(cls, name): return "no " + name
    def __contains__(cls, v): return v > 1
class Made(metaclass=Meta, mark="!"): pass
def op(): return Made.stamp, len(Made), Made.nothing, 2 in Made
""",
    "op class~Made class~Meta Meta.__len__ Meta.__getattr__ Meta.__contains__",
    noticed=[
        ('mark="!"', 'mark="?"'),
        ("size = 3", "size = 4"),
        ('"no "', '"not "'),
        ("v > 1", "v > 2"),
        ("name + k", "name * 2 + k"),
        (
            'class Made(metaclass=Meta, mark="!"): pass',
            'class Made(metaclass=Meta, mark="!"):\n    size = 9',
        ),
    ],
)

program(
    "subclasses asked for at run time",
    """
class Base: pass
class One(Base):
    order = 1
class Two(Base):
    order = 2
def op(): return sorted(kind.order for kind in Base.__subclasses__())
""",
    "op class~Base",
    noticed=[("class Two(Base)", "class Two")],
)

# --- attributes ----------------------------------------------------------------------

program(
    "descriptors with names, data descriptors and class access",
    """
class Field:
    def __init__(self, default): self.default = default
    def __set_name__(self, owner, name): self.key = "_" + name
    def __get__(self, held, kind=None):
        return self if held is None else vars(held).get(self.key, self.default)
    def __set__(self, held, value): vars(held)[self.key] = value * 2
class Row:
    a = Field(1)
    b = Field(2)
def op():
    row = Row()
    row.a = 5
    return row.a, row.b, Row.a.key
""",
    "op class~Row Field.__get__ Field.__set__",
    noticed=[
        ("value * 2", "value * 3"),
        ("Field(2)", "Field(4)"),
        ('"_" + name', '"__" + name'),
        (
            "self if held is None else vars(held).get(self.key, self.default)",
            "self if held is None else 0",
        ),
        ("before", "", "main.Row.b.default = 9"),
    ],
)

program(
    "properties made by a function, and replaced",
    """
def scaled(name, by):
    def get(self): return vars(self)[name] * by
    return property(get)
class Box:
    def __init__(self): self.v = 2
    twice = scaled("v", 2)
    @property
    def size(self): return self.v
def op():
    box = Box()
    return box.twice, box.size
""",
    "op scaled Box.size class~Box",
    noticed=[
        ('scaled("v", 2)', 'scaled("v", 3)'),
        ("[name] * by", "[name] + by + 9"),
        ("before", "", "main.Box.size = property(lambda self: 0)"),
        ("before", "", "main.Box.twice = main.scaled('v', 5)"),
        ("return self.v\n", "return -self.v\n"),
    ],
)

program(
    "attributes made up by hooks",
    """
class Proxy:
    def __init__(self, inner): object.__setattr__(self, "inner", inner)
    def __getattribute__(self, name):
        inner = object.__getattribute__(self, "inner")
        return getattr(inner, name)
    def __setattr__(self, name, value): setattr(object.__getattribute__(self, "inner"), name, value + 1)
class Inner:
    rate = 2
    def go(self): return self.rate
def op():
    proxy = Proxy(Inner())
    first = proxy.go()
    proxy.rate = 10
    return first, proxy.go()
""",
    "op Proxy.__getattribute__ Proxy.__setattr__ Inner.go class~Inner",
    noticed=[
        ("rate = 2", "rate = 3"),
        ("value + 1", "value + 2"),
        ("return self.rate", "return -self.rate"),
    ],
)

program(
    "operators, right-hand operators, item access, formatting",
    """
class V:
    def __init__(self, v): self.v = v
    def __radd__(self, other): return V(self.v + other)
    def __matmul__(self, other): return V(self.v * other.v)
    def __neg__(self): return V(-self.v)
    def __getitem__(self, key): return self.v + key
    def __len__(self): return self.v
    def __bool__(self): return self.v > 2
    def __format__(self, spec): return f"<{self.v}>"
    def __iter__(self): return iter([self.v])
    def __contains__(self, v): return v == self.v
    def __hash__(self): return 7
    def __index__(self): return self.v
def op(): return (1 + V(2) @ V(3)).v, V(1)[4], (-V(1)).v, bool(V(2)), f"{V(1)}", [*V(4)], 5 in V(5), hash(V(1)), [0, 1, 2][V(1)]
""",
    "op V.__radd__ V.__matmul__ V.__getitem__ V.__bool__ V.__format__ V.__iter__ V.__contains__ V.__hash__ V.__index__ V.__neg__",
    noticed=[
        ("self.v + other", "self.v - other"),
        ("self.v * other.v", "self.v + other.v"),
        ("self.v + key", "self.v - key"),
        ("> 2", "> 1"),
        ('f"<{self.v}>"', 'f"[{self.v}]"'),
        ("iter([self.v])", "iter([0])"),
        ("v == self.v", "v != self.v"),
        ("return 7", "return 8"),
        ("def __index__(self): return self.v", "def __index__(self): return self.v + 1"),
        ("    def __bool__(self): return self.v > 2\n", ""),
    ],
)

program(
    "copies and pickles of one's own objects inside the call",
    """
import copy, pickle
class Box:
    scale = 2
    def __init__(self, v): self.v = v
    def __getstate__(self): return {"v": self.v * self.scale}
    def __setstate__(self, state): self.v = state["v"] + 1
class Pair:
    def __init__(self, v): self.v = v
    def __copy__(self): return Pair(self.v + 5)
    def __reduce__(self): return (rebuilt, (self.v,))
def rebuilt(v): return Pair(v * 7)
def op(): return pickle.loads(pickle.dumps(Box(3))).v, copy.copy(Pair(1)).v, pickle.loads(pickle.dumps(Pair(2))).v
""",
    "op Box.__getstate__ Box.__setstate__ Pair.__copy__ rebuilt class~Box",
    noticed=[
        ("scale = 2", "scale = 3"),
        ('state["v"] + 1', 'state["v"] + 2'),
        ("self.v + 5", "self.v + 6"),
        ("v * 7", "v * 8"),
    ],
)

_SHAPES = """
class Root:
    rate = 2
    def total(self): return self.rate * self.weight
class Leaf(Root):
    weight = 3
class Unused:
    rate = 9
"""

for _title, _make in (
    (
        "unpickled from a file",
        "pickle.loads(pathlib.Path(__file__).with_name('v.pkl').read_bytes())",
    ),
    ("made by a name in data", "getattr(sys.modules['shapes'], NAMES[0])()"),
    ("made by a constructor in a container", "MAKERS['leaf']()"),
    ("returned by an installed library", "copy.copy(next(iter(weakref.WeakSet([KEPT]))))"),
):
    program(
        f"the class behind an object: {_title}",
        f"""
import copy, pathlib, pickle, sys, weakref
import shapes
NAMES = ["Leaf"]
MAKERS = {{"leaf": shapes.Leaf}}
KEPT = shapes.Leaf()
def op(): return {_make}.total()
""",
        "op shapes.py:Root.total",
        files={"shapes.py": _SHAPES, "v.pkl": "cshapes\nLeaf\n)R."},
        noticed=[
            ("shapes.py", "weight = 3", "weight = 4"),
            ("shapes.py", "rate = 2", "rate = 5"),
            ("shapes.py", "    weight = 3", "    weight = 3\n    rate = 7"),
            ("shapes.py", "    weight = 3", "    weight = 3\n    def total(self): return 0"),
            ("shapes.py", "class Leaf(Root)", "class Leaf(type('M', (Root,), {'rate': 8}))"),
        ],
    )

program(
    "an unpickled object whose class is a leaf with nothing but data",
    """
import pickle
BYTES = b"cshapes\\nLeaf\\n)R."
def op(): return pickle.loads(BYTES).total()
""",
    "op shapes.py:Root.total shapes.py:class~Leaf",
    files={"shapes.py": _SHAPES},
    noticed=[
        ("shapes.py", "weight = 3", "weight = 4"),
        ("shapes.py", "rate = 2", "rate = 5"),
        ("shapes.py", "    weight = 3", "    weight = 3\n    def total(self): return 0"),
    ],
)
