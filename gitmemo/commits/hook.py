"""What the git hooks run: decide and export before a commit, complete it afterwards.

Not the shell shims (`hooks/`). Invariant: nothing of the repository's code is
imported or run; an answer that was not given changes nothing; apart from a
refusal by a person or by policy, no problem here stops a commit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gitmemo.changes.change import Change
from gitmemo.changes.deciding import Asker, facts_of, verdicts
from gitmemo.changes.finding import find_changes, find_open
from gitmemo.changes.recognising import Recognised
from gitmemo.changes.uses import world_uses
from gitmemo.commits import export
from gitmemo.commits.renames import renames_between
from gitmemo.git.cli import Git
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Decision, Fact, Source, Statement, Verdict
from gitmemo.model.lines import record_id, to_line
from gitmemo.source.tree import SourceTree
from gitmemo.workspace import Workspace
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.segments import Segment

_CODE = ("*.py", "*.ipynb")


@dataclass(frozen=True, slots=True)
class Exported:
    """What a commit takes: changes decided and left open, what was recognised, how many calls."""

    decided: tuple[tuple[Change, Verdict | None], ...]
    recognised: Recognised
    calls: int


def before_commit(workspace: Workspace, find_asker: Callable[[], Asker | None]) -> Exported:
    """Decide about the staged changes, and stage the pending calls.

    `find_asker` is called when the policy is to ask; it returns None where nobody can answer.

    Raises:
        Aborted: The person stopped the commit; nothing was recorded or staged.
        UndecidedChanges: The policy is `error` and there are changes to decide.
    """
    git = Git(workspace.root, keep=("GIT_INDEX_FILE",))
    world = workspace.world
    world.enter()
    before, after, paths = staged_trees(git, world)
    recognised, facts = renames_between(workspace, before, after, paths)
    changes = undecided(world, before, after, paths, facts)
    answers = verdicts(changes, workspace.settings.on_change, find_asker)
    for change, verdict in answers:
        facts += facts_of(world, change, verdict)
    if facts:
        world.record(facts)
        world.enter()
    segment = export.plan_export(world, after)
    export.unstage_leftovers(git, workspace.root, segment)
    export.stage_untracked(git, workspace.root)
    if segment is not None:
        export.stage(git, segment)
    calls = _runs(segment) if segment else 0
    return Exported(tuple(answers), recognised, calls)


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


def render_histories(workspace: Workspace) -> None:
    """Write the sources and decisions that are known here as git commits, where they are missing."""
    index = workspace.world.index
    facts = [
        fact
        for kind in ("source", "decision")
        for _, _, fact in index.facts(kind)
        if isinstance(fact, Source | Decision)
    ]
    if not facts:
        return
    from gitmemo.history import Histories

    Histories(workspace.layout).render(facts, index.texts())


def staged_trees(git: Git, world: RepositoryWorld) -> tuple[SourceTree, SourceTree, list[str]]:
    """Return the code of HEAD, the staged code, and the code files that differ."""
    born = world.place.commit is not None
    paths: list[str] = []
    if born:
        listing = git.run("diff-index", "--cached", "--name-only", "-z", "HEAD", "--", *_CODE)
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


def undecided(
    world: RepositoryWorld,
    before: SourceTree,
    after: SourceTree,
    paths: Sequence[str],
    said: Sequence[Fact] = (),
) -> list[Change]:
    """Return the changes in `paths` that stored calls depend on and nobody decided about.

    `said` are facts that are about to be recorded.
    """
    if not paths:
        return []
    more = [(record_id(to_line(fact)), fact) for fact in said if isinstance(fact, Statement)]
    decisions = Decisions([*world.statements(), *more])
    return find_changes(world_uses(world, after), before, after, decisions, paths)


def open_changes(workspace: Workspace) -> list[Change]:
    """Return what is undecided between the stored calls of this world and the files as they are.

    Packages and environment variables are those of this process, as far as they are there.
    """
    from gitmemo.tracing.outside import Outside, WithOutside

    world = workspace.world
    world.enter()
    uses = world_uses(world, workspace.code)
    code = WithOutside(workspace.code, Outside(workspace.root))
    return find_open(uses, code, world.decisions(), world.text)
