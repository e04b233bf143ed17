"""Frames as code: the pattern that asks for what a frame shows.

Not the pattern itself (`patterns`). Invariant: what is written runs inside `with storage.query():`; a
frame that no single pattern can say, because ways part or lead in circles, is not written at all.
"""

from __future__ import annotations

from keyword import iskeyword
from typing import TYPE_CHECKING

from gitmemo.frames.naming import short
from gitmemo.frames.picture import parts_of
from gitmemo.model.facts import Call, Slot

if TYPE_CHECKING:
    from gitmemo.frames.graph import FrameGraph

HEADER = "Pattern-matching to the following computational graph (all constraints apply):"
_INPUT = "input to computation; can match anything"
_AROUND = {"list": "[{}, ...]", "tuple": "({}, ...)", "set": "{{{}, ...}}"}


def code_of(frame: FrameGraph) -> str | None:
    """Return a frame as code, under a header; None where no pattern says what is in it."""
    if not frame.functions or frame.free:
        return None
    lines = _Writer(frame).lines()
    return None if lines is None else "\n".join((HEADER, *(f"    {one}" for one in lines), ""))


class _Writer:
    """Writes the functions of a frame in order, each variable before it is used."""

    def __init__(self, frame: FrameGraph) -> None:
        self._frame = frame
        self._code: dict[str, str] = {}

    def lines(self) -> list[str] | None:
        """Return the lines of code."""
        found: list[str] = []
        for name in self._frame.functions:
            written = self._function(name)
            if written is None:
                return None
            found += written
        asked = (self._code[name] for name in self._frame.variables if name in self._code)
        return [*found, f"result = storage.df({', '.join(asked)})"]

    def _function(self, name: str) -> list[str] | None:
        """Return the lines of a function and of its arguments; None if calls of it differ too much."""
        frame = self._frame
        calls = frame.calls_of(name)
        ways = {self._way(call) for call in calls}
        called = short(frame.function(name).op)
        if len(ways) != 1 or frame.function(name).part or not _is_name(called):
            return None
        inputs, outputs = ways.pop()
        lines: list[str] = []
        for call_slot, (_, source, items) in zip(calls[0].inputs, inputs, strict=True):
            line = "" if source in self._code else self._given(call_slot, source, items)
            if line is None:
                return None
            lines += [line] if line else []
        if any(one in self._code for one in outputs) or not all(_is_name(n) for n, _, _ in inputs):
            return None
        given = ", ".join(f"{argument}={self._code[source]}" for argument, source, _ in inputs)
        made = ", ".join([self._named(one) for one in outputs])
        lines.append(f"{made} = {called}({given})" if made else f"{called}({given})")
        told = [f"{self._code[one]}{self._label(one)}" for one in outputs if self._label(one)]
        return lines + told

    def _way(
        self, call: Call
    ) -> tuple[tuple[tuple[str, str, tuple[str, ...]], ...], tuple[str, ...]]:
        """Return which variables the arguments and the results of a call are."""
        frame = self._frame
        inputs = tuple(
            (slot.name, frame.names[frame.roles.argument(call, slot)], tuple(parts_of(frame, slot)))
            for slot in call.inputs
        )
        return inputs, tuple(frame.names[frame.roles.output(call, s)] for s in call.outputs)

    def _given(self, slot: Slot, source: str, items: tuple[str, ...]) -> str | None:
        """Return the line of an argument that nothing returned; None if it cannot be said."""
        if self._frame.roles.source(slot) is not None:
            return None  # what returns it comes later: a circle
        if not items:
            return f"{self._named(source)} = Q(){self._label(source)} # {_INPUT}"
        around = _AROUND.get(slot.parts.kind) if slot.parts else None
        (item, *others) = items
        if around is None or others or item not in self._code:
            return None
        held = around.format(self._code[item])
        return f"{self._named(source)} = Q({held}){self._label(source)}"

    def _named(self, variable: str) -> str:
        """Return the name of a variable in the code."""
        name = "".join(c if c.isalnum() else "_" for c in variable)
        name = name if _is_name(name) else f"_{name}"
        while name in self._code.values() or name in self._taken():
            name += "_"
        self._code[variable] = name
        return name

    def _taken(self) -> set[str]:
        return {"Q", "storage", "result", *(short(f.op) for f in self._frame.functions.values())}

    def _label(self, variable: str) -> str:
        return "" if self._code[variable] == variable else f".named({variable!r})"


def _is_name(text: str) -> bool:
    return text.isidentifier() and not iskeyword(text)
