"""What commands that record statements say: that something is said, and what commits it.

Not what they record. Invariant: with `--json` standard output is JSON alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import click

from gitmemo.commits.waiting import HINT, is_alone
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable
from gitmemo.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Telling:
    """How a command was asked to say what it did, or would do."""

    as_json: bool
    dry_run: bool

    def done(self, fields: Mapping[str, object], lines: Iterable[str]) -> None:
        """Say one thing: its fields to programs, its lines to people."""
        if self.as_json:
            told = {**fields, "recorded": not self.dry_run}
            click.echo(json_line(told))
            return
        for line in lines:
            click.echo(printable(f"would record: {line}" if self.dry_run else line))


def tell_if_alone(workspace: Workspace) -> None:
    """Say what commits a statement where git sees nothing to commit."""
    if is_alone(workspace):
        click.echo(HINT, err=True)
