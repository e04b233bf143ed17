"""The cells of documents run, from top to bottom, in one real kernel."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from desk import NOTEBOOK, Desk

pytest.importorskip("nbclient", reason="nbclient is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")

DOCS = Path(__file__).resolve().parents[2] / "docs"
DOCUMENT = DOCS / "notebooks.md"
COLAB = DOCS / "howto/colab.md"
WALKS = """\
import random

import gitmemo as gm


@gm.op(output_names=["path"])
def walk(length, seed):
    rng = random.Random(seed)
    places = [0]
    for _ in range(length):
        places.append(places[-1] + rng.choice((-1, 1)))
    return places


@gm.op(output_names=["distance"])
def farthest(path):
    return max(abs(place) for place in path)


if __name__ == "__main__":
    with gm.open():
        farthest(walk(20_000, 1))
"""
_CELL = re.compile(r"^```ipython(?: raises=(\w+))?\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(not DOCUMENT.is_file(), reason="the documents are not beside the tests")
def test_the_cells_of_the_document_run(desk: Desk) -> None:
    cells = [(found[1], found[2]) for found in _CELL.finditer(DOCUMENT.read_text("utf-8"))]
    shown = desk.sitting(*(cell for _, cell in cells))
    assert len(cells) > 5
    for (error, cell), below in zip(cells, shown, strict=True):
        raised = [one["ename"] for one in below.outputs if one["output_type"] == "error"]
        assert raised == ([error] if error else []), f"{cell}\n{below.text}"
    assert shown[3].text == "train: model, loss computed"


@pytest.mark.skipif(not COLAB.is_file(), reason="the documents are not beside the tests")
def test_the_notebook_for_colab_runs(desk: Desk, tmp_path: Path) -> None:
    """In a folder that is no repository; the project of the page is on disk instead of on the web."""
    clone = desk.clone
    clone.write("walks.py", WALKS)
    clone.git("branch", "-m", "main")
    clone.gitmemo("remote", "add", "lab", str(tmp_path / "values"))
    clone.gitmemo("run", "walks.py")
    clone.commit("First walks")
    hub = tmp_path / "hub/walks"
    clone.git("clone", "-q", "--bare", ".", str(hub))
    clone.gitmemo("push", "lab")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "gitmemo").write_text(f'#!/bin/sh\nexec {sys.executable} -P -m gitmemo "$@"\n')
    (programs / "gitmemo").chmod(0o755)
    content = tmp_path / "content"
    content.mkdir()
    cells = [found[2] for found in _CELL.finditer(COLAB.read_text("utf-8"))]
    install, *others = cells
    assert install.startswith("!pip install ") and len(others) > 6
    # `!command` raises nothing when it fails.
    checked = [
        part for cell in others for part in (cell, "assert globals().get('_exit_code', 0) == 0")
    ]
    desk.write(*checked, path=str(content / "colab.ipynb"))
    shown = desk.whole(
        str(content / "colab.ipynb"),
        PATH=f"{programs}:{os.environ['PATH']}",
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0=f"url.{hub.parent}/.insteadOf",
        GIT_CONFIG_VALUE_0="https://github.com/me/",
    )
    for cell, below in zip(checked, shown, strict=True):
        assert "error" not in {one["output_type"] for one in below.outputs}, f"{cell}\n{below.text}"
    assert "Counter(reused=2, computed=0)" in "".join(below.text for below in shown)
    assert not (content / "walks" / NOTEBOOK).exists()
    clone.git("pull", "-q", str(hub), "main")
    assert clone.gitmemo("df", "turns", "--json").out.count("turns") > 0
