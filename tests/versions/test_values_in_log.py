"""A variable that changed, then an op that was renamed: `log`, `show` and `status` agree on ids."""

from __future__ import annotations

import pytest
from driver import Clone, make_project
from versions.looker import Looker

SCRIPT = """\
import gitmemo as gm

storage = gm.open()
CUT = 3


@gm.op
def fit(n):
    return n + CUT


if __name__ == "__main__":
    with storage:
        fit(1)
"""


def edit(clone: Clone, old: str, new: str) -> None:
    text = (clone.root / "script.py").read_text("utf-8")
    clone.write("script.py", text.replace(old, new))


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Looker:
    """A variable of a committed change, which nobody has decided about."""
    clone = make_project(tmp_path_factory.mktemp("cut") / "p", tmp_path_factory.mktemp("home"))
    clone.write("script.py", SCRIPT)
    clone.python("script.py")
    clone.commit("Three")
    edit(clone, "CUT = 3", "CUT = 4")
    clone.commit("Four", GITMEMO_ON_CHANGE="pending")
    return Looker(clone)


def test_a_decision_waits_visibly_and_its_ids_lead_somewhere(cut: Looker) -> None:
    clone = cut.clone
    assert "gitmemo commit" in clone.gitmemo("decide", "CUT", "--breaking").err
    shown = clone.gitmemo("status").out
    assert "0 pending, and 1 statement about code" in shown and "`gitmemo commit`" in shown
    assert clone.status()["pending_statements"] == 1
    clone.python("script.py")
    clone.gitmemo("commit")
    assert clone.status()["pending_statements"] == 0
    ruling, now, before = cut.json("log", "CUT")
    lines = clone.gitmemo("log", "CUT").out.splitlines()
    assert lines[0].startswith(f"{now['content'][:12]} script.py:$CUT breaking since ")
    assert f"since {before['content'][:12]} " in lines[0]
    out = clone.gitmemo("show", ruling["old"]).out
    assert "CUT = 3" in out and f"listed as {before['content'][:12]}" in out
    diff = clone.gitmemo("diff", "--code", ruling["old"], ruling["content"]).out
    assert "-CUT = 3\n+CUT = 4" in diff


def test_a_rename_is_hinted_at_and_its_text_is_compared(cut: Looker) -> None:
    clone = cut.clone
    edit(clone, "fit", "learn")
    assert "script.py:fit is script.py:learn now" in clone.gitmemo("status").out
    clone.commit("Rename")
    edit(clone, "n + CUT", "n - CUT")
    clone.commit("Subtract", GITMEMO_ON_CHANGE="breaking")
    clone.python("script.py")
    assert "-    return n + CUT\n  +def learn" in clone.gitmemo("log", "learn", "-p").out
