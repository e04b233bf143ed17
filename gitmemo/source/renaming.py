"""Recognises code that changed by nothing but names.

Not which renames there are, nor what follows from one: it compares texts.
Every name that a unit reads is resolved to where it comes from (`lab.near.f`),
so that neither the way of importing nor the place of the unit matters.
Invariant: two units with equal digests say the same about the same things,
once each name is read as `names` says.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from gitmemo.errors import SourceError
from gitmemo.hashing.digest import Digest
from gitmemo.source.canonical import OWN_DECORATORS, digest_of, dotted_name
from gitmemo.source.file import SourceFile
from gitmemo.source.names import BUILTINS, NameUse, sites_in
from gitmemo.source.parsing import parse
from gitmemo.source.statements import imported_names
from gitmemo.source.units import ImportedName, Unit

_FACT = "gitmemo-resolved-1"
_ITSELF = "<itself>"
_Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class ModulePlace:
    """Where a unit stands: what its module is called, and what relative imports start from."""

    module: str
    package: str

    @classmethod
    def of(cls, path: str, source_roots: Sequence[str] = ("src",)) -> ModulePlace:
        """Return the place of a component path.

        >>> ModulePlace.of("src/lab/near.py")
        ModulePlace(module='lab.near', package='lab')
        """
        for root in sorted(source_roots, key=len, reverse=True):
            if root and path.startswith(root + "/"):
                path = path[len(root) + 1 :]
                break
        parts = PurePosixPath(path).with_suffix("").parts
        if len(parts) > 1 and parts[-1] == "__init__":
            return cls(".".join(parts[:-1]), ".".join(parts[:-1]))
        return cls(".".join(parts), ".".join(parts[:-1]))

    def absolute(self, module: str) -> str:
        """Return the full name of a module as an import statement here names it."""
        rest = module.lstrip(".")
        up = len(module) - len(rest)
        if not up:
            return module
        parts = self.package.split(".")
        return _joined(*parts[: len(parts) - up + 1], rest)


def unit_of_text(text: str, name: str, source: Digest) -> Unit | None:
    """Return the unit that `Unit.text` gave, None if the text does not prove to be all of it.

    A class without its methods, or a function in an `if`, is more than its text.
    """
    short = name if name.startswith("$") else name.rpartition(".")[2].removeprefix("class ")
    if name.startswith("class "):
        short = "class " + short
    for read in (_with_own_decorators(text), text):
        try:
            unit = SourceFile(read, name).units.get(short)
        except SourceError:
            continue
        if unit is not None and unit.source == source:
            inside = frozenset({short}) if "." in name and not name.startswith("class ") else None
            return replace(unit, name=name, class_names=inside or unit.class_names)
    return None


def resolved_source(
    unit: Unit, place: ModulePlace, names: Mapping[str, str] | None = None
) -> Digest:
    """Return a digest of `unit` in which every name is what it comes from.

    Not comparable to source ids, only to other digests of this function.

    Args:
        unit: The function, class or global.
        place: The module that it stands in.
        names: Full dotted names, of modules, functions, classes or methods, and
            what each is to be read as; what is inside of one goes with it.
    """
    return _Resolver(unit, place, names or {}).digest()


def blank_source(unit: Unit, place: ModulePlace) -> Digest:
    """Return the digest of `unit` without its own name: equal after a rename or a move."""
    own = _joined(place.module, _qualified(unit))
    return resolved_source(unit, place, {own: _ITSELF})


def _qualified(unit: Unit) -> str:
    return unit.name.removeprefix("class ").removeprefix("$")


def _joined(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _with_own_decorators(text: str) -> str:
    """Add the imports that texts leave out: those of gitmemo's decorators, which are no code."""
    try:
        tree = parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text
    bound: set[str] = set()
    decorators: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound.update(imported.bound for imported in imported_names(node))
        elif isinstance(node, _Named):
            decorators.update(filter(None, map(dotted_name, node.decorator_list)))
    imports = [
        f"import gitmemo as {first}\n" if rest else f"from gitmemo import {first}\n"
        for first, _, rest in (name.partition(".") for name in sorted(decorators))
        if first not in bound and (rest or first).rpartition(".")[2] in OWN_DECORATORS
    ]
    return "".join(imports) + text


class _Resolver(ast.NodeTransformer):
    """Rewrites a copy of a unit's trees; what it makes is for digests alone."""

    def __init__(self, unit: Unit, place: ModulePlace, names: Mapping[str, str]) -> None:
        self._unit = unit
        self._place = place
        self._names = names
        self._own = _joined(place.module, _qualified(unit))
        self._nodes = copy.deepcopy(unit.nodes)
        self._sites = sites_in(self._nodes, unit.class_names)
        self._locals = self._unresolved_names()
        self._depth = 0
        self._targets = self._imported()

    def digest(self) -> Digest:
        nodes = [self.visit(node) for node in self._nodes]
        return digest_of(nodes, [_FACT, *sorted(set(self._unresolved()))])

    def _unresolved_names(self) -> frozenset[str]:
        every = (node for outer in self._nodes for node in ast.walk(outer))
        names = (node for node in every if isinstance(node, ast.Name))
        return frozenset(name.id for name in names if len(self._sites.get(id(name), ())) != 1)

    # --- names

    def _read_as(self, name: str) -> str:
        """Return what `names` says of a full name, or of the longest name that it is inside of."""
        outer, inner = name, ""
        while outer:
            if outer in self._names:
                return _joined(self._names[outer], inner)
            outer, _, last = outer.rpartition(".")
            inner = _joined(last, inner)
        return name

    def _imported(self) -> dict[str, str]:
        """Map the names that imports bind, each to one thing only, to what they bind."""
        targets: dict[str, set[str]] = {}
        for imported in self._unit.imports:
            targets.setdefault(imported.bound, set()).add(self._target(imported))
        return {bound: found.pop() for bound, found in targets.items() if len(found) == 1}

    def _target(self, imported: ImportedName) -> str:
        if not imported.name and imported.module.partition(".")[0] == imported.bound:
            return imported.bound  # `import a.b` binds `a`
        return _joined(self._place.absolute(imported.module), imported.name)

    def _unresolved(self) -> Iterator[str]:
        for imported in self._unit.imports:
            if imported.bound == "*" or imported.bound not in self._targets:
                yield f"import {imported.bound} {self._read_as(self._target(imported))}"

    def _full(self, chain: Sequence[str]) -> str:
        first, *rest = chain
        if first in self._targets:
            return _joined(self._targets[first], *rest)
        ours = _joined(self._place.module, first)
        is_known = ours == self._own or ours in self._names
        return ".".join(chain) if first in BUILTINS and not is_known else _joined(ours, *rest)

    # --- reads

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._chain(node, node, ())

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        attributes: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            attributes.insert(0, inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            return self._chain(node, inner, attributes)
        return self.generic_visit(node)

    def _chain(self, node: ast.expr, first: ast.Name, attributes: Sequence[str]) -> ast.AST:
        uses = self._sites.get(id(first), ())
        if len(uses) != 1:
            return node
        full = self._full_of(uses[0], first, attributes)
        return ast.Name(self._read_as(full), ast.Load())

    def _full_of(self, use: NameUse, first: ast.Name, attributes: Sequence[str]) -> str:
        if not use.module:
            return self._full([first.id, *attributes])
        return _joined(self._place.absolute(use.module), *use.chain)

    # --- definitions

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._definition(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._definition(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        if not self._depth:
            node.body = self._members(node.body)
        return self._definition(node)

    def _definition(self, node: _Named) -> ast.AST:
        if not self._depth:
            node.name = self._read_as(self._own)
        return self._nested(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._nested(node)

    def _nested(self, node: ast.AST) -> ast.AST:
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1
        return node

    def _members(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Rename what stands for the methods; those at the end are in the order of their names."""
        renamed = [self._member(statement) for statement in body]
        last = len(renamed)
        while last and _placeholder(renamed[last - 1]):
            last -= 1
        return [*renamed[:last], *sorted(renamed[last:], key=ast.dump)]

    def _member(self, statement: ast.stmt) -> ast.stmt:
        found = _placeholder(statement)
        if found is None:
            return statement
        name = self._read_as(_joined(self._own, found[1])).rpartition(".")[2]
        return ast.Expr(ast.Constant(f"{found[0]} {name}"))

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        found = None if self._depth else _placeholder(node)
        if found is None:
            return self.generic_visit(node)
        name = self._read_as(_joined(self._place.module, found[1]))
        return ast.Expr(ast.Constant(f"{found[0]} {name}"))

    def visit_Global(self, node: ast.Global) -> ast.AST:
        return ast.Global([self._read_as(self._full([name])) for name in node.names])

    # --- imports inside functions

    def visit_Import(self, node: ast.Import) -> ast.AST:
        aliases = [self._alias(ImportedName(a.asname or "", a.name, "")) for a in node.names]
        return ast.Import(aliases)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        module = "." * node.level + (node.module or "")
        aliases = [
            self._alias(ImportedName(a.asname or a.name, module, a.name)) for a in node.names
        ]
        return ast.Import(aliases)

    def _alias(self, imported: ImportedName) -> ast.alias:
        target = _joined(self._place.absolute(imported.module), imported.name)
        return ast.alias(self._read_as(target), self._local(imported))

    def _local(self, imported: ImportedName) -> str | None:
        """Return the local name that an import binds, None if nothing that is left reads it."""
        bound = imported.bound or imported.module.partition(".")[0]
        return bound if bound in self._locals else None


def _placeholder(statement: ast.stmt) -> tuple[str, str] | None:
    """Return the word and the name in what stands for a definition (see `statements`)."""
    match statement:
        case ast.Expr(ast.Constant(str(text))) if text.startswith(("def ", "class ")):
            word, _, name = text.partition(" ")
            return (word, name) if name.isidentifier() else None
        case _:
            return None
