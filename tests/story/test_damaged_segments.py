"""Segments that nobody's gitmemo wrote: what is wrong is named, all of it, and nothing else is lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import Clone, copy_of

from gitmemo.hashing.digest import digest, to_hex

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

    # What is no segment is not read; what is one and cannot be read stops everything:
    # it may hold the decision without which a result would be wrong.
    done = project.gitmemo("status", code=4)
    assert "Traceback" not in done.text
    assert "is damaged" in done.err and "fix: restore it from git" in done.err
    for path in (two, unsorted, folder / f"{'b' * 64}.jsonl"):
        path.unlink()
    assert project.status()["calls"] == 6


def test_what_was_damaged_and_is_restored_is_read(project: Clone, folder: Path) -> None:
    good = f"{CALL}\n".replace("m:f", "m:new").encode()  # what the derived index does not know yet
    path = put(folder, good)
    path.write_bytes(good.replace(b"m:new", b"m:old"))
    assert "do not match its name" in project.gitmemo("status", code=4).err
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
