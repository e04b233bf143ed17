"""What the index is made of: packed lines, runs of numbers, journals that were set aside."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.errors import CorruptJournal, CorruptRecord
from gitmemo.world import journal as journals
from gitmemo.world.journal import Journal, Place, abandoned, read_entries, retire
from gitmemo.world.packing import Pattern
from gitmemo.world.spans import Numbers, Spans, numbers_in


@given(st.text(max_size=5000), st.text(max_size=5000))
def test_a_packed_line_comes_back(pattern: str, line: str) -> None:
    assert Pattern(pattern).unpack(Pattern(pattern).pack(line)) == line


def test_lines_like_the_pattern_are_small_and_damage_is_noticed() -> None:
    pattern = Pattern('["call","m:f",0,null,[["x",{"v":1}]],[["output_0",{"v":2}]],[],{}]')
    packed = pattern.pack('["call","m:f",0,null,[["x",{"v":7}]],[["output_0",{"v":8}]],[],{}]')
    assert len(packed) < 16
    with pytest.raises(CorruptRecord):
        pattern.unpack(b"\xff" + packed)


_ENTRIES = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from(["main", "side", ""]), st.sampled_from(["", "c"]))
)


@given(_ENTRIES, st.integers(0, 60))
def test_spans_hold_each_fact_where_it_was_recorded(
    entries: list[tuple[int, str, str]], committed: int
) -> None:
    spans = Spans(1, committed)
    expected = set()
    for position, (number, branch, commit) in enumerate(entries):
        spans.add(number, branch, commit, position)
        expected.add((number, branch, commit, position < committed))
    found = spans.done()
    assert expected == {
        (number, span.branch, span.commit, span.position < committed)
        for span in found
        for number in range(span.first, span.last + 1)
    }
    numbers = Numbers([(span.first, span.last) for span in found])
    assert {n for n in range(50) if n in numbers} == numbers_in(found)


def test_a_journal_that_was_set_aside_reads_the_same(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "here")
    journal.append(Place("main", None), ['["text","one"]', '["text","two"]'])
    journal.close()
    (path,) = (tmp_path / "here").iterdir()
    before, end = read_entries(path)
    retire(path, tmp_path / "aside")
    assert not list((tmp_path / "here").iterdir())
    (aside,) = (tmp_path / "aside").iterdir()
    assert read_entries(aside) == (before, end)
    assert read_entries(aside, before[1].position)[0] == before[1:]
    aside.write_bytes(aside.read_bytes()[:-9])
    with pytest.raises(CorruptJournal):
        read_entries(aside)


@pytest.mark.parametrize("times", [1, 3])
def test_a_journal_that_is_taken_away_before_it_is_in_use_is_begun_again(
    times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, lock = tmp_path / "here", journals._lock_shared
    taken: list[Path] = []

    def lock_late(file: int) -> None:
        if len(taken) < times:
            (path,) = folder.iterdir()
            taken.append(path)
            with abandoned(path) as is_free:
                assert is_free
                retire(path, tmp_path / "aside")
        lock(file)

    monkeypatch.setattr(journals, "_lock_shared", lock_late)
    journal = Journal(folder)
    journal.append(Place("main", None), ['["text","one"]'])
    journal.append(Place("main", None), ['["text","two"]'])
    (path,) = folder.iterdir()
    assert path not in taken
    assert [entry.line for entry in read_entries(path)[0]] == ['["text","one"]', '["text","two"]']
    with abandoned(path) as is_free:
        assert not is_free, "it is the new one that is in use"
    journal.close()


def test_nobody_begins_to_write_while_a_journal_is_set_aside(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    path = folder / "new.jsonl"
    path.touch()
    with ThreadPoolExecutor(1) as pool:
        with abandoned(path) as is_free, path.open("rb") as file:
            assert is_free
            locking = pool.submit(journals._lock_shared, file.fileno())
            with pytest.raises(TimeoutError):
                locking.result(0.1)
            retire(path, tmp_path / "aside")
        locking.result(5)
    assert not path.exists()
