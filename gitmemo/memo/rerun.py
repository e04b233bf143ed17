"""Running a stored call again with the code of now.

Not recording what comes of it (`on_demand`), nor comparing it (`checking`).
Invariant: only a call that is valid for the code of now is run, so that it must
return what it returned; unless it is to be seen whether other code matters.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from gitmemo.memo.caller import Caller
from gitmemo.memo.execute import CallOutcome, execute, execute_async, identify
from gitmemo.memo.lookup import Lookup
from gitmemo.memo.names import OpNames
from gitmemo.memo.signature import ORDER
from gitmemo.model.facts import Call, Slot
from gitmemo.model.names import is_closure

if TYPE_CHECKING:
    from gitmemo.memo.op import Op


class Rerun:
    """Runs the stored calls of one storage again."""

    def __init__(self, names: OpNames, lookup: Lookup, caller: Caller) -> None:
        self._names = names
        self._lookup = lookup
        self._caller = caller

    def obstacle(self, call: Call, *, any_code: bool = False) -> str | None:
        """Say why `call` cannot be run again with the code of now; None if it can.

        With `any_code` it is no obstacle that it was made with other code.
        """
        op = self._names.named(call.op)
        if op is None:
            return "its op is not loaded in this program"
        if op.version != call.op_version:
            return f"its op has version {op.version} now, had {call.op_version} then"
        if not any_code and not self._lookup.is_valid(call):
            return "its code has changed since"
        hidden = op.arguments.hidden().items()
        closure = {name: identify(value, name)[0] for name, value in hidden}
        inputs = {slot.name: slot.cid for slot in call.inputs}
        if any(inputs.get(name) != cid for name, cid in closure.items()):
            return (
                "another function was made by the same `def` since, which closes over other values"
            )
        return None if _fits(op, call) else "its op has other parameters now, or one was ignored"

    def run(self, call: Call, argument: Callable[[Slot], object]) -> CallOutcome:
        """Run `call`, about which there is no obstacle; `argument` gives its inputs.

        Raises:
            Exception: Whatever `argument` or the op raises.
        """
        op = self._names.named(call.op)
        assert op is not None  # `obstacle` said so
        noted = {name: value for name, value in call.ignored.items() if value is not None}
        given = {**noted, **{slot.name: argument(slot) for slot in call.inputs}}
        args, kwargs = op.arguments.binder.unbind(given)
        request = self._caller.requests.of_values(op, args, kwargs, {})
        if op.is_async:
            outcome = _awaited(execute_async(request, self._caller.tracking))
        else:
            outcome = execute(request, self._caller.tracking)
        if outcome.error is not None:
            raise outcome.error
        return outcome


def _awaited(coroutine: Coroutine[Any, Any, CallOutcome]) -> CallOutcome:
    """Wait for a coroutine where nobody can await it: a value is asked for by plain code.

    It gets an event loop of its own, and leaves the thread's as it is. A loop that is running here
    could not go on with it while it is waited for, so then it runs in another thread.
    """
    import asyncio  # few programs need it here, and it takes long
    from concurrent.futures import ThreadPoolExecutor

    def run() -> CallOutcome:
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            return runner.run(coroutine)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return run()
    with ThreadPoolExecutor(1, "gitmemo-rerun") as beside:
        return beside.submit(copy_context().run, run).result()


def _fits(op: Op[..., Any], call: Call) -> bool:
    """Whether the op still takes what the call gave; what the call did not give needs a default."""
    names = {slot.name for slot in call.inputs if not is_closure(slot.name)}
    names |= {name for name, value in call.ignored.items() if value is not None}
    binder = op.arguments.binder
    try:
        args, kwargs = binder.unbind(dict.fromkeys(names))
        return names <= {*binder.bind(args, kwargs), ORDER}
    except (KeyError, TypeError):
        return False
