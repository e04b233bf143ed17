"""Loads a program, as edited, into this process for a moment."""

from __future__ import annotations

import importlib
import linecache
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracing.tracing_programs import Edit, Program


@dataclass
class World:
    root: Path
    main: types.ModuleType
    names: dict[str, Any]

    @property
    def op(self) -> Callable[..., Any]:
        found: Callable[..., Any] = self.main.op
        return found


def write(program: Program, root: Path, edit: Edit | None) -> str:
    """Write the edited files; return the statements to run before the call."""
    before = program.before
    for name, text in program.files.items():
        if edit and edit[0] == name:
            assert text.count(edit[1]) >= 1, f"{edit[1]!r} is not in {name}"
            text = text.replace(edit[1], edit[2], 1)
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return edit[2] if edit and edit[0] == "before" else before


@contextmanager
def world(program: Program, root: Path, edit: Edit | None = None) -> Iterator[World]:
    root.mkdir(parents=True, exist_ok=True)
    before = write(program, root, edit)
    modules, path, main = set(sys.modules), list(sys.path), sys.modules["__main__"]
    sys.path.insert(0, str(root))
    importlib.invalidate_caches()
    try:
        module = _load(program, root)
        names: dict[str, Any] = {"main": module}
        if edit is None or "late" not in program.flags:  # a fresh process has not got there yet
            exec(before, names)
        yield World(root, module, names)
    finally:
        pool = getattr(sys.modules.get("main"), "POOL", None)
        if pool is not None:
            pool.shutdown()
        sys.modules["__main__"] = main
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(root)):
                del sys.modules[name]
        for filename in [name for name in linecache.cache if root.name in name]:
            del linecache.cache[filename]


def _load(program: Program, root: Path) -> types.ModuleType:
    if not program.flags & {"script", "cells"}:
        return importlib.import_module("main")
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    file = root / "main.py"
    if "script" in program.flags:
        module.__file__ = str(file)
        exec(compile(file.read_text(), str(file), "exec"), vars(module))
        return module
    for number, cell in enumerate(file.read_text().split("# %%\n")[1:]):
        filename = f"<ipython-input-{number}-{root.name}>"
        linecache.cache[filename] = (len(cell), None, cell.splitlines(keepends=True), filename)
        exec(compile(cell, filename, "exec"), vars(module))
    return module
