"""Calls of ops: looked up if they were made before, else run and recorded.

Not the look-up (`lookup`) nor the running (`execute`): this module puts them
together. Invariant: a call that was run is durable before its refs are handed
out, and nobody but the op's body ever holds the values behind them.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from gitmemo.hashing.digest import Digest
from gitmemo.memo.calls import CallEvent, GlobalChanged, Hit, Reason, Watch, hit_of
from gitmemo.memo.execute import CallOutcome, CallRequest, Tracking, execute, running
from gitmemo.memo.inputs import guarded_inputs, short_cut, slots_of
from gitmemo.memo.lookup import Lookup
from gitmemo.memo.names import OpNames
from gitmemo.memo.recorder import Recorder
from gitmemo.model.components import Component
from gitmemo.model.facts import Slot
from gitmemo.ref import IMMUTABLE, AtomRef, Loader, ref_to, unwrap_all
from gitmemo.world.view import World

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

_MOST_SHORT_CUTS = 20_000


class Caller:
    """Makes the calls of one storage; `loader` loads the values of the refs that it hands out."""

    def __init__(
        self,
        world: World,
        names: OpNames,
        lookup: Lookup,
        recorder: Recorder,
        tracking: Tracking,
        watch: Watch,
        loader: Loader,
    ) -> None:
        self._world = world
        self._names = names
        self._lookup = lookup
        self._recorder = recorder
        self._tracking = tracking
        self._watch = watch
        self._loader = loader
        self._hits: dict[tuple[object, ...], Hit] = {}
        self._reported: set[Component] = set()

    def clear(self) -> None:
        """Forget short cuts: other facts may be visible now."""
        self._hits.clear()

    def call(self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the outputs of a call: refs, or plain values inside the body of another op."""
        inputs = op.binder.bind(args, kwargs) | op.hidden_inputs()
        key = short_cut(op, inputs)
        hit = self._hits.get(key) if key else None
        if hit is not None and self._lookup.is_valid(hit.version):
            return self._hand_out(op, hit)
        slots = slots_of(self._names.name_of(op)[0], inputs)
        call = self._lookup.find(op, slots)
        if call is None:
            return self._compute(op, args, kwargs, inputs, slots)
        hit = hit_of(call)
        if key:
            self._remember(key, hit)
        return self._hand_out(op, hit)

    def _remember(self, key: tuple[object, ...], hit: Hit) -> None:
        """Keep a short cut to a stored call, and only so many that memory stays small."""
        self._hits[key] = hit
        if len(self._hits) > _MOST_SHORT_CUTS:
            for old in list(islice(self._hits, _MOST_SHORT_CUTS // 2)):
                self._hits.pop(old, None)  # another thread may have

    def execute(
        self,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        guarded: Mapping[str, tuple[Any, Digest]],
    ) -> CallOutcome:
        """Run the op's body, and raise what it raises."""
        request = CallRequest(
            op=self._names.name_of(op)[0],
            function=op.__wrapped__,
            args=unwrap_all(args),
            kwargs=unwrap_all(kwargs),
            outputs=op.outputs,
            guarded=guarded,
        )
        outcome = execute(request, self._tracking)
        if outcome.error is not None:
            raise outcome.error
        return outcome

    def _hand_out(self, op: Op[..., Any], hit: Hit) -> Any:
        self._watch.reused(hit)
        refs = [ref_to(slot, self._loader) for slot in hit.outputs]
        frame = running.get()
        if frame is None:
            return op.outputs.join(refs)
        frame.inner.append(hit.hid)
        version = self._world.version(hit.version) if hit.version else None
        if version:
            frame.capture.add(version.pairs)
        return op.outputs.join([ref.unwrap() for ref in refs])

    def _compute(
        self,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        inputs: Mapping[str, Any],
        slots: list[Slot],
    ) -> Any:
        name, _ = self._names.name_of(op)
        facts = self._recorder.inputs(name, inputs, slots)
        outcome = self.execute(op, args, kwargs, guarded_inputs(inputs, slots))
        call = self._recorder.call(name, op.version, slots, outcome, facts)
        self._report(name, outcome.mutated)
        self._watch.counter.computed += 1
        values = [output.value for output in outcome.outputs]
        frame = running.get()
        if frame is not None:
            frame.inner.append(call.hid)
            frame.capture.add(outcome.components)
            return op.outputs.join(values)
        return op.outputs.join(
            [
                AtomRef(slot.cid, slot.hid, self._loader, slot.inline, value)
                if type(value) in IMMUTABLE
                else ref_to(slot, self._loader)
                for slot, value in zip(call.outputs, values, strict=True)
            ]
        )

    def _report(self, op: str, mutated: tuple[Component, ...]) -> None:
        for component in mutated:
            if component not in self._reported:
                self._reported.add(component)
                warnings.warn(GlobalChanged(op, component), stacklevel=6)

    def announce(self, op: str, reason: Reason) -> None:
        """Tell the observer of a call that is run for another reason than a missed look-up."""
        self._watch.tell(lambda: CallEvent(op, reason))
