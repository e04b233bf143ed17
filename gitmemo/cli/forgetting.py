"""The command `forget`: leave calls out of look-ups and tables, and bring them back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import click

from gitmemo.cli.calls import call_fields, states_of
from gitmemo.cli.named_values import contents_of, has_inputs, named_values, refuse_unknown
from gitmemo.cli.options import confirm, dry_run_option, json_option, refuse_both, yes_option
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import cut, printable, table
from gitmemo.errors import AmbiguousId, NothingToForget, UnknownTombstone
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Call, Slot, Tombstone
from gitmemo.model.plain import as_json, told
from gitmemo.model.tombstones import Tombstones
from gitmemo.quantities import count
from gitmemo.query import names_now, resolve_op, valid_calls
from gitmemo.short_ids import begins, short, told_apart
from gitmemo.workspace import View, Workspace, find
from gitmemo.world.forgetting import with_copies
from gitmemo.world.tagging import tags_of

_MOST_SHOWN = 5
_LONGEST = 40


@click.command()
@click.argument("op", required=False)
@click.argument("inputs", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--all", "every", is_flag=True, help="Also calls of older code.")
@yes_option
@dry_run_option
@click.option("--undo", "tombstone", metavar="ID", help="Bring back what was forgotten as ID.")
@click.option("-m", "--message", default="", help="Why.")
@json_option
def forget(
    op: str | None,
    inputs: tuple[str, ...],
    every: bool,
    yes: bool,
    dry_run: bool,
    tombstone: str | None,
    message: str,
    as_json: bool,
) -> None:
    """Forget the calls of OP whose inputs are as given: they are run again when they are needed.

    A VALUE is a Python literal, else JSON, else text; @TAG is the value with this name. Without OP, show
    what is forgotten. Nothing is deleted: forgetting joins the next commit, and --undo brings the
    calls back.
    """
    if tombstone is not None and (op is not None or yes or dry_run):
        raise click.UsageError("--undo takes an id alone, which says what comes back")
    refuse_both(yes=yes, dry_run=dry_run)
    if op is None and (yes or dry_run or every):
        raise click.UsageError("name the op whose calls are to be forgotten")
    workspace = find()
    workspace.world.enter()
    if tombstone is not None:
        restore(workspace, tombstone, message, as_json=as_json)
    elif op is None:
        _show_forgotten(workspace, as_json=as_json)
    else:
        calls = _chosen(workspace, op, inputs, every=every)
        _show(workspace, calls, as_json=as_json)
        if tags := tags_of(workspace.world, calls):
            click.echo(printable(f"leads nowhere then: {', '.join(tags)}"), err=True)
        if dry_run:
            click.echo(f"would forget {count(len(calls), 'call')}", err=True)
        else:
            confirm(f"forgetting {count(len(calls), 'call')}", yes=yes)
            _forget(workspace, calls, message, as_json=as_json)


def _forget(workspace: Workspace, calls: Sequence[Call], why: str, *, as_json: bool) -> None:
    done = workspace.world.forget(with_copies(workspace.world, calls), why)
    if as_json:
        click.echo(json.dumps({"forgotten": len(calls), "undo": to_hex(done)}))
    undo = f"gitmemo forget --undo {short(done)}"
    click.echo(f"forgot {count(len(calls), 'call')}; undo with: {undo}", err=True)


def _chosen(workspace: Workspace, op: str, inputs: Iterable[str], *, every: bool) -> list[Call]:
    """Return the calls of `op` with these inputs, each call once.

    Raises:
        WrongArguments: It has no such argument.
        NothingToForget: There is no such call.
    """
    world = workspace.world
    values = named_values(inputs)
    calls = world.calls(workspace.code)
    now = names_now(workspace)
    shown = {call.hid: now.call(call) for call in calls}
    name = resolve_op(op, sorted({call.op for call in shown.values()}), now.former)
    refuse_unknown(name, (call for call in shown.values() if call.op == name), values)
    wanted = contents_of(world, values)
    selection = valid_calls(world, calls, workspace.code)
    others = selection.left_out
    among = [c for c in (*selection.calls, *others) if _is(shown[c.hid], name, wanted)]
    left = {call.hid for call in others}
    found = among if every else [call for call in among if call.hid not in left]
    if not found:
        raise NothingToForget(name, len(among))
    return found


def _is(call: Call, op: str, wanted: Mapping[str, Digest]) -> bool:
    return call.op == op and has_inputs(call, wanted)


def _show(workspace: Workspace, calls: Sequence[Call], *, as_json: bool) -> None:
    if as_json:
        view = View(workspace, None, workspace.world, workspace.code)
        states = states_of(view, workspace.world.calls(workspace.code))
        for fields in call_fields(view, calls, states):
            click.echo(json_line(fields))
        return
    names = list(
        dict.fromkeys(slot.name for call in calls for slot in (*call.inputs, *call.outputs))
    )
    rows = [{slot.name: _shown(slot) for slot in (*call.inputs, *call.outputs)} for call in calls]
    for line in table(names, [[row.get(name) for name in names] for row in rows]):
        click.echo(line)


def _shown(slot: Slot) -> object:
    plain = told(slot)
    return as_json(plain.json) if plain else f"<{short(slot.cid)}>"


def _show_forgotten(workspace: Workspace, *, as_json: bool) -> None:
    in_force = workspace.world.graves().here.in_force
    if in_force and not as_json:
        click.echo("forgotten or dropped; `gitmemo forget --undo ID` brings one back:", err=True)
    for record, tombstone in in_force.items():
        number = len(tombstone.records)
        calls = _calls_under(workspace, record, tombstone)
        if as_json:
            fields = {"id": to_hex(record), "records": number, "why": tombstone.why, "calls": calls}
            click.echo(json_line(fields))
        else:
            why = f"  {printable(tombstone.why)}" if tombstone.why else ""
            click.echo(f"{short(record)}  {count(number, 'record')}{why}")
            for call in calls[:_MOST_SHOWN]:
                click.echo(f"    {printable(call)}")
            if len(calls) > _MOST_SHOWN:
                click.echo(f"    and {count(len(calls) - _MOST_SHOWN, 'more call', 'more calls')}")
    if not in_force:
        click.echo("nothing is forgotten", err=True)


def _calls_under(workspace: Workspace, record: Digest, tombstone: Tombstone) -> list[str]:
    """Return the calls that one tombstone forgets, in a few words each."""
    index = workspace.world.index
    calls = index.calls(index.covered(Tombstones([(record, tombstone)])))
    return list(dict.fromkeys(_in_short(call) for call in calls))


def _in_short(call: Call) -> str:
    inputs = ", ".join(f"{slot.name}={cut(repr(_shown(slot)), _LONGEST)}" for slot in call.inputs)
    return f"{call.op}({cut(inputs, 3 * _LONGEST)})"


def restore(workspace: Workspace, text: str, why: str, *, as_json: bool) -> None:
    """Bring back what was forgotten under an id that begins with `text`."""
    graves = workspace.world.graves()
    known = {*graves.here.in_force, *graves.known.in_force}
    matches = [record for record in known if begins(record, text)]
    if not matches:
        raise UnknownTombstone(text)
    if len(matches) > 1:
        raise AmbiguousId(text, tuple(told_apart(matches)))
    workspace.world.restore(matches[0], why)
    if as_json:
        click.echo(json.dumps({"restored": to_hex(matches[0])}))
    click.echo("brought back; it joins the next commit", err=True)
