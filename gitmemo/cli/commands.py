"""The commands of `gitmemo COMMAND`. Results go to stdout, everything else to stderr.

Not the work itself, nor where a hook comes in (`hook_run`). Invariant: every error that gitmemo
raises on purpose ends in one message with a remedy and a documented exit code.
"""

from __future__ import annotations

import keyword
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

import click

from gitmemo import __version__
from gitmemo.cli.groups import Group
from gitmemo.cli.screen import AS_JSON, color_option, no_pager_option
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable_lines
from gitmemo.errors import GitmemoError, SystemRefused
from gitmemo.errors.base import ExitCode

# Command to module: a command's imports are paid for only when it runs.
_COMMANDS = {
    "blame": ("gitmemo.cli.blame", "Say which commits introduced the code of an op's calls."),
    "calls": ("gitmemo.cli.calls", "List calls, the newest first, with their ids."),
    "check": (
        "gitmemo.cli.diagnosis",
        "Run stored calls of an op again, and say which do not return the same.",
    ),
    "commit": ("gitmemo.cli.committing", "Commit pending results without a change of code."),
    "completion": ("gitmemo.cli.completion", "Print the script that completes words in a shell."),
    "config": ("gitmemo.cli.settings", "Show the settings and who says them; change them."),
    "decide": ("gitmemo.cli.deciding", "Say whether results of older code stay valid."),
    "demo": ("gitmemo.cli.demo", "Walk through the whole story in a small repository."),
    "deps": ("gitmemo.cli.dependencies", "Show what the calls of an op depend on."),
    "df": (
        "gitmemo.cli.questions",
        "Show calls as a table: arguments, results, one row per result.",
    ),
    "diff": (
        "gitmemo.cli.comparing",
        "Show how the results of two revisions differ, or two contents of code.",
    ),
    "doctor": ("gitmemo.cli.doctor", "Say what is installed, set, reachable, healthy and stale."),
    "drop": ("gitmemo.cli.dropping", "Drop old calls with what depends on them; undo that."),
    "failures": ("gitmemo.cli.diagnosis", "Show calls that raised an exception on this machine."),
    "fetch": (
        "gitmemo.cli.sharing",
        "Fetch function histories from git, and look what a remote holds; no values.",
    ),
    "forget": ("gitmemo.cli.forgetting", "Leave calls out, so that they are run again; undo that."),
    "gc": (
        "gitmemo.cli.collecting",
        "Remove values and journals that nothing needs; a dry run by default.",
    ),
    "graph": ("gitmemo.cli.graphs", "Show how ops and the values between them hang together."),
    "hook": ("gitmemo.cli.hooks", "Install, run or remove the git hooks."),
    "import": (
        "gitmemo.cli.importing",
        "Bring results of joblib.Memory or mandala, where they are proven to be an op's.",
    ),
    "index": ("gitmemo.cli.segments", "Look after the committed index: join its segments."),
    "init": ("gitmemo.cli.repository", "Set gitmemo up in a git repository."),
    "log": ("gitmemo.cli.versions", "Show the histories of an op's code, and what was decided."),
    "pull": ("gitmemo.cli.sharing", "Fetch values from a remote, and function histories from git."),
    "push": ("gitmemo.cli.sharing", "Send values to a remote, and function histories to git."),
    "remote": (
        "gitmemo.cli.remote",
        "Say where values are shared, and which remotes are trusted.",
    ),
    "rename": (
        "gitmemo.cli.renaming",
        "Say that an op, argument, output or file has another name now; results follow.",
    ),
    "report": (
        "gitmemo.cli.reporting",
        "Write results as one HTML page: tables, code, graph, plots, what changed.",
    ),
    "serve": ("gitmemo.cli.reporting", "Show the same page from a small server on this machine."),
    "show": (
        "gitmemo.cli.showing",
        "Show what an id names: a version, a content, a call, a result.",
    ),
    "run": ("gitmemo.cli.running", "Run a script with the project's storage active."),
    "status": ("gitmemo.cli.status", "Show what is stored, pending, stale and missing."),
    "store": (
        "gitmemo.cli.store",
        "Say where values lie on this machine, alone or shared by several repositories.",
    ),
    "tag": (
        "gitmemo.cli.tagging",
        "Give results names that stand for their ids; list them, take them back.",
    ),
    "verify": ("gitmemo.cli.repository", "Read everything that is stored and check it."),
    "versions": ("gitmemo.cli.versions", "List the versions of an op, or how many each op has."),
    "world": ("gitmemo.cli.world", "Say what is in a world: here, pending, reusable, missing."),
    "why": ("gitmemo.cli.diagnosis", "Say why a call would be reused or computed."),
}


LEFT_OUT = "gitmemo.left_out"
"""Where a command notes in its context what it could not read and left out."""


def names() -> list[str]:
    """Return the names of all commands."""
    return sorted(_COMMANDS)


class LazyGroup(Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in _COMMANDS:
            return None
        if cmd_name != "run":
            warnings.formatwarning = _own_as_lines
        attribute = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(import_module(_COMMANDS[cmd_name][0]), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][1]) for name in sorted(_COMMANDS)])

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; an error becomes a message, as JSON where the command was asked for it."""
        try:
            with _progress():
                result = super().invoke(ctx)
        except GitmemoError as error:
            report(error, as_json=bool(ctx.meta.get(AS_JSON)))
            raise click.exceptions.Exit(error.exit_code) from None
        except (click.Abort, KeyboardInterrupt):
            _tell_interrupted(as_json=bool(ctx.meta.get(AS_JSON)))
            raise click.exceptions.Exit(ExitCode.ABORTED) from None
        except BrokenPipeError:
            raise _ReaderGone from None
        except OSError as error:
            refused = SystemRefused.of(error)
            report(refused, as_json=bool(ctx.meta.get(AS_JSON)))
            raise click.exceptions.Exit(refused.exit_code) from None
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:  # noqa: BLE001  a mistake of ours is told as one
            from gitmemo.cli.failing import told_of

            told = told_of(error)
            report(told, as_json=bool(ctx.meta.get(AS_JSON)))
            raise click.exceptions.Exit(told.exit_code) from None
        return ExitCode.DAMAGED if ctx.meta.get(LEFT_OUT) else result


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option(
    "-C",
    "folder",
    type=click.Path(exists=True, file_okay=False),
    help="Run as if started in this folder.",
)
@color_option
@no_pager_option
def cli(folder: str | None) -> None:
    """Calls that are never run twice, versioned with your code, shared through git."""
    if folder is not None:
        os.chdir(folder)


_as_python_says = warnings.formatwarning


def _own_as_lines(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """Say what gitmemo warns of without the line of gitmemo that did so."""
    if category.__module__.partition(".")[0] == "gitmemo":
        return printable_lines(f"gitmemo: {message}") + "\n"
    return _as_python_says(message, category, filename, lineno, line)


@contextmanager
def _progress() -> Iterator[None]:
    """Show how far long work has come, where somebody may see it."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    from gitmemo.display.progress import StepsLine
    from gitmemo.steps import watched

    with watched(StepsLine):
        yield


class _ReaderGone(Exception):
    """Whoever read standard output has enough: nothing is wrong here."""


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code; see docs/reference.md for the codes."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except (_ReaderGone, BrokenPipeError):
        _write_no_more()
        return 0
    except OSError as error:  # the rest of the output cannot be written
        refused = SystemRefused.of(error)
        report(refused, as_json=False)
        _write_no_more()
        return refused.exit_code
    return code


def _write_no_more() -> None:
    """Let what is still to be written go nowhere: Python would complain once more at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: Sequence[str]) -> int:
    try:
        result = cli.main(list(arguments), prog_name="gitmemo", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        if _wants_json(error, arguments):
            _tell_json("usage", error.format_message(), _help_for(error), error.exit_code)
        else:
            error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):  # before the command was known
        _tell_interrupted(as_json=False)
        return ExitCode.ABORTED
    except click.exceptions.Exit as error:
        return error.exit_code


def _tell_interrupted(*, as_json: bool) -> None:
    if as_json:
        _tell_json("interrupted", "interrupted", "", ExitCode.ABORTED)
    else:
        click.echo("interrupted", err=True)


def _wants_json(error: click.ClickException, arguments: Sequence[str]) -> bool:
    """Whether an error of usage is to be told as JSON; what is said to a script is not to us."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    is_of_script = ctx is not None and ctx.command.name == "run"
    return "--json" in arguments and not is_of_script


def _help_for(error: click.ClickException) -> str:
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    return f"`{ctx.command_path if ctx else 'gitmemo'} --help` shows how it is used"


def report(error: GitmemoError, *, as_json: bool) -> None:
    """Write the message of an error to stderr, in JSON or for people."""
    if as_json:
        _tell_json(error.kind, error.problem(), error.remedy(), error.exit_code)
        return
    said = printable_lines(str(error))
    click.echo(f"{click.style('error:', fg='red', bold=True)} {said}", err=True)


def _tell_json(kind: str, problem: str, remedy: str, exit_code: int) -> None:
    fields = {"kind": kind, "problem": problem, "remedy": remedy, "exit_code": exit_code}
    click.echo(json_line({"error": fields}), err=True)
