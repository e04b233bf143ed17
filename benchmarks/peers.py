"""gitmemo and the tools that it is measured beside, all behind one interface.

Peers run in environments of their own (`environments`). Those that are not installed are left out, and said
to be.
"""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks import environments

REPOSITORY = "gitmemo, repository"
FILE = "gitmemo, file, versions"
PLAIN = "gitmemo, file"
OURS = (REPOSITORY, FILE, PLAIN)
PEERS = {"diskcache": "diskcache", "joblib.Memory": "joblib", "mandala": "mandala"}
SLOW_PEERS = {"redun": "redun"}
"""Peers that make few calls only: they are in no case of ten thousand calls."""
MANDALA_VERSIONS = "mandala, versions"
"""mandala as it watches code, which has to be marked for it."""
_PEERS = {**PEERS, **SLOW_PEERS, MANDALA_VERSIONS: "mandala"}
_GITMEMO_IMPORTS = ("gitmemo.memo.op", "gitmemo.memo.opening", "gitmemo.memo.storage")
NOBODY = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org")
IMPORTS = {
    **dict.fromkeys(OURS, _GITMEMO_IMPORTS),
    **{name: (module,) for name, module in _PEERS.items()},
    **dict.fromkeys(("mandala", MANDALA_VERSIONS), ("mandala.imports",)),
}
"""What a program has imported before a tool is opened."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One way to memoize, opened in a folder of its own.

    Attributes:
        wrap: Makes a function a memoized one.
        block: What its calls have to be made inside.
        storage: What answers questions about calls, where the tool has it.
    """

    name: str
    wrap: Callable[[Callable[..., Any]], Callable[..., Any]]
    block: Callable[[], AbstractContextManager[object]]
    storage: Any = None


def names(wanted: Iterable[str]) -> Iterator[str]:
    """Yield the tools that can be measured here; say which cannot."""
    for name in wanted:
        if python_of(name) is None:
            print(f"  ({name} is not installed, so not measured: python -m benchmarks setup)")
        else:
            yield name


def python_of(name: str) -> str | None:
    """Return the Python in which a tool runs: its own, or this one for gitmemo and for bare work."""
    return environments.python_of(_PEERS[name]) if name in _PEERS else sys.executable


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
    subprocess.run(["git", "-C", folder, *NOBODY, *arguments], check=True, capture_output=True)


def imported(name: str, folder: Path) -> ModuleType:
    """Return a module of a project, imported as a script there would; workers find it there too."""
    sys.modules.pop(name, None)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    return importlib.import_module(name)


def open_tool(name: str, folder: Path) -> Tool:
    """Open a tool over a project of `prepare`."""
    if name in OURS:
        return _gitmemo(name, folder)
    if name == "diskcache":
        import diskcache

        cache = diskcache.Cache(str(folder / "diskcache"))
        return Tool(name, lambda function: cache.memoize()(function), nullcontext)
    if name in ("mandala", MANDALA_VERSIONS):
        return _mandala(name, folder)
    if name == "redun":
        return _redun(folder)
    import joblib

    memory = joblib.Memory(folder / "joblib", verbose=0)
    return Tool(name, memory.cache, nullcontext)


def _mandala(name: str, folder: Path) -> Tool:
    from mandala.imports import Storage, op

    large = folder / "mandala-large"  # it keeps no value above 50 MB in its database
    large.mkdir(exist_ok=True)
    watched = {"deps_path": str(folder)} if name == MANDALA_VERSIONS else {}
    storage = Storage(db_path=str(folder / "mandala.db"), overflow_dir=str(large), **watched)
    return Tool(name, op, lambda: storage, storage)


def _redun(folder: Path) -> Tool:
    import logging

    from redun import Scheduler, task
    from redun.config import Config

    logging.getLogger("redun").setLevel(logging.ERROR)
    place = {"db_uri": f"sqlite:///{folder / 'redun.db'}"}
    scheduler = Scheduler(config=Config({"backend": place}))
    scheduler.load()

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        made = task(name=function.__name__, namespace="subject")(function)
        return lambda *args, **kwargs: scheduler.run(made(*args, **kwargs))

    return Tool("redun", wrap, nullcontext)


def _gitmemo(name: str, folder: Path) -> Tool:
    import gitmemo as gm

    if name == REPOSITORY:
        storage = gm.open(folder)
    else:
        storage = gm.Storage(folder / "results.db", deps_path=folder if name == FILE else None)
    return Tool(name, gm.op, lambda: storage, storage)
