"""Small random programs, as the calls that they leave behind; a strategy, not a test.

Contents meet often and histories never, so that whatever joins by content is found out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Inline, Slot
from gitmemo.model.ids import call_hid, output_hid
from gitmemo.model.items import Item, Parts, made_by, of_parts, raw
from gitmemo.model.lines import record_id, to_line

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
    op_version: int = 0
    version: int | None = None


@st.composite
def programs(draw: st.DrawFn, most: int = 9, *, versions: bool = False) -> list[Step]:
    """Draw a program of a few calls; shared raw values and diamonds are likely.

    With `versions` of several versions of the ops, and of their code, and perhaps run again after
    one op's code changed.
    """
    numbers = st.integers(0, 1) if versions else st.just(0)
    codes = st.sampled_from([None, 0, 1]) if versions else st.none()
    steps: list[Step] = []
    made: list[Made] = []
    for number in range(draw(st.integers(1, most))):
        op = draw(st.sampled_from(sorted(OPS)))
        names, outputs = OPS[op]
        one = st.sampled_from([Raw(0), Raw(1), *made[-6:], *made[-6:]])
        kinds = st.sampled_from(["list", "list", "tuple", "dict"])
        held = st.builds(Held, kinds, st.lists(one, max_size=3).map(tuple))
        arguments = tuple(draw(one | held) for _ in names)
        steps.append(Step(op, arguments, draw(numbers), draw(codes)))
        made += [Made(number, position) for position in range(len(outputs))]
        if op == "m:many":
            made += [Made(number, 0, element) for element in range(2)]
    if versions and draw(st.booleans()):
        changed = draw(st.integers(0, len(steps) - 1))
        again = [_later(step, len(steps)) for step in steps]
        again[changed] = replace(again[changed], version=draw(st.integers(2, 3)))
        steps += again
    return steps


def _later(step: Step, by: int) -> Step:
    """Return a step of the same program run again: with the results of that run."""

    def shifted(argument: Any) -> Any:
        if isinstance(argument, Made):
            return replace(argument, step=argument.step + by)
        if isinstance(argument, Held):
            return Held(argument.kind, tuple(map(shifted, argument.items)))
        return argument

    return replace(step, arguments=tuple(map(shifted, step.arguments)))


def calls_of(program: Sequence[Step], *, links: bool = False) -> list[Call]:
    """Run a program: one call for each step, each once.

    With `links`, equal inputs of other histories have the results of the first call on them.
    """
    runs: dict[Digest, Call] = {}
    outputs: list[tuple[Slot, ...]] = []
    calls: dict[Digest, Call] = {}
    for step in program:
        names, results = OPS[step.op]
        items = [_item(argument, outputs) for argument in step.arguments]
        slots = [
            Slot(name, item.cid, item.hid, item.inline, item.short, item.parts)
            for name, item in zip(names, items, strict=True)
        ]
        version = None if step.version is None else content_id(["code", step.version])
        given = [(slot.name, slot.hid) for slot in slots]
        hid = call_hid(step.op, step.op_version, version, given)
        first = step.arguments[0]
        value = first.number if isinstance(first, Raw) else 0
        made = tuple(_output(step.op, hid, name, value) for name in results)
        call = Call(step.op, step.op_version, version, tuple(slots), made)
        run = runs.setdefault(call.cid, call)
        if links and run.hid != hid:
            made = tuple(Slot.output(hid, slot.name, slot) for slot in run.outputs)
            same = {"same": record_id(to_line(run)).hex()}
            call = replace(call, outputs=made, run=same)
        outputs.append(call.outputs)
        calls[hid] = call
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
