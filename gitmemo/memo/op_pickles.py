"""Ops on their way to another process: by name where that leads back to them, else with their code.

Not the pickling of values (`codecs`). Invariant: the op that arrives has the
name, the options and the code of the one that was sent.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from gitmemo.codecs.pickles import in_worker, to_worker
from gitmemo.errors import UntrackableOp

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

# An op whose code leads back to itself (recursion in a closure) is sent once.
_OnItsWay: TypeAlias = "Mapping[int, Op[..., Any] | None]"
_on_its_way: ContextVar[_OnItsWay] = ContextVar("gitmemo_ops", default=MappingProxyType({}))


def pickled(op: Op[..., Any]) -> tuple[Any, ...]:
    """Return what `__reduce__` returns for `op`."""
    if id(op) in _on_its_way.get():
        return _arrived, (id(op),)
    module, name = op.__module__, op.qualname
    # What the main script defines has another module name in a worker process.
    by_name = _found(module, name) is op and module != "__main__"
    return _unpickled, (module, name, id(op), None if by_name else _code(op))


def _code(op: Op[..., Any]) -> bytes:
    token = _on_its_way.set({**_on_its_way.get(), id(op): None})
    try:
        return to_worker((op.__wrapped__, op.options))
    finally:
        _on_its_way.reset(token)


def _unpickled(module: str, qualname: str, key: int, code: bytes | None) -> Op[..., Any]:
    """Return the op of this name, or the one that was sent along."""
    from gitmemo.memo.op import Op

    if code is None:
        __import__(module)
    found = _found(module, qualname)
    if isinstance(found, Op):
        return found
    if code is None:
        raise UntrackableOp(f"{module}:{qualname}", "its module does not define it any more")
    op: Op[..., Any] = Op.__new__(Op)
    token = _on_its_way.set({**_on_its_way.get(), key: op})
    try:
        Op.__init__(op, *in_worker(code))
    finally:
        _on_its_way.reset(token)
    return op


def _arrived(key: int) -> Op[..., Any]:
    op = _on_its_way.get()[key]
    if op is None:
        raise UntrackableOp("?", "it leads back to itself and was read on its own")
    return op


def _found(module: str, qualname: str) -> object:
    """Return what a loaded module has under this name."""
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found
