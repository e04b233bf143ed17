"""Which global names a piece of code reads, found by scope analysis of its tree.

Not bytecode: that differs between Python versions, and a staged text has none.
Invariant: every name that the code may look up in its module's globals is
among the uses; a name that is local in every scope that reads it is not.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gitmemo.source.parsing import parse

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_LONGEST_MODULE_NAME = 120

BUILTINS = frozenset(dir(builtins))
DOCSTRING, ANNOTATIONS = "__doc__", "__annotations__"
_READS = {
    DOCSTRING: DOCSTRING,
    ANNOTATIONS: ANNOTATIONS,
    "__annotate__": ANNOTATIONS,
    "__signature__": ANNOTATIONS,
}
"""Attributes of definitions, and which of the two they tell."""


@dataclass(frozen=True, slots=True, order=True)
class NameUse:
    """A name that code reads, with the attributes taken of it.

    Attributes:
        module: The module that a function-level import named (`.b` when
            relative), or an empty string for the module's own globals.
        chain: `("config", "N")` for `config.N`. Empty when `module` itself is
            used as a value.
        called: The chain is called and not otherwise used, as in `config.f(x)`.
    """

    module: str
    chain: tuple[str, ...]
    called: bool


@dataclass(frozen=True, slots=True)
class Names:
    """All that scope analysis finds in one piece of code.

    Attributes:
        uses: The global names and imported modules that it reads.
        strings: String constants that could name a module.
        reflects: It may read any global: `globals()`, `eval(text)`, and the like.
        stores: The globals that its functions rebind (`global N; N = 1`).
        lists_subclasses: It asks some class for its subclasses.
        reads: Of `__doc__` and `__annotations__` what it takes of something.
    """

    uses: frozenset[NameUse]
    strings: frozenset[str]
    reflects: bool
    stores: frozenset[str]
    lists_subclasses: bool = False
    reads: frozenset[str] = frozenset()


def described_by(names: Iterable[str]) -> frozenset[str]:
    """Return which of `__doc__` and `__annotations__` code reads that mentions these names.

    >>> sorted(described_by(["__signature__", "size"]))
    ['__annotations__']
    """
    return frozenset(_READS[name] for name in names if name in _READS)


def names_in(nodes: Iterable[ast.AST], class_names: frozenset[str] = frozenset()) -> Names:
    """Analyse module-level statements; `class_names` are bound by the class around them."""
    walker = _walked(nodes, class_names)
    return Names(
        frozenset(walker.uses),
        frozenset(walker.strings),
        walker.reflects,
        frozenset(walker.stores),
        walker.lists_subclasses,
        described_by([*walker.attributes, *walker.strings]),
    )


def sites_in(
    nodes: Iterable[ast.AST], class_names: frozenset[str] = frozenset()
) -> Mapping[int, Sequence[NameUse]]:
    """Return what each `ast.Name` that is no local one stands for, by the `id` of the node."""
    return _walked(nodes, class_names).sites


def _walked(nodes: Iterable[ast.AST], class_names: frozenset[str]) -> _Walker:
    walker = _Walker(class_names)
    for node in nodes:
        walker.visit(node)
    return walker


@dataclass(slots=True)
class Scope:
    """What a function, class or comprehension binds.

    Attributes:
        is_class: Functions inside do not see its names.
        bound: The names that are its own.
        global_names: Those declared as the module's.
        outer_names: Those declared as of a function around it.
        modules: What imports in it bind: the modules, and the attribute taken of each.
    """

    is_class: bool
    bound: set[str] = field(default_factory=set)
    global_names: set[str] = field(default_factory=set)
    outer_names: set[str] = field(default_factory=set)
    modules: dict[str, list[tuple[str, tuple[str, ...]]]] = field(default_factory=dict)


class _Walker(ast.NodeVisitor):
    def __init__(self, class_names: frozenset[str]) -> None:
        self.uses: set[NameUse] = set()
        self.strings: set[str] = set()
        self.stores: set[str] = set()
        self.sites: dict[int, list[NameUse]] = {}
        self.reflects = False
        self.lists_subclasses = False
        self.attributes: set[str] = set()
        self._scopes: list[Scope] = []
        if class_names:
            self._scopes.append(Scope(is_class=True, bound=set(class_names)))
        # Names that the class around a method binds are looked up there first; a
        # class body itself may also fall through to the global of that name.
        self._inside_method_of_class = bool(class_names)

    # --- reads

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._read(node, (node.id,), called=False)
        elif not self._scopes:
            self._note_site(node, NameUse("", (node.id,), False))
        elif self._is_global(node.id):
            self.stores.add(node.id)
            self._note_site(node, NameUse("", (node.id,), False))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._chain(node, called=False)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name):
            self._note_reflection(node.func.id, node)
            if node.func.id in ("eval", "exec") and node.args:
                self._evaluated(node.args[0])
        self._chain(node.func, called=True)
        for argument in [*node.args, *node.keywords]:
            self.visit(argument)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._read(node.target, (node.target.id,), called=False)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and _may_name_a_module(node.value):
            self.strings.add(node.value)

    def _chain(self, node: ast.expr, *, called: bool) -> None:
        attributes: list[str] = []
        inner = node
        while isinstance(inner, ast.Attribute):
            if inner.attr == "__globals__":
                self.reflects = True
            if inner.attr == "__subclasses__":
                self.lists_subclasses = True
            attributes.append(inner.attr)
            inner = inner.value
        self.attributes.update(attributes)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
            self._read(inner, (inner.id, *reversed(attributes)), called=called)
        else:
            self.visit(inner)

    def _read(self, node: ast.Name, chain: tuple[str, ...], *, called: bool) -> None:
        name = chain[0]
        innermost = True
        for scope in reversed(self._scopes):
            if name in scope.global_names:
                break
            if name in scope.bound and (innermost or not scope.is_class):
                for module, prefix in scope.modules.get(name, ()):
                    self._use(node, NameUse(module, (*prefix, *chain[1:]), called))
                if scope.is_class and not self._inside_method_of_class:
                    break  # `x = x` in a class body reads the global
                return
            innermost = False
        self._use(node, NameUse("", chain, called))
        if not called and len(chain) == 1 and name in ("globals", "eval", "exec"):
            self.reflects = True

    def _use(self, node: ast.Name, use: NameUse) -> None:
        self.uses.add(use)
        self._note_site(node, use)

    def _note_site(self, node: ast.Name, use: NameUse) -> None:
        known = self.sites.setdefault(id(node), [])
        if use not in known:
            known.append(use)

    def _is_global(self, name: str) -> bool:
        return any(name in scope.global_names for scope in reversed(self._scopes))

    def _note_reflection(self, name: str, call: ast.Call) -> None:
        if (
            name == "globals"
            or (name in ("vars", "dir", "locals") and not call.args)
            or (name in ("eval", "exec") and len(call.args) < 2)
        ):
            self.reflects = True

    def _evaluated(self, text: ast.expr) -> None:
        """Visit the code in a literal text, as if it stood where it is evaluated."""
        if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
            return
        try:
            body = parse(text.value.lstrip(" \t")).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        modules = scope_of(body, is_class=False).modules
        self._in_scope(Scope(is_class=False, bound=set(modules), modules=modules), body)

    # --- scopes

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node)

    def _function(self, node: _Function) -> None:
        arguments = node.args
        every = parameters_of(arguments)
        self._visit_all(getattr(node, "decorator_list", []))
        self._visit_all(arguments.defaults)
        self._visit_all([value for value in arguments.kw_defaults if value is not None])
        self._visit_all([a.annotation for a in every if a.annotation is not None])
        if not isinstance(node, ast.Lambda) and node.returns is not None:
            self.visit(node.returns)
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        scope = scope_of(body, is_class=False)
        scope.bound.update(argument.arg for argument in every)
        scope.bound.update(p.name for p in getattr(node, "type_params", []))
        self._in_scope(scope, body)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._visit_all(node.decorator_list)
        self._visit_all(node.bases)
        self._visit_all(node.keywords)
        scope = scope_of(node.body, is_class=True)
        scope.bound.update(p.name for p in getattr(node, "type_params", []))
        outer, self._inside_method_of_class = self._inside_method_of_class, False
        self._in_scope(scope, node.body)
        self._inside_method_of_class = outer

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node, [node.elt])

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehension(node, [node.elt])

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node, [node.elt])

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node, [node.key, node.value])

    def _comprehension(self, node: _Comprehension, results: list[ast.expr]) -> None:
        first, *rest = node.generators
        self.visit(first.iter)  # evaluated in the scope around the comprehension
        targets = [generator.target for generator in node.generators]
        scope = Scope(is_class=False, bound=targets_of(node))
        inside: list[ast.AST] = [*results, *first.ifs]
        for generator in rest:
            inside.extend([generator.iter, *generator.ifs])
        self._in_scope(scope, [*targets, *inside])

    def _in_scope(self, scope: Scope, nodes: Iterable[ast.AST]) -> None:
        self._scopes.append(scope)
        self._visit_all(nodes)
        self._scopes.pop()

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    # --- imports inside functions

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if self._scopes:  # a use even if the name is never read: it may fail or run code
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                self.uses.add(NameUse(module, (alias.name,), True))


def scope_of(body: Iterable[ast.AST], *, is_class: bool) -> Scope:
    """Return what statements bind in the scope around them; parameters are not among them."""
    scope = Scope(is_class)
    for node in body:
        _collect(node, scope)
    scope.bound -= scope.global_names | scope.outer_names
    return scope


def _collect(node: ast.AST, scope: Scope) -> None:
    """Note what `node` binds in `scope`, without entering scopes of its own."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            scope.bound.add(node.name)
            return
        case ast.Lambda():
            return
        case ast.Global():
            scope.global_names.update(node.names)
        case ast.Nonlocal():
            scope.outer_names.update(node.names)  # which are looked up in their turn
        case ast.Import():
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                module = alias.name if alias.asname else name
                scope.bound.add(name)
                scope.modules.setdefault(name, []).append((module, ()))
        case ast.ImportFrom():
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                name = alias.asname or alias.name
                scope.bound.add(name)
                scope.modules.setdefault(name, []).append((module, (alias.name,)))
        case ast.Name() if not isinstance(node.ctx, ast.Load):
            scope.bound.add(node.id)
        case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar() if node.name:
            scope.bound.add(node.name)
        case ast.MatchMapping() if node.rest:
            scope.bound.add(node.rest)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            for inner in ast.walk(node):  # only := reaches the scope around it
                if isinstance(inner, ast.NamedExpr) and isinstance(inner.target, ast.Name):
                    scope.bound.add(inner.target.id)
            return
        case _:
            pass
    for child in ast.iter_child_nodes(node):
        _collect(child, scope)


def parameters_of(arguments: ast.arguments) -> list[ast.arg]:
    """List all parameters of a function."""
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every.extend(extra for extra in (arguments.vararg, arguments.kwarg) if extra is not None)
    return every


def targets_of(comprehension: _Comprehension) -> set[str]:
    """Return the names that a comprehension binds in its own scope."""
    targets = (generator.target for generator in comprehension.generators)
    return {name for target in targets for name in _stored(target)}


def _stored(target: ast.expr) -> Iterator[str]:
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id


def _may_name_a_module(text: str) -> bool:
    if not 0 < len(text) <= _LONGEST_MODULE_NAME:
        return False
    return text.lstrip(".").replace(".", "_").isidentifier()
