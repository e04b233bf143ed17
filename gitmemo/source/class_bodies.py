"""What the statement of a class says about its attributes.

Not what the class holds in a running program (`tracing.classes`). Invariant: a name
is among those that a body binds wherever in it that is, but in no scope of its own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gitmemo.source.effects import How, affected
from gitmemo.source.units import Unit


def has_decorators(unit: Unit) -> bool:
    """Whether a decorator, or an argument such as `metaclass=`, may put something into the class."""
    return any(node.decorator_list or node.keywords for node in _statements(unit))


def bound_names(unit: Unit) -> frozenset[str]:
    """Return the attributes that the body of a class binds, methods not among them."""
    return frozenset(
        name
        for node in _statements(unit)
        for statement in node.body
        for name, how in affected(statement).items()
        if how is How.BINDS
    )


def _statements(unit: Unit) -> Iterator[ast.ClassDef]:
    """Yield the class statements of a unit, also those in an `if`."""
    name = unit.name.removeprefix("class ").rpartition(".")[2]
    for outer in unit.nodes:
        for node in ast.walk(outer):
            if isinstance(node, ast.ClassDef) and node.name == name:
                yield node
