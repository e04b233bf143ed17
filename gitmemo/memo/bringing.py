"""Results that another tool computed, recorded as calls of ops.

Not what other tools store, nor whether their results can be believed (`gitmemo.moving`).
Invariant: a call that is brought says so in its record, and nothing runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitmemo.memo.storage import Storage
from gitmemo.model.components import Component, Content
from gitmemo.model.facts import JsonValue
from gitmemo.tracing import CodeState

if TYPE_CHECKING:
    from gitmemo.memo.op import Op


class Bringing:
    """Brings calls into one storage."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def name_of(self, op: Op[..., Any]) -> str:
        """Return the name of an op in this storage."""
        return self._storage._names.name_of(op)[0]

    def touched(self, op: Op[..., Any]) -> Mapping[Component, Content]:
        """Return what calls of an op could touch besides its function, read from its code of now."""
        caller = self._storage._caller
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
        """Whether a stored call stands for this one already."""
        return self._storage.stored.is_cached(op, args, kwargs)

    def bring(
        self,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        returned: object,
        came: Mapping[str, JsonValue],
    ) -> tuple[Any, ...]:
        """Record a call that returned this, or find the one that is stored; return its refs.

        Raises:
            TypeError: The arguments do not fit.
            Unhashable, Unencodable: A value cannot be stored.
            WrongOutputs: What was returned is not what the op says it returns.
        """
        caller = self._storage._caller
        if self.is_known(op, args, kwargs):
            refs = caller.call(op, args, kwargs)
        else:
            refs = caller.bring(caller.prepare(op, args, kwargs), returned, came)
        return refs if isinstance(refs, tuple) else (refs,)
