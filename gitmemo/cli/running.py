"""`gitmemo run`: a script, run as Python would run it, with the project's storage active."""

from __future__ import annotations

import sys
import traceback
import types
from pathlib import Path
from typing import Any

import click

from gitmemo.display.text import count, duration
from gitmemo.errors import GitmemoError
from gitmemo.memo.calls import CallEvent, Counter
from gitmemo.memo.opening import share, storage_of
from gitmemo.workspace import find


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("-v", "--verbose", is_flag=True, help="Print each call: reused or run, and why.")
@click.option(
    "--recompute-missing",
    is_flag=True,
    help="Run calls again whose results are needed and not on this machine, instead of asking for a pull.",
)
@click.argument("script", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def run(verbose: bool, recompute_missing: bool, script: Path, args: tuple[str, ...]) -> int:
    """Run SCRIPT with ARGS, with the project's storage active, and say what was reused.

    The exit code is the script's.
    """
    storage = storage_of(find(script.parent))
    storage.can_pull = storage.can_pull and not recompute_missing

    def tell(event: CallEvent) -> None:
        if verbose:
            click.echo(event.sentence(), err=True)

    share(storage)
    with storage.observed(tell):
        try:
            with storage:
                code = _run_as_main(script, args)
        finally:
            click.echo(_summary(storage.counter), err=True)
    return code


def _summary(counter: Counter) -> str:
    total = count(counter.reused + counter.computed, "call")
    saved = f"; {duration(counter.saved_s)} saved" if counter.reused else ""
    return f"gitmemo: {total}: {counter.reused} reused, {counter.computed} computed{saved}"


def _run_as_main(script: Path, args: tuple[str, ...]) -> int:
    """Run `script` as `__main__`, as `python script args…` does; return its exit code."""
    module: Any = types.ModuleType("__main__")
    path = str(script.resolve())
    module.__file__ = path
    module.__builtins__ = __builtins__
    sys.modules["__main__"] = module
    sys.argv = [str(script), *args]
    sys.path.insert(0, str(script.resolve().parent))
    source = script.read_bytes()
    try:
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
    except SystemExit as leaving:
        return _exit_code(leaving)
    except GitmemoError as error:
        # One clear message, with the line of the script that led to it.
        click.echo(f"{script}, line {_line_in(path, error)}:", err=True)
        raise
    except Exception:  # noqa: BLE001  whatever the script raises, it ends as under Python
        traceback.print_exc()
        return 1
    return 0


def _line_in(path: str, error: BaseException) -> int:
    frames = traceback.extract_tb(error.__traceback__)
    return max((frame.lineno or 0 for frame in frames if frame.filename == path), default=0)


def _exit_code(leaving: SystemExit) -> int:
    if leaving.code is None or isinstance(leaving.code, int):
        return leaving.code or 0
    click.echo(leaving.code, err=True)
    return 1
