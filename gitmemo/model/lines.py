"""Facts as lines of text: one compact JSON array each. The format is in docs/format.md.

Not a file format (`world.segments`, `world.journal`). Invariant: a fact has one
line and a line one fact, so that the BLAKE3 of the line is the fact's record id.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import cast

from gitmemo.errors import CorruptRecord
from gitmemo.hashing.digest import Digest, digest, from_text, to_text
from gitmemo.model import statement_lines
from gitmemo.model.components import Component, Content
from gitmemo.model.facts import (
    Call,
    Fact,
    JsonValue,
    Slot,
    Source,
    Text,
    Tombstone,
    Undo,
    Value,
    Version,
)
from gitmemo.model.fields import digests, number, string, texts
from gitmemo.model.ids import call_hid
from gitmemo.model.notation import (
    ContentId,
    input_json,
    json_of,
    json_of_name,
    output_json,
    read_input,
    read_output,
)

_BLOB = 4
"""Where in the array of a value its blob stands."""
MOST_SECONDS = 10**10
"""More is no duration of a call."""
_LONGEST_EXCERPT, _LONGEST_REASON = 80, 200  # a hostile line may be megabytes long
_UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
)
decoded = json.JSONDecoder().raw_decode
"""The array of a line, and where it ends."""


def to_line(fact: Fact) -> str:
    """Return the line of `fact`, without a newline."""
    return _call_line(fact) if type(fact) is Call else json_of(_WRITERS[type(fact)](fact))


def record_id(line: str) -> Digest:
    """Return the id of the fact that `line` holds."""
    return digest(line.encode("utf-8"))


def kind_of(line: str) -> str:
    """Return the kind of fact that `line` holds, without reading the rest."""
    return line[2 : line.find('"', 2)]


def from_line(line: str, content_id: Callable[[object], Digest]) -> Fact:
    """Read a fact; raise `CorruptRecord` for anything that `to_line` cannot have written.

    `content_id` gives the ids of inline values, which are not stored.
    """
    try:
        array, end = decoded(line)
        if end != len(line):
            raise ValueError("there is more behind it")
        return _READERS[array[0]](array, content_id)
    except _UNREADABLE as error:
        raise _corrupt(line, error) from error


def call_from(line: str, content_id: Callable[[object], Digest], hid: Digest | None = None) -> Call:
    """Read a call, whose history id may be known; raise `CorruptRecord` for anything else."""
    try:
        array, end = decoded(line)
        if end != len(line) or array[0] != "call":
            raise ValueError("it is not a call")
        return _read_call(array, content_id, hid)
    except _UNREADABLE as error:
        raise _corrupt(line, error) from error


def from_canonical_line(line: str, content_id: Callable[[object], Digest]) -> Fact:
    """Read a fact; raise `CorruptRecord` too where `to_line` writes it otherwise.

    What others wrote is read like this: a fact with two lines would have two record ids.
    """
    fact = from_line(line, content_id)
    try:
        written = to_line(fact)
    except _UNREADABLE as error:  # JSON is read with NaN, infinities and depths that none has
        raise _corrupt(line, error) from error
    if written != line:
        raise CorruptRecord(line[:_LONGEST_EXCERPT], "it is not written as gitmemo writes it")
    return fact


def _corrupt(line: str, error: Exception) -> CorruptRecord:
    reason = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
    return CorruptRecord(line[:_LONGEST_EXCERPT], reason)


# --- writing --------------------------------------------------------------


def _call_line(call: Call) -> str:
    # Put together from pieces: by far the most facts are calls, and one takes half the time.
    version = f'"{_version_text(call.version)}"' if call.version else "null"
    inputs = ",".join([input_json(slot) for slot in call.inputs])
    outputs = ",".join([output_json(slot) for slot in call.outputs])
    inner = ",".join([f'"{to_text(hid)}"' for hid in call.inner]) if call.inner else ""
    op = f"{json_of_name(call.op)},{call.op_version}"
    run = _run_json(call.run)
    return f'["call",{op},{version},[{inputs}],[{outputs}],[{inner}],{{{run}}}]'


def _run_json(run: Mapping[str, JsonValue]) -> str:
    told: list[str] = []
    for name in sorted(run):
        value = run[name]
        kind = type(value)
        if (kind is str and name != "start") or kind is bool:
            told.append(_said(name, cast("str | bool", value)))
        else:
            told.append(f"{json_of_name(name)}:{json_of(value)}")
    return ",".join(told)


@lru_cache(maxsize=1000, typed=True)
def _said(name: str, value: str | bool) -> str:
    """Return what is said of a run in the same words as of many others."""
    return f"{json_of_name(name)}:{json_of(value)}"


_version_text = lru_cache(maxsize=1000)(to_text)  # many calls have the same


def _write_version(version: Version) -> list[JsonValue]:
    files: dict[str, list[JsonValue]] = {}
    for component in sorted(version.pairs):
        content = version.pairs[component]
        unit: list[JsonValue] = [component.unit, to_text(content.source)]
        if content.value is not None:
            unit.append(to_text(content.value))
        files.setdefault(component.path, []).append(unit)
    return ["version", to_text(version.id), [[path, units] for path, units in files.items()]]


def _write_value(value: Value) -> list[JsonValue]:
    parts: list[JsonValue] = texts(value.parts)
    line: list[JsonValue] = [
        "value",
        to_text(value.cid),
        value.codec,
        value.size,
        to_text(value.blob),
    ]
    return [*line, parts] if parts else line


def _write_source(source: Source) -> list[JsonValue]:
    return [
        "source",
        source.component.path,
        source.component.unit,
        to_text(source.source),
        to_text(source.text),
        texts(source.parents),
    ]


def _write_tombstone(tombstone: Tombstone) -> list[JsonValue]:
    return [
        "tombstone",
        texts(tombstone.records),
        texts(tombstone.keys),
        tombstone.why,
        texts(tombstone.follows),
    ]


def _write_undo(undo: Undo) -> list[JsonValue]:
    return ["undo", texts(undo.tombstones), undo.why]


def _write_text(text: Text) -> list[JsonValue]:
    return ["text", text.text]


_WRITERS = cast(
    "dict[type, Callable[[Fact], list[JsonValue]]]",
    {
        Version: _write_version,
        Value: _write_value,
        Source: _write_source,
        Tombstone: _write_tombstone,
        Undo: _write_undo,
        Text: _write_text,
        **statement_lines.WRITERS,
    },
)

# --- reading --------------------------------------------------------------


def _run(value: object) -> dict[str, JsonValue]:
    if type(value) is not dict:
        raise TypeError(f"{value!r} is not an object")
    run = cast("dict[str, JsonValue]", value)
    seconds = run.get("seconds", 0)
    if not isinstance(seconds, (int, float)) or not 0 <= seconds < MOST_SECONDS:
        raise TypeError(f"{seconds!r} is not a duration")
    # Calls in their thousands say the same of python, user, commit: they share the texts.
    return {
        _shared(name): _shared(said) if type(said) is str and name != "start" else said
        for name, said in run.items()
    }


_shared = lru_cache(maxsize=1000)(str)


def _read_call(array: list[object], content_id: ContentId, hid: Digest | None = None) -> Call:
    inputs = cast("list[list[object]]", array[4])
    slots = tuple([read_input(slot, content_id) for slot in inputs])
    return made_call(array, slots, content_id, hid)


def made_call(
    array: list[object],
    slots: tuple[Slot, ...],
    content_id: ContentId,
    known_hid: Digest | None = None,
) -> Call:
    """Return the call of a line whose inputs were read, and perhaps its history id."""
    _, op, op_version, version, _inputs, outputs, inner, run = array
    code = None if version is None else version_id(string(version))
    name, table = string(op), number(op_version)
    hid = known_hid or call_hid(name, table, code, [(slot.name, slot.hid) for slot in slots])
    return Call(
        op=name,
        op_version=table,
        version=code,
        inputs=slots,
        outputs=tuple(
            [read_output(hid, output, content_id) for output in cast("list[list[object]]", outputs)]
        ),
        inner=digests(cast("list[str]", inner)),
        run=_run(run),
    ).known_as(hid)


version_id = lru_cache(maxsize=1000)(from_text)  # many calls have the same


def _read_version(array: list[object], _: ContentId) -> Version:
    pairs: dict[Component, Content] = {}
    for path, units in cast("list[tuple[str, list[list[str]]]]", array[2]):
        for unit in units:
            component, content = _pair(path, *unit)
            pairs[component] = content
    version = Version(pairs)
    if version.id != from_text(string(array[1])):
        raise ValueError("the version does not match its id")
    return version


@lru_cache(maxsize=16_384)  # each content is in many versions
def _pair(path: str, unit: str, source: str, *value: str) -> tuple[Component, Content]:
    return (
        Component(string(path), string(unit)),
        Content(from_text(source), from_text(*value) if value else None),
    )


def _read_value(array: list[object], _: ContentId) -> Value:
    _kind, cid, codec, size, blob, *parts = array
    names = digests(cast("list[str]", parts[0])) if parts else ()
    return Value(
        from_text(string(cid)), string(codec), number(size), from_text(string(blob)), names
    )


def blob_of(line: str) -> Digest:
    """Return the blob that the line of a value names, without the rest."""
    return from_text(string(decoded(line)[0][_BLOB]))


def _read_source(array: list[object], _: ContentId) -> Source:
    _kind, path, unit, source, text, parents = array
    return Source(
        Component(string(path), string(unit)),
        from_text(string(source)),
        from_text(string(text)),
        digests(cast("list[str]", parents)),
    )


def _read_tombstone(array: list[object], _: ContentId) -> Tombstone:
    _kind, records, keys, why, follows = array
    return Tombstone(
        digests(cast("list[str]", records)),
        digests(cast("list[str]", keys)),
        string(why),
        digests(cast("list[str]", follows)),
    )


def _read_undo(array: list[object], _: ContentId) -> Undo:
    _kind, tombstones, why = array
    return Undo(digests(cast("list[str]", tombstones)), string(why))


def _read_text(array: list[object], _: ContentId) -> Text:
    return Text(string(array[1]))


_READERS: dict[str, Callable[[list[object], ContentId], Fact]] = {
    "call": _read_call,
    "version": _read_version,
    "value": _read_value,
    "source": _read_source,
    "tombstone": _read_tombstone,
    "undo": _read_undo,
    "text": _read_text,
    **statement_lines.READERS,
}
