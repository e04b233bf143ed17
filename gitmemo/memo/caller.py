"""Calls of ops: looked up if they were made before, else run and recorded.

Not the look-up (`lookup`) nor the running (`execute`): this module puts them
together. Invariant: a call that was run is durable before its refs are handed
out, and nobody but the op's body ever holds the values behind them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from gitmemo.errors import InputMutated, UnreliableTracking
from gitmemo.memo.ahead import ReadAhead
from gitmemo.memo.calls import Hit, NotDeterministic, Watch, hit_of
from gitmemo.memo.execute import (
    CallOutcome,
    Output,
    Tracking,
    execute,
    execute_async,
    executed_elsewhere,
    running,
)
from gitmemo.memo.failures import FailureNotes
from gitmemo.memo.inputs import PreparedCall, listed, short_cut, slots_of
from gitmemo.memo.lookup import Lookup
from gitmemo.memo.mutations import Mutations
from gitmemo.memo.names import OpNames
from gitmemo.memo.recorder import Recorder
from gitmemo.memo.requests import Requests
from gitmemo.memo.scopes import Scopes
from gitmemo.memo.strictness import Care
from gitmemo.memo.telling import tell
from gitmemo.memo.waiting import IfClaimed, PutOff, slept, tell_of_trouble, telling
from gitmemo.model.facts import Call, Fact, JsonValue, Slot
from gitmemo.model.ids import call_key
from gitmemo.ref import (
    IMMUTABLE,
    AtomRef,
    Loader,
    Ref,
    Shared,
    at_hand,
    private,
    ref_to,
    unwrap_all,
)
from gitmemo.tracing import CodeState
from gitmemo.world.claims import Claim
from gitmemo.world.view import World

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

_SHARED = frozenset({list, dict, set})
_MOST_SHORT_CUTS = 20_000


class Caller:
    """Makes the calls of one storage; `loader` loads the values of the refs that it hands out.

    Attributes:
        tracking: What watches the bodies.
        requests: What bodies are run with.
        allows_new_calls: Whether a call that is not stored may be computed.
    """

    def __init__(
        self,
        world: World,
        names: OpNames,
        lookup: Lookup,
        recorder: Recorder,
        tracking: Tracking,
        watch: Watch,
        failures: FailureNotes,
        care: Care,
        loader: Loader,
        code: CodeState | None,
    ) -> None:
        self._world = world
        self._claims = world.claims
        self._names = names
        self._lookup = lookup
        self._recorder = recorder
        self.tracking = tracking
        self._watch = watch
        self._failures = failures
        self._care = care
        self._loader = loader
        self._ahead = ReadAhead(world, names.named, lookup.namesakes.is_of)
        self._hits: dict[tuple[object, ...], Hit] = {}
        self.requests = Requests(names, Scopes(world, code), loader)
        self._mutations = Mutations(code)
        self.allows_new_calls = True

    def clear(self) -> None:
        """Forget short cuts and what was preloaded: other facts may be visible now."""
        self._hits.clear()
        self._lookup.preloaded.clear()

    @property
    def short_cuts(self) -> int:
        """How many calls are found without a look-up."""
        return len(self._hits)

    def call(
        self,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        if_claimed: IfClaimed = IfClaimed.WAIT,
    ) -> Any:
        """Return the outputs of a call: refs, or plain values inside the body of another op.

        Raises:
            PutOff: Somebody else computes it, if it is put off then.
        """
        moment = self._claims.moment
        found = self._look_up(op, args, kwargs)
        while not isinstance(found, Hit):
            if not self._is_claiming(if_claimed):
                return self.run(found)
            with self._claims.claim(found.key) as claim:
                if not claim.take() and if_claimed is IfClaimed.WAIT:
                    for pause_s in claim.pauses(telling(found.name)):
                        claim.sleep(pause_s)
                now = self._as_of_now(found, args, kwargs, claim, moment)
                if isinstance(now, PreparedCall) and now.key == found.key:
                    self._use(claim, now, if_claimed)
                    return self.run(now)
            found = now
        return self._hand_out(op, found)

    async def call_async(
        self,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        if_claimed: IfClaimed = IfClaimed.WAIT,
    ) -> Any:
        """Do the same for an op that is a coroutine function."""
        moment = self._claims.moment
        found = self._look_up(op, args, kwargs)
        while not isinstance(found, Hit):
            if not self._is_claiming(if_claimed):
                return await self.run_async(found)
            with self._claims.claim(found.key, is_async=True) as claim:
                if not claim.take() and if_claimed is IfClaimed.WAIT:
                    for pause_s in claim.pauses(telling(found.name)):
                        if not await slept(pause_s):
                            break
                now = self._as_of_now(found, args, kwargs, claim, moment)
                if isinstance(now, PreparedCall) and now.key == found.key:
                    self._use(claim, now, if_claimed)
                    return await self.run_async(now)
            found = now
        return self._hand_out(op, found)

    def run(self, call: PreparedCall, instead_of: Sequence[Call] = ()) -> Any:
        """Run a call whether or not it is stored; `instead_of` are forgotten as it is recorded.

        Both in one write: a process that is killed leaves the old calls or the new one.
        """
        facts = self._begin(call)
        request = self.requests.of_call(call)
        with self._failures.noting(call, self._watch.counter):
            outcome = execute(request, self.tracking).or_raise()
        return self._finish(call, outcome, facts, instead_of)

    def bring(self, call: PreparedCall, returned: object, came: Mapping[str, JsonValue]) -> Any:
        """Record a call that another tool ran; `came` says what is known of that run."""
        facts = self._begin(call)
        outcome = executed_elsewhere(self.requests.of_call(call), self.tracking, returned, came)
        return self._finish(call, outcome, facts, ())

    async def run_async(self, call: PreparedCall, instead_of: Sequence[Call] = ()) -> Any:
        """Do the same for an op that is a coroutine function."""
        facts = self._begin(call)
        request = self.requests.of_call(call)
        with self._failures.noting(call, self._watch.counter):
            outcome = (await execute_async(request, self.tracking)).or_raise()
        return self._finish(call, outcome, facts, instead_of)

    def prepare(
        self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> PreparedCall:
        """Return what identifies a call, and what its body would receive."""
        inputs = op.arguments.bind(args, kwargs)
        needs_rules = op.arguments.has_rules or op.arguments.needs_rules(inputs)
        told = op.arguments.identity(inputs) if needs_rules else inputs
        return self._prepared(op, args, kwargs, inputs, told)

    def check(self, op: Op[..., Any], *, is_new: bool) -> None:
        """Raise what every call of an op would raise, whatever its arguments.

        `is_new` if it has calls that are not stored.

        Raises:
            UnknownNotebook, SignatureChanged: They cannot be looked up.
            BadOption, DependencyMissing: What they depend on cannot be found.
        """
        name = self._names.name_of(op)[0]
        self._lookup.fitting(op, name)
        if is_new and self.allows_new_calls:
            self.requests.scopes.of(op, name)

    def _is_claiming(self, if_claimed: IfClaimed) -> bool:
        """Whether a call is claimed before it is run; one that is refused is so at once."""
        is_wanted = if_claimed is not IfClaimed.MAKE
        return is_wanted and self._claims.is_on and self.allows_new_calls

    def _use(self, claim: Claim, call: PreparedCall, if_claimed: IfClaimed) -> None:
        """Begin to compute a call, unless it can be put off."""
        if not claim.is_mine and if_claimed is IfClaimed.PUT_OFF and claim.can_wait():
            raise PutOff(call.key, call.name)
        claim.is_used = True

    def _as_of_now(
        self,
        call: PreparedCall,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        claim: Claim,
        moment: int,
    ) -> Hit | PreparedCall:
        """Look a call up again that may have been recorded since `moment`, or before it was claimed."""
        if not self._took_notice(claim, moment):
            return call
        if claim.has_waited:  # raw inputs may have been changed meanwhile
            return self._look_up(call.op, args, kwargs, again=True)
        stored = self._lookup.find(call, again=True)
        return call if stored is None else hit_of(stored.call)

    def recorded_by_others(
        self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], claim: Claim
    ) -> Call | None:
        """Return a call that may have been recorded after it was looked up, and before it was claimed."""
        if not self._took_notice(claim, 0):
            return None
        stored = self._lookup.find(self.prepare(op, args, kwargs), again=True)
        return stored.call if stored else None

    def _took_notice(self, claim: Claim, moment: int) -> bool:
        """Take notice of what others recorded; return whether the call may be among it."""
        tell_of_trouble(self._claims)
        if not self._claims.has_news(claim):
            return claim.has_news(moment)
        with self._claims.noticing():
            if self._world.notice():
                self.clear()
        return True

    def _look_up(
        self,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        again: bool = False,
    ) -> Hit | PreparedCall:
        inputs = told = op.arguments.bind(args, kwargs)
        if op.arguments.has_rules:
            told = op.arguments.identity(inputs)
        key = short_cut(op, told)
        hit = self._hits.get(key) if key else None
        if hit is not None and self._lookup.is_valid_version(hit.version):
            return hit
        if key is None and told is inputs and op.arguments.needs_rules(inputs):
            told = op.arguments.identity(inputs)
        prepared = self._prepared(op, args, kwargs, inputs, told)
        stored = self._lookup.find(prepared, again=again)
        if stored is None:
            return prepared
        hit = hit_of(stored.call)
        # Of one that moved its version alone does not say whether it counts.
        if key and stored.call.moved is None:
            self._remember(key, hit)
            for likely, other in self._ahead.after(stored.number):
                self._remember(likely, other)
        return hit

    def _remember(self, key: tuple[object, ...], hit: Hit) -> None:
        """Keep a short cut to a stored call, and only so many that memory stays small."""
        self._hits[key] = hit
        if len(self._hits) > _MOST_SHORT_CUTS:
            for old in list(islice(self._hits, _MOST_SHORT_CUTS // 2)):
                self._hits.pop(old, None)  # another thread may have

    def _prepared(
        self,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        inputs: dict[str, Any],
        told: dict[str, Any],
    ) -> PreparedCall:
        name, prefix = self._names.name_of(op)
        slots = slots_of(op, name, told)
        key = call_key(prefix, [(slot.name, slot.cid) for slot in slots])
        return PreparedCall(op, name, args, kwargs, inputs, told, slots, key)

    def _begin(self, call: PreparedCall) -> list[Fact]:
        """Store the inputs of a call before its body can change them; return the facts."""
        if not self.allows_new_calls:
            raise self._watch.refused(call.name, self._lookup.why(call))
        if call.is_atomic and all(slot.inline for slot in call.slots):
            return []
        call.slots = listed(call)
        stored: Collection[str] = call.told
        if call.op.options.hashed:
            stored = [name for name in call.told if not call.op.arguments.is_hashed(name)]
        with at_hand(list(call.inputs.values())):  # a container of refs may have to be read
            return self._recorder.inputs(call.name, call.told, call.slots, stored)

    def _hand_out(self, op: Op[..., Any], hit: Hit) -> Any:
        self._watch.reused(hit)
        refs = [ref_to(slot, self._loader) for slot in hit.outputs]
        frame = running.get()
        if frame is None:
            return op.options.outputs.join(refs)
        frame.inner.append(hit.hid)
        version = self._world.version(hit.version) if hit.version else None
        if version:
            frame.capture.add(version.pairs)
        if frame.sees_refs:
            return op.options.outputs.join(refs)
        with at_hand(refs):
            return op.handed_out([ref.unwrap() for ref in refs])

    def _finish(
        self,
        prepared: PreparedCall,
        outcome: CallOutcome,
        facts: list[Fact],
        instead_of: Sequence[Call],
    ) -> Any:
        """Record a call that was run, and return what its caller receives."""
        op = prepared.op
        changed = op.arguments.changed_cell(prepared.inputs)
        if changed:
            raise InputMutated(prepared.name, changed)
        ignored: Mapping[str, JsonValue] = {}
        if prepared.told is not prepared.inputs:
            ignored = op.arguments.ignored(prepared.inputs)
            if outcome.came is not None:  # nobody knows what was passed there
                ignored = dict.fromkeys(ignored)
        outcome = self._checked(prepared, outcome)
        if instead_of:
            facts.append(self._world.tombstones().over(instead_of, "computed again"))
        call = self._recorder.call(prepared, outcome, facts, ignored)
        if instead_of:
            self.clear()
            self._compare(call, instead_of)
        self._mutations.report(op, prepared.name, outcome)
        self._care.report(prepared.name, outcome)
        self._watch.computed(prepared.name)
        frame = running.get()
        if frame is not None:
            frame.inner.append(call.hid)
            frame.capture.add(outcome.components)
            if not frame.sees_refs:
                # A copy, as from a stored call: the body may keep what it returned.
                values = [unwrap_all(output.value) for output in outcome.outputs]
                return op.handed_out([private(v) if type(v) in _SHARED else v for v in values])
        return op.options.outputs.join(
            [
                self._ref(slot, output)
                for slot, output in zip(call.outputs, outcome.outputs, strict=True)
            ]
        )

    def _ref(self, slot: Slot, output: Output) -> Ref[Any]:
        value = output.value
        if type(value) in IMMUTABLE:
            return AtomRef(slot.cid, slot.hid, self._loader, slot.inline, value, slot.short)
        if output.is_stored:
            return ref_to(slot, self._loader)
        # Nothing else holds it: the body may keep, and change, what it returned.
        held = Shared(value) if output.cid is None else private(value)
        return AtomRef(slot.cid, slot.hid, self._loader, None, held)

    def _compare(self, call: Call, old: Sequence[Call]) -> None:
        found = [slot.cid for slot in call.outputs]
        if any(found != [slot.cid for slot in other.outputs] for other in old):
            tell(NotDeterministic(call.op))

    def _checked(self, prepared: PreparedCall, outcome: CallOutcome) -> CallOutcome:
        try:
            return self._care.check(prepared.name, outcome)
        except UnreliableTracking as refused:
            values = [output.value for output in outcome.outputs]
            refused.value = prepared.op.options.outputs.join(values)
            raise
