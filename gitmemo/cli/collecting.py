"""`gitmemo gc`: removing what this clone no longer needs. It is a dry run unless told otherwise."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import click

from gitmemo.cli.options import Number, dry_run_option, json_option, refuse_both
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable
from gitmemo.errors.base import ExitCode
from gitmemo.quantities import count, size, timestamp
from gitmemo.workspace import Workspace, find, remote_cache

if TYPE_CHECKING:
    from pathlib import Path

    from gitmemo.cleaning.local import Cleaned
    from gitmemo.cleaning.plan import Plan, Wish
    from gitmemo.hashing.digest import Digest
    from gitmemo.world.named import Named

if TYPE_CHECKING:
    _Parameter = click.ParamType[int]
else:  # older ones take no type
    _Parameter = click.ParamType
_JOURNAL_DAYS = 30
_GRACE_DAYS = 14.0
_DAY_S = 86_400
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", re.IGNORECASE)


class SizeParameter(_Parameter):
    """A size such as `500MB`, `2.5 GB` or a number of bytes."""

    name = "size"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the number of bytes."""
        match = _SIZE.fullmatch(str(value).strip())
        if match is None:
            self.fail(f"{value!r} is no size: write it like 500MB or 2.5GB", param, ctx)
        return int(float(match[1]) * _UNITS[match[2].lower()])


@click.command()
@click.option(
    "--older-than",
    "days",
    type=Number(min=0),
    metavar="DAYS",
    help="Evict values written so long ago; of journals those set aside so long ago (else 30 days).",
)
@click.option(
    "--max-size",
    "max_bytes",
    type=SizeParameter(),
    metavar="SIZE",
    help="Evict until all values together are not larger, such as 2GB.",
)
@click.option("--op", "ops", multiple=True, metavar="OP", help="Evict only what these ops made.")
@click.option("--forgotten", is_flag=True, help="Remove values that only forgotten calls name.")
@click.option(
    "--on-remote",
    is_flag=True,
    help="Evict inputs too, which nothing can make again, if they are on the remote.",
)
@click.option(
    "--grace",
    type=Number(min=0),
    default=_GRACE_DAYS,
    show_default=True,
    metavar="DAYS",
    help="Keep what no record names for so long.",
)
@click.option("-y", "--yes", is_flag=True, help="Remove them; without this nothing is removed.")
@dry_run_option
@json_option
def gc(
    days: float | None,
    max_bytes: int | None,
    ops: tuple[str, ...],
    forgotten: bool,
    on_remote: bool,
    grace: float,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Remove values that no record names, and local journals that commits have made superfluous.

    Only when asked for, values that records do name are evicted: those that are on the default
    remote or, in a repository without remotes, those that can be computed again. Journals go if
    all their calls are in commits that a branch, tag or remote branch holds.
    """
    refuse_both(yes=yes, dry_run=dry_run)
    from gitmemo.cleaning.local import clean
    from gitmemo.cleaning.plan import Wish
    from gitmemo.commits.collecting import half_written, remove, superfluous_journals

    workspace = find()
    workspace.world.enter()
    wish = Wish(
        grace_s=grace * _DAY_S,
        older_than_s=None if days is None else days * _DAY_S,
        max_bytes=max_bytes,
        ops=_resolved(workspace, ops),
        forgotten=forgotten,
        raw_on_remote=on_remote,
        computes=not workspace.settings.remotes,
    )
    journals_s = (_JOURNAL_DAYS if days is None else days) * _DAY_S
    journals = superfluous_journals(workspace, older_than_s=journals_s)
    journal_bytes = sum(path.stat().st_size for path in journals)
    cleaned = clean(workspace, wish, lambda names: _on_remote(workspace, names), remove=yes)
    if yes:
        remove([*journals, *half_written(workspace.layout)])
    if as_json:
        _show_json(cleaned, journals, journal_bytes, removed=yes)
    else:
        _show(cleaned, wish, removed=yes)
        said = "removed" if yes else "would remove"
        click.echo(f"{said} {count(len(journals), 'journal')} ({size(journal_bytes)})")
        if (journals or cleaned.plan.doomed) and not yes:
            click.echo("nothing was removed: say --yes to do it", err=True)
    return ExitCode.FAILED if cleaned.plan.missed_bytes else ExitCode.DONE


def _resolved(workspace: Workspace, ops: tuple[str, ...]) -> frozenset[str] | None:
    if not ops:
        return None
    from gitmemo.query import resolve_op

    known = workspace.world.ops()
    return frozenset(resolve_op(op, known) for op in ops)


def _on_remote(workspace: Workspace, names: Named) -> frozenset[Digest]:
    """Return what the default remote holds; nothing where there is none or it does not answer."""
    from gitmemo import remotes
    from gitmemo.errors import RemoteMissing, RemoteUnknown, RemoteUnreachable

    try:
        config = workspace.remote(None)
        remote = remotes.open_remote(config, workspace.root)
        wanted = [remotes.WantedBlob(v.blob, v.codec, v.size) for v in names.values]
        return remotes.holdings(remote, remote_cache(workspace.layout, config), wanted)
    except (RemoteUnknown, RemoteMissing):
        return frozenset()
    except RemoteUnreachable as error:
        click.echo(printable(f"{error.problem()}: nothing counts as being there"), err=True)
        return frozenset()


_MEANING = {
    "garbage": "no record names",
    "forgotten": "only forgotten calls name",
    "on-remote": "are on the remote",
    "computable": "can be computed again",
}


def _show(cleaned: Cleaned, wish: Wish, *, removed: bool) -> None:
    plan = cleaned.plan
    click.echo(f"{count(plan.values, 'value')} ({size(plan.total_bytes)}) in the local store")
    said = "removed" if removed else "would remove"
    if not plan.doomed:
        click.echo(f"{said} 0 values")
    for why, meaning in _MEANING.items():
        found = [one for one in plan.doomed if one.why == why]
        if found:
            total = size(sum(one.size_bytes for one in found))
            click.echo(
                f"{said} {count(len(found), 'value')} ({total}) that {meaning}{_by_op(plan, why)}"
            )
    if plan.young:
        click.echo(
            f"{count(plan.young, 'value')} that no record names, not old enough "
            f"(--grace {wish.grace_s / _DAY_S:g})"
        )
    if cleaned.in_use_since_s is not None:
        click.echo(
            "running programs use the store: what was written since "
            f"{timestamp(cleaned.in_use_since_s)} stays, and so does what any record ever named",
            err=True,
        )
    if cleaned.swept is not None and cleaned.swept.in_use:
        click.echo(f"{count(cleaned.swept.in_use, 'file')} left alone: in use", err=True)
    if cleaned.swept is not None and cleaned.swept.damaged:
        packs = count(cleaned.swept.damaged, "damaged pack")
        click.echo(f"{packs} left alone (gitmemo verify)", err=True)
    if plan.elsewhere:
        click.echo(
            f"{count(plan.elsewhere, 'value')} ({size(plan.elsewhere_bytes)}) more would go, but other "
            "repositories that share the store need them (gitmemo store show)",
            err=True,
        )
    if plan.missed_bytes:
        reason = "nothing else is on the remote" + (
            " or can be computed again" if wish.computes else " (gitmemo push)"
        )
        if plan.missed_bytes <= plan.elsewhere_bytes:
            reason = "what other repositories need stays"
        click.echo(f"{size(plan.missed_bytes)} over the budget remain: {reason}", err=True)


def _by_op(plan: Plan, why: str) -> str:
    ops = Counter(one.op for one in plan.doomed if one.why == why and one.op is not None)
    if not ops or why == "garbage":
        return ""
    named = ", ".join(f"{op} {number}" for op, number in ops.most_common(3))
    return f": made by {named}{', …' if len(ops) > 3 else ''}"


def _show_json(
    cleaned: Cleaned, journals: list[Path], journal_bytes: int, *, removed: bool
) -> None:
    for one in cleaned.plan.doomed:
        click.echo(json_line({"kind": "value", **one.as_dict()}))
    swept = cleaned.swept
    summary: dict[str, object] = {
        "kind": "summary",
        "removed": removed,
        "values": len(cleaned.plan.doomed),
        "bytes": cleaned.plan.doomed_bytes,
        "freed_bytes": swept.freed_bytes if swept else 0,
        "left_in_use": swept.in_use if swept else 0,
        "left_damaged": swept.damaged if swept else 0,
        "young": cleaned.plan.young,
        "needed_elsewhere": cleaned.plan.elsewhere,
        "over_budget_bytes": cleaned.plan.missed_bytes,
        "in_use": cleaned.in_use_since_s is not None,
        "journals": len(journals),
        "journal_bytes": journal_bytes,
    }
    click.echo(json_line(summary))
