"""The command `hook`: what git's hooks call, and how they are installed.

Not what they do (`commits/hook.py`, `sync.py`). Invariant: but for a refusal by a
person or by policy before a commit, nothing that goes wrong here makes git fail.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from gitmemo.config import OnChange, environment_variable, is_commit_of_calls
from gitmemo.display.text import printable
from gitmemo.errors import (
    Aborted,
    BadSetting,
    GitmemoError,
    HookRefused,
    SegmentsAltered,
    UndecidedChanges,
)
from gitmemo.model.facts import Verdict
from gitmemo.quantities import count, size
from gitmemo.workspace import Workspace, find

if TYPE_CHECKING:
    from gitmemo.changes.cases import Reviewer
    from gitmemo.commits.hook import Exported
    from gitmemo.commits.staged import Decided
    from gitmemo.git.hookfiles import HookFound

_ALONE = "nothing else is staged, so it may refuse; `gitmemo commit` commits them"
_REFUSED = 3
"""What the shims take for a refusal, besides 130; everything else is a failure of ours."""


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of a hook.

    Attributes:
        arguments: What git says to the hook.
        exports: Whether calls may be put into the commit.
        checks: Whether a change that nobody decided about stops the commit.
    """

    name: str
    arguments: Sequence[str]
    exports: bool
    checks: bool


@click.group()
def hook() -> None:
    """Install, run or remove the git hooks."""


@hook.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("--no-export", is_flag=True, help="Put no calls into the commit; they stay pending.")
@click.option("--check", is_flag=True, help="Ask nothing: fail if a change is undecided.")
def run(name: str, arguments: tuple[str, ...], no_export: bool, check: bool) -> int:
    """Do what the git hook NAME is for. Called by the hook, not by people."""
    action = _ACTIONS.get(name)
    if action is None:
        said = f"gitmemo: no hook {printable(name)!r} here; `gitmemo hook install` repairs that"
        click.echo(said, err=True)
        return 0
    try:
        workspace = find()
        if environment_variable("GIT_DIR") is not None and _is_for_another(workspace):
            return 0
        return action(workspace, _Run(name, arguments, not (no_export or check), check))
    except (Aborted, SegmentsAltered, UndecidedChanges):
        raise  # a refusal: the person must know before
    except BadSetting as error:  # a policy that nobody can follow
        click.echo(f"gitmemo: {error}", err=True)
        return _REFUSED if name.startswith("pre-") and name != "pre-push" else 0
    except GitmemoError as error:
        # Code must stay committable whatever is wrong with results: pending
        # calls stay in the journal and join a later commit.
        click.echo(f"gitmemo: {error}\n  {_GOES_ON}", err=True)
        return 0
    except Exception as error:  # noqa: BLE001  a defect of ours must not cost a commit either
        click.echo(
            f"gitmemo: internal error: {type(error).__name__}: {error}\n"
            f"  fix: please report it; {_GOES_ON}",
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


@hook.command()
def status() -> int:
    """Say which hooks are installed, whether they can run, and what to do about it."""
    from gitmemo.git.hookfiles import HookState, hooks_folder, inspect, plan_install
    from gitmemo.git.repository import locate

    layout = locate()
    found = inspect(layout)
    click.echo(f"hooks in {printable(str(hooks_folder(layout)))}")
    for line in _described(found):
        click.echo(line)
    for python in sorted({one.python for one in found if one.state is HookState.GONE}):
        click.echo(f"{printable(python)} is gone: without it hooks look for `gitmemo` on PATH")
    sound = (HookState.CURRENT, HookState.NEWER, HookState.BY_HAND)
    if all(one.state in sound for one in found):
        return 0
    try:
        plan_install(layout)
    except HookRefused as error:
        click.echo(f"{error.reason}: `gitmemo hook install` prints lines to add by hand")
    else:
        click.echo("`gitmemo hook install` installs and repairs them")
    return _REFUSED


def _described(found: Sequence[HookFound]) -> Iterator[str]:
    width = max(len(one.name) for one in found)
    for one in found:
        said = [one.state.value]
        if one.path.name != one.name:
            said.append(f"called by the pre-commit framework as {one.path.name}")
        if one.earlier is not None:
            said.append(f"runs {one.earlier.name} first")
        yield f"  {one.name:{width}}  {'; '.join(said)}"


def _is_for_another(workspace: Workspace) -> bool:
    from gitmemo.git.repository import is_bound_elsewhere

    return is_bound_elsewhere(workspace.layout)


# --- what the hooks do --------------------------------------------------------


def _before_commit(workspace: Workspace, run: _Run) -> int:
    from gitmemo.commits.hook import before_commit
    from gitmemo.display.terminal import terminal

    if run.checks:
        settings = replace(workspace.settings, on_change=OnChange.ERROR)
        workspace = Workspace(workspace.layout, settings)
    with terminal() as tty:

        def reviewer() -> Reviewer | None:
            from gitmemo.display.question import TerminalReviewer

            return None if tty is None else TerminalReviewer(tty, color=True)

        # What the hook of a merge stages would not become part of it.
        stages = run.exports and run.name == "pre-commit"
        exported = before_commit(workspace, reviewer, stages=stages)
    for line in _summary(exported):
        click.echo(f"gitmemo: {line}", err=True)
    return 0


def _after_commit(workspace: Workspace, run: _Run) -> int:
    from gitmemo.commits.hook import after_commit

    if run.exports:
        after_commit(workspace)
        return 0
    from gitmemo.sync import pending_calls

    if calls := pending_calls(workspace):
        click.echo(f"gitmemo: {_in_no_commit(calls)}", err=True)
    return 0


def _after_rewrite(workspace: Workspace, run: _Run) -> int:
    _after_commit(workspace, run)
    return _arrived(workspace, run) if run.arguments[:1] == ("rebase",) else 0


def _after_checkout(workspace: Workspace, run: _Run) -> int:
    is_of_files = run.arguments[2:3] == ("0",)
    return 0 if is_of_files else _arrived(workspace, run)


def _arrived(workspace: Workspace, _: _Run) -> int:
    """Say how many values of the results that are checked out now are not on this machine."""
    from gitmemo.memo.elsewhere import line_after_checkout

    said = line_after_checkout(workspace.world, has_remote=bool(workspace.settings.remotes))
    if said:
        click.echo(f"gitmemo: {said}", err=True)
    return 0


def _before_push(workspace: Workspace, run: _Run) -> int:
    from gitmemo.sync import unshared

    said = unshared(workspace, _pushed_commits(), next(iter(run.arguments), None))
    if said.calls:
        click.echo(f"gitmemo: {_in_no_commit(said.calls)}", err=True)
    behind = []
    if said.values:
        behind.append(f"{count(said.values, 'value')} ({size(said.size_bytes)})")
    if said.histories:
        behind.append("function histories")
    if behind:
        click.echo(f"gitmemo: {' and '.join(behind)} not pushed yet: gitmemo push", err=True)
    return 0


def _pushed_commits() -> list[str]:
    """Return what git says on standard input to be pushed; HEAD where it says nothing."""
    lines = [] if sys.stdin.isatty() else sys.stdin.read().splitlines()
    fields = [line.split(" ") for line in lines]
    pushed = [
        one[1]
        for one in fields
        if len(one) == 4 and one[1].strip("0") and not one[2].startswith("refs/gitmemo/")
    ]
    return pushed if lines else ["HEAD"]


def _in_no_commit(calls: int) -> str:
    return f"{count(calls, 'call')} in no commit yet: the next one takes them, or gitmemo commit"


_GOES_ON = "git goes on without results"
_ACTIONS: dict[str, Callable[[Workspace, _Run], int]] = {
    "pre-commit": _before_commit,
    "pre-merge-commit": _before_commit,
    "post-commit": _after_commit,
    "post-checkout": _after_checkout,
    "post-merge": _arrived,
    "post-rewrite": _after_rewrite,
    "pre-push": _before_push,
}


def _summary(exported: Exported) -> list[str]:
    lines = [] if exported.decided is None else _decided(exported.decided)
    if exported.calls:
        said = f"{count(exported.calls, 'call')} in this commit"
        # A hook cannot know of `--allow-empty` or `--amend`, with which git takes them.
        is_sure = not exported.alone or is_commit_of_calls()
        lines.append(said if is_sure else f"{said} if git makes one: {_ALONE}")
    return lines


def _decided(decided: Decided) -> list[str]:
    lines = list(map(printable, decided.recognised.sentences()))
    for case, answer in decided.answers:
        verdict = answer.verdict
        said = verdict.value if verdict else "pending: counts as breaking until decided"
        lines.append(f"{case.change.component} changed ({said})")
        lines += [f"  {line}" for line in case.evidence.lines() if verdict is None]
        if verdict is Verdict.NON_BREAKING and case.needs and answer.with_needs:
            names = ", ".join(map(str, case.needs))
            lines.append(f"  older results depend on {names} too")
    if any(answer.verdict is None for _, answer in decided.answers):
        lines.append("say whether old results stay valid: gitmemo decide")
    return lines
