"""The history of a value, written as the Python code that leads to it.

Not the value itself, and nothing is run or read from blobs. Invariant: each
call is written once, after those that made its inputs; the text depends on the
calls alone.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gitmemo.codecs import from_inline
from gitmemo.errors import NotARef, RefMisuse
from gitmemo.hashing.digest import Digest
from gitmemo.memo import context, wording
from gitmemo.memo.names import OpNames
from gitmemo.memo.signature import ORDER
from gitmemo.model.facts import Call, Slot
from gitmemo.model.ids import raw_hid
from gitmemo.model.items import OBJECT, Held, Parts, histories, inside, plain_keys
from gitmemo.model.names import is_closure, number_of_output, plain_name
from gitmemo.ref import Ref
from gitmemo.world.view import World

_TAKEN = frozenset([*keyword.kwlist, *dir(builtins)])


def provenance(ref: Ref[Any], world: World, names: OpNames) -> str:
    """Return code that shows how the value of `ref` came about; a value without a history is a literal."""
    slot = _slot_of(ref)
    calls = _in_order(slot, world)
    if calls:
        return _Writer(world, names, calls).text()
    if slot.hid == raw_hid(slot.cid) and (slot.inline or ref.in_memory):
        return _without_history(slot, ref)
    return f"...  # {_comment(slot, world)}"


def prov(ref: Ref[Any]) -> str:
    """Return the history of a value as Python code, from the storage that it came from.

    Raises:
        RefMisuse: It came from no storage, and none is active.

    Examples:
        >>> @gm.op
        ... def double(x):
        ...     return 2 * x
        >>> with storage:
        ...     twelve = double(double(3))
        >>> print(gm.prov(twelve))
        double_1 = double(x=3)
        double_2 = double(x=double_1)
    """
    from gitmemo.memo.storage import Storage

    if not isinstance(ref, Ref):
        raise NotARef(wording.short(ref), "prov")
    for storage in (ref._loader, context.active()):
        if isinstance(storage, Storage):
            return storage.prov(ref)
    slot = _slot_of(ref)
    if ref._hid != raw_hid(ref._cid):
        raise RefMisuse(repr(ref), "tell the history of", "it came from no storage")
    return _without_history(slot, ref)


def refs_of(slot: Slot) -> Iterable[Held]:
    """Return the values with a history of their own that an input consists of."""
    return (slot, *inside(slot))


def _in_order(slot: Slot, world: World) -> list[Call]:
    """Return the calls that led to a value, each after those that made its inputs."""
    found: dict[Digest, Call] = {}
    makers: dict[Digest, Call | None] = {}

    def maker(value: Held) -> Call | None:
        if value.hid not in makers:
            known = None if value.hid == raw_hid(value.cid) else world.creator(value.hid)
            makers[value.hid] = known
            for output in known.outputs if known else ():
                for hid in histories(output):
                    makers.setdefault(hid, known)
        return makers[value.hid]

    def before(call: Call) -> Iterator[Call]:
        values = (value for given in call.inputs for value in refs_of(given))
        return (made for made in map(maker, values) if made is not None)

    first = maker(slot)
    path: list[tuple[Call, Iterator[Call]]] = []  # a stack of our own: chains are long
    if first is not None:
        path.append((first, before(first)))
    entered = {first.hid} if first else set()
    while path:
        call, left = path[-1]
        below = next((c for c in left if c.hid not in entered), None)
        if below is None:
            path.pop()
            found[call.hid] = call
        else:
            entered.add(below.hid)
            path.append((below, before(below)))
    return list(found.values())


class _Writer:
    """Writes calls as assignments, and knows which variable holds what."""

    def __init__(self, world: World, names: OpNames, calls: list[Call]) -> None:
        self._world = world
        self._names = names
        self._calls = calls
        self._functions = _functions({call.op for call in calls})
        self._used = {*_TAKEN, *(name.partition(".")[0] for name in self._functions.values())}
        self._numbers: dict[str, int] = {}
        self._variables: dict[Digest, str] = {}

    def text(self) -> str:
        """Return all assignments."""
        return "\n".join(line for call in self._calls for line in self._assignment(call))

    def _assignment(self, call: Call) -> Iterator[str]:
        """Yield the lines of one call, and before it those of raw inputs that are no literals."""
        given: dict[str, str] = {}
        hidden: list[str] = []
        for slot in call.inputs:
            if self._known(slot) is None:
                name = plain_name(slot.name)
                variable = self._variables[slot.hid] = self._new(name)
                yield f"{variable} = ...  # {_comment(slot, self._world)}"
            expression = self._known(slot) or ""
            if is_closure(slot.name):
                hidden.append(f"{plain_name(slot.name)}={expression}")
            else:
                given[slot.name] = expression
        targets = ", ".join(self._variable(call, slot) for slot in call.outputs) or "_"
        around = f"  # closes over {', '.join(hidden)}" if hidden else ""
        function = self._functions[call.op]
        yield f"{targets} = {function}({', '.join(self._passed(call, given))}){around}"

    def _variable(self, call: Call, slot: Slot) -> str:
        function = self._functions[call.op].rpartition(".")[2]
        # An unnamed output is called like its op, with a number: the op keeps its own name.
        is_named = number_of_output(slot.name) is None
        name = slot.name if is_named else f"{function}_1"
        variable = self._variables[slot.hid] = self._new(name)
        self._name_items(slot, variable)
        return variable

    def _name_items(self, held: Held, name: str) -> None:
        """Note how what is in a result is reached: lists, tuples, and dicts with plain keys."""
        parts = held.parts
        if parts is None or parts.items is None or parts.kind in ("set", OBJECT):
            return
        numbers: list[object] = list(range(len(parts.items)))
        keys = plain_keys(parts, from_inline) if parts.kind == "dict" else numbers
        for key, item in zip(keys or (), parts.items, strict=bool(keys)):
            self._variables.setdefault(item.hid, f"{name}[{key!r}]")
            self._name_items(item, f"{name}[{key!r}]")

    def _new(self, wanted: str) -> str:
        """Return a name that nothing has yet."""
        name = wanted if wanted.isidentifier() else re.sub(r"\W", "_", f"_{wanted}")
        if name in self._used:
            stem = name.removesuffix("_1")
            number = self._numbers.get(stem, 1) + 1
            while f"{stem}_{number}" in self._used:
                number += 1
            self._numbers[stem] = number
            name = f"{stem}_{number}"
        self._used.add(name)
        return name

    def _known(self, held: Held) -> str | None:
        """Return what stands for a value in code; None for one that is neither named nor shown."""
        variable = self._variables.get(held.hid)
        if variable is not None:
            return variable
        if held.parts is not None and held.hid != raw_hid(held.cid):
            return self._collected(held.parts)
        return None if held.inline is None else repr(from_inline(held.inline.json))

    def _collected(self, parts: Parts) -> str | None:
        known = [self._known(item) for item in parts.items or ()]
        shown = ["..." if text is None else text for text in known]
        if parts.kind == "dict":
            keys = plain_keys(parts, from_inline) or [...] * len(shown)
            pairs = (f"{key!r}: {text}" for key, text in zip(keys, shown, strict=True))
            return f"{{{', '.join(pairs)}}}"
        text = ", ".join(shown)
        if parts.kind == "tuple":
            return f"({text},)" if len(shown) == 1 else f"({text})"
        if parts.kind == OBJECT:  # which type it is, only the value says
            return f"collection_of({text})"
        return f"[{text}]" if parts.kind == "list" else f"{{{text}}}"

    def _passed(self, call: Call, given: dict[str, str]) -> list[str]:
        """Return the arguments as code: by place up to the last of `*args`, else by name."""
        order = next((s.inline.json for s in call.inputs if s.name == ORDER and s.inline), None)
        if given.pop(ORDER, None) is not None and isinstance(order, list):
            # Keywords whose order the body could see stand last.
            for key in order:
                name = str(key) if key in given else f"**{key}"
                given[name] = given.pop(name)
        op = self._names.named(call.op)
        binder = op.arguments.binder if op is not None else None
        numbered = [n for n in given if binder is not None and binder.is_numbered(n)]
        placed = list(given)[: list(given).index(numbered[-1]) + 1] if numbered else []
        return [given[name] for name in placed] + [
            f"{name.lstrip('*')}={text}" for name, text in given.items() if name not in placed
        ]


def _slot_of(ref: Ref[Any]) -> Slot:
    return Slot("value", ref._cid, ref._hid, ref._inline, ref._short)


def _without_history(slot: Slot, ref: Ref[Any]) -> str:
    if slot.inline is not None:
        return repr(from_inline(slot.inline.json))
    return f"...  # {wording.of_argument(slot.name, ref.obj, slot).strip('<>')}"


def _comment(slot: Slot, world: World) -> str:
    made = "" if slot.hid == raw_hid(slot.cid) else "made by a call that is not known here; "
    return f"{made}{wording.of_bytes(world, slot)}"


def _functions(ops: set[str]) -> Mapping[str, str]:
    """Return what ops are called in code: their short names, with the module where two are equal."""
    shorts: dict[str, list[str]] = {}
    for op in ops:
        shorts.setdefault(_plain(op.rpartition(":")[2]), []).append(op)
    return {
        op: short if len(same) == 1 else _plain(op.replace(":", "."))
        for short, same in shorts.items()
        for op in same
    }


def _plain(name: str) -> str:
    """Return a name without what code cannot hold, such as `<locals>`."""
    kept = name.rpartition("<locals>.")[2]
    return (
        kept if all(part.isidentifier() for part in kept.split(".")) else re.sub(r"\W", "_", kept)
    )
