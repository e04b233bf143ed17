"""Files and folders as values: what identifies them, and when they are read."""

from __future__ import annotations

import copy
import os
import pickle
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gitmemo as gm
from gitmemo import file_states
from gitmemo.errors import NotAFile
from gitmemo.file_states import SETTLED_AFTER_NS
from gitmemo.files import seen
from gitmemo.hashing import content_id

TICK_S = 0.02  # how coarse the clock of a file system may be


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    monkeypatch.setattr(seen, "_known", {})
    monkeypatch.setattr(file_states, "SETTLED_AFTER_NS", 0)
    monkeypatch.chdir(tmp_path)


def put(path, data=b"data", *, executable=False):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o755 if executable else 0o644)
    time.sleep(TICK_S)
    return path


@pytest.fixture
def reads(monkeypatch):
    read, counted = seen._read, []
    monkeypatch.setattr(seen, "_read", lambda *a: counted.append(a[0]) or read(*a))
    return counted


def same(left, right):
    assert (content_id(left) == content_id(right)) == (left == right)
    return left == right


def test_name_bytes_and_executable_bit_count_and_the_folder_does_not():
    first = gm.File(put("a/data.csv"))
    assert same(first, gm.File(put("b/data.csv")))
    assert same(first, gm.File(Path("a/data.csv").absolute()))
    assert not same(first, gm.File(put("a/other.csv")))
    assert not same(first, gm.File(put("c/data.csv", b"other")))
    assert not same(first, gm.File(put("d/data.csv", executable=True)))
    assert hash(first) == hash(gm.File("b/data.csv"))
    assert first != "a/data.csv"


def test_of_a_folder_relative_paths_count_and_its_name_does_not():
    for name in ("a", "b", "c", "d", "e"):
        put(f"{name}/x/1.txt", b"1")
        put(f"{name}/2.txt", b"2")
    assert gm.Dir("a").files() == ["2.txt", "x/1.txt"]
    assert same(gm.Dir("a"), gm.Dir("b"))
    Path("b/empty").mkdir()
    assert same(gm.Dir("a"), gm.Dir("b"))
    put("b/x/1.txt", b"one")
    assert not same(gm.Dir("a"), gm.Dir("b"))
    put("c/3.txt")
    assert not same(gm.Dir("a"), gm.Dir("c"))
    Path("d/2.txt").rename("d/4.txt")
    assert not same(gm.Dir("a"), gm.Dir("d"))
    Path("e/2.txt").chmod(0o755)
    assert not same(gm.Dir("a"), gm.Dir("e"))
    assert not same(gm.Dir("a"), gm.File("a/2.txt"))


@given(st.binary(max_size=200))
def test_the_bytes_count_as_bytes(data):
    content = seen.content_of(str(put("data.bin", data)))
    assert content.cid == content_id(data)
    assert content.size == len(data)


@pytest.mark.parametrize("size", [0, 60, 61, 62, 63, 64, 65, 66, (1 << 20) - 1, (1 << 20) + 1])
def test_the_bytes_count_as_bytes_at_every_edge(size):
    assert seen.content_of(str(put("data.bin", b"x" * size))).cid == content_id(b"x" * size)


def test_it_is_read_once_and_again_when_its_stat_changes(reads):
    file = gm.File(put("data.csv"))
    known = content_id(file)
    for _ in range(3):
        assert content_id(file) == known
    assert len(reads) == 1
    os.utime("data.csv", (1, 1))
    assert content_id(file) == known
    assert len(reads) == 2
    put("data.csv", b"tada")
    os.utime("data.csv", (1, 1))  # same size, same time, same inode
    assert content_id(file) != known


def test_a_file_written_just_now_is_read_each_time(reads, monkeypatch):
    monkeypatch.setattr(file_states, "SETTLED_AFTER_NS", SETTLED_AFTER_NS)
    file = gm.File("data.csv")
    for data in (b"data", b"tada") * 20:  # some of them within one tick of the clock
        Path("data.csv").write_bytes(data)
        assert seen.content_of("data.csv").cid == content_id(data)
    assert len(reads) == 40
    assert content_id(file)


def test_other_processes_know_what_was_read(reads, tmp_path):
    put("data.csv")
    script = """
        import gitmemo as gm
        from gitmemo import file_states
        from gitmemo.files import seen
        file_states.SETTLED_AFTER_NS = 0
        def refuse(*_): raise AssertionError("it was read")
        {}
        print(gm.content_hash(gm.File("data.csv")))
    """
    found = {
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script).format(line)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for line in ("", "seen._read = refuse")
    }
    assert found == {gm.content_hash(gm.File("data.csv"))}
    assert reads == []


def test_a_damaged_cache_is_no_matter(monkeypatch, reads, tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "files-1.db").write_bytes(b"junk" * 1000)
    monkeypatch.setattr(seen, "cache_folder", lambda: folder)
    file = gm.File(put("data.csv"))
    assert content_id(file) == content_id(file)
    assert len(reads) == 1
    monkeypatch.setattr(seen, "cache_folder", lambda: tmp_path / "data.csv")
    assert content_id(gm.File(put("more.csv"))) is not None


def test_a_cache_that_fails_is_not_tried_for_each_file(monkeypatch, tmp_path):
    """On a file system without locks each try waited for a second."""
    tries = []

    def connect(path, **options):
        tries.append(path)
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(seen, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(seen.sqlite3, "connect", connect)
    for n in range(5):
        assert content_id(gm.File(put(f"{n}.csv"))) is not None
    assert tries == [tmp_path / "files-1.db"]


def test_a_child_process_opens_the_cache_anew(tmp_path):
    put("data.csv")
    content_id(gm.File("data.csv"))
    pid = os.fork()
    if pid == 0:
        seen._known.clear()
        content_id(gm.File("data.csv"))
        os._exit(0 if seen._database._opened[0] == os.getpid() else 1)
    assert os.waitpid(pid, 0)[1] == 0
    put("more.csv")
    assert content_id(gm.File("more.csv"))
    with sqlite3.connect(seen.cache_folder() / "files-1.db") as connection:
        assert connection.execute("select count(*) from seen").fetchone()[0] >= 2


def test_it_is_a_path_that_does_not_change():
    file = gm.File(put("a/data.csv", "é".encode()))
    assert os.fspath(file) == "a/data.csv"
    assert Path(file) == file.path
    assert (file.name, file.read_bytes(), file.read_text()) == ("data.csv", "é".encode(), "é")
    with file.open() as text, file.open("rb") as data:
        assert text.read().encode() == data.read()
    with pytest.raises(AttributeError):
        file._path = "other"
    for again in (copy.deepcopy(file), pickle.loads(pickle.dumps(file))):
        assert type(again) is gm.File
        assert os.fspath(again) == "a/data.csv"
    assert repr(file) == "File('a/data.csv')"
    assert (gm.Dir("a") / "data.csv").read_text() == "é"
    for wrong in (b"a", "", "a\0b", 1):
        with pytest.raises(TypeError):
            gm.File(wrong)


def test_what_is_no_file_is_said():
    put("a/data.csv")
    put("linked/data.csv")
    Path("linked/link").symlink_to("data.csv")
    os.mkfifo("a/pipe")
    put("private/.GIT/config")
    for make, culprit in [
        (lambda: gm.File("missing.csv"), "no such file"),
        (lambda: gm.File("a"), "gm.Dir"),
        (lambda: gm.File("a/pipe"), "regular"),
        (lambda: gm.Dir("a/data.csv"), "no such folder"),
        (lambda: gm.Dir("linked"), "linked/link in it is a link"),
        (lambda: gm.Dir("a"), "a/pipe in it is no regular file"),
        (lambda: gm.Dir("private"), "belongs to git"),
    ]:
        with pytest.raises(NotAFile, match=culprit) as caught:
            content_id(make())
        assert pickle.loads(pickle.dumps(caught.value)).reason == caught.value.reason


def test_a_link_to_a_file_is_that_file():
    put("a/data.csv")
    Path("data.csv").symlink_to("a/data.csv")
    assert same(gm.File("data.csv"), gm.File("a/data.csv"))
