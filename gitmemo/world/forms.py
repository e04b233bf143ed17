"""Forms: what lines of calls of one op have in common, whatever their values.

Not another reading of lines (`sketches`). Invariant: a line that a form reads has the sketch
that `sketch_of_line` gives it, and is its pattern, filled with its fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.ids import output_hid, raw_hid
from gitmemo.world.packing import FILLED
from gitmemo.world.sketches import (
    ALL_NOTED,
    DIGEST,
    INT,
    NUMBER,
    TEXT,
    VALUE,
    WHOLE,
    Sketch,
    ids_of,
    in_common,
    is_output,
    match_call,
    micros_of_text,
    sketch_of_line,
    slots_in,
)

# An expression costs as much to make as some dozen lines to read without one.
_FEWEST_LINES = 64
_LONGEST = 2000  # what is kept of lines must not be much, whoever wrote them
_MOST_FORMS = 8  # of one op and version: numbers or texts or ids, with a history or without
_MOST_HEADS = 500
_MOST_NOTED = 100
_INNER = rf"(?:{DIGEST}(?:,{DIGEST})*)?"


class Drawn(NamedTuple):
    """A line, its sketch, and how it can be kept: a pattern and what fills it, or neither."""

    sketch: Sketch
    line: str
    pattern: str = ""
    fields: str = ""


class Forms:
    """Reads lines of calls by the forms of those before them."""

    def __init__(self, fewest_lines: int = _FEWEST_LINES) -> None:
        """Make a form of what so many lines have in common."""
        self._fewest_lines = fewest_lines
        self._known: dict[str, list[_Form]] = {}
        self._seen: dict[str, int] = {}

    def drawn(self, line: str) -> Drawn | None:
        """Return a plain call with its sketch; None for everything else."""
        head = line[: line.find(",[")]
        known = self._known.get(head, ()) if len(line) <= _LONGEST else ()
        for place, form in enumerate(known):
            drawn = form.drawn(line)
            if drawn is not None:
                if place:  # the next is likely to be like it
                    self._known[head].insert(0, self._known[head].pop(place))
                return drawn
        sketch = sketch_of_line(line)
        if sketch is None:
            return None
        if len(known) < _MOST_FORMS and len(line) <= _LONGEST:
            self._notice(head, line)
        return Drawn(sketch, line)

    def _notice(self, head: str, line: str) -> None:
        """Make a form of what was seen several times."""
        parts = _parts_of(line)
        seen = self._seen[parts.expression] = self._seen.get(parts.expression, 0) + 1
        if seen >= self._fewest_lines:
            if len(self._known) > _MOST_HEADS:
                self._known.clear()
            self._known.setdefault(head, []).insert(0, _Form(parts))
        if len(self._seen) > _MOST_HEADS:
            self._seen.clear()


class _Parts(NamedTuple):
    """What a form is made of.

    Attributes:
        expression: What its lines look like; a group for each field, and one for what is noted.
        before, after: Its pattern, without what is noted of a run.
        head: Op, version of the table, version of the code, as they stand in the line.
        inputs: Of each its name, whether it is a whole number, and whether it has a history.
        outputs: Of each its name, and whether it is a whole number.
    """

    expression: str
    before: str
    after: str
    head: tuple[str, str, str]
    inputs: tuple[tuple[str, bool, bool], ...]
    outputs: tuple[tuple[str, bool], ...]


class _Form:
    def __init__(self, parts: _Parts) -> None:
        self._match = re.compile(parts.expression).fullmatch
        self._before, self._after = parts.before, parts.after
        self._patterns: dict[str, str] = {}
        names = tuple([name for name, _ in parts.outputs])
        common = in_common(*parts.head, tuple([name for name, _, _ in parts.inputs]), names)
        assert common is not None  # the line had a sketch
        self._look, self._ids = common
        self._names = names
        self._readers = list(_readers(parts.inputs))
        start = len(self._readers) + sum(has_history for _, _, has_history in parts.inputs)
        self._to_check = [
            place for place, (_, is_whole) in enumerate(parts.outputs, start) if not is_whole
        ]
        self._noted = start + len(parts.outputs) + 1

    def drawn(self, line: str) -> Drawn | None:
        """Return a line with its sketch; None if it is not of this form, or no fact."""
        match = self._match(line)
        if match is None:
            return None
        fields = match.groups()
        cids, hids = [], []
        for read, place, history in self._readers:
            ids = read(fields[place], fields[history][1:-1] if history else "")
            if ids is None:
                return None
            cids.append(ids[0])
            hids.append(ids[1])
        for place in self._to_check:
            if not is_output(fields[place]):
                return None
        at = self._noted
        noted = fields[at]
        micros = micros_of_text(noted, fields[at + 1])
        if micros is None:
            return None
        hid = self._ids.hid(hids)
        made = [output_hid(hid, name) for name in self._names]
        sketch = Sketch(self._ids.key(cids), self._look, micros, hid, made)
        pattern = self._patterns.get(noted) or self._pattern(noted)
        return Drawn(sketch, line, pattern, FILLED.join(fields[:at] + fields[at + 1 :]))

    def _pattern(self, noted: str) -> str:
        # One object for all lines: its hash is computed once.
        if len(self._patterns) > _MOST_NOTED:
            self._patterns.clear()
        pattern = self._patterns[noted] = f"{self._before}{noted}{self._after}"
        return pattern


_Reader = Callable[[str, str], tuple[Digest, Digest] | None]


def _readers(inputs: Sequence[tuple[str, bool, bool]]) -> Iterator[tuple[_Reader, int, int]]:
    """Yield how the ids of each input are found, and the places of its value and its history."""
    place = 0
    for _, is_whole, has_history in inputs:
        yield _ids_of_whole if is_whole else ids_of, place, place + 1 if has_history else 0
        place += 2 if has_history else 1


@lru_cache(maxsize=4096)  # many calls have arguments in common
def _ids_of_whole(text: str, _history: str) -> tuple[Digest, Digest]:
    cid = content_id(int(text))
    return cid, raw_hid(cid)


def _parts_of(line: str) -> _Parts:
    """Return what the form of a line is made of; the line has a sketch."""
    match = match_call(line)
    assert match is not None
    op, number, version, inputs, outputs, _noted, _seconds = match.groups()
    given = [
        (name, _is_whole(value) and not history, bool(history))
        for name, value, history in slots_in(inputs)
    ]
    made = [(name, _is_whole(value)) for name, value, _ in slots_in(outputs)]
    has_start = line.startswith(',"start":', match.end(7))
    slots = ",".join([_input_form(*slot) for slot in given])
    results = ",".join([_output_form(*slot) for slot in made])
    before = f'["call",{op},{number},{version},[{slots}],[{results}],[{FILLED}],{{'
    after = f'"seconds":{FILLED}' + (f',"start":{FILLED}' if has_start else "") + "}]"
    holes = [*_holes(given), *(INT if w else VALUE for _, w in made), _INNER]
    behind = [NUMBER, TEXT] if has_start else [NUMBER]
    expression = f"{_expression(before, holes)}({ALL_NOTED}){_expression(after, behind)}"
    return _Parts(expression, before, after, (op, number, version), tuple(given), tuple(made))


def _is_whole(value: str) -> bool:
    return WHOLE.fullmatch(value) is not None


def _input_form(name: str, is_whole: bool, has_history: bool) -> str:
    value = f'{{"v":{FILLED}}}' if is_whole else FILLED
    return f'["{name}",{value}' + (f",{FILLED}]" if has_history else "]")


def _output_form(name: str, is_whole: bool) -> str:
    return _input_form(name, is_whole, has_history=False)


def _holes(inputs: Sequence[tuple[str, bool, bool]]) -> Iterator[str]:
    for _, is_whole, has_history in inputs:
        yield INT if is_whole else VALUE
        if has_history:
            yield DIGEST


def _expression(pattern: str, holes: Sequence[str]) -> str:
    first, *rest = pattern.split(FILLED)
    return re.escape(first) + "".join(
        f"({hole}){re.escape(constant)}" for hole, constant in zip(holes, rest, strict=True)
    )
