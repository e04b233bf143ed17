"""Segments that nobody's gitmemo wrote: what is wrong is named, all of it, and nothing else is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driver import Clone, copy_of

from gitmemo.hashing.digest import digest, to_hex

Say = Callable[..., str]
CALL = '["call","m:f",0,null,[],[],[],{}]'


@pytest.fixture(scope="module")
def project(committed_template: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return copy_of(committed_template, tmp_path_factory.mktemp("damaged") / "project")


@pytest.fixture
def folder(project: Clone) -> Iterator[Path]:
    """A month of the index that is gone after the test."""
    folder = project.root / ".gitmemo/index/1/2020-02"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def put(folder: Path, data: bytes) -> Path:
    path = folder / f"{to_hex(digest(data))}.jsonl"
    path.write_bytes(data)
    return path


def test_verify_names_every_file_and_line(project: Clone, folder: Path) -> None:
    (folder / "NOTES.md").write_text("x")
    (folder / f"{'A' * 64}.jsonl").write_text("x")
    (folder / "\x1b[2J").write_text("x")
    (folder / "more").mkdir()
    (folder / "more" / f"{'a' * 64}.jsonl").write_text("x")
    (folder / f"{'b' * 64}.jsonl").symlink_to("/dev/zero")
    two = put(folder, f'["a"]\n{CALL}\n["surprise"]\n'.encode())
    unsorted = put(folder, f'["surprise"]\n{CALL}\n'.encode())
    good = put(folder, f"{CALL}\n".encode())

    found = project.gitmemo("verify", code=4).out
    for name in ("NOTES.md", "A" * 64, "more/aaa", "'.gitmemo/index/1/2020-02/\\x1b[2J'"):
        assert name in found
    assert found.count("not named like a segment") == 4
    assert f"{'b' * 64}.jsonl is damaged: it is not a regular file" in found
    assert f"line 1 of the index segment .gitmemo/index/1/2020-02/{two.name}" in found
    assert f"line 3 of the index segment .gitmemo/index/1/2020-02/{two.name}" in found
    assert f"line 2 of the index segment .gitmemo/index/1/2020-02/{unsorted.name}" in found
    assert good.name not in found
    assert "\x1b" not in found

    # What is no segment is not read; what is one and cannot be read is left out by who only
    # looks, and said each time. It stops whoever would reuse results: it may hold the
    # decision without which one would be wrong.
    for _ in range(2):
        done = project.gitmemo("status", "--json", code=4)
        assert json.loads(done.out)["calls"] == 6
        said = [json.loads(line)["left_out"] for line in done.err.splitlines()]
        assert len(said) == 3
        assert {one["kind"] for one in said} == {"corrupt-segment"}
    rows = project.gitmemo("df", "train", code=4)
    assert "249500" in rows.out and rows.err.count("left out") == 3
    assert rows.err.count("no commit here has it whole") == 3
    assert "Traceback" not in rows.err
    stopped = project.gitmemo("run", "pipeline.py", "3", code=4)
    assert "is damaged" in stopped.err and stopped.out == ""
    assert "is damaged" in project.gitmemo("decide", code=4).err
    for path in (two, unsorted, folder / f"{'b' * 64}.jsonl"):
        path.unlink()
    assert project.status()["calls"] == 6
    assert project.run() == (5, 0)


def test_a_damaged_segment_of_another_revision_is_left_out(committed: Clone) -> None:
    path = put((committed.root / only_segment(committed)).parent, f"{CALL}\n".encode())
    path.write_bytes(b"{}\n")
    committed.git("add", "-A")
    committed.git("commit", "-q", "--no-verify", "-m", "Damage")
    committed.git("revert", "--no-edit", "HEAD")
    then = committed.gitmemo("versions", "--rev", "HEAD~1", "--json", code=4)
    assert then.err.count("left_out") == 1 and path.name in then.err
    assert "pipeline:train" in then.out
    # Here it is not, so nothing is left out.
    assert committed.status()["calls"] == 5


def test_what_was_damaged_and_is_restored_is_read(project: Clone, folder: Path) -> None:
    good = f"{CALL}\n".replace("m:f", "m:new").encode()  # what the derived index does not know yet
    path = put(folder, good)
    path.write_bytes(good.replace(b"m:new", b"m:old"))
    assert "do not match its name" in project.gitmemo("status", code=4).err
    assert "m:old" not in project.gitmemo("status", code=4).out
    path.write_bytes(good)
    assert project.status()["calls"] == 6


def test_a_linked_index_is_said_to_be_one(project: Clone, tmp_path: Path) -> None:
    index = project.root / ".gitmemo/index/1"
    shutil.move(index, tmp_path / "outside")
    index.symlink_to(tmp_path / "outside")
    try:
        assert "index/1 is damaged" in project.gitmemo("verify", code=4).out
    finally:
        index.unlink()
        shutil.move(tmp_path / "outside", index)
    assert project.gitmemo("verify").code == 0


def only_segment(clone: Clone) -> str:
    """Return the path of the one segment."""
    (path,) = (clone.root / ".gitmemo/index").rglob("*.jsonl")
    return str(path.relative_to(clone.root))


def advice(clone: Clone, say: Say) -> str:
    """Return the command that `gitmemo verify` gives, once it is followed."""
    said = say(clone, "verify", code=4)
    (line,) = (line for line in said.splitlines() if "fix:" in line)
    command = line[line.index(": git ") + 2 :]
    clone.process("sh", "-c", command)
    return command


def test_the_advice_about_a_damaged_segment_is_one_that_helps(committed: Clone, say: Say) -> None:
    """Wherever it is whole: in HEAD, in an older commit, in one that only a tag has, or nowhere."""
    path = only_segment(committed)
    file = committed.root / path
    good = file.read_bytes()
    for bad in (good[:-20], good.replace(b"249500", b"249501"), b""):
        file.write_bytes(bad)
        assert advice(committed, say) == f"git checkout HEAD -- {path}"
        assert file.read_bytes() == good

    begun = committed.git("rev-parse", "--short", "HEAD")
    committed.git("tag", "whole")
    file.write_bytes(good[:-20])
    committed.git("commit", "-q", "--no-verify", "-a", "-m", "Damage")
    file.write_bytes(b"")
    committed.git("commit", "-q", "--no-verify", "-a", "-m", "More damage")
    assert advice(committed, say) == f"git checkout {begun} -- {path}"
    assert file.read_bytes() == good
    say(committed, "verify")
    # The history that had it whole is gone here.
    committed.git("reset", "-q", "--hard")
    committed.git("checkout", "-q", "--orphan", "alone")
    committed.git("commit", "-q", "--no-verify", "-m", "Damage alone")
    committed.git("branch", "-q", "-D", "main")
    assert advice(committed, say) == f"git checkout {begun} -- {path}", "a tag has it"
    committed.git("reset", "-q", "--hard")
    committed.git("tag", "-d", "whole")
    assert advice(committed, say).startswith("git rm")
    assert json.loads(say(committed, "status", "--json"))["calls"] == 0


def refused(clone: Clone, message: str) -> str:
    """Return what the hook says where it refuses a commit of what is staged."""
    before = clone.git("rev-parse", "HEAD")
    said = clone.process("git", "commit", "-q", "-m", message, code=1).err
    assert clone.git("rev-parse", "HEAD") == before
    return said


def test_an_edited_segment_is_not_committed_and_nothing_of_it_is_read(committed: Clone) -> None:
    path = only_segment(committed)
    committed.change("249500", "1", path)
    # Nothing reads the new bytes under the old name: this clone knows what was in it.
    assert committed.run() == (5, 0)
    assert "1" not in {str(row.get("loss")) for row in committed.rows("train")}
    assert "do not match its name" in committed.gitmemo("verify", code=4).out

    committed.git("add", "-A")
    said = refused(committed, "Cheat")
    assert path in said and "its bytes do not match its name" in said
    fix = f"git checkout HEAD -- {path}"
    assert fix in said and "goes on" not in said
    committed.git(*fix.split()[1:])
    committed.write("notes.txt", "second\n")
    committed.commit("Go on")
    assert committed.gitmemo("verify").code == 0


def test_a_segment_that_a_merge_mixed_is_not_committed(committed: Clone) -> None:
    mine = only_segment(committed)
    committed.git("checkout", "-q", "-b", "side")
    committed.run("3")
    committed.write("notes.txt", "side\n")
    committed.commit("Side")
    committed.git("checkout", "-q", "main")
    committed.write("notes.txt", "main\n")
    committed.commit("Main")
    committed.git("merge", "-q", "side", code=1)
    (theirs,) = (
        name for name in committed.git("ls-files", ".gitmemo/index").split() if name != mine
    )
    text = (committed.root / theirs).read_text("utf-8")
    committed.write(theirs, text + (committed.root / mine).read_text("utf-8"))
    committed.git("rm", "-q", "-f", mine)
    committed.write(mine.replace(mine[-70:-60], "0" * 10), "made by hand\n")
    committed.git("add", "-A")
    said = refused(committed, "Merge")
    assert f"git checkout MERGE_HEAD -- {theirs}" in said
    assert "git rm -f -- .gitmemo/index" in said
    for line in said.splitlines():
        if line.strip().startswith("git "):
            committed.git(*line.split()[1:])
    committed.git("checkout", "HEAD", "--", mine)
    committed.git("commit", "-q", "-m", "Merge")
    assert committed.gitmemo("verify").code == 0
    assert committed.calls_in() == 7
