"""A module under a project's root, edited and loaded again under a live storage."""

from __future__ import annotations

import builtins
import importlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

import gitmemo as gm
from gitmemo.utils import mock_input

MODULE = """\
import gitmemo as gm

FACTOR = 2


def helper(x):
    return x * FACTOR


@gm.op
def outer(x):
    return helper(x) + 1


@gm.op
def other(x):
    return x + 1
"""


class Session:
    """A program that is edited while it runs, and what its storage did."""

    def __init__(self, name: str, folder: Path, storage: gm.Storage) -> None:
        self.file = folder / f"{name}.py"
        self.storage = storage
        self.module: Any = importlib.import_module(name)

    def edit(self, *changes: tuple[str, str]) -> None:
        """Change the file and load it again."""
        text = self.file.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        self.file.write_text(text)
        importlib.reload(self.module)

    def run(self, op: str = "outer", x: int = 1) -> tuple[int, int]:
        """Call an op in a block; return its result and how many calls were computed."""
        before = self.storage.counter.computed
        with self.storage:
            result = getattr(self.module, op)(x)
        return self.storage.unwrap(result), self.storage.counter.computed - before

    def asked(self, *answers: str, op: str = "outer", x: int = 1) -> tuple[int, int]:
        """Do the same, with answers prepared; all of them must be used."""
        rest = iter(answers)
        given = patch.object(builtins, "input", mock_input(rest))
        with given:
            result = self.run(op, x)
        assert list(rest) == [], "not all was asked"
        return result


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    name = f"asked_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("GITMEMO_ON_CHANGE", raising=False)
    storage = gm.Storage(db_path=tmp_path / "s.db", deps_path=tmp_path)
    yield Session(name, tmp_path, storage)
    storage.close()
    sys.modules.pop(name, types.ModuleType(name))
