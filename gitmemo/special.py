"""Values that say how gitmemo should treat another value.

Not values with a history (`ref`). Invariant: outside a storage block, and in
the body of an op, the value inside stands there, never the wrapper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ignore(Generic[T]):
    """An argument, or a default, that the body receives and nothing else does.

    It is no part of what identifies the call and leaves nothing behind, not even a hash.
    """

    value: T


@dataclass(frozen=True, slots=True)
class NewArgDefault(Generic[T]):
    """The default of an argument that was added to an op: calls stored before it stay valid.

    A call that passes a value with the same content as the default, or nothing, is the call that
    was stored without the argument; any other value is an input like others. Types count: `1` is
    not `1.0`.
    """

    value: T


@dataclass(frozen=True, slots=True, eq=False)
class ValuePointer(Generic[T]):
    """A value known by a name: the name is hashed instead of the value, which is never stored.

    For large values that never change. Another value under the same name is not noticed.
    """

    id: str
    obj: T

    def __gitmemo_hash__(self) -> str:
        """Return what stands for the value in content ids."""
        return self.id

    def unwrap(self) -> T:
        """Return the value itself; it is not copied."""
        return self.obj


@dataclass(frozen=True, slots=True)
class Transient(Generic[T]):
    """A result that is returned but not stored.

    Only its content id is kept. When the value is needed in another process, the call is run
    again and what it returns is checked against that id. With `unhashable=True` not even an id of
    the content is kept: the call's own identity stands for it, nothing can be checked, and whoever
    unwraps it in this process gets the same object.
    """

    obj: T
    unhashable: bool = False


def bare(value: Any) -> Any:
    """Return the value in an `Ignore`, `NewArgDefault` or `Transient`; anything else as it is."""
    while type(value) in _WRAPPERS:
        value = value.obj if type(value) is Transient else value.value
    return value


_WRAPPERS = frozenset({Ignore, NewArgDefault, Transient})
