"""What definitions say of themselves: docstrings, and annotations of functions.

They are no part of a unit's own source, for few programs read them. Not who reads
them (`tracing.reading`). Invariant: a description covers all definitions inside
of its unit, in the order of the file, and depends on nothing else in it but imports.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Sequence

from gitmemo.source.names import ANNOTATIONS, DOCSTRING, NameUse, parameters_of
from gitmemo.source.units import ImportedName, Span, Unit, UnitKind

_DESCRIPTIONS = (DOCSTRING, ANNOTATIONS)
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Definition = _Function | ast.ClassDef


def description_of(unit: str, what: str) -> str:
    """Return the name of the unit that holds the docstrings or annotations of another.

    >>> description_of("class C", "__doc__")
    'class C.__doc__'
    """
    return f"{unit}.{what}"


def descriptions_of(unit: str) -> tuple[str, ...]:
    """Return the names of all units that say what another says of itself."""
    return tuple(description_of(unit, what) for what in _DESCRIPTIONS)


def described_unit(unit: str) -> tuple[str, str] | None:
    """Return the unit that a description is of, and what it holds; None for other units.

    >>> described_unit("f.__doc__"), described_unit("C.m")
    (('f', '__doc__'), None)
    """
    described, _, what = unit.rpartition(".")
    return (described, what) if described and what in _DESCRIPTIONS else None


def describing_unit(
    name: str,
    tree: ast.Module,
    units: Sequence[Unit],
    imports_for: Callable[[frozenset[NameUse]], tuple[ImportedName, ...]],
) -> Unit:
    """Return what the definitions in `units` of a file say of themselves, as a unit of its own."""
    what = name.rpartition(".")[2]
    spans = tuple(span for unit in units for span in unit.spans)
    found = _docstrings if what == DOCSTRING else _annotations
    nodes: list[ast.AST] = []
    lines: list[str] = []
    for path, definition in _definitions(tree, ""):
        if any(span.first <= definition.lineno <= span.last for span in spans):
            for label, node in found(definition):
                nodes += (ast.Constant(f"{path}{label}"), node)
                lines.append(f"{path}{label} = {_text_of(node)}\n")
    if what == ANNOTATIONS and nodes and _are_texts(tree):
        nodes.append(ast.Constant("annotations are texts"))
    text = "".join(lines)

    def texts(spans: tuple[Span, ...]) -> str:
        return text

    return Unit(name, UnitKind.FUNCTION, spans, tuple(nodes), frozenset(), imports_for, texts)


def docstrings(tree: ast.Module, unit: Unit) -> frozenset[str]:
    """Return the docstrings of the definitions that a unit consists of, without indentation."""
    return frozenset(
        inspect.cleandoc(ast.get_docstring(definition, clean=False) or "")
        for _, definition in _definitions(tree, "")
        if any(_first_line(definition) == span.first for span in unit.spans)
    )


def _definitions(node: ast.AST, outside: str) -> Iterator[tuple[str, _Definition]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Definition):
            yield outside + child.name, child
            yield from _definitions(child, f"{outside}{child.name}.")
        else:
            yield from _definitions(child, outside)


def _first_line(node: _Definition) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _docstrings(node: _Definition) -> Iterator[tuple[str, ast.AST]]:
    text = ast.get_docstring(node)
    if text is not None:
        yield f".{DOCSTRING}", ast.Constant(text)


def _annotations(node: _Definition) -> Iterator[tuple[str, ast.AST]]:
    if not isinstance(node, _Function):
        return
    for argument in parameters_of(node.args):
        if argument.annotation is not None:
            yield f'.{ANNOTATIONS}["{argument.arg}"]', argument.annotation
    if node.returns is not None:
        yield f'.{ANNOTATIONS}["return"]', node.returns


def _text_of(node: ast.AST) -> str:
    """Return an expression as code, a long text over as many lines as it has."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        has_lines = "\n" in node.value and not {'"', "\\"} & set(node.value)
        return f'"""{node.value}"""' if has_lines else repr(node.value)
    return ast.unparse(node)


def _are_texts(tree: ast.Module) -> bool:
    """Whether annotations of the file are not evaluated."""
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for node in tree.body
    )
