"""What nobody has decided about, between stored calls and code, with what is known of it.

Not what a person answers (`changes.deciding`), nor the commit that asks (`hook`). Invariant:
looking records nothing, and imports and runs nothing of the repository's code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gitmemo.changes import finding
from gitmemo.changes.change import Change
from gitmemo.changes.finding import (
    ReadableCode,
    find_between,
    find_changes,
    find_every_open,
    find_open,
)
from gitmemo.changes.uses import Uses, world_uses
from gitmemo.commits.discarded import without_discarded
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Decision, Fact, Statement
from gitmemo.model.lines import record_id, to_line
from gitmemo.source.tree import SourceTree
from gitmemo.workspace import Workspace
from gitmemo.world.notes import FileNotes

if TYPE_CHECKING:
    from gitmemo.changes.cases import Case
    from gitmemo.changes.evidence import Evidence


def cases_between(
    workspace: Workspace,
    before: SourceTree,
    after: SourceTree,
    paths: Sequence[str],
    said: Sequence[Fact] = (),
) -> list[Case]:
    """Return the changes in `paths` that stored calls depend on and nobody decided about.

    What was run between the last commit and this one is in the case of its component. `said` are facts
    that are about to be recorded.
    """
    if not paths:
        return []
    world = workspace.world
    more = [(record_id(to_line(fact)), fact) for fact in said if isinstance(fact, Statement)]
    decisions = Decisions([*world.statements(), *more])
    uses = world_uses(world, after, decisions)
    changes = find_changes(uses, before, after, decisions, paths, world.text)
    if not changes:
        return []
    kept = _without_discarded(workspace, uses, after, changes)
    between = [find_between(one, kept, after, decisions, world.text) for one in changes]
    from gitmemo.changes.cases import together

    every = [one for first, rest in zip(changes, between, strict=True) for one in (first, *rest)]
    return together(_cases(workspace, after, every, uses))


def _without_discarded(
    workspace: Workspace, uses: Uses, after: SourceTree, changes: Sequence[Change]
) -> Uses:
    """Return `uses` of the components that changed, without what was given up."""
    components = {change.component for change in changes}
    contents = {one: found for one, found in uses.contents.items() if one in components}
    return without_discarded(workspace, replace(uses, contents=contents), after)


def open_cases(workspace: Workspace) -> list[Case]:
    """Return what is undecided between stored calls and the files as they are, and what is contested.

    Contested decisions come first. Of a component all contents of calls are compared with what it
    holds, those of a commit before those that were tried since.
    """
    from gitmemo.changes.cases import Case
    from gitmemo.changes.contested import contested_change

    world = workspace.world
    asked, uses, code = _open(workspace)
    changes = find_every_open(asked, code, world.decisions(), world.text)
    contests = world.decisions().contests()
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
    from gitmemo.changes.contested import decided_change

    uses = world_uses(workspace.world, workspace.code)
    (found,) = _evidence(workspace, [decided_change(said, uses, workspace.world.text)], uses)
    return found


def _evidence(workspace: Workspace, changes: Sequence[Change], uses: Uses) -> list[Evidence]:
    from gitmemo.changes.evidence import evidence_for

    notes = check_notes(workspace).lines()
    return evidence_for(workspace.world, workspace.code, changes, uses, notes)


def _cases(
    workspace: Workspace, code: SourceTree, changes: Sequence[Change], uses: Uses
) -> list[Case]:
    from gitmemo.changes.cases import cases_of  # mostly nothing is undecided

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
    asked, _, code = _open(workspace)
    return find_open(asked, code, workspace.world.decisions(), workspace.world.text)


def is_any_open(workspace: Workspace) -> bool:
    """Whether something is undecided or contested, between stored calls and the files as they are."""
    asked, _, code = _open(workspace)
    return finding.is_any_open(asked, code, workspace.world.decisions())


def _open(workspace: Workspace) -> tuple[Uses, Uses, ReadableCode]:
    """Return what calls touched, without what was given up and with it, and the files as they are."""
    world = workspace.world
    world.enter()
    uses, code = world_uses(world, workspace.code), _code_here(workspace)
    return without_discarded(workspace, uses, code), uses, code


def _code_here(workspace: Workspace) -> ReadableCode:
    """Return the files as they are, with the packages and environment variables of this process."""
    from gitmemo.tracing.outside import Outside, WithOutside

    return WithOutside(workspace.code, Outside(workspace.root))
