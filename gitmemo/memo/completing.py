"""Calls of which only some arguments are given: the others are those of the nearest stored call.

Not why a call would be reused (`explain`). Invariant: what is given, and what
has a default, is never taken from a stored call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmemo.errors import WrongArguments
from gitmemo.memo.inputs import slots_of
from gitmemo.memo.lookup import Lookup
from gitmemo.memo.nearest import MOST_CALLS, nearest_call
from gitmemo.memo.taken import Taken, taken_from
from gitmemo.ref import Loader, ref_to
from gitmemo.world.view import World

if TYPE_CHECKING:
    from gitmemo.memo.op import Op


@dataclass(frozen=True, slots=True)
class Completed:
    """The arguments of a call, of which some were taken from a stored call."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    taken: tuple[Taken, ...] = ()


def complete(
    op: Op[..., Any],
    name: str,
    given: Mapping[str, Any],
    world: World,
    lookup: Lookup,
    loader: Loader,
) -> Completed:
    """Return the arguments of a call of which only some are given.

    Others are at their defaults; those without a default are what the nearest stored call had.

    Raises:
        WrongArguments: There is no such argument, or one is missing and no call is stored.
    """
    binder = op.arguments.binder
    parameters = binder.arguments
    for argument in given:
        if not binder.takes(argument):
            raise WrongArguments(name, f"it has no argument {argument!r}", parameters)
    inputs = dict(given)
    taken: list[Taken] = []
    missing = [p for p in binder.required if p not in inputs and p not in op.options.ignored]
    if missing:
        stored = [
            call
            for call in world.newest_calls(name, MOST_CALLS)
            if call.op_version == op.version and set(missing) <= {s.name for s in call.inputs}
        ]
        if not stored:
            reason = f"{', '.join(map(repr, missing))} missing, and no stored call has it"
            raise WrongArguments(name, reason, parameters)
        nearest = nearest_call(stored, slots_of(op, name, given), lookup)
        slots = [slot for slot in nearest.inputs if slot.name in missing]
        inputs |= {slot.name: ref_to(slot, loader) for slot in slots}
        taken = [taken_from(slot, world, lookup) for slot in slots]
    try:
        args, kwargs = binder.unbind(inputs)
    except KeyError as error:
        raise WrongArguments(name, f"{error} missing", parameters) from None
    return Completed(args, kwargs, tuple(taken))
