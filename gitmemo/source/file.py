"""One source file, or one notebook, cut into units.

Not the file system: it is given bytes. Invariant: parsing is a pure function
of text and path, so that a staged blob and the file of a running program agree.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from gitmemo.errors import SourceError
from gitmemo.hashing.digest import Digest, digest
from gitmemo.source.canonical import OWN_DECORATORS, digest_of, normalise
from gitmemo.source.descriptions import described_unit, describing_unit, docstrings
from gitmemo.source.effects import How, affected_by
from gitmemo.source.names import BUILTINS, NameUse
from gitmemo.source.parsing import parse
from gitmemo.source.statements import (
    REBINDING,
    Draft,
    Effect,
    ModuleParts,
    cut,
    drafts,
    imported_names,
    nested,
)
from gitmemo.source.units import NO_SOURCE, WHOLE_MODULE, ImportedName, Span, Unit, UnitKind

_OWN_PACKAGE = "gitmemo"
# An f-string, or something else that ends in an `f` before a quote.
_MAY_BE_JOINED = re.compile(r"""[fF][rR]?["']""")
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


class SourceFile:
    """The units of one text, found without running it.

    Attributes:
        path: What the text is called in messages.
        text: The decoded text; of a notebook its code cells, one after the other.
        cell_starts: For a notebook, the line before each cell's first one.
        rebound_by_functions: The globals that a function of this file rebinds (`global N; N = 1`).
    """

    def __init__(self, text: str, path: str, *, cell_starts: Sequence[int] = ()) -> None:
        self.path = path
        self.text = text
        self.cell_starts = tuple(cell_starts)
        self._descriptions: dict[str, Unit | None] = {}
        try:
            tree = parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise SourceError(path, _reason(error)) from None
        self.docstring = ast.get_docstring(tree, clean=False)
        statements = list(nested(tree.body))
        own_names = _OwnNames(statements)
        # Noted at once: later it would take another tree.
        self.rebound_by_functions = _rebound(statements)
        has_joined = _MAY_BE_JOINED.search(text) is not None
        tree = normalise(tree, own_names.is_decorator, has_joined=has_joined)
        self._parts = cut(tree.body)
        if self.cell_starts:
            self._drop_superseded(self._parts)

    @classmethod
    def parse(cls, text: str | bytes, path: str) -> SourceFile:
        """Read Python or, for a path ending in `.ipynb`, a notebook.

        Raises:
            SourceError: It is not valid Python for this interpreter.
        """
        if path.endswith(".ipynb"):
            from gitmemo.source.notebook import cells_of  # few files are notebooks

            return cls.from_cells(cells_of(_decoded(text, path, "utf-8-sig"), path), path)
        return cls(_decoded(text, path), path)

    @staticmethod
    def says(data: bytes, path: str, text: str) -> bool:
        """Whether a file that is no notebook holds this text; much quicker than parsing it.

        Raises:
            SourceError: It cannot be decoded.
        """
        return not path.endswith(".ipynb") and _decoded(data, path) == text

    @classmethod
    def from_cells(cls, cells: Iterable[str], path: str) -> SourceFile:
        """Read cells in the order in which they run; a later definition replaces an earlier."""
        starts: list[int] = []
        lines: list[str] = []
        from gitmemo.source.notebook import python_of_cells

        for text in python_of_cells(list(cells)):
            starts.append(len(lines))
            lines.extend(text.split("\n"))
        return cls("\n".join(lines), path, cell_starts=starts)

    @cached_property
    def units(self) -> Mapping[str, Unit]:
        """Every unit by its name, in the order of the file."""
        found = drafts(self._parts)
        return {draft.name: self._unit(draft, _holes(draft, found)) for draft in found}

    def unit(self, name: str) -> Unit | None:
        """Return a unit, or what another one says of itself (`f.__doc__`); None if it is not there."""
        if name in self.units:
            return self.units[name]
        described = described_unit(name)
        if described is None:
            return None
        if name not in self._descriptions:
            unit = self.units.get(described[0])
            found = [unit] if unit and unit.kind is not UnitKind.GLOBAL else []
            self._descriptions[name] = (
                describing_unit(name, self.tree, found, self._imports_for) if found else None
            )
        return self._descriptions[name]

    def docstrings(self, unit: Unit) -> frozenset[str]:
        """Return the docstrings of the definitions that a unit consists of, without indentation."""
        return docstrings(self.tree, unit)

    @property
    def imports(self) -> Mapping[str, Sequence[ImportedName]]:
        """The names that module-level imports bind."""
        return self._parts.imports

    @property
    def stars(self) -> Sequence[str]:
        """The modules that are star-imported, relative ones with their dots."""
        return self._parts.stars

    @cached_property
    def always_imported(self) -> Sequence[ImportedName]:
        """What the file imports in any case: under no condition, and in no function."""
        statements = parse(self.text).body
        plain = (s for s in statements if isinstance(s, ast.Import | ast.ImportFrom))
        return [imported for statement in plain for imported in imported_names(statement)]

    @cached_property
    def bound(self) -> frozenset[str]:
        """The names that module-level statements bind, imports included."""
        return frozenset(e.name for e in self._parts.effects if e.how in REBINDING)

    @cached_property
    def stored_into_by_functions(self) -> frozenset[str]:
        """The names that a function of this file may change in place (`N.append(1)`)."""
        functions = (node for node in ast.walk(self.tree) if isinstance(node, _FUNCTIONS))
        found = (affected_by(function.body) for function in functions)
        return frozenset(
            name for names in found for name, how in names.items() if how is How.STORES
        )

    @cached_property
    def tree(self) -> ast.Module:
        """The statements as they are written; of a notebook those of all cells."""
        return parse(self.text)

    def unit_at(self, line: int) -> Unit | None:
        """Return the innermost unit whose statement covers `line`."""
        best: tuple[int, Unit] | None = None
        for span, unit in self._spans:
            if span.first > line:
                break
            if line <= span.last and (best is None or span.last - span.first <= best[0]):
                best = (span.last - span.first, unit)
        return best[1] if best else None

    def source_of(self, unit: str) -> Digest | None:
        """Return the source id of any unit that a component can name, None if it is not there.

        Besides `units`: the whole module, globals that imports bind, and globals
        that only running code creates.
        """
        found = self.unit(unit)
        if found is not None:
            return found.source
        if unit == WHOLE_MODULE:
            return self.whole_source
        return (self.imported_source(unit[1:]) or NO_SOURCE) if unit.startswith("$") else None

    def imported_source(self, name: str) -> Digest | None:
        """Return the source id of a global that is bound by imports alone, None if it is not."""
        aliases = self.imports.get(name)
        if aliases is None:
            return None
        return digest_of((), sorted(f"import {a.bound} {a.module} {a.name}" for a in aliases))

    @cached_property
    def whole_source(self) -> Digest:
        """The source id of all globals, and of which functions and classes there are."""
        parts = (
            name.encode() + b"=" + (unit.source if unit.kind is UnitKind.GLOBAL else b"")
            for name, unit in sorted(self.units.items())
        )
        return digest(b"\n".join(parts))

    @cached_property
    def _spans(self) -> list[tuple[Span, Unit]]:
        # Of one span a definition comes last and so wins over a global in it.
        order = [UnitKind.GLOBAL, UnitKind.CLASS, UnitKind.FUNCTION]
        found = [(span, unit) for unit in self.units.values() for span in unit.spans]
        return sorted(
            found, key=lambda item: (item[0].first, -item[0].last, order.index(item[1].kind))
        )

    def _unit(self, draft: Draft, holes: frozenset[int]) -> Unit:
        literal = draft.literal_node
        if literal is not None and self._may_change(draft.name[1:], literal):
            literal = None
        return Unit(
            draft.name,
            draft.kind,
            tuple(draft.spans),
            tuple(draft.nodes),
            draft.class_names,
            self._imports_for,
            lambda spans: self._text_of(spans, holes),
            literal,
        )

    def _may_change(self, name: str, literal: ast.expr) -> bool:
        """Whether a function of this file may give a global another value than its literal."""
        if name in self.rebound_by_functions:
            return True
        is_fixed = isinstance(literal, ast.Constant | ast.UnaryOp | ast.BinOp)
        return not is_fixed and name in self.stored_into_by_functions

    def _imports_for(self, uses: frozenset[NameUse]) -> tuple[ImportedName, ...]:
        found: set[ImportedName] = set()
        for use in uses:
            if use.module or not use.chain:
                continue
            name = use.chain[0]
            for imported in self.imports.get(name, ()):
                found.add(_as_far_as_used(imported, use.chain))
            if self.stars and name not in self.bound and name not in BUILTINS:
                found.update(ImportedName("*", module, "*") for module in self.stars)
        return tuple(sorted(found))

    def _text_of(self, spans: tuple[Span, ...], holes: frozenset[int]) -> str:
        lines = self.text.split("\n")
        texts = (
            "\n".join(lines[n - 1] for n in range(span.first, span.last + 1) if n not in holes)
            for span in spans
        )
        return "\n\n".join(textwrap.dedent(text).rstrip() for text in texts) + "\n"

    def _cell_of(self, span: Span) -> int:
        return sum(start < span.first for start in self.cell_starts)

    def _drop_superseded(self, parts: ModuleParts) -> None:
        """Forget what an earlier cell said about a name that a later one binds anew."""
        latest: dict[str, int] = {}
        for effect in parts.effects:
            if effect.how in REBINDING:
                latest[effect.name] = self._cell_of(effect.span)

        def stands(effect: Effect) -> bool:
            return self._cell_of(effect.span) >= latest.get(effect.name, 0)

        dropped = [e for e in parts.effects if not stands(e) and e.how is How.CLASS]
        gone = {id(effect.node) for effect in parts.effects if not stands(effect)}
        parts.effects = [effect for effect in parts.effects if stands(effect)]
        gone -= {id(effect.node) for effect in parts.effects}
        parts.lambdas = [each for each in parts.lambdas if id(each[0]) not in gone]
        for name in list(parts.imports):
            if not any(e.name == name and e.how is How.IMPORTS for e in parts.effects):
                del parts.imports[name]
        for effect in dropped:
            for draft in parts.methods.values():
                if draft.name.startswith(effect.name + "."):
                    _drop_span(draft, effect.span)
        parts.methods = {name: draft for name, draft in parts.methods.items() if draft.nodes}


def _rebound(statements: Iterable[ast.stmt]) -> frozenset[str]:
    found = (statement.names for statement in statements if isinstance(statement, ast.Global))
    return frozenset(name for names in found for name in names)


def _holes(draft: Draft, every: Sequence[Draft]) -> frozenset[int]:
    """Return the lines of a class that are told as units of their own."""
    if draft.kind is not UnitKind.CLASS:
        return frozenset()
    inside = draft.name.removeprefix("class ") + "."
    spans = (d.spans for d in every if d.name.removeprefix("class ").startswith(inside))
    return frozenset(n for group in spans for s in group for n in range(s.first, s.last + 1))


def _drop_span(draft: Draft, outside: Span) -> None:
    kept = [
        (node, span)
        for node, span in zip(draft.nodes, draft.spans, strict=True)
        if not (outside.first <= span.first and span.last <= outside.last)
    ]
    draft.nodes, draft.spans = [n for n, _ in kept], [s for _, s in kept]


def _as_far_as_used(imported: ImportedName, chain: tuple[str, ...]) -> ImportedName:
    """Cut `import a.b.c` to what `a.b.f` uses of it, so that `import a.x` is no news."""
    parts = imported.module.split(".")
    if imported.name or parts[0] != imported.bound:
        return imported
    common = 0
    for part, used in zip(parts, chain, strict=False):
        if part != used:
            break
        common += 1
    return ImportedName(imported.bound, ".".join(parts[:common]), "")


class _OwnNames:
    """Which names of a module stand for gitmemo's own decorators."""

    def __init__(self, statements: Iterable[ast.stmt]) -> None:
        self._modules: set[str] = set()
        self._decorators: set[str] = set()
        for statement in statements:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                for imported in imported_names(statement):
                    self._note(imported)

    def _note(self, imported: ImportedName) -> None:
        if imported.module.partition(".")[0] != _OWN_PACKAGE:
            return
        if not imported.name:
            self._modules.add(imported.bound)
        elif imported.name == "*":
            self._decorators.update(OWN_DECORATORS)
        elif imported.name in OWN_DECORATORS:
            self._decorators.add(imported.bound)

    def is_decorator(self, name: str) -> bool:
        first, _, rest = name.partition(".")
        if not rest:
            return first in self._decorators
        return first in self._modules and rest.rpartition(".")[2] in OWN_DECORATORS


def _decoded(text: str | bytes, path: str, encoding: str | None = None) -> str:
    """Decode as Python does (PEP 263), and make every line end a single newline."""
    if isinstance(text, bytes):
        try:
            if encoding is None:
                encoding, _ = tokenize.detect_encoding(io.BytesIO(text).readline)
            text = text.decode(encoding)
        except (SyntaxError, UnicodeDecodeError, LookupError) as error:
            raise SourceError(path, _reason(error)) from None
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _reason(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"{error.msg}, line {error.lineno}" if error.lineno else str(error.msg)
    return str(error) or type(error).__name__
