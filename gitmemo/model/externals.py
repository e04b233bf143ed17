"""Dependencies that are no code: what they are called, and what is written of them.

Not how they are looked up (`tracing.outside`, `source.tree`). Invariant: the
same package, variable or file has the same component wherever it was named, and
what is written of it never holds a variable's value.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from pathlib import PurePath, PurePosixPath

from gitmemo.hashing.digest import Digest, digest, to_hex
from gitmemo.model.components import ENV, FILE, PACKAGE, Component

_PACKAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_SEPARATORS = re.compile(r"[-_.]+")
# What no line of a history may hold; a colon would make the component's name ambiguous.
_REFUSED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff:]")
_MOST_CHARACTERS = 500
_ABSENT = {PACKAGE: "not installed", ENV: "not set", FILE: "no such file"}


def named(
    packages: Iterable[str] = (), env: Iterable[str] = (), files: Iterable[str] = ()
) -> tuple[Component, ...]:
    """Return the components of these names, sorted; raise `ValueError` for one that is none.

    >>> [str(component) for component in named(["Scikit_Learn"], ["MODEL_DIR"], ["./a.txt"])]
    ['env:MODEL_DIR', 'file:a.txt', 'package:scikit-learn']
    """
    found = {*map(package, packages), *map(variable, env), *map(file, files)}
    return tuple(sorted(found))


def package(name: str) -> Component:
    """Return the component of an installed distribution; raise `ValueError` if it cannot be one."""
    if not _PACKAGE.fullmatch(name):
        raise ValueError("a package is named as in `pip install`, without a version")
    return Component(PACKAGE, _SEPARATORS.sub("-", name).lower())


def variable(name: str) -> Component:
    """Return the component of an environment variable; raise `ValueError` if it cannot be one."""
    if not name or "=" in name or name.startswith("$") or _is_refused(name):
        raise ValueError("a variable is named without `$` and without a value")
    return Component(ENV, name)


def file(path: str) -> Component:
    """Return the component of a file under the project root; raise `ValueError` if it cannot be one."""
    written = path.replace("\\", "/") if PurePath("a/b") == PurePath("a\\b") else path
    if PurePath(path).is_absolute() or PurePosixPath(written).is_absolute():
        raise ValueError("a file is named by its path from the project root, not an absolute one")
    plain = posixpath.normpath(written)
    parts = plain.split("/")
    if plain == "." or parts[0] == ".." or "\\" in plain or _is_refused(plain):
        raise ValueError("a file is named by its path from the project root, and stays under it")
    if parts[0] in (".git", ".gitmemo"):
        raise ValueError("it belongs to git or gitmemo")
    return Component(FILE, plain)


def _is_refused(name: str) -> bool:
    return bool(_REFUSED.search(name)) or name != name.strip() or len(name) > _MOST_CHARACTERS


def text_of_package(component: Component, version: str | None) -> str:
    """Return what is written of a package: its version, None if it is not installed.

    >>> text_of_package(Component("package", "numpy"), "2.1.0")
    'numpy==2.1.0'
    """
    return _absent(component) if version is None else f"{component.unit}=={version}"


def text_of_variable(component: Component, value: str | None) -> str:
    """Return what is written of a variable: a digest, for its value may be a secret."""
    if value is None:
        return _absent(component)
    return f"{component.unit}={to_hex(digest(value.encode('utf-8', 'surrogateescape')))}"


def text_of_file(component: Component, cid: Digest | None) -> str:
    """Return what is written of a file: the content id of its bytes, None if there is none."""
    return _absent(component) if cid is None else f"{component.unit} {to_hex(cid)}"


def text_of_unsettled(component: Component) -> str:
    """Return what is written where nobody can say which content a call saw."""
    return f"{component.unit}: changed while a call ran"


def source_of(text: str) -> Digest:
    """Return the source id of what is written."""
    return digest(text.encode("utf-8"))


def _absent(component: Component) -> str:
    return f"{component.unit}: {_ABSENT[component.path]}"
