"""What running a call needs: the function, and the values that its body receives.

Not the running (`execute`). Invariant: making a request runs nothing of the user's, and stores nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitmemo.hashing.digest import Digest
from gitmemo.memo.arguments import Body
from gitmemo.memo.execute import CallRequest
from gitmemo.memo.inputs import PreparedCall, guarded_inputs
from gitmemo.memo.names import OpNames
from gitmemo.memo.scopes import Scopes
from gitmemo.ref import Loader, Ref, at_hand, ref_to

if TYPE_CHECKING:
    from gitmemo.memo.op import Op


class Requests:
    """Makes requests of the calls of one storage.

    Attributes:
        scopes: What each op may depend on.
    """

    def __init__(self, names: OpNames, scopes: Scopes, loader: Loader) -> None:
        self._names = names
        self.scopes = scopes
        self._loader = loader

    def of_call(self, call: PreparedCall) -> CallRequest:
        """Return what running a call needs; `InputMutated` guards its raw inputs."""
        op = call.op
        if call.is_plain and not op.options.sees_refs:
            return self.of_values(op, call.args, call.kwargs, {})
        with at_hand(list(call.inputs.values())):
            body = self._body(call)
        return self.of_values(op, *body, guarded_inputs(call, op.arguments))

    def of_values(
        self,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        guarded: Mapping[str, tuple[Any, Digest]],
    ) -> CallRequest:
        """Return what running the op's body on these values needs."""
        options, name = op.options, self._names.name_of(op)[0]
        # Without names: they would take half of the time.
        return CallRequest(
            name,
            op.__wrapped__,
            args,
            kwargs,
            options.outputs,
            guarded,
            options.materialize,
            options.track,
            options.static,
            self.scopes.of(op, name),
            options.sees_refs,
            op.arguments.shapes,
        )

    def _body(self, call: PreparedCall) -> Body:
        arguments = call.op.arguments
        if call.op.options.sees_refs:
            refs = {
                slot.name: value if isinstance(value, Ref) else ref_to(slot, self._loader)
                for slot, value in zip(call.slots, call.told.values(), strict=True)
            }
            return arguments.binder.unbind({**call.inputs, **refs})
        if call.told is call.inputs:
            return arguments.body_as_passed(call.args, call.kwargs)
        return arguments.body(call.inputs)
