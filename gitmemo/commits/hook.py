"""What the git hooks run: decide and export before a commit, complete it afterwards.

Not the shell shims (`hooks/`). Invariant: nothing of the repository's code is
imported or run; an answer that was not given changes nothing; apart from a
refusal by a person or by policy, no problem here stops a commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gitmemo.commits import export
from gitmemo.commits.changes import Change, Uses, decide, find_changes, find_open, uses_of
from gitmemo.config import OnChange
from gitmemo.errors import UndecidedChanges
from gitmemo.git.cli import Git
from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.components import Component
from gitmemo.model.facts import Decision, Fact, Source, Text, Verdict
from gitmemo.model.lines import record_id, to_line
from gitmemo.source.tree import SourceTree
from gitmemo.workspace import Workspace
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.segments import Segment

_CODE = ("*.py", "*.ipynb")


class Asker(Protocol):
    """Somebody who can say whether a change is breaking."""

    def ask(self, change: Change, number: int, total: int) -> Verdict | None:
        """Return the verdict, None for later; raise `Aborted` to stop the commit."""
        ...


@dataclass(frozen=True, slots=True)
class Exported:
    """What a commit takes: the number of changes decided and left open, and of calls."""

    decided: tuple[tuple[Change, Verdict | None], ...]
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
    changes = undecided(world, before, after, paths)
    verdicts = _verdicts(changes, workspace.settings.on_change, find_asker)
    facts = [fact for change, verdict in verdicts for fact in history(world, change, verdict)]
    if facts:
        world.record(facts)
        world.enter()
    segment = export.plan_export(world, after)
    export.unstage_leftovers(git, workspace.root, segment)
    export.stage_untracked(git, workspace.root)
    if segment is not None:
        export.stage(git, segment)
    calls = _runs(segment) if segment else 0
    return Exported(tuple(verdicts), calls)


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
    world: RepositoryWorld, before: SourceTree, after: SourceTree, paths: Sequence[str]
) -> list[Change]:
    """Return the changes in `paths` that stored calls depend on and nobody decided about."""
    if not paths:
        return []
    return find_changes(world_uses(world, after), before, after, world.decisions(), paths)


def world_uses(world: RepositoryWorld, code: SourceTree) -> Uses:
    """Return what the calls of this world touched."""
    numbers = world.committed()
    committed = world.index.tally(numbers)
    pending = world.index.tally(world.pending(code) - numbers)
    versions = {
        tally.version: version
        for tally in (*committed, *pending)
        if (version := world.version(tally.version)) is not None
    }
    return uses_of(committed, pending, versions)


def open_changes(workspace: Workspace) -> list[Change]:
    """Return what is undecided between the stored calls of this world and the files as they are."""
    from gitmemo.history import Histories

    world = workspace.world
    world.enter()
    histories = Histories(workspace.layout)

    def text_of(component: Component, source: Digest) -> str | None:
        for _, fact in world.index.history(component).values():
            if isinstance(fact, Source) and fact.source == source:
                return world.index.text(fact.text) or histories.text_of(fact.text)
        return None

    uses = world_uses(world, workspace.code)
    return find_open(uses, workspace.code, world.decisions(), text_of)


def history(
    world: RepositoryWorld, change: Change, verdict: Verdict | None, why: str = ""
) -> Iterable[Fact]:
    """Return the facts that put a change, and what was decided about it, into the histories."""
    known = {
        record: fact
        for record, fact in world.index.history(change.component).values()
        if isinstance(fact, Source) and fact.source == change.new
    }
    parent: Digest
    if known:
        parent = min(known)
    else:
        text = Text(change.new_text)
        source = Source(
            change.component,
            change.new,
            digest(change.new_text.encode("utf-8")),
            world.lineage(change.component),
        )
        parent = record_id(to_line(source))
        yield text
        yield source
    if verdict is not None:
        yield decide(change, verdict, why, world.decisions(), parent)


def _verdicts(
    changes: Sequence[Change], policy: OnChange, find_asker: Callable[[], Asker | None]
) -> list[tuple[Change, Verdict | None]]:
    if not changes:
        return []
    match policy:
        case OnChange.ERROR:
            raise UndecidedChanges(tuple(str(change.component) for change in changes))
        case OnChange.BREAKING:
            return [(change, Verdict.BREAKING) for change in changes]
        case OnChange.NON_BREAKING:
            return [(change, Verdict.NON_BREAKING) for change in changes]
        case OnChange.PENDING:
            return [(change, None) for change in changes]
        case OnChange.ASK:
            asker = find_asker()
            if asker is None:
                return [(change, None) for change in changes]
            # All answers first: an abort at the last question must change nothing.
            return [
                (change, asker.ask(change, number, len(changes)))
                for number, change in enumerate(changes, 1)
            ]
