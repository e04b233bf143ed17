"""What the git hooks run: decide and export before a commit, complete it afterwards.

Not the shell shims (`hooks/`). Invariant: nothing of the repository's code is
imported or run; an answer that was not given changes nothing; apart from a
refusal by a person or by policy, no problem here stops a commit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gitmemo.changes.author import author
from gitmemo.changes.cases import Answer, Case, Reviewer, answers, cases_of, facts_for
from gitmemo.changes.change import Change
from gitmemo.changes.contested import contested_change, decided_change
from gitmemo.changes.evidence import Evidence, evidence_for
from gitmemo.changes.finding import ReadableCode, find_changes, find_open
from gitmemo.changes.recognising import Recognised
from gitmemo.changes.uses import Uses, world_uses
from gitmemo.commits import export
from gitmemo.commits.scenes import CODE_FILES, renames_between
from gitmemo.git.cli import Git
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Decision, Fact, Source, Statement
from gitmemo.model.lines import record_id, to_line
from gitmemo.source.tree import SourceTree
from gitmemo.workspace import Workspace
from gitmemo.world.notes import FileNotes
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.segments import Segment


@dataclass(frozen=True, slots=True)
class Exported:
    """What a commit takes: changes decided and left open, what was recognised, how many calls.

    Attributes:
        alone: Whether nothing else is staged, so that git refuses unless it was told not to.
    """

    decided: tuple[tuple[Case, Answer], ...]
    recognised: Recognised
    calls: int
    alone: bool = False


def before_commit(workspace: Workspace, find_reviewer: Callable[[], Reviewer | None]) -> Exported:
    """Decide about the staged changes, and stage the pending calls.

    `find_reviewer` is called when the policy is to ask; it returns None where nobody can answer.

    Raises:
        Aborted: The person stopped the commit; nothing was recorded or staged.
        UndecidedChanges: The policy is `error` and there are changes to decide.
    """
    git = Git(workspace.root, keep=("GIT_INDEX_FILE",))
    world = workspace.world
    world.enter()
    before, after, paths = staged_trees(git, world)
    recognised, facts = renames_between(workspace, before, after, paths)
    cases = undecided(workspace, before, after, paths, facts)
    decided = answers(cases, workspace.settings.on_change, find_reviewer)
    who = author(workspace.root, recorded=bool(cases) and workspace.settings.record_user)
    for case, answer in decided:
        facts += facts_for(world, case, answer, who)
    if facts:
        world.record(facts)
        world.enter()
    segment = export.plan_export(world, after)
    # Git decides whether there is anything to commit by the index as it is now.
    alone = segment is not None and _is_nothing_staged(git)
    export.unstage_leftovers(git, workspace.root, segment)
    export.stage_untracked(git, workspace.root)
    if segment is not None:
        export.stage(git, segment)
    calls = _runs(segment) if segment else 0
    return Exported(tuple(decided), recognised, calls, alone)


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


def undecided(
    workspace: Workspace,
    before: SourceTree,
    after: SourceTree,
    paths: Sequence[str],
    said: Sequence[Fact] = (),
) -> list[Case]:
    """Return the changes in `paths` that stored calls depend on and nobody decided about.

    `said` are facts that are about to be recorded.
    """
    if not paths:
        return []
    world = workspace.world
    more = [(record_id(to_line(fact)), fact) for fact in said if isinstance(fact, Statement)]
    decisions = Decisions([*world.statements(), *more])
    uses = world_uses(world, after, decisions)
    changes = find_changes(uses, before, after, decisions, paths)
    return _cases(workspace, after, changes, uses) if changes else []


def open_cases(workspace: Workspace) -> list[Case]:
    """Return what is undecided between stored calls and the files as they are, and what is contested.

    Contested decisions come first.
    """
    world = workspace.world
    world.enter()
    uses = world_uses(world, workspace.code)
    decisions = world.decisions()
    code = _code_here(workspace)
    changes = find_open(uses, code, decisions, world.text)
    contests = decisions.contests()
    contested = [contested_change(contest, uses, code, world.text) for contest in contests]
    known = _evidence(workspace, contested, uses)
    return [
        *(
            Case(change, evidence, contest=contest)
            for change, evidence, contest in zip(contested, known, contests, strict=True)
        ),
        *_cases(workspace, workspace.code, changes, uses),
    ]


def evidence_about(workspace: Workspace, said: Decision) -> Evidence:
    """Return what is known of the two contents that a decision is about."""
    uses = world_uses(workspace.world, workspace.code)
    (found,) = _evidence(workspace, [decided_change(said, uses, workspace.world.text)], uses)
    return found


def _evidence(workspace: Workspace, changes: Sequence[Change], uses: Uses) -> list[Evidence]:
    notes = check_notes(workspace).lines()
    return evidence_for(workspace.world, workspace.code, changes, uses, notes)


def _cases(
    workspace: Workspace, code: SourceTree, changes: Sequence[Change], uses: Uses
) -> list[Case]:
    return cases_of(
        workspace.world,
        code,
        changes,
        uses,
        checks=check_notes(workspace).lines(),
        source_roots=workspace.settings.source_roots,
    )


def check_notes(workspace: Workspace) -> FileNotes:
    """Return where this machine keeps what checks of changes found."""
    return FileNotes(workspace.layout.private_dir / "checks.jsonl")


def open_changes(workspace: Workspace) -> list[Change]:
    """Return what is undecided between the stored calls of this world and the files as they are."""
    world = workspace.world
    world.enter()
    uses = world_uses(world, workspace.code)
    return find_open(uses, _code_here(workspace), world.decisions(), world.text)


def _code_here(workspace: Workspace) -> ReadableCode:
    """Return the files as they are, with the packages and environment variables of this process."""
    from gitmemo.tracing.outside import Outside, WithOutside

    return WithOutside(workspace.code, Outside(workspace.root))
