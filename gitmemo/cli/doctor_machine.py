"""What `gitmemo doctor` says of the machine: Python, git, packages.

Not of a repository (`doctor_repository`). Invariant: nothing is imported to find out its version.
"""

from __future__ import annotations

import platform
import re
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

from gitmemo import __version__
from gitmemo.errors import GitmemoError
from gitmemo.git.cli import Git
from gitmemo.remotes.probing import Grade, Probe

Look: TypeAlias = Callable[[], Iterable[Probe]]
_REQUIREMENT = re.compile(
    r"(?P<name>[\w.-]+)(?:\[[^]]*\])?\s*(?:>=\s*(?P<least>[\d.]+))?[^;]*"
    r"(?:;.*extra\s*==\s*['\"](?P<extra>[\w-]+)['\"])?"
)
_NOT_FOR_USERS = frozenset({"dev", "bench", "examples"})


def _programs() -> Iterator[Probe]:
    own = Path(__file__).resolve().parent.parent
    yield Probe("gitmemo", Grade.GOOD, f"{__version__} in {own}")
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    name = sys.implementation.name
    yield Probe("python", Grade.GOOD, f"{platform.python_version()} ({name}) {sys.executable}")
    yield Probe("system", Grade.GOOD, system)
    try:
        said = Git(Path.cwd()).run("--version").removeprefix("git version ")
        yield Probe("git", Grade.GOOD, said)
    except GitmemoError as error:
        yield Probe("git", Grade.BAD, error.problem(), error.remedy())
    yield Probe("sqlite", Grade.GOOD, sqlite3.sqlite_version)


def _packages() -> Iterator[Probe]:
    try:
        required = metadata.requires("gitmemo") or []
    except metadata.PackageNotFoundError:
        said = "gitmemo runs from a folder and is not installed, so nothing says what it needs"
        yield Probe("packages", Grade.NOTE, said, "pip install gitmemo")
        return
    needed: dict[str, dict[str, str]] = defaultdict(dict)
    for line in required:
        if found := _REQUIREMENT.match(line):
            needed[found["extra"] or ""][found["name"]] = found["least"] or ""
    for name, least in needed.pop("", {}).items():
        yield _package(name, least)
    absent = []
    for extra in sorted(needed.keys() - _NOT_FOR_USERS):
        if installed := _extra(extra, needed[extra]):
            yield installed
        else:
            absent.append(extra)
    if absent:
        said = f"not installed: {', '.join(absent)}"
        yield Probe(
            "extras", Grade.NOTE, said, f"where they are needed: pip install 'gitmemo[{absent[0]}]'"
        )


def _package(name: str, least: str) -> Probe:
    version = version_of(name)
    if version is None:
        return Probe(name, Grade.BAD, "not installed", f"pip install '{name}>={least}'")
    if _numbers(version) < _numbers(least):
        said = f"{version}, and at least {least} is needed"
        return Probe(name, Grade.BAD, said, f"pip install --upgrade '{name}>={least}'")
    return Probe(name, Grade.GOOD, version)


def _extra(extra: str, packages: Mapping[str, str]) -> Probe | None:
    """Return what is installed of an extra; None if something of it is not."""
    found = {name: version_of(name) for name in packages if name != "gitmemo"}
    if not found or None in found.values():
        return None
    said = ", ".join(f"{name} {version}" for name, version in found.items())
    return Probe(f"extra {extra}", Grade.GOOD, said)


def version_of(package: str) -> str | None:
    """Return the version of an installed package."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with.

    >>> _numbers("2026.9.1rc1") >= _numbers("2026.9"), _numbers("1.9") < _numbers("1.10")
    (True, True)
    """
    begin = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, begin[0].split("."))) if begin else ()


AREAS: dict[str, Look] = {"installed": _programs, "packages": _packages}
"""What is looked at wherever it is asked."""
