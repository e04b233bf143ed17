"""Names of values in a world: giving and removing them, and the values that have them.

Not what a set of tags says (`model.tags`), nor refs. Invariant: a name leads to the very
content that was tagged, of a call that counts here, or to an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gitmemo.errors import (
    BadTagName,
    CannotTag,
    TagContested,
    TaggedGone,
    TagTaken,
    UnknownTag,
)
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Slot, Tag, Withdrawal
from gitmemo.model.items import Held, find, histories
from gitmemo.model.statements import standing
from gitmemo.model.tags import SIGN, Tags, name_problem
from gitmemo.model.validity import Code
from gitmemo.short_ids import short, told_apart
from gitmemo.world.view import World


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value that a call made.

    Attributes:
        held: The value: an output, or an item of one.
        slot: The output that it is, or is in.
        here: Whether the call belongs to this world, rather than to another one of this clone.
    """

    held: Held
    slot: Slot
    call: Call
    here: bool


def made(world: World, hid: Digest, cid: Digest) -> Tagged | None:
    """Return the value with this history and content, of a call of this world if there is one."""
    first = world.creator(hid)
    if first is None:
        return None
    # One history may have several records, with other contents: of branches that were merged.
    known = list(_among([(c.call, c.here) for c in world.candidates(first.key)], hid, cid))
    known += _among([(first, False)], hid, cid)
    return next((one for one in known if one.here), known[0] if known else None)


def _among(calls: list[tuple[Call, bool]], hid: Digest, cid: Digest) -> Iterator[Tagged]:
    for call, is_here in calls:
        for slot in call.outputs:
            way = find(slot, hid)
            if way is not None and way[-1].cid == cid:
                yield Tagged(way[-1], slot, call, is_here)


def tagged(world: World, text: str) -> Tagged:
    """Return the value that has a name, given with or without an @ before it.

    Raises:
        UnknownTag: There is none.
        TagContested: Two branches gave it to different values.
        TaggedGone: No call that counts here made it.
    """
    name = text.removeprefix(SIGN)
    tags = Tags(world.statements())
    meant = tags.meant(name)
    if not meant:
        raise _unknown(name, tags)
    first, *others = meant
    if others:
        raise TagContested(name, values_of(world, meant))
    found = made(world, first.hid, first.cid)
    if found is None:
        raise TaggedGone(name, *values_of(world, meant))
    return found


def check_name(name: str) -> None:
    """Refuse what nothing can be called.

    Raises:
        BadTagName: It is that.
    """
    problem = name_problem(name)
    if problem is not None:
        raise BadTagName(name, problem)


def give(
    world: World, code: Code, name: str, value: Tagged, why: str = "", *, force: bool = False
) -> bool:
    """Record that `value` is called `name`; return whether that was not said yet.

    Raises:
        BadTagName: Nothing can be called like this.
        TagTaken, TagContested: Other values are, and `force` does not say that it moves.
        CannotTag: It belongs to another branch, and `code` would not make it.
    """
    check_name(name)
    statements = world.statements()
    tags = Tags(statements)
    meant = tags.meant(name)
    is_known = [(tag.hid, tag.cid) for tag in meant] == [(value.held.hid, value.held.cid)]
    if not is_known and meant and not force:
        values = values_of(world, meant)
        raise TagTaken(name, *values) if len(meant) == 1 else TagContested(name, values)
    if not value.here:
        _adopt(world, code, value)
    if not is_known:
        # All that gave the name: also where several values had it.
        tag = Tag(name, value.held.hid, value.held.cid, why, tags.records(name))
        world.record([standing(tag, statements)])
    return not is_known


def _adopt(world: World, code: Code, value: Tagged) -> None:
    """Make the call of a value part of this world: whoever gets the name gets the call as well."""
    if value.call not in world.calls(code):
        raise CannotTag(
            f"a result of {value.call.op}",
            "the call that made it belongs to another branch, whose code is not the code here",
            "tag it on that branch, or merge that branch first",
        )
    world.adopt(value.call)


def remove(world: World, name: str, why: str = "") -> tuple[str, ...]:
    """Record that nothing is called `name` any more; return what was.

    Raises:
        UnknownTag: Nothing is.
    """
    tags = Tags(world.statements())
    meant = tags.meant(name)
    if not meant:
        raise _unknown(name, tags)
    values = values_of(world, meant)
    world.record([Withdrawal(tags.records(name), why)])
    return values


def value_made(world: World, hid: Digest, cid: Digest, what: str) -> Tagged:
    """Return the value with this history and content; `what` names it in errors.

    Raises:
        CannotTag: No call that is stored here made it.
    """
    found = made(world, hid, cid)
    if found is None:
        raise CannotTag(
            what,
            "no call that is stored here made it",
            "tag what an op returned with this storage active: a name leads to a call, "
            "and others get the value by that call",
        )
    return found


def tags_of(world: World, calls: Iterable[Call]) -> tuple[str, ...]:
    """Return the names, with @, of the values that calls made: they lead nowhere if the calls go."""
    made_here = {hid for call in calls for slot in call.outputs for hid in histories(slot)}
    tags = Tags(world.statements())
    return tuple(
        f"{SIGN}{name}"
        for name in tags.names
        if any(tag.hid in made_here for tag in tags.meant(name))
    )


def only_output(world: World, call: Call) -> Tagged:
    """Return the one thing that a call returned.

    Raises:
        CannotTag: It returned several, or nothing; they are named with their ids.
    """
    if len(call.outputs) == 1:
        (slot,) = call.outputs
        return value_made(world, slot.hid, slot.cid, f"the result of {call.op}")
    ids = told_apart(slot.hid for slot in call.outputs)
    by_id = sorted(call.outputs, key=lambda slot: slot.hid)
    named = ", ".join(f"{slot.name} {ident}" for slot, ident in zip(by_id, ids, strict=True))
    raise CannotTag(
        f"a call of {call.op}",
        f"it returned {len(call.outputs)} values",
        f"give the id of one of them: {named}" if named else "tag a value that a call returned",
    )


def values_of(world: World, tags: tuple[Tag, ...]) -> tuple[str, ...]:
    """Return the values that tags name in a few words each: an id, and what made it."""
    ids = {tag.hid for tag in tags}
    shown = dict(zip(sorted(ids), told_apart(ids), strict=True))
    said: list[str] = []
    for tag in tags:
        value = made(world, tag.hid, tag.cid)
        by = f"made by {value.call.op}" if value else "forgotten, or not known here"
        same = sum(other.hid == tag.hid for other in tags) > 1
        content = f", content {short(tag.cid)}" if same else ""
        said.append(f"{shown[tag.hid]} ({by}{content})")
    return tuple(said)


def _unknown(name: str, tags: Tags) -> UnknownTag:
    import difflib  # only for an error

    return UnknownTag(name, tuple(difflib.get_close_matches(name, tags.names, n=1)))
