"""What a commit decides about the code that is staged: asked for, or taken from the policy.

Not what becomes of the calls (`export`). It takes long to import, and most commits of results
stage no code. Invariant: all is answered before the first answer is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gitmemo.changes.author import author
from gitmemo.changes.cases import Answer, Case, Reviewer, answers, settle
from gitmemo.changes.recognising import Recognised
from gitmemo.commits.scenes import renames_between
from gitmemo.commits.undecided import cases_between
from gitmemo.git.cli import Git
from gitmemo.model.facts import Fact
from gitmemo.source.tree import SourceTree
from gitmemo.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Decided:
    """What was found in the staged code: changes decided and left open, and what was recognised.

    Attributes:
        left: Contents that were run in between, of which the answer was not taken.
    """

    answers: tuple[tuple[Case, Answer], ...]
    recognised: Recognised
    left: tuple[Case, ...] = ()


def decide(
    workspace: Workspace,
    before: SourceTree,
    after: SourceTree,
    paths: Sequence[str],
    find_reviewer: Callable[[], Reviewer | None],
) -> Decided:
    """Decide about what differs in `paths`, and record it.

    Raises:
        Aborted: The person stopped the commit; nothing was recorded.
        UndecidedChanges: The policy is `error` and there are changes to decide.
    """
    world = workspace.world
    recognised, facts = renames_between(workspace, before, after, paths)
    cases = cases_between(workspace, before, after, paths, facts)
    decided = answers(cases, workspace.settings.on_change, find_reviewer)
    who = author(workspace.root, recorded=bool(cases) and workspace.settings.record_user)

    def record(said: Sequence[Fact]) -> None:
        if said:
            world.record(said)
            world.enter()

    record(facts)
    left = settle(world, decided, who, record)
    return Decided(tuple(decided), recognised, tuple(left))


def staged_trees(git: Git, paths: Sequence[str]) -> tuple[SourceTree, SourceTree]:
    """Return the code of HEAD and the staged code; `paths` are the code files that differ."""
    specs = [f"{side}:{path}" for side in ("HEAD", "") for path in paths]
    contents: dict[str, bytes | None] = git.cat_file_batch(specs) if paths else {}

    def read(spec: str) -> bytes | None:
        if spec not in contents:
            contents.update(git.cat_file_batch([spec]))
        return contents[spec]

    return SourceTree(lambda path: read(f"HEAD:{path}")), SourceTree(lambda path: read(f":{path}"))
