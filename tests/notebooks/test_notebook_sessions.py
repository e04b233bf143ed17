"""Somebody at a notebook: cells that are run again, in another order, decisions, magics."""

from __future__ import annotations

import importlib.util
import os
import signal
import time

import pytest
from desk import NOTEBOOK, Desk

pytest.importorskip("nbclient", reason="nbclient is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")

HAS_WIDGETS = importlib.util.find_spec("ipywidgets") is not None
WIDGET = "application/vnd.jupyter.widget-view+json"
OPEN = "import gitmemo as gm\n%load_ext gitmemo\nstorage = gm.open(on_change='ask')"
SCALE = "def scale(n):\n    return n * 3"
TRAIN = "@gm.op\ndef train(n):\n    return scale(n) + 1"
CALL = "with storage:\n    ref = train(2)\nprint(storage.unwrap(ref), storage.counter.computed)"


def test_a_helper_that_changes_is_shown_and_decided_about_without_waiting(desk: Desk) -> None:
    other = SCALE.replace("n * 3", "3 * n")
    third = SCALE.replace("n * 3", "n + n")
    shown = desk.sitting(
        *(OPEN, SCALE, TRAIN, CALL),
        *(TRAIN, CALL),  # defined again: the same
        *(other, CALL, "storage.undecided().keep('the same numbers')", CALL),
        *(
            third,
            CALL,
            "gm_changes = storage.undecided()\ngm_changes",
            "gm_changes.recompute()",
            CALL,
        ),
        *(CALL, SCALE, CALL),  # what it was at first: known
        "storage.undecided()",
    )
    texts = [one.text for one in shown]
    assert (texts[3], texts[5]) == ("7 1", "7 1")
    assert f"{NOTEBOOK}:scale" in texts[7]
    assert "DecisionNeeded" in texts[7]
    assert "storage.undecided().keep()" in texts[7]
    assert "Traceback" not in texts[7]
    assert "text/html" in shown[7].kinds
    assert (WIDGET in shown[7].kinds) is HAS_WIDGETS
    assert (texts[8], texts[9]) == ("", "7 1")
    assert "DecisionNeeded" in texts[11]
    assert "n + n" in texts[12]
    assert (texts[14], texts[15], texts[17]) == ("5 2", "5 2", "7 2")
    assert texts[18] == "nothing is undecided"


@pytest.mark.skipif(not HAS_WIDGETS, reason="ipywidgets is not installed")
def test_buttons_decide(desk: Desk) -> None:
    press = """
import gc, ipywidgets
buttons = [w for w in ipywidgets.Widget._instances.values() if isinstance(w, ipywidgets.Button)] \
    if hasattr(ipywidgets.Widget, "_instances") else \
    [w for w in gc.get_objects() if isinstance(w, ipywidgets.Button)]
keep = [b for b in buttons if b.description == "Keep older results"][0]
keep.click()
print(sorted({b.disabled for b in buttons}))
keep.click()
told = [w for w in gc.get_objects() if type(w) is ipywidgets.HTML]
print(any("no undecided change" in w.value for w in told))
"""
    shown = desk.sitting(
        OPEN, SCALE, TRAIN, CALL, SCALE.replace("n * 3", "3 * n"), CALL, press, CALL
    )
    assert "DecisionNeeded" in shown[5].text
    assert shown[6].text.split() == ["[True]", "True"]
    assert shown[7].text == "7 1"


def test_magics(desk: Desk) -> None:
    complete = "print(get_ipython().kernel.do_complete('%gitmemo sta', 12)['matches'])"
    shown = desk.sitting(
        *(OPEN, complete, "%gitmemo status", "%gitmemo df nobody", "%gitmemo nonsense"),
        *("%load_ext gitmemo", "%unload_ext gitmemo", "%gitmemo status", complete),
        *("%load_ext gitmemo", complete, "%reload_ext gitmemo", complete),
        "%unload_ext gitmemo\n%unload_ext gitmemo",
    )
    texts = [one.text for one in shown]
    assert texts[1] == "['status']"
    assert "0 calls" in texts[2]
    assert "fix:" in texts[3]
    assert "ended with exit code 2" in texts[3]
    assert "No such command" in texts[4]
    assert "not found" in texts[7]
    assert texts[8] == "[]"
    assert (texts[10], texts[12]) == ("['status']", "['status']")


def test_cells_of_memo(desk: Desk) -> None:
    make = "%%memo make\ndata = list(range(size))\ntotal = sum(data)"
    show = "print(data, total, storage.counter.reused, storage.counter.computed)"
    table = "storage.cf('double').expand_back().df()"
    shown = desk.sitting(
        *(OPEN.replace("(on_change='ask')", "()"), make, "size = 3", make, show, make, show),
        *("size = 4", make, show),
        *("%%memo double -i data -o twice\ntwice = [2 * n for n in data]", "print(twice)", table),
        *("%%memo grown\ndata[0] = total", "print(data)", "data.append(1)"),
        *("%%memo grown\ndata[0] = total", "print(data)"),  # another input by now
        *("%%memo\nimport math\nroot = math.sqrt(total)", "print(root, make_root.qualname)"),
        *(
            "from math import *",
            "%%memo late\nd = floor(2.5)",
            "%%memo\n!ls",
            "%%memo storage\nz = 1",
        ),
        *(
            "other = gm.Storage()",
            "%%memo three\nz = 1",
            "%%memo three -s other\nz = 1",
            "print(z)",
        ),
        *("%%memo fails -s other\nz = 1 / 0", "z", "raw = [1]"),
        "%%memo -s other\nraw.append(2)\nlast = raw",
        "for name in 'pq':\n    get_ipython().run_cell_magic('memo', name, 'z = 1')",
        "get_ipython().run_cell_magic('memo', 'seven -s other', 'y = 7')\n",
        "\n%%memo -s other\n\n\ntext = 1\n# why\n",
        "@gm.op\ndef inner(n):\n    return n",
        "%%memo -s other\nq = inner(1)",
        "%%memo -s other\nw = inner(1) + 1",
    )
    texts = [one.text for one in shown]
    assert "no such variable" in texts[1]
    assert texts[3] == "make: data, total computed"
    assert texts[4] == "[0, 1, 2] 3 0 1"
    assert texts[5].startswith("make: data, total reused")
    assert (texts[6], texts[9]) == ("[0, 1, 2] 3 1 1", "[0, 1, 2, 3] 6 1 2")
    assert texts[11] == "[0, 2, 4, 6]"
    assert "total" in texts[12], "the table goes back to the cell that made the input"
    assert texts[14] == "[6, 1, 2, 3]"
    assert "computed" in texts[16]
    assert texts[17] == "[6, 1, 2, 3, 1]"
    assert texts[19].endswith("make_root")
    assert "floor" in texts[21]
    assert "not plain Python" in texts[22]
    assert "variable of the notebook" in texts[23]
    assert "-s storage or -s other" in texts[25]
    assert (texts[27], texts[29]) == ("1", "1")
    assert "ZeroDivisionError" in texts[28]
    assert "InputMutated" in texts[31]
    assert "called by other code" in texts[32]
    assert texts[33] == "seven: y computed"
    assert texts[34] == "make_text: text computed"
    assert texts[36:] == ["make_q: q computed", "make_w: w computed"]


def test_errors_are_what_they_say_and_where_the_user_wrote_it(desk: Desk) -> None:
    desk.clone.write("lab.py", "def use(ref):\n    return ref + 1\n")
    behind = "try:\n    1 / 0\nexcept ZeroDivisionError:\n    storage.load_ref('abcd')"
    shown = desk.sitting(
        OPEN.replace("(on_change='ask')", "()"),
        "%%memo\nprint(1)",
        "import lab\n@gm.op\ndef one(n):\n    return n\nwith storage:\n    r = one(1)",
        "@gm.op\ndef two(n):\n    return lab.use(r)\n\nwith storage:\n    two(2)",
        behind,
        "%%memo\nz = 1 / 0",
    )
    refused, misused, missing = ("\n".join(shown[n].outputs[-1]["traceback"]) for n in (1, 3, 4))
    assert refused.splitlines() == [
        "MemoCellRefused: this cell cannot be an op: it binds no variable, so there is nothing to keep",
        "  fix: assign the result to a name",
        "  at Cell In[2], line 1",
    ]
    assert misused.splitlines()[2:] == [
        "  at Cell In[4], line 6: two(2)",
        "  at Cell In[4], line 3, in two: return lab.use(r)",
        f"  at {desk.clone.root / 'lab.py'}, line 2, in use: return ref + 1",
    ]
    assert missing.startswith("UnknownRef: ")
    assert "  at Cell In[5], line 4: storage.load_ref('abcd')\nbecause of\nTraceback" in missing
    assert missing.endswith("ZeroDivisionError: division by zero")
    assert "ZeroDivisionError" in shown[5].text  # not an error of gitmemo
    assert "1 / 0" in shown[5].text


def test_a_cell_of_memo_without_a_storage_uses_that_of_the_repository_around_it(
    desk: Desk,
) -> None:
    shown = desk.sitting(
        *("%load_ext gitmemo", "%%memo train\nz = 1 + 1", "%%memo train\nz = 1 + 1"),
        *("%%memo double\ny = 2 * z", "print(y)", "%gitmemo status", "%cd -q .."),
        "%%memo late\nlast = 2",
    )
    texts = [one.text for one in shown]
    assert texts[1] == "train: z computed"
    assert texts[2].startswith("train: z reused")
    assert (texts[3], texts[4]) == ("double: y computed", "4")
    assert "2 calls" in texts[5]
    assert "NotInRepository" in texts[7]


def test_a_cell_of_memo_takes_no_function_of_the_notebook_over(desk: Desk) -> None:
    begin = OPEN.replace("(on_change='ask')", "()")
    keep = f"{begin}\ndef make_y(x):\n    return x + 1\n@gm.op\ndef later(x):\n    return x\nx = 1"
    shown = desk.sitting(
        *(keep, "%%memo\ny = make_y(x)", "print(y)", "%%memo\ny = 2 * x"),
        *("%%memo later\ny = 3", "print(make_y(1), later(5))"),
        *("%%memo one\ny = x", "%load_ext gitmemo", "%reload_ext gitmemo"),
        *("%%memo one\ny = x", "%%memo one\ny = x * 5", "print(y)"),
        *("del make_y", "%%memo\ny = 2 * x", "print(y)"),
        *("@gm.op\ndef one(x):\n    return x", "%%memo one\ny = x"),
    )
    texts = [one.text for one in shown]
    assert "'make_y' is its name, and it reads that" in texts[1]
    assert "NameError" in texts[2]
    assert "make_y is a variable of the notebook" in texts[3]
    assert "later is a variable of the notebook" in texts[4]
    assert texts[5] == "2 5"
    assert texts[6] == "one: y computed"
    assert texts[9].startswith("one: y reused")
    assert (texts[10], texts[11]) == ("one: y computed", "5")
    assert (texts[13], texts[14]) == ("make_y: y computed", "2")
    assert "one is a variable of the notebook" in texts[16]


def test_a_command_that_leaves_a_process_behind_ends(desk: Desk) -> None:
    desk.clone.write(
        "leave.py",
        "import subprocess, sys\n"
        "code = 'import time; time.sleep(60); print(5)'\n"
        "print(subprocess.Popen([sys.executable, '-c', code]).pid, flush=True)\n"
        "print('done' * 30_000)\n",
    )
    before = time.monotonic()
    shown = desk.sitting(OPEN, "%gitmemo run leave.py", "print(6)")
    took = time.monotonic() - before
    pid, *said = shown[1].text.split()
    os.kill(int(pid), signal.SIGKILL)
    assert "done" * 30_000 in said
    assert "0 calls" in shown[1].text
    assert shown[2].text == "6"
    assert took < 40


def test_a_file_beside_the_notebook_is_no_module_of_the_command(desk: Desk) -> None:
    desk.clone.write("click.py", "raise SystemExit('the wrong one')\n")
    shown = desk.sitting(OPEN, "%gitmemo status", "%gitmemo df 'it")
    assert "0 calls" in shown[1].text
    assert "UsageError" in shown[2].text
    assert "quotation" in shown[2].text
    assert "Traceback" not in shown[2].text


def test_a_front_end_that_does_not_say_which_notebook_it_shows(desk: Desk) -> None:
    desk.write(OPEN, SCALE, TRAIN, CALL)
    shown = desk.sitting(OPEN, SCALE, TRAIN, CALL, session="")
    assert "UnknownNotebook" in shown[3].text
    assert "__session__" in shown[3].text


def test_what_a_command_says_is_one_output(desk: Desk) -> None:
    shown = desk.sitting(OPEN, "%gitmemo config list", "print('a\\nb')")
    assert shown[1].text.count("\n") > 5
    assert [len(one.outputs) for one in shown[1:]] == [1, 1]
