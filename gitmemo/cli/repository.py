"""Commands about the repository itself: `init`, `commit`, `hook`, `verify`."""

from __future__ import annotations

import click

from gitmemo.changes.cases import Reviewer
from gitmemo.commits.hook import Exported
from gitmemo.config import CALLS_ALONE, is_commit_of_calls
from gitmemo.display.text import printable
from gitmemo.errors import Aborted, BadSetting, GitmemoError, UncommittedCode, UndecidedChanges
from gitmemo.model.facts import Verdict
from gitmemo.model.validity import changed
from gitmemo.quantities import count
from gitmemo.source.tree import SourceTree
from gitmemo.workspace import Workspace, find

_REFUSED = "nothing else is staged, so it may refuse; `gitmemo commit` commits them"


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


@click.group()
def hook() -> None:
    """Install, run or remove the git hooks."""


@hook.command()
@click.argument("name", type=click.Choice(["pre-commit", "post-commit"]))
def run(name: str) -> int:
    """Do what the git hook NAME is for. Called by the hook, not by people."""
    try:
        workspace = find()
        if name == "post-commit":
            from gitmemo.commits.hook import after_commit

            after_commit(workspace)
            return 0
        return _before_commit(workspace)
    except (Aborted, UndecidedChanges, BadSetting):
        raise  # a refusal, or a policy that nobody can follow: the person must know before
    except GitmemoError as error:
        # Code must stay committable whatever is wrong with results: pending
        # calls stay in the journal and join a later commit.
        click.echo(f"gitmemo: {error}\n  the commit goes on without results", err=True)
        return 0
    except Exception as error:  # noqa: BLE001  a defect of ours must not cost a commit either
        click.echo(
            f"gitmemo: internal error: {type(error).__name__}: {error}\n"
            "  fix: please report it; the commit goes on without results",
            err=True,
        )
        return 0


@hook.command()
def install() -> None:
    """Install the hooks, or repair them after Python or gitmemo moved."""
    from gitmemo.commits.setup import install_hooks

    for line in install_hooks():
        click.echo(line)


@hook.command()
def uninstall() -> None:
    """Remove gitmemo's hooks and put back those that were there before."""
    from gitmemo.commits.setup import remove_hooks

    for line in remove_hooks():
        click.echo(line)


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


def _before_commit(workspace: Workspace) -> int:
    from gitmemo.commits.hook import before_commit
    from gitmemo.display.question import TerminalReviewer
    from gitmemo.display.terminal import terminal

    with terminal() as tty:

        def reviewer() -> Reviewer | None:
            return None if tty is None else TerminalReviewer(tty, color=True)

        exported = before_commit(workspace, reviewer)
    for line in _summary(exported):
        click.echo(f"gitmemo: {line}", err=True)
    return 0


def _summary(exported: Exported) -> list[str]:
    lines = list(map(printable, exported.recognised.sentences()))
    for case, answer in exported.decided:
        verdict = answer.verdict
        said = verdict.value if verdict else "pending: counts as breaking until decided"
        lines.append(f"{case.change.component} changed ({said})")
        lines += [f"  {line}" for line in case.evidence.lines() if verdict is None]
        if verdict is Verdict.NON_BREAKING and case.needs and answer.with_needs:
            names = ", ".join(map(str, case.needs))
            lines.append(f"  older results depend on {names} too")
    if any(answer.verdict is None for _, answer in exported.decided):
        lines.append("say whether old results stay valid: gitmemo decide")
    if exported.calls:
        said = f"{count(exported.calls, 'call')} in this commit"
        # A hook cannot know of `--allow-empty` or `--amend`, with which git takes them.
        is_sure = not exported.alone or is_commit_of_calls()
        lines.append(said if is_sure else f"{said} if git makes one: {_REFUSED}")
    return lines
