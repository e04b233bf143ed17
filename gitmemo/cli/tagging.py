"""`gitmemo tag`: give values names, list them, take them back.

Not how a name is recorded or looked up (`world.tagging`). Invariant: what is listed is of one
world, a line for each value that has a name there, and nothing is recorded by listing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from gitmemo.cli.looking import look_at
from gitmemo.cli.options import json_option, revision_options
from gitmemo.cli.telling import tell_if_alone
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import cut, printable, table
from gitmemo.errors import CannotTag
from gitmemo.hashing.digest import to_hex
from gitmemo.model.facts import Tag
from gitmemo.model.plain import as_json, told
from gitmemo.model.tags import SIGN, Tags
from gitmemo.short_ids import told_apart
from gitmemo.versions.finding import FoundCall, FoundRef, find_any
from gitmemo.workspace import Workspace, find
from gitmemo.world import tagging
from gitmemo.world.tagging import Tagged
from gitmemo.world.view import World

_LONGEST = 40


@dataclass(frozen=True, slots=True)
class _Row:
    """A name with a value that has it.

    Attributes:
        value: None where no call that counts here made it.
    """

    tag: Tag
    value: Tagged | None
    is_contested: bool

    @property
    def state(self) -> str:
        if self.is_contested:
            return "contested"
        return "ok" if self.value else "gone"

    def as_dict(self) -> dict[str, object]:
        plain = told(self.value.held) if self.value else None
        return {
            "name": self.tag.name,
            "hid": to_hex(self.tag.hid),
            "cid": to_hex(self.tag.cid),
            "op": self.value.call.op if self.value else None,
            **({"value": as_json(plain.json)} if plain else {}),
            "state": self.state,
            "why": self.tag.why or None,
        }

    def cells(self, ident: str) -> list[object]:
        plain = told(self.value.held) if self.value else None
        shown = cut(json_line(as_json(plain.json)), _LONGEST) if plain else ""
        by = self.value.call.op if self.value else ""
        state = "" if self.state == "ok" else self.state
        return [self.tag.name, ident, by, shown, state, self.tag.why]


@click.command()
@click.argument("name", required=False)
@click.argument("what", required=False)
@click.option("--force", is_flag=True, help="Move NAME, if another value has it.")
@click.option("-d", "--delete", is_flag=True, help="Take NAME from the value that has it.")
@click.option("-m", "--message", default="", help="Why.")
@revision_options
@json_option
def tag(
    name: str | None,
    what: str | None,
    force: bool,
    delete: bool,
    message: str,
    rev: str | None,
    later: bool,
    as_json: bool,
) -> None:
    """Call a result NAME: wherever an id is asked for, @NAME is this result from now on.

    WHAT is the id of a result, or of a call that returned one thing, or its first digits; or @NAME,
    another name that it has. Without NAME, list the names. They join the next commit.
    """
    if name is None and not (delete or force or message):
        _list(rev, later=later, as_json=as_json)
        return
    if rev is not None:
        raise click.UsageError("--rev lists the names of a revision: nothing is tagged there")
    if name is None or delete == (what is not None):
        words = "NAME alone to --delete" if delete else "NAME and WHAT, the id of a result"
        raise click.UsageError(f"give {words}")
    workspace = find()
    workspace.world.enter()
    if what is None:
        is_new, gone = True, tagging.remove(workspace.world, name, message)
        click.echo(f"{printable(name)} is no name any more; it was {', '.join(gone)}", err=True)
    else:
        is_new = _give(workspace, name, what, message, force=force, as_json=as_json)
    if is_new:
        tell_if_alone(workspace)


def _give(
    workspace: Workspace, name: str, what: str, why: str, *, force: bool, as_json: bool
) -> bool:
    """Give a result a name; return whether it did not have it yet."""
    tagging.check_name(name)
    value = _value(workspace.world, what)
    is_new = tagging.give(workspace.world, workspace.code, name, value, why, force=force)
    workspace.world.enter()
    (row,) = (row for row in _rows(workspace.world) if row.tag.name == name)
    if as_json:
        click.echo(json_line(row.as_dict()))
    said = "is" if is_new else "was already"
    by = f"{to_hex(value.held.hid)[:12]}, made by {value.call.op}"
    click.echo(printable(f"{SIGN}{name} {said} {by}"), err=True)
    return is_new


def _value(world: World, what: str) -> Tagged:
    """Return the result that somebody means by an id, or by another name.

    Raises:
        CannotTag: It is the id of something else.
    """
    if what.startswith(SIGN):
        return tagging.tagged(world, what)
    found = find_any(world, what)
    if isinstance(found, FoundCall):
        return tagging.only_output(world, found.call)
    if isinstance(found, FoundRef):
        return tagging.value_made(world, found.held.hid, found.held.cid, f"the result {what}")
    raise CannotTag(
        what,
        f"it is the id of a {found}",
        "give the id of a result: `ref.hid` in Python; `gitmemo show CALL` shows those of a call",
    )


def _list(rev: str | None, *, later: bool, as_json: bool) -> None:
    rows = list(_rows(look_at(rev, later=later).world))
    if as_json:
        for row in rows:
            click.echo(json_line(row.as_dict()))
        return
    if not rows:
        click.echo("nothing is tagged", err=True)
        return
    hids = {row.tag.hid for row in rows}
    ids = dict(zip(sorted(hids), told_apart(hids), strict=True))
    columns = ["name", "result", "made by", "value", "state", "why"]
    cells = [row.cells(ids[row.tag.hid]) for row in rows]
    used = [at for at, _ in enumerate(columns) if any(row[at] for row in cells)]
    for line in table([columns[at] for at in used], [[row[at] for at in used] for row in cells]):
        click.echo(line)
    _advise(rows)


def _advise(rows: list[_Row]) -> None:
    """Say how to settle what is contested, and what to do about what is gone."""
    for name in sorted({row.tag.name for row in rows if row.is_contested}):
        click.echo(f"{name}: `gitmemo tag --force {name} RESULT` says which one it is", err=True)
    for name in [row.tag.name for row in rows if row.state == "gone"]:
        click.echo(
            f"{name}: no call that is stored here made it; `gitmemo forget` lists forgotten calls",
            err=True,
        )


def _rows(world: World) -> Iterator[_Row]:
    tags = Tags(world.statements())
    for name in tags.names:
        meant = tags.meant(name)
        for one in meant:
            yield _Row(one, tagging.made(world, one.hid, one.cid), len(meant) > 1)
