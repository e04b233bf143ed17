"""Cells of `%%memo`: the function that the body of one stands for.

Not running it (`gitmemo.notebooks`). Invariant: the function follows from the texts of the
notebook's cells alone, so that a kernel and the committed file agree.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import NoReturn, TypeAlias

from gitmemo.errors import MemoCellRefused
from gitmemo.source.names import BUILTINS
from gitmemo.source.parsing import parse

MAGIC = "memo"
_TYPED = re.compile(rf"\s*%%{MAGIC}(?:[ \t]+(.*?))?[ \t]*(?:\n|$)")
_OPTIONS = {"-i": "inputs", "-o": "outputs", "-s": "storage"}
_REACHING_ALL = frozenset({"globals", "locals", "eval", "exec"})
_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
_Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_BINDING = ast.ExceptHandler | ast.MatchAs | ast.MatchStar | ast.MatchMapping
_REFUSED: dict[type[ast.AST], str] = {
    ast.Return: "`return` stands in it outside of a function",
    ast.Yield: "`yield` stands in it outside of a function",
    ast.YieldFrom: "`yield` stands in it outside of a function",
    ast.Await: "it awaits something",
    ast.AsyncFor: "it awaits something",
    ast.AsyncWith: "it awaits something",
    ast.Global: "it declares a name as `global`",
    ast.Nonlocal: "it declares a name as `nonlocal`",
}


@dataclass(frozen=True, slots=True)
class MemoCell:
    """What a cell of `%%memo` stands for.

    Attributes:
        name: The function's name.
        inputs: Its arguments: variables of the notebook.
        outputs: What it returns, by the names that the notebook has for it.
        changed: The inputs that it changes and returns.
        storage: The variable that holds the storage, if the cell names one.
        text: The function. Line 1 stands for the line of the magic, so that the body is where it was.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    changed: tuple[str, ...]
    storage: str | None
    text: str


def parts_of(cell: str) -> tuple[str, str] | None:
    """Return the line and the body of a `%%memo` cell, typed or as IPython made it; None for others."""
    found = _TYPED.match(cell)
    if found is not None:
        return found[1] or "", cell[found.end() :]
    if MAGIC not in cell[:200]:
        return None
    try:
        body = parse(cell).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    match body:
        case [
            ast.Expr(
                ast.Call(
                    ast.Attribute(ast.Call(ast.Name("get_ipython")), "run_cell_magic"),
                    [ast.Constant("memo"), ast.Constant(str(line)), ast.Constant(str(text))],
                )
            )
        ]:
            return line, text
        case _:
            return None


def names_of_code(texts: Iterable[str]) -> frozenset[str]:
    """Return what functions, classes and imports of a notebook are called: no input of a cell."""
    return frozenset(name for text in texts for name in _code_in(text))


def memo_cell(line: str, body: str, code: Collection[str]) -> MemoCell:
    """Return what a cell stands for; `code` are the names that are functions, classes or imports.

    Raises:
        MemoCellRefused: It cannot be a function, or nothing of it could be kept.
    """
    name, given = _asked(line)
    tree = _tree(body)
    names = _Names.of(tree, body)
    inputs = given.get("inputs")
    if inputs is None:
        inputs = tuple(n for n in names.read if n not in code and n not in BUILTINS)
    outputs = given.get("outputs")
    if outputs is None:
        set_in = (n for n in names.set_in if n in inputs and n not in names.assigned)
        outputs = (*names.assigned, *set_in)
    _check(names, inputs, outputs)
    name = name or "_".join(("make", *outputs))
    if name in (*inputs, *outputs):
        _refuse(f"{name!r} is its name and a variable of it", "give the cell a name of its own")
    if name in names.read:
        _refuse(f"{name!r} is its name, and it reads that", "give it another: %%memo NAME")
    changed = tuple(output for output in outputs if output in inputs)
    storage = next(iter(given.get("storage", ())), None)
    text = "\n".join(_function(name, inputs, outputs, tree, body))
    return MemoCell(name, inputs, outputs, changed, storage, text)


# --- what is asked ------------------------------------------------------------------


def _asked(line: str) -> tuple[str | None, dict[str, tuple[str, ...]]]:
    """Return the name and the options that the line of the magic gives."""
    words = line.split()
    name: str | None = None
    given: dict[str, tuple[str, ...]] = {}
    while words:
        word = words.pop(0)
        if word in _OPTIONS:
            if not words or words[0].startswith("-") or _OPTIONS[word] in given:
                _refuse(f"{word} is given without names, or twice")
            listed = dict.fromkeys(words.pop(0).split(","))
            given[_OPTIONS[word]] = tuple(_name(n) for n in listed)
        elif word.startswith("-") or name is not None:
            _refuse(f"{word!r} is not understood", f"write %%memo {name or 'NAME'} -i a,b -o c,d")
        else:
            name = _name(word)
    return name, given


def _name(word: str) -> str:
    if not word.isidentifier() or iskeyword(word):
        _refuse(
            f"{word!r} is no name in Python", "lists of names have commas and no spaces: -i a,b"
        )
    return word


def _check(names: _Names, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    unread = [name for name in inputs if name not in names.all]
    if unread:
        _refuse(f"it does not read {', '.join(unread)}", "leave that out of -i")
    unbound = [n for n in outputs if n not in names.bound and n not in inputs]
    if unbound:
        _refuse(f"it does not bind {', '.join(unbound)}", "leave that out of -o")
    if not outputs:
        _refuse("it binds no variable, so there is nothing to keep", "assign the result to a name")
    unpassed = [n for n in names.first_read if n not in inputs]
    if unpassed:
        listed = ", ".join(unpassed)
        _refuse(f"it reads {listed} and binds it too", f"name it as an input: -i {listed}")


def _refuse(reason: str, fix: str = "") -> NoReturn:
    raise MemoCellRefused(reason, fix)


# --- what the body says -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of a body, in the order of the text.

    Attributes:
        read: Those of the notebook that it reads, also in functions of its own.
        first_read: Of these, the ones that it binds after that.
        assigned: Those that it assigns to and leaves bound, but for `_private` ones.
        set_in: Those of which it sets an item or an attribute.
        bound, all: Those that it binds in any way; all that it mentions.
    """

    read: tuple[str, ...]
    first_read: tuple[str, ...]
    assigned: tuple[str, ...]
    set_in: tuple[str, ...]
    bound: frozenset[str]
    all: frozenset[str]

    @classmethod
    def of(cls, tree: ast.Module, body: str) -> _Names:
        flow = _Flow()
        for statement in tree.body:
            flow.visit(statement)
        outside, bound = _scopes(tree)
        named = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        named.sort(key=lambda node: (node.lineno, node.col_offset))
        order = {node.id: number for number, node in reversed([*enumerate(named)])}
        first = {name for name in flow.first_read if name in bound}
        read = tuple(
            name
            for name in sorted(order, key=order.__getitem__)
            if name in outside or name in first
        )
        left = (n for n in flow.assigned if not n.startswith("_") and n not in flow.gone)
        assigned = tuple(sorted(left, key=order.__getitem__))
        mentioned = frozenset({*order, *bound})
        return cls(read, tuple(first), assigned, tuple(flow.set_in), bound, mentioned)


def _scopes(tree: ast.Module) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that come from outside of the body, and those that it binds itself."""
    import symtable  # nothing else needs it

    wrapped = ast.parse("def f(): pass")
    function = wrapped.body[0]
    assert isinstance(function, ast.FunctionDef)
    function.body = [*tree.body, ast.Pass()]
    table = symtable.symtable(ast.unparse(ast.fix_missing_locations(wrapped)), "cell", "exec")
    top = table.get_children()[0]
    outside: set[str] = set()
    pending = [top]
    while pending:
        scope = pending.pop()
        outside.update(s.get_name() for s in scope.get_symbols() if s.is_global())
        pending.extend(scope.get_children())
    return frozenset(outside), frozenset(s.get_name() for s in top.get_symbols() if s.is_local())


class _Flow(ast.NodeVisitor):
    """Walks a body in the order of its text: what it binds, and what it reads before it does."""

    def __init__(self) -> None:
        self.assigned: dict[str, None] = {}
        self.set_in: dict[str, None] = {}
        self.first_read: dict[str, None] = {}
        self.gone: set[str] = set()
        self._bound: set[str] = set()
        self._hidden: list[set[str]] = []  # targets of comprehensions

    def visit(self, node: ast.AST) -> None:
        """Refuse what no function may hold, and go on."""
        if type(node) in _REFUSED:
            _refuse(_REFUSED[type(node)])
        super().visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            if node.id in _REACHING_ALL:
                _refuse(f"it calls {node.id}, which may read and bind any name")
            if node.id not in self._bound and not any(node.id in names for names in self._hidden):
                self.first_read[node.id] = None
        elif isinstance(node.ctx, ast.Store):
            self._bind(node.id)
        else:
            self.gone.add(node.id)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._assign(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self._assign(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.visit(ast.Name(node.target.id, ast.Load()))
        self.visit(node.value)
        self._assign(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self._assign(node.target)

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        for part in (node.target, *node.body, *node.orelse):
            self.visit(part)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name.partition(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                _refuse("it imports all names of a module", "import the names that it uses")
            self._bind(alias.asname or alias.name)

    def generic_visit(self, node: ast.AST) -> None:
        """Go into what runs here and now; names that comprehensions bind are theirs alone."""
        if isinstance(node, _SCOPES):
            self._visit_scope(node)
        elif isinstance(node, _Comprehension):
            self._visit_comprehension(node)
        else:
            if isinstance(node, _BINDING):
                name = getattr(node, "name", None) or getattr(node, "rest", None)
                if name is not None:
                    self._bind(name)
            super().generic_visit(node)

    def _visit_comprehension(self, node: _Comprehension) -> None:
        """Read what one evaluates; the first iterable is outside of it."""
        if any(g.is_async for g in node.generators):
            _refuse(_REFUSED[ast.AsyncFor])
        first, *others = [part for g in node.generators for part in (g.iter, *g.ifs)]
        self.visit(first)
        targets = (n for g in node.generators for n in ast.walk(g.target))
        self._hidden.append({n.id for n in targets if isinstance(n, ast.Name)})
        values = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        for part in (*others, *values):
            self.visit(part)
        self._hidden.pop()

    def _visit_scope(self, node: ast.AST) -> None:
        """Read what a definition evaluates at once; its body is its own."""
        arguments = getattr(node, "args", None)
        defaults = [*arguments.defaults, *arguments.kw_defaults] if arguments else []
        for part in (*getattr(node, "decorator_list", ()), *getattr(node, "bases", ()), *defaults):
            if part is not None:
                self.visit(part)
        name = getattr(node, "name", None)
        if name is not None:
            self._bind(name)

    def _assign(self, target: ast.expr) -> None:
        for node in ast.walk(target):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.assigned[node.id] = None
        for part in _stored_into(target):
            self.set_in[part] = None
        self.visit(target)

    def _bind(self, name: str) -> None:
        self._bound.add(name)
        self.gone.discard(name)


def _stored_into(target: ast.expr) -> Iterator[str]:
    """Yield the variables of which an assignment sets an item or an attribute."""
    if isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from _stored_into(part)
        return
    root: ast.expr = target.value if isinstance(target, ast.Starred) else target
    while isinstance(root, ast.Attribute | ast.Subscript):
        root = root.value
    if isinstance(root, ast.Name) and root is not target:
        yield root.id


def _tree(body: str) -> ast.Module:
    try:
        return parse(body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        at = f"line {error.lineno + 1}: " if isinstance(error, SyntaxError) and error.lineno else ""
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        _refuse(
            f"its body is not plain Python ({at}{said})",
            "magics and shell commands belong in a cell of their own",
        )


def _code_in(text: str) -> Iterator[str]:
    """Yield what the functions, classes and imports of a text are called."""
    try:
        pending: list[ast.AST] = [*parse(text).body]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (a.asname or a.name.partition(".")[0] for a in node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif not isinstance(node, ast.Lambda):
            pending.extend(child for child in ast.iter_child_nodes(node))


# --- the function -------------------------------------------------------------------


def _function(
    name: str, inputs: Sequence[str], outputs: Sequence[str], tree: ast.Module, body: str
) -> Iterator[str]:
    """Yield the lines of the function; what stands inside of text that spans lines stays as it is."""
    inside = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr)
        for line in range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)
    }
    yield f"def {name}({', '.join(inputs)}):"
    for number, line in enumerate(body.rstrip().split("\n"), 1):
        yield line if number in inside or not line.strip() else f"    {line}"
    yield f"    return {', '.join(outputs)}"
