"""Small random programs, and the calls that running them would leave behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from gitmemo.frames import ComputationFrame, Universe
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Inline, Slot
from gitmemo.model.ids import call_hid, output_hid
from gitmemo.model.items import Item, Parts, made_by, of_parts, raw

QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])

OPS = {  # name: arguments, results
    "m:source": (("seed",), ("output_0",)),
    "m:split": (("data",), ("left", "right")),
    "m:join": (("a", "b"), ("output_0",)),
    "m:same": (("a", "seed"), ("score",)),
    "m:many": (("seed",), ("items",)),  # a list of two, elements known
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
class Listed:
    """A plain list of values, among them results."""

    items: tuple[Raw | Made, ...]


Argument = Raw | Made | Listed


@dataclass(frozen=True)
class Step:
    """One call of a program."""

    op: str
    arguments: tuple[Argument, ...]


@st.composite
def programs(draw: st.DrawFn) -> list[Step]:
    """Draw a program of a few calls; shared raw values and diamonds are likely."""
    steps: list[Step] = []
    made: list[Made] = []
    for number in range(draw(st.integers(1, 9))):
        op = draw(st.sampled_from(sorted(OPS)))
        names, outputs = OPS[op]
        sources = [Raw(0), Raw(1), *made[-6:], *made[-6:]]
        one = st.sampled_from(sources)
        argument = one | st.lists(one, max_size=3).map(lambda items: Listed(tuple(items)))
        arguments = tuple(draw(argument) for _ in names)
        steps.append(Step(op, arguments))
        made += [Made(number, position) for position in range(len(outputs))]
        if op == "m:many":
            made += [Made(number, 0, element) for element in range(2)]
    return steps


def calls_of(program: Sequence[Step]) -> list[Call]:
    """Run a program: one call for each step, each once."""
    outputs: list[tuple[Slot, ...]] = []
    calls: dict[object, Call] = {}
    for step in program:
        names, results = OPS[step.op]
        items = [item_of(argument, outputs) for argument in step.arguments]
        slots = [
            Slot(name, item.cid, item.hid, item.inline, item.short, item.parts)
            for name, item in zip(names, items, strict=True)
        ]
        hid = call_hid(step.op, 0, None, [(slot.name, slot.hid) for slot in slots])
        # Contents meet often, histories never: a table that joins by content is wrong.
        value = number(step.arguments[0])
        made = tuple(output(step.op, hid, name, value) for name in results)
        outputs.append(made)
        calls[hid] = Call(step.op, 0, None, tuple(slots), made)
    return list(calls.values())


def number(argument: Argument) -> int:
    return argument.number % 2 if isinstance(argument, Raw) else 0


def item_of(argument: Argument, outputs: Sequence[tuple[Slot, ...]]) -> Item:
    """Return what an argument is, its history included."""
    if isinstance(argument, Raw):
        return raw(content_id(argument.number), Inline(argument.number))
    if isinstance(argument, Listed):
        return of_parts(Parts("list", tuple(item_of(one, outputs) for one in argument.items)))
    slot = outputs[argument.step][argument.output]
    if argument.element is None:
        return Item(slot.cid, slot.hid, slot.inline, slot.short)
    assert slot.parts
    assert slot.parts.items
    return slot.parts.items[argument.element]


def output(op: str, call: Digest, name: str, value: int) -> Slot:
    hid = output_hid(call, name)
    if op != "m:many":
        return Slot(name, content_id(value), hid, Inline(value))
    item = of_parts(Parts("list", (raw(content_id(value), Inline(value)),) * 2))
    assert item.parts
    return Slot(name, item.cid, hid, item.inline, item.short, made_by(item.parts, hid))


def frame_of(calls: Sequence[Call]) -> ComputationFrame:
    return ComputationFrame(Universe(calls), frozenset(call.hid for call in calls))


def values_in(held: Slot | Item) -> list[Slot | Item]:
    """Return a value and everything in it."""
    items = (held.parts.items or ()) if held.parts else ()
    return [held, *(inner for item in items for inner in values_in(item))]


def maker_of(held: Slot | Item, calls: Sequence[Call]) -> Call | None:
    for call in calls:
        for output in call.outputs:
            if any(one.hid == held.hid for one in values_in(output)):
                return call
    return None


def ancestors(call: Call, calls: Sequence[Call]) -> dict[object, Call]:
    """Return the call and everything that led to it, by history."""
    found = {call.hid: call}
    for slot in call.inputs:
        for held in values_in(slot):
            maker = maker_of(held, calls)
            if maker:
                found |= ancestors(maker, calls)
    return found
