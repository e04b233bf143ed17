"""`gitmemo run`: a script, run as Python would run it, with the project's storage active."""

from __future__ import annotations

import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from gitmemo.changes.recognising import Recognised
from gitmemo.cli.commands import report
from gitmemo.cli.freezing import freezing
from gitmemo.collector import collect_as_python_does
from gitmemo.commits.scenes import ahead_in, recognised_ahead
from gitmemo.config import is_unattended
from gitmemo.display.text import printable, printable_lines
from gitmemo.errors import CallsFailed, GitmemoError, SystemRefused
from gitmemo.git.hookfiles import is_installed
from gitmemo.memo.calls import CallEvent, Counter, Reason
from gitmemo.memo.opening import share, storage_of
from gitmemo.memo.storage import Storage
from gitmemo.model.components import in_words
from gitmemo.quantities import count, duration
from gitmemo.workspace import Workspace, find

_OWN_FOLDER = str(Path(__file__).resolve().parent.parent)


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("-v", "--verbose", is_flag=True, help="Print each call: reused or run, and why.")
@click.option(
    "--recompute-missing",
    is_flag=True,
    help="Run calls again whose results are needed and not on this machine, instead of asking for a pull.",
)
@click.option(
    "--frozen", is_flag=True, help="Compute nothing: a call that is not stored is an error."
)
@click.argument("script", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def run(
    verbose: bool, recompute_missing: bool, frozen: bool, script: Path, args: tuple[str, ...]
) -> int:
    """Run SCRIPT with ARGS, with the project's storage active, and say what was reused.

    The exit code is the script's. With --frozen it is 3 if a call would have to be computed, there
    or in a process that the script starts, whatever the script does about that.
    """
    collect_as_python_does()
    workspace = find(script.parent)
    if not frozen:
        return _run(workspace, script, args, verbose, recompute_missing, lambda: False)
    with freezing(workspace.root.resolve()) as freeze:
        code = _run(workspace, script, args, verbose, recompute_missing, lambda: freeze.has_refused)
        return freeze.end() or code


def _run(
    workspace: Workspace,
    script: Path,
    args: tuple[str, ...],
    verbose: bool,
    recompute_missing: bool,
    has_refused: Callable[[], bool],
) -> int:
    """Run it; return the exit code of the script."""
    storage = storage_of(workspace)
    if recompute_missing:
        storage.recompute_missing()

    changed: list[CallEvent] = []

    def tell(event: CallEvent) -> None:
        if event.reason is Reason.CODE_CHANGED:
            changed.append(event)
        if verbose:
            click.echo(event.sentence(), err=True)

    share(storage)
    path = str(script.resolve())
    failure: Exception | None = None
    code = 0
    storage.wait_for_policy()
    with ExitStack() as entered:
        entered.enter_context(storage.observed(tell))
        _enter(storage, entered)
        try:
            code = _run_as_main(script, path, args)
        except Exception as error:  # noqa: BLE001  whatever the script raises, it ends as under Python
            failure = _as_refused(error)
        except KeyboardInterrupt:
            click.echo(_summary(storage.counter), err=True)
            if storage.counter.computed:
                click.echo(
                    "gitmemo: the calls that ended are kept: run it again to go on", err=True
                )
            raise
    click.echo(_summary(storage.counter), err=True)
    found = recognised_ahead(workspace) if storage.counter.computed else Recognised({})
    _tell_undecided(workspace, changed, found)
    for said in ahead_in(found).values():
        click.echo(printable(f"gitmemo: {said}"), err=True)
    if not is_unattended() and not is_installed(workspace.layout):
        click.echo("the git hooks are not installed in this clone: run `gitmemo init`", err=True)
    if isinstance(failure, CallsFailed) and not has_refused():
        click.echo(_as_python_says(path, failure), nl=False, err=True)
        code = failure.exit_code
    elif isinstance(failure, GitmemoError):
        # One clear message, below the lines of the script that led to it.
        click.echo("".join(traceback.format_list(_frames(path, failure))), nl=False, err=True)
        if not has_refused():
            raise failure
        report(failure, as_json=False)  # perhaps one that holds several
    elif failure is not None:
        click.echo(_as_python_says(path, failure), nl=False, err=True)
        code = 1
    return code


def _as_refused(error: Exception) -> Exception:
    """Return what the system refused to gitmemo, not to the script, as an error that says what to do."""
    if not isinstance(error, OSError) or isinstance(error, GitmemoError):
        return error
    innermost = traceback.extract_tb(error.__traceback__)[-1].filename
    if innermost.startswith(_OWN_FOLDER):
        return SystemRefused.of(error).with_traceback(error.__traceback__)
    return error


def _tell_undecided(workspace: Workspace, changed: Sequence[CallEvent], found: Recognised) -> None:
    """Say how many calls were not reused because of code that nobody has decided about.

    Nobody needs to decide about what only has new names, as was `found`.
    """
    if not changed:
        return
    from gitmemo.commits.undecided import open_changes

    try:
        open_ones = {change.component for change in open_changes(workspace)}
    except GitmemoError:  # the program said what it has to say; `gitmemo status` says this
        return
    undecided = open_ones - {*found.pairs, *(caller.component for caller in found.callers)}
    about = [undecided.intersection(event.changed) for event in changed]
    number = sum(map(bool, about))
    if number:
        names = ", ".join(map(in_words, sorted(set().union(*about))))
        said = (
            f"{count(number, 'call')} not reused because of changes that nobody has decided about"
        )
        click.echo(printable(f"gitmemo: {said}: {names}"), err=True)
        remedy = "if older results stay valid: gitmemo decide --non-breaking; else: --breaking"
        click.echo(f"  {remedy}", err=True)


def _enter(storage: Storage, entered: ExitStack) -> None:
    """Enter the block; no line of the script has led to what is warned of then."""
    with warnings.catch_warnings(record=True) as said:
        entered.enter_context(storage)
    for one in said:
        click.echo(printable_lines(f"gitmemo: {one.message}"), err=True)


def _summary(counter: Counter) -> str:
    total = count(counter.reused + counter.computed, "call")
    saved = f"; {duration(counter.saved_s)} saved" if counter.reused else ""
    failed = f", {counter.failed} failed" if counter.failed else ""
    return f"gitmemo: {total}: {counter.reused} reused, {counter.computed} computed{failed}{saved}"


def _run_as_main(script: Path, path: str, args: tuple[str, ...]) -> int:
    """Run `script` as `__main__`, as `python script args…` does; return its exit code."""
    module: Any = types.ModuleType("__main__")
    module.__file__ = path
    module.__builtins__ = __builtins__
    sys.modules["__main__"] = module
    sys.argv = [str(script), *args]
    sys.path.insert(0, str(Path(path).parent))
    try:
        exec(compile(script.read_bytes(), path, "exec", dont_inherit=True), module.__dict__)
    except SystemExit as leaving:
        return _exit_code(leaving)
    return 0


def _frames(path: str, error: BaseException) -> list[traceback.FrameSummary]:
    """Return the script's own frames: from its first line on, without gitmemo's."""
    frames = list(traceback.extract_tb(error.__traceback__))
    while frames and frames[0].filename != path:
        frames.pop(0)
    return _not_own(frames)


def _not_own(frames: Iterable[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    return [frame for frame in frames if not frame.filename.startswith(_OWN_FOLDER)]


def _as_python_says(path: str, error: Exception) -> str:
    shown = traceback.TracebackException.from_exception(error)
    if not isinstance(error, SyntaxError) or error.filename != path:
        shown.stack = traceback.StackSummary.from_list(_frames(path, error))
    else:
        shown.stack = traceback.StackSummary()
    for each in shown.exceptions or ():
        each.stack = traceback.StackSummary.from_list(_not_own(each.stack))
    return "".join(shown.format())


def _exit_code(leaving: SystemExit) -> int:
    if leaving.code is None or isinstance(leaving.code, int):
        return leaving.code or 0
    click.echo(leaving.code, err=True)
    return 1
