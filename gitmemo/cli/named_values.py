"""NAME=VALUE as people type it: the one grammar of every command that takes arguments of an op.

Not the settings, whose kinds are known (`settings_keys`). Invariant: what Python or JSON writes for a
value is read as that value.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Collection, Iterable, Mapping

import click

from gitmemo.errors import UnknownTag, WrongArguments
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call
from gitmemo.model.tags import SIGN
from gitmemo.world.tagging import tagged
from gitmemo.world.view import World


class SpokenTag(str):
    """A text that begins like a tag, and was not quoted."""

    __slots__ = ()


def named_value(text: str) -> tuple[str, object]:
    """Read NAME=VALUE: a Python literal, else JSON, else the text as it is.

    >>> named_value("rate=0.1"), named_value("name=ada")
    (('rate', 0.1), ('name', 'ada'))
    >>> named_value("flag=True"), named_value("flag=true"), named_value("flag='true'")
    (('flag', True), ('flag', True), ('flag', 'true'))
    """
    name, separator, value = text.partition("=")
    if not separator or not name.isidentifier():
        raise click.UsageError(f"{text!r}: write NAME=VALUE, such as rate=0.1")
    return name, _value(value)


def named_values(texts: Iterable[str]) -> dict[str, object]:
    """Read some; of two of one name only one could count, so that is refused."""
    found: dict[str, object] = {}
    for text in texts:
        name, value = named_value(text)
        if name in found:
            raise click.UsageError(f"{name} is given twice")
        found[name] = value
    return found


def contents_of(world: World, values: Mapping[str, object]) -> dict[str, Digest]:
    """Return the content id of each value; @TAG is the value with this name, if there is one."""
    return {name: _content(world, value) for name, value in values.items()}


def refuse_unknown(op: str, calls: Iterable[Call], wanted: Collection[str]) -> None:
    """Refuse names that none of the calls of an op has.

    Raises:
        WrongArguments: There is one.
    """
    known = list(dict.fromkeys(slot.name for call in calls for slot in call.inputs))
    for name in wanted:
        if name not in known:
            raise WrongArguments(op, f"it has no argument {name!r}", tuple(known))


def has_inputs(call: Call, wanted: Mapping[str, Digest]) -> bool:
    """Whether a call has inputs of these names and contents."""
    here = {slot.name: slot.cid for slot in call.inputs}
    return all(here.get(name) == cid for name, cid in wanted.items())


def _value(text: str) -> object:
    for read in (ast.literal_eval, json.loads):
        try:
            found = read(text.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if found is not ...:
            return found
    return SpokenTag(text) if text.startswith(SIGN) else text


def _content(world: World, value: object) -> Digest:
    if isinstance(value, SpokenTag):
        try:
            return tagged(world, value).held.cid
        except UnknownTag:
            return content_id(str(value))
    return content_id(value)
