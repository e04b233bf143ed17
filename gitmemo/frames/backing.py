"""What a frame asks of the storage that it came from, and of nothing else.

Not a storage. Invariant: a frame without one can be made, combined and counted; what needs values,
versions or commits says that it has none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol, TypeAlias

from gitmemo.frames.universe import Hids, Universe
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call
from gitmemo.ref import Loader


class Operation(Protocol):
    """An op, of which frames know no more than that its storage has a name for it."""

    @property
    def qualname(self) -> str:
        """The name of its function in its module."""
        ...


Node: TypeAlias = str | Operation
"""A variable or a function by name, or an op for its function."""

Nodes: TypeAlias = list[str] | list[Node] | Sequence[Operation] | tuple[Node, ...]
"""Several of these."""

CallTest = Callable[[Call], bool]


class Backing(Protocol):
    """What knows the values, the versions and the commits of calls."""

    @property
    def loader(self) -> Loader:
        """Where values are loaded from."""
        ...

    def name_of(self, op: object) -> str | None:
        """Return the full name of an op that was given as an object; None if it is none."""
        ...

    def pending(self) -> Collection[Digest]:
        """Return the history ids of the calls that are not committed."""
        ...

    def of_version(self, text: str) -> CallTest:
        """Return what tells the calls with a version, given by (the beginning of) one of its ids.

        Raises:
            UnknownId: There is none, or several.
        """
        ...

    def of_commit(self, rev: str) -> CallTest:
        """Return what tells the calls that were run at a commit, given as git knows it.

        Raises:
            UnknownRevision: Git does not know it.
        """
        ...

    def of_user(self, text: str) -> CallTest:
        """Return what tells the calls whose author's name or email has `text` in it.

        Raises:
            UnknownAuthor: Nobody's has.
            WrongQuestion: The calls are in no repository.
        """
        ...

    def of_decision(self, decision: str) -> CallTest:
        """Return what tells calls of the very code of now from those that a decision lets count."""
        ...

    def tags(self, calls: Collection[Call]) -> Sequence[str]:
        """Return the names, with @, of the values that calls made."""
        ...

    def universe(self) -> Universe:
        """Return the calls that there are now."""
        ...

    def records(self, hids: Collection[Digest]) -> tuple[Call, ...]:
        """Return all records of calls, as they are stored; those that a look-up could find as well."""
        ...

    def not_forgotten(self, records: Collection[Call], *, but: Digest | None = None) -> Hids:
        """Return the history ids of those among records that no tombstone covers `but` one."""
        ...

    def forget(self, records: Collection[Call], why: str) -> Digest:
        """Forget records of calls; return the id of the tombstone."""
        ...

    def restore(self, tombstone: Digest) -> None:
        """Bring back what was forgotten."""
        ...
