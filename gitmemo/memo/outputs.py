"""Outputs: how a returned value becomes named outputs, and outputs what a caller receives.

Not their hashing or storing (`execute`, `recorder`). Invariant: what `split` took
apart, `join` puts together.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from gitmemo.errors import BadOption, WrongOutputs
from gitmemo.memo.annotations import Shapes
from gitmemo.model.names import unnamed_output

Keep: TypeAlias = Literal["always", "hash", "never"]
"""What is kept of a value: its bytes, only its content id, or neither."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """How many values an op returns, and what they are called.

    Attributes:
        count: How many; None when the returned tuple decides.
        names: Their names; None for `output_0`, `output_1`, …
        is_tuple: Whether a tuple must be returned, and is handed out, however many there are.
        kept: What is kept of outputs that are not simply stored, by name; `""` means every one.
    """

    count: int | None
    names: tuple[str, ...] | None
    is_tuple: bool = False
    kept: Mapping[str, Keep] = field(default_factory=dict)

    def keep(self, name: str) -> Keep:
        """Return what is kept of an output."""
        return self.kept.get(name) or self.kept.get("", "always")

    def split(self, op: str, returned: object) -> list[tuple[str, Any]]:
        """Return `(name, value)` of each output; raise `WrongOutputs` if the number is wrong."""
        if self.count == 1:
            return [(self._name(0), returned)]
        if self.count is None and not self.is_tuple:
            if type(returned) is not tuple:
                return [(self._name(0), returned)]
            values = returned
        elif self.count is None and not isinstance(returned, tuple):
            raise WrongOutputs(op, 'nout="var"', f"one {type(returned).__name__}")
        elif self.count is None:
            values = typing.cast("tuple[Any, ...]", returned)
        elif not isinstance(returned, tuple):
            raise WrongOutputs(op, f"{self.count} outputs", f"one {type(returned).__name__}")
        elif len(returned) != self.count:
            raise WrongOutputs(op, f"{self.count} outputs", f"{len(returned)}")
        else:
            values = returned
        return [(self._name(number), value) for number, value in enumerate(values)]

    def join(self, values: Sequence[Any]) -> Any:
        """Return what a caller receives for the outputs `values`."""
        is_one = len(values) == 1 and self.count in (None, 1) and not self.is_tuple
        return values[0] if is_one else tuple(values)

    def _name(self, number: int) -> str:
        return self.names[number] if self.names else unnamed_output(number)


def declared_outputs(
    function: Callable[..., object],
    nout: int | Literal["auto", "var"] | None,
    names: Sequence[str] | None,
) -> Outputs:
    """Return the outputs of `function`: from `nout`, else `names`, else a `tuple[...]` annotation."""
    label = getattr(function, "__qualname__", repr(function))
    chosen = tuple(names) if names is not None else None
    if chosen is not None and len(set(chosen)) < len(chosen):
        raise WrongOutputs(label, "output_names", "the same name twice")
    if nout in ("auto", "var"):
        if chosen is not None:
            raise BadOption(label, "nout", repr(nout), "output_names say the number already")
        return Outputs(None, None, is_tuple=nout == "var")
    if nout is not None and (type(nout) is not int or nout < 0):
        raise BadOption(label, "nout", repr(nout), 'use a number, "auto" or "var"')
    if chosen is not None and nout is not None and len(chosen) != nout:
        raise WrongOutputs(label, f"nout={nout}", f"{len(chosen)} output_names")
    if nout is not None:
        return Outputs(nout, chosen)
    if chosen is not None:
        return Outputs(len(chosen), chosen)
    return Outputs(_annotated_count(function), None)


def _annotated_count(function: Callable[..., object]) -> int | None:
    shapes = Shapes(function)
    annotation = shapes.returned
    if shapes.result and "tuple" in shapes.result.kinds:
        return 1
    if typing.get_origin(annotation) is not tuple:
        return None
    items = typing.get_args(annotation)
    return None if Ellipsis in items or not items else len(items)
