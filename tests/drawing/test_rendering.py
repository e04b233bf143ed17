"""Pictures as files: every format, whole or not at all, and Graphviz where it is asked for."""

from __future__ import annotations

import os
import pickle
import shutil
import stat
import sys
from pathlib import Path

import pytest
from drawing.graphs import PIPELINE, some

from gitmemo.drawing import Format, format_of, render, save
from gitmemo.errors import (
    GitmemoError,
    GraphvizFailed,
    GraphvizMissing,
    PictureNotWritten,
    UnknownPictureFormat,
)

BEGINNINGS: dict[Format, bytes] = {
    "svg": b"<svg xmlns=",
    "html": b"<!doctype html>",
    "dot": b"digraph {",
    "mmd": b"flowchart TB",
    "txt": b"# A pipeline\n",
}


@pytest.fixture
def graphviz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program `dot` that says what it was asked; return its script."""
    if sys.platform == "win32":
        pytest.skip("a script is no program there")
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "dot"
    script.write_text('#!/bin/sh\necho "<?xml?><svg>$1</svg>"\ncat >/dev/null\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return script


@pytest.fixture
def no_graphviz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize("form", BEGINNINGS)
def test_every_format(form: Format, tmp_path: Path) -> None:
    assert render(PIPELINE, form).startswith(BEGINNINGS[form])
    path = save(PIPELINE, tmp_path / f"picture.{form.upper()}")
    assert path.read_bytes() == render(PIPELINE, form)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_large_graphs_are_folded_unless_told() -> None:
    graph = some(300, 300)
    assert b"of 300 nodes shown by their own" in render(graph, "svg")
    assert render(graph, "mmd", most=None).count(b":::") == 300
    assert render(graph, "mmd", most=40).count(b":::") <= 40


def test_names_of_files_mean_formats() -> None:
    assert format_of("a.b/c.SVG") == "svg"
    assert format_of("x.htm") == "html" and format_of("x.gv") == "dot"
    for name in ("x", "x.jpeg", ".svg/x"):
        with pytest.raises(UnknownPictureFormat):
            format_of(name)
    with pytest.raises(UnknownPictureFormat):
        render(PIPELINE, "jpeg")  # type: ignore[arg-type]


def test_a_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, link = tmp_path / "real.svg", tmp_path / "link.svg"
    target.write_text("before")
    link.symlink_to(target)
    save(PIPELINE, link)
    assert link.is_symlink() and target.read_bytes() == render(PIPELINE, "svg")

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(PictureNotWritten, match="No space left"):
        save(some(5, 5), target)
    assert target.read_bytes() == render(PIPELINE, "svg")
    assert len(list(tmp_path.iterdir())) == 2


def test_where_no_file_can_be(tmp_path: Path) -> None:
    with pytest.raises(PictureNotWritten, match="there is no folder") as caught:
        save(PIPELINE, tmp_path / "nowhere" / "x.svg")
    assert not (tmp_path / "nowhere").exists()
    assert "a folder that exists" in caught.value.remedy()
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(PictureNotWritten, match="it is a folder"):
        save(PIPELINE, tmp_path / "folder.svg")


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders there")
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.txt"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        save(PIPELINE, pipe)
        assert os.read(reader, 65536) == render(PIPELINE, "txt")
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.usefixtures("no_graphviz")
def test_without_graphviz_nothing_is_written(tmp_path: Path) -> None:
    for call in (
        lambda: save(PIPELINE, tmp_path / "x.png"),
        lambda: save(PIPELINE, tmp_path / "x.svg", engine="dot"),
        lambda: save(PIPELINE, tmp_path / "x.pdf", engine="own"),
    ):
        with pytest.raises(GraphvizMissing) as caught:
            call()
        assert "apt install graphviz" in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert save(PIPELINE, tmp_path / "x.svg").is_file()


def test_graphviz_draws_where_it_is_asked(graphviz: Path, tmp_path: Path) -> None:
    assert render(PIPELINE, "svg", engine="dot") == b"<?xml?><svg>-Tsvg</svg>\n"
    assert render(PIPELINE, "png") == b"<?xml?><svg>-Tpng</svg>\n"
    html = render(PIPELINE, "html", engine="dot")
    assert b"<body>\n<svg>-Tsvg</svg>" in html and b"<?xml" not in html
    assert render(PIPELINE, "dot", engine="dot") == render(PIPELINE, "dot")
    graphviz.write_text("#!/bin/sh\necho 'syntax\033[31m error' >&2\nexit 1\n")
    with pytest.raises(GraphvizFailed, match=r"syntax�\[31m error"):
        save(PIPELINE, tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_it() -> None:
    assert b"<svg" in render(PIPELINE, "svg", engine="dot")


def test_errors_survive_pickling() -> None:
    for error in (
        GraphvizMissing("png", "why"),
        GraphvizFailed("why"),
        PictureNotWritten("x.svg", "why"),
        UnknownPictureFormat(".jpeg"),
    ):
        again = pickle.loads(pickle.dumps(error))
        assert isinstance(again, GitmemoError) and str(again) == str(error)
