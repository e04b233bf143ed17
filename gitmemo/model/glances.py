"""Calls read from their lines in part, where most of what they say is known or not needed.

Not another format: `lines` has it. Invariant: what is read here is what
`from_line` would have read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from gitmemo.hashing import content_id as hash_of
from gitmemo.hashing.digest import Digest, from_text, to_text
from gitmemo.model.facts import Call, JsonValue, Slot
from gitmemo.model.ids import raw_hid
from gitmemo.model.lines import call_from, decoded, made_call, version_id
from gitmemo.model.notation import read_output, write_input

_START = '"start":"'


class Asked(NamedTuple):  # as one is made for each call that is looked up
    """What is known of a call before it is found: its op and its inputs."""

    op: str
    op_version: int
    inputs: tuple[Slot, ...]


def call_from_line(
    line: str,
    asked: Asked | None,
    content_id: Callable[[object], Digest],
    hid: Digest | None = None,
) -> Call:
    """Read a call as `from_line` does; quicker if it is one of the op and the inputs `asked`.

    `hid` is its history id, where that is known.
    """
    if asked is not None:
        array = decoded(line)[0]
        if (
            array[0] == "call"
            and array[1] == asked.op
            and array[2] == asked.op_version
            and len(array[4]) == len(asked.inputs)
            and all(map(_is_slot, array[4], asked.inputs))
        ):
            return made_call(array, asked.inputs, content_id, hid)
    return call_from(line, content_id, hid)


def later_call(line: str, told: Mapping[str, object], hid: Digest, *, is_link: bool) -> Call:
    """Return the call of `line`, which is read when it must be; `told` is what is known of it.

    Of 100,000 calls a question needs the inputs and outputs of some; reading them takes longest.
    """
    known = {**told, "hid": hid, "start": start_of(line), "is_link": is_link}
    return Call.unread(known, line, _read)


def _read(line: str, hid: Digest) -> Call:
    return call_from(line, hash_of, hid)


def start_of(line: str) -> str:
    """Return when the call of `line` began: nothing of the user's stands behind that."""
    at = line.rfind(_START)
    return line[at + len(_START) : line.index('"', at + len(_START))] if at >= 0 else ""


class Glance(NamedTuple):  # a frozen dataclass takes four times as long
    """A stored call, as far as it takes to hand it out again.

    Attributes:
        given: For each input its name and a plain value, or, for what came as a ref, its history
            id and its content id, one after the other.
    """

    op: str
    op_version: int
    version: Digest | None
    hid: Digest
    given: list[tuple[str, JsonValue | bytes]]
    outputs: tuple[Slot, ...]
    elapsed_s: float


def glance(line: str, hid: Digest, content_id: Callable[[object], Digest]) -> Glance | None:
    """Read the call with history id `hid`; None if it had raw inputs that are not inline.

    None too for a link under another name: it takes more than its version to judge it.

    Much quicker than `from_line`, which computes every id of every input.
    """
    array, _end = decoded(line)
    if "as" in array[7]:
        return None
    given: list[tuple[str, JsonValue | bytes]] = []
    for name, value, *history in array[4]:
        if history:
            content = _content_of(value, content_id)
            if content is None or type(history[0]) is not str:
                return None
            given.append((name, from_text(history[0]) + content))
        elif type(value) is dict and "v" in value:
            given.append((name, value["v"]))
        else:
            return None
    version = None if array[3] is None else version_id(array[3])
    outputs = tuple([read_output(hid, output, content_id) for output in array[5]])
    seconds = float(array[7].get("seconds", 0))
    return Glance(array[1], array[2], version, hid, given, outputs, seconds)


def _content_of(value: object, content_id: Callable[[object], Digest]) -> Digest | None:
    if type(value) is str:
        return from_text(value)
    return content_id(value["v"]) if type(value) is dict and "v" in value else None


def _is_slot(array: list[object], slot: Slot) -> bool:
    """Whether an input in a line is `slot`; without certainty, no."""
    value, inline = array[1], slot.inline
    if slot.parts is not None or slot.short is not None:
        return array == write_input(slot)
    if type(value) is dict:
        if inline is None or not _is_exactly(value.get("v", ...), inline.json):
            return False
    elif value != to_text(slot.cid):
        return False
    if array[0] != slot.name:
        return False
    return array[2] == to_text(slot.hid) if len(array) > 2 else slot.hid == raw_hid(slot.cid)


def _is_exactly(value: object, other: object) -> bool:
    kind = type(value)
    if kind is not type(other) or kind is list or kind is dict:
        return False
    return value == other and (kind is not float or value != 0.0)  # -0.0 is another content
