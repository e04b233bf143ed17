"""The line that says how far a map or a batch is."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

import joblib
import pytest

import gitmemo as gm
from gitmemo.display.progress import CallsLine
from gitmemo.errors import CallsFailed
from gitmemo.patterns import speaking


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@gm.op
def slow(x: int) -> int:
    time.sleep(0.08)
    if x < 0:
        raise ValueError(x)
    return x


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    made = Screen()
    monkeypatch.setattr(
        speaking, "progress", lambda doing, total: CallsLine(doing, total, stream=made)
    )
    monkeypatch.setenv("TERM", "xterm")
    with joblib.parallel_config("threading"):
        yield made


def lines(screen: Screen) -> list[str]:
    return [line for line in screen.getvalue().split("\r\x1b[K") if line]


def test_the_rate_is_of_what_came_after_the_first_outcome(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    line = CallsLine("fit", 100, stream=screen)
    with line:
        now[0] += 10  # workers are started
        line(done=1)
        assert line.text(10) == "fit: 1 of 100 calls"
        now[0] += 5
        line(done=20, failed=2)
        assert line.text(15) == "fit: 21 of 100 calls, 2 failed, 4/s, 20 s left"
        line(done=78)
        assert line.text(15.1).endswith("1 s left")
        line(done=1, more=1)
        assert line.text(15.2).startswith("fit: 100 of 101 calls")
        line(done=1)
        assert line.text(75) == "fit: 101 of 101 calls, 2 failed, in 1 min 15 s"
    assert screen.getvalue().endswith("\r\x1b[K")


def test_a_batch_shows_it_while_the_program_waits(screen: Screen) -> None:
    with gm.Storage() as storage:
        with pytest.raises(CallsFailed), storage.batch(n_jobs=2):
            refs = [slow(x) for x in (*range(4), -1)]
            assert refs[3].unwrap() == 3
            assert screen.getvalue().endswith("\r\x1b[K")
            written = len(screen.getvalue())
            refs += [slow(x) for x in range(10, 16)]
            time.sleep(0.3)  # nothing is drawn over what the program prints
            assert len(screen.getvalue()) == written
        assert any(" of 5 calls" in line for line in lines(screen))
        assert any(", 1 failed" in line and "of 11 calls" in line for line in lines(screen))
        assert screen.getvalue().endswith("\r\x1b[K")
        screen.truncate(0)
        with storage.batch(n_jobs=2, progress=False):
            for x in range(20, 26):
                slow(x)
        with storage.batch(n_jobs=2):
            assert slow(20).unwrap() == 20  # stored: nobody waits
        assert lines(screen) == []


def test_maps_count_what_failed(screen: Screen) -> None:
    with gm.Storage() as storage, pytest.raises(CallsFailed):
        storage.map(slow, [-1, 1, -2, 2, 3, 4])
    assert any(", 2 failed" in line for line in lines(screen))
