"""Statements as lines: decisions, moves, dependencies, renames, tags and withdrawals.

The format is in docs/format.md. Not the other facts (`lines`). Invariant: as there, a
statement has one line and a line one statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

from gitmemo.hashing.digest import from_text, to_text
from gitmemo.model.components import Component, Content
from gitmemo.model.facts import (
    Decision,
    Dependency,
    JsonValue,
    Move,
    Rename,
    RenameKind,
    Statement,
    Tag,
    Verdict,
    Withdrawal,
)
from gitmemo.model.fields import digests, string, texts
from gitmemo.model.notation import ContentId


def _sorted(mapping: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {key: mapping[key] for key in sorted(mapping)}


def _write_decision(decision: Decision) -> list[JsonValue]:
    return [
        "decision",
        decision.component.path,
        decision.component.unit,
        to_text(decision.old),
        to_text(decision.new),
        decision.verdict.value,
        decision.why,
        texts(decision.supersedes),
        texts(decision.parents),
        _sorted(decision.who),
    ]


def _write_move(move: Move) -> list[JsonValue]:
    return [
        "move",
        move.component.path,
        move.component.unit,
        to_text(move.source),
        move.to.path,
        move.to.unit,
        to_text(move.new),
        move.why,
        texts(move.supersedes),
    ]


def _write_dependency(dependency: Dependency) -> list[JsonValue]:
    value = dependency.content.value
    return [
        "dependency",
        dependency.component.path,
        dependency.component.unit,
        to_text(dependency.source) if dependency.source else None,
        dependency.on.path,
        dependency.on.unit,
        to_text(dependency.content.source),
        to_text(value) if value else None,
        dependency.why,
        texts(dependency.supersedes),
    ]


def _write_rename(rename: Rename) -> list[JsonValue]:
    names: list[JsonValue] = [rename.kind.value, rename.of, rename.old, rename.new]
    return ["rename", *names, rename.why, texts(rename.supersedes)]


def _write_tag(tag: Tag) -> list[JsonValue]:
    return ["tag", tag.name, to_text(tag.hid), to_text(tag.cid), tag.why, texts(tag.supersedes)]


def _write_withdrawal(withdrawal: Withdrawal) -> list[JsonValue]:
    return ["withdrawal", texts(withdrawal.supersedes), withdrawal.why]


def _read_decision(array: list[object], _: ContentId) -> Decision:
    _kind, path, unit, old, new, verdict, why, supersedes, parents, who = array
    return Decision(
        Component(string(path), string(unit)),
        from_text(string(old)),
        from_text(string(new)),
        Verdict(string(verdict)),
        string(why),
        digests(cast("list[str]", supersedes)),
        digests(cast("list[str]", parents)),
        dict(cast("dict[str, JsonValue]", who)),
    )


def _read_move(array: list[object], _: ContentId) -> Move:
    _kind, path, unit, source, to_path, to_unit, new, why, supersedes = array
    return Move(
        Component(string(path), string(unit)),
        from_text(string(source)),
        Component(string(to_path), string(to_unit)),
        from_text(string(new)),
        string(why),
        digests(cast("list[str]", supersedes)),
    )


def _read_dependency(array: list[object], _: ContentId) -> Dependency:
    _kind, path, unit, source, on_path, on_unit, on_source, on_value, why, supersedes = array
    return Dependency(
        Component(string(path), string(unit)),
        None if source is None else from_text(string(source)),
        Component(string(on_path), string(on_unit)),
        Content(
            from_text(string(on_source)),
            None if on_value is None else from_text(string(on_value)),
        ),
        string(why),
        digests(cast("list[str]", supersedes)),
    )


def _read_rename(array: list[object], _: ContentId) -> Rename:
    _kind, kind, of, old, new, why, supersedes = array
    return Rename(
        RenameKind(string(kind)),
        string(of),
        string(old),
        string(new),
        string(why),
        digests(cast("list[str]", supersedes)),
    )


def _read_tag(array: list[object], _: ContentId) -> Tag:
    _kind, name, hid, cid, why, supersedes = array
    return Tag(
        string(name),
        from_text(string(hid)),
        from_text(string(cid)),
        string(why),
        digests(cast("list[str]", supersedes)),
    )


def _read_withdrawal(array: list[object], _: ContentId) -> Withdrawal:
    _kind, supersedes, why = array
    return Withdrawal(digests(cast("list[str]", supersedes)), string(why))


_Writer: TypeAlias = Callable[[Statement], list[JsonValue]]

WRITERS = cast(
    "dict[type, _Writer]",
    {
        Decision: _write_decision,
        Move: _write_move,
        Dependency: _write_dependency,
        Rename: _write_rename,
        Tag: _write_tag,
        Withdrawal: _write_withdrawal,
    },
)
"""How a statement of each type becomes the array of its line."""

READERS: dict[str, Callable[[list[object], ContentId], Statement]] = {
    "decision": _read_decision,
    "move": _read_move,
    "dependency": _read_dependency,
    "rename": _read_rename,
    "tag": _read_tag,
    "withdrawal": _read_withdrawal,
}
"""How the array of a line becomes a statement, by its kind."""
