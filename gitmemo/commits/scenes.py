"""What was renamed or moved in a repository: two states of its code, and what stored calls touched.

Not what a person says of it (`renames`), nor how texts are compared (`changes.moving`).
Invariant: nothing is recorded here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gitmemo.changes.recognising import Recognised, Scene, facts_for, recognise
from gitmemo.changes.uses import world_uses
from gitmemo.git.cli import Git
from gitmemo.git.repository import CODE_FILES
from gitmemo.model.components import Component
from gitmemo.model.facts import Fact
from gitmemo.source.tree import SourceTree, code_of
from gitmemo.workspace import Workspace

_MOST_COMMITS = 5
NEWEST_CALLS = 50
"""How many calls of an op say what it was."""


def renames_between(
    workspace: Workspace, before: SourceTree, after: SourceTree, paths: Sequence[str]
) -> tuple[Recognised, list[Fact]]:
    """Return what was renamed or moved between two states of the code, and the facts that say so."""
    if not paths:
        return Recognised({}), []
    scene = _scene(workspace, [before], after, paths)
    found = recognise(scene)
    return found, facts_for(workspace.world, scene, found, op_names(workspace))


def renames_since_head(workspace: Workspace) -> tuple[Recognised, list[Fact]]:
    """Return what was renamed or moved in the files since the last commit, as the next one would."""
    commit = workspace.world.place.commit
    paths = _changed_files(workspace)
    before = SourceTree(lambda _: None)
    if commit and paths:
        git = Git(workspace.root)
        before = code_of(git, commit, git.cat_file_batch(f"{commit}:{path}" for path in paths))
    return renames_between(workspace, before, workspace.code, paths)


def renames_ahead(workspace: Workspace) -> dict[Component, str]:
    """Return what the next commit will recognise, under its new name, with a sentence that says so."""
    return ahead_in(recognised_ahead(workspace))


def recognised_ahead(workspace: Workspace) -> Recognised:
    """Return what the next commit will recognise."""
    workspace.world.enter()
    return renames_since_head(workspace)[0] if _is_any_gone(workspace) else Recognised({})


def _is_any_gone(workspace: Workspace) -> bool:
    """Whether something is not in the changed files any more of which a content is known.

    Most programs compute because code was edited: then no other file need be read.
    """
    paths, code = set(_changed_files(workspace)), workspace.code
    known = workspace.world.about() if paths else ()
    return any(one.path in paths and code.current(one) is None for one in known)


def ahead_in(found: Recognised) -> dict[Component, str]:
    """Return the same of what was recognised since the last commit."""
    how = "the next commit recognises it (or: gitmemo decide), and older results follow"
    return {to: f"{old} is {to} now: {how}" for old, to in found.pairs.items()}


def _changed_files(workspace: Workspace) -> list[str]:
    git = Git(workspace.root)
    changed = (
        git.try_run("diff", "--name-only", "--no-renames", "-z", "HEAD", "--", *CODE_FILES) or ""
    )
    others = git.run("ls-files", "--others", "--exclude-standard", "-z", "--", *CODE_FILES)
    return sorted({path for path in (changed + others).split("\0") if path})


def _scene(
    workspace: Workspace, before: Sequence[SourceTree], after: SourceTree, paths: Sequence[str]
) -> Scene:
    world = workspace.world
    roots = workspace.project.source_roots
    uses = world_uses(world, after)
    return Scene(uses, before, world.text, after, paths, world.decisions(), roots)


def scene_of_all(workspace: Workspace, new: str = "") -> Scene:
    """Return the files as they are, and all that stored calls touched."""
    world = workspace.world
    uses = world_uses(world, workspace.code)
    paths = sorted({*_changed_files(workspace), *(component.path for component in uses.contents)})
    commits = [world.place.commit] if world.place.commit else []
    for op in world.ops():
        for call in world.newest_calls(op, NEWEST_CALLS):
            commit = call.run.get("commit")
            if isinstance(commit, str) and commit not in commits:
                commits.append(commit)
    known = [c for c in commits if workspace.reader.resolve(c) is not None][:_MOST_COMMITS]
    more = [new.partition(":")[0]] if ".py" in new else []
    before = [_tree_at(workspace, commit) for commit in known]
    return _scene(workspace, before, workspace.code, [*paths, *more])


def _tree_at(workspace: Workspace, commit: str) -> SourceTree:
    return SourceTree(lambda path: workspace.reader.read(commit, path))


def op_names(workspace: Workspace) -> Callable[[Component], str]:
    """Return what names the op whose function is a component."""
    project = workspace.project
    return lambda component: f"{project.module_name_of(component.path)}:{component.unit}"
