"""What an id, its first digits, or a tag names: a version, a content, a call, a ref, a statement.

Not how each is shown. Invariant: an id that several things have is never
guessed at; the error lists them, as git's does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from gitmemo.errors import AmbiguousId, UnknownId, UnknownRef
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.components import Content, is_variable
from gitmemo.model.facts import Call, Source, Statement, Version
from gitmemo.model.items import Held, inside
from gitmemo.model.semantics import semantic_id
from gitmemo.model.tags import SIGN
from gitmemo.quantities import count
from gitmemo.short_ids import told_apart, typed_digits
from gitmemo.versions.contents import ShownContent, Texts
from gitmemo.world.tagging import tagged
from gitmemo.world.view import World

_T = TypeVar("_T")

_WHOLE = 64


@dataclass(frozen=True, slots=True)
class FoundContent:
    """A content of a component."""

    id: str
    content: ShownContent

    def __str__(self) -> str:
        return f"content of {self.content.component}"


@dataclass(frozen=True, slots=True)
class FoundVersion:
    """A version: the contents that calls touched. `id` is its content id, or its semantic one."""

    id: str
    version: Version
    contents: tuple[ShownContent, ...]

    def __str__(self) -> str:
        return f"version of {count(len(self.contents), 'component')}"


@dataclass(frozen=True, slots=True)
class FoundMeaning:
    """Several versions that mean the same, by the semantic id that they share."""

    id: str
    versions: tuple[FoundVersion, ...]

    def __str__(self) -> str:
        return f"meaning of {count(len(self.versions), 'version')}"


@dataclass(frozen=True, slots=True)
class FoundCall:
    """A call of an op, by its history id."""

    id: str
    call: Call

    def __str__(self) -> str:
        return f"call of {self.call.op}"


@dataclass(frozen=True, slots=True)
class FoundRef:
    """A result of a call, by its history id."""

    id: str
    held: Held
    call: Call

    def __str__(self) -> str:
        return f"ref made by {self.call.op}"


@dataclass(frozen=True, slots=True)
class FoundStatement:
    """What somebody said of code or values, by its record id."""

    id: str
    statement: Statement

    def __str__(self) -> str:
        return f"{type(self.statement).__name__.lower()}"


Found: TypeAlias = (
    FoundContent | FoundVersion | FoundMeaning | FoundCall | FoundRef | FoundStatement
)
FoundCode: TypeAlias = FoundContent | FoundVersion


def find_code(world: World, ident: str) -> FoundCode:
    """Return the content or the version with this id, or with one that begins like this.

    Raises:
        UnknownId: There is none.
        AmbiguousId: There are several.
    """
    digits = _digits(ident)
    found: list[FoundCode] = [*_contents(world, digits), *_versions(world, digits)]
    found += [one for meaning in _meanings(world, digits) for one in meaning.versions]
    return _only(ident, found)


def find_any(world: World, ident: str) -> Found:
    """Return whatever is known under this id, or under one that begins like this; `@NAME` is a tag.

    Raises:
        UnknownId: There is nothing.
        AmbiguousId: There are several.
        UnknownTag, TagContested, TaggedGone: No value has this name, or several, or it is gone.
    """
    if ident.startswith(SIGN):
        value = tagged(world, ident)
        return FoundRef(to_hex(value.held.hid), value.held, value.call)
    digits = _digits(ident)
    calls, makers = world.calls_by_prefix(digits)
    found: list[Found] = [*_contents(world, digits), *_versions(world, digits)]
    for meaning in _meanings(world, digits):
        found += [meaning] if len(meaning.versions) > 1 else meaning.versions
    found += [FoundCall(to_hex(call.hid), call) for call in calls]
    found += [
        FoundRef(to_hex(held.hid), held, call)
        for call in makers
        for slot in call.outputs
        for held in _held(slot)
        if to_hex(held.hid).startswith(digits)
    ]
    found += [
        FoundStatement(to_hex(record), fact)
        for record, fact in world.statements()
        if to_hex(record).startswith(digits)
    ]
    return _only(ident, found)


def value_meant(world: World, ident: str) -> Digest:
    """Return the history id of the value of a call that has this id, or one that begins like this.

    Raises:
        UnknownRef: There is none.
        AmbiguousId: There are several.
    """
    digits = typed_digits(ident)
    if digits is None:
        raise UnknownRef(ident)
    if len(digits) == _WHOLE:
        return Digest(bytes.fromhex(digits))
    _, makers = world.calls_by_prefix(digits)
    made = {held.hid for call in makers for slot in call.outputs for held in _held(slot)}
    found = [hid for hid in made if to_hex(hid).startswith(digits)]
    known = [hid for hid in found if world.creator(hid) is not None]  # others are forgotten
    if not known:
        raise UnknownRef(ident)
    if len(known) > 1:
        raise AmbiguousId(ident, tuple(told_apart(known)))
    return known[0]


def _held(slot: Held) -> list[Held]:
    return [slot, *inside(slot)]


def _digits(ident: str) -> str:
    digits = typed_digits(ident)
    if digits is None:
        raise UnknownId(ident, is_id=False)
    return digits


def _only(ident: str, found: list[_T]) -> _T:
    unique = {(type(one), getattr(one, "id", "")): one for one in found}
    if not unique:
        raise UnknownId(ident, is_id=True)
    if len(unique) > 1:
        by_id = sorted(unique.items(), key=lambda item: item[0][1])
        ids = told_apart(key[1] for key, _ in by_id)
        raise AmbiguousId(
            ident, tuple(f"{shown} {one}" for shown, (_, one) in zip(ids, by_id, strict=True))
        )
    return next(iter(unique.values()))


def _contents(world: World, digits: str) -> list[FoundContent]:
    """Return the contents whose source id begins like this; of variables, also by the value's id."""
    pairs = {
        (component, Content(fact.source)): fact.source
        for component, facts in world.about().items()
        for fact in facts.values()
        if isinstance(fact, Source) and to_hex(fact.source).startswith(digits)
    }
    for version in world.versions().values():
        for component, content in version.pairs.items():
            value = content.value if is_variable(component) else None
            if value is not None and to_hex(value).startswith(digits):
                pairs.setdefault((component, content), value)
    texts = Texts(world, pairs)
    ordered = sorted(pairs.items(), key=lambda item: (item[0][0], item[0][1].source, item[1]))
    return [FoundContent(to_hex(ident), texts.shown(*pair)) for pair, ident in ordered]


def _versions(world: World, digits: str) -> list[FoundVersion]:
    return _shown(world, [v for i, v in world.versions().items() if to_hex(i).startswith(digits)])


def _meanings(world: World, digits: str) -> list[FoundMeaning]:
    """Return what is found under semantic ids, where no version has such an id itself."""
    known = world.versions()
    if any(to_hex(ident).startswith(digits) for ident in known):
        return []
    decisions = world.decisions()
    groups: dict[Digest, list[Version]] = defaultdict(list)
    for version in known.values():
        ident = semantic_id(version, decisions)
        if to_hex(ident).startswith(digits):
            groups[ident].append(version)
    return [FoundMeaning(to_hex(i), tuple(_shown(world, group))) for i, group in groups.items()]


def _shown(world: World, versions: Sequence[Version]) -> list[FoundVersion]:
    texts = Texts(world, (pair for version in versions for pair in version.pairs.items()))
    return [FoundVersion(to_hex(version.id), version, texts.of(version)) for version in versions]
