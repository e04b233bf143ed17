"""Values in a few words, for messages: never their whole content, never a secret.

Not how values are stored. Invariant: what is said of a value is no more than
what the record of a call may say, and it fits on a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gitmemo.codecs import from_inline
from gitmemo.hashing.digest import Digest
from gitmemo.memo.secrecy import is_secret
from gitmemo.model.facts import Slot
from gitmemo.model.plain import told
from gitmemo.quantities import size
from gitmemo.ref import Ref
from gitmemo.short_ids import short as short_id
from gitmemo.world.view import World

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

SECRET = "(a secret: not shown)"
_CHARACTERS = 100
_KINDS = {"npy": "array", "json": "JSON value", "bytes": "bytes", "joblib": "object with arrays"}


def short(value: object) -> str:
    """Return `repr(value)`, cut to one line; a value that cannot say itself is named by its type."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  a foreign __repr__ may raise anything
        text = f"<{type(value).__qualname__}>"
    text = "".join(c if c.isprintable() else " " for c in text[: 2 * _CHARACTERS])
    return text if len(text) <= _CHARACTERS else f"{text[: _CHARACTERS - 3]}..."


def call_in_words(op: Op[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Return a call as it stands in a program, without secrets."""
    names = op.arguments.binder.names
    named = [(names[at] if at < len(names) else "", value) for at, value in enumerate(args)]
    parts = [_unless_secret(name, value) for name, value in named]
    parts += [f"{name}={_unless_secret(name, value)}" for name, value in kwargs.items()]
    text = f"{op.qualname}({', '.join(parts)})"
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}…)"


def _unless_secret(name: str, value: object) -> str:
    return SECRET if is_secret(name, value) else short(value)


def of_argument(name: str, value: object, slot: Slot) -> str:
    """Say what was given as an argument: the value where a record would hold it, else its kind."""
    if is_secret(name, value):
        return SECRET
    if slot.inline is not None:
        return short(from_inline(slot.inline.json))
    if isinstance(value, Ref):
        return f"<a result, {_cid(slot.cid)}>"
    return f"<{_kind(value)}, {_cid(slot.cid)}>"


def of_stored(world: World, slot: Slot) -> str:
    """Say what an input or output of a stored call is, without reading its bytes."""
    plain = told(slot)
    return f"<{of_bytes(world, slot)}>" if plain is None else short(from_inline(plain.json))


def of_bytes(world: World, slot: Slot) -> str:
    """Say what kind of bytes stand behind a value that is not inline, and its content id."""
    found = world.values(slot.cid)
    if not found:
        return f"not stored, {_cid(slot.cid)}"
    kind = _KINDS.get(found[0].codec, "object")
    return f"{kind} {size(found[0].size)}, {_cid(slot.cid)}"


def _cid(cid: Digest) -> str:
    return f"cid {short_id(cid)}"


def _kind(value: Any) -> str:
    """Return the type of a value and how large it is."""
    name = type(value).__qualname__
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if isinstance(shape, tuple):
        return f"{name} {dtype} {shape}" if dtype is not None else f"{name} {shape}"
    if isinstance(value, str | bytes | bytearray):
        return f"{name} of length {len(value):,}"
    if isinstance(value, list | tuple | dict | set | frozenset):
        return f"{name} of {len(value):,} item{'s' if len(value) != 1 else ''}"
    return name
