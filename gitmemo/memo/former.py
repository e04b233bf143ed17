"""Stored calls of an op under names that it, its arguments or its outputs had before.

Not what was renamed (`model.renames`), nor whether code is what it was
(`verdicts`). Invariant: a call under another name is only taken for one of this
op if the code says that it was this very function, since renamed or moved: an
old name may belong to another function by now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gitmemo.hashing.digest import Digest
from gitmemo.memo.inputs import PreparedCall
from gitmemo.memo.verdicts import Verdicts
from gitmemo.model import ids
from gitmemo.model.components import Component
from gitmemo.model.facts import Call, Slot, Version
from gitmemo.model.glances import Asked
from gitmemo.model.names import unnamed_output
from gitmemo.model.renames import Renames
from gitmemo.world.view import CallSignature, Candidate, World

if TYPE_CHECKING:
    from gitmemo.memo.op import Op


class FormerNames:
    """What one op was called, and what its arguments and outputs were.

    Args:
        own: The component of the op's function; None where code is not versioned.
        name_at: Returns what an op in this component would be called.
    """

    def __init__(
        self,
        op: Op[..., Any],
        name: str,
        renames: Renames,
        world: World,
        verdicts: Verdicts | None,
        own: Component | None,
        name_at: Callable[[Component], str],
    ) -> None:
        self._op = op
        self._name = name
        self._renames = renames
        self._world = world
        self._verdicts = verdicts
        self._own = own
        self._name_at = name_at

    def candidates(
        self, prepared: PreparedCall, *, of_any: bool = False, only_deciding: bool = False
    ) -> Iterator[Candidate]:
        """Yield the calls on these contents that are stored under other names of op or arguments.

        `of_any` asks for those of other functions, too, which had or have these names;
        `only_deciding`, where there are many, for those alone that decide what a look-up finds.
        """
        for name in (self._name, *self._renames.ops(self._name)):
            prefix = ids.op_key(name, self._op.version)
            signatures = self._world.signatures(name, self._op.version)
            for stored in sorted({signature.inputs for signature in signatures}):
                inputs = self._inputs(stored, prepared.slots)
                if not inputs or (name == self._name and prepared.key == _key(prefix, inputs)):
                    continue
                asked = Asked(name, self._op.version, tuple(inputs.values()))
                key = _key(prefix, inputs)
                for candidate in self._world.candidates(key, asked if only_deciding else None):
                    if of_any or name == self._name or self._is_own(candidate.call):
                        yield candidate

    def is_named_so(self, call: Call) -> bool:
        """Whether a stored call has the names of now."""
        return call.op == self._name and [slot.name for slot in call.outputs] == self.outputs(call)

    def outputs(self, call: Call) -> list[str]:
        """Return what the outputs of a stored call are called now."""
        stored = [slot.name for slot in call.outputs]
        now = self._renames.outputs(self._name, stored, self._declared or stored)
        return [now.get(name, name) for name in stored]

    def signature(self, stored: CallSignature) -> CallSignature:
        """Return what a signature would be with the names of now."""
        taken = self._op.arguments.binder.arguments
        inputs = self._renames.arguments(self._name, stored.inputs, taken)
        outputs = self._renames.outputs(self._name, stored.outputs, self._declared)
        return CallSignature(
            stored.version,
            tuple(inputs.get(name, name) for name in stored.inputs),
            tuple(outputs.get(name, name) for name in stored.outputs),
        )

    @property
    def _declared(self) -> tuple[str, ...]:
        outputs = self._op.options.outputs
        return outputs.names or tuple(map(unnamed_output, range(outputs.count or 0)))

    def _inputs(self, stored: Sequence[str], slots: Sequence[Slot]) -> dict[str, Slot]:
        """Return the arguments by the names that calls like `stored` have; empty if they do not fit.

        Arguments that such calls do not have must be at their defaults.
        """
        given = {slot.name: slot for slot in slots}
        now = self._renames.arguments(self._name, stored, given)
        if not now or not set(now.values()) <= given.keys():
            return {}
        added = [slot for name, slot in given.items() if name not in now.values()]
        if added and not self._op.options.match_defaults:
            return {}
        if not all(self._op.arguments.is_default(slot.name, slot.cid) for slot in added):
            return {}
        return {name: given[new] for name, new in now.items()}

    def may_be_own(self, call: Call) -> bool:
        """Whether a call under the op's own name is one of this function, as far as it says."""
        return call.moved is None or self._own is None or self._is_own(call)

    def moved(self, call: Call) -> tuple[Component, Component] | None:
        """Return what the function of a stored call was and is; None where it is the same component."""
        version = self._world.version(call.version) if call.version else None
        if version is None or self._own is None:
            return None
        for was in self._functions(call, version):
            if was != self._own and self._is_now(was, version):
                return was, self._own
        return None

    def _is_own(self, call: Call) -> bool:
        """Whether a call under another name was one of this function."""
        version = self._world.version(call.version) if call.version else None
        if version is None:
            return False
        return any(self._is_now(one, version) for one in self._functions(call, version))

    def _is_now(self, component: Component, version: Version) -> bool:
        if self._own is None or self._verdicts is None:
            return False
        return self._verdicts.is_now(component, version.pairs[component], self._own)

    def _functions(self, call: Call, version: Version) -> list[Component]:
        """Return which components of a call's version its op's function may have been."""
        if call.moved is not None:
            return [one for one in call.moved[:1] if one in version.pairs]
        names = {self._name, *self._renames.ops(self._name)}
        named = {self._name_at(component): component for component in version.pairs}
        found = [named[name] for name in sorted(names & named.keys())]
        if call.op in named:
            return [named[call.op]]
        if not found:
            # It gave itself a name. Of what it called, anything could have that name today.
            return [] if call.inner else list(version.pairs)
        return found if len(found) == 1 else []


def _key(prefix: bytes, inputs: dict[str, Slot]) -> Digest:
    return ids.call_key(prefix, [(name, slot.cid) for name, slot in inputs.items()])
