"""Forgetting the calls of a frame: what that would take, doing it, and taking it back.

Not what being forgotten means (`model.tombstones`). Invariant: nothing goes that the plan did not
name, and no call of the universe is left whose result rests on one that goes: that used what it
returned, made it inside, or has its result, as equal inputs of other histories do. Calls of older
code are in no universe, and in no plan.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from gitmemo.errors import PlanOutdated, WrongQuestion
from gitmemo.frames.naming import short
from gitmemo.frames.universe import Hids, Universe
from gitmemo.quantities import count, duration

if TYPE_CHECKING:
    from gitmemo.frames.backing import Backing
    from gitmemo.frames.frame import ComputationFrame
    from gitmemo.hashing.digest import Digest
    from gitmemo.model.facts import Call


class Deletion:
    """A plan to forget calls.

    Attributes:
        calls: The calls of the frame.
        dependents: What goes too: what used what they returned, directly or through others; the
            calls inside which they were made; and those that share a result with one that goes.
        tags: The names, with @, of values that they made: they lead nowhere then.
    """

    def __init__(self, frame: ComputationFrame) -> None:
        older = sum(hid in frame.older for hid in frame.selected)
        if older:
            raise WrongQuestion(
                f"{count(older, 'call')} of the frame {'is' if older == 1 else 'are'} of older code, or "
                "on its results, and plans are about calls that count",
                "make the frame without `stale=True`; `gitmemo forget OP --all` forgets calls of older "
                "code, too",
            )
        self._backing = frame.backing
        # The frame may be older than the last calls.
        universe = frame.universe if self._backing is None else self._backing.universe()
        going = resting_on(universe, frame.selected)
        self.calls: tuple[Call, ...] = frame.calls
        self.dependents: tuple[Call, ...] = tuple(
            call for call in universe.calls if call.hid in going and call.hid not in frame.selected
        )
        doomed = (*self.calls, *self.dependents)
        self.tags = tuple(self._backing.tags(doomed)) if self._backing else ()
        self._going = going
        self._records = self._backing.records(going) if self._backing and going else ()
        self._rests_on = _rests_on(universe, going)
        below = frozenset(hid for hids in self._rests_on.values() for hid in hids)
        self._below = self._backing.records(below) if self._backing and below else ()
        self._tombstone: Digest | None = None

    def carry_out(self, why: str = "") -> None:
        """Forget the calls: they are left out of look-ups and tables, and run again when needed.

        Raises:
            PlanOutdated: Calls that were recorded since would have to go, too.
            WrongQuestion: The frame came from no storage, or this was done already.
        """
        if self._tombstone is not None:
            raise WrongQuestion("these calls were forgotten already", "`undo()` brings them back")
        if not self._going:
            return
        storage = self._storage()
        new = resting_on(storage.universe(), self._going) - self._going
        if new:
            raise PlanOutdated(
                f"{count(len(new), 'call')} recorded since the plan was made would have to go, too",
                "make the plan again, look at it, and carry that out",
            )
        # Calls of the plan that ran again since are other records of them.
        self._tombstone = storage.forget((*self._records, *storage.records(self._going)), why)

    def undo(self) -> None:
        """Bring the calls back, but for those that another plan, or a command, forgot too.

        Raises:
            PlanOutdated: What the calls used was forgotten since.
            WrongQuestion: They were not forgotten by this plan.
        """
        if self._tombstone is None:
            raise WrongQuestion("nothing was forgotten by this plan", "`carry_out()` does that")
        storage = self._storage()
        back = storage.not_forgotten(self._records, but=self._tombstone)
        needed = {hid for one in back for hid in self._rests_on.get(one, ())}
        gone = needed - storage.universe().hids - storage.not_forgotten(self._below)
        if gone:
            raise PlanOutdated(
                f"{count(len(gone), 'call')} that these calls rest on were forgotten since",
                "bring those back first",
            )
        storage.restore(self._tombstone)
        self._tombstone = None

    def _storage(self) -> Backing:
        if self._backing is None:
            raise WrongQuestion("the frame came from no storage", "make it with `storage.cf(…)`")
        return self._backing

    def __repr__(self) -> str:
        state = "forgotten" if self._tombstone is not None else "to forget"
        lines = [f"{state}: {count(len(self.calls), 'call')}" + _ops(self.calls)]
        if self.dependents:
            used = count(len(self.dependents), "call")
            lines.append(f"and {used} that used or share their results" + _ops(self.dependents))
        if self.tags:
            lines.append(f"leads nowhere then: {', '.join(self.tags)}")
        seconds = sum(call.seconds for call in (*self.calls, *self.dependents) if not call.is_link)
        lines.append(f"running them took {duration(seconds)}")
        if self._tombstone is None:
            lines.append("`.carry_out()` forgets them, `.undo()` brings them back")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from gitmemo import markup
        from gitmemo.ref.calls_page import folded_calls

        first, *more = repr(self).splitlines()
        return markup.block(
            markup.heading(first),
            folded_calls("asked for", self.calls),
            folded_calls("used or share their results", self.dependents),
            *map(markup.line, more),
        )


def resting_on(universe: Universe, start: Iterable[Digest]) -> Hids:
    """Return `start` and the calls whose results rest on those, directly or through others."""
    return universe.reach(start, [universe.using, _around(universe), _sharing(universe)])


def _rests_on(universe: Universe, going: Hids) -> Mapping[Digest, Hids]:
    """Return for calls that go the calls that stay and that they rest on."""
    found: dict[Digest, Hids] = {}
    staying = universe.hids - going
    for hid in going & universe.hids:
        makers = [call.hid for call in universe.feeding[hid]]
        found[hid] = staying.intersection(makers) | staying.intersection(universe.by_hid[hid].inner)
    return found


def _around(universe: Universe) -> Mapping[Digest, Sequence[Call]]:
    """Return for each call those inside which it was made."""
    found: dict[Digest, list[Call]] = defaultdict(list)
    for call in universe.calls:
        for hid in call.inner:
            found[hid].append(call)
    return found


def _sharing(universe: Universe) -> Mapping[Digest, Sequence[Call]]:
    """Return for each call those that have its result: of its op and code, with equal inputs."""
    together: dict[Digest, list[Call]] = defaultdict(list)
    for call in universe.calls:
        together[call.cid].append(call)
    return {one.hid: calls for calls in together.values() if len(calls) > 1 for one in calls}


def _ops(calls: tuple[Call, ...]) -> str:
    if not calls:
        return ""
    numbers = Counter(short(call.op) for call in calls)
    return " of " + ", ".join(f"{name} ({n})" for name, n in sorted(numbers.items()))
