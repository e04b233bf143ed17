"""Storages, and programs in folders of their own that use them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gitmemo as gm

Script = Callable[..., str]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.db"


@pytest.fixture
def storage(path: Path) -> Iterator[gm.Storage]:
    """A storage in one file, without versions."""
    storage = gm.Storage(db_path=path)
    yield storage
    storage.close()


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Return a function that writes a script into one folder, runs it and returns what it printed."""

    def script(text: str, *arguments: str, name: str = "script.py") -> str:
        (tmp_path / name).write_text(textwrap.dedent(text))
        done = subprocess.run(
            [sys.executable, name, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return script
