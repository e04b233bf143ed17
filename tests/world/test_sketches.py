"""What the index keeps of a line is the same whether or not a fact was made of it."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.errors import CorruptRecord
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest, to_text
from gitmemo.hashing.encoding import part
from gitmemo.model.facts import Call, Inline, Slot, referenced_cids
from gitmemo.model.items import Item, raw
from gitmemo.model.lines import from_canonical_line, to_line
from gitmemo.world.sketches import Sketch, needs_of_line, sketch_of_line
from gitmemo.world.table import sketch_of

texts = st.text(string.ascii_letters + " _:é{}[],*", max_size=8)
digests = st.binary(min_size=32, max_size=32).map(Digest)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = (
    scalars.map(lambda value: raw(content_id(value), Inline(value)))
    | digests.map(raw)
    | st.complex_numbers(allow_nan=False).map(lambda v: raw(content_id(v), None, part(v)))
)
seconds = st.floats(0, 1e6) | st.integers(0, 10**9)
noted = st.fixed_dictionaries(
    {"seconds": seconds, "start": texts},
    optional={"commit": texts, "dirty": st.booleans(), "python": texts, "same": texts},
)


@st.composite
def plain_calls(draw: st.DrawFn) -> Call:
    names = draw(st.lists(texts, max_size=3, unique=True))
    inputs = [Slot.of(name, draw(values), draw(st.none() | digests)) for name in names]
    version = draw(st.none() | digests)
    inner = tuple(draw(st.lists(digests, max_size=2)))
    call = Call(
        draw(texts), draw(st.integers(0, 9)), version, tuple(inputs), (), inner, draw(noted)
    )
    made = [Slot.output(call.hid, name, draw(values)) for name in draw(st.lists(texts, max_size=2))]
    return replace(call, outputs=tuple(made))


def by_the_fact(line: str) -> Sketch:
    return sketch_of(from_canonical_line(line, content_id), line)


@given(plain_calls())
def test_a_plain_call_has_the_sketch_of_its_fact(call: Call) -> None:
    line = to_line(call)
    assert sketch_of_line(line) == by_the_fact(line)
    assert needs_of_line(line) == (call.version, referenced_cids([call]))


def run(text: str) -> str:
    return f'["call","f",0,null,[["x",{{"v":1}}]],[["y",{{"v":2}}]],[],{{{text}}}]'


def slots(inputs: str, outputs: str = '["y",{"v":2}]') -> str:
    return f'["call","f",0,null,[{inputs}],[{outputs}],[],{{"seconds":0.5,"start":"s"}}]'


A = to_text(Digest(bytes(32)))


@given(plain_calls().map(to_line), st.data())
def test_a_damaged_line_has_no_other_sketch_than_its_fact(line: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(line) - 1))
    end = data.draw(st.integers(at, min(at + 3, len(line))))
    put = data.draw(st.text('0123456789.eE+-"[]{},:vptruefalsnl\\_A', max_size=3))
    agree(line[:at] + put + line[end:])


@given(
    st.sampled_from(["-0", "007", "1.50", "1e999", "1E5", "1e5", "NaN", "1_0", "0.0", "-0.0", "1."])
)
def test_a_number_that_is_not_written_as_python_writes_it_has_no_sketch(text: str) -> None:
    agree(slots(f'["x",{{"v":{text}}}]'))
    agree(slots('["x",{"v":1}]', f'["y",{{"v":{text}}}]'))
    agree(run(f'"seconds":{text},"start":"s"'))


@pytest.mark.parametrize(
    "line",
    [
        run('"python":"3","commit":"c","seconds":1.0,"start":"s"'),
        run('"commit":"c","commit":"d","seconds":1.0,"start":"s"'),
        run('"seconds":10000000000,"start":"s"'),
        run('"seconds":-1.0,"start":"s"'),
        run('"seconds":true,"start":"s"'),
        run('"ticks":"c","seconds":1.0,"start":"s"'),
        slots('["x",{"v":1}],["x",{"v":2}]'),
        slots(f'["x","{A}"]', f'["y","{A[:-1]}B"]'),
        slots(f'["x","{A}","{A}"]'),
        slots('["x",{"p":"AA"}]'),
        slots('["x",{"v":1}]', f'["y",{{"v":1}},"{A}"]'),
        slots('["x",{"v":1}],'),
        slots('["x",{"v":1},' + f'"{to_text(raw(content_id(1)).hid)}"]'),
    ],
)
def test_what_no_writer_writes_has_no_sketch(line: str) -> None:
    agree(line)


def agree(line: str) -> None:
    sketch = sketch_of_line(line)
    if sketch is None:
        return  # then the fact is made
    try:
        expected = by_the_fact(line)
    except CorruptRecord as error:
        raise AssertionError(f"{line!r} is refused: {error}") from error
    assert sketch == expected


def test_an_item_is_no_plain_value() -> None:
    item = Item(content_id(1), Digest(bytes(32)))
    call = Call("f", 0, None, (Slot.of("x", item),), ())
    assert sketch_of_line(to_line(call)) is None, "nothing is noted of the run"
