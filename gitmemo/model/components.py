"""Components: what a call can touch, above all the units of the user's code.

Not how they are found (`source`, `tracing`), only what they are called and
what they hold. Invariant: a component's name depends on the repository's own
layout, never on the machine, the process or how the code was started.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gitmemo.hashing.digest import Digest

MAIN_PATH = "__main__"
"""The path of code that has no file: the REPL, `python -c`, standard input."""

PACKAGE = "package"
"""The path of installed packages; the unit is the distribution's name (PEP 503)."""

ENV = "env"
"""The path of environment variables."""

FILE = "file"
"""The path of files that are no code; the unit is their path from the project root."""

_EXTERNAL = frozenset({PACKAGE, ENV, FILE})
_WORDS = {PACKAGE: "package", ENV: "environment variable", FILE: "file"}


@dataclass(frozen=True, slots=True, order=True)
class Component:
    """One unit of code, or something outside of the code that the user named.

    Attributes:
        path: POSIX path of the file, relative to the project root; `package`, `env` or
            `file` for what is no code.
        unit: `f` or `C.m` for a function or method, `class C` for a class
            statement without its methods, `$N` for a module-level global; the name
            of what is no code.
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
        is_fixed: Of a variable: whether its text alone says which value it has. Not recorded.
    """

    source: Digest
    value: Digest | None = None
    is_fixed: bool = field(default=False, compare=False)


def is_variable(component: Component) -> bool:
    """Whether it is a variable of a module.

    >>> is_variable(Component("lib.py", "$N")), is_variable(Component("lib.py", "f"))
    (True, False)
    """
    return component.unit.startswith("$")


def is_external(component: Component) -> bool:
    """Whether it is no code: an installed package, an environment variable or a file.

    >>> is_external(Component("package", "numpy")), is_external(Component("package.py", "f"))
    (True, False)
    """
    return component.path in _EXTERNAL


def plain_name(component: Component) -> str:
    """Return its name as code writes it.

    >>> plain_name(Component("lib.py", "$N")), plain_name(Component("lib.py", "class C"))
    ('N', 'C')
    """
    return component.unit.removeprefix("$").removeprefix("class ")


def names_of(component: Component) -> tuple[str, ...]:
    """Return what people may write for it.

    >>> names_of(Component("lib.py", "class C"))
    ('lib.py:class C', 'lib.py:C', 'class C', 'C')
    """
    plain = plain_name(component)
    return str(component), f"{component.path}:{plain}", component.unit, plain


def in_words(component: Component) -> str:
    """Return what people call it.

    >>> in_words(Component("package", "numpy")), in_words(Component("lib.py", "f"))
    ('package numpy', 'lib.py:f')
    """
    word = _WORDS.get(component.path)
    return f"{word} {component.unit}" if word else str(component)


def is_elsewhere(path: str) -> bool:
    """Whether code of this path stands in no file of the project: typed in, or installed."""
    return path == MAIN_PATH or path.startswith("@")


def stays_inside(path: str) -> bool:
    """Whether `path` can be that of a file under the root: what facts say is not trusted."""
    if is_elsewhere(path) or "\\" in path or path[1:2] == ":":
        return False
    is_controlled = any(character < " " or character == "\x7f" for character in path)
    return not is_controlled and not {"", ".", ".."} & set(path.split("/"))
