"""The canonical form of a syntax tree: what a digest of code is taken of.

Not `ast.dump`, whose output changes between Python versions. Two steps:
`normalise` removes what cannot change behaviour (docstrings, inert
annotations, gitmemo's own decorators), `digest_of` walks what is left.
Invariant: equal trees give equal digests on every supported Python; any
change of the rules needs a new `SCHEME`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from enum import Enum
from typing import TypeVar

from gitmemo.hashing.digest import Digest, digest

SCHEME = "gitmemo-source-1"
OWN_DECORATORS = frozenset({"op", "track"})

IsOwnDecorator = Callable[[str], bool]
"""Tells whether a dotted decorator name is one of gitmemo's own."""

_Function = TypeVar("_Function", ast.FunctionDef, ast.AsyncFunctionDef)
_HARMLESS_DECORATORS = frozenset({"staticmethod", "classmethod", "property"})
_SKIPPED_FIELDS = frozenset({"ctx", "type_comment", "kind", "type_ignores"})


def dotted_name(node: ast.expr) -> str | None:
    """Return `a.b.c` for the expression or for what it calls, None for anything else."""
    if isinstance(node, ast.Call):
        node = node.func
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


# --- normalise --------------------------------------------------------------


def normalise(
    tree: ast.Module, is_own_decorator: IsOwnDecorator, *, has_joined: bool = True
) -> ast.Module:
    """Remove from `tree`, in place, what cannot change behaviour.

    `has_joined` says whether there may be f-strings: of all expressions only they are changed.
    """
    result: ast.Module = _Normaliser(is_own_decorator, has_joined=has_joined).visit(tree)
    return result


class _Scope(Enum):
    MODULE = "module"
    CLASS = "class"
    FUNCTION = "function"


class _Normaliser(ast.NodeTransformer):
    def __init__(self, is_own_decorator: IsOwnDecorator, *, has_joined: bool) -> None:
        self._is_own_decorator = is_own_decorator
        self._has_joined = has_joined
        self._scope = _Scope.MODULE

    def generic_visit(self, node: ast.AST) -> ast.AST:
        # Most nodes are expressions, and expressions hold no statements.
        if isinstance(node, ast.expr) and not self._has_joined:
            return node
        return super().generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: _Function) -> _Function:
        # A code object starts at its first decorator, which may be about to go.
        node.lineno = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        names = [dotted_name(decorator) for decorator in node.decorator_list]
        own = [name is not None and self._is_own_decorator(name) for name in names]
        node.decorator_list = [
            decorator
            for decorator, is_own in zip(node.decorator_list, own, strict=True)
            if not is_own
        ]
        # A foreign decorator may read docstring and annotations (click, dispatch on types).
        if all(is_own or _is_harmless(name) for name, is_own in zip(names, own, strict=True)):
            _drop_docstring(node)
            _drop_annotations(node)
        self._children(node, _Scope.FUNCTION)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        # Bases and decorators may read both (dataclasses, pydantic, enums with docs).
        if not (node.decorator_list or node.bases or node.keywords):
            _drop_docstring(node)
        self._children(node, _Scope.CLASS)
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self._children(node, _Scope.FUNCTION)
        return node

    def visit_Module(self, node: ast.Module) -> ast.AST:
        _drop_docstring(node)
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        if self._scope is _Scope.CLASS or not isinstance(node.target, ast.Name):
            return node
        if node.value is None:  # evaluates nothing, but makes the name local
            node.annotation = ast.copy_location(ast.Constant(None), node)
            return node
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Merge neighbouring constants: 3.12 splits them otherwise than 3.11 and 3.13."""
        self.generic_visit(node)
        merged: list[ast.expr] = []
        for part in node.values:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                if part.value == "":
                    continue
                last = merged[-1] if merged else None
                if isinstance(last, ast.Constant) and isinstance(last.value, str):
                    joined = ast.Constant(last.value + part.value)
                    merged[-1] = ast.copy_location(joined, last)
                    continue
            merged.append(part)
        node.values = merged
        return node

    def visit_Delete(self, node: ast.Delete) -> ast.AST:
        """`del (a, b)` is `del a, b`; formatters rewrite the one to the other."""
        self.generic_visit(node)
        flat: list[ast.expr] = []
        for target in node.targets:
            is_group = isinstance(target, ast.Tuple | ast.List) and target.elts
            flat.extend(target.elts if is_group else [target])  # type: ignore[attr-defined]
        node.targets = flat
        return node

    def _children(self, node: ast.AST, scope: _Scope) -> None:
        outer, self._scope = self._scope, scope
        self.generic_visit(node)
        self._scope = outer


def _is_harmless(name: str | None) -> bool:
    if name is None:
        return False
    return name in _HARMLESS_DECORATORS or name.endswith((".setter", ".getter", ".deleter"))


def _drop_docstring(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module,
) -> None:
    first = node.body[0] if node.body else None
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        rest = node.body[1:]
        node.body = rest or [ast.copy_location(ast.Pass(), first)]


def _drop_annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    node.returns = None
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every.extend(extra for extra in (arguments.vararg, arguments.kwarg) if extra is not None)
    for argument in every:
        argument.annotation = None


# --- digest -----------------------------------------------------------------


def digest_of(nodes: Iterable[ast.AST], facts: Iterable[str] = ()) -> Digest:
    """Return the digest of normalised `nodes` in order, and of `facts` beside them."""
    out: list[str] = [SCHEME]
    for node in nodes:
        _walk(node, out)
    for fact in facts:
        out.append(f"|fact {len(fact)}:{fact}")
    return digest("".join(out).encode("utf-8", "surrogatepass"))


def _walk(node: object, out: list[str]) -> None:
    if isinstance(node, ast.AST):
        out.append("(" + type(node).__name__)
        is_constant = isinstance(node, ast.Constant)
        for field in node._fields:
            if field in _SKIPPED_FIELDS:
                continue
            value = getattr(node, field, None)
            if value is None and not (is_constant and field == "value"):
                continue
            if isinstance(value, list):
                if not value:  # 3.12 added `type_params=[]` to every definition
                    continue
                out.append("|" + field + "[")
                for item in value:
                    _walk(item, out)
                out.append("]")
            else:
                out.append("|" + field + "=")
                _walk(value, out)
        out.append(")")
    else:
        out.append(_atom(node))


def _atom(value: object) -> str:
    """Return the tagged text of a constant; each type has its own first letter."""
    if value is None:
        return "N"
    if value is Ellipsis:
        return "E"
    if isinstance(value, str):
        return f"s{len(value)}:{value}"
    if isinstance(value, bytes):
        return "b" + value.hex() + ";"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, int):
        return "i" + hex(value) + ";"
    if isinstance(value, float):
        return "f" + value.hex() + ";"
    if isinstance(value, complex):
        return "c" + value.real.hex() + "," + value.imag.hex() + ";"
    raise TypeError(f"no canonical form for {type(value).__name__} in a syntax tree")
