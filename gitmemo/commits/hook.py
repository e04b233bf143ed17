"""What the git hooks run: decide and export before a commit, complete it afterwards.

Not the shell shims (`hooks/`). Invariant: nothing of the repository's code is
imported or run; an answer that was not given changes nothing; apart from a
refusal by a person or by policy, no problem here stops a commit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmemo.commits import export
from gitmemo.commits.altered import refuse_altered
from gitmemo.commits.histories import render_histories
from gitmemo.commits.taking import Divided, StagedCode, divide, new_calls
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout, head, is_code_file, is_merging
from gitmemo.workspace import Workspace
from gitmemo.world import leftovers
from gitmemo.world.segments import segment_name

if TYPE_CHECKING:
    from gitmemo.changes.cases import Reviewer
    from gitmemo.commits.staged import Decided
    from gitmemo.model.validity import Code


@dataclass(frozen=True, slots=True)
class Exported:
    """What a commit takes: what was decided about staged code, and how many calls.

    Attributes:
        decided: None where no code is staged.
        alone: Whether nothing else is staged, so that git refuses unless it was told not to.
        waiting: Which calls stay pending; None where none was looked at.
    """

    decided: Decided | None
    calls: int
    alone: bool = False
    waiting: Divided | None = None


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
    divided = divide(git, workspace, code)
    plan = export.plan_export(world, divided.taken)
    export.stage_untracked(git, workspace.root)
    if plan is None:
        return Exported(decided, 0, waiting=divided)
    leftovers.note(workspace.layout)
    calls = new_calls(workspace, plan.known.values())
    export.stage(git, world, plan)
    return Exported(decided, calls, is_alone, divided)


def _staged(git: Git, layout: Layout) -> list[str] | None:
    """Return the paths where the index differs from HEAD; None before the first commit."""
    if head(layout).commit is None:
        return None
    listing = git.run("diff-index", "--cached", "--name-only", "-z", "HEAD", "--")
    return [path for path in listing.split("\0") if path]


def after_commit(workspace: Workspace) -> list[str]:
    """Complete the commit that was made; return the segments that it brought into the work tree."""
    git = Git(workspace.root)
    written = leftovers.complete(git, workspace.root)
    world = workspace.world
    world.enter()
    export.retire_journals(world)
    render_histories(workspace)
    return written
