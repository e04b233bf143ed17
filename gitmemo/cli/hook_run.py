"""One run of a git hook: `gitmemo hook run NAME`.

Not what is done (`commits/hook.py`, `sync`), nor how hooks are installed (`hooks`). Invariant:
but for a refusal by a person or by policy before a commit, nothing that goes wrong here makes
git fail; and nothing is loaded that this run does not need.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitmemo.colors import color_wanted
from gitmemo.config import environment_variable, is_commit_of_calls
from gitmemo.display.text import printable, printable_lines
from gitmemo.errors import (
    Aborted,
    BadSetting,
    GitmemoError,
    SegmentsAltered,
    SystemRefused,
    UndecidedChanges,
)
from gitmemo.errors.base import ExitCode
from gitmemo.quantities import count, size
from gitmemo.setting_values import OnChange
from gitmemo.workspace import Workspace, find

if TYPE_CHECKING:
    from gitmemo.changes.cases import Answer, Case, Reviewer
    from gitmemo.commits.hook import Exported
    from gitmemo.commits.staged import Decided

_ALONE = (
    "nothing else is staged, so it may refuse; `gitmemo commit` commits them, and any gitmemo "
    "command unstages what a refused commit left"
)
REFUSED = 3
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


def main(name: str, arguments: Sequence[str]) -> int:
    """Do what the git hook `name` is for and return the exit code, as the command line does."""
    try:
        return run_hook(name, arguments, exports=True, checks=False)
    except GitmemoError as error:
        from gitmemo.cli.commands import report

        report(error, as_json=False)
        return error.exit_code
    except KeyboardInterrupt:
        _say("interrupted")
        return ExitCode.ABORTED


def run_hook(name: str, arguments: Sequence[str], *, exports: bool, checks: bool) -> int:
    """Do what the git hook `name` is for.

    Raises:
        Aborted: The person stopped the commit.
        SegmentsAltered: Segments are staged that do not fit their names.
        UndecidedChanges: The policy is `error` and there are changes to decide.
    """
    action = _ACTIONS.get(name)
    if action is None:
        said = f"gitmemo: no hook {printable(name)!r} here; `gitmemo hook install` repairs that"
        _say(said)
        return 0
    try:
        workspace = find()
        if environment_variable("GIT_DIR") is not None and _is_for_another(workspace):
            return 0
        return action(workspace, _Run(name, arguments, exports, checks))
    except (Aborted, SegmentsAltered, UndecidedChanges):
        raise  # a refusal: the person must know before
    except BadSetting as error:  # a policy that nobody can follow
        _say(f"gitmemo: {error}")
        return REFUSED if name.startswith("pre-") and name != "pre-push" else 0
    except GitmemoError as error:
        # Code must stay committable whatever is wrong with results: pending
        # calls stay in the journal and join a later commit.
        _say(f"gitmemo: {error}\n  {_GOES_ON}")
        return 0
    except OSError as error:  # the same: a full disk, a folder that may not be written
        _say(f"gitmemo: {SystemRefused.of(error)}\n  {_GOES_ON}")
        return 0
    except Exception as error:  # noqa: BLE001  a defect of ours must not cost a commit either
        from gitmemo.cli.failing import told_of

        _say(f"gitmemo: {told_of(error)}; {_GOES_ON}")
        return 0


def _say(text: str) -> None:
    if sys.stderr is not None:
        with suppress(OSError):  # nobody reads it
            sys.stderr.write(f"{printable_lines(text)}\n")
            sys.stderr.flush()


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
            if tty is None:
                return None
            from gitmemo.display.question import TerminalReviewer

            return TerminalReviewer(tty, color=color_wanted() is not False)

        # What the hook of a merge stages would not become part of it.
        stages = run.exports and run.name == "pre-commit"
        exported = before_commit(workspace, reviewer, stages=stages)
    for line in _summary(exported):
        _say(f"gitmemo: {line}")
    return 0


def _after_commit(workspace: Workspace, run: _Run) -> int:
    from gitmemo.commits.hook import after_commit

    if run.exports:
        after_commit(workspace)
        return 0
    from gitmemo.sync.unshared import pending_calls

    _tell_pending(workspace, pending_calls(workspace))
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
        _say(f"gitmemo: {said}")
    return 0


def _before_push(workspace: Workspace, run: _Run) -> int:
    from gitmemo.sync.unshared import unshared

    pushed = _pushed()
    said = unshared(workspace, pushed, next(iter(run.arguments), None))
    _tell_pending(workspace, said.calls)
    behind = []
    if said.values:
        behind.append(f"{count(said.values, 'value')} ({size(said.size_bytes)})")
    if said.histories:
        behind.append("function histories")
    if behind:
        _say(f"gitmemo: {' and '.join(behind)} not pushed yet: {_push_of(workspace, pushed)}")
    return 0


def _push_of(workspace: Workspace, pushed: Mapping[str, str]) -> str:
    """Return the command that sends the values of what git pushes."""
    from gitmemo.git.repository import head
    from gitmemo.sync.advice import command

    elsewhere = set(pushed) - {"HEAD", head(workspace.layout).commit}
    return command("push", [printable(name) for name in pushed.values()] if elsewhere else ())


def _pushed() -> dict[str, str]:
    """Return the commits that git says on standard input to be pushed, and what it calls them.

    HEAD where it says nothing.
    """
    lines = [] if sys.stdin.isatty() else sys.stdin.read().splitlines()
    fields = [line.split(" ") for line in lines]
    pushed = {
        one[1]: one[0].removeprefix("refs/heads/").removeprefix("refs/tags/")
        for one in fields
        if len(one) == 4 and one[1].strip("0") and not one[2].startswith("refs/gitmemo/")
    }
    return pushed if lines else {"HEAD": "HEAD"}


def _tell_pending(workspace: Workspace, calls: int) -> None:
    """Say how many calls are in no commit, but for those that no commit of this code takes."""
    if not calls:
        return
    from gitmemo.commits.taking import next_commit

    calls -= next_commit(workspace).given_up
    if calls > 0:
        them = f"{count(calls, 'call')} in no commit yet"
        _say(f"gitmemo: {them}: the next one takes them, or gitmemo commit")


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
    if exported.waiting is not None:
        lines += map(printable, exported.waiting.reasons())
    return lines


def _between(case: Case, answer: Answer, left: Sequence[Case]) -> Iterator[str]:
    """Yield what was said of the contents of a component that were run before it became what it is."""
    from gitmemo.model.spoken import typed

    open_ones = [other for other in case.between if other in left]
    settled = len(case.between) - len(open_ones)
    if answer.verdict and settled:
        yield f"  that is said of {count(settled, 'content')} that you ran in between, too"
    if open_ones:
        again = f"gitmemo decide {printable(typed(case.change.component))}"
        yield (
            f"  not of {count(len(open_ones), 'content')} that you ran in between, for results "
            f"differ: {again}"
        )


def _decided(decided: Decided) -> list[str]:
    from gitmemo.model.facts import Verdict
    from gitmemo.model.spoken import typed

    lines = list(map(printable, decided.recognised.sentences()))
    for case, answer in decided.answers:
        verdict = answer.verdict
        said = verdict.value if verdict else "pending: counts as breaking until decided"
        lines.append(f"{case.change.component} changed ({said})")
        lines += [f"  {line}" for line in case.evidence.lines() if verdict is None]
        if answer.withheld:
            again = f"gitmemo decide {printable(typed(case.change.component))}"
            lines.append(
                "  not recorded as non-breaking, for results differ: "
                f"{again} --breaking, or --non-breaking --force"
            )
        if verdict is Verdict.NON_BREAKING and case.all_needs and answer.with_needs:
            names = ", ".join(map(str, case.all_needs))
            lines.append(f"  older results depend on {names} too")
        lines += _between(case, answer, decided.left)
    if any(answer.verdict is None for _, answer in decided.answers):
        lines.append("say whether old results stay valid: gitmemo decide")
    return lines
