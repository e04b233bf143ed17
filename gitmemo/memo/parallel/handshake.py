"""What a worker must have in common with its driver, and how it differs.

Not what is done about it (`opened`). Invariant: where nothing differs, a call that the worker makes
is one that the driver could have made.
"""

from __future__ import annotations

import functools
import os
import platform
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from gitmemo.hashing.digest import digest
from gitmemo.hashing.structure import MAINS
from gitmemo.source import SourceFile
from gitmemo.tracing import CodeState
from gitmemo.tracing.observations import Observations

if TYPE_CHECKING:
    from gitmemo.memo.storage import Storage

_OWN_VERSION: str = sys.modules["gitmemo"].__version__


@dataclass(frozen=True, slots=True)
class Terms:
    """What a driver has.

    Attributes:
        gitmemo: The version of gitmemo.
        python: The version of Python, without the last number.
        place: The host, and where its Python environment is.
        files: The digests of the texts of the project's loaded modules, by path, in hex.
        modules: The names of the project's loaded modules, with their paths.
        packages: The versions of the installed packages that are loaded; none for workers on this host.
    """

    gitmemo: str
    python: str
    place: tuple[str, str]
    files: dict[str, str]
    modules: dict[str, str]
    packages: dict[str, str]


def terms_of_here(code: CodeState | None, *, is_far: bool) -> Terms:
    """Return what this process has; `is_far` if workers may run on other hosts."""
    files = {path: _digest(file) for path, file in code.modules.loaded_texts()} if code else {}
    packages = dict(_packages()) if is_far else {}
    return Terms(
        _OWN_VERSION,
        _python(),
        place_of_here(),
        files,
        dict(_modules(code)) if code else {},
        packages,
    )


def differences(terms: Terms, code: CodeState | None) -> tuple[str, ...]:
    """Return how this process differs from what a driver has, a sentence each."""
    return tuple(_differences(terms, code))


def _differences(terms: Terms, code: CodeState | None) -> Iterator[str]:
    if terms.gitmemo != _OWN_VERSION:
        yield f"gitmemo is {_OWN_VERSION}, and {terms.gitmemo} in the program"
    if terms.python != _python():
        yield f"Python is {_python()}, and {terms.python} in the program"
    if terms.place != place_of_here():
        for name, version in terms.packages.items():
            here = _version_here(name)
            if here is not None and here != version:
                yield f"{name} is {here}, and {version} in the program"
    if code is None:
        return
    for name, path in terms.modules.items():
        module = sys.modules.get(name)
        if module is not None and code.modules.path_of(module) != path:
            yield f"{name} is the module of another file"
    for path, text in terms.files.items():
        here = _text_here(path, code)
        if here != text:
            yield f"{path} is {'not there' if here is None else 'another text'}"


def _modules(code: CodeState) -> Iterator[tuple[str, str]]:
    for name, module in list(sys.modules.items()):
        path = code.modules.path_of(module)
        if path is not None and name not in MAINS:
            yield name, path


def _text_here(path: str, code: CodeState) -> str | None:
    snapshot = code.modules.snapshot(path) if code.modules.module(path) is not None else None
    file = snapshot.file if snapshot else code.modules.on_disk(path, Observations())
    return None if file is None else _digest(file)


@functools.lru_cache(maxsize=4096)
def _digest(file: SourceFile) -> str:
    return digest(file.text.encode("utf-8", "surrogatepass")).hex()


def _python() -> str:
    return ".".join(platform.python_version_tuple()[:2])


@functools.cache
def place_of_here() -> tuple[str, str]:
    """Return the host, and where its Python environment is."""
    return socket.gethostname(), os.path.realpath(sys.prefix)


@functools.cache
def _distributions() -> dict[str, list[str]]:
    return {name: list(found) for name, found in metadata.packages_distributions().items()}


def _packages() -> Iterator[tuple[str, str]]:
    """Yield the installed packages that are loaded, with their versions."""
    loaded = {name.partition(".")[0] for name in list(sys.modules)}
    packages = {package for name in loaded for package in _distributions().get(name, ())}
    for package in sorted(packages - {"gitmemo"}):
        version = _version_here(package)
        if version is not None:
            yield package, version


def _version_here(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def code_of(storage: Storage) -> CodeState | None:
    """Return the running code that a storage versions; None if it versions none."""
    return storage._code if isinstance(storage._code, CodeState) else None
