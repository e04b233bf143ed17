"""Large values: in a folder of their own, and in the database where there is none."""

from __future__ import annotations

import math
import mmap
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gitmemo as gm
from gitmemo.errors import BlobCorrupt, InvalidStorage, OverflowMissing

RUNS: list[Any] = []
SMALL_MB = 0.1


@pytest.fixture(autouse=True)
def no_runs() -> Iterator[None]:
    RUNS.clear()
    yield


@gm.op(name="zeros")
def zeros(count):
    RUNS.append(count)
    return np.arange(count, dtype=np.float64)


def large_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("??/*") if not path.name.startswith("."))


def make(tmp_path: Path, **settings: Any) -> gm.Storage:
    return gm.Storage(db_path=tmp_path / "s.db", **settings)


def filled(tmp_path: Path, **settings: Any) -> tuple[gm.Storage, str]:
    """Return a storage with one large and one small value, and the large one's history id."""
    storage = make(tmp_path, overflow_dir=tmp_path / "large", overflow_threshold_MB=SMALL_MB)
    with storage:
        hid = zeros(20_000).hid
        zeros(100)
    return storage, hid


def is_mapped(array: Any) -> bool:
    while getattr(array, "base", None) is not None:
        array = array.base
    return isinstance(array, mmap.mmap)


def test_large_values_are_read_only_files_named_by_their_digest(tmp_path: Path) -> None:
    storage, hid = filled(tmp_path)
    (path,) = large_files(tmp_path / "large")
    assert len(path.name.partition(".")[0]) == 64
    assert path.name.startswith(path.parent.name)
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert not list((tmp_path / "large").rglob(".tmp-*"))
    value = storage.load_ref(hid, in_memory=False).unwrap()
    assert is_mapped(value)
    value[0] = 7
    assert storage.load_ref(hid).unwrap()[0] == 0, "nobody else sees what one changes"
    assert storage.load_ref(hid).unwrap().sum() == sum(range(20_000))


@pytest.mark.parametrize("again", [{}, {"overflow_dir": "large"}, {"spillover_dir": "large"}])
def test_values_are_found_again_with_or_without_the_argument(
    tmp_path: Path, again: dict[str, str]
) -> None:
    filled(tmp_path)[0].close()
    settings = {name: tmp_path / folder for name, folder in again.items()}
    with make(tmp_path, **settings) as storage:
        assert storage.unwrap(zeros(20_000))[-1] == 19_999
        zeros(30_000)
    assert RUNS == [20_000, 100, 30_000]
    assert len(large_files(tmp_path / "large")) == 2, "the threshold is remembered too"


def test_database_and_folder_move_together(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    filled(tmp_path / "here")[0].close()
    (tmp_path / "here").rename(tmp_path / "there")
    with make(tmp_path / "there") as storage:
        assert storage.unwrap(zeros(20_000))[-1] == 19_999
    assert RUNS == [20_000, 100]


def test_a_new_folder_takes_over_and_the_old_one_is_still_read(tmp_path: Path) -> None:
    filled(tmp_path)[0].close()
    with make(tmp_path, overflow_dir=tmp_path / "other") as storage:
        zeros(30_000)
        assert storage.unwrap(zeros(20_000))[-1] == 19_999
    storage.close()
    assert len(large_files(tmp_path / "large")) == len(large_files(tmp_path / "other")) == 1
    with make(tmp_path) as storage:
        assert storage.unwrap(zeros(30_000))[-1] == 29_999
        zeros(40_000)
    assert len(large_files(tmp_path / "other")) == 2


def test_a_folder_that_was_moved_is_found_where_it_is_said_to_be(tmp_path: Path) -> None:
    hid = filled(tmp_path)[1]
    (tmp_path / "large").rename(tmp_path / "moved")
    storage = make(tmp_path, overflow_dir=tmp_path / "moved")
    assert storage.load_ref(hid).unwrap()[-1] == 19_999
    assert RUNS == [20_000, 100]


def test_a_threshold_given_later_counts_from_then_on(tmp_path: Path) -> None:
    filled(tmp_path)[0].close()
    with make(tmp_path, overflow_threshold_MB=0.0001) as storage:
        zeros(200)
    assert len(large_files(tmp_path / "large")) == 2
    storage.close()
    with make(tmp_path) as storage:
        zeros(201)
    assert len(large_files(tmp_path / "large")) == 3


def test_in_memory_too(tmp_path: Path) -> None:
    storage = gm.Storage(overflow_dir=tmp_path, overflow_threshold_MB=SMALL_MB)
    with storage:
        ref, small = zeros(20_000), zeros(100)
        assert is_mapped(storage.unwrap(ref))
        assert storage.unwrap(small)[-1] == 99
    assert len(large_files(tmp_path)) == 1


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"overflow_dir": "a", "spillover_dir": "b"}, "both given"),
        ({"overflow_dir": "a", "spillover_dir": "a"}, "both given"),
        ({"overflow_threshold_MB": 3}, "no overflow_dir"),
        ({"overflow_dir": "a", "overflow_threshold_MB": -1}, "not a size"),
        ({"overflow_dir": "a", "overflow_threshold_MB": math.nan}, "not a size"),
        ({"overflow_dir": "file"}, "cannot be used"),
    ],
)
def test_settings_that_cannot_be_had_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidStorage, match=says):
        gm.Storage(db_path="s.db", **settings)


def damage(path: Path, how: str) -> None:
    path.chmod(0o644)
    if how == "truncated":
        os.truncate(path, path.stat().st_size // 2)
    else:
        with path.open("r+b") as file:
            file.seek(1000)
            file.write(b"\xff")


@pytest.mark.parametrize("how", ["truncated", "changed"])
@pytest.mark.parametrize("reopened", [False, True])
def test_a_damaged_file_is_noticed_and_the_call_made_again(
    tmp_path: Path, how: str, reopened: bool
) -> None:
    storage, hid = filled(tmp_path)
    damage(large_files(tmp_path / "large")[0], how)
    if reopened:
        storage.close()
        storage = make(tmp_path)
    with storage:
        assert zeros.is_cached(20_000), "look-ups do not need the bytes"
        with pytest.raises(BlobCorrupt, match="damaged"):
            storage.load_ref(hid)
        assert storage.unwrap(zeros(20_000))[-1] == 19_999, "it is set aside, so it is made again"
    assert RUNS == [20_000, 100, 20_000]
    assert make(tmp_path).load_ref(hid).unwrap()[-1] == 19_999


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_missing_file_is_a_missing_value_never_a_crash(tmp_path: Path, what: str) -> None:
    storage, hid = filled(tmp_path)
    storage.close()
    folder = tmp_path / "large"
    aside = tmp_path / "aside"
    (folder if what == "folder" else large_files(folder)[0]).rename(aside)
    elsewhere = make(tmp_path)  # a process that does not have the op
    assert len(elsewhere.cf()) == 2
    assert sorted(elsewhere.cf().df()["count"]) == [100, 20_000]
    ref = elsewhere.load_ref(hid, in_memory=False)
    with pytest.raises(OverflowMissing, match=r"large/.*not there\n.*overflow_dir=") as caught:
        ref.unwrap()
    assert str(folder) in caught.value.path
    with pytest.warns(UserWarning, match="stays a ref"):
        cells = list(elsewhere.cf().df(values="objs")["zeros"])
    assert sum(isinstance(cell, gm.Ref) for cell in cells) == 1
    elsewhere.close()
    with make(tmp_path) as storage:
        assert storage.unwrap(zeros(20_000))[-1] == 19_999
    assert RUNS == [20_000, 100, 20_000]


def test_without_a_folder_large_values_stay_in_the_database(tmp_path: Path) -> None:
    """The other tool could not commit anything any more after one of these."""

    @gm.op(name="many bytes")
    def many_bytes(size):
        return bytes(size)

    with make(tmp_path) as storage:
        ref = many_bytes(61_000_000)
        zeros(10)
        assert len(storage.unwrap(ref)) == 61_000_000
    storage.close()
    with make(tmp_path) as storage:
        assert len(storage.unwrap(many_bytes(61_000_000))) == 61_000_000
        zeros(10)
    assert RUNS == [10]


WRITER = """\
import os, sys
import numpy as np
import gitmemo as gm

storage = gm.Storage(db_path=sys.argv[1], overflow_dir=sys.argv[2], overflow_threshold_MB=0.1)


@gm.op(name="zeros")
def zeros(count):
    return np.arange(count, dtype=np.float64)


with storage:
    os.write(1, b".")
    for count in range(100_000, 100_200):
        zeros(count)
"""


def test_a_killed_writer_leaves_no_file_that_is_trusted(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "s.db"), str(tmp_path / "large")]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert child.stdout and child.stdout.read(1)
    while len(large_files(tmp_path / "large")) < 2:  # so that the first call is recorded
        assert child.poll() is None
    child.kill()
    child.communicate()
    with make(tmp_path) as storage:
        stored = sorted(storage.cf("zeros").df()["count"])
        for count in stored:
            assert storage.unwrap(zeros(count))[-1] == count - 1
    assert RUNS == []
