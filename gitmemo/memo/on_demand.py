"""Values when they are asked for: read, or made again by the call that made them.

Not which bytes may be read (`trust`). Invariant: a value that was made again
has the content id that was recorded for it.
"""

from __future__ import annotations

from gitmemo.errors import NotReproducible, ValueMissing
from gitmemo.hashing.digest import Digest
from gitmemo.memo.caller import Caller
from gitmemo.memo.calls import Reason, Watch
from gitmemo.memo.execute import identify
from gitmemo.memo.lookup import Lookup
from gitmemo.memo.names import OpNames
from gitmemo.memo.recorder import Recorder
from gitmemo.memo.trust import Values
from gitmemo.ref import Loader, ref_to
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
        names: OpNames,
        values: Values,
        lookup: Lookup,
        recorder: Recorder,
        watch: Watch,
    ) -> None:
        self._world = world
        self._names = names
        self._values = values
        self._lookup = lookup
        self._recorder = recorder
        self._watch = watch
        self.can_pull = False

    def load(self, cid: Digest, hid: Digest, what: str, caller: Caller, loader: Loader) -> object:
        """Return a fresh copy of a value; `what` names it in errors.

        Raises:
            ValueMissing: Its bytes are not on this machine.
            UntrustedValue: Reading it could run code from a remote that is not trusted.
            BlobCorrupt: The bytes are not what was stored.
            NotReproducible: The call that made it was run again and returned something else.
        """

        def describe() -> str:  # asks the world, so only for an error
            return self._described(hid, what)

        try:
            return self._values.load(cid, describe)
        except ValueMissing:
            if self.can_pull or not self._run_again(hid, caller, loader):
                raise
        return self._values.load(cid, describe)

    def _described(self, hid: Digest, what: str) -> str:
        call = self._world.creator(hid)
        for slot in call.outputs if call else ():
            if call and slot.hid == hid:
                return f"{what}, output {slot.name!r} of {call.op}"
        return what

    def _run_again(self, hid: Digest, caller: Caller, loader: Loader) -> bool:
        """Run the call that made a value again, to have its bytes; return whether it could be run."""
        call = self._world.creator(hid)
        op = self._names.named(call.op) if call else None
        if call is None or op is None or op.version != call.op_version:
            return False
        if not self._lookup.is_valid(call.version):
            return False
        closure = {name: identify(value, name)[0] for name, value in op.hidden_inputs().items()}
        if any(closure.get(s.name, s.cid) != s.cid for s in call.inputs) or not closure.keys() <= {
            slot.name for slot in call.inputs
        }:
            return False  # another function was made by the same `def` since
        caller.announce(call.op, Reason.BYTES_MISSING)
        args, kwargs = op.binder.unbind({s.name: ref_to(s, loader).unwrap() for s in call.inputs})
        outcome = caller.execute(op, args, kwargs, {})
        if [output.cid for output in outcome.outputs] != [slot.cid for slot in call.outputs]:
            raise NotReproducible(call.op)
        self._world.record(self._recorder.outputs(outcome))
        self._watch.counter.computed += 1
        return True
