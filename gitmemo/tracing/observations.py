"""What was looked at to find a content, so that it can be checked cheaply again.

Every reading of the running program goes through `Observations`, which notes
it; a `Probe` repeats the notes. Invariant: as long as a probe says unchanged,
reading the same components again would give the same contents.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Final

from gitmemo.file_states import FileState, is_fresh, state_of

MISSING: Final = object()
"""Stands for a name that a namespace does not have."""

Guard = Callable[[], bool]
"""Answers whether a mutable value still is what it was."""

_NEVER: Final = (-1, -1, -1, -1, -1)

Namespace = Mapping[str, object]


class Observations:
    """A growing list of what was seen."""

    __slots__ = ("codes", "files", "guards", "names", "sizes")

    def __init__(self) -> None:
        self.names: list[tuple[Namespace, str, object]] = []
        self.codes: list[tuple[FunctionType, object, object, object]] = []
        self.sizes: list[tuple[Namespace, int]] = []
        self.guards: list[Guard] = []
        self.files: list[tuple[str, FileState | None]] = []

    def look(self, namespace: Namespace, name: str) -> object:
        """Return `namespace[name]`, or `MISSING`."""
        value = namespace.get(name, MISSING)
        self.names.append((namespace, name, value))
        return value

    def function(self, function: FunctionType) -> None:
        """Note the code and the defaults of a function."""
        self.codes.append(
            (function, function.__code__, function.__defaults__, function.__kwdefaults__)
        )

    def keys(self, namespace: Namespace) -> list[str]:
        """Return the names of a namespace; a new one or a lost one is noticed."""
        # Swapping one name for another keeps the size, but the lost one was looked at.
        self.sizes.append((namespace, len(namespace)))
        return list(namespace)

    def guard(self, guard: Guard | None) -> None:
        """Note a check of a mutable value."""
        if guard is not None:
            self.guards.append(guard)

    def file(self, name: str) -> None:
        """Note that a file was read."""
        state = file_state(name)
        self.files.append((name, _NEVER if state and is_fresh(state) else state))

    def include(self, others: Iterable[Observations]) -> None:
        """Take over what others have seen."""
        for other in others:
            self.names.extend(other.names)
            self.codes.extend(other.codes)
            self.sizes.extend(other.sizes)
            self.guards.extend(other.guards)
            self.files.extend(other.files)

    def unchanged(self) -> bool:
        """Look again at everything, the cheapest first."""
        for namespace, name, value in self.names:
            if namespace.get(name, MISSING) is not value:
                return False
        for function, code, defaults, keyword_defaults in self.codes:
            if (
                function.__code__ is not code
                or function.__defaults__ is not defaults
                or function.__kwdefaults__ is not keyword_defaults
            ):
                return False
        for namespace, size in self.sizes:
            if len(namespace) != size:
                return False
        for guard in self.guards:
            if not guard():
                return False
        return not self.files or all(file_state(name) == state for name, state in self.files)


class Probe:
    """A cheap check that nothing happened to some components since it was made.

    It may say changed when nothing did; it never says unchanged wrongly for
    rebinding, redefinition or mutation of what the components hold.
    """

    __slots__ = ("seen",)

    def __init__(self, observations: Iterable[Observations]) -> None:
        seen = Observations()
        seen.include(observations)
        # Components share most of what they look at: the same module, the same global.
        seen.names = list({(id(n), k): (n, k, v) for n, k, v in seen.names}.values())
        seen.codes = list({id(entry[0]): entry for entry in seen.codes}.values())
        seen.sizes = list({id(n): (n, size) for n, size in seen.sizes}.values())
        seen.guards = list({id(guard): guard for guard in seen.guards}.values())
        seen.files = list(dict(seen.files).items())
        self.seen = seen

    def unchanged(self) -> bool:
        """Whether the contents are certainly what they were."""
        return self.seen.unchanged()


def file_state(name: str) -> FileState | None:
    """Return what tells one state of a file from the next, None if there is no file."""
    try:
        status = os.stat(name)  # noqa: PTH116 - called often, a Path costs as much again
    except OSError:
        return None
    return state_of(status)
