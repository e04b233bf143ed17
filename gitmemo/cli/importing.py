"""`gitmemo import`: results of other tools become calls, and what could not is counted.

Not what is proven, and how (`gitmemo.moving`). Invariant: no result is unpickled before somebody
said so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import click

from gitmemo.cli.groups import Group
from gitmemo.cli.loading import loaded_storage
from gitmemo.cli.options import confirm, dry_run_option, json_option
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable
from gitmemo.moving.ops import OpFinder
from gitmemo.moving.report import FunctionReport
from gitmemo.moving.taking import Taker
from gitmemo.quantities import count

_Command = TypeVar("_Command", bound=Callable[..., object])


def _moving_options(command: _Command) -> _Command:
    """Let a command take the options of all imports."""
    options = (
        click.option(
            "--map",
            "maps",
            multiple=True,
            metavar="OLD=NEW",
            help="Results of OLD are those of the op NEW, a name or FILE:FUNCTION.",
        ),
        click.option(
            "--trust-code",
            is_flag=True,
            help="Take results whose code is not proven to be today's; their records say so.",
        ),
        click.option("-y", "--yes", is_flag=True, help="Unpickle results, which can run code."),
        dry_run_option,
        json_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(cls=Group, name="import")
def import_() -> None:
    """Bring results that another tool computed; say what was left out, and why.

    They become calls of ops of this project, and join the next commit. docs/moving.md says what
    is proven, and how.
    """


@import_.command("joblib")
@click.argument("path", type=click.Path(path_type=Path))
@_moving_options
def from_joblib(
    path: Path,
    maps: tuple[str, ...],
    trust_code: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring the results in PATH, the folder of a joblib.Memory."""
    from gitmemo.moving.from_joblib import bring_joblib
    from gitmemo.moving.joblib_folder import read_folder

    functions = read_folder(path)
    chosen = _maps(maps)
    number = sum(len(function.results) for function in functions)
    reads = _reads(number, yes=yes, dry_run=dry_run)
    with loaded_storage() as storage:
        finder = OpFinder(storage, chosen)
        finder.check([function.name for function in functions])
        taker = Taker(storage, "joblib", trusts_code=trust_code, records=not dry_run)
        reports = bring_joblib(functions, finder, taker, reads=reads)
    _show(reports, as_json=as_json, dry_run=dry_run)


@import_.command("mandala")
@click.argument("path", metavar="DB", type=click.Path(path_type=Path))
@click.option(
    "--overflow",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder that was its overflow_dir.",
)
@_moving_options
def from_mandala(
    path: Path,
    overflow: Path | None,
    maps: tuple[str, ...],
    trust_code: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring the calls in DB, the database of a mandala 0.2 storage."""
    from gitmemo.moving.from_mandala import MandalaMove
    from gitmemo.moving.mandala_code import MandalaCode
    from gitmemo.moving.mandala_database import OldDatabase

    chosen = _maps(maps)
    database = OldDatabase(path, overflow)
    try:
        reads = _reads(len(database.calls), yes=yes, dry_run=dry_run)
        with loaded_storage() as storage:
            finder = OpFinder(storage, chosen)
            finder.check(sorted({call.op for call in database.calls}))
            taker = Taker(storage, "mandala", trusts_code=trust_code, records=not dry_run)
            assert storage.project is not None  # it is a repository's
            code = MandalaCode(database, taker, storage.project)
            reports = MandalaMove(database, finder, taker, code).bring(reads=reads)
    finally:
        database.close()
    _show(reports, as_json=as_json, dry_run=dry_run)


def _maps(given: Iterable[str]) -> dict[str, str]:
    maps: dict[str, str] = {}
    for text in given:
        old, equals, new = text.partition("=")
        if not (old and equals and new):
            raise click.UsageError(f"--map {text!r} is not OLD=NEW")
        maps[old] = new
    return maps


def _reads(number: int, *, yes: bool, dry_run: bool) -> bool:
    """Whether results are to be unpickled: `--yes` says so, or somebody who is asked."""
    if not (yes or dry_run):
        results = count(number, "result")
        confirm(f"unpickling {results}, which runs code of whoever wrote them", yes=False)
    return yes or not dry_run


def _show(reports: Sequence[FunctionReport], *, as_json: bool, dry_run: bool) -> None:
    for report in reports:
        if as_json:
            click.echo(json_line(report.as_dict()))
        else:
            for line in _lines(report, dry_run=dry_run):
                click.echo(printable(line))
    brought = sum(report.brought for report in reports)
    refused = sum(report.refused.total() for report in reports)
    unread = sum(report.unread for report in reports)
    said = f"brought {count(brought, 'call')}{', pending until the next commit' if brought else ''}"
    if dry_run:
        said = f"would bring {count(brought, 'call')}"
    if unread:
        said = (
            f"{count(unread, 'result')} would be read: --dry-run --yes unpickles them and says more"
        )
    left = f"; left out {count(refused, 'result')}" if refused else ""
    click.echo(f"{said}{left}", err=True)


def _lines(report: FunctionReport, *, dry_run: bool) -> Iterator[str]:
    amounts = {
        "would be brought" if dry_run else "brought": report.brought,
        "proven": report.unread,
        "known already": report.known,
        "left out": report.refused.total(),
    }
    said = ", ".join(f"{number} {what}" for what, number in amounts.items() if number)
    yield f"{report.name} -> {report.op or 'no op'}: {said or 'nothing'}"
    for reason, number in report.refused.most_common():
        yield f"    {number}: {reason}"
