"""`gitmemo calls`: the calls themselves, the newest first. It changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import click

from gitmemo.cli.looking import look_at
from gitmemo.cli.options import Whole, json_option, revision_options, user_option
from gitmemo.cli.questions import json_value, meant_by, other_values
from gitmemo.cli.screen import paged
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import table
from gitmemo.frames.naming import name_of_result, short
from gitmemo.frames.tables import OLDER_CODE, ON_OLDER_RESULTS
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Call, Slot
from gitmemo.model.names import number_of_output
from gitmemo.model.plain import as_json, told
from gitmemo.quantities import count, duration
from gitmemo.query import names_now, valid_calls
from gitmemo.versions.spoken import names_in_program
from gitmemo.workspace import View
from gitmemo.world.authors import authors_of

_MOST = 20
_ID_DIGITS = 12
_TO_THE_SECOND = 19
_COMMITTED, _PENDING = "committed", "pending"


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
    selection = valid_calls(view.world, known, view.code)
    states = selection.states
    old = [call for call in wanted if call.hid in states]
    left_out = set() if every else {call.hid for call in old}
    found = [call for call in reversed(wanted) if call.hid not in left_out]
    shown = found[:limit]
    write = _as_json if as_json else _as_text
    for line in write(view, shown, states):
        click.echo(line)
    if len(found) > limit:
        click.echo(f"{limit} of {count(len(found), 'call')} shown (--limit)", err=True)
    for state, which in ((OLDER_CODE, "of"), (ON_OLDER_RESULTS, "on results of")):
        hidden = sum(states[call.hid] == state for call in old if call.hid in left_out)
        if hidden:
            click.echo(f"{count(hidden, 'call')} {which} older code not shown (--all)", err=True)
    other = [call for call in selection.others if call.hid in left_out]
    if other:
        click.echo(other_values(other, selection), err=True)


def states_of(view: View, calls: Sequence[Call]) -> dict[Digest, str]:
    """Return which of all calls do not count for the code: what tables say of them."""
    return valid_calls(view.world, calls, view.code).states


def call_fields(
    view: View, shown: Sequence[Call], states: Mapping[Digest, str]
) -> Iterator[dict[str, object]]:
    """Yield what programs are told of calls; `states` as `states_of` all calls."""
    pending = view.world.pending_hids(view.code)
    said = _names_of_results(view, shown)
    for call in shown:
        yield {
            "hid": to_hex(call.hid),
            "op": call.op,
            "start": call.run.get("start"),
            "seconds": call.run.get("seconds"),
            "commit": call.run.get("commit"),
            "version": to_hex(call.version) if call.version else None,
            "state": states.get(call.hid, _PENDING if call.hid in pending else _COMMITTED),
            "pending": call.hid in pending,
            "inputs": {slot.name: json_value(slot) for slot in call.inputs},
            "outputs": {said(call, slot): json_value(slot) for slot in call.outputs},
        }


def _names_of_results(view: View, calls: Iterable[Call]) -> Callable[[Call, Slot], str]:
    """Return what results are called: as in tables of one op."""
    unnamed: dict[str, int] = {}
    for call in calls:
        if any(number_of_output(slot.name) is not None for slot in call.outputs):
            unnamed[call.op] = len(call.outputs)
    spoken = names_in_program(view.world, view.project)(unnamed) if unnamed else {}
    return lambda call, slot: name_of_result(call.op, slot.name, spoken.get(call.op, ()))


def _as_json(view: View, shown: Sequence[Call], states: Mapping[Digest, str]) -> Iterator[str]:
    for fields in call_fields(view, shown, states):
        yield json_line(fields)


def _as_text(view: View, shown: Sequence[Call], states: Mapping[Digest, str]) -> Iterator[str]:
    pending = view.world.pending_hids(view.code)
    said = _names_of_results(view, shown)
    names = [to_hex(call.hid)[:_ID_DIGITS] for call in shown]
    rows = [
        [
            name,
            short(call.op),
            call.start[:_TO_THE_SECOND].replace("T", " "),
            duration(call.seconds),
            _state(states.get(call.hid), is_pending=call.hid in pending),
            _slots((slot.name, slot) for slot in call.inputs),
            _slots((said(call, slot), slot) for slot in call.outputs),
        ]
        for name, call in zip(names, shown, strict=True)
    ]
    yield from table(["id", "op", "start (UTC)", "took", "state", "arguments", "results"], rows)


def _state(said: str | None, *, is_pending: bool) -> str:
    if not is_pending:
        return said or ""
    return f"{_PENDING}, {said}" if said else _PENDING


def _slots(named: Iterable[tuple[str, Slot]]) -> str:
    return ", ".join(f"{name}={_shown(slot)}" for name, slot in named)


def _shown(slot: Slot) -> str:
    plain = told(slot)
    return "…" if plain is None else json_line(as_json(plain.json))
