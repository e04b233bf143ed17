"""Computation frames of a storage: made of what people give, and told what only a storage knows.

Not the frames (`frames`) nor which calls count (`query`). Invariant: a frame holds only calls that
are visible and valid for one state of the code; nothing is run or recorded to make one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from gitmemo.changes.finding import is_any_open
from gitmemo.changes.uses import world_uses
from gitmemo.collector import uncollected
from gitmemo.errors import (
    AmbiguousId,
    UnknownId,
    UnknownOp,
    UnknownRef,
    UnknownRevision,
    WrongQuestion,
)
from gitmemo.frames import ComputationFrame, Universe
from gitmemo.frames.naming import Spoken, asked_once
from gitmemo.frames.selecting import UNNAMED
from gitmemo.frames.universe import Hids
from gitmemo.git.cli import Git
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.memo.calls import CallView
from gitmemo.memo.names import OpNames
from gitmemo.memo.wording import short
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Call, Slot
from gitmemo.model.items import find
from gitmemo.model.lines import to_line
from gitmemo.model.semantics import semantic_id
from gitmemo.model.tombstones import Tombstones
from gitmemo.model.validity import Code, changed
from gitmemo.quantities import count
from gitmemo.query import Selection, resolve_op, valid_calls, without_repeats
from gitmemo.ref import Loader, Ref
from gitmemo.short_ids import told_apart, typed_digits
from gitmemo.world.authors import authors_of
from gitmemo.world.forgetting import with_copies
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.revisions import RevisionWorld
from gitmemo.world.tagging import tags_of

if TYPE_CHECKING:
    from gitmemo.memo.op import Op
    from gitmemo.memo.storage import Storage

Subject: TypeAlias = "Op[..., Any] | str | Ref[Any] | CallView | Iterable[Any] | Mapping[str, Any]"
"""What a frame can be made of: ops, refs, history ids, tags, calls; several of them; refs by name."""

_HEX_DIGITS = 64


class StorageFrames:
    """Makes frames of one storage, and stands behind them."""

    def __init__(
        self,
        storage: Storage,
        code: Code,
        names: OpNames,
        later: frozenset[Digest] = frozenset(),
    ) -> None:
        """`later` are the calls that were committed after the revision that is shown."""
        self._storage, self._code, self._names, self.later = storage, code, names, later

    @property
    def loader(self) -> Loader:
        """The storage itself."""
        return self._storage

    @property
    def spoken(self) -> Spoken:
        """What the program calls the results of ops that do not name them."""
        return self._storage._spoken

    def frame(self, subjects: Sequence[Any], *, stale: bool = False) -> ComputationFrame:
        """Return the frame of ops, refs, ids and calls; of everything if there are none.

        With `stale`, calls that do not count for the code as it is are among them, and marked.

        Raises:
            UnknownOp, UnknownRef: There is no such op, or nothing with such a history id.
            WrongQuestion: It is none of what a frame can be made of.
        """
        with uncollected():
            selection = self._selection()
            calls = selection.every() if stale else selection.calls
            universe = Universe(map(self._names.with_defaults, calls))
        older = selection.states if stale else {}
        frame = ComputationFrame(
            universe,
            frozenset(),
            self,
            later=self.later,
            older=older,
            spoken=asked_once(self.spoken),
        )
        if not subjects:
            frame = replace(frame, selected=frame.universe.hids)
        for subject in subjects:
            frame = self._with(frame, subject, selection)
        if stale or frame.selected or frame.free:
            return frame
        return replace(frame, left_out=self._left_out(frame, subjects, selection))

    def _left_out(
        self, frame: ComputationFrame, subjects: Sequence[Any], selection: Selection
    ) -> str:
        """Return what to say of the calls that were meant by an empty frame, but do not count."""
        from gitmemo.memo.op import Op

        others = without_repeats(selection)
        if subjects:
            flat = [one for s in subjects for one in (s if isinstance(s, list | tuple) else [s])]
            ops = {self._op(frame, s, selection) for s in flat if isinstance(s, Op | str)}
            left_out = [call for call in others.left_out if call.op in ops]
        else:
            left_out = list(others.left_out)
        older = len(left_out)
        if not older:
            return ""
        said = f"{count(older, 'call')} of older code, or on its results: `stale=True` shows them"
        world = self._storage.world
        if not is_any_open(world_uses(world, self._code), self._code, world.decisions()):
            return said
        return f"{said}; if they still count, say so: `gitmemo decide`, or `storage.decide(…)`"

    def calls(self) -> Iterator[Call]:
        """Return the calls that are visible and valid, with the names of now."""
        return map(self._names.with_defaults, self._selection().calls)

    def _selection(self) -> Selection:
        """Return all visible calls, with the names of now."""
        world = self._storage.world
        calls = self._names.now(world, self._code).calls(world.calls(self._code))
        return valid_calls(world, calls, self._code)

    def _with(
        self, frame: ComputationFrame, subject: Any, selection: Selection
    ) -> ComputationFrame:
        """Return the frame with one more thing in it."""
        from gitmemo.memo.op import Op

        subject = self._storage._ref_meant(subject)
        if isinstance(subject, Ref):
            return _and_refs(frame, UNNAMED, [subject])
        if isinstance(subject, CallView):
            return _and_calls(frame, [bytes.fromhex(subject.hid)])
        if isinstance(subject, str) and _is_hid(subject):
            return _and_id(frame, subject)
        if isinstance(subject, Op | str):
            try:
                op = self._op(frame, subject, selection)
            except UnknownOp:
                begun = _begun(frame, subject) if isinstance(subject, str) else None
                if begun is None:
                    raise
                return _and_id(frame, begun)
            return _and_calls(frame, [c.hid for c in frame.universe.calls if c.op == op])
        if isinstance(subject, Mapping):
            for name, refs in subject.items():
                given = [refs] if isinstance(refs, Ref | str) else list(refs)
                frame = _and_refs(frame, str(name), [self._ref(ref) for ref in given])
            return frame
        if isinstance(subject, Iterable):
            found = [self._storage._ref_meant(one) for one in subject]
            refs = [one for one in found if isinstance(one, Ref)]
            if found and len(refs) == len(found):
                return _and_refs(frame, UNNAMED, refs)
            for one in found:
                frame = self._with(frame, one, selection)
            return frame
        raise _not_a_subject(subject)

    def _ref(self, given: object) -> Ref[Any]:
        """Return a ref that was given, itself or by its tag."""
        ref = self._storage._ref_meant(given)
        if isinstance(ref, Ref):
            return ref
        raise _not_a_subject(ref)

    def _op(
        self, frame: ComputationFrame, subject: Op[..., Any] | str, selection: Selection
    ) -> str:
        storage = self._storage
        if not isinstance(subject, str):
            return self._names.name_of(subject)[0]
        now = self._names.now(storage.world, self._code)
        current = {call.op for call in frame.universe.calls}
        try:
            return resolve_op(subject, sorted(current), now.former)
        except UnknownOp:  # perhaps all its calls are of older code: then the frame says so
            others = {call.op for call in selection.left_out}
            return resolve_op(subject, sorted(current | others), now.former)

    # --- what only a storage knows -----------------------------------------

    def name_of(self, op: object) -> str | None:
        """Return the full name of an op."""
        from gitmemo.memo.op import Op

        return self._names.name_of(op)[0] if isinstance(op, Op) else None

    def pending(self) -> Collection[Digest]:
        """Return the calls that wait for a commit; none where there is no git."""
        return self._storage.world.pending_hids(self._code)

    def of_version(self, text: str) -> Callable[[Call], bool]:
        """Return what tells the calls of a version, or of those that mean the same."""
        digits = text.lower()
        by_content = {v for v in self._versions if to_hex(v).startswith(digits)}
        by_meaning = {v for v, one in self._meanings.items() if to_hex(one).startswith(digits)}
        meanings = {self._meanings[version] for version in by_meaning}
        if not digits or not (by_content or by_meaning):
            raise UnknownId(text)
        if len(by_content) > 1 or (not by_content and len(meanings) > 1):
            several = sorted(map(to_hex, by_content or meanings))
            raise WrongQuestion(
                f"several versions begin with {text!r}: {', '.join(one[:12] for one in several)}",
                "give more digits",
            )
        wanted = by_content or by_meaning
        return lambda call: call.version in wanted

    @cached_property
    def _versions(self) -> Collection[Digest]:
        return self._storage.world.versions()

    @cached_property
    def _meanings(self) -> Mapping[Digest, Digest]:
        world = self._storage.world
        decisions = world.decisions()
        return {ident: semantic_id(v, decisions) for ident, v in world.versions().items()}

    def of_commit(self, rev: str) -> Callable[[Call], bool]:
        """Return what tells the calls that were run at a commit."""
        project = self._storage.project
        root: Path | None = project.root if project else None
        asked = ("rev-parse", "--quiet", "--verify", "--end-of-options", f"{rev}^{{commit}}")
        commit = Git(root).try_run(*asked) if root is not None else None
        if not commit:
            raise UnknownRevision(rev)
        return lambda call: call.run.get("commit") == commit

    def of_user(self, text: str) -> Callable[[Call], bool]:
        """Return what tells the calls that somebody committed, by part of their name or email."""
        world = self._storage.world
        if not isinstance(world, RepositoryWorld | RevisionWorld):
            raise WrongQuestion(
                "the calls of this storage are in no repository, whose commits have authors",
                "make the storage with `gm.open()` in a repository",
            )
        return authors_of(world).test(text)

    def of_decision(self, decision: str) -> Callable[[Call], bool]:
        """Return what tells calls of the very code of now (`exact`) from those that decisions kept."""
        if decision not in ("exact", "non-breaking"):
            raise WrongQuestion(
                f"{decision!r} is no kind of decision that a frame can tell calls by",
                "calls that breaking changes made invalid are in no frame of the code of now; "
                "use 'exact' or 'non-breaking'",
            )
        storage = self._storage
        known = storage.world.versions()
        undecided = Decisions(())
        exact = {v for v, one in known.items() if not changed(one, self._code, undecided)}
        wants_exact = decision == "exact"
        return lambda call: (call.version is None or call.version in exact) == wants_exact

    def tags(self, calls: Collection[Call]) -> Sequence[str]:
        """Return the names, with @, of the values that calls made."""
        return tags_of(self._storage.world, calls)

    def universe(self) -> Universe:
        """Return the calls that count now."""
        with uncollected():
            return Universe(self.calls())

    def records(self, hids: Collection[Digest]) -> tuple[Call, ...]:
        """Return the records of calls, as they are stored: under the names of then, with all copies."""
        world = self._storage.world
        stored = [call for call in world.calls(self._code) if call.hid in hids]
        both = {to_line(call): call for call in (*stored, *with_copies(world, stored))}
        return tuple(both.values())

    def not_forgotten(self, records: Collection[Call], *, but: Digest | None = None) -> Hids:
        """Return the history ids of those that no tombstone covers, or this one alone."""
        in_force = self._storage.world.tombstones().in_force.items()
        others = Tombstones((ident, fact) for ident, fact in in_force if ident != but)
        return frozenset(call.hid for call in records if not others.cover(call))

    def forget(self, records: Collection[Call], why: str) -> Digest:
        """Forget records of calls; return the id of the tombstone."""
        return self._storage.stored.forget_calls(records, why)

    def restore(self, tombstone: Digest) -> None:
        """Bring back what was forgotten."""
        self._storage.stored.restore(tombstone)


def _is_hid(text: str) -> bool:
    return len(text) == _HEX_DIGITS and not set(text.lower()) - set("0123456789abcdef")


def _begun(frame: ComputationFrame, text: str) -> str | None:
    """Return the id of the one call or value whose id begins like this; None if there is none.

    Raises:
        AmbiguousId: There are several.
    """
    digits = typed_digits(text)
    if digits is None:
        return None
    known = {*frame.universe.hids, *frame.universe.makers}
    found = [hid for hid in known if to_hex(hid).startswith(digits)]
    if len(found) > 1:
        raise AmbiguousId(text, tuple(told_apart(found)))
    return to_hex(found[0]) if found else None


def _not_a_subject(subject: object) -> WrongQuestion:
    return WrongQuestion(
        f"no frame can be made of {short(subject)}",
        "give ops or their names, refs, history ids, calls, or a dict of refs by name; "
        "`gm.wrap(value)` makes a ref of a plain value",
    )


def _and_calls(frame: ComputationFrame, hids: Iterable[bytes]) -> ComputationFrame:
    known = frame.universe.hids
    return replace(frame, selected=frame.selected | {Digest(h) for h in hids if h in known})


def _and_id(frame: ComputationFrame, text: str) -> ComputationFrame:
    """Return the frame with the call, or the value, that has a history id."""
    hid = Digest(bytes.fromhex(text))
    if hid in frame.universe.hids:
        return _and_calls(frame, [hid])
    for call in frame.universe.calls:
        for slot in (*call.outputs, *call.inputs):
            way = find(slot, hid) if slot.parts is not None or not slot.is_raw else None
            if way is not None:
                last = way[-1]
                return _and_slots(frame, UNNAMED, [Slot.of(slot.name, last)])
    raise UnknownRef(text)


def _and_refs(frame: ComputationFrame, name: str, refs: Sequence[Ref[Any]]) -> ComputationFrame:
    return _and_slots(frame, name, [_slot_of(ref) for ref in refs])


def _slot_of(ref: Ref[Any]) -> Slot:
    return Slot("value", ref._cid, ref._hid, ref._inline, ref._short)


def _and_slots(frame: ComputationFrame, name: str, slots: Sequence[Slot]) -> ComputationFrame:
    free = {slot.hid: slot for slot in (*frame.free.get(name, ()), *slots)}
    return replace(frame, free={**frame.free, name: tuple(free.values())})
