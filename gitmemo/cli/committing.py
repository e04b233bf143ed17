"""`gitmemo commit`: results into a commit of their own, which changes no code.

Not the hooks, which do the work. Invariant: git makes the commit, with the person's own
hooks, signature and identity; it holds no code.
"""

from __future__ import annotations

from collections import Counter

import click

from gitmemo.cli.options import dry_run_option
from gitmemo.commits.export import Plan, plan_export
from gitmemo.commits.taking import Divided, next_commit
from gitmemo.config import CALLS_ALONE
from gitmemo.display.text import printable
from gitmemo.errors import OperationInProgress, UncommittedCode
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout, under_way
from gitmemo.hashing import content_id
from gitmemo.model.facts import Call, Source, Version
from gitmemo.model.lines import from_line
from gitmemo.model.validity import changed
from gitmemo.quantities import count
from gitmemo.source.tree import SourceTree
from gitmemo.workspace import Workspace, find

_IDENTITY = tuple(
    f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL", "DATE")
)


@click.command()
@click.option(
    "-m",
    "--message",
    "messages",
    multiple=True,
    default=["Record results"],
    show_default="Record results",
    help="The commit's message; several are paragraphs.",
)
@dry_run_option
def commit(messages: tuple[str, ...], dry_run: bool) -> int:
    """Commit pending results without a change of code.

    Results of code that is not committed stay pending, and are told. Like `git commit`, it ends with
    exit code 1 if there is nothing to commit. Hooks, signing and the identity are git's own; on a
    detached HEAD it makes a commit as git does.
    """
    workspace = find()
    workspace.world.enter()
    _refuse_in_progress(workspace.layout)
    divided = next_commit(workspace)
    plan = plan_export(workspace.world, divided.taken)
    waits = divided.left or divided.given_up
    if plan is None or (waits and not _has_results(plan)):
        return _nothing(workspace, divided)
    _refuse_staged(workspace)
    if dry_run:
        click.echo(_said(plan))
        for line in divided.reasons():
            click.echo(printable(line), err=True)
        return 0
    return _commit(workspace, messages)


def _commit(workspace: Workspace, messages: tuple[str, ...]) -> int:
    from gitmemo.git.hookfiles import is_installed

    if not is_installed(workspace.layout):
        raise click.UsageError("the git hooks are not installed: run `gitmemo hook install` first")
    git = Git(workspace.root, keep=_IDENTITY)
    # The hooks do the work; `--allow-empty` lets git start although nothing else is staged.
    options = [part for message in messages for part in ("-m", message)]
    done = git.process("commit", "--allow-empty", "-q", *options, variables={CALLS_ALONE: "1"})
    click.echo(done.stderr.decode("utf-8", "replace"), nl=False, err=True)
    if done.returncode:
        said = "git made no commit, for the reason above: see to that, and say the same again"
        raise click.ClickException(said)
    click.echo(git.run("log", "-1", "--no-show-signature", "--format=%h %s"))
    return 0


def _refuse_in_progress(layout: Layout) -> None:
    operation = under_way(layout)
    if operation not in (None, "bisection"):  # that goes on after a commit
        raise OperationInProgress(operation)


def _refuse_staged(workspace: Workspace) -> None:
    git = Git(workspace.root)
    if git.run("diff", "--cached", "--name-only", "--", ".", ":(exclude).gitmemo"):
        raise click.UsageError("other changes are staged: commit them with `git commit`")


def _nothing(workspace: Workspace, divided: Divided) -> int:
    """Say that nothing is pending; or raise what the pending results wait for."""
    if divided.left or divided.given_up:
        raise UncommittedCode(tuple(_uncommitted(workspace)))
    click.echo("nothing is pending", err=True)
    return 1


def _uncommitted(workspace: Workspace) -> list[str]:
    """Return the components that pending calls touched and that are not so in HEAD."""
    world, commit = workspace.world, workspace.world.place.commit
    code = SourceTree(lambda path: (commit and workspace.reader.read(commit, path)) or None)
    decisions = world.decisions()
    versions = {tally.version for tally in world.index.tally(world.pending(workspace.code))}
    found = [version for version in map(world.version, versions) if version is not None]
    return sorted({str(c) for version in found for c in changed(version, code, decisions)})


def _has_results(plan: Plan) -> bool:
    """Whether it holds more than texts of code that was run."""
    facts = (from_line(line, content_id) for line in plan.lines)
    return not all(isinstance(fact, Source | Version) for fact in facts)


def _said(plan: Plan) -> str:
    facts = [from_line(line, content_id) for line in plan.lines]
    ops = Counter(fact.op for fact in facts if isinstance(fact, Call))
    others = sum(not isinstance(fact, Call | Source | Version) for fact in facts)
    if not ops:
        return f"would commit {count(others, 'fact')} about calls and code, and no calls"
    each = ", ".join(f"{printable(op)} {number}" for op, number in sorted(ops.items()))
    return f"would commit {count(ops.total(), 'call')}: {each}"
