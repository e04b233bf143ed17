"""Real notebooks, executed as a whole: restart and run all, copies, papermill."""

from __future__ import annotations

import importlib.util
import sys

import pytest
from desk import NOTEBOOK, Desk, shown_in

pytest.importorskip("nbclient", reason="nbclient is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")

OPEN = "import gitmemo as gm\n%load_ext gitmemo\nstorage = gm.open()"
COUNTS = "print(storage.counter.reused, storage.counter.computed)"
CELLS = (
    OPEN,
    "RATE = 3\n\ndef scale(n):\n    return n * RATE",
    "@gm.op\ndef train(n):\n    return scale(n) + 1",
    "with storage:\n    print(storage.unwrap(storage.map(train, [1, 2, 3], n_jobs=2)))",
    "%%memo best\nrows = [scale(n) for n in range(4)]\ntop = max(rows)",
    "%%memo report\ntext = f'top: {top}'",
    "print(text)",
    COUNTS,
)
CURRENT = {"analysis.first:train": 3, "analysis.first:best": 1, "analysis.first:report": 1}


def test_restart_and_run_all_reuses_everything(desk: Desk) -> None:
    desk.write(*CELLS)
    first = desk.whole()
    assert [one.text for one in first[3:]] == [
        "[4, 7, 10]",
        "best: rows, top computed",
        "report: text computed",
        "top: 9",
        "0 5",
    ]
    said = desk.clone.commit("Train in a notebook")
    assert "change" not in said
    assert desk.clone.calls_in() == 5
    again = desk.whole()
    assert again[-1].text == "5 0"
    assert "best: rows, top reused" in again[4].text
    status = desk.clone.status()
    assert status["pending"] == 0
    assert {op: of["current"] for op, of in status["ops"].items()} == CURRENT
    # The cells of `%%memo` hang together.
    (row,) = desk.clone.rows("best", "report")
    assert row["text"] == "top: 9"
    # The file alone says what a cell is, and so that it changed.
    desk.write(*[cell.replace("max(rows)", "min(rows)") for cell in CELLS])
    assert f"{NOTEBOOK}:best" in desk.clone.commit("Take the smallest")


def test_of_two_notebooks_with_the_same_cells_one_has_to_be_named(desk: Desk) -> None:
    desk.write(OPEN, "@gm.op\ndef f(n):\n    return n", "with storage:\n    f(1)", COUNTS)
    desk.clone.write("copy.ipynb", (desk.clone.root / NOTEBOOK).read_text())
    refused = desk.whole()[2].text
    assert "UnknownNotebook" in refused
    assert NOTEBOOK in refused
    assert "copy.ipynb" in refused
    assert "JPY_SESSION_NAME" in refused
    told = desk.whole(JPY_SESSION_NAME=str(desk.clone.root / "copy.ipynb"))
    assert told[-1].text == "0 1"
    assert list(desk.clone.status()["ops"]) == ["copy:f"]


@pytest.mark.skipif(
    importlib.util.find_spec("papermill") is None, reason="papermill is not installed"
)
def test_papermill_runs_of_one_notebook_with_many_parameters(desk: Desk) -> None:
    desk.write(
        OPEN,
        "n = 1",
        "@gm.op\ndef train(n):\n    return n * 2",
        "with storage:\n    print(storage.unwrap(train(n)))",
        COUNTS,
        tags={1: "parameters"},
    )
    desk.clone.write("driver.ipynb", '{"cells": []}')
    desk.clone.commit("Begin a notebook")
    counts = []
    for run, options in enumerate(([], [], ["--inject-paths"])):
        out = desk.clone.root / f"runs/{run}.ipynb"
        out.parent.mkdir(exist_ok=True)
        told = ("-p", "n", str(4 + run // 2), *options)
        desk.clone.process(
            *(sys.executable, "-m", "papermill", "--cwd", str(out.parent), *told),
            *(str(desk.clone.root / NOTEBOOK), str(out)),
            IPYTHONDIR=str(desk.clone.home),
            # What a notebook that calls papermill hands on: that is another one.
            JPY_SESSION_NAME=str(desk.clone.root / "driver.ipynb") if run == 1 else "",
        )
        counts.append([one.text for one in shown_in(out)[-2:]])
    assert counts == [["8", "0 1"], ["8", "1 0"], ["10", "0 1"]]
    assert list(desk.clone.status()["ops"]) == ["analysis.first:train"]
    assert "change" not in desk.clone.commit("Run it")
    assert desk.clone.calls_in() == 2
