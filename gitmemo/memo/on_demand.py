"""Values when they are asked for: read, or made again by the call that made them.

Not which bytes may be read (`trust`). Invariant: a value that was made again
has the content id that was recorded for it.
"""

from __future__ import annotations

from collections.abc import Callable

from gitmemo.errors import NotReproducible, OverflowMissing, UntrustedValue, ValueMissing
from gitmemo.hashing.digest import Digest
from gitmemo.memo.calls import CallEvent, Reason, Watch
from gitmemo.memo.execute import CallOutcome, Output
from gitmemo.memo.recorder import Recorder
from gitmemo.memo.rerun import Rerun
from gitmemo.memo.trust import Values, told
from gitmemo.model.facts import Call
from gitmemo.ref import Loader, private, ref_to
from gitmemo.world.view import World


class OnDemand:
    """The values of a storage's refs.

    Attributes:
        can_pull: Whether values that are not on this machine may be on a remote; if not, the
            calls that made them are run again when the values are needed.
    """

    def __init__(
        self,
        world: World,
        values: Values,
        rerun: Rerun,
        recorder: Recorder,
        watch: Watch,
        loader: Loader,
    ) -> None:
        self._world = world
        self._values = values
        self._rerun = rerun
        self._recorder = recorder
        self._watch = watch
        self._loader = loader
        self.can_pull = False

    def load(
        self,
        cid: Digest,
        hid: Digest,
        what: str,
        within: Callable[[], object] | None = None,
    ) -> object:
        """Return a fresh copy of a value; `what` names it in errors.

        `within` takes it from the collection that it is in, if it is not stored alone.

        Raises:
            ValueMissing, OverflowMissing: Its bytes are not on this machine.
            UntrustedValue: Reading it could run code from a remote that is not trusted.
            BlobCorrupt: The bytes are not what was stored.
            NotReproducible: The call that made it was run again and returned something else.
        """

        def describe() -> str:  # asks the world, so only for an error
            return told(self._world, hid, what)

        try:
            return self._values.load(cid, describe)
        except (ValueMissing, OverflowMissing, UntrustedValue) as error:
            if within is not None and not isinstance(error, UntrustedValue):
                return within()
            # A value that was not to be stored is nowhere else either.
            if self.can_pull and self._world.values(cid):
                if isinstance(error, ValueMissing) and not error.has_remote:
                    raise ValueMissing(error.what, error.cid, has_remote=True) from None
                raise
            output = self._made_again(hid)
            if output is None:
                raise
        if output.is_stored:
            return self._values.load(cid, describe)
        return output.value if output.cid is None else private(output.value)

    def _made_again(self, hid: Digest) -> Output | None:
        """Run the call that made a value again; return the value, None if it cannot be run."""
        call = self._world.creator(hid)
        if call is None or self._rerun.obstacle(call) is not None:
            return None
        self._watch.tell(lambda: CallEvent(call.op, Reason.BYTES_MISSING))
        outcome = self._rerun.run(call, lambda slot: ref_to(slot, self._loader).unwrap())
        if not _is_same_result(outcome, call):
            raise NotReproducible(call.op, any(self._world.values(s.cid) for s in call.outputs))
        self._world.record(self._recorder.outputs(outcome))
        self._watch.computed(call.op)
        found = [
            o for o, slot in zip(outcome.outputs, call.outputs, strict=True) if slot.hid == hid
        ]
        return found[0] if found else None


def _is_same_result(outcome: CallOutcome, call: Call) -> bool:
    """Whether the outputs are those of `call`, as far as their contents are known."""
    if [output.name for output in outcome.outputs] != [slot.name for slot in call.outputs]:
        return False
    pairs = zip(outcome.outputs, call.outputs, strict=True)
    return all(output.cid in (None, slot.cid) for output, slot in pairs)
