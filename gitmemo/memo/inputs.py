"""What arguments are, before a call is looked up: keys that stand for them, and what may change.

Not their names (`signature`). Invariant: a short cut is only made of values
whose equality is identity of content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gitmemo.hashing.digest import Digest
from gitmemo.memo.execute import identify
from gitmemo.memo.signature import is_secret
from gitmemo.model import ids
from gitmemo.model.facts import Slot
from gitmemo.ref import IMMUTABLE, AtomRef, Ref, holds_refs, unwrap_all

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

_KEYED_TEXT_CHARACTERS = 200


def short_cut(op: Op[..., Any], inputs: Mapping[str, Any]) -> tuple[object, ...] | None:
    """Return a key that stands for the inputs without hashing them; None where there is none.

    Only values whose equality is identity of content: refs by their history,
    and immutable scalars by type and value.
    """
    parts: list[object] = [op, *inputs] if not op.binder.is_plain else [op]
    for value in inputs.values():
        kind = type(value)
        if kind is AtomRef:
            parts.append(value._hid)
        elif kind is int or kind is bool or value is None:
            parts.append((kind, value))
        elif kind is float:
            parts.append((kind, value.hex()))  # 0.0 == -0.0, but they are not the same content
        elif kind is str and len(value) <= _KEYED_TEXT_CHARACTERS:
            parts.append(value)
        else:
            return None
    return tuple(parts)


def guarded_inputs(
    inputs: Mapping[str, Any], slots: Sequence[Slot]
) -> dict[str, tuple[Any, Digest]]:
    """Return what the body could change in place: raw inputs, not what refs stood for."""
    guarded: dict[str, tuple[Any, Digest]] = {}
    for (name, value), slot in zip(inputs.items(), slots, strict=True):
        if type(value) in IMMUTABLE:
            continue
        if holds_refs(value):
            # The body gets a copy of the container, but the raw objects in it are shared.
            guarded[name] = (value, identify(value, name)[0])
        elif not isinstance(value, Ref):
            guarded[name] = (value, slot.cid)
    return guarded


def slots_of(op: str, inputs: Mapping[str, Any]) -> list[Slot]:
    """Return what identifies each input; `op` names them in errors.

    Raises:
        Unhashable: An argument has no content id.
    """
    return [_slot(op, name, value) for name, value in inputs.items()]


@lru_cache(maxsize=4096, typed=True)
def _scalar_slot(name: str, value: int | str | None) -> Slot:
    """Return the slot of a value whose equals of its type are the same content."""
    cid, small = identify(value, name)
    hidden = small is not None and is_secret(name, value)
    return Slot(name, cid, ids.raw_hid(cid), None if hidden else small)


def _slot(op: str, name: str, value: Any) -> Slot:
    kind = type(value)
    if kind is int or kind is bool or (kind is str and len(value) <= _KEYED_TEXT_CHARACTERS):
        return _scalar_slot(name, value)
    if kind is float and value:
        return _scalar_slot(name, value)
    if isinstance(value, Ref):
        shown = None if value._inline and is_secret(name, value) else value._inline
        return Slot(name, value._cid, value._hid, shown)
    cid, small = identify(unwrap_all(value), f"argument {name!r} of {op}")
    hidden = small is not None and is_secret(name, value)
    return Slot(name, cid, ids.raw_hid(cid), None if hidden else small)
