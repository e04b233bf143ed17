"""What the index keeps of a fact beside its line; of plain calls found without making the fact.

Not the reading of facts (`model.lines`). Invariant: a sketch of a line is that of the fact in it,
and of a line that `from_canonical_line` refuses there is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest, from_text
from gitmemo.model.ids import CallIds, output_hid, raw_hid
from gitmemo.model.lines import MOST_SECONDS, decoded, version_id
from gitmemo.model.notation import json_of, read_input, write_input
from gitmemo.world.shapes import Look, names_of

# Nearly all facts are calls with plain values. What is checked here with expressions and caches
# takes a third of what it takes to make a fact of a line, and the line of it again.
TEXT = r'"[^"\\\x00-\x1f]*"'
DIGEST = r'"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"'
INT = r"(?:0|-?[1-9][0-9]{0,17})"
NUMBER = r"-?[0-9][0-9.e+-]{0,30}"
_SCALAR = rf'\{{"v":(?:{NUMBER}|{TEXT}|true|false|null)\}}'
_SHORT = r'\{"p":"[A-Za-z0-9_-]{1,90}"\}'
VALUE = rf"(?:{_SCALAR}|{DIGEST}|{_SHORT})"
_INPUT = rf"\[{TEXT},{VALUE}(?:,{DIGEST})?\]"
_OUTPUT = rf"\[{TEXT},{VALUE}\]"
_NOTED = rf'"([a-z]+)":(?:{TEXT}|true|false),'
ALL_NOTED = f"(?:{_NOTED.replace('(', '(?:', 1)})*"
_CALL = (
    rf'\["call",({TEXT}),(0|[1-9][0-9]{{0,8}}),(null|{DIGEST}),'
    rf"\[((?:{_INPUT}(?:,{_INPUT})*)?)\],\[((?:{_OUTPUT}(?:,{_OUTPUT})*)?)\],"
    rf"\[(?:{DIGEST}(?:,{DIGEST})*)?\],"
    rf'\{{({ALL_NOTED})"seconds":({NUMBER})(?:,"start":{TEXT})?\}}\]'
)
_SLOTS = rf'\["([^"]*)",({VALUE})(?:,"([^"]*)")?\]'
_KEYS = re.compile(_NOTED)
_INTEGER = re.compile(INT)
WHOLE = re.compile(rf'\{{"v":{INT}\}}')


class Sketch(NamedTuple):
    """What is kept of a fact.

    Attributes:
        key: What it is looked up by.
        look: What it has in common with others.
        micros, hid: Of a call: how long it took (-1 for a link), and its history id.
        made: Of a call: the history ids of what it returned, and of what is in that.
    """

    key: Digest
    look: Look
    micros: int | None = None
    hid: Digest | None = None
    made: Sequence[Digest] = ()


@cache  # compiled in milliseconds, and most commands read no new line
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


def match_call(line: str) -> re.Match[str] | None:
    """Return the parts of a plain call; None for everything else."""
    return _compiled(_CALL).fullmatch(line)


def slots_in(text: str) -> list[tuple[str, str, str]]:
    """Return name, value and history of each input or output in such a part."""
    return _compiled(_SLOTS).findall(text)


def micros_of(seconds: float) -> int:
    """Return a duration as it is kept."""
    return round(seconds * 1e6)


def is_on_raw_inputs(line: str) -> bool:
    """Whether it is clear at a glance that a line is a call all of whose inputs came from outside."""
    match = match_call(line)
    return match is not None and not any(history for _, _, history in slots_in(match[4]))


def sketch_of_line(line: str) -> Sketch | None:
    """Return the sketch of a plain call; None for everything else, also for what is no fact."""
    match = match_call(line)
    if match is None:
        return None
    op, number, version, inputs, outputs, noted, seconds = match.groups()
    given = slots_in(inputs)
    cids, hids = [], []
    for _, value, history in given:
        ids = ids_of(value, history)
        if ids is None:
            return None
        cids.append(ids[0])
        hids.append(ids[1])
    names = _output_names(outputs)
    micros = micros_of_text(noted, seconds)
    if names is None or micros is None:
        return None
    common = in_common(op, number, version, tuple([name for name, _, _ in given]), names)
    if common is None:
        return None
    look, call = common
    hid = call.hid(hids)
    return Sketch(call.key(cids), look, micros, hid, [output_hid(hid, name) for name in names])


def needs_of_line(line: str) -> tuple[Digest | None, set[Digest]] | None:
    """Return the version of a plain call, and the contents that it names and does not hold.

    Of a line that was checked when it was read; None for everything else.
    """
    match = match_call(line)
    if match is None:
        return None
    _op, _number, version, inputs, outputs, *_run = match.groups()
    cids = set()
    for _, value, _ in (*slots_in(inputs), *slots_in(outputs)):
        if not value.startswith('{"v":'):
            ids = ids_of(value, "")
            if ids is None:
                return None
            cids.add(ids[0])
    return None if version == "null" else version_id(version[1:-1]), cids


def _output_names(text: str) -> tuple[str, ...] | None:
    """Return the names of the outputs; None if one is not written like that."""
    names = []
    for name, value, _ in slots_in(text):
        if not is_output(value):
            return None
        names.append(name)
    return tuple(names)


def is_output(value: str) -> bool:
    """Whether a value that looks like one is written as gitmemo writes it."""
    if value[0] == '"' or value.startswith('{"v":"') or WHOLE.fullmatch(value):
        return True
    return ids_of(value, "") is not None


@lru_cache(maxsize=4096)  # many calls have arguments in common
def ids_of(value: str, history: str) -> tuple[Digest, Digest] | None:
    """Return the content id and the history id of an input; None if it is not written like that."""
    try:
        if value[0] == '"':
            cid = from_text(value[1:-1])
        elif value[2] == "v":
            plain, _ = decoded(value, 5)
            if json_of(plain) != value[5:-1]:
                return None
            cid = content_id(plain)
        else:
            slot = read_input(["", decoded(value)[0]], content_id)
            if json_of(write_input(slot)) != f'["",{value}]':
                return None
            cid = slot.cid
    except (ValueError, TypeError):
        return None
    hid = raw_hid(cid)
    if not history:
        return cid, hid
    given = from_text(history)
    return None if given == hid else (cid, given)  # what follows is not written


def micros_of_text(noted: str, seconds: str) -> int | None:
    """Return how long a call took, less than nothing for a link; None if it is not written like that."""
    is_link = _is_link(noted)
    try:
        value = float(seconds)
    except ValueError:
        return None
    if is_link is None or not 0 <= value < MOST_SECONDS:
        return None
    if repr(value) != seconds and not _INTEGER.fullmatch(seconds):
        return None
    return -1 if is_link else micros_of(value)


@lru_cache(maxsize=1000)  # calls of one process have all of it in common
def _is_link(noted: str) -> bool | None:
    """Whether what is noted of a run in front of its duration is that of a link; None if unsorted."""
    keys = _KEYS.findall(noted)
    if keys != sorted(set(keys)) or any(key >= "seconds" for key in keys):
        return None
    return "same" in keys


@lru_cache(maxsize=1000)
def in_common(
    op: str, number: str, version: str, inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> tuple[Look, CallIds] | None:
    """Return what calls with this beginning have in common, of texts as they stand in the line."""
    if len(set(inputs)) < len(inputs):
        return None
    name = op[1:-1]
    code = None if version == "null" else version_id(version[1:-1])
    look = Look("call", name, code or b"", names_of(int(number), inputs, outputs))
    return look, CallIds(name, int(number), code, inputs)
