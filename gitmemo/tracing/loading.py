"""Whether the text of a file is what a module was loaded from.

Not the text itself (`modules`). Invariant: a text is believed only if the file has not
changed since before the module was loaded, or if Python's own cache of the module was
compiled from this very text; if neither can be shown, it is doubted.
"""

from __future__ import annotations

import ast
import importlib.util
import marshal
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from gitmemo.hashing.digest import Digest, digest
from gitmemo.source.units import ImportedName, Unit, UnitKind

_SECOND_NS: Final = 1_000_000_000
_TICK_NS: Final = 20_000_000
"""How far the time of a file may lag behind the clock of the process."""
_HEADER: Final = 16
"""The bytes before the code in a `.pyc` file."""


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """Stands for a text that perhaps is not what was loaded.

    Attributes:
        mark: Random; no other load of a module has the same, in no process.
        namespace: What the module holds.
    """

    mark: bytes
    namespace: Mapping[str, object]

    def source(self, source: Digest) -> Digest:
        """Return the source id of a unit that nothing shows to have run as its text says."""
        return digest(b"unproven" + self.mark + source)

    def clears(self, unit: Unit) -> bool:
        """Whether proven code alone shows that a unit was made by its text.

        Of a plain function it does: there are no statements around it, no decorators
        and no defaults, and its imports are what the module holds.
        """
        if unit.kind is not UnitKind.FUNCTION or len(unit.nodes) != 1:
            return False
        node = unit.nodes[0]
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        arguments = node.args
        extras = [*node.decorator_list, *arguments.defaults, *arguments.kw_defaults]
        return not any(extras) and all(map(self._holds, unit.imports))

    def _holds(self, imported: ImportedName) -> bool:
        held = self.namespace.get(imported.bound)
        package = self.namespace.get("__package__")
        try:
            name = importlib.util.resolve_name(
                imported.module, package if isinstance(package, str) else None
            )
        except ImportError:
            return False
        module = sys.modules.get(name)
        if module is None or held is None:
            return False
        if imported.name:
            found = vars(module).get(imported.name) or sys.modules.get(f"{name}.{imported.name}")
            return found is held
        return held is module or held is sys.modules.get(name.partition(".")[0])


class _Load(NamedTuple):
    """One load of a module: it began later than `after`, and was over when `seen`."""

    module: ModuleType
    spec: object
    after: int
    seen: int


class Loads:
    """When modules were loaded, as far as looks at what is loaded can tell; not safe for threads."""

    def __init__(self) -> None:
        self._last: dict[str, _Load] = {}
        self._now: WeakKeyDictionary[ModuleType, int] = WeakKeyDictionary()
        self._looked_at = process_began()

    def looked(self, at: int) -> None:
        """Note when what is loaded was looked at."""
        self._looked_at = at

    def found(self, path: str, module: ModuleType) -> None:
        """Note a module that was not there when it was looked last."""
        self._last[path] = _Load(module, spec_of(module), self._looked_at, self._looked_at)

    def loaded_now(self, module: ModuleType) -> None:
        """Note a module that is being made."""
        self._now[module] = time.time_ns()

    def began_after(self, path: str, module: ModuleType) -> int:
        """Return a time in ns before which the last load of a module had not begun."""
        spec, known = spec_of(module), self._last.get(path)
        if module in self._now:
            return self._now[module]
        after = process_began()
        if known is not None and known.module is module:
            # A reload runs the whole text anew, and gives the module another spec.
            after = known.after if known.spec is spec else known.seen
        self._last[path] = _Load(module, spec, after, noted_at())
        return after


def spec_of(module: ModuleType) -> object:
    """Return the spec that a module got when it was loaded last."""
    return vars(module).get("__spec__")


def changed_at(status: os.stat_result) -> int:
    """Return a time in ns before which a file certainly got what it holds.

    The time of the inode counts too: copying and unpacking set the other one back.
    """
    changed = max(status.st_mtime_ns, status.st_ctime_ns)
    is_coarse = status.st_ctime_ns % _SECOND_NS == 0
    return changed + (2 * _SECOND_NS if is_coarse else 0)


def noted_at() -> int:
    """Return a time in ns that no file has which is changed later."""
    return time.time_ns() - _TICK_NS


@cache
def process_began() -> int:
    """Return a time in ns before which no module was loaded; 0 if it is not known.

    Not of a process that was forked before gitmemo was imported: it seems younger.
    """
    try:
        age = _age_by_proc() if sys.platform == "linux" else age_by_ps()
    except (OSError, ValueError, IndexError):
        return 0
    return time.time_ns() - int(age * _SECOND_NS)


def _age_by_proc() -> float:
    """Return the seconds since this process began, or up to 10 ms fewer.

    It is known in ticks. Python needs longer than one to start, so no module is that old.
    """
    # The name of the program stands in parentheses, and may hold any character.
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    started = (int(fields[19]) + 1) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def age_by_ps() -> float:
    """Return the seconds that this process has run at most, as `ps` knows it everywhere."""
    import subprocess  # most processes need it not

    command = ["ps", "-o", "etime=", "-p", str(os.getpid())]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5)
    except subprocess.TimeoutExpired:
        raise ValueError("ps does not answer") from None
    told = done.stdout.strip()
    days, _, clock = told.rpartition("-")  # [[days-]hours:]minutes:seconds
    hours, minutes, seconds = (["0", "0", *clock.split(":")])[-3:]
    whole = ((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)
    return whole + 1


def cached_code(module: ModuleType) -> CodeType | None:
    """Return the code that Python cached when a module was loaded, None if there is none."""
    file = getattr(vars(module).get("__spec__"), "cached", None)
    try:
        stored = Path(file).read_bytes() if isinstance(file, str) else b""
        if not stored.startswith(importlib.util.MAGIC_NUMBER):
            return None
        code = marshal.loads(stored[_HEADER:])
    except (OSError, EOFError, ValueError, TypeError):
        return None
    return code if isinstance(code, CodeType) else None


process_began()  # now, so that a fork knows when the modules of its parent could be loaded
