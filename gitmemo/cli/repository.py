"""Commands about the repository itself: `init`, `commit`, `verify`."""

from __future__ import annotations

import click

from gitmemo.config import CALLS_ALONE
from gitmemo.errors import UncommittedCode
from gitmemo.model.validity import changed
from gitmemo.source.tree import SourceTree
from gitmemo.workspace import Workspace, find


@click.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False), default=".")
def init(path: str) -> None:
    """Set gitmemo up in the git repository around PATH: `.gitmemo/` and the git hooks."""
    from gitmemo.commits.setup import set_up

    for line in set_up(path):
        click.echo(line)


@click.command()
@click.option("-m", "--message", default="Record results", help="The commit's message.")
def commit(message: str) -> None:
    """Commit pending results when no code has changed."""
    from gitmemo.git.cli import Git
    from gitmemo.git.hookfiles import is_installed

    workspace = find()
    workspace.world.enter()
    if not workspace.world.pending(workspace.code):
        click.echo("nothing is pending", err=True)
        return
    git = Git(workspace.root)
    staged = git.run("diff", "--cached", "--name-only", "--", ".", ":(exclude).gitmemo")
    if staged:
        raise click.UsageError("other changes are staged: commit them with `git commit`")
    uncommitted = _uncommitted(workspace)
    if uncommitted:
        raise UncommittedCode(tuple(uncommitted))
    if not is_installed(workspace.layout):
        raise click.UsageError("the git hooks are not installed: run `gitmemo hook install` first")
    # The hooks do the work; `--allow-empty` lets git start although nothing else is staged.
    options = ("--allow-empty", "-q", "-m", message)
    done = git.process("commit", *options, variables={CALLS_ALONE: "1"})
    click.echo(done.stderr.decode("utf-8", "replace"), nl=False, err=True)
    if done.returncode:
        raise click.ClickException("git made no commit")
    click.echo(git.run("log", "-1", "--format=%h %s"))


@click.command()
@click.option("--repair", is_flag=True, help="Set damaged journal lines aside.")
def verify(repair: bool) -> int:
    """Read every segment, journal and local value and check it."""
    from gitmemo.commits.check import check

    workspace = find()
    problems = list(check(workspace, repair=repair))
    for problem in problems:
        click.echo(problem)
    click.echo("everything that is stored can be read" if not problems else "", err=True)
    return 4 if problems and not repair else 0


def _uncommitted(workspace: Workspace) -> list[str]:
    """Return the components that pending calls touched and that are not so in HEAD."""
    world, commit = workspace.world, workspace.world.place.commit
    code = SourceTree(lambda path: (commit and workspace.reader.read(commit, path)) or None)
    decisions = world.decisions()
    versions = {tally.version for tally in world.index.tally(world.pending(workspace.code))}
    found = [version for version in map(world.version, versions) if version is not None]
    names = {str(c) for version in found for c in changed(version, code, decisions)}
    return sorted(names)
