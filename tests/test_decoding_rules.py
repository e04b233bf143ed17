"""Rules of the source: what can turn bytes into running code, and who may call it.

The lists are the whole of it: whoever adds to them says why.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gitmemo

PACKAGE = Path(gitmemo.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

# Whatever the module is called in the source: `np.load` and `numpy.load` alike.
RUNS_CODE = frozenset({"Unpickler", "NumpyUnpickler", "_Unpickler", "read_pickle", "find_class"})
READS_PLAIN = frozenset({"json", "tomllib", "yaml"})
PICKLING = frozenset({"pickle", "_pickle", "cloudpickle", "joblib", "marshal", "shelve", "dill"})
HAS_LOAD = PICKLING | {"np", "numpy", "torch", "pd", "pandas", "copyreg", "skops"}

READS = {
    # The one place that unpickles values; `unpickle` is called for what `trust` let pass.
    "codecs/pickles.py": {
        "pickle.Unpickler",
        "Unpickler",
        "NumpyUnpickler",
        "find_class",
        "pickle.loads",
        # `gitmemo import joblib`: a folder that the user vouched for.
        "joblib.load",
    },
    # `.pyc` files of the interpreter's own cache, to compare code objects; never run.
    "tracing/loading.py": {"marshal.loads"},
    # The source of a function from the user's own git history, for `--rev`, as importing it would.
    "memo/definitions.py": {"exec"},
    # The module of an op that the user's own pickle names.
    "memo/op_pickles.py": {"__import__"},
    # `gitmemo run SCRIPT`: the user's own script.
    "cli/running.py": {"exec"},
    # `%%memo`: a cell of the user's own notebook.
    "notebooks/cells.py": {"exec"},
    # `gitmemo import mandala`: a database that the user vouched for.
    "moving/mandala_pickles.py": {"find_class", "NumpyUnpickler"},
}
IMPORTS = {
    "codecs/pickles.py",
    # These write, to compare: a pickle that nobody reads.
    "codecs/fingerprint.py",
    "tracing/guards.py",
    "tracing/loading.py",
    # They have joblib run tasks in workers; they read nothing.
    "memo/parallel/engines.py",
    "memo/parallel/executors.py",
    # What `gitmemo import` unpickles after it has asked, and hashes of arguments as joblib makes them.
    "moving/joblib_arguments.py",
    "moving/mandala_code.py",
    "moving/mandala_pickles.py",
}
TREES = {module: ast.parse((PACKAGE / module).read_text("utf-8")) for module in MODULES}
DECODES = {
    # The guarded entry: what is stored, after asking where it came from.
    "memo/trust.py",
    # Parts of a collection, each handed out by `memo/trust.py` after the same question.
    "codecs/composite.py",
    # Bytes that were encoded a moment ago in this process, to see whether they can be read.
    "codecs/stability.py",
    # `gm.deserialize`, which says that it is for bytes of one's own.
    "codecs/portable.py",
}


def readers(tree: ast.AST) -> Iterator[str]:
    """Yield what in a module can run code that bytes name."""
    aliases = {
        (name.asname or name.name).partition(".")[0]: name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for name in node.names
    }
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=value, attr=attr):
                owner = aliases.get(value.id, value.id) if isinstance(value, ast.Name) else ""
                if attr in RUNS_CODE:
                    yield f"{owner}.{attr}" if owner in HAS_LOAD else attr
                elif attr == "loads" and owner not in READS_PLAIN:
                    yield f"{owner}.loads"
                elif attr in ("load", "open") and owner in HAS_LOAD:
                    yield f"{owner}.{attr}"
            case ast.Name(id="eval" | "exec" | "__import__" | "Unpickler"):
                yield node.id
            case ast.keyword(arg="allow_pickle" | "weights_only"):
                yield str(node.arg)
            case ast.ImportFrom(module=str() as origin):
                names = {name.name for name in node.names}
                if origin.partition(".")[0] in HAS_LOAD:
                    yield from names & {"load", "loads", "open", "Unpickler", *RUNS_CODE}
            case ast.FunctionDef(name="find_class"):
                yield "find_class"


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield the packages that a module imports, also by a text."""
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from (name.name.partition(".")[0] for name in node.names)
            case ast.ImportFrom(module=str() as origin, level=0):
                yield origin.partition(".")[0]
            case (
                ast.Call(func=ast.Attribute(attr="import_module"))
                | ast.Call(func=ast.Name(id="import_module" | "__import__"))
            ):
                yield from (a.value.partition(".")[0] for a in node.args if _is_text(a))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def decoders(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that call or hand on `decode` of the codecs, or what unpickles."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module="gitmemo.codecs" | "gitmemo.codecs.registry"):
                yield from (node.lineno for name in node.names if name.name in ("decode", "*"))
            case ast.Attribute(value=ast.Name(id="codecs" | "registry"), attr="decode"):
                yield node.lineno


def test_only_these_modules_can_run_code_from_bytes() -> None:
    found = {module: set(readers(tree)) for module, tree in TREES.items()}
    assert {module: names for module, names in found.items() if names} == READS


def test_only_these_modules_import_what_pickles() -> None:
    found = {module for module, tree in TREES.items() if PICKLING.intersection(imports(tree))}
    assert found == IMPORTS


def test_only_these_modules_decode_values() -> None:
    found = {module for module, tree in TREES.items() if list(decoders(tree))}
    assert found - {"codecs/__init__.py"} == DECODES


def test_nobody_goes_around_the_guarded_entry() -> None:
    """What decodes without asking is private to `codecs`, all but what workers are sent."""
    inner = ("gitmemo.codecs.pickles", "gitmemo.codecs.custom", "gitmemo.codecs.scripts")
    taken = {
        (module, f"{node.module}.{name.name}")
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(inner)
        for name in node.names
    }
    assert not any(name.endswith(".unpickle") for _, name in taken)
    outside = {(module, name) for module, name in taken if not module.startswith("codecs/")}
    assert {module for module, _ in outside} == {
        "memo/op_pickles.py",
        "memo/parallel/opened.py",
        "memo/parallel/outcomes.py",
        "memo/parallel/work.py",
    }


@pytest.mark.parametrize(
    "source",
    [
        "import pickle\npickle.loads(b'')",
        "import pickle as p\np.load(f)",
        "from pickle import loads as read",
        "from pickle import Unpickler",
        "import numpy as n\nn.load(f, allow_pickle=True)",
        "import torch\ntorch.load(f)",
        "x.read_pickle(f)",
        "import shelve\nshelve.open(f)",
        "import marshal\nmarshal.loads(f)",
        "eval(text)",
        "exec(text)",
        "class U(Base):\n    def find_class(self, module, name): ...",
        "loads = sys.modules['pickle'].loads",
    ],
)
def test_the_rule_sees(source: str) -> None:
    assert list(readers(ast.parse(source)))
