"""Small random programs, as the calls that they leave behind; a strategy, not a test.

Contents meet often and histories never, so that whatever joins by content is found out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Inline, Slot
from gitmemo.model.ids import call_hid, output_hid
from gitmemo.model.items import Item, Parts, made_by, of_parts, raw

OPS = {  # name: arguments, results
    "m:source": (("seed",), ("output_0",)),
    "m:split": (("data",), ("left", "right")),
    "m:join": (("a", "b"), ("output_0",)),
    "m:same": (("a", "seed"), ("score",)),
    "m:many": (("seed",), ("items",)),  # a list of two, elements known
    "m:keyed": (("table",), ("output_0",)),
}


@dataclass(frozen=True)
class Raw:
    """A value from outside: shared by whoever is given the same number."""

    number: int


@dataclass(frozen=True)
class Made:
    """A result of an earlier step of the program, or an element of one."""

    step: int
    output: int
    element: int | None = None


@dataclass(frozen=True)
class Held:
    """A plain list, tuple or dict of values, among them results."""

    kind: str
    items: tuple[Raw | Made, ...]


Argument = Raw | Made | Held


@dataclass(frozen=True)
class Step:
    """One call of a program."""

    op: str
    arguments: tuple[Argument, ...]


@st.composite
def programs(draw: st.DrawFn, most: int = 9) -> list[Step]:
    """Draw a program of a few calls; shared raw values and diamonds are likely."""
    steps: list[Step] = []
    made: list[Made] = []
    for number in range(draw(st.integers(1, most))):
        op = draw(st.sampled_from(sorted(OPS)))
        names, outputs = OPS[op]
        one = st.sampled_from([Raw(0), Raw(1), *made[-6:], *made[-6:]])
        kinds = st.sampled_from(["list", "list", "tuple", "dict"])
        held = st.builds(Held, kinds, st.lists(one, max_size=3).map(tuple))
        steps.append(Step(op, tuple(draw(one | held) for _ in names)))
        made += [Made(number, position) for position in range(len(outputs))]
        if op == "m:many":
            made += [Made(number, 0, element) for element in range(2)]
    return steps


def calls_of(program: Sequence[Step]) -> list[Call]:
    """Run a program: one call for each step, each once."""
    outputs: list[tuple[Slot, ...]] = []
    calls: dict[Digest, Call] = {}
    for step in program:
        names, results = OPS[step.op]
        items = [_item(argument, outputs) for argument in step.arguments]
        slots = [
            Slot(name, item.cid, item.hid, item.inline, item.short, item.parts)
            for name, item in zip(names, items, strict=True)
        ]
        hid = call_hid(step.op, 0, None, [(slot.name, slot.hid) for slot in slots])
        first = step.arguments[0]
        value = first.number if isinstance(first, Raw) else 0
        made = tuple(_output(step.op, hid, name, value) for name in results)
        outputs.append(made)
        calls[hid] = Call(step.op, 0, None, tuple(slots), made)
    return list(calls.values())


def _item(argument: Argument, outputs: Sequence[tuple[Slot, ...]]) -> Item:
    if isinstance(argument, Raw):
        return raw(content_id(argument.number), Inline(argument.number))
    if isinstance(argument, Held):
        items = tuple(_item(one, outputs) for one in argument.items)
        keys = [raw(content_id(str(n)), Inline(str(n))) for n in range(len(items))]
        return of_parts(Parts(argument.kind, items, tuple(keys if argument.kind == "dict" else ())))
    slot = outputs[argument.step][argument.output]
    if argument.element is None:
        return Item(slot.cid, slot.hid, slot.inline, slot.short)
    assert slot.parts
    assert slot.parts.items
    return slot.parts.items[argument.element]


def _output(op: str, call: Digest, name: str, value: int) -> Slot:
    hid = output_hid(call, name)
    if op != "m:many":
        return Slot(name, content_id(value), hid, Inline(value))
    item = of_parts(Parts("list", (raw(content_id(value), Inline(value)),) * 2))
    assert item.parts
    return Slot(name, item.cid, hid, item.inline, item.short, made_by(item.parts, hid))
