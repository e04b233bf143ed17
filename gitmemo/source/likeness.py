"""How alike two texts of a unit are: evidence for whoever decides about a change.

Not a decision and not an id: bytecode differs between Python versions, and a
parameter's name may matter to callers. Invariant: True is said only of texts
of which it holds; with doubt the answer is False.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from contextlib import suppress

from gitmemo.source.canonical import OWN_DECORATORS, digest_of, normalise
from gitmemo.source.names import names_in, parameters_of, scope_of, targets_of
from gitmemo.source.parsing import parse

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def same_bytecode(old_text: str, new_text: str) -> bool:
    """Return whether this Python compiles both to the same, but for positions and docstrings."""
    old, new = _bytecode(old_text), _bytecode(new_text)
    return old is not None and old == new


def renamed_only(old_text: str, new_text: str) -> bool:
    """Return whether nothing but names of parameters and local variables differs.

    Callers may pass a parameter by its name, so this is a reason to look, no proof.
    """
    old, new = _read(old_text), _read(new_text)
    if old is None or new is None or digest_of(old.body) == digest_of(new.body):
        return False
    if names_in(old.body).reflects or names_in(new.body).reflects:
        return False  # `locals()["x"]` and the like
    return digest_of(_blinded(old).body) == digest_of(_blinded(new).body)


def _read(text: str) -> ast.Module | None:
    try:
        return normalise(parse(text), _is_own)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_own(decorator: str) -> bool:
    return decorator.rpartition(".")[2] in OWN_DECORATORS


def _bytecode(text: str) -> bytes | None:
    # Not at the top: a hook that asks nothing need not load the hashing of values.
    from gitmemo.hashing.structure import code_digest

    tree = _read(text)
    if tree is None:
        return None
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):  # 3.13 keeps the line of a class in the class
            vars(node).update(lineno=1, end_lineno=1, col_offset=0, end_col_offset=0)
    with suppress(SyntaxError, ValueError, RecursionError):
        return code_digest(compile(tree, "<text>", "exec", dont_inherit=True))
    return None


def _blinded(tree: ast.Module) -> ast.Module:
    result: ast.Module = _Blinder().visit(tree)
    return result


class _Blinder(ast.NodeTransformer):
    """Numbers local names in the order in which they are met."""

    def __init__(self) -> None:
        self._scopes: list[tuple[bool, dict[str, str]]] = []  # a class or not, and its names
        self._count = 0

    def _named(self, name: str) -> str:
        innermost = True
        for is_class, names in reversed(self._scopes):
            if name in names and (innermost or not is_class):
                if not names[name]:
                    self._count += 1
                    names[name] = f"<{self._count}>"
                return names[name]
            innermost = False
        return name

    # --- scopes

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self._named(node.name)
        return self._function(node, node.body)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.name = self._named(node.name)
        return self._function(node, node.body)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._function(node, [node.body])

    def _function(self, node: _Function, body: Sequence[ast.AST]) -> ast.AST:
        arguments, parameters = node.args, parameters_of(node.args)
        outside = [*getattr(node, "decorator_list", []), *arguments.defaults]
        outside.extend(value for value in arguments.kw_defaults if value is not None)
        outside.extend(p.annotation for p in parameters if p.annotation is not None)
        outside.append(getattr(node, "returns", None) or ast.Pass())
        for part in outside:
            self.visit(part)  # names in it are renamed in place
        scope = scope_of(body, is_class=False)
        names = dict.fromkeys(scope.bound | {p.arg for p in parameters}, "")
        self._scopes.append((False, names | {name: name for name in scope.global_names}))
        for parameter in parameters:
            parameter.arg = self._named(parameter.arg)
        for statement in body:
            self.visit(statement)
        self._scopes.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._named(node.name)
        for part in [*node.decorator_list, *node.bases, *node.keywords]:
            self.visit(part)
        scope = scope_of(node.body, is_class=True)
        fixed = scope.bound | scope.global_names
        self._scopes.append((True, {name: name for name in fixed}))
        for statement in node.body:
            self.visit(statement)
        self._scopes.pop()
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        return self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        return self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return self._comprehension(node)

    def _comprehension(self, node: _Comprehension) -> ast.AST:
        first = node.generators[0]
        self.visit(first.iter)  # evaluated in the scope around the comprehension
        evaluated, first.iter = first.iter, ast.Constant(None)
        self._scopes.append((False, dict.fromkeys(targets_of(node), "")))
        self.generic_visit(node)
        self._scopes.pop()
        first.iter = evaluated
        return node

    # --- names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._named(node.id)
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        node.names = [self._named(name) for name in node.names]
        return node

    def visit_alias(self, node: ast.alias) -> ast.AST:
        if node.asname or "." not in node.name:
            bound = node.asname or node.name
            named = self._named(bound)
            node.asname = None if named == node.name else named
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        return self._binding(node, "name")

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.AST:
        return self._binding(node, "name")

    def visit_MatchStar(self, node: ast.MatchStar) -> ast.AST:
        return self._binding(node, "name")

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.AST:
        return self._binding(node, "rest")

    def _binding(self, node: ast.AST, field: str) -> ast.AST:
        name = getattr(node, field)
        if name is not None:
            setattr(node, field, self._named(name))
        return self.generic_visit(node)
