"""Somebody who types commands into a repository, in this process. Not a test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from gitmemo.cli import main


@dataclass
class Typist:
    """A repository with gitmemo in it, and somebody who types."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def say(self, *arguments: str, code: int = 0) -> str:
        """Run a command in this process; return what it printed."""
        found = main([*arguments])
        out, err = self.capsys.readouterr()
        assert found == code, out + err
        return out + err

    @property
    def committed_file(self) -> Path:
        return self.root / ".gitmemo/config.toml"

    @property
    def own_file(self) -> Path:
        return self.root / ".git/gitmemo/config.toml"
