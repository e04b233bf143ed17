"""What would be removed from the local store, decided without touching anything.

Not the doing (`local`). Invariant: without a wish to evict, a plan holds garbage only; with one,
besides only what is on a remote, can be computed again, or is forgotten and was asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gitmemo.blobs.holding import Copy
from gitmemo.cleaning.recomputing import Maker
from gitmemo.hashing.digest import Digest, to_hex

DAY_S = 86_400
GRACE_DAYS = 14


class Why(StrEnum):
    """Why a value may go, the best reason first."""

    GARBAGE = "garbage"
    FORGOTTEN = "forgotten"
    ON_REMOTE = "on-remote"
    COMPUTABLE = "computable"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants removed besides garbage.

    Attributes:
        grace_s: Garbage must be as old.
        older_than_s: Evict what was written so long ago.
        max_bytes: Evict until the store is not larger.
        ops: Evict only what these made; None for all.
        forgotten: Remove what only forgotten calls name.
        raw_on_remote: Also what nothing can make again, if it is on the remote.
        computes: Whether programs compute again what is not here; where there are remotes they
            say that it is missing.
        least_age_s: Nothing younger goes: a running process may be about to name it.
    """

    grace_s: float = GRACE_DAYS * DAY_S
    older_than_s: float | None = None
    max_bytes: int | None = None
    ops: frozenset[str] | None = None
    forgotten: bool = False
    raw_on_remote: bool = False
    computes: bool = True
    least_age_s: float = 0.0

    @property
    def evicted_from_s(self) -> float:
        """The age from which on a value may be evicted."""
        return max(self.older_than_s or 0.0, self.least_age_s)

    @property
    def evicts(self) -> bool:
        """Whether anything but garbage and forgotten values is to go."""
        return (
            self.older_than_s is not None
            or self.max_bytes is not None
            or self.ops is not None
            or self.raw_on_remote
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of the values that lie here, by blob.

    Attributes:
        live: What records name.
        relied_on: What a running process may be about to name.
        forgotten: What only forgotten calls name.
        makers: How values could be computed again.
        on_remote: What the remote holds, as a listing made now shows.
        elsewhere: What other repositories that share the store need: it is never evicted.
    """

    live: frozenset[Digest]
    relied_on: frozenset[Digest] = frozenset()
    forgotten: frozenset[Digest] = frozenset()
    makers: Mapping[Digest, Maker] = field(default_factory=dict)
    on_remote: frozenset[Digest] = frozenset()
    elsewhere: frozenset[Digest] = frozenset()


@dataclass(frozen=True, slots=True)
class Doomed:
    """A value that would go.

    Attributes:
        op: The op that made it, if it is one that can be computed again.
        seconds: How long that took.
    """

    blob: Digest
    codec: str
    size_bytes: int
    why: Why
    op: str | None = None
    seconds: float | None = None

    def as_dict(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "blob": to_hex(self.blob),
            "codec": self.codec,
            "bytes": self.size_bytes,
            "why": self.why.value,
            "op": self.op,
            "seconds": self.seconds,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be removed.

    Attributes:
        doomed: In the order in which they would be chosen.
        values, total_bytes: What lies here now.
        young: Garbage that is not old enough.
        missed_bytes: By how much the budget would still be exceeded.
        elsewhere: Values that would go besides if no other repository needed them.
        elsewhere_bytes: How large these are.
    """

    doomed: tuple[Doomed, ...]
    values: int
    total_bytes: int
    young: int
    missed_bytes: int
    elsewhere: int = 0
    elsewhere_bytes: int = 0

    @property
    def blobs(self) -> frozenset[Digest]:
        """The blobs that would go."""
        return frozenset(one.blob for one in self.doomed)

    @property
    def doomed_bytes(self) -> int:
        """How many bytes of values would go."""
        return sum(one.size_bytes for one in self.doomed)


@dataclass(frozen=True, slots=True)
class _Value:
    """All copies of one value."""

    blob: Digest
    codec: str
    size_bytes: int
    newest_s: float


def plan(copies: Iterable[Copy], standing: Standing, wish: Wish, now_s: float) -> Plan:
    """Decide what to remove."""
    values = _values(copies)
    total = sum(value.size_bytes for value in values)
    named = standing.live | standing.relied_on | standing.elsewhere
    unnamed = [value for value in values if value.blob not in named]
    old = [
        value for value in unnamed if value.newest_s <= now_s - max(wish.grace_s, wish.least_age_s)
    ]
    doomed = [_doomed(value, Why.GARBAGE, standing) for value in old]
    if wish.forgotten:
        doomed += [
            _doomed(value, Why.FORGOTTEN, standing)
            for value in values
            if value.blob in standing.forgotten
            and value.blob in standing.live
            and value.blob not in standing.elsewhere
            and value.newest_s <= now_s - wish.evicted_from_s
        ]
    gone = {one.blob for one in doomed}
    left = total - sum(one.size_bytes for one in doomed)
    for one in _evictable(values, standing, wish, now_s) if wish.evicts else ():
        if wish.max_bytes is not None and left <= wish.max_bytes:
            break
        if one.blob not in gone:
            doomed.append(one)
            left -= one.size_bytes
    missed = 0 if wish.max_bytes is None else max(0, left - wish.max_bytes)
    kept = (
        _kept_for_others(values, standing, wish, now_s) if missed or wish.max_bytes is None else []
    )
    return Plan(
        tuple(doomed),
        len(values),
        total,
        len(unnamed) - len(old),
        missed,
        len(kept),
        sum(value.size_bytes for value in kept),
    )


def _kept_for_others(
    values: Collection[_Value], standing: Standing, wish: Wish, now_s: float
) -> list[_Value]:
    """Return what was to be evicted and stays, as another repository needs it."""
    if not wish.evicts:
        return []
    alone = replace(standing, elsewhere=frozenset())
    would_go = {one.blob for one in _evictable(values, alone, wish, now_s)}
    return [
        value
        for value in values
        if value.blob in standing.elsewhere
        and (value.blob in would_go or (value.blob not in standing.live and wish.ops is None))
    ]


def _values(copies: Iterable[Copy]) -> list[_Value]:
    found: dict[Digest, _Value] = {}
    for copy in copies:
        known = found.get(copy.blob)
        size, newest = (known.size_bytes, known.newest_s) if known else (0, 0.0)
        found[copy.blob] = _Value(
            copy.blob, copy.codec, size + copy.size, max(newest, copy.written_s)
        )
    return [found[blob] for blob in sorted(found)]


def _doomed(value: _Value, why: Why, standing: Standing) -> Doomed:
    maker = standing.makers.get(value.blob)
    return Doomed(
        value.blob,
        value.codec,
        value.size_bytes,
        why,
        maker.op if maker else None,
        maker.seconds if maker else None,
    )


def _evictable(
    values: Collection[_Value], standing: Standing, wish: Wish, now_s: float
) -> Iterator[Doomed]:
    """Yield what may be evicted: what is on the remote, then what is cheapest to make for its size."""
    old = [value for value in values if value.newest_s <= now_s - wish.evicted_from_s]
    chosen = [
        _doomed(value, why, standing)
        for value in old
        if value.blob in standing.live
        and value.blob not in standing.elsewhere
        and (why := _why(value.blob, standing, wish)) is not None
        and _is_of(value.blob, standing, wish)
    ]
    yield from sorted(chosen, key=_order)


def _why(blob: Digest, standing: Standing, wish: Wish) -> Why | None:
    can_be_made = blob in standing.makers
    if blob in standing.on_remote and (can_be_made or wish.raw_on_remote):
        return Why.ON_REMOTE
    return Why.COMPUTABLE if can_be_made and wish.computes else None


def _is_of(blob: Digest, standing: Standing, wish: Wish) -> bool:
    if wish.ops is None:
        return True
    maker = standing.makers.get(blob)
    return maker is not None and maker.op in wish.ops


def _order(one: Doomed) -> tuple[bool, float, int, bytes]:
    cost = 0.0 if one.why is Why.ON_REMOTE else (one.seconds or 0.0) / max(1, one.size_bytes)
    return one.why is not Why.ON_REMOTE, cost, -one.size_bytes, one.blob
