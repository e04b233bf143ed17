"""Somebody who looks at versions, and reads what is printed for programs. Not a test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from driver import Clone

Fields = dict[str, Any]


@dataclass
class Looker:
    """Somebody who looks at versions in a clone."""

    clone: Clone

    def json(self, *arguments: str) -> list[Fields]:
        """Return what a command prints with `--json`."""
        out = self.clone.gitmemo(*arguments, "--json").out
        return [json.loads(line) for line in out.splitlines()]

    def commits(self) -> dict[str, str]:
        """Return subject to commit."""
        lines = self.clone.git("log", "--all", "--format=%s%x09%H").splitlines()
        return {subject: oid for subject, _, oid in (line.partition("\t") for line in lines)}
