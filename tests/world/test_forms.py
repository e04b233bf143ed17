"""Lines that are read by the form of those before them are read as they would be alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.errors import CorruptRecord, OlderFormat
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest, to_text
from gitmemo.hashing.encoding import part
from gitmemo.model.facts import Call, Inline, Slot
from gitmemo.model.items import Item, raw
from gitmemo.model.lines import from_canonical_line, to_line
from gitmemo.world.derived import open_derived
from gitmemo.world.forms import Drawn, Forms
from gitmemo.world.index import Index
from gitmemo.world.packing import Pattern
from gitmemo.world.sketches import sketch_of_line
from gitmemo.world.table import DERIVED_VERSION, sketch_of
from tests.world.test_sketches import digests, noted, plain_calls, values


def like(call: Call, draw: st.DrawFn) -> Call:
    """Return a call whose line may have the form of that of `call`, with other values."""
    inputs = tuple(
        Slot.of(slot.name, draw(values), draw(st.none() | digests)) for slot in call.inputs
    )
    other = replace(call, inputs=inputs, run=draw(noted))
    made = [Slot.output(other.hid, slot.name, draw(values)) for slot in call.outputs]
    return replace(other, outputs=tuple(made))


@st.composite
def resembling(draw: st.DrawFn) -> list[Call]:
    call = draw(plain_calls())
    return [call, *(like(call, draw) for _ in range(draw(st.integers(1, 2))))]


def taught(*lines: str) -> Forms:
    forms = Forms(fewest_lines=1)
    for line in lines:
        forms.drawn(line)
    return forms


def by_the_fact(line: str) -> Drawn:
    return Drawn(sketch_of(from_canonical_line(line, content_id), line), line)


@given(resembling())
def test_a_form_gives_the_sketch_of_the_fact_and_can_be_filled(calls: list[Call]) -> None:
    lines = [to_line(call) for call in calls]
    forms = taught(*lines)
    for line in lines:
        drawn = forms.drawn(line)
        assert drawn is not None
        assert drawn[:2] == by_the_fact(line)[:2]
        assert drawn.pattern, "the form was not used"
        assert Pattern(drawn.pattern).fill(drawn.fields) == line
        assert not drawn.fields.startswith("["), "it could be taken for a line"


@given(resembling(), st.data())
def test_a_form_refuses_what_is_refused_without_it(calls: list[Call], data: st.DataObject) -> None:
    line, *others = [to_line(call) for call in calls]
    forms = taught(line, *others)
    at = data.draw(st.integers(0, len(line) - 1))
    end = data.draw(st.integers(at, min(at + 3, len(line))))
    put = data.draw(st.text('0123456789.eE+-"[]{},:vptruefalsnl\\_A\n%', max_size=3))
    agree(forms, line[:at] + put + line[end:])


def slots(inputs: str, outputs: str = '["y",{"v":2}]', seconds: str = "0.5") -> str:
    return f'["call","f",0,null,[{inputs}],[{outputs}],[],{{"seconds":{seconds},"start":"s"}}]'


A = to_text(Digest(bytes(32)))
TAUGHT = [
    slots('["x",{"v":1}]'),
    slots('["x",{"v":1.5}]', '["y",{"v":1.5}]'),
    slots(f'["x","{A}","{to_text(content_id(1))}"]'),
]


@pytest.mark.parametrize("text", ["-0", "007", "1.50", "1e999", "1E5", "1e5", "NaN", "1_0", "1."])
def test_a_form_takes_no_number_that_python_writes_otherwise(text: str) -> None:
    forms = taught(*TAUGHT)
    agree(forms, slots(f'["x",{{"v":{text}}}]'))
    agree(forms, slots('["x",{"v":1}]', f'["y",{{"v":{text}}}]'))
    agree(forms, slots('["x",{"v":1.5}]', f'["y",{{"v":{text}}}]'))
    agree(forms, slots('["x",{"v":1}]', seconds=text))


@pytest.mark.parametrize(
    "line",
    [
        slots(f'["x","{A}","{A}"]'),
        slots('["x",{"p":"AA"}]'),
        slots('["x",{"v":1},' + f'"{to_text(raw(content_id(1)).hid)}"]'),
        slots(f'["x","{A}"]', f'["y","{A[:-1]}B"]'),
        slots('["x",{"v":1}]', seconds="10000000000"),
        slots('["x",{"v":1}]', seconds="-1.0"),
        slots('["x",{"v":1}]').replace('{"seconds"', '{"b":true,"a":true,"seconds"'),
        slots('["x",{"v":1}]').replace('{"seconds"', '{"a":true,"a":true,"seconds"'),
        slots('["x",{"v":1}]') + "\n",
        slots('["x",{"v":1}]') + slots('["x",{"v":1}]'),
    ],
)
def test_a_form_takes_nothing_that_no_writer_writes(line: str) -> None:
    agree(taught(*TAUGHT), line)


def agree(forms: Forms, line: str) -> None:
    drawn = forms.drawn(line)
    alone = sketch_of_line(line)
    assert (drawn and drawn.sketch) == alone
    if drawn is not None:
        try:
            from_canonical_line(line, content_id)
        except CorruptRecord as error:
            raise AssertionError(f"{line!r} is refused: {error}") from error


def test_an_index_gives_back_every_line_however_it_is_kept() -> None:
    lines = [
        to_line(_call(op, number, commit))
        for number in range(99)
        for op in ("100%", "%s f")
        for commit in ("a" * 40, "%d", f"{number}")
    ]
    index = Index(None)
    file, _ = index.file("segment", "", "one")
    with index.loading():
        index.add_members(file, lines[:250])
    other, _ = index.file("segment", "", "two")
    with index.loading():
        index.add_members(other, lines)
    assert index.lines(range(1, len(lines) + 1)) == lines
    assert index.members([file]) == set(range(1, 251))
    assert index.members([other]) == set(range(1, len(lines) + 1))
    kept = {type(line) for (line,) in index.rows("select line from fact")}
    filled = index.rows("select count(*) from fact where line not like '[%'")
    assert kept == {str, bytes}
    assert filled[0][0] > 200, "too few lines are kept by their form"
    index.close()


def test_marks_are_indexed_after_the_first_load_and_not_before() -> None:
    index = Index(None)
    call = _call("f", 1, "a")
    again = replace(call, run={**call.run, "start": "t"})
    lines = [to_line(call), to_line(again)]
    file, _ = index.file("segment", "", "one")
    with index.loading():
        index.add_members(file, lines[:1])
        index.add_members(file, lines)  # the first is known, the second has its mark
        index.add_members(file, lines)
    assert [call for _, call in index.calls_with_key(call.key)] == [call, again]
    plan = index.rows("explain query plan select id from fact where mark = 1")
    assert "fact_mark" in str(plan)
    with pytest.raises(ZeroDivisionError), index.loading():
        raise ZeroDivisionError
    index.close()


def test_a_first_load_that_fails_leaves_an_index_that_can_be_loaded() -> None:
    index = Index(None)
    line = to_line(_call("f", 1, "a"))
    with pytest.raises(CorruptRecord), index.loading():
        file, _ = index.file("segment", "", "one")
        index.add_members(file, [line, "[]"])
    with index.loading():
        file, _ = index.file("segment", "", "one")
        index.add_members(file, [line])
    assert index.lines([1]) == [line]
    assert "fact_mark" in str(index.rows("explain query plan select id from fact where mark = 1"))
    index.close()


def test_an_index_of_an_older_scheme_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    older = Index(path)
    older.add([_call("f", 1, "a")])
    older.close()
    with pytest.raises(OlderFormat):
        Index(path, DERIVED_VERSION)
    index = open_derived(path)
    assert index.newest() == 0
    index.add([_call("f", 2, "a")])
    index.close()
    again = open_derived(path)
    assert again.newest() == 1, "what is of this scheme is kept"
    again.close()


def _call(op: str, number: int, commit: str) -> Call:
    inputs = (Slot.of("x", raw(content_id(number), Inline(number))), Slot.of("y", _complex()))
    call = Call(op, 0, None, inputs, (), run={"commit": commit, "seconds": 0.5, "start": "s"})
    return replace(call, outputs=(Slot.output(call.hid, "output_0", raw(content_id(number))),))


def _complex() -> Item:
    return raw(content_id(1j), None, part(1j))
