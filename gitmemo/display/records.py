"""Lines of facts as lines for people: what `git diff` and `gitmemo show` print of a segment.

Not the reading of facts (`model.lines`): nothing is checked here, and what is not
understood is shown as it is. Git starts this file as a program, once for every
segment in a diff, so it imports nothing but a little of the standard library.
Invariant: one line for each line, in the same order, and nothing in it that
could steer a terminal.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterable, Iterator

_SHORT = 12
_LONGEST = 60
Json = object
"""What JSON holds; this file knows only the shapes that it prints."""


def readable(data: bytes) -> Iterator[str]:
    """Yield the lines of a segment as people read them."""
    lines = data.decode("utf-8", "replace").split("\n")
    if not lines[-1]:
        del lines[-1]
    return map(sentence, lines)


def sentence(line: str) -> str:
    """Return what a line says; the line itself if it is none that is known."""
    try:
        array = json.loads(line)
        if isinstance(array, dict):  # the stub of a segment
            return f"spilled: {int(array['size']):,} bytes are on a remote"
        text = _SENTENCES[array[0]](array)
    except Exception:  # noqa: BLE001  the line may hold anything, and is shown then as it is
        text = line
    return "".join(c if c.isprintable() else "�" for c in text)


def _call(array: list[Json]) -> str:
    _kind, op, table, version, inputs, outputs, inner, run = array
    arguments = ", ".join([_input(*slot) for slot in _pairs(inputs)])
    returned = ", ".join([f"{slot[0]} = {_value(slot[1])}" for slot in _pairs(outputs)])
    facts = list(_run(_dict(run)))
    if table:
        facts.append(f"table {table}")
    if version is not None:
        facts.append(f"version {_id(version)}")
    if inner:
        facts.append(f"inside it {', '.join(map(_id, _list(inner)))}")
    kind = "link" if "same" in _dict(run) else "call"
    return f"{kind} {op}({arguments}) -> {returned or 'nothing'}  [{'; '.join(facts)}]"


def _run(run: dict[str, Json]) -> Iterator[str]:
    if "same" in run:
        yield f"same as {str(run['same'])[:_SHORT]}"
    if "start" in run:
        yield str(run["start"])
    if "seconds" in run:
        yield f"{run['seconds']} s"
    if "commit" in run:
        yield f"at {str(run['commit'])[:_SHORT]}{' with changes' if run.get('dirty') else ''}"
    known = ("same", "start", "seconds", "commit", "dirty")
    rest = {key: value for key, value in run.items() if key not in known}
    yield from (f"{key} {v if isinstance(v, str) else _plain(v)}" for key, v in rest.items())


def _input(name: Json, value: Json, history: Json = None) -> str:
    return f"{name}={_value(value)}" + (f" of {_id(history)}" if history is not None else "")


def _value(value: Json) -> str:
    if isinstance(value, str):
        return f"<{_id(value)}>"
    ((kind, inner),) = _dict(value).items()
    if kind == "v":
        return _plain(inner)
    if kind == "p":
        return f"<{_encoded(str(inner))}>"
    if not isinstance(inner, list):
        return f"<large {kind} {_value(inner)}>"
    return _cut(f"{kind}({', '.join(_items(kind, inner))})")


def _items(kind: str, listed: list[Json]) -> Iterator[str]:
    for number, item in enumerate(listed):
        if kind == "dict":
            key, held = _list(item)
            yield f"{_item(key)}: {_item(held)}"
        else:
            yield _value(item) if kind == "object" and not number else _item(item)


def _item(item: Json) -> str:
    if isinstance(item, list):
        value, history = item
        return f"{_value(value)} of {_id(history)}"
    return _value(item) if isinstance(item, str | dict) else _plain(item)


def _encoded(text: str) -> str:
    """Say what a short encoding is of; docs/content-ids.md has the rules."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if data[:1] == b"R":
        return data[2 : 2 + data[1]].decode("ascii")
    return {b"c": "complex", b"(": "tuple", b"S": "set", b"b": "bytes"}.get(data[:1], "small")


def _version(array: list[Json]) -> str:
    _kind, ident, files = array
    units = [f"{path}: {', '.join(map(_unit, _list(held)))}" for path, held in _pairs(files)]
    return f"version {_id(ident)}  {'; '.join(units)}"


def _unit(unit: Json) -> str:
    name, *ids = _list(unit)
    return f"{name} {' '.join(map(_id, ids))}"


def _stored(array: list[Json]) -> str:
    _kind, cid, codec, size, blob, *parts = array
    rest = f", with {_count(len(_list(parts[0])), 'value')} that it names" if parts else ""
    return f"value {_id(cid)}  {codec}, {_count(size, 'byte')}, blob {_id(blob)}{rest}"


def _count(number: Json, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _source(array: list[Json]) -> str:
    _kind, path, unit, source, text, parents = array
    return f"source {path}:{unit} {_id(source)}  text {_id(text)}{_names('after', parents)}"


def _decision(array: list[Json]) -> str:
    _kind, path, unit, old, new, verdict, why, supersedes, _parents, who = array
    said = f"decision {path}:{unit} {_id(old)} to {_id(new)}: {verdict}{_why(why)}"
    by = "".join(f"; {key} {_plain(value)}" for key, value in _dict(who).items())
    return f"{said}{_names('instead of', supersedes)}{by}"


def _move(array: list[Json]) -> str:
    _kind, path, unit, source, to, to_unit, new, why, supersedes = array
    said = f"move {path}:{unit} {_id(source)} is {to}:{to_unit} {_id(new)}"
    return f"{said}{_why(why)}{_names('instead of', supersedes)}"


def _dependency(array: list[Json]) -> str:
    _kind, path, unit, source, on, on_unit, content, _value_id, why, supersedes = array
    which = f" {_id(source)}" if source is not None else ""
    said = f"dependency {path}:{unit}{which} depends on {on}:{on_unit} {_id(content)}"
    return f"{said}{_why(why)}{_names('instead of', supersedes)}"


def _rename(array: list[Json]) -> str:
    _kind, what, of, old, new, why, supersedes = array
    owner = f" of {of}" if of else ""
    return f"rename {what} {old}{owner} is {new}{_why(why)}{_names('instead of', supersedes)}"


def _tag(array: list[Json]) -> str:
    _kind, name, hid, cid, why, supersedes = array
    said = f"tag {name} is {_id(hid)} with content {_id(cid)}"
    return f"{said}{_why(why)}{_names('instead of', supersedes)}"


def _withdrawal(array: list[Json]) -> str:
    _kind, supersedes, why = array
    return f"withdrawal{_names('of', supersedes)}{_why(why)}"


def _tombstone(array: list[Json]) -> str:
    _kind, records, _keys, why, follows = array
    return f"tombstone{_names('for', records)}{_why(why)}{_names('after', follows)}"


def _undo(array: list[Json]) -> str:
    _kind, tombstones, why = array
    return f"undo{_names('of', tombstones)}{_why(why)}"


_SENTENCES: dict[str, Callable[[list[Json]], str]] = {
    "call": _call,
    "version": _version,
    "value": _stored,
    "source": _source,
    "decision": _decision,
    "move": _move,
    "dependency": _dependency,
    "rename": _rename,
    "tag": _tag,
    "withdrawal": _withdrawal,
    "tombstone": _tombstone,
    "undo": _undo,
}


def _id(text: Json) -> str:
    """Return the first digits of an id, as people see ids."""
    return base64.urlsafe_b64decode(f"{text}=").hex()[:_SHORT]


def _why(why: Json) -> str:
    return f" ({why})" if why else ""


def _names(word: str, records: Json) -> str:
    return f" {word} {', '.join(map(_id, _list(records)))}" if records else ""


def _plain(value: Json) -> str:
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value


def _dict(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


def _pairs(value: Json) -> Iterable[list[Json]]:
    return map(_list, _list(value))


def main(path: str) -> None:
    """Write the file at `path` for people: all of it at once, or nothing."""
    with open(path, "rb") as file:  # noqa: PTH123  pathlib takes longer to import than all of this
        text = "".join(f"{line}\n" for line in readable(file.read()))
    sys.stdout.buffer.write(text.encode("utf-8"))


if __name__ == "__main__":
    main(sys.argv[1])
