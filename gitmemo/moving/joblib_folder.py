"""What is in the folder of a `joblib.Memory`, read without joblib and without running anything.

Not what it means. A function has a folder with `func_code.py`; each of its results one below that,
named by the hash of the arguments, with `metadata.json` (representations of the arguments, times)
and `output.pkl`. Invariant: no link is followed, and no file is read that is larger than it should be.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from gitmemo.errors import NotAnOldStore

_HASH = re.compile(r"[0-9a-f]{32}")
_FIRST_LINE = "# first line:"
_LARGEST_CODE = 1_000_000
_LARGEST_METADATA = 10_000_000
_CODE, _METADATA, _OUTPUT = "func_code.py", "metadata.json", "output.pkl"


@dataclass(frozen=True, slots=True)
class OldResult:
    """One result.

    Attributes:
        arguments_hash: joblib's hash of the arguments, by which the folder is named.
        arguments: What `repr` said of each.
        output: The file of the result.
        seconds: How long the call took; None where that is not known.
        ended_s: When it ended, in seconds since the epoch.
    """

    arguments_hash: str
    arguments: Mapping[str, str]
    output: Path
    seconds: float | None
    ended_s: float | None


@dataclass(slots=True)
class OldFunction:
    """A function and its results.

    Attributes:
        parts: Its module and its name, taken apart at the dots.
        code: Its text; None where that is not recorded.
        damaged: Why some of its results cannot be read: reason to number.
    """

    parts: tuple[str, ...]
    code: str | None
    results: list[OldResult] = field(default_factory=list)
    damaged: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        """What people call it."""
        return ".".join(self.parts)


class _Unusable(Exception):
    """A file cannot be used; says why."""


def read_folder(path: Path) -> list[OldFunction]:
    """Return the functions in the folder of a `joblib.Memory`, or in `joblib` inside of it.

    Raises:
        NotAnOldStore: There is no such folder, or no result in it.
    """
    top = path / "joblib" if (path / "joblib").is_dir() else path
    if not top.is_dir():
        raise NotAnOldStore(str(path), "joblib.Memory", "there is no such folder")
    found: list[OldFunction] = []
    for folder, inner, _ in os.walk(top):
        results = sorted(name for name in inner if _HASH.fullmatch(name))
        inner[:] = sorted(set(inner) - set(results))
        if results:
            found.append(_function(top, Path(folder), results))
    if not found:
        raise NotAnOldStore(str(path), "joblib.Memory", "it holds no results")
    return found


def _function(top: Path, folder: Path, results: list[str]) -> OldFunction:
    try:
        code = _code(folder / _CODE)
    except _Unusable:
        code = None
    function = OldFunction(folder.relative_to(top).parts, code)
    for name in results:
        try:
            function.results.append(_result(folder / name))
        except _Unusable as reason:
            function.damaged[str(reason)] += 1
    return function


def _code(file: Path) -> str:
    text = _text(file, _LARGEST_CODE)
    first, _, rest = text.partition("\n")
    return rest if first.startswith(_FIRST_LINE) else text


def _result(folder: Path) -> OldResult:
    if folder.is_symlink():
        raise _Unusable("its folder is a symbolic link")
    output = folder / _OUTPUT
    _refuse_odd(output)
    try:
        said: object = json.loads(_text(folder / _METADATA, _LARGEST_METADATA))
    except (ValueError, RecursionError):
        raise _Unusable(f"its {_METADATA} is damaged") from None
    if not isinstance(said, dict):
        raise _Unusable(f"its {_METADATA} is damaged")
    table = cast("dict[str, object]", said)
    arguments = table.get("input_args")
    if not isinstance(arguments, dict) or not all(isinstance(v, str) for v in arguments.values()):
        raise _Unusable(f"its {_METADATA} does not tell its arguments")
    seconds, ended = _amount(table.get("duration")), _amount(table.get("time"))
    return OldResult(folder.name, cast("dict[str, str]", arguments), output, seconds, ended)


def _amount(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not 0 <= value < 1e11:  # type: ignore[arg-type,operator]
        return None
    return float(cast("float", value))


def _text(file: Path, most: int) -> str:
    _refuse_odd(file, most)
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise _Unusable(f"its {file.name} is damaged") from None
    except OSError as error:
        raise _Unusable(f"its {file.name} cannot be read: {error.strerror}") from None


def _refuse_odd(file: Path, most: int | None = None) -> None:
    try:
        seen = file.lstat()
    except OSError:
        raise _Unusable(f"it has no {file.name}") from None
    if stat.S_ISLNK(seen.st_mode):
        raise _Unusable(f"its {file.name} is a symbolic link")
    if not stat.S_ISREG(seen.st_mode):
        raise _Unusable(f"its {file.name} is no file")
    if most is not None and seen.st_size > most:
        raise _Unusable(f"its {file.name} is larger than {most:,} bytes")
