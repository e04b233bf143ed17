"""What a program asks of `Storage(...)`, checked.

Not the settings of a repository (`config`). Invariant: a setting is honoured or
refused with an error; none is silently left out.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

from gitmemo.blobs import Overflow
from gitmemo.config import chosen_policy
from gitmemo.errors import BadSetting, InvalidStorage
from gitmemo.memo.names import MAIN
from gitmemo.memo.strictness import Reaction, Strictness
from gitmemo.setting_values import OnChange, policy
from gitmemo.tracing import Project

_MEGABYTE = 1_000_000
_TRACERS = ("DecTracer", "SysTracer")
"""mandala's tracers, by name or class: accepted, and one for the other; here the interpreter watches."""


def overflow_of(
    spillover_dir: str | os.PathLike[str] | None,
    overflow_dir: str | os.PathLike[str] | None,
    threshold_mb: float | None,
) -> Overflow:
    """Return where large values go.

    Raises:
        InvalidStorage: Both names of the folder are given, or the threshold is no size.
    """
    if spillover_dir is not None and overflow_dir is not None:
        raise InvalidStorage(
            "overflow_dir and spillover_dir are both given, and they name the same thing",
            "give overflow_dir alone",
        )
    if threshold_mb is not None and not 0 <= threshold_mb < math.inf:
        raise InvalidStorage(
            f"overflow_threshold_MB={threshold_mb!r} is not a size",
            "give a number of megabytes, 0 or more",
        )
    folder = overflow_dir if spillover_dir is None else spillover_dir
    return Overflow(
        None if folder is None else Path(folder),
        None if threshold_mb is None else round(threshold_mb * _MEGABYTE),
    )


def absolute(path: str | os.PathLike[str] | None) -> str | None:
    """Return a path as another process can use it; `"__main__"` is none."""
    if path is None:
        return None
    return MAIN if path == MAIN else str(Path(path).absolute())


def project_of(deps_path: str | os.PathLike[str] | None) -> Project | None:
    """Return what code is tracked; raise `InvalidStorage` if there is none in `deps_path`."""
    if deps_path is None:
        return None
    if deps_path == MAIN:
        return Project(None, main_only=True)
    if not Path(deps_path).is_dir():
        raise InvalidStorage(
            f"deps_path={str(deps_path)!r} is no folder",
            'give the folder of your code, or "__main__" for the script that runs',
        )
    return Project(Path(deps_path).resolve())


def policy_of(on_change: str | None, project: Project | None) -> OnChange:
    """Return what happens when code has changed.

    Raises:
        InvalidStorage: Nothing is versioned, so nothing is noticed.
        BadSetting: There is no such policy.
    """
    if project is None:
        if on_change is not None:
            raise InvalidStorage(
                f"on_change={on_change!r} is given without deps_path, so that no code is versioned",
                'give deps_path="__main__" or the folder of your code too',
            )
        return OnChange.PENDING
    return chosen_policy(OnChange.ASK) if on_change is None else policy("on_change", on_change)


def strictness_of(given: Mapping[str, bool], tracer: object, project: Project | None) -> Strictness:
    """Return what happens with what cannot be tracked; `given` are the settings that were given.

    Raises:
        InvalidStorage: Nothing is tracked.
        BadSetting: A setting has a value that it cannot have.
    """
    for name, value in given.items():
        if not isinstance(value, bool):
            raise BadSetting(name, value, ("True", "False"))
    if tracer is not None and _name_of(tracer) not in _TRACERS:
        raise BadSetting("tracer_impl", tracer, ("None", *_TRACERS))
    if project is None:
        names = [*given, *(["tracer_impl"] if tracer is not None else [])]
        if names:
            raise InvalidStorage(
                f"{', '.join(names)} given without deps_path, so that nothing is tracked",
                'give deps_path="__main__" or the folder of your code too',
            )
    strict = given.get("strict_tracing", False)
    skips = {"skip_unhashable_globals": not strict, "skip_missing_silently": True, **given}
    return Strictness(
        strict=strict,
        unhashable=_reaction(skips, "skip_unhashable_globals", "skip_globals_silently"),
        missing=_reaction(skips, "skip_missing_deps", "skip_missing_silently"),
        globals_count=given.get("track_globals", True),
    )


def _reaction(given: Mapping[str, bool], skip: str, silent: str) -> Reaction:
    if not given.get(skip, True):
        return Reaction.RAISE
    return Reaction.SILENT if given.get(silent, False) else Reaction.WARN


def _name_of(tracer: object) -> object:
    return tracer.__name__ if isinstance(tracer, type) else tracer
