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
from gitmemo.git.cli import Git
from gitmemo.source.tree import CODE_FILES, SourceTree
from gitmemo.workspace import Workspace
from gitmemo.world import leftovers
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.segments import Segment

if TYPE_CHECKING:
    from gitmemo.changes.cases import Reviewer
    from gitmemo.commits.staged import Decided


@dataclass(frozen=True, slots=True)
class Exported:
    """What a commit takes: what was decided about staged code, and how many calls.

    Attributes:
        decided: None where no code is staged.
        alone: Whether nothing else is staged, so that git refuses unless it was told not to.
    """

    decided: Decided | None
    calls: int
    alone: bool = False


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
    is_alone = _is_nothing_staged(git)
    # First of all: when this commit is refused, no hook comes that could do it.
    if stages:
        leftovers.unstage(git, workspace.root)
    if not is_alone:
        refuse_altered(git)
    world = workspace.world
    world.enter()
    before, after, paths = staged_trees(git, world)
    decided = None
    if paths:
        from gitmemo.commits.staged import decide

        decided = decide(workspace, before, after, paths, find_reviewer)
    if not stages:
        return Exported(decided, calls=0)
    segment = export.plan_export(world, after)
    export.stage_untracked(git, workspace.root)
    if segment is not None:
        leftovers.note(workspace.layout)
        export.stage(git, segment)
    calls = _runs(segment) if segment else 0
    return Exported(decided, calls, is_alone and segment is not None)


def _is_nothing_staged(git: Git) -> bool:
    """Whether the index is that of HEAD, and no merge is being concluded."""
    changed = git.process("diff-index", "--cached", "--quiet", "HEAD", "--")
    return changed.returncode == 0 and not git.try_run("rev-parse", "-q", "--verify", "MERGE_HEAD")


def _runs(segment: Segment) -> int:
    """Return how many calls were run, links left out."""
    lines = segment.data.decode("utf-8").splitlines()
    return sum(line.startswith('["call",') and '"start":' in line for line in lines)


def after_commit(workspace: Workspace) -> list[str]:
    """Complete the commit that was made; return the segments that it brought into the work tree."""
    git = Git(workspace.root)
    written = export.complete(git, workspace.root)
    world = workspace.world
    world.enter()
    export.retire_journals(world)
    render_histories(workspace)
    return written


def staged_trees(git: Git, world: RepositoryWorld) -> tuple[SourceTree, SourceTree, list[str]]:
    """Return the code of HEAD, the staged code, and the code files that differ."""
    born = world.place.commit is not None
    paths: list[str] = []
    if born:
        listing = git.run("diff-index", "--cached", "--name-only", "-z", "HEAD", "--", *CODE_FILES)
        paths = [path for path in listing.split("\0") if path]
    heads = {f"HEAD:{path}": None for path in paths}
    stageds = {f":{path}": None for path in paths}
    contents: dict[str, bytes | None] = git.cat_file_batch([*heads, *stageds]) if paths else {}

    def read(spec: str) -> bytes | None:
        if spec not in contents:
            contents.update(git.cat_file_batch([spec]))
        return contents[spec]

    before = SourceTree(lambda path: read(f"HEAD:{path}") if born else None)
    return before, SourceTree(lambda path: read(f":{path}")), paths
