"""Files in tables and on pages: their names and sizes, which tell rows apart."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from gitmemo.cli import main

PROGRAM = """
import gitmemo as gm
from pathlib import Path

storage = gm.open()

@gm.op(output_names=["text", "both", "folder", "plain"])
def write(n):
    Path(f"out/d{n}").mkdir(parents=True, exist_ok=True)
    for name in (f"out/<b>{n}.txt", f"out/d{n}/a.bin", f"out/d{n}/b.bin"):
        Path(name).write_bytes(b"x" * 1000 * n)
    text = gm.File(f"out/<b>{n}.txt")
    return text, [text, gm.File(f"out/d{n}/a.bin")], gm.Dir(f"out/d{n}"), {"x": [1] * 999}

with storage:
    write(1), write(2)
"""


@pytest.fixture
def filled(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(repo)
    assert main(["init"]) == 0
    (repo / "program.py").write_text(PROGRAM)
    assert main(["run", "program.py"]) == 0
    return repo


def test_tables_and_pages_name_files(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["df", "write"]) == 0
    out = capsys.readouterr().out
    assert "<File <b>2.txt 2.0 kB>" in out and "<File <b>1.txt 1.0 kB>" in out
    assert "<Dir d2 of 2 files 4.0 kB>" in out
    assert "<2 files <b>1.txt, a.bin 2.0 kB>" in out
    assert re.search(r"<(json|tree)[.a-z]* [0-9.]+ k?B>", out)
    assert main(["report"]) == 0
    page = (filled / "results.html").read_text("utf-8")
    data = re.search(r'id="data">(.*?)</script>', page)
    assert data is not None and "<b>" not in data[1]
    columns = {one["name"]: one["cells"] for one in json.loads(data[1])["tables"][0]["columns"]}
    assert [cell["s"] for cell in columns["text"]] == [
        "File <b>1.txt 1.0 kB",
        "File <b>2.txt 2.0 kB",
    ]


def test_files_whose_list_is_not_here_have_its_size_alone(
    filled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(filled / ".git/gitmemo/blobs")
    assert main(["df", "write"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"<files [0-9]+ B>", out) and "<b>" not in out
