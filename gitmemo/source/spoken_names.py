"""What a text calls the results of functions: `acc` where it says `acc = train(x)`.

Not whose results they are: what is called is told as uses of names (`names`), and where these lead is
found elsewhere (`references`). Invariant: nothing is run; a name is that of a result as a whole, or of
one of several at its position, never of a part of it or of what was made of it.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gitmemo.source.canonical import OWN_DECORATORS
from gitmemo.source.names import NameUse, sites_in

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_UNWRAPPING = frozenset({"attach", "unwrap"})  # `storage.unwrap(f(x))`
_UNWRAPPED = frozenset({"attached", "unwrap"})  # `f(x).unwrap()`
_AS_REF = "ref"  # `f.ref(x)` calls `f`


@dataclass(frozen=True, slots=True)
class Takes:
    """What a program calls the result of a call.

    Attributes:
        uses: What the called function may be.
        names: The names by position; an empty one says nothing.
        is_whole: The result has one name; else it was taken apart.
        line: Where it stands.
    """

    uses: tuple[NameUse, ...]
    names: tuple[str, ...]
    is_whole: bool
    line: int


@dataclass(frozen=True, slots=True)
class _Taken:
    """A call whose result gets a name, in a statement of the module."""

    base: ast.Name
    is_ref: bool
    names: tuple[str, ...]
    is_whole: bool
    statement: ast.stmt


class SpokenNames:
    """The names that one text gives to results.

    Attributes:
        given: The names that ops of this text gave themselves, by function.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.given: dict[str, str] = {}
        self._taken: dict[str, list[_Taken]] = defaultdict(list)
        self._aliases: dict[str, set[str]] = defaultdict(set)
        self._sites: dict[ast.stmt, Mapping[int, Sequence[NameUse]]] = {}
        for statement in tree.body:
            self._read(statement)

    def of(self, functions: Collection[str]) -> Iterator[Takes]:
        """Yield the names of results of what these names may call, also under an alias."""
        aliases = (alias for name in functions for alias in self._aliases.get(name, ()))
        for function in sorted({*functions, *aliases}):
            for taken in self._taken.get(function, ()):
                uses = self._uses(taken)
                if uses:
                    yield Takes(uses, taken.names, taken.is_whole, taken.base.lineno)

    def _uses(self, taken: _Taken) -> tuple[NameUse, ...]:
        sites = self._sites.get(taken.statement)
        if sites is None:
            sites = self._sites[taken.statement] = _sites(taken.statement)
        found = sites.get(id(taken.base), ())
        return tuple(replace(u, chain=u.chain[:-1]) if taken.is_ref else u for u in found)

    def _read(self, statement: ast.stmt) -> None:
        waiting: list[ast.AST] = [statement]
        while waiting:
            node = waiting.pop()
            if isinstance(node, _COMPREHENSIONS):
                continue  # what has a name in one is not called so anywhere else
            waiting.extend(ast.iter_child_nodes(node))
            match node:
                case ast.ImportFrom():
                    for alias in node.names:
                        self._aliases[alias.name].add(alias.asname or alias.name)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self.given.update(_given(node))
                case ast.Assign(targets=targets, value=value):
                    self._note(targets[0], value, statement)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self._note(target, value, statement)
                case ast.NamedExpr(target=target, value=value):
                    self._note(target, value, statement)
                case _:
                    pass

    def _note(self, target: ast.expr, value: ast.expr, statement: ast.stmt) -> None:
        names, function = _names_of(target), _called_in(value)
        if function is None or not any(names):
            return
        base, attributes = _parts(function)
        if isinstance(base, ast.Name):
            is_ref = attributes[-1:] == [_AS_REF]
            called = [base.id, *attributes][-2 if is_ref else -1]
            is_whole = not isinstance(target, ast.Tuple | ast.List)
            self._taken[called].append(_Taken(base, is_ref, names, is_whole, statement))


def _sites(statement: ast.stmt) -> Mapping[int, Sequence[NameUse]]:
    try:
        return sites_in([statement])
    except RecursionError:  # of a statement that is nested so deeply nothing is known
        return {}


def _given(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, str]]:
    """Yield the function with the name that it has as an op: `@op(name="training")`."""
    for decorator in function.decorator_list:
        match decorator:
            case ast.Call(func=ast.Name(id=kind) | ast.Attribute(attr=kind), keywords=keywords):
                for keyword in keywords if kind in OWN_DECORATORS else ():
                    if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                        yield function.name, str(keyword.value.value)
            case _:
                pass


def _names_of(target: ast.expr) -> tuple[str, ...]:
    """Return the names that a target gives by position; none where positions cannot be told."""
    if not isinstance(target, ast.Tuple | ast.List):
        return (_name_of(target),)
    if any(isinstance(one, ast.Starred) for one in target.elts):
        return ()
    return tuple(_name_of(one) for one in target.elts)


def _name_of(target: ast.expr) -> str:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return "" if name.startswith("_") else name
        case _:
            return ""


def _called_in(value: ast.expr) -> ast.expr | None:
    """Return the function whose very result a value is, out of what only unwraps it."""
    while True:
        match value:
            case ast.Await(value=inner) | ast.Attribute(attr="obj", value=inner):
                value = inner
            case ast.Call(
                func=ast.Attribute(attr=how, value=ast.Call() | ast.Await() as inner)
            ) if how in _UNWRAPPED and not value.args:
                value = inner
            case ast.Call(
                func=ast.Name(id=how) | ast.Attribute(attr=how),
                args=[ast.Call() | ast.Await() as inner],
            ) if how in _UNWRAPPING:
                value = inner
            case ast.Call(func=function):
                return function
            case _:
                return None


def _parts(function: ast.expr) -> tuple[ast.expr, list[str]]:
    """Return what `lib.sub.f` begins with, and the attributes."""
    attributes: list[str] = []
    while isinstance(function, ast.Attribute):
        attributes.append(function.attr)
        function = function.value
    return function, attributes[::-1]
