"""Names for what the main script defines, the same however the program was started.

Not pickling itself. Invariant: a class or function of the main script is
written as script and name, and read as the live one: that of `__main__` if
this is the script, else that of the module it is imported as.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gitmemo.errors import UndecodableValue
from gitmemo.hashing.structure import main_name

_MAIN = "__main__"
_MAINS = (_MAIN, "__mp_main__")  # the second is what multiprocessing calls it
_ABSENT = object()


def reduced(value: Any) -> tuple[Any, tuple[str, str]] | None:
    """Return how to pickle what has a name in the main script; None for anything else."""
    try:
        if value.__module__ not in _MAINS:
            return None
        name = getattr(value, "__qualname__", None) or value.__name__
        if type(name) is not str or _lookup(sys.modules.get(_MAIN), name) is not value:
            return None
    except Exception:  # noqa: BLE001  an object may answer such questions with anything
        return None
    return named, (main_name(), name)


def named(script: str, name: str) -> Any:
    """Return what `script` calls `name`. Pickles hold calls of this, so it stays where it is.

    Raises:
        UndecodableValue: There is no such script here, or it has no such name any more.
    """
    own = main_name()
    if script in (own, _MAIN) or _last(script) == _last(own) != _MAIN:
        found = _lookup(sys.modules.get(_MAIN), name)
        if found is not _ABSENT:
            return found
    if script == _MAIN:
        raise _undecodable(name, "an interactive session", f"define {name} first")
    where = f"the script {script!r}"
    fix = f"define {name} in {script}, or read the value where {script} can be imported"
    try:
        module = sys.modules.get(script) or importlib.import_module(script)
    except (Exception, SystemExit) as error:  # noqa: BLE001  a script may raise anything
        problem = f"{type(error).__name__}: {error}"
        raise _undecodable(name, f"{where}, which fails to import ({problem})", fix) from None
    found = _lookup(module, name)
    if found is _ABSENT:
        raise _undecodable(name, f"{where}, which has no such name now", fix)
    return found


def of_main(module: str, name: str, otherwise: Callable[[], Any]) -> Any:
    """Return what `__main__` calls `name` if it runs the file of `module`, else `otherwise()`.

    A script that was imported when a value was written may run as `__main__`
    when it is read; importing it would run it twice.
    """
    if module not in _MAINS and _is_main(module):
        found = _lookup(sys.modules.get(_MAIN), name)
        if found is not _ABSENT:
            return found
    return otherwise()


def _is_main(module: str) -> bool:
    file = getattr(sys.modules.get(_MAIN), "__file__", None)
    if file is None or Path(file).stem != _last(module):
        return False
    try:
        spec = importlib.util.find_spec(module)
        return spec is not None and spec.origin is not None and Path(spec.origin).samefile(file)
    except (ImportError, OSError, ValueError):
        return False


def _last(module: str) -> str:
    return module.rpartition(".")[2]


def _lookup(module: Any, name: str) -> Any:
    found = module
    for part in name.split("."):
        found = getattr(found, part, _ABSENT)
    return found


def _undecodable(name: str, where: str, fix: str) -> UndecodableValue:
    return UndecodableValue("pickle", f"{name!r} is defined in {where}", "", fix)
