"""Finding the stored call that stands for one about to be made.

Not making calls (`caller`). Invariant: what is found is valid for the code as
it is at this moment, and part of this world with the histories asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitmemo.errors import SignatureChanged
from gitmemo.hashing.digest import Digest
from gitmemo.memo.calls import CallEvent, Reason, Watch
from gitmemo.memo.drift import drift, way_out
from gitmemo.memo.former import FormerNames
from gitmemo.memo.inputs import PreparedCall
from gitmemo.memo.names import OpNames
from gitmemo.memo.namesakes import Namesakes
from gitmemo.memo.preloaded import Preloaded, histories_of
from gitmemo.memo.recorder import Recorder
from gitmemo.memo.verdicts import Verdicts
from gitmemo.model import ids
from gitmemo.model.components import Component
from gitmemo.model.facts import Call, Slot
from gitmemo.model.glances import Asked
from gitmemo.model.renames import Renames
from gitmemo.model.validity import Code
from gitmemo.world.view import Candidate, World, signature_of

if TYPE_CHECKING:
    from gitmemo.memo.op import Op


@dataclass(frozen=True, slots=True)
class Found:
    """A stored call.

    Attributes:
        number: Where it stands in the index; 0 if it does not yet.
    """

    call: Call
    number: int


class Lookup:
    """The stored calls of a storage; `verdicts` is None where code is not versioned."""

    def __init__(
        self,
        world: World,
        names: OpNames,
        verdicts: Verdicts | None,
        recorder: Recorder,
        watch: Watch,
        code: Code,
    ) -> None:
        self._world = world
        self._names = names
        self._verdicts = verdicts
        self._recorder = recorder
        self._watch = watch
        self._code = code
        self._renames: Renames | None = None
        # The ops that fit their stored calls in this block; with each its former names, if any.
        self._fitting: dict[Op[..., Any], FormerNames | None] = {}
        self.namesakes = Namesakes(verdicts)
        self.preloaded = Preloaded()

    def enter(self) -> None:
        """Begin a block: decisions and code may have come from elsewhere."""
        self._fitting.clear()
        self.namesakes.enter()
        self._renames = self._world.renames()
        if self._verdicts:
            self._verdicts.enter()

    def is_valid(self, call: Call) -> bool:
        """Whether a stored call may stand for the one that the code of now would make."""
        if not self.is_valid_version(call.version):
            return False
        return call.moved is None or not self.changed(call)

    def is_valid_version(self, version: Digest | None) -> bool:
        """Whether calls of a version may; for links under another name that is not enough."""
        # A storage that does not version cannot say what other code would have
        # returned, and one that does cannot trust a call without a version.
        if self._verdicts is None or version is None:
            return self._verdicts is None and version is None
        return self._verdicts.valid(version)

    def valid(self, prepared: PreparedCall) -> list[Call]:
        """Return every stored call on these contents that is valid now; nothing is recorded."""
        return [found.call for found in self._valid(self._stored(prepared))]

    def _stored(self, prepared: PreparedCall, asked: Asked | None = None) -> Sequence[Candidate]:
        """Return every stored call on these contents, also under former names.

        Where it is known what is `asked`, of many only those that decide.
        """
        found = self.namesakes.of(prepared.op, self._world.candidates(prepared.key, asked))
        former = self._former(prepared.op, prepared.name)
        if former is None:
            return found
        own = [candidate for candidate in found if former.may_be_own(candidate.call)]
        return [*own, *former.candidates(prepared, only_deciding=asked is not None)]

    def _valid(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        return [found for found in candidates if self.is_valid(found.call)]

    def fitting(self, op: Op[..., Any], name: str) -> FormerNames | None:
        """Return the former names of an op that fits its stored calls, if it has any.

        Raises:
            SignatureChanged: Stored calls that are valid now do not fit the op's signature.
        """
        if op not in self._fitting:
            former = self._former(op, name)
            self._refuse_drift(op, name, former)
            self._fitting[op] = former
        return self._fitting[op]

    def find(self, prepared: PreparedCall, *, again: bool = False) -> Found | None:
        """Return a stored call that is valid now, made part of this world with these histories.

        Who looks `again` was told before that there is none.

        Raises:
            SignatureChanged: Stored calls that are valid now do not fit the op's signature.
        """
        op, name, slots = prepared.op, prepared.name, prepared.slots
        renamed = self.fitting(op, name)
        if renamed is not None:
            return self._find_renamed(prepared, renamed, again=again)
        asked = _asked(prepared)
        if self.preloaded.holds_any:
            at_hand = self.namesakes.of(op, self.preloaded.candidates(prepared.key, slots))
            preferred = _exact(self._valid(at_hand), asked.inputs) if at_hand else None
            if preferred:
                return Found(preferred.call, 0)
        candidates: Sequence[Candidate] = self._world.candidates(prepared.key, asked)
        if candidates:
            candidates = self.namesakes.of(op, candidates)
            valid = self._valid(candidates)
            exact = _exact(valid, asked.inputs)
            if exact:
                return Found(self._here(exact), exact.number)
            if valid:
                return Found(self._recorder.link(self._here(valid[0]), slots), 0)
        if op.options.match_defaults:
            older = self._before_new_arguments(prepared)
            if older is not None:
                return Found(self._recorder.link(self._here(older), slots), 0)
        if not again and self._watch.observer:
            self._watch.observer(self._miss(name, [found.call for found in candidates]))
        return None

    def _find_renamed(
        self, prepared: PreparedCall, former: FormerNames, *, again: bool
    ) -> Found | None:
        """Do the same for an op of which something was renamed: what is found gets the names of now."""
        candidates = self._stored(prepared, _asked(prepared))
        valid = self._valid(candidates)
        exact = _exact([c for c in valid if former.is_named_so(c.call)], prepared.slots)
        if exact:
            return Found(self._here(exact), exact.number)
        if valid:
            call = self._here(valid[0])
            names = former.outputs(call)
            moved = former.moved(call)
            link = self._recorder.link(call, prepared.slots, prepared.name, names, moved)
            return Found(link, 0)
        if not again and self._watch.observer:
            self._watch.observer(self._miss(prepared.name, self._near(prepared)))
        return None

    def _near(self, prepared: PreparedCall) -> list[Call]:
        """Return the stored calls on these contents of this function, else those of its names.

        What was edited since it was renamed is not the function of the calls under its old name
        any more; but that is why they do not count.
        """
        found = self._stored(prepared)
        former = self._former(prepared.op, prepared.name)
        if not found and former is not None:
            own = self.namesakes.of(prepared.op, self._world.candidates(prepared.key))
            found = [*own, *former.candidates(prepared, of_any=True)]
        return [candidate.call for candidate in found]

    def _former(self, op: Op[..., Any], name: str) -> FormerNames | None:
        """Return the former names of an op; None if nothing of it was renamed, as nearly always."""
        if self._renames is None:
            self._renames = self._world.renames()
        if not self._renames.concern(name):
            return None
        own = self._verdicts.component_of(op.__wrapped__) if self._verdicts else None
        return FormerNames(
            op, name, self._renames, self._world, self._verdicts, own, self._names.name_at
        )

    @property
    def versions(self) -> bool:
        """Whether code is versioned here."""
        return self._verdicts is not None

    def peek(self, prepared: PreparedCall) -> Call | None:
        """Return the call that `find` would return or link to; nothing is recorded."""
        for call in self.valid(prepared):
            return call
        older = self._before_new_arguments(prepared)
        return older.call if older else None

    def stale(self, prepared: PreparedCall) -> Call | None:
        """Return the call with the same inputs for which the least code has changed."""
        calls = self._near(prepared)
        return min(calls, key=lambda call: (len(self.changed(call)), call.hid), default=None)

    def older(self, prepared: PreparedCall) -> Call | None:
        """Return the newest call with the same inputs that other code made."""
        calls = [call for call in self._near(prepared) if not self.is_valid(call)]
        return max(calls, key=lambda call: (call.start, call.hid), default=None)

    def changed(self, call: Call) -> tuple[Component, ...]:
        """Return the components of a stored call that are not what they were."""
        return self._verdicts.changed_for(call) if self._verdicts else ()

    def _before_new_arguments(self, prepared: PreparedCall) -> Candidate | None:
        """Return a call that was stored before those arguments existed which are at their defaults."""
        op, slots = prepared.op, prepared.slots
        if not op.options.match_defaults or self._former(op, self._names.name_of(op)[0]):
            return None  # former names look for these too: what had a name may have another now
        name, prefix = self._names.name_of(op)
        defaults = {s.name for s in slots if op.arguments.is_default(s.name, s.cid)}
        names = {slot.name for slot in slots}
        stored = {frozenset(found.inputs) for found in self._world.signatures(name, op.version)}
        older = [inputs for inputs in stored if inputs < names and names - inputs <= defaults]
        for inputs in sorted(older, key=lambda inputs: (-len(inputs), sorted(inputs))):
            key = ids.call_key(prefix, [(s.name, s.cid) for s in slots if s.name in inputs])
            for candidate in self._valid(self.namesakes.of(op, self._world.candidates(key))):
                return candidate
        return None

    def _refuse_drift(self, op: Op[..., Any], name: str, former: FormerNames | None) -> None:
        for stored in sorted(self._world.signatures(name, op.version), key=repr):
            now = former.signature(stored) if former else stored
            if not drift(op, now) or not self.is_valid_version(stored.version):
                continue
            if not self.namesakes.is_of(op, stored.version):
                continue
            # Only now, as it reads them all: some may be forgotten, or had ignored arguments.
            for call in self._world.calls(self._code):
                if call.op == name and signature_of(call) == stored and self.is_valid(call):
                    change = drift(op, now, call.ignored.keys())
                    if change:
                        raise SignatureChanged(name, change, way_out(op, name, now))

    def why(self, prepared: PreparedCall) -> Reason:
        """Return why `find` found nothing."""
        return self._miss(prepared.name, self._near(prepared)).reason

    def _here(self, candidate: Candidate) -> Call:
        """Return the call, made part of this world."""
        if not candidate.here:
            self._world.adopt(candidate.call)
        return candidate.call

    def _miss(self, op: str, stale: Sequence[Call]) -> CallEvent:
        if self._verdicts is None or not stale:
            return CallEvent(op, Reason.NEW_INPUTS)
        changes = [self.changed(call) for call in stale if call.version]
        fewest = min(changes, key=len, default=())
        return CallEvent(op, Reason.CODE_CHANGED, fewest)


def _exact(valid: Iterable[Candidate], slots: Sequence[Slot]) -> Candidate | None:
    """Return the very call, rather than one that is like it."""
    for candidate in valid:
        inputs = candidate.call.inputs
        if inputs is slots or histories_of(inputs) == histories_of(slots):
            return candidate
    return None


def _asked(prepared: PreparedCall) -> Asked:
    return Asked(prepared.name, prepared.op.version, tuple(prepared.slots))
