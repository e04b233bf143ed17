"""gitmemo and the tools that it is measured beside, all behind one interface.

Peers that are not installed are left out, and said to be.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

REPOSITORY = "gitmemo, repository"
FILE = "gitmemo, file, versions"
PLAIN = "gitmemo, file"
OURS = (REPOSITORY, FILE, PLAIN)
PEERS = {"diskcache": "diskcache", "joblib.Memory": "joblib", "mandala": "mandala"}


@dataclass(frozen=True, slots=True)
class Tool:
    """One way to memoize, opened in a folder of its own.

    Attributes:
        wrap: Makes a function a memoized one.
        block: What its calls have to be made inside.
    """

    name: str
    wrap: Callable[[Callable[..., Any]], Callable[..., Any]]
    block: Callable[[], AbstractContextManager[object]]


def names() -> Iterator[str]:
    """Yield the tools that can be measured here; say which cannot."""
    yield from OURS
    for name, module in PEERS.items():
        if find_spec(module) is None:
            print(f"  ({name} is not installed, so not measured)")
        else:
            yield name


def prepare(name: str, folder: Path) -> None:
    """Make the project in which a tool works."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).with_name("subject.py"), folder / "subject.py")
    if name == REPOSITORY:
        from gitmemo.commits.setup import set_up

        git(folder, "init", "-q", "-b", "main")
        for _ in set_up(folder):
            pass
        git(folder, "add", "--all")
        git(folder, "commit", "-q", "--no-verify", "-m", "Begin")


def git(folder: Path, *arguments: str) -> None:
    """Run git there as nobody in particular."""
    who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org")
    subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True)


def subject(folder: Path) -> ModuleType:
    """Return the functions to memoize, imported from a project of `prepare`."""
    sys.modules.pop("subject", None)
    sys.path.insert(0, str(folder))
    try:
        import subject  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    return subject


def open_tool(name: str, folder: Path) -> Tool:
    """Open a tool over a project of `prepare`."""
    if name in OURS:
        return _gitmemo(name, folder)
    if name == "diskcache":
        import diskcache

        cache = diskcache.Cache(str(folder / "diskcache"))
        return Tool(name, lambda function: cache.memoize()(function), nullcontext)
    if name == "mandala":
        from mandala.imports import Storage, op

        mandala = Storage(db_path=str(folder / "mandala.db"))
        return Tool(name, op, lambda: mandala)
    import joblib

    memory = joblib.Memory(folder / "joblib", verbose=0)
    return Tool(name, memory.cache, nullcontext)


def _gitmemo(name: str, folder: Path) -> Tool:
    import gitmemo as gm

    if name == REPOSITORY:
        storage = gm.open(folder)
    else:
        storage = gm.Storage(folder / "results.db", deps_path=folder if name == FILE else None)
    return Tool(name, gm.op, lambda: storage)
