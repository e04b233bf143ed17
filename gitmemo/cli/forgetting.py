"""The command `forget`: leave calls out of look-ups and tables, and bring them back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import click

from gitmemo.cli.options import json_option
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import cut, printable, table
from gitmemo.errors import AmbiguousId, UnknownTombstone
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Call, JsonValue, Slot, Tombstone
from gitmemo.model.tombstones import Tombstones
from gitmemo.quantities import count
from gitmemo.query import names_now, resolve_op, valid_calls
from gitmemo.short_ids import begins, short, told_apart
from gitmemo.workspace import Workspace, find
from gitmemo.world.forgetting import with_copies
from gitmemo.world.tagging import tags_of

_MOST_SHOWN = 5
_LONGEST = 40


@click.command()
@click.argument("op", required=False)
@click.argument("inputs", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--all", "every", is_flag=True, help="Also calls of older code.")
@click.option("-n", "--dry-run", is_flag=True, help="Only show what would be forgotten.")
@click.option("--undo", "tombstone", metavar="ID", help="Bring back what was forgotten as ID.")
@click.option("-m", "--message", default="", help="Why.")
@json_option
def forget(
    op: str | None,
    inputs: tuple[str, ...],
    every: bool,
    dry_run: bool,
    tombstone: str | None,
    message: str,
    as_json: bool,
) -> None:
    """Forget the calls of OP whose inputs are as given: they are run again when they are needed.

    A VALUE is JSON, or text. Without OP, show what is forgotten. Nothing is deleted:
    forgetting joins the next commit, and --undo brings the calls back.
    """
    workspace = find()
    workspace.world.enter()
    if tombstone is not None:
        if op is not None:
            raise click.UsageError("--undo takes no op: the id says what comes back")
        restore(workspace, tombstone, message)
    elif op is None:
        _show_forgotten(workspace, as_json=as_json)
    else:
        calls = _chosen(workspace, op, inputs, every=every)
        _show(calls, as_json=as_json)
        if tags := tags_of(workspace.world, calls):
            click.echo(printable(f"leads nowhere then: {', '.join(tags)}"), err=True)
        _forget(workspace, calls, message, dry_run=dry_run)


def _forget(workspace: Workspace, calls: Sequence[Call], why: str, *, dry_run: bool) -> None:
    if not calls:
        click.echo("no such call is stored", err=True)
    elif dry_run:
        click.echo(f"would forget {count(len(calls), 'call')}", err=True)
    else:
        done = workspace.world.forget(with_copies(workspace.world, calls), why)
        undo = f"gitmemo forget --undo {short(done)}"
        click.echo(f"forgot {count(len(calls), 'call')}; undo with: {undo}", err=True)


def _chosen(workspace: Workspace, op: str, inputs: Iterable[str], *, every: bool) -> list[Call]:
    """Return the calls of `op` with these inputs, each call once."""
    world = workspace.world
    calls = world.calls(workspace.code)
    now = names_now(workspace)
    shown = {call.hid: now.call(call) for call in calls}
    name = resolve_op(op, sorted({call.op for call in shown.values()}), now.former)
    wanted = dict(input_of(text) for text in inputs)
    selection = valid_calls(world, calls, workspace.code)
    others = (*selection.stale, *selection.unreachable)
    among = (*selection.calls, *others) if every else selection.calls
    return [c for c in among if shown[c.hid].op == name and has_inputs(shown[c.hid], wanted)]


def input_of(text: str) -> tuple[str, Digest]:
    """Read `NAME=VALUE`; return the name and the content id of the value."""
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"{text!r} is not NAME=VALUE")
    parsed: object
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = value
    return name, content_id(parsed)


def has_inputs(call: Call, wanted: dict[str, Digest]) -> bool:
    """Whether a call has inputs of these names and contents."""
    here = {slot.name: slot.cid for slot in call.inputs}
    return all(here.get(name) == cid for name, cid in wanted.items())


def _show(calls: Sequence[Call], *, as_json: bool) -> None:
    names = list(dict.fromkeys(slot.name for call in calls for slot in _slots(call)))
    rows = [{slot.name: _shown(slot) for slot in _slots(call)} for call in calls]
    if as_json:
        for row in rows:
            click.echo(json_line(row))
    elif rows:
        for line in table(names, [[row.get(name) for name in names] for row in rows]):
            click.echo(line)


def _slots(call: Call) -> tuple[Slot, ...]:
    return (*call.inputs, *call.outputs)


def _shown(slot: Slot) -> JsonValue:
    return slot.inline.json if slot.inline else f"<{short(slot.cid)}>"


def _show_forgotten(workspace: Workspace, *, as_json: bool) -> None:
    in_force = workspace.world.graves().here.in_force
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


def restore(workspace: Workspace, text: str, why: str) -> None:
    """Bring back what was forgotten under an id that begins with `text`."""
    graves = workspace.world.graves()
    known = {*graves.here.in_force, *graves.known.in_force}
    matches = [record for record in known if begins(record, text)]
    if not matches:
        raise UnknownTombstone(text)
    if len(matches) > 1:
        raise AmbiguousId(text, tuple(told_apart(matches)))
    workspace.world.restore(matches[0], why)
    click.echo("brought back; it joins the next commit", err=True)
