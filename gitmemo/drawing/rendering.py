"""Pictures in every format, as bytes and as files; Graphviz where someone asks for it.

Not the formats themselves. Invariants: a file is there whole or not at all, and what cannot be
drawn is an error that says what to do, never a picture of another kind.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from gitmemo.drawing.assignments import to_text
from gitmemo.drawing.dot import to_dot
from gitmemo.drawing.folding import MOST, folded
from gitmemo.drawing.graph import Direction, Graph
from gitmemo.drawing.lettering import shown
from gitmemo.drawing.mermaid import to_mermaid
from gitmemo.drawing.page import page
from gitmemo.drawing.svg import to_svg
from gitmemo.errors import (
    GraphvizFailed,
    GraphvizMissing,
    PictureNotWritten,
    UnknownPictureFormat,
)
from gitmemo.plain_files import replace_file

Format: TypeAlias = Literal["svg", "html", "dot", "mmd", "txt", "png", "pdf"]
Engine: TypeAlias = Literal["auto", "own", "dot"]

_BY_SUFFIX: dict[str, Format] = {
    **{f".{name}": name for name in get_args(Format)},
    ".htm": "html",
    ".gv": "dot",
    ".mermaid": "mmd",
}
_LONGEST_S = 60


def render(
    graph: Graph,
    form: Format,
    *,
    engine: Engine = "auto",
    verbose: bool = False,
    direction: Direction = "TB",
    most: int | None = MOST,
) -> bytes:
    """Return a picture of a graph.

    Args:
        engine: Who decides where nodes lie: gitmemo (`own`), Graphviz (`dot`), or gitmemo where
            it can, which is all but png and pdf (`auto`).
        most: Larger graphs are folded; None for never.

    Raises:
        UnknownPictureFormat: There is no such format.
        GraphvizMissing: It is needed, and not installed.
        GraphvizFailed: It could not draw the graph.
    """
    if form not in get_args(Format):
        raise UnknownPictureFormat(form)
    graph = graph if most is None else folded(graph, most)
    if form == "txt":
        return to_text(graph, verbose=verbose).encode()
    if form == "mmd":
        return to_mermaid(graph, verbose=verbose, direction=direction).encode()
    if form in ("png", "pdf") and engine == "own":
        raise GraphvizMissing(form, "gitmemo's own drawing makes SVG images")
    if form not in ("dot", "png", "pdf") and engine != "dot":
        image = to_svg(graph, verbose=verbose, direction=direction)
        return (image if form == "svg" else page(shown(graph.title), image)).encode()
    text = to_dot(graph, verbose=verbose, direction=direction)
    return text.encode() if form == "dot" else _drawn_by_graphviz(text, graph, form)


def _drawn_by_graphviz(text: str, graph: Graph, form: Format) -> bytes:
    if form != "html":
        return _graphviz(text, form)
    image = _graphviz(text, "svg").decode("utf-8", "replace")
    _, start, rest = image.partition("<svg")  # a page wants no declaration of XML within it
    return page(shown(graph.title), start + rest).encode()


def _graphviz(text: str, form: Format) -> bytes:
    """Return what `dot` makes of a graph."""
    try:
        done = subprocess.run(
            ["dot", f"-T{form}"],
            input=text.encode(),
            capture_output=True,
            timeout=_LONGEST_S,
            check=False,
        )
    except (FileNotFoundError, PermissionError):
        raise GraphvizMissing(form, "its program `dot` is not installed") from None
    except subprocess.TimeoutExpired:
        raise GraphvizFailed(f"it was not done after {_LONGEST_S} s") from None
    if done.returncode or not done.stdout:
        said = shown(done.stderr.decode("utf-8", "replace")).strip()
        raise GraphvizFailed(said[:300] or f"it ended with {done.returncode}")
    return done.stdout


def format_of(path: str | os.PathLike[str]) -> Format:
    """Return the format that the name of a file means.

    Raises:
        UnknownPictureFormat: It means none.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _BY_SUFFIX:
        raise UnknownPictureFormat(suffix or str(path))
    return _BY_SUFFIX[suffix]


def save(
    graph: Graph,
    path: str | os.PathLike[str],
    *,
    engine: Engine = "auto",
    verbose: bool = False,
    direction: Direction = "TB",
    most: int | None = MOST,
) -> Path:
    """Write a picture into a file, in the format that its name says, and return its path.

    Raises:
        PictureNotWritten: There is no such folder, or the file cannot be written.
        UnknownPictureFormat, GraphvizMissing, GraphvizFailed: As `render`.
    """
    target = Path(path)
    form = format_of(target)
    _refuse_unwritable(target)
    data = render(graph, form, engine=engine, verbose=verbose, direction=direction, most=most)
    put(target, data)
    return target


def put(target: Path, data: bytes) -> None:
    """Write the bytes of a picture: a file is replaced whole, a pipe or device written to.

    Raises:
        PictureNotWritten: It cannot be written.
    """
    _refuse_unwritable(target)
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)
        else:
            real = target.resolve()  # a link stays, and what it leads to is replaced
            replace_file(real.parent, real.name, data)
    except OSError as error:
        raise PictureNotWritten(str(target), error.strerror or str(error)) from error


def _refuse_unwritable(target: Path) -> None:
    if target.is_dir():
        raise PictureNotWritten(str(target), "it is a folder")
    if not target.parent.is_dir():
        raise PictureNotWritten(str(target), f"there is no folder {target.parent}")
