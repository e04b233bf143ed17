"""Signatures that changed while stored results of the op still count.

Not whether results count (`lookup` knows). Invariant: an op is only used with
stored calls whose arguments it still has, and whose outputs are those it
declares.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from gitmemo.model.names import is_closure, unnamed_output
from gitmemo.world.view import CallSignature

if TYPE_CHECKING:
    from gitmemo.memo.op import Op


def drift(op: Op[..., Any], stored: CallSignature, ignored: Collection[str] = ()) -> str:
    """Say in which way calls like `stored` do not fit what `op` takes and returns; "" if they do.

    `ignored` are arguments that a call had beside its inputs.
    """
    inputs = (*stored.inputs, *ignored)
    return _change_of_inputs(op, inputs) or _change_of_outputs(op, stored.outputs)


def way_out(op: Op[..., Any], name: str, stored: CallSignature | None = None) -> str:
    """Say what can be done about it; `stored` is what such a call looks like."""
    return (
        f"{_rename(op, name, stored) if stored else ''}"
        f"restore it, start a fresh table of results with @op(version={op.version + 1}), or drop "
        f"the old ones: in a repository `gitmemo forget {shlex.quote(name)}`, elsewhere "
        "op.forget(...) inside a block, as long as the op takes their arguments"
    )


def _rename(op: Op[..., Any], name: str, stored: CallSignature) -> str:
    """Say how to tell that an argument or an output was renamed, where only one could have been."""
    gone = [one for one in stored.inputs if not op.arguments.binder.takes(one)]
    new = [one for one in op.arguments.binder.arguments if one not in stored.inputs]
    part = "--argument"
    if not gone:
        declared = op.options.outputs.names or ()
        gone = [one for one in stored.outputs if one not in declared]
        new = [one for one in declared if one not in stored.outputs]
        part = "--output"
    if len(gone) != 1 or len(new) != 1 or gone[0].startswith("**") or is_closure(gone[0]):
        return ""
    words = shlex.join(("gitmemo", "rename", part, name, gone[0], new[0]))
    return f"if it was renamed, say so in a repository: `{words}`; else "


def _change_of_inputs(op: Op[..., Any], names: tuple[str, ...]) -> str:
    binder = op.arguments.binder
    for name in names:
        is_hidden = is_closure(name) or name.startswith("**")
        if not is_hidden and not binder.takes(name):
            return f"the argument {name!r} was removed or renamed"
    for name in binder.required:
        if name not in names and name not in op.options.ignored:
            return (
                f"the argument {name!r} is new and has no default "
                "(gm.NewArgDefault(value) as its default keeps the results)"
            )
    return ""


def _change_of_outputs(op: Op[..., Any], names: tuple[str, ...]) -> str:
    outputs = op.options.outputs
    if outputs.count is None:
        return ""
    declared = outputs.names or tuple(map(unnamed_output, range(outputs.count)))
    if names == declared:
        return ""
    return f"the outputs were {_listed(names)} and are {_listed(declared)} now"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(map(repr, names)) or "none"
