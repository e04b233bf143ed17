"""Two people whose clocks are hours apart share results: run by `test_clocks`, under the shim. Not a test.

Invariant: no clock decides what is found, what is kept, or what is removed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from faults.control import HOUR_NS, Control, Fault
from faults.trials import preload
from faults.world import Ended, World, expect, make

from gitmemo.cli import main as gitmemo

_DAY = 24


class Person(World):
    """Somebody with a clone in the world, and a clock."""

    def __init__(self, top: Path, name: str, hours: int, control: Control) -> None:
        super().__init__(top)
        object.__setattr__(self, "_details", (name, hours, control))

    def does(self, *arguments: str, hours: int | None = None) -> Ended:
        """Run gitmemo, or git, by this clock."""
        name, own, control = self._details
        ahead = own if hours is None else hours
        control.arm(self.top, Fault("", "clock", clock_ns=ahead * HOUR_NS), 0)

        def act() -> int:
            os.chdir(self.top / name)
            # To a clock that is late, files are of the future: Python's cache proves what was loaded.
            sys.dont_write_bytecode = False
            if arguments[0] == "git":
                os.execvp("git", arguments)
            return gitmemo(arguments)

        ended = self.child(act)
        control.disarm()
        return expect(ended)

    def finds(self, last: int) -> None:
        """All calls up to a number are stored, and right."""
        found = self.does("run", "study.py", "check", "0", str(last))
        assert not found.calls("ran") and not found.said("wrong"), found

    def shares(self, *numbers: str) -> None:
        """Make calls, and share them."""
        self.does("run", "study.py", "run", *numbers)
        self.does("commit", "-m", f"Calls {numbers}")
        self.does("push", "--all")
        self.does("git", "push", "-q", "origin", "HEAD")


def main(top: Path) -> None:
    """Let two people share, clean and look."""
    control = Control(Path(os.environ["FAULTS_CONTROL"]))
    preload()
    world = make(top)
    early, late = Person(top, "p", 5, control), Person(top, "q", -5, control)
    early.shares("3", "5")
    early.does("git", "clone", "-q", str(top / "origin.git"), str(top / "q"))
    for key, value in (("user.name", "Late"), ("user.email", "late@localhost")):
        late.does("git", "config", key, value)
    late.does("init")
    late.does("remote", "trust", "lab")
    late.does("pull", "--all")
    late.finds(5)
    late.shares("5", "7")
    early.does("git", "pull", "-q", "--no-edit")
    early.does("pull", "--all")
    early.finds(7)
    for person in (early, late):
        person.does("gc", "--yes")
        person.does("verify")
        person.finds(7)
    # What nothing needs is marked by one, and swept by one whose clock is weeks ahead: too early.
    late.does("run", "study.py", "run", "7", "8")
    late.does("push", "--all")
    private = top / "q/.git/gitmemo"
    for path in (*private.glob("journal/*/*.jsonl"), *private.glob("index.db*")):
        path.unlink()
    late.does("remote", "gc", "lab", "--yes", "--ignore-others")
    assert any((top / "lab/gc").iterdir())
    values = {path for path in (top / "lab").rglob("*") if path.is_file()}
    early.does("remote", "gc", "lab", "--yes", "--sweep", "--ignore-others", hours=20 * _DAY)
    assert values <= {path for path in (top / "lab").rglob("*") if path.is_file()}
    expect(world.gitmemo("verify"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
