"""`gitmemo calls`: the calls themselves, the newest first. It changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import click

from gitmemo.cli.looking import look_at
from gitmemo.cli.options import Whole, json_option, revision_options, user_option
from gitmemo.cli.questions import json_value, meant_by
from gitmemo.cli.screen import paged
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import table
from gitmemo.frames.naming import short
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Call, Slot
from gitmemo.model.plain import as_json, told
from gitmemo.quantities import count, duration
from gitmemo.query import names_now, valid_calls
from gitmemo.workspace import View
from gitmemo.world.authors import authors_of

_MOST = 20
_ID_DIGITS = 12
_TO_THE_SECOND = 19
_OF_OLDER, _ON_OLDER = "older code", "older results"


@click.command()
@click.argument("ops", nargs=-1)
@click.option(
    "--limit",
    type=Whole(min=0),
    default=_MOST,
    metavar="N",
    help=f"At most N; {_MOST} if not given.",
)
@click.option(
    "--all", "every", is_flag=True, help="Also show calls of older code, and on its results."
)
@user_option
@click.option("--pending", "waiting", is_flag=True, help="Only calls that are in no commit yet.")
@revision_options
@json_option
@paged
def calls(
    ops: tuple[str, ...],
    limit: int,
    every: bool,
    user: str | None,
    waiting: bool,
    rev: str | None,
    later: bool,
    as_json: bool,
) -> None:
    """List calls of OPS, of all ops if none is named, the newest first.

    @NAME among OPS is the call that made the value with this tag.

    With each its id, as `gitmemo show` takes it, when it ran, how long, and what came in and out.
    """
    view = look_at(rev, later=later)
    now = names_now(view)
    known = now.calls(view.world.calls(view.code))
    meant = meant_by(view, ops, known, known, now.former)
    wanted = [call for call in known if meant.has(call)]
    if user:
        is_theirs = authors_of(view.world).test(user)
        wanted = [call for call in wanted if is_theirs(call)]
    if waiting:
        pending = view.world.pending_hids(view.code)
        wanted = [call for call in wanted if call.hid in pending]
    states = _states(view, known)
    old = [call for call in wanted if states.get(call.hid) in (_OF_OLDER, _ON_OLDER)]
    left_out = set() if every else {call.hid for call in old}
    found = [call for call in reversed(wanted) if call.hid not in left_out]
    shown = found[:limit]
    write = _as_json if as_json else _as_text
    for line in write(shown, states):
        click.echo(line)
    if len(found) > limit:
        click.echo(f"{limit} of {count(len(found), 'call')} shown (--limit)", err=True)
    for state, which in ((_OF_OLDER, "of"), (_ON_OLDER, "on results of")):
        hidden = sum(states[call.hid] == state for call in old if call.hid in left_out)
        if hidden:
            click.echo(f"{count(hidden, 'call')} {which} older code not shown (--all)", err=True)


def _states(view: View, calls: Sequence[Call]) -> dict[Digest, str]:
    """Return what is to be said of calls: which are pending, of older code, or on its results."""
    selection = valid_calls(view.world, calls, view.code)
    return {
        **dict.fromkeys(view.world.pending_hids(view.code), "pending"),
        **{call.hid: _ON_OLDER for call in selection.unreachable},
        **{call.hid: _OF_OLDER for call in selection.stale},
    }


def _as_json(shown: Sequence[Call], states: Mapping[Digest, str]) -> Iterator[str]:
    for call in shown:
        fields = {
            "hid": to_hex(call.hid),
            "op": call.op,
            "start": call.run.get("start"),
            "seconds": call.run.get("seconds"),
            "commit": call.run.get("commit"),
            "version": to_hex(call.version) if call.version else None,
            "state": states.get(call.hid, "committed"),
            "inputs": {slot.name: json_value(slot) for slot in call.inputs},
            "outputs": {slot.name: json_value(slot) for slot in call.outputs},
        }
        yield json_line(fields)


def _as_text(shown: Sequence[Call], states: Mapping[Digest, str]) -> Iterator[str]:
    names = [to_hex(call.hid)[:_ID_DIGITS] for call in shown]
    rows = [
        [
            name,
            short(call.op),
            call.start[:_TO_THE_SECOND].replace("T", " "),
            duration(call.seconds),
            states.get(call.hid, ""),
            _slots(call.inputs),
            _slots(call.outputs),
        ]
        for name, call in zip(names, shown, strict=True)
    ]
    yield from table(["id", "op", "start (UTC)", "took", "state", "arguments", "results"], rows)


def _slots(slots: Sequence[Slot]) -> str:
    return ", ".join(f"{slot.name}={_shown(slot)}" for slot in slots)


def _shown(slot: Slot) -> str:
    plain = told(slot)
    return "…" if plain is None else json_line(as_json(plain.json))
