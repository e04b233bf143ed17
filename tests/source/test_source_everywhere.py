"""Static ids and those of a running program are the same, over real code."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from gitmemo.model.components import Component
from gitmemo.source import SourceFile, UnitKind
from gitmemo.tracing import CodeState, Project


class Library(Project):
    """A project whose code is the standard library."""

    def component_path(self, filename: str) -> str | None:
        root = str(self.root)
        return filename[len(root) + 1 :] if filename.startswith(root) else None


def modules(package: str) -> Iterator[ModuleType]:
    top = importlib.import_module(package)
    yield top
    for info in pkgutil.iter_modules(top.__path__):
        if info.name != "__main__":
            yield importlib.import_module(f"{package}.{info.name}")


@pytest.mark.parametrize("package", ["json", "email", "logging"])
def test_static_and_running_ids_agree(package: str) -> None:
    root = Path(importlib.import_module(package).__file__ or "").parent.parent
    state = CodeState(Library(root))
    checked = 0
    for module in modules(package):
        file = Path(module.__file__ or "")
        path = str(file.relative_to(root))
        for name, unit in SourceFile.parse(file.read_bytes(), path).units.items():
            if unit.kind is UnitKind.GLOBAL or name.rpartition(".")[2].startswith("__"):
                continue
            content = state.current(Component(path, name))
            assert content is not None, name
            assert content.source == unit.source, f"{path}:{name}"
            checked += 1
    assert checked > 20


def test_the_static_reader_is_light() -> None:
    heavy = ["numpy", "pandas", "dulwich", "pygit2", "asyncio", "cProfile"]
    program = f"import sys, gitmemo.source; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]", done.stdout
