"""Signatures that changed while stored results of the op still count.

Not whether results count (`lookup` knows). Invariant: an op is only used with
stored calls whose arguments it still has, and whose outputs are those it
declares.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from gitmemo.memo.signature import ORDER
from gitmemo.world.view import CallSignature

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

_Kind = inspect.Parameter


def drift(op: Op[..., Any], stored: CallSignature, ignored: Collection[str] = ()) -> str:
    """Say in which way calls like `stored` do not fit what `op` takes and returns; "" if they do.

    `ignored` are arguments that a call had beside its inputs.
    """
    inputs = (*stored.inputs, *ignored)
    return _change_of_inputs(op, inputs) or _change_of_outputs(op, stored.outputs)


def way_out(op: Op[..., Any], name: str) -> str:
    """Say what can be done about it."""
    return (
        "restore it, start a fresh table of results with "
        f"@op(version={op.version + 1}), or drop the old ones: gitmemo forget {name!r}"
    )


def _change_of_inputs(op: Op[..., Any], names: tuple[str, ...]) -> str:
    binder = op.arguments.binder
    parameters = binder.signature.parameters
    takes_any = any(p.kind is _Kind.VAR_KEYWORD for p in parameters.values())
    for name in names:
        is_hidden = name == ORDER or name.startswith(("closure:", "**"))
        if not (is_hidden or name in parameters or takes_any or binder.is_numbered(name)):
            return f"the argument {name!r} was removed or renamed"
    for name, parameter in parameters.items():
        is_optional = (
            parameter.kind in (_Kind.VAR_POSITIONAL, _Kind.VAR_KEYWORD)
            or name in binder.defaults
            or name in op.options.ignored
        )
        if not is_optional and name not in names:
            return (
                f"the argument {name!r} is new and has no default "
                "(gm.NewArgDefault(value) as its default keeps the results)"
            )
    return ""


def _change_of_outputs(op: Op[..., Any], names: tuple[str, ...]) -> str:
    outputs = op.options.outputs
    if outputs.count is None:
        return ""
    declared = outputs.names or tuple(f"output_{n}" for n in range(outputs.count))
    if names == declared:
        return ""
    return f"the outputs were {_listed(names)} and are {_listed(declared)} now"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(map(repr, names)) or "none"
