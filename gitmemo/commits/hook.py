"""What the git hooks run: decide and export before a commit, complete it afterwards.

Not the shell shims (`hooks/`). Invariant: nothing of the repository's code is
imported or run; an answer that was not given changes nothing; apart from a
refusal by a person or by policy, no problem here stops a commit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gitmemo.commits import export
from gitmemo.commits.absent import absent_code
from gitmemo.commits.altered import refuse_altered
from gitmemo.commits.histories import render_histories
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout, head, is_code_file, is_merging
from gitmemo.workspace import Workspace
from gitmemo.world import leftovers
from gitmemo.world.counting import count_new
from gitmemo.world.segments import segment_name
from gitmemo.world.spans import Numbers

if TYPE_CHECKING:
    from gitmemo.changes.cases import Reviewer
    from gitmemo.commits.staged import Decided
    from gitmemo.model.components import Component, Content
    from gitmemo.model.validity import Code
    from gitmemo.source.tree import SourceTree

_DIRTY = '"dirty":true'
"""What the line of a call says that ran where files differed from HEAD; arguments may say it too."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What a commit takes: what was decided about staged code, and how many calls.

    Attributes:
        decided: None where no code is staged.
        alone: Whether nothing else is staged, so that git refuses unless it was told not to.
        left: How many calls stay pending, for the commit does not have the code that made them.
        lacking: The files with this code.
        given_up: How many calls stay pending, for their code was thrown away.
    """

    decided: Decided | None
    calls: int
    alone: bool = False
    left: int = 0
    lacking: tuple[str, ...] = ()
    given_up: int = 0


def before_commit(
    workspace: Workspace,
    find_reviewer: Callable[[], Reviewer | None],
    *,
    stages: bool = True,
) -> Exported:
    """Decide about the staged changes, and stage the pending calls.

    `find_reviewer` is called when the policy is to ask; it returns None where nobody can answer.
    With `stages=False` calls stay pending: git makes a merge of what was there before its hook,
    and the pre-commit framework takes a hook that changes the index for one that failed.

    Raises:
        SegmentsAltered: Segments are staged that do not fit their names.
        Aborted: The person stopped the commit; nothing was recorded or staged.
        UndecidedChanges: The policy is `error` and there are changes to decide.
    """
    git = Git(workspace.root, keep=("GIT_INDEX_FILE",))
    # Git decides whether there is anything to commit by the index as it is now.
    staged = _staged(git, workspace.layout)
    is_alone = staged == [] and not is_merging(workspace.layout)
    # First of all: when this commit is refused, no hook comes that could do it.
    if stages:
        segments = leftovers.staged_segments(git) if staged is None else staged
        leftovers.unstage(git, workspace.root, segments)
    if staged is None or any(map(segment_name, staged)):
        refuse_altered(git)
    world = workspace.world
    world.enter()
    paths = [path for path in staged or () if is_code_file(path)]
    decided = None
    code: Code = StagedCode(git)
    if paths:
        from gitmemo.commits.staged import decide, staged_trees

        before, code = staged_trees(git, paths)
        decided = decide(workspace, before, code, paths, find_reviewer)
    if not stages:
        return Exported(decided, calls=0)
    pending = world.pending(code)
    absent = absent_code(git, workspace, pending, code)
    left = _new_calls(workspace, absent.numbers)
    pending -= absent.numbers
    given_up = _given_up(workspace, pending, code)
    dropped = _new_calls(workspace, given_up)
    plan = export.plan_export(world, pending - given_up)
    export.stage_untracked(git, workspace.root)
    if plan is None:
        return Exported(decided, 0, left=left, lacking=absent.paths, given_up=dropped)
    leftovers.note(workspace.layout)
    calls = _new_calls(workspace, plan.known.values())
    export.stage(git, world, plan)
    return Exported(decided, calls, is_alone, left, absent.paths, dropped)


def _given_up(workspace: Workspace, pending: Collection[int], code: Code) -> frozenset[int]:
    """Return the pending calls of code that was thrown away; what ran on clean files is not looked at."""
    lines = workspace.world.index.numbered_lines(pending)
    tried = {number for line, number in lines.items() if _DIRTY in line}
    if not tried:
        return frozenset()
    from gitmemo.commits.discarded import calls_given_up  # reading code takes long to import

    return calls_given_up(workspace, pending, tried, code)


def _staged(git: Git, layout: Layout) -> list[str] | None:
    """Return the paths where the index differs from HEAD; None before the first commit."""
    if head(layout).commit is None:
        return None
    listing = git.run("diff-index", "--cached", "--name-only", "-z", "HEAD", "--")
    return [path for path in listing.split("\0") if path]


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


def _new_calls(workspace: Workspace, numbers: Collection[int]) -> int:
    """Return how many calls a commit takes, counted as `gitmemo status` counts what is pending."""
    world = workspace.world
    if world.renames().former_ops():
        from gitmemo.query import count_new_calls  # it takes long to import

        return count_new_calls(workspace, numbers)
    committed, dead = (
        Numbers(world.index.runs(world.files.active)),
        world.index.covered(world.graves().here),
    )
    return count_new(world.index, numbers, lambda n: n in committed and n not in dead)


def after_commit(workspace: Workspace) -> list[str]:
    """Complete the commit that was made; return the segments that it brought into the work tree."""
    git = Git(workspace.root)
    written = leftovers.complete(git, workspace.root)
    world = workspace.world
    world.enter()
    export.retire_journals(world)
    render_histories(workspace)
    return written
