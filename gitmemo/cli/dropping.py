"""`gitmemo drop`: leave out old versions, with what depends on them; shown first, undone any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import click

from gitmemo.cli.forgetting import restore
from gitmemo.cli.named_values import contents_of, has_inputs, named_values, refuse_unknown
from gitmemo.cli.options import confirm, dry_run_option, json_option, yes_option
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable
from gitmemo.errors import NothingToDrop
from gitmemo.hashing.digest import to_hex
from gitmemo.memo.dropping import DropPlan, of_call, of_version, plan_drop
from gitmemo.model.facts import Call
from gitmemo.quantities import count, size
from gitmemo.query import names_now, resolve_op, stale_test
from gitmemo.short_ids import short
from gitmemo.workspace import Workspace, find

_Test = Callable[[Call], bool]


@click.command()
@click.argument("targets", nargs=-1, metavar="[op:NAME|call:ID]...")
@click.option(
    "--version", metavar="ID", help="Only calls of this version (content or semantic id)."
)
@click.option("--where", multiple=True, metavar="NAME=VALUE", help="Only with this input.")
@click.option(
    "--stale", "only_stale", is_flag=True, help="Only what is not valid for today's code."
)
@click.option("--pending", "only_pending", is_flag=True, help="Only what is in no commit.")
@click.option(
    "--keep-dependents", is_flag=True, help="Keep what used them, if its inputs are stored."
)
@yes_option
@dry_run_option
@click.option("--undo", "tombstone", metavar="ID", help="Bring back what was dropped as ID.")
@click.option("-m", "--message", default="", help="Why.")
@json_option
def drop(
    targets: tuple[str, ...],
    version: str | None,
    where: tuple[str, ...],
    only_stale: bool,
    only_pending: bool,
    keep_dependents: bool,
    yes: bool,
    dry_run: bool,
    tombstone: str | None,
    message: str,
    as_json: bool,
) -> None:
    """Drop calls, and the calls that used their results: look-ups and tables leave them out.

    Nothing is deleted: it joins the next commit, and --undo brings all of it back. To make room,
    `gitmemo gc --forgotten` removes the values that only dropped calls name.
    """
    if dry_run and (yes or tombstone):
        raise click.UsageError("--dry-run only shows what would go: leave --yes and --undo out")
    workspace = find()
    workspace.world.enter()
    if tombstone is not None:
        restore(workspace, tombstone, message, as_json=as_json)
        return
    if not (targets or version or where or only_stale or only_pending):
        said = "say what: op:NAME, call:ID, --version, --where, --stale or --pending"
        raise click.UsageError(said)
    tests = _tests(workspace, targets, version, where)
    if only_stale:
        tests.append(stale_test(workspace.world, workspace.code))
    if only_pending:
        pending = workspace.world.pending_hids(workspace.code)
        tests.append(lambda call: call.hid in pending)

    def chosen(call: Call) -> bool:
        return all(test(call) for test in tests)

    world, code = workspace.world, workspace.code
    plan = plan_drop(world, code, chosen, keep_dependents=keep_dependents)
    if not plan.calls:
        raise NothingToDrop("this", ())
    if not (yes and as_json):  # then it is shown with what undoes it
        _show(plan, as_json=as_json)
    if dry_run:
        _say(plan)
        return
    confirm("dropping these calls", yes=yes)
    done = plan.carried_out(world, message)
    if as_json:
        _show(done, as_json=True)
    _say(done)


def _tests(
    workspace: Workspace,
    targets: tuple[str, ...],
    version: str | None,
    where: tuple[str, ...],
) -> list[_Test]:
    world, code = workspace.world, workspace.code
    now = names_now(workspace)
    calls = world.calls(code)
    tests: list[_Test] = []
    if targets:
        any_of = [_target(target, calls, now.call, now.former) for target in targets]

        def is_any(call: Call) -> bool:
            return any(test(call) for test in any_of)

        tests.append(is_any)
    if version:
        tests.append(of_version(world, code, version))
    if where:
        values = named_values(map(_as_given, where))
        about = [now.call(call) for call in calls if all(test(call) for test in tests)]
        refuse_unknown(", ".join(sorted({call.op for call in about})), about, values)
        wanted = contents_of(world, values)
        tests.append(lambda call: has_inputs(now.call(call), wanted))
    return tests


def _as_given(text: str) -> str:
    """Return NAME=VALUE, also of NAME == VALUE as `gitmemo df --where` has it."""
    name, sign, value = text.partition("==")
    return f"{name.strip()}={value.strip()}" if sign and name.strip().isidentifier() else text


def _target(
    text: str,
    calls: list[Call],
    named: Callable[[Call], Call],
    former: Mapping[str, str],
) -> _Test:
    kind, _, name = text.partition(":")
    if kind == "call" and name:
        return of_call(calls, name)
    if kind == "op" and name:
        op = resolve_op(name, sorted({named(call).op for call in calls}), former)
        return lambda call: named(call).op == op
    raise click.UsageError(f"{text!r}: write op:NAME or call:ID")


def _show(plan: DropPlan, *, as_json: bool) -> None:
    if as_json:
        fields = {
            "calls": _per_op(plan.calls),
            "dependents": _per_op(plan.dependents),
            "kept": _per_op(plan.kept),
            "ids": [to_hex(call.hid) for call in plan.calls],
            "tags": list(plan.tags),
            "values": plan.values,
            "size_bytes": plan.size_bytes,
            "undo": plan.undo or None,
        }
        click.echo(json_line(fields))
        return
    for word, calls in (
        ("drops", plan.calls),
        ("with it, for they used its results:", plan.dependents),
        ("keeps, for their inputs are stored:", plan.kept),
    ):
        for op, number in _per_op(calls).items():
            click.echo(printable(f"{word} {count(number, 'call')} of {op}"))
    if plan.tags:
        click.echo(printable(f"leads nowhere then: {', '.join(plan.tags)}"))
    values = f"{count(plan.values, 'value')} ({size(plan.size_bytes)})"
    click.echo(f"{values} that nothing else here needs")


def _say(plan: DropPlan) -> None:
    number = count(len(plan.calls) + len(plan.dependents), "call")
    if plan.undo:
        undo = f"gitmemo drop --undo {short(plan.undo)}"
        click.echo(f"dropped {number}; undo with: {undo}", err=True)
        if plan.values:
            click.echo("its values stay until `gitmemo gc --forgotten` removes them", err=True)
    else:
        click.echo(f"would drop {number}; --yes does it", err=True)


def _per_op(calls: tuple[Call, ...]) -> dict[str, int]:
    return dict(sorted(Counter(call.op for call in calls).items()))
