"""The command `show`: what an id names. It changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from gitmemo.cli.looking import look_at
from gitmemo.cli.options import json_option, revision_options
from gitmemo.cli.screen import paged
from gitmemo.cli.segments import segment_meant, show_segment
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import cut, printable
from gitmemo.hashing.digest import to_hex
from gitmemo.model.facts import (
    Call,
    Decision,
    Dependency,
    Move,
    Rename,
    Slot,
    Statement,
    Tag,
    Withdrawal,
)
from gitmemo.model.items import Held
from gitmemo.model.lines import to_line
from gitmemo.model.plain import as_json, told
from gitmemo.quantities import count, duration
from gitmemo.short_ids import short
from gitmemo.versions.comparing import code_of
from gitmemo.versions.contents import ModuleOf, ShownContent
from gitmemo.versions.finding import (
    Found,
    FoundCall,
    FoundContent,
    FoundMeaning,
    FoundRef,
    FoundVersion,
    find_any,
)

_LONGEST = 60


@click.command()
@click.argument("ident", metavar="ID")
@revision_options
@json_option
@paged
def show(ident: str, rev: str | None, later: bool, as_json: bool) -> None:
    """Show what ID names: a version, a content of a component, a call, a result, or a decision.

    The first digits (4 or more) are enough where only one id begins with them. ID may also
    be @NAME, the name of a result (`gitmemo tag`), or a segment of the index: its path, or its name.
    """
    view = look_at(rev, later=later)
    segment = segment_meant(view.workspace, ident)
    if segment is not None:
        show_segment(view.workspace, segment, as_json=as_json)
        return
    found = find_any(view.world, ident)
    if as_json:
        click.echo(json_line(_fields(found)))
        return
    click.echo(click.style(f"{_kind(found)} {found.id}", fg="yellow"))
    for line in _lines(found, view.project.module_name_of):
        click.echo(printable(line))


def _kind(found: Found) -> str:
    if isinstance(found, FoundContent):
        return "content"
    if isinstance(found, FoundVersion):
        return "version"
    if isinstance(found, FoundMeaning):
        return "semantic version"
    if isinstance(found, FoundCall):
        return "call"
    return "ref" if isinstance(found, FoundRef) else type(found.statement).__name__.lower()


def _lines(found: Found, module_of: ModuleOf) -> Iterator[str]:
    if isinstance(found, FoundContent):
        yield f"of {found.content.component}"
        yield from _ids_of_value(found.content)
        yield ""
        yield from code_of(found, module_of).splitlines()
    elif isinstance(found, FoundVersion):
        yield from code_of(found, module_of, with_ids=True).splitlines()
    elif isinstance(found, FoundMeaning):
        yield f"shared by {count(len(found.versions), 'version')}, whose results are the same:"
        yield from (f"  {version.id}" for version in found.versions)
        yield "gitmemo show VERSION shows the code of one; gitmemo diff --code compares two"
    elif isinstance(found, FoundCall):
        yield from _call_lines(found.call)
    elif isinstance(found, FoundRef):
        yield f"content id {to_hex(found.held.cid)}"
        plain = told(found.held)
        if plain is not None:
            yield f"value {json_line(as_json(plain.json))}"
        yield f"made by call {to_hex(found.call.hid)}"
        yield from _call_lines(found.call)
    else:
        yield from said(found.statement)


def _ids_of_value(content: ShownContent) -> Iterator[str]:
    """Say under which id a variable is listed, if it was found by its value's."""
    if content.is_global and content.value:
        yield f"with the value {short(content.value)}, listed as {short(content.id)}"


def _call_lines(call: Call) -> Iterator[str]:
    when = f", began {call.run['start']}" if "start" in call.run else ""
    yield f"of {call.op}, took {duration(call.seconds)}{when}"
    if call.version is not None:
        yield f"version {to_hex(call.version)}"
    if call.brought:
        trusted = call.brought.get("code") != "same"
        code = "somebody vouched for its code" if trusted else "with the same code"
        yield f"brought from {call.brought.get('tool')}, {code}"
    if "commit" in call.run:
        dirty = " with uncommitted changes" if call.run.get("dirty") else ""
        yield f"ran at commit {call.run['commit']}{dirty}"
    yield from (f"  {slot.name} = {_value(slot)}" for slot in call.inputs)
    yield from (f"  returned {slot.name} = {_value(slot)}" for slot in call.outputs)
    yield from (f"  called {short(hid)}" for hid in call.inner)


def _value(slot: Slot) -> str:
    ids = f"(hid {short(slot.hid)})"
    plain = told(slot)
    if plain is None:
        return f"<cid {short(slot.cid)}> {ids}"
    text = json_line(as_json(plain.json))
    return f"{cut(text, _LONGEST)} {ids}"


def said(fact: Statement) -> Iterator[str]:
    """Yield what a statement says."""
    if isinstance(fact, Decision):
        yield f"{fact.component}: {fact.verdict}"
        yield f"from {to_hex(fact.old)}"
        yield f"to   {to_hex(fact.new)}"
        if fact.who:
            yield "said " + " ".join(f"{key} {value}" for key, value in fact.who.items())
    elif isinstance(fact, Move):
        yield f"{fact.component} ({short(fact.source)})"
        yield f"is {fact.to} ({short(fact.new)})"
    elif isinstance(fact, Dependency):
        only = f" with content {short(fact.source)}" if fact.source else ""
        yield f"calls that touched {fact.component}{only}"
        yield f"depend on {fact.on} ({short(fact.content.source)})"
    elif isinstance(fact, Rename):
        of = f" of {fact.of}" if fact.of else ""
        yield f"{fact.kind} {fact.old}{of} is called {fact.new}"
    elif isinstance(fact, Tag):
        yield f"{fact.name} is the value {to_hex(fact.hid)}"
        yield f"with content id {to_hex(fact.cid)}"
    elif isinstance(fact, Withdrawal):
        yield "does not count any more:"
    if fact.why:
        yield f"why: {fact.why}"
    yield from (f"instead of {to_hex(record)}" for record in fact.supersedes)


def _fields(found: Found) -> dict[str, object]:
    fields: dict[str, object] = {"kind": _kind(found), "id": found.id}
    if isinstance(found, FoundContent):
        return fields | found.content.as_dict()
    if isinstance(found, FoundVersion):
        return fields | {"components": [content.as_dict() for content in found.contents]}
    if isinstance(found, FoundMeaning):
        return fields | {"versions": [version.id for version in found.versions]}
    if isinstance(found, FoundRef):
        return fields | _held_fields(found.held) | {"call": to_hex(found.call.hid)}
    if isinstance(found, FoundCall):
        return fields | _call_fields(found.call)
    # The line of a fact is JSON already; docs/format.md says what stands where.
    return fields | {"record": json.loads(to_line(found.statement))}


def _held_fields(held: Held) -> dict[str, object]:
    plain = told(held)
    value = {"value": as_json(plain.json)} if plain else {}
    return {"hid": to_hex(held.hid), "cid": to_hex(held.cid), **value}


def _call_fields(call: Call) -> dict[str, object]:
    return {
        "op": call.op,
        "op_version": call.op_version,
        "version": to_hex(call.version) if call.version else None,
        "inputs": {slot.name: _held_fields(slot) for slot in call.inputs},
        "outputs": {slot.name: _held_fields(slot) for slot in call.outputs},
        "inner": [to_hex(hid) for hid in call.inner],
        "run": dict(call.run),
    }
