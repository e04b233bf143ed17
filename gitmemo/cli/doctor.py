"""`gitmemo doctor`: what is installed, set, reachable and in order here, for people and bug reports.

Not the looking (`doctor_machine`, `doctor_repository`). Invariant: nothing is changed but a file that is
made to try locks and removed again, nothing that is found wrong ends the rest, and no secret is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from gitmemo.cli.doctor_machine import AREAS as OF_MACHINE
from gitmemo.cli.doctor_machine import Look
from gitmemo.cli.doctor_repository import configured, healthy, reachable, stale
from gitmemo.cli.options import Number, json_option
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable
from gitmemo.errors import GitmemoError, NotInRepository
from gitmemo.errors.base import ExitCode
from gitmemo.git.repository import locate
from gitmemo.quantities import count
from gitmemo.remotes.probing import Grade, Probe
from gitmemo.workspace import find

_COLORS = {Grade.GOOD: "green", Grade.NOTE: "yellow", Grade.BAD: "red"}


@click.command()
@click.option(
    "--timeout",
    "timeout_s",
    type=Number(min=0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for each remote.",
)
@click.option("--offline", is_flag=True, help="Ask no remote.")
@json_option
def doctor(timeout_s: float, offline: bool, as_json: bool) -> int:
    """Say what is installed, configured, reachable, healthy and stale here, with what mends it.

    It is the text for a bug report: secrets are not in it, your home folder is `~`. Nothing is
    changed. The exit code is 3 if something is wrong.
    """
    wrong = 0
    for area, findings in _areas(None if offline else timeout_s):
        if not as_json:
            click.echo(click.style(area, bold=True))
        for found in findings:
            wrong += found.grade is Grade.BAD
            for line in (_as_json(area, found),) if as_json else _as_text(found):
                click.echo(line)
    said = f"{count(wrong, 'problem')}: see what is said below each" if wrong else "all is well"
    click.echo(said, err=True)
    return ExitCode.NOT_READY if wrong else ExitCode.DONE


def _areas(timeout_s: float | None) -> Iterator[tuple[str, Iterable[Probe]]]:
    for area, look in OF_MACHINE.items():
        yield area, _guarded(look)
    try:
        layout = locate()
    except NotInRepository as error:
        said = f"{error.problem()}: no repository was looked at"
        yield "repository", [Probe("repository", Grade.NOTE, said, error.remedy())]
        return
    except GitmemoError as error:
        yield "repository", [failed("repository", error)]
        return
    yield "configured", _guarded(lambda: configured(layout))
    try:
        workspace = find()
    except GitmemoError as error:
        yield "repository", [failed("set up", error)]
        return
    if timeout_s is not None:
        yield "reachable", _guarded(lambda: reachable(workspace, timeout_s))
    yield "healthy", _guarded(lambda: healthy(workspace))
    yield "stale", _guarded(lambda: stale(workspace))


def _guarded(look: Look) -> Iterator[Probe]:
    """Yield what is found; what cannot be looked at is a finding."""
    try:
        yield from look()
    except GitmemoError as error:
        yield failed("looking", error)
    except Exception as error:  # noqa: BLE001  the rest is of use for a report all the same
        said = f"{type(error).__name__}: {error}"
        yield Probe("looking", Grade.BAD, said, "please report this, with all that is said here")


def failed(what: str, error: GitmemoError) -> Probe:
    """Return the finding that an error is."""
    return Probe(what, Grade.BAD, error.problem(), error.remedy(), error.exit_code)


def without_home(text: str) -> str:
    """Return a text without the path of this user's home."""
    home = str(Path.home())
    if len(home) <= 1:
        return text
    # Not where the name goes on: /home/alice is not /home/al.
    return re.sub(rf"(?<![\w.-]){re.escape(home)}(?![\w-]|\.\w)", "~", text)


def _as_text(found: Probe) -> Iterator[str]:
    grade = click.style(f"{found.grade.value:7}", fg=_COLORS[found.grade])
    yield f"  {grade}  {printable(found.what)}: {_shown(found.said)}"
    if found.remedy:
        yield f"           {_shown(found.remedy)}"


def _shown(text: str) -> str:
    return " / ".join(map(printable, without_home(text).split("\n")))


def _as_json(area: str, found: Probe) -> str:
    fields = {
        "area": area,
        "what": found.what,
        "grade": found.grade.value,
        "said": without_home(found.said),
        "remedy": without_home(found.remedy),
    }
    return json_line(fields)
