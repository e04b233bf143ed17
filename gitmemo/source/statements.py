"""Cuts a module's top-level statements into drafts of units.

Not ids and not names read (those are `units` and `names`): only which
statement belongs to whom. Invariant: every statement that binds a name, and
for globals every one that may mutate it, belongs to the unit of that name.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gitmemo.source.effects import How, affected, affected_by
from gitmemo.source.units import STATEMENTS, ImportedName, Span, UnitKind

_Definition = ast.FunctionDef | ast.AsyncFunctionDef
_Compound = (
    ast.If
    | ast.Try
    | ast.TryStar
    | ast.With
    | ast.AsyncWith
    | ast.For
    | ast.AsyncFor
    | ast.While
    | ast.Match
)
_WITH_BLOCKS = _Compound | _Definition | ast.ClassDef

REBINDING = frozenset({How.DEFINES, How.CLASS, How.BINDS, How.IMPORTS})


@dataclass(frozen=True, slots=True)
class Effect:
    """One statement and one name that it affects."""

    name: str
    how: How
    node: ast.AST
    span: Span
    simple: ast.stmt | None = None  # the statement itself, when it stands at top level


@dataclass(slots=True)
class Draft:
    """A unit in the making."""

    name: str
    kind: UnitKind
    nodes: list[ast.AST] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    class_names: frozenset[str] = frozenset()
    literal_node: ast.expr | None = None

    def add(self, node: ast.AST, span: Span) -> None:
        if all(node is not known for known in self.nodes):
            self.nodes.append(node)
        if span not in self.spans:
            self.spans.append(span)


@dataclass(slots=True)
class ModuleParts:
    """What a module is made of."""

    effects: list[Effect] = field(default_factory=list)
    methods: dict[str, Draft] = field(default_factory=dict)
    classes: list[tuple[str, ast.ClassDef, Span]] = field(default_factory=list)
    imports: dict[str, list[ImportedName]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    lambdas: list[tuple[ast.stmt, Span]] = field(default_factory=list)  # statements with any


def span_of(node: ast.stmt) -> Span:
    """Return the lines of a statement, decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return Span(first, node.end_lineno or node.lineno)


def imported_names(node: ast.Import | ast.ImportFrom) -> Iterator[ImportedName]:
    """List what an import statement binds; a star import binds `*`."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield ImportedName(alias.asname or alias.name.partition(".")[0], alias.name, "")
        else:
            module = "." * node.level + (node.module or "")
            yield ImportedName(alias.asname or alias.name, module, alias.name)


def nested(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements and all statements inside of them, in no order; expressions are not walked."""
    waiting = [*body]
    while waiting:
        statement = waiting.pop()
        yield statement
        if isinstance(statement, _WITH_BLOCKS):
            waiting.extend(_inner_statements(statement))


def cut(body: Sequence[ast.stmt]) -> ModuleParts:
    """Sort the statements of a module by the names that they affect."""
    parts = ModuleParts()
    for statement in body:
        _cut_statement(statement, None, parts)
    return parts


def _cut_statement(statement: ast.stmt, outer: ast.stmt | None, parts: ModuleParts) -> None:
    span = span_of(statement)
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            node = _alone(outer, statement) if outer else statement
            parts.effects.append(Effect(statement.name, How.DEFINES, node, span))
        case ast.ClassDef():
            skeleton = _cut_class(statement, (), parts)
            node = _alone(outer, statement, skeleton) if outer else skeleton
            parts.effects.append(Effect(statement.name, How.CLASS, node, span))
        case ast.Import() | ast.ImportFrom():
            for imported in imported_names(statement):
                if imported.name == "*":
                    parts.stars.append(imported.module)
                    continue
                parts.imports.setdefault(imported.bound, []).append(imported)
                # The alias itself is a fact of every unit that uses the name.
                node = _alone(outer, None) if outer else ast.Pass()
                parts.effects.append(Effect(imported.bound, How.IMPORTS, node, span))
        case _ if isinstance(statement, _Compound):
            _cut_compound(statement, outer, parts)
        case _:
            node = _alone(outer, None) if outer else statement
            touched = affected(statement)
            for name, how in touched.items():
                simple = statement if outer is None else None
                parts.effects.append(Effect(name, how, node, span, simple))
            if _holds_lambda(statement):
                parts.lambdas.append((node if touched else statement, span))


def _cut_compound(statement: ast.stmt, outer: ast.stmt | None, parts: ModuleParts) -> None:
    whole = outer or statement
    header = _headers_of(statement)
    node, span = _alone(whole, None), span_of(statement)
    for name, how in affected_by(header).items():
        parts.effects.append(Effect(name, how, node, span))
    if any(map(_holds_lambda, header)):
        parts.lambdas.append((node, span))
    for inner in _inner_statements(statement):
        _cut_statement(inner, whole, parts)


def _holds_lambda(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Lambda) for inner in ast.walk(node))


def _cut_class(node: ast.ClassDef, outside: tuple[str, ...], parts: ModuleParts) -> ast.ClassDef:
    """Take the methods out of a class; return what is left, its skeleton."""
    path = (*outside, node.name)
    methods = [inner for inner in node.body if isinstance(inner, _Definition)]
    bound = _class_names(node)
    for method in methods:
        name = ".".join([*path, method.name])
        draft = parts.methods.setdefault(name, Draft(name, UnitKind.FUNCTION))
        draft.class_names = bound
        draft.add(method, span_of(method))
    rest: list[ast.stmt] = []
    movable: list[str] = []
    for inner in node.body:
        if isinstance(inner, _Definition):
            if _is_movable(inner, node, methods):
                movable.append(inner.name)
            else:
                rest.append(_placeholder(inner))
        elif isinstance(inner, ast.ClassDef):
            skeleton = _cut_class(inner, path, parts)
            parts.classes.append((".".join([*path, inner.name]), skeleton, span_of(inner)))
            rest.append(_placeholder(inner))
        else:
            rest.append(inner)
    rest.extend(ast.Expr(ast.Constant(f"def {name}")) for name in sorted(movable))
    skeleton = copy.copy(node)
    skeleton.body = rest or [ast.Pass()]
    return skeleton


def _is_movable(method: _Definition, node: ast.ClassDef, methods: Sequence[_Definition]) -> bool:
    """Whether the place of `method` in a class without bases or decorators means nothing."""
    if node.bases or node.keywords or node.decorator_list or method.decorator_list:
        return False
    if sum(other.name == method.name for other in methods) > 1:
        return False
    others = (inner for inner in node.body if not isinstance(inner, _Definition))
    decorators = (decorator for other in methods for decorator in other.decorator_list)
    return not any(
        isinstance(n, ast.Name) and n.id == method.name
        for part in [*others, *decorators]
        for n in ast.walk(part)
    )


def _class_names(node: ast.ClassDef) -> frozenset[str]:
    names = {inner.name for inner in node.body if isinstance(inner, _Definition | ast.ClassDef)}
    for inner in node.body:
        if not isinstance(inner, _Definition | ast.ClassDef):
            names.update(name for name, how in affected(inner).items() if how is How.BINDS)
    return frozenset(names | {"__class__", "__qualname__", "__module__"})


def _placeholder(node: _Definition | ast.ClassDef) -> ast.stmt:
    word = "class" if isinstance(node, ast.ClassDef) else "def"
    return ast.Expr(ast.Constant(f"{word} {node.name}"))


# --- compound statements ------------------------------------------------------


_BLOCKS = ("body", "orelse", "finalbody")


def _inner_statements(statement: ast.stmt) -> Iterator[ast.stmt]:
    for block in _BLOCKS:
        yield from getattr(statement, block, [])
    for handler in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
        yield from handler.body


def _headers_of(statement: ast.stmt) -> list[ast.AST]:
    """Return what a compound statement evaluates or binds outside its blocks."""
    inner = set(map(id, _inner_statements(statement)))
    header: list[ast.AST] = []
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.ExceptHandler | ast.match_case):
            header.extend(n for n in ast.iter_child_nodes(child) if id(n) not in inner)
        elif id(child) not in inner:
            header.append(child)
    return header


def _alone(outer: ast.stmt, kept: ast.stmt | None, instead: ast.stmt | None = None) -> ast.stmt:
    """Return a compound statement in which every definition but `kept` is a mere name.

    So that a function in an `if` or `try` changes with the conditions around
    it, but not with its neighbours.
    """
    result = copy.copy(outer)
    for block in _BLOCKS:
        if hasattr(result, block):
            setattr(result, block, _alone_block(getattr(result, block), kept, instead))
    for attribute in ("handlers", "cases"):
        branches = []
        for branch in getattr(result, attribute, []):
            branch = copy.copy(branch)
            branch.body = _alone_block(branch.body, kept, instead)
            branches.append(branch)
        if branches:
            setattr(result, attribute, branches)
    return result


def _alone_block(
    block: Iterable[ast.stmt], kept: ast.stmt | None, instead: ast.stmt | None
) -> list[ast.stmt]:
    result: list[ast.stmt] = []
    for statement in block:
        if statement is kept:
            result.append(instead or statement)
        elif isinstance(statement, _Definition | ast.ClassDef):
            result.append(_placeholder(statement))
        elif isinstance(statement, _Compound):
            result.append(_alone(statement, kept, instead))
        else:
            result.append(statement)
    return result


# --- drafts -----------------------------------------------------------------------


def drafts(parts: ModuleParts) -> list[Draft]:
    """Group the effects into drafts of units, in the order of the file."""
    by_name: dict[str, list[Effect]] = {}
    for effect in parts.effects:
        by_name.setdefault(effect.name, []).append(effect)
    result: list[Draft] = []
    for name, effects in by_name.items():
        result.extend(_drafts_of_name(name, effects))
    for qualified, skeleton, span in parts.classes:
        draft = Draft(f"class {qualified}", UnitKind.CLASS)
        draft.add(skeleton, span)
        result.append(draft)
    result.extend(parts.methods.values())
    loose = _of_no_draft(parts.lambdas, result)
    if loose:
        draft = Draft(STATEMENTS, UnitKind.GLOBAL)
        for statement, span in loose:
            draft.add(statement, span)
        result.append(draft)
    return result


def _of_no_draft(
    statements: Iterable[tuple[ast.stmt, Span]], known: Iterable[Draft]
) -> list[tuple[ast.stmt, Span]]:
    """Return what no name of this file stands for, such as `lib.f = lambda: 1`."""
    told = {id(node) for draft in known for node in draft.nodes}
    return [(node, span) for node, span in statements if id(node) not in told]


def _drafts_of_name(name: str, effects: Sequence[Effect]) -> Iterator[Draft]:
    hows = {effect.how for effect in effects}
    definitions = [
        (How.DEFINES, name, UnitKind.FUNCTION),
        (How.CLASS, f"class {name}", UnitKind.CLASS),
    ]
    for how, unit_name, kind in definitions:
        if how in hows:
            draft = Draft(unit_name, kind)
            # A call that is handed a function rarely changes it: `main(train)`.
            left_out = {How.PASSES}
            if how is How.DEFINES and How.BINDS not in hows:
                left_out.add(How.ASKS)
            for effect in effects:
                if effect.how not in left_out:
                    draft.add(effect.node, effect.span)
            yield draft
    if How.BINDS in hows and not hows & {How.DEFINES, How.CLASS}:
        draft = Draft(f"${name}", UnitKind.GLOBAL)
        for effect in effects:
            draft.add(effect.node, effect.span)
        if len(effects) == 1 and effects[0].simple is not None:
            draft.literal_node = _right_hand_side(effects[0].simple)
        yield draft


def _right_hand_side(statement: ast.stmt) -> ast.expr | None:
    match statement:
        case ast.Assign(targets=[ast.Name()], value=value):
            return value
        case ast.AnnAssign(target=ast.Name(), value=value):
            return value
        case _:
            return None
