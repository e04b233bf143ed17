"""Results that another tool computed, recorded as calls of ops.

Not what other tools store, nor whether their results can be believed (`gitmemo.moving`).
Invariant: a call that is brought says so in its record, and nothing runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

from gitmemo.hashing.digest import Digest
from gitmemo.memo.recorder import Rehearsal
from gitmemo.memo.storage import Storage
from gitmemo.model.components import Component, Content
from gitmemo.model.facts import JsonValue
from gitmemo.tracing import CodeState

if TYPE_CHECKING:
    from gitmemo.memo.op import Op


class Bringing:
    """Brings calls into one storage; without `records` it does all of that but writing."""

    def __init__(self, storage: Storage, *, records: bool) -> None:
        self._storage = storage
        self._records = records
        self._caller = storage._caller
        if not records:
            self._caller = copy(storage._caller)
            self._caller._recorder = Rehearsal(storage._recorder)
        self._rehearsed: set[Digest] = set()

    def name_of(self, op: Op[..., Any]) -> str:
        """Return the name of an op in this storage."""
        return self._storage._names.name_of(op)[0]

    def touched(self, op: Op[..., Any]) -> Mapping[Component, Content]:
        """Return what calls of an op could touch besides its function, read from its code of now."""
        caller = self._caller
        watch = caller.tracking.capture(
            op.__wrapped__,
            static=True,
            arguments=op.options.track,
            scope=caller.requests.of_values(op, (), {}, {}).scope,
        )
        with watch as capture:
            pass
        project, function = self._storage.project, op.__wrapped__
        path = project.component_path(function.__code__.co_filename) if project else None
        own = path, function.__qualname__
        return {c: at for c, at in capture.components.items() if (c.path, c.unit) != own}

    def text(self, component: Component, content: Content) -> str:
        """Return the text of a component of the code as it is now."""
        code = self._storage._code
        return code.text(component, content) if isinstance(code, CodeState) else ""

    def is_known(self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether a stored call stands for this one already, or would by now."""
        if self._storage.stored.is_cached(op, args, kwargs):
            return True
        prepared = self._caller.prepare(op, args, kwargs) if self._rehearsed else None
        return prepared is not None and prepared.key in self._rehearsed

    def bring(
        self,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        returned: object,
        came: Mapping[str, JsonValue],
    ) -> tuple[Any, ...]:
        """Record a call that returned this, or find the one that is stored; return its refs.

        Without `records` there are none, as their values would not be stored.

        Raises:
            TypeError: The arguments do not fit.
            Unhashable, Unencodable: A value cannot be stored.
            WrongOutputs: What was returned is not what the op says it returns.
        """
        is_known = self.is_known(op, args, kwargs)
        if is_known and self._records:
            return _refs(self._caller.call(op, args, kwargs))
        if is_known:
            return ()
        prepared = self._caller.prepare(op, args, kwargs)
        refs = self._caller.bring(prepared, returned, came)
        if self._records:
            return _refs(refs)
        self._rehearsed.add(prepared.key)
        return ()


def _refs(handed_out: Any) -> tuple[Any, ...]:
    return handed_out if isinstance(handed_out, tuple) else (handed_out,)
