"""Units: the pieces of a module that have an id of their own.

Not how a file is cut into them (that is `statements`), only what one is.
Invariant: a unit's source id is decided by its own statements and the imports
they use; an edit anywhere else in the file leaves it alone.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from gitmemo.hashing.digest import Digest, digest
from gitmemo.source.canonical import digest_of
from gitmemo.source.names import Names, NameUse, names_in

STATEMENTS = "$<statements>"
"""The unit of top-level statements that bind nothing but hold code, such as a lambda."""

WHOLE_MODULE = "$*"
"""The unit of code that may read any global of its module."""

NO_SOURCE = digest(b"gitmemo: no statement of the file binds this name")
"""The source id of a global that only running code creates."""


class UnitKind(StrEnum):
    """What sort of statement a unit is made of."""

    FUNCTION = "function"
    CLASS = "class"
    GLOBAL = "global"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The lines of a statement, decorators included, both ends counted from 1."""

    first: int
    last: int

    def __contains__(self, line: int) -> bool:
        return self.first <= line <= self.last


@dataclass(frozen=True, slots=True, order=True)
class ImportedName:
    """One name that a module-level import binds.

    Attributes:
        bound: The name in this module.
        module: The module it comes from, with leading dots if relative.
        name: The attribute of that module, or an empty string for the module itself.
    """

    bound: str
    module: str
    name: str

    def statement(self) -> str:
        """Return the import as a line of code."""
        if not self.name:
            plain = self.module.partition(".")[0] == self.bound
            return f"import {self.module}" + ("" if plain else f" as {self.bound}")
        suffix = "" if self.name in (self.bound, "*") else f" as {self.bound}"
        return f"from {self.module} import {self.name}{suffix}"


@dataclass(frozen=True)
class Unit:
    """One piece of a module.

    Attributes:
        name: `f`, `C.m`, `class C` or `$N`, as in `Component.unit`.
        kind: What sort of statement it is.
        spans: Where its statements stand in the file.
        nodes: Their normalised trees.
        class_names: The names bound by the class around a method.
        imports_for: Finds the imports behind a set of name uses.
        texts: The statements as written, dedented.
        literal_node: The right-hand side, if the only binding is `N = <expression>`.
    """

    name: str
    kind: UnitKind
    spans: tuple[Span, ...]
    nodes: tuple[ast.AST, ...]
    class_names: frozenset[str]
    imports_for: Callable[[frozenset[NameUse]], tuple[ImportedName, ...]]
    texts: Callable[[tuple[Span, ...]], str]
    literal_node: ast.expr | None = None

    @cached_property
    def names(self) -> Names:
        """The global names that it reads."""
        return names_in(self.nodes, self.class_names)

    @cached_property
    def imports(self) -> tuple[ImportedName, ...]:
        """The module-level imports that it uses."""
        return self.imports_for(self.names.uses)

    @cached_property
    def source(self) -> Digest:
        """The id of what its statements say."""
        facts = (f"import {i.bound} {i.module} {i.name}" for i in self.imports)
        return digest_of(self.nodes, facts)

    @cached_property
    def text(self) -> str:
        """The imports that it uses, then its statements as written: for people."""
        lines = list(dict.fromkeys(i.statement() for i in self.imports))
        head = "".join(line + "\n" for line in lines)
        return head + ("\n" if head else "") + self.texts(self.spans)

    @cached_property
    def literal(self) -> tuple[object] | None:
        """The value in a tuple of one, if the text alone tells it."""
        if self.literal_node is None:
            return None
        try:
            return (ast.literal_eval(self.literal_node),)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None

    @cached_property
    def literal_value(self) -> Digest | None:
        """The value id of a literal global: the same that a running program finds."""
        if self.literal is None:
            return None
        # Not at the top: a hook that reads no literal need not load the hashing of values.
        from gitmemo.hashing import content_id

        return content_id(self.literal[0])
