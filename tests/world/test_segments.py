"""Segments and journals: unions that any order gives, and nothing half-written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmemo.errors import CorruptJournal, CorruptRecord, CorruptSegment
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import digest, to_hex
from gitmemo.model.facts import Text
from gitmemo.model.lines import from_canonical_line, to_line
from gitmemo.world.journal import Journal, Place, read_entries, repair
from gitmemo.world.segments import build_segment, damage, read_segment, segment_name
from gitmemo.world.sketches import sketch_of_line
from gitmemo.world.table import sketch_of

lines = st.lists(
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1)
)


@given(lines, lines)
def test_a_segment_is_a_set_of_lines(some: list[str], more: list[str]) -> None:
    segment = build_segment([*some, *more])
    assert segment == build_segment([*more, *some, *some])
    path = segment.path("2026-01")
    assert set(read_segment(path, segment.data)) == {*some, *more}
    assert segment_name(path) == segment.name


@given(lines, st.data())
def test_a_changed_segment_is_refused(some: list[str], data: st.DataObject) -> None:
    segment = build_segment(["x", *some])
    at = data.draw(st.integers(0, len(segment.data) - 1))
    damaged = bytearray(segment.data)
    damaged[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CorruptSegment, match="do not match"):
        read_segment(segment.path("2026-01"), bytes(damaged))


@pytest.mark.parametrize(
    "path",
    [
        "x.jsonl",
        ".gitmemo/index/1/2026-01/../../../x.jsonl",
        f".gitmemo/index/1/2026-01/{'A' * 64}.jsonl",
        f".gitmemo/index/1/2026-01/{'a' * 63}.jsonl",
        f".gitmemo/index/2/2026-01/{'a' * 64}.jsonl",
        f".gitmemo/index/1/2026-00/{'a' * 64}.jsonl",
        f".gitmemo/index/1/2026-13/{'a' * 64}.jsonl",
        f".gitmemo/index/1/２０２６-01/{'a' * 64}.jsonl",
        f".gitmemo/index/1/2026-01/{'a' * 64}.JSONL",
        f".gitmemo/index/1/2026-01/{'a' * 64}.jsonl\n",
        f".gitmemo/index/1/2026-01/x/{'a' * 64}.jsonl",
        f".gitmemo/index/1/./2026-01/{'a' * 64}.jsonl",
        f"a/.gitmemo/index/1/2026-01/{'a' * 64}.jsonl",
    ],
)
def test_only_segments_are_named_like_segments(path: str) -> None:
    assert segment_name(path) is None
    with pytest.raises(CorruptSegment):
        read_segment(path, b"")


def named(data: bytes) -> str:
    """Return the path of a segment with these bytes: as somebody could commit it."""
    return f".gitmemo/index/1/2026-01/{to_hex(digest(data))}.jsonl"


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (b'["a"]\n["b"]', 2, "no end"),
        (b'["b"]\n["a"]\n', 2, "does not sort"),
        (b'["a"]\n["a"]\n', 2, "does not sort"),
        (b'["a"]\n["b\xff"]\n', 2, "not UTF-8"),
        (b"\0", 1, "no end"),
    ],
)
def test_a_segment_is_sorted_whole_lines(data: bytes, line: int, reason: str) -> None:
    with pytest.raises(CorruptSegment, match=reason) as caught:
        read_segment(named(data), data)
    assert caught.value.line == line
    assert f"line {line} of the index segment .gitmemo/index" in str(caught.value)
    assert "git checkout COMMIT -- .gitmemo/index" in str(caught.value)


@given(st.binary(max_size=200) | st.lists(st.binary(max_size=30)).map(b"\n".join))
def test_random_bytes_are_lines_or_one_error(data: bytes) -> None:
    try:
        found = read_segment(named(data), data)
    except CorruptSegment as error:
        assert error.remedy() and error.problem().isprintable()
        return
    assert build_segment(found).data == data
    for error in damage(named(data), found):
        assert error.line and error.problem().isprintable()


DEEP = 100_000
HOSTILE = [
    "",
    "null",
    "[]",
    "{}",
    '["call"]',
    '["surprise",1]',
    '["call","m:f",0,null,[],[],[],{}] ',
    '["call","m:f",0,null,[],[],[],{}]\x00',
    '["call","m\\u0000f",0,null,[],[],[],{"\x1b[31m":1}]',
    '["call","m:\\ud800",0,null,[],[],[],{}]',
    '["call","m:f",0,null,[],[],[],{"seconds":1e999}]',
    '["call","m:f",0,null,[["x",{"v":' + "9" * 5000 + "}]],[],[],{}]",
    '["call","m:f",0,null,[["x",{"v":' + "[" * DEEP + "]" * DEEP + "}]],[],[],{}]",
    '["call","m:f",0,null,[["x",{"list":' * 400 + "]" * 400,
    '["call","m:f",0,null,[["x",{"v":' + "[" * 500 + "]" * 500 + "}]],[],[],{}] ",
    '["call","m:f",0,null,[["x",{"v":1e999}]],[],[],{}]',
    '["call","m:f",0,null,[],[["y",{"v":NaN}]],[],{}]',
    '["call","m:f",0,null,[["x",{"v":[1,{"a":-Infinity}]}]],[],[],{"seconds":1}]',
    '["call","m:f",0,null,[["x",{"list":[NaN]}]],[],[],{}]',
    '["call","m:f",0,null,[],[],[],{"note":NaN}]',
    '["value","' + "A" * 10_000_000 + '","json",1,"A"]',
    '["version","' + "A" * 43 + '",[["f.py",[["f","' + "A" * 43 + '"]]]]]',
]


@pytest.mark.parametrize("line", HOSTILE, ids=range(len(HOSTILE)))
def test_a_line_that_is_no_fact_is_named(line: str) -> None:
    path = named(line.encode())
    (error,) = damage(path, [to_line(Text("x")), line])
    assert error.line == 2
    assert path in error.problem()
    assert error.problem().isprintable()
    assert len(error.problem()) < 1000


WHOLE = (
    '["call","m:f",0,null,[["x",{"v":42}],["z",{"list":[1,{"v":"a"}]}]],[["y",{"v":[1.5]}]],[],'
    '{"seconds":0.5,"start":"s"}]'
)
ODD = st.sampled_from(
    [
        "NaN",
        "-Infinity",
        "1e999",
        "-0.0",
        "1" * 30,
        "9" * 5000,
        "null",
        '""',
        '"\\ud800"',
        "{}",
        "[[]]",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100), ODD), min_size=1, max_size=3))
def test_a_call_with_odd_values_is_a_fact_or_one_error(changes: list[tuple[int, str]]) -> None:
    pieces = re.split(r'("[a-z]*"|[0-9.]+)', WHOLE)
    for at, odd in changes:
        pieces[at % (len(pieces) // 2) * 2 + 1] = odd
    line = "".join(pieces)
    assert not [*damage(named(b""), [WHOLE])]
    (*errors,) = damage(named(line.encode()), [line])
    try:
        sketch = sketch_of_line(line) or sketch_of(from_canonical_line(line, content_id), line)
    except CorruptRecord:
        assert [error.line for error in errors] == [1]
    else:
        assert sketch and not errors


def written(folder: Path, *some: str) -> Path:
    journal = Journal(folder)
    for line in some:
        journal.append(Place("main", None), [line])
    journal.close()
    (path,) = folder.glob("*.jsonl")
    return path


def test_a_journal_gives_back_what_was_appended(tmp_path: Path) -> None:
    path = written(tmp_path, '["a"]', '["b c"]')
    entries, end = read_entries(path)
    assert [(entry.place, entry.line) for entry in entries] == [
        (Place("main", None), '["a"]'),
        (Place("main", None), '["b c"]'),
    ]
    assert end == path.stat().st_size
    assert read_entries(path, entries[1].position)[0] == entries[1:]


@given(st.data())
def test_a_torn_last_line_does_not_count(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = written(tmp_path_factory.mktemp("journal"), '["a"]', '["b"]')
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    path.write_bytes(whole[: data.draw(st.integers(first, len(whole) - 1))])
    entries, end = read_entries(path)
    assert [entry.line for entry in entries] == ['["a"]']
    assert end == first


def test_a_damaged_line_is_named_and_set_aside(tmp_path: Path) -> None:
    path = written(tmp_path, '["a"]', '["b"]', '["c"]')
    path.write_bytes(path.read_bytes().replace(b'["b"]', b'["x"]'))
    with pytest.raises(CorruptJournal, match="line 2 "):
        read_entries(path)
    assert repair(path) == 1
    assert [entry.line for entry in read_entries(path)[0]] == ['["a"]', '["c"]']
    assert b'["x"]' in Path(f"{path}.damaged").read_bytes()
    assert repair(path) == 0
