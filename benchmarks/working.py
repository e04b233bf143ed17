"""Work in a repository with results: status, commit, checkout, a new clone; beside DVC and git alone.

2,000 values of 200 bytes and 20 of 5 MB, half of them in an older commit. Whole processes; both tools have
their hooks installed. The floor is git with the same files and no hooks. Invariant: each round begins with
the same commits, files and results.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks.environments import program_of
from benchmarks.peers import REPOSITORY, git
from benchmarks.places import Place
from benchmarks.processes import NO_HOOKS, wall_us
from benchmarks.projects import Dvc, Gitmemo, Workload
from benchmarks.rows import show
from benchmarks.sharing import LARGE, SMALL
from benchmarks.timing import Row, Take, Turns

GIT = "git alone"
_HALF = Workload((0, SMALL // 2), (0, LARGE // 2))
_WHOLE = Workload((0, SMALL), (0, LARGE))
_TITLES = {
    "status": "status",
    "checkout": "`git checkout` of a commit with half of the results",
    "rerun": "that, and the program run again, nothing computed",
    "commit": f"`git commit` of {SMALL:,} new small results",
    "commit-other": "`git commit` of another file",
    "clone": "a new clone, its values pulled, the program run again",
}
_Git = Callable[..., None]


def working(rounds: int, group: str) -> None:
    """Time each kind of work with gitmemo, with DVC, and with git alone."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        place = Place(Path(name))
        ours = Gitmemo(place)
        takes: dict[str, Take] = {}
        plain: dict[str, float] = {}
        takes[REPOSITORY] = _taker(ours, lambda *given: git(ours.folder, *given), plain)
        if program := program_of("dvc"):
            theirs = Dvc(place, program)
            theirs.install()
            takes["DVC"] = _taker(theirs, theirs.git, {})
        else:
            print("  (DVC is not installed, so not measured: python -m benchmarks setup)")
        takes[GIT] = lambda: dict(plain)  # measured within the turn of gitmemo, on its files
        found = Turns(takes, frozenset([GIT])).run(rounds)
    for what, figures in found.items():
        show(Row(what, _TITLES[what], figures, group=group))


def _taker(tool: Gitmemo | Dvc, run_git: _Git, plain: dict[str, float]) -> Take:
    """Commit the two states; return what does all work once.

    In the turn of gitmemo git's own times are left in `plain`.
    """
    for workload, branch in ((_HALF, "before"), (_WHOLE, "after")):
        tool.make(workload)
        run_git("add", "--all")
        run_git("commit", "-q", "--allow-empty", "-m", branch)
        run_git("branch", branch)
    tool.push()
    tool.keep()
    new = count(1)

    def take() -> dict[str, float]:
        run_git(*NO_HOOKS, "checkout", "-q", "-f", "-B", "work", "after")
        tool.restore()
        tool.status()  # which settles what was put back
        found = {"status": wall_us(tool.status)}
        if isinstance(tool, Gitmemo):
            plain["status"] = wall_us(lambda: run_git("status", "--short"))
        found |= _checked_out(tool, run_git, plain)
        found |= _committed(tool, run_git, plain, next(new))
        tool.drop_copy()
        run_git(*NO_HOOKS, "checkout", "-q", "after")
        found["clone"] = wall_us(lambda: _cloned(tool))
        tool.drop_copy()
        if isinstance(tool, Gitmemo):
            command = ("clone", "-q", "--no-local", ".", str(tool.copy))
            plain["clone"] = wall_us(lambda: run_git(*command))
            tool.drop_copy()
        return found

    return take


def _checked_out(tool: Gitmemo | Dvc, run_git: _Git, plain: dict[str, float]) -> dict[str, float]:
    """Go to the older commit, and run the program there; come back."""
    run_git("checkout", "-q", "after")
    tool.run(tool.folder)
    taken = wall_us(lambda: run_git("checkout", "-q", "before"))
    again = wall_us(lambda: tool.run(tool.folder))
    run_git("checkout", "-q", "after")
    if isinstance(tool, Gitmemo):
        plain["checkout"] = wall_us(lambda: run_git(*NO_HOOKS, "checkout", "-q", "before"))
        plain["rerun"] = plain["checkout"]
        run_git(*NO_HOOKS, "checkout", "-q", "after")
    run_git("checkout", "-q", "work")
    return {"checkout": taken, "rerun": taken + again}


def _committed(
    tool: Gitmemo | Dvc, run_git: _Git, plain: dict[str, float], number: int
) -> dict[str, float]:
    """Commit new results, and then another file; git does the same again without hooks."""
    tool.make(Workload((number * SMALL, (number + 1) * SMALL), (0, LARGE)))
    found: dict[str, float] = {}
    for what, name in (("commit", "make.py"), ("commit-other", f"notes-{number}.txt")):
        if what == "commit-other":
            (tool.folder / name).write_text(f"{number}\n", encoding="utf-8")
        run_git("add", "--all")
        found[what] = wall_us(partial(run_git, "commit", "-q", "-m", what))
        if isinstance(tool, Gitmemo):
            run_git("reset", "-q", "--soft", "HEAD~1")
            plain[what] = wall_us(partial(run_git, *NO_HOOKS, "commit", "-q", "-m", what))
    return found


def _cloned(tool: Gitmemo | Dvc) -> None:
    tool.clone()
    tool.pull()
    tool.run(tool.copy)
