"""What arguments are, before a call is looked up: keys that stand for them, and what may change.

Not their names (`signature`). Invariant: a short cut is only made of values
whose equality is identity of content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gitmemo.codecs.fingerprint import fingerprint
from gitmemo.hashing.digest import Digest, digest
from gitmemo.memo.execute import identify
from gitmemo.memo.items import hidden, holding, item_of, shaped
from gitmemo.memo.secrecy import is_secret
from gitmemo.model.facts import JsonValue, Slot
from gitmemo.model.items import Item
from gitmemo.ref import IMMUTABLE, AtomRef, CollectionRef, Ref, holds, stand_ins
from gitmemo.ref.leaves import leaf
from gitmemo.special import ValuePointer, bare

if TYPE_CHECKING:
    from gitmemo.memo.arguments import Arguments
    from gitmemo.memo.op import Op

_KEYED_TEXT_CHARACTERS = 200


def short_cut(op: Op[..., Any], inputs: Mapping[str, Any]) -> tuple[object, ...] | None:
    """Return a key that stands for the inputs without hashing them; None where there is none.

    Only values whose equality is identity of content: refs by their history,
    immutable scalars by type and value, and small plain containers by all that they hold.
    """
    arguments = op.arguments
    is_fixed = arguments.has_fixed_names
    parts: list[object] = [op] if is_fixed else [op, *inputs]
    for value in inputs.values():
        kind = type(value)
        if kind is AtomRef:
            # The content too: a call that was computed again made another value of this history.
            parts.append(value._hid + value._cid)
        elif kind is int or kind is bool or value is None:
            parts.append((kind, value))
        elif kind is float:
            parts.append((kind, value.hex()))  # 0.0 == -0.0, but they are not the same content
        elif kind is str and len(value) <= _KEYED_TEXT_CHARACTERS:
            parts.append(value)
        elif isinstance(value, CollectionRef):
            parts.append(value._hid + value._cid)
        elif (kind is dict or kind is list or kind is tuple) and (
            (plain := fingerprint(value)) is not None
        ):
            parts.append((kind, digest(plain)))
        else:
            return None
    return tuple(parts)


def short_cut_to(
    op: Op[..., Any], given: Sequence[tuple[str, JsonValue | bytes]]
) -> tuple[object, ...] | None:
    """Return the key that `short_cut` makes of the inputs of a stored call; None if it makes none."""
    arguments = op.arguments
    is_fixed = arguments.has_fixed_names
    names = [name for name, _ in given]
    if is_fixed and names != arguments.binder.names:
        return None  # stored before its signature had this order, or these names
    parts: list[object] = [op] if is_fixed else [op, *names]
    for _, value in given:
        kind = type(value)
        if kind is bytes:
            parts.append(value)
        elif kind is int or kind is bool or value is None:
            parts.append((kind, value))
        elif kind is float:
            parts.append((kind, float.hex(value)))  # type: ignore[arg-type]
        elif kind is str and len(value) <= _KEYED_TEXT_CHARACTERS:  # type: ignore[arg-type]
            parts.append(value)
        else:
            return None
    return tuple(parts)


class PreparedCall:
    """A call that is about to be made.

    Attributes:
        args, kwargs: As they were passed.
        inputs: Everything that was passed, defaults included, by name.
        told: What of it identifies the call; the same object where all of it does.
        slots: The ids of what identifies the call.
        key: The key under which look-ups find it.
        is_atomic: Whether what identifies it is immutable scalars: nothing to guard or to look into.
        is_plain: Whether that is also all that was passed.
    """

    # Not a dataclass: type checkers take an op in one for a method.
    __slots__ = (
        *("args", "inputs", "is_atomic", "is_plain", "key", "kwargs", "name", "op", "slots"),
        "told",
    )

    def __init__(
        self,
        op: Op[..., Any],
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        inputs: dict[str, Any],
        told: dict[str, Any],
        slots: list[Slot],
        key: Digest,
    ) -> None:
        self.op, self.name, self.args, self.kwargs = op, name, args, kwargs
        self.inputs, self.told, self.slots, self.key = inputs, told, slots, key
        self.is_atomic = IMMUTABLE.issuperset(map(type, told.values()))
        self.is_plain = self.is_atomic and told is inputs


def guarded_inputs(call: PreparedCall, arguments: Arguments) -> dict[str, tuple[Any, Digest]]:
    """Return what the body could change in place: raw inputs, not what refs stood for."""
    guarded: dict[str, tuple[Any, Digest]] = {}
    if call.is_plain:
        return guarded
    ids = {slot.name: slot.cid for slot in call.slots}
    for name, given in call.inputs.items():
        value = bare(given)
        if type(value) in IMMUTABLE or isinstance(value, (Ref, ValuePointer)):
            continue
        if arguments.may_mutate(name) or arguments.is_ignored(name, given):
            continue
        # Else it stands for less, or more, than what identifies the call: a container with refs,
        # of which the body gets a copy that shares the raw objects in it; a new default; a number
        # that counts approximately.
        guard = stand_ins(value)
        is_told = call.told.get(name) is guard
        guarded[name] = (guard, ids[name] if is_told else identify(guard, name)[0])
    return guarded


def slots_of(op: Op[..., Any], label: str, inputs: Mapping[str, Any]) -> list[Slot]:
    """Return what identifies each input; `label` names the op in errors.

    Raises:
        Unhashable: An argument has no content id.
    """
    slots = [_slot(label, name, value) for name, value in inputs.items()]
    if not op.options.hashed:
        return slots
    return [
        Slot(slot.name, slot.cid, slot.hid) if op.arguments.is_hashed(slot.name) else slot
        for slot in slots
    ]


@lru_cache(maxsize=4096, typed=True)
def _scalar_slot(name: str, value: int | str | None) -> Slot:
    """Return the slot of a value whose equals of its type are the same content."""
    item = leaf(value, name)
    if is_secret(name, value):
        item = hidden(item)
    return Slot(name, item.cid, None, item.inline, item.short, is_raw=True)


def _slot(op: str, name: str, value: Any) -> Slot:
    kind = type(value)
    if kind is int or kind is bool or (kind is str and len(value) <= _KEYED_TEXT_CHARACTERS):
        return _scalar_slot(name, value)
    if kind is float and value:
        return _scalar_slot(name, value)
    if isinstance(value, Ref):
        item = item_of(value)
    else:
        where = f"argument {name!r} of {op}"
        item = holding(value, where) or leaf(value, where)
    return _named(name, item, value)


def listed(call: PreparedCall) -> list[Slot]:
    """Return the slots, those of raw collections with their items where annotations want them."""
    if call.is_atomic:
        return call.slots
    found = []
    arguments = call.op.arguments
    for (name, value), slot in zip(call.told.items(), call.slots, strict=True):
        is_raw = slot.parts is None and not holds(value, (Ref, ValuePointer))
        shape = arguments.shapes.input(name) if is_raw and not arguments.is_hashed(name) else None
        item = shaped(value, shape, name) if shape else None
        is_listed = item and item.parts and item.parts.items is not None
        found.append(_named(name, item, value) if item and is_listed else slot)
    return found


def _named(name: str, item: Item, value: Any) -> Slot:
    if (item.inline or item.short or item.parts) and is_secret(name, value):
        item = hidden(item)
    return Slot.of(name, item)
