"""Components: the units of the user's code that a call can touch.

Not how they are found (`source`, `tracing`), only what they are called and
what they hold. Invariant: a component's name depends on the repository's own
layout, never on the machine, the process or how the code was started.
"""

from __future__ import annotations

from dataclasses import dataclass

from gitmemo.hashing.digest import Digest

MAIN_PATH = "__main__"
"""The path of code that has no file: the REPL, `python -c`, standard input."""


@dataclass(frozen=True, slots=True, order=True)
class Component:
    """One unit of code.

    Attributes:
        path: POSIX path of the file, relative to the project root.
        unit: `f` or `C.m` for a function or method, `class C` for a class
            statement without its methods, `$N` for a module-level global.
    """

    path: str
    unit: str

    def __str__(self) -> str:
        return f"{self.path}:{self.unit}"


@dataclass(frozen=True, slots=True)
class Content:
    """What a component holds at one moment.

    Attributes:
        source: Digest of the canonical syntax tree of its statements and of the
            imports that they use: the same at run time and from a staged file.
        value: What only a running program knows: for a global the content id of
            its value, for code the digest of what its global names point to.
            None where it is not known.
    """

    source: Digest
    value: Digest | None = None
