"""Contents of code that were tried and given up: the code went back to what it was before them.

And the calls that these made. Not what is undecided (`undecided`). Invariant: a content that HEAD,
the index or the work tree holds is not among them, nor is one from which the code went on.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from gitmemo.changes.uses import Uses, world_uses
from gitmemo.commits.absent import with_users
from gitmemo.git.cli import Git
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component, Content, is_external
from gitmemo.model.facts import Source
from gitmemo.model.validity import Code, holds
from gitmemo.source.tree import SourceTree, code_at
from gitmemo.workspace import Workspace
from gitmemo.world.repository import RepositoryWorld


def without_discarded(workspace: Workspace, uses: Uses, code: Code) -> Uses:
    """Return `uses` without the contents that were given up."""
    suspects = {
        component: (now, others)
        for component, contents in uses.contents.items()
        if not is_external(component)
        and (now := code.current(component)) is not None
        and (others := [content for content in contents if content.source != now.source])
    }
    if not suspects:
        return uses
    held = _Held(workspace)
    given_up = {
        (component, content)
        for component, (now, others) in suspects.items()
        for content in others
        if held.is_given_up(
            component, content, now, is_committed=_is_committed(uses, component, content)
        )
    }
    contents = {
        component: [content for content in found if (component, content) not in given_up]
        for component, found in uses.contents.items()
    }
    return replace(uses, contents=contents)


def calls_given_up(
    workspace: Workspace, numbers: Collection[int], tried: Collection[int], staged: Code
) -> frozenset[int]:
    """Return which of some pending calls code that was given up made, with those that used their results.

    `tried` are those that ran where files differed from HEAD: the code of others is in a commit. What
    somebody said is equivalent to what there is now was not given up; what is gone was not gone back to.
    """
    world = workspace.world
    names = {tally.version for tally in world.index.tally(tried)}
    versions = {name: found for name in names if (found := world.version(name)) is not None}
    decisions, codes = world.decisions(), (staged, workspace.code)
    suspects = {
        (component, content)
        for version in versions.values()
        for component, content in version.pairs.items()
        if not is_external(component)
        and all(code.current(component) is not None for code in codes)
        and not any(holds(component, content, code, decisions) for code in codes)
    }
    if not suspects:
        return frozenset()
    held, uses = _Held(workspace), world_uses(world, staged)
    given_up = {
        (component, content)
        for component, content in suspects
        if (now := staged.current(component)) is not None
        and held.is_given_up(
            component, content, now, is_committed=_is_committed(uses, component, content)
        )
    }
    made = {i for i, version in versions.items() if not given_up.isdisjoint(version.pairs.items())}
    if not made:
        return frozenset()
    calls = world.index.numbered_calls(numbers)
    own = {number for number, call in calls if number in tried and call.version in made}
    return with_users(calls, own)


def _is_committed(uses: Uses, component: Component, content: Content) -> bool:
    return (component, content.source) in uses.committed


class _Held:
    """What HEAD and the index hold, and the commits at which pending calls were made."""

    def __init__(self, workspace: Workspace) -> None:
        world, git = workspace.world, Git(workspace.root)
        self._world = world
        head = world.place.commit
        self._now = [SourceTree(lambda path: git.cat_file_batch([f":{path}"])[f":{path}"])]
        if head is not None:
            self._now.append(code_at(workspace.reader, head))
        before = sorted(world.pending_commits() - {head})
        # Git may have let go of one: then nobody knows what was there.
        self._is_known = all(commit and workspace.reader.resolve(commit) for commit in before)
        self._then = [code_at(workspace.reader, one) for one in before if self._is_known]

    def is_given_up(
        self, component: Component, content: Content, now: Content, *, is_committed: bool
    ) -> bool:
        """Whether a content was tried after what the code holds now, or beside it, and left."""
        held = [_source(code, component) for code in self._now]
        if content.source in held:
            return False
        if now.source in _before(self._world, component, content.source):
            return True
        # Of what was there before nothing was run: then the commits must say that it was.
        then = [_source(code, component) for code in self._then]
        return not is_committed and self._is_known and {*held, *then} == {now.source}


def _source(code: SourceTree, component: Component) -> Digest | None:
    content = code.current(component)
    return content.source if content else None


def _before(world: RepositoryWorld, component: Component, source: Digest) -> set[Digest]:
    """Return the contents of a component that were known when this one was first recorded."""
    known = dict(world.history(component).values())
    todo = [
        record
        for record, fact in known.items()
        if isinstance(fact, Source) and fact.source == source
    ]
    seen: set[Digest] = set()
    while todo:
        record = todo.pop()
        if record in known and record not in seen:
            seen.add(record)
            todo += known[record].parents
    return {fact.source for record in seen if isinstance(fact := known[record], Source)} - {source}
