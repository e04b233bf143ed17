"""`gitmemo remote gc`: deleting from a remote what nobody needs: mark, wait, sweep."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from gitmemo.cli.options import dry_run_option, json_option, refuse_both
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable
from gitmemo.errors.base import ExitCode
from gitmemo.quantities import count, size
from gitmemo.workspace import find

if TYPE_CHECKING:
    from gitmemo.cleaning.remote import Fetched, RemoteCleaning
    from gitmemo.remotes.collecting import Remains, Sweep
    from gitmemo.remotes.marks import Mark
    from gitmemo.remotes.repacking import Moved

_DAY_S = 86_400


@click.command("gc")
@click.argument("name", required=False)
@click.option("--sweep", "is_sweep", is_flag=True, help="Delete what was marked 14 days ago.")
@click.option(
    "-y", "--yes", is_flag=True, help="Do it; without this nothing is written or deleted."
)
@dry_run_option
@click.option(
    "--ignore-others",
    is_flag=True,
    help="Though other repositories push there: what only they need is deleted.",
)
@click.option(
    "--forget",
    "forgotten",
    multiple=True,
    metavar="REPOSITORY",
    help="Let this repository count no more as one that pushes there: it is gone, or has another "
    "name now; may be given several times.",
)
@click.option("--no-fetch", is_flag=True, help="Do not ask git's remotes for newer records first.")
@json_option
def remote_gc(
    name: str | None,
    is_sweep: bool,
    yes: bool,
    dry_run: bool,
    ignore_others: bool,
    forgotten: tuple[str, ...],
    no_fetch: bool,
    as_json: bool,
) -> int:
    """Delete values from the remote NAME that no record names: mark, wait 14 days, sweep.

    Without an option it lists the packs and values that nothing live lies in. With --yes it marks
    them: from then on they count as absent for pushes. Live values in packs that are mostly dead are
    copied first, so that these packs can go, too. With --sweep it lists, with --sweep --yes
    it deletes, what was marked 14 days ago or longer and is still dead. Live is what this clone knows
    of, in all branches, tags, reflogs and journals, after `git fetch`: run it where all records meet.
    """
    refuse_both(yes=yes, dry_run=dry_run)
    from gitmemo.cleaning.remote import RemoteCleaning

    workspace = find()
    cleaning = RemoteCleaning(workspace, workspace.remote(name))
    with nullcontext() if no_fetch else cleaning.fetched() as fetched:
        if fetched is not None and not _is_enough(fetched, must=yes):
            return ExitCode.UNREACHABLE
        if forgotten:
            cleaning.forget(forgotten, only_check=not yes)
            said = "forgot" if yes else "would forget"
            click.echo(f"{said} {printable(', '.join(forgotten))}", err=True)
        if is_sweep:
            _sweep(cleaning, yes=yes, ignore_others=ignore_others, as_json=as_json)
            return 0
        remains = cleaning.remains()
        _warn_others([user for user in cleaning.others(remains) if user not in forgotten])
        mark, moved = cleaning.retire(remains, ignore_others=ignore_others) if yes else (None, None)
        _show_remains(remains, mark, moved, as_json=as_json)
    return 0


def _sweep(cleaning: RemoteCleaning, *, yes: bool, ignore_others: bool, as_json: bool) -> None:
    found = cleaning.plan_sweep()
    if yes:
        cleaning.sweep(found, ignore_others=ignore_others)
    _show_sweep(found, done=yes, as_json=as_json)


def _warn_others(others: list[str]) -> None:
    if others:
        click.echo(
            click.style("warning:", fg="yellow", bold=True)
            + f" other repositories push there: {printable(', '.join(others))}; what only they need "
            "is listed here too (--forget REPOSITORY: it is gone, or is this one under an older name)",
            err=True,
        )


def _is_enough(fetched: Fetched, *, must: bool) -> bool:
    """Say whether asking git's remotes went well, or does not matter."""
    if fetched.failed is None:
        return True
    click.echo(printable(f"git's remotes cannot be asked: {fetched.failed}"), err=True)
    if must:
        click.echo(
            "nothing was done: records may be missing here (--no-fetch does it all the same)",
            err=True,
        )
    return not must


def _show_remains(found: Remains, mark: str | None, moved: Moved | None, *, as_json: bool) -> None:
    from gitmemo.remotes.layout import pack_name

    if as_json:
        fields = {
            "packs": found.packs,
            "singles": found.singles,
            "dead": _named(found.dead),
            "dead_bytes": found.size_bytes,
            "unmarked": len(found.unmarked.packs) + len(found.unmarked.singles),
            "worn": [pack_name(each.pack) for each in found.worn],
            "moving": sum(len(each.moving) for each in found.worn),
            "made": None if moved is None else sorted(map(pack_name, moved.made)),
            "mark": mark,
            "users": list(found.users),
        }
        click.echo(json_line(fields))
        return
    for name in _named(found.dead):
        click.echo(name)
    there = f"{count(found.packs, 'pack')} and {count(found.singles, 'single value')}"
    if found.dead:
        dead = f"{_objects(found.dead)} hold nothing live ({size(found.size_bytes)})"
        click.echo(f"{dead}; there are {there}")
    elif found.packs or found.singles:
        click.echo(f"something live lies in each of {there}")
    else:
        click.echo("there are no values")
    _show_worn(found, moved)
    if mark is not None:
        click.echo(f"marked by {mark}: in 14 days `gitmemo remote gc --sweep --yes` deletes them")
    elif (found.unmarked or found.worn) and moved is None:
        click.echo("nothing was marked: say --yes to do it", err=True)
    elif found.dead:
        click.echo("all of it is marked already (--sweep)")


def _show_worn(found: Remains, moved: Moved | None) -> None:
    if not found.worn:
        return
    dead_bytes = sum(each.dead_bytes for each in found.worn)
    live_bytes = sum(item.size for each in found.worn for item in each.moving)
    packs = f"{count(len(found.worn), 'pack')} mostly dead ({size(dead_bytes)})"
    said = "would move" if moved is None else f"moved to {count(len(moved.made), 'new pack')}"
    click.echo(f"{packs}: what lives there {said} ({size(live_bytes)})")
    if moved is not None and len(moved.left) < len(found.worn):
        kept = len(found.worn) - len(moved.left)
        click.echo(
            f"{count(kept, 'pack')} of these kept: something in them cannot be read", err=True
        )


def _show_sweep(found: Sweep, *, done: bool, as_json: bool) -> None:
    if as_json:
        fields = {
            "dead": _named(found.dead),
            "bytes": found.size_bytes,
            "alive": found.alive,
            "signature_lists": len(found.lists),
            "expired_marks": found.expired,
            "waiting_days": [seconds / _DAY_S for seconds in found.waiting],
            "deleted": done,
        }
        click.echo(json_line(fields))
        return
    for name in _named(found.dead):
        click.echo(name)
    said = "deleted" if done else "would delete"
    click.echo(f"{said} {_objects(found.dead)} ({size(found.size_bytes)})")
    if found.lists:
        click.echo(f"{said} {count(len(found.lists), 'list')} of signatures that others hold")
    if found.alive:
        why = "needed again, written since, or not whole elsewhere"
        click.echo(f"{count(found.alive, 'marked object')} kept: {why}")
    if found.expired:
        are = "mark is" if found.expired == 1 else "marks are"
        click.echo(
            f"{found.expired} {are} older than 28 days and without effect: `gitmemo remote gc "
            "--yes` marks again what is dead"
        )
    for seconds in found.waiting:
        click.echo(f"a mark may be swept in {seconds / _DAY_S:.1f} days", err=True)
    if (found.dead or found.lists) and not done:
        click.echo("nothing was deleted: say --yes to do it", err=True)


def _objects(mark: Mark) -> str:
    return f"{count(len(mark.packs), 'pack')} and {count(len(mark.singles), 'single value')}"


def _named(mark: Mark) -> list[str]:
    from gitmemo.remotes.layout import pack_name, single_name

    return [*map(pack_name, sorted(mark.packs)), *map(single_name, sorted(mark.singles))]
