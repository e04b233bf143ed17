"""Which pending calls a commit takes, and which wait: for the code that made them, or for nothing.

Not what becomes of those that it takes (`export`). Invariant: a commit, and whoever says what the
next one takes, divide them in the same way; where nothing differs, no code is read.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gitmemo.commits.absent import absent_code
from gitmemo.git.cli import Git
from gitmemo.quantities import count
from gitmemo.workspace import Workspace
from gitmemo.world.counting import count_new
from gitmemo.world.spans import Numbers

if TYPE_CHECKING:
    from gitmemo.model.components import Component, Content
    from gitmemo.model.validity import Code
    from gitmemo.source.tree import SourceTree

_DIRTY = '"dirty":true'
"""What the line of a call says that ran where files differed from HEAD; arguments may say it too."""


@dataclass(frozen=True, slots=True)
class Divided:
    """Pending calls, as a commit takes them or leaves them.

    Attributes:
        taken: What it takes.
        left: How many calls stay pending, for the commit does not have the code that made them.
        lacking: The files with this code.
        given_up: How many calls stay pending, for their code was thrown away.
    """

    taken: frozenset[int]
    left: int = 0
    lacking: tuple[str, ...] = ()
    given_up: int = 0

    def reasons(self) -> Iterator[str]:
        """Yield how many calls stay pending, why, and what helps."""
        if self.lacking:
            stay = "stays" if self.left == 1 else "stay"
            yield (
                f"{count(self.left, 'call')} {stay} pending: this commit does not have the code that"
                f" made them: git add {shlex.join(self.lacking)}"
            )
        if self.given_up:
            stay = "stays" if self.given_up == 1 else "stay"
            yield (
                f"{count(self.given_up, 'call')} {stay} pending: the code that made them was thrown "
                "away: gitmemo drop --stale --pending leaves them out"
            )


def divide(git: Git, workspace: Workspace, code: Code) -> Divided:
    """Divide what is pending: `code` is the staged one, `git` the index that has it."""
    pending = workspace.world.pending(code)
    absent = absent_code(git, workspace, pending, code)
    left = new_calls(workspace, absent.numbers)
    rest = pending - absent.numbers
    given_up = _given_up(workspace, rest, code)
    return Divided(frozenset(rest - given_up), left, absent.paths, new_calls(workspace, given_up))


def next_commit(workspace: Workspace) -> Divided:
    """Divide what is pending as a commit of what is staged now would."""
    git = Git(workspace.root)
    return divide(git, workspace, StagedCode(git))


def _given_up(workspace: Workspace, pending: Collection[int], code: Code) -> frozenset[int]:
    """Return the pending calls of code that was thrown away; what ran on clean files is not looked at."""
    lines = workspace.world.index.numbered_lines(pending)
    tried = {number for line, number in lines.items() if _DIRTY in line}
    if not tried:
        return frozenset()
    from gitmemo.commits.discarded import calls_given_up  # reading code takes long to import

    return calls_given_up(workspace, pending, tried, code)


class StagedCode:
    """The code in the index, for a commit that changes none. Implements `model.validity.Code`.

    Only pending calls of other branches ask for it; reading code takes long to import.
    """

    def __init__(self, git: Git) -> None:
        self._git = git

    def current(self, component: Component) -> Content | None:
        """Return what the staged files say; None where they have no such component."""
        return self._tree.current(component)

    def knows(self, component: Component) -> bool:
        """Whether files can say anything of it."""
        return self._tree.knows(component)

    @cached_property
    def _tree(self) -> SourceTree:
        from gitmemo.commits.staged import staged_trees

        return staged_trees(self._git, [])[1]


def new_calls(workspace: Workspace, numbers: Collection[int]) -> int:
    """Return how many calls a commit takes, counted as `gitmemo status` counts what is pending."""
    world = workspace.world
    if world.renames().former_ops():
        from gitmemo.counts import count_new_calls  # it takes long to import

        return count_new_calls(workspace, numbers)
    committed, dead = (
        Numbers(world.index.runs(world.files.active)),
        world.index.covered(world.graves().here),
    )
    return count_new(world.index, numbers, lambda n: n in committed and n not in dead)
