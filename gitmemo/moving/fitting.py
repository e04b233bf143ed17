"""From what an old store calls arguments to arguments of an op.

Not whether they are the ones that were passed. Invariant: each recorded argument is passed, under
its own name; one that is not recorded is one that the op ignores.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gitmemo.special import Ignore, NewArgDefault

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

_Kind = inspect.Parameter
_Fitted = tuple[tuple[Any, ...], dict[str, Any]]


class Refused(Exception):
    """A result is not brought; says why. For this package alone."""


def fitted(
    op: Op[..., Any],
    named: Mapping[str, Any],
    starred: Sequence[Any] | None,
    keywords: Mapping[str, Any] | None,
) -> _Fitted:
    """Return the arguments of the op for what was recorded by name.

    None for `starred` or `keywords` says that nothing is known of them.

    Raises:
        Refused: Something is recorded that the op does not take, or the other way round.
    """
    rest, more, extra = dict(named), dict(keywords or {}), list(starred or ())
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for parameter in op.arguments.binder.signature.parameters.values():
        if parameter.kind is _Kind.VAR_POSITIONAL:
            if starred is None:
                _refuse_counting(op, parameter)
            args += extra
            extra = []
        elif parameter.kind is _Kind.VAR_KEYWORD:
            if keywords is None:
                _refuse_counting(op, parameter)
            kwargs |= more
            more = {}
        else:
            value = rest.pop(parameter.name) if parameter.name in rest else _unsaid(op, parameter)
            if parameter.kind is _Kind.KEYWORD_ONLY:
                kwargs[parameter.name] = value
            else:
                args.append(value)
    for name in (*rest, *more, *(f"*{number}" for number in range(len(extra)))):
        raise Refused(f"the op takes no argument {name!r}, which is recorded")
    return tuple(args), kwargs


def _unsaid(op: Op[..., Any], parameter: inspect.Parameter) -> Any:
    """Return what is passed for an argument that was not recorded: it must not count."""
    default = parameter.default
    if type(default) in (Ignore, NewArgDefault):
        return default
    _refuse_counting(op, parameter)
    return None if default is _Kind.empty else default


def _refuse_counting(op: Op[..., Any], parameter: inspect.Parameter) -> None:
    if parameter.name not in op.options.ignored:
        raise Refused(f"argument {parameter.name!r} is not recorded; the op does not ignore it")
