"""What a storage does with refs: their values, and which calls made them.

Not how values come back (`on_demand`), nor refs (`gitmemo.ref`). Invariant: what is handed out is a
copy, so nobody changes what is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from gitmemo.errors import UnknownRef
from gitmemo.files.names import rooted
from gitmemo.hashing.digest import Digest
from gitmemo.memo.calls import CallView
from gitmemo.memo.on_demand import OnDemand
from gitmemo.memo.tagging import Tagging
from gitmemo.model.tags import SIGN
from gitmemo.ref import Ref, at_hand, map_refs, ref_inside, unwrap_all
from gitmemo.tracing import Project

R = TypeVar("R")


class Refs(Tagging):
    """What can be done with refs, tagged ones too."""

    project: Project | None
    _on_demand: OnDemand

    def load(
        self, cid: Digest, hid: Digest, what: str, within: Callable[[], object] | None = None
    ) -> object:
        """Return a fresh copy of a value; `what` names it in errors.

        `within` takes it from the collection that it is in, for a value that is not stored alone.
        Where no remote could have its bytes, the call that made it is run again.

        Raises:
            ValueMissing: Its bytes are not on this machine.
            UntrustedValue: Reading it could run code from a remote that is not trusted.
            BlobCorrupt: The bytes are not what was stored.
        """
        with rooted(self.project.root if self.project else None):
            return self._on_demand.load(cid, hid, what, within)

    @overload
    def unwrap(self, obj: Ref[R]) -> R: ...
    @overload
    def unwrap(self, obj: R) -> R: ...
    def unwrap(self, obj: Any) -> Any:
        """Return `obj` with every ref in it, also inside containers, replaced by a copy of its value.

        Examples:
            >>> @gm.op
            ... def double(x):
            ...     return 2 * x
            >>> with storage:
            ...     results = {x: double(x) for x in (1, 2)}
            >>> storage.unwrap(results)
            {1: 2, 2: 4}
        """
        return unwrap_all(obj)

    def attach(self, obj: Any, *, inplace: bool = False) -> Any:
        """Load the values of refs into them; return the refs, new ones unless `inplace`."""
        with at_hand(obj):
            return map_refs(obj, lambda ref: ref.attached(inplace=inplace))

    def load_ref(self, hid: str, *, in_memory: bool = True) -> Ref[Any]:
        """Return the ref with history id `hid`; `in_memory=False` leaves its value stored.

        The first digits (4 or more) of the 64 are enough where no other value's id begins with them.
        `@NAME` is the value with this name.

        Raises:
            UnknownRef: No call that is known here made it.
            AmbiguousId: Several values have ids that begin like this.
            UnknownTag, TagContested, TaggedGone: As `tagged`.

        Examples:
            >>> @gm.op
            ... def double(x):
            ...     return 2 * x
            >>> with storage:
            ...     six = double(3)
            >>> storage.load_ref(six.hid[:12]).unwrap()
            6
        """
        from gitmemo.versions.finding import value_meant

        if hid.startswith(SIGN):
            named = self.tagged(hid)
            return named.attached(inplace=True) if in_memory else named
        wanted = value_meant(self.world, hid)
        call = self.world.creator(wanted)
        for slot in call.outputs if call else ():
            ref = ref_inside(slot, wanted, self)
            if ref is not None:
                return ref.attached(inplace=True) if in_memory else ref
        raise UnknownRef(hid)

    def get_ref_creator(self, ref: Ref[Any] | str) -> CallView | None:
        """Return the call that made `ref`, also given as `@NAME`; None for a value from outside.

        Examples:
            >>> @gm.op
            ... def double(x):
            ...     return 2 * x
            >>> with storage:
            ...     six = double(3)
            >>> storage.get_ref_creator(six).inputs["x"].unwrap()
            3
        """
        meant = self._ref_meant(ref)
        call = self.world.creator(meant._hid) if isinstance(meant, Ref) else None
        return None if call is None else CallView(call, self)
