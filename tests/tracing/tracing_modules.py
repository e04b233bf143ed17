"""Programs about modules, imports, patches and notebooks.

See `tracing_programs` for how to read them.
"""

# ruff: noqa: E501  programs and edits read best with each on one line
from __future__ import annotations

from tracing.tracing_programs import program

# --- imports --------------------------------------------------------------------------

program(
    "the first of two modules that can be imported",
    """
try:
    from fast import run
except ImportError:
    from slow import run
try:
    import not_installed_at_all as extra
except ImportError:
    extra = None
def op(v): return run(v), extra is None
""",
    "op slow.py:run $extra",
    files={"slow.py": "def run(v): return v + 1\n", "other.py": "def run(v): return 0\n"},
    noticed=[
        ("slow.py", "v + 1", "v + 2"),
        ("from fast", "from other"),
        ("import not_installed_at_all", "import json"),
    ],
    arguments="(1,)",
)

program(
    "imports for type checkers only",
    """
from __future__ import annotations
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from near import Thing
def helper(v: Thing) -> Thing: return v
def op(v: Thing) -> list[Thing]: return [helper(v)]
""",
    "op helper",
    files={"near.py": "class Thing:\n    size = 1\n", "far.py": "class Thing: pass\n"},
    noticed=[("return v\n", "return -v\n")],
    ignored=[
        ("from near", "from far"),
        ("near.py", "size = 1", "size = 2"),
        ("v: Thing) -> Thing", "v)"),
    ],
    arguments="(1,)",
)

program(
    "handed on twice, renamed, with a list of public names",
    """
from pack import *
from pack.api import public as mine
def op(v): return public(v), mine(v), EXPORTED
""",
    "op pack/impl.py:secret pack/impl.py:$LIMIT pack/impl.py:$EXPORTED",
    files={
        "pack/__init__.py": "from .api import *\nfrom .api import __all__\n",
        "pack/api.py": "from .impl import secret as public, other, EXPORTED\n__all__ = ['public', 'EXPORTED']\n",
        "pack/impl.py": "LIMIT = 2\nEXPORTED = 5\ndef secret(v): return v * LIMIT\ndef other(v): return v\n",
    },
    noticed=[
        ("pack/impl.py", "v * LIMIT", "v - LIMIT"),
        ("pack/impl.py", "LIMIT = 2", "LIMIT = 3"),
        ("pack/impl.py", "EXPORTED = 5", "EXPORTED = 6"),
        ("pack/api.py", "secret as public, other", "other as public"),
    ],
    ignored=[("pack/impl.py", "def other(v): return v\n", "def other(v): return -v\n")],
    arguments="(3,)",
)

program(
    "two star imports, of which the later wins",
    """
from near import *
from far import *
def op(): return f(), N
""",
    "op far.py:f",
    files={"near.py": "N = 1\ndef f(): return 1\n", "far.py": "N = 2\ndef f(): return 2\n"},
    noticed=[
        ("far.py", "N = 2", "N = 3"),
        ("far.py", "return 2", "return 3"),
        ("far.py", "N = 2\ndef f()", "__all__ = ['f']\nN = 2\ndef f()"),
        ("from far import *\n", ""),
    ],
    ignored=[("near.py", "return 1", "return 9"), ("near.py", "N = 1", "N = 9")],
)

program(
    "a submodule that only an import elsewhere has attached",
    """
import pack
import pack.inner
def op(): return pack.inner.deep.VALUE + pack.inner.value()
""",
    "op pack/inner/deep.py:$VALUE pack/inner/__init__.py:value",
    files={
        "pack/__init__.py": "",
        "pack/inner/__init__.py": "from . import deep\ndef value(): return deep.VALUE * 2\n",
        "pack/inner/deep.py": "VALUE = 3\n",
    },
    noticed=[
        ("pack/inner/deep.py", "VALUE = 3", "VALUE = 4"),
        ("pack/inner/__init__.py", "* 2", "* 3"),
    ],
)

program(
    "imported in a class body, in a method and in a nested function",
    """
class Box:
    from near import N as size
    from near import f as method
    def go(self):
        import near as n
        def deeper():
            from far import g
            return g(n.M)
        return deeper()
def op():
    box = Box()
    return box.size, box.go(), box.method()
""",
    "op Box.go near.py:$M far.py:g near.py:f",
    files={
        "near.py": "N = 1\nM = 2\ndef f(self): return 4\n",
        "far.py": "def g(v): return v * 3\n",
    },
    noticed=[
        ("near.py", "N = 1", "N = 5"),
        ("near.py", "M = 2", "M = 5"),
        ("near.py", "return 4", "return 5"),
        ("far.py", "v * 3", "v * 4"),
    ],
)

program(
    "a plugin chosen by an argument",
    """
import importlib
def op(name): return importlib.import_module("plugs." + name).run()
""",
    "op plugs/one.py:run",
    files={
        "plugs/__init__.py": "",
        "plugs/one.py": "K = 1\ndef run(): return K\n",
        "plugs/two.py": "K = 2\ndef run(): return K\n",
    },
    noticed=[("plugs/one.py", "return K", "return -K"), ("plugs/one.py", "K = 1", "K = 5")],
    ignored=[("plugs/two.py", "K = 2", "K = 5"), ("plugs/two.py", "return K", "return -K")],
    arguments="('one',)",
)

program(
    "modules that import each other",
    """
import far
START = 1
def even(n): return START if n == 0 else far.odd(n - 1)
def op(n): return even(n)
""",
    "op even far.py:odd $START far.py:$END",
    files={
        "far.py": "import main\nEND = 0\ndef odd(n): return END if n == 0 else main.even(n - 1)\n"
    },
    noticed=[("START = 1", "START = 2"), ("far.py", "main.even(n - 1)", "-main.even(n - 1)")],
    arguments="(2,)",
)

program(
    "a name from a module that is used as a class would be",
    """
import settings
def op(): return settings.db.host, settings.LIMITS["a"], settings.Deep.Inner.x
""",
    "op settings.py:$db settings.py:$LIMITS settings.py:class~Deep.Inner",
    files={
        "settings.py": "import types\ndb = types.SimpleNamespace(host='h', port=1)\nLIMITS = dict(a=1)\nclass Deep:\n    class Inner:\n        x = 1\nIDLE = 3\n"
    },
    noticed=[
        ("settings.py", "host='h'", "host='i'"),
        ("settings.py", "dict(a=1)", "dict(a=2)"),
        ("settings.py", "x = 1", "x = 2"),
        ("before", "", "import settings; settings.Deep.Inner.x = 5"),
    ],
    ignored=[("settings.py", "IDLE = 3", "IDLE = 4")],
)

program(
    "a class looked up in a module by a computed name",
    """
import config
def op(name): return getattr(config, name).rate
""",
    "op config.py:$* config.py:class~Conf",
    files={"config.py": "class Base:\n    rate = 1\nclass Conf(Base): pass\n"},
    noticed=[
        ("config.py", "rate = 1", "rate = 2"),
        ("config.py", "(Base): pass", "(Base): rate = 7"),
    ],
    arguments="('Conf',)",
)

program(
    "the classes of a module that the call is the first to import",
    """
def op():
    import config
    return config.N
""",
    "op config.py:$N",
    files={"config.py": "N = 1\nclass Conf:\n    rate = 1\n"},
    noticed=[("config.py", "N = 1", "N = 2")],
    ignored=[("config.py", "rate = 1", "rate = 2")],
)

# --- patches ---------------------------------------------------------------------------

program(
    "patched: a function, a method, an attribute of a module, a builtin",
    """
import config
def helper(v): return v + 1
class Box:
    def go(self): return 1
def op(v): return helper(v), Box().go(), config.N, config.fn(v), len([v])
""",
    "op helper Box.go config.py:$N config.py:fn",
    files={"config.py": "N = 3\ndef fn(v): return v\n"},
    noticed=[
        ("before", "", "main.helper = lambda v: 0"),
        ("before", "", "main.helper.__code__ = (lambda v: 0).__code__"),
        ("before", "", "main.Box.go = lambda self: 2"),
        ("before", "", "main.Box = type('Box', (), {'go': lambda self: 3})"),
        ("before", "", "import config; config.N = 4"),
        ("before", "", "import config; config.fn = abs; config.fn = lambda v: 5"),
        ("before", "", "main.config = __import__('types').SimpleNamespace(N=1, fn=abs)"),
        ("before", "", "main.len = lambda v: 9"),
    ],
    arguments="(1,)",
)

program(
    "a function that the project puts into an installed package",
    """
import json
def half(v): return v / 2
json.shrink = half
def op(v): return json.shrink(v)
""",
    "op half",
    noticed=[
        ("v / 2", "v / 3"),
        ("json.shrink = half", "json.shrink = abs"),
    ],
    arguments="(1,)",
)

program(
    "a class of an installed package that the project patches",
    """
import string
def shouted(self): return self.template.upper() + MARK
MARK = "!"
string.Template.shouted = shouted
def op(v): return string.Template(v).shouted()
""",
    "op shouted $MARK",
    noticed=[("upper()", "title()"), ('"!"', '"?"')],
    arguments="('abc',)",
)

program(
    "patched for the time of the call",
    """
from unittest import mock
import config
def stand_in(v): return v * 10
def op(v):
    with mock.patch.object(config, "fn", stand_in), mock.patch("config.N", 7):
        return config.fn(v) + config.N
""",
    "op stand_in",
    files={"config.py": "N = 3\ndef fn(v): return v\n"},
    noticed=[("v * 10", "v * 11"), ('"config.N", 7', '"config.N", 8')],
    arguments="(1,)",
)

# --- reloads and edits -------------------------------------------------------------------

_EDIT = "import pathlib; p = pathlib.Path(main.config.__file__); p.write_text(p.read_text().replace('v + 1', 'v + 2'))"

program(
    "edited on disk after the import: what runs counts",
    """
import config
def op(v): return config.fn(v)
""",
    "op config.py:fn",
    files={"config.py": "def fn(v): return v + 1\n"},
    noticed=[
        ("config.py", "v + 1", "v + 5"),
        ("before", "", _EDIT + "; import importlib; importlib.reload(main.config)"),
    ],
    arguments="(1,)",
)

program(
    "reloaded after an edit while an old function is still held",
    """
import config
from config import fn as old
def op(v): return old(v), config.fn(v)
""",
    "op config.py:fn",
    files={"config.py": "def fn(v): return v + 1\n"},
    noticed=[("before", "", _EDIT + "; import importlib; importlib.reload(main.config)")],
    arguments="(1,)",
)

# --- notebooks ----------------------------------------------------------------------------

program(
    "notebook: a class, its object and a decorator, each in its own cell",
    """
# %%
import functools
RATE = 2
# %%
def loud(fn):
    @functools.wraps(fn)
    def inner(*a): return fn(*a) * 10
    return inner
# %%
class Model:
    bias = 1
    def run(self, v): return v * RATE + self.bias
# %%
model = Model()
# %%
@loud
def predict(v): return model.run(v)
# %%
def op(v): return predict(v)
# %%
RATE = 3
""",
    "op predict loud Model.run class~Model $model $RATE",
    noticed=[
        ("RATE = 3", "RATE = 4"),
        ("bias = 1", "bias = 2"),
        ("* 10", "* 11"),
        ("v * RATE", "v - RATE"),
        ("@loud\n", ""),
    ],
    ignored=[("RATE = 2\n# %%\ndef loud", "RATE = 2\n# %%\n# a comment\ndef loud")],
    arguments="(1,)",
    flags="cells",
)

program(
    "notebook: a class run again, its old object still there",
    """
# %%
class Model:
    bias = 1
    def run(self, v): return v + self.bias
# %%
def op(v): return Model().run(v)
# %%
class Model:
    bias = 5
    def run(self, v): return v * self.bias
""",
    "op Model.run class~Model",
    noticed=[("bias = 5", "bias = 6"), ("v * self.bias", "v - self.bias")],
    arguments="(1,)",
    flags="cells",
)

# --- modules that the call itself is the first to import --------------------------------------

program(
    "a table that an imported-inside module computes",
    """
def op():
    import near
    return near.TABLE, near.Conf.rate, near.get()
""",
    "op near.py:$TABLE near.py:class~Conf near.py:get near.py:build near.py:deeper far.py:unit",
    files={
        "near.py": """
import far
def deeper(): return far.unit()
def build(): return [deeper()]
def rate(): return 3
def get(): return HELD
TABLE = build()
HELD = TABLE * 2
class Conf:
    rate = rate()
""",
        "far.py": "def unit(): return 1\n",
    },
    noticed=[
        ("near.py", "[deeper()]", "[deeper(), 2]"),
        ("near.py", "far.unit()", "-far.unit()"),
        ("near.py", "return 3", "return 4"),
        ("near.py", "TABLE * 2", "TABLE * 3"),
        ("far.py", "return 1", "return 5"),
    ],
    before="import near",
    flags="late",
)

program(
    "names of an imported-inside module that decorators and bases made",
    """
def op():
    from near import run, Child
    return run(1), Child().size
""",
    "op near.py:run near.py:class~Child far.py:plus far.py:class~Base",
    files={
        "near.py": "from far import plus, Base\n@plus(2)\ndef run(v): return v\nclass Child(Base): pass\n",
        "far.py": """
def plus(by):
    bonus = extra(by)
    def deco(fn): return lambda v: fn(v) + bonus
    return deco
def extra(by): return by * 10
def size(): return 4
class Base:
    size = size()
""",
    },
    noticed=[
        ("far.py", "by * 10", "by * 20"),
        ("far.py", "return 4", "return 5"),
        ("far.py", "+ bonus", "- bonus"),
        ("near.py", "plus(2)", "plus(3)"),
    ],
    before="import near",
    flags="late",
)

# --- lambdas that statements put elsewhere ------------------------------------------

program(
    "lambdas put over a function and methods of another module",
    """
import lib, patcher
from lib import A
A.near = lambda self, v: v + 2
if lib.LARGE:
    A.far = lambda self, v: v + 3
def op(v):
    made = A()
    return lib.run(v), made.one(v), made.near(v), made.far(v), made.new(v), made.size, lib.coded(v), made.via(v)
""",
    "op patcher.py:$<statements> $<statements>",
    files={
        "lib.py": """
LARGE = True
def run(v): return v
def coded(v): return v
class A:
    def one(self, v): return v
    def near(self, v): return v
    def far(self, v): return v
def install(each): A.via = each
""",
        "patcher.py": """
import lib
from lib import A
LIMIT = 7
lib.run = lambda v: v + 10
lib.A.one = lambda self, v: v + 20
setattr(A, 'new', lambda self, v: v + LIMIT)
lib.A.size = property(lambda self: 30)
lib.coded.__code__ = (lambda v: v + 40).__code__
if lib.install(lambda self, v: v + 50): pass
""",
    },
    noticed=[
        ("v + 2", "v + 22"),
        ("v + 3", "v + 33"),
        ("patcher.py", "v + 10", "v + 11"),
        ("patcher.py", "v + 20", "v + 21"),
        ("patcher.py", "v + LIMIT", "v - LIMIT"),
        ("patcher.py", "LIMIT = 7", "LIMIT = 8"),
        ("patcher.py", ": 30", ": 31"),
        ("patcher.py", "v + 40", "v + 41"),
        ("patcher.py", "v + 50", "v + 51"),
        ("patcher.py", "lib.run = lambda v: v + 10", "def other(v): return v - 1\nlib.run = other"),
        ("patcher.py", "lib.run = lambda v: v + 10\n", ""),
    ],
    ignored=[
        ("patcher.py", "LIMIT = 7", "LIMIT = 7\nIDLE = 1"),
        ("patcher.py", "lib.run = lambda v: v + 10", "lib.run = lambda v: v + 10  # ten"),
    ],
    arguments="(1,)",
)

program(
    "the submodule that a package hands out, imported inside",
    """
def op():
    import pkg
    from pkg import sub
    return pkg.sub.get(), sub.get(), pkg.deep.sub.get()
""",
    "op pkg/sub.py:get pkg/deep/sub.py:get",
    files={
        "pkg/__init__.py": "from . import sub\nfrom . import deep\n",
        "pkg/deep/__init__.py": "from pkg.deep import sub as sub\n",
        "pkg/sub.py": "def get(): return 1\n",
        "pkg/sub2.py": "def get(): return 2\n",
        "pkg/deep/sub.py": "def get(): return 3\n",
        "pkg/deep/sub2.py": "def get(): return 4\n",
    },
    noticed=[
        ("pkg/__init__.py", "import sub", "import sub2 as sub"),
        ("pkg/deep/__init__.py", "sub as sub", "sub2 as sub"),
        ("pkg/sub.py", "1", "5"),
        ("pkg/deep/sub.py", "3", "6"),
    ],
    ignored=[("pkg/__init__.py", "from . import sub\n", "from . import sub\nimport json\n")],
    before="import pkg",
    flags="late",
)

program(
    "a package's submodule, without an import of it before the call",
    """
def op():
    import pkg
    return pkg.sub.get()
""",
    "op pkg/sub.py:get",
    files={
        "pkg/__init__.py": "from . import sub\n",
        "pkg/sub.py": "def get(): return 1\n",
        "pkg/sub2.py": "def get(): return 2\n",
    },
    noticed=[
        ("pkg/__init__.py", "import sub", "import sub2 as sub"),
        ("pkg/sub.py", "1", "5"),
    ],
)

program(
    "a maker of attributes that a module gets later",
    """
import lib
from pkg import near
def op():
    try: found = lib.gone
    except AttributeError: found = 0
    return found, getattr(lib, "foo", 0), hasattr(near, "bar"), lib.there
""",
    "op lib.py:$*",
    files={
        "lib.py": "there = 1\n",
        "pkg/__init__.py": "",
        "pkg/near.py": "",
    },
    noticed=[
        (
            "lib.py",
            "there",
            "def __getattr__(name):\n    if name != 'foo': raise AttributeError(name)\n    return 2\nthere",
        ),
        (
            "lib.py",
            "there",
            "def __getattr__(name):\n    if name != 'gone': raise AttributeError(name)\n    return 2\nthere",
        ),
        ("pkg/near.py", "", "def __getattr__(name): return 2\n"),
    ],
)

program(
    "names in a text that is evaluated",
    """
import lib
from lib import helper
def op():
    found = eval("lib.N + (lambda v: v)(helper())", globals())
    more = {}
    exec("import near as other\\nvalue = other.N", more)
    return found, more["value"], eval("found + v"[:5]), eval("lib.M")
""",
    "op lib.py:$N lib.py:$M lib.py:helper near.py:$N",
    files={
        "lib.py": "N = 1\nM = 2\ndef helper(): return 4\n",
        "near.py": "N = 5\nIDLE = 6\n",
    },
    noticed=[
        ("lib.py", "N = 1", "N = 11"),
        ("lib.py", "M = 2", "M = 12"),
        ("lib.py", "return 4", "return 14"),
        ("near.py", "N = 5", "N = 15"),
    ],
    ignored=[("near.py", "IDLE = 6", "IDLE = 16")],
)
