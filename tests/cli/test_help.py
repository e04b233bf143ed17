"""What every `--help` says, word for word, and that all of it is in the documents and in completion.

To renew the texts and the table after a change of the commands:

    GITMEMO_RENEW_HELP=1 pytest tests/cli/test_help.py
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import click
import pytest

from gitmemo.cli.commands import cli
from gitmemo.cli.words import table_of, walk

RENEW = "GITMEMO_RENEW_HELP" in os.environ
HERE = Path(__file__).resolve().parent
TEXTS = HERE / "help"
TABLE = HERE.parent.parent / "gitmemo/cli/words.json"
REFERENCE = HERE.parent.parent / "docs/reference.md"
COMMANDS = dict(walk(cli))
OTHERWISE = {"config list": "config [list]", "deps list": "deps OP"}
OF_EVERY_REVISION = {"--later", "--no-later"}


def help_of(path: str, command: click.Command) -> str:
    """Return the help as a terminal of 100 columns shows it."""
    above = click.Context(cli, info_name="gitmemo")
    ctx = click.Context(
        command,
        info_name=path or "gitmemo",
        parent=above if path else None,
        terminal_width=100,
        max_content_width=100,
        help_option_names=["-h", "--help"],
    )
    return command.get_help(ctx) + "\n"


def file_of(path: str) -> Path:
    return TEXTS / f"{path.replace(' ', '-') or 'gitmemo'}.txt"


@pytest.mark.parametrize("path", COMMANDS)
def test_help_says_what_it_said(path: str) -> None:
    said = help_of(path, COMMANDS[path])
    if RENEW:
        file_of(path).write_text(said, "utf-8")
    assert file_of(path).read_text("utf-8") == said, "see the docstring of this file"


@pytest.mark.skipif(RENEW, reason="the texts are being written")
def test_there_is_no_help_of_commands_that_are_gone() -> None:
    assert {path.name for path in TEXTS.iterdir()} == {file_of(path).name for path in COMMANDS}


def test_the_table_for_shells_has_the_words_of_the_commands() -> None:
    table = table_of(cli)
    if RENEW:
        TABLE.write_text(json.dumps(table, indent=0, ensure_ascii=False) + "\n", "utf-8")
    assert json.loads(TABLE.read_text("utf-8")) == table, "see the docstring of this file"


@pytest.mark.skipif(not REFERENCE.is_file(), reason="the documents are not beside the tests")
@pytest.mark.parametrize("path", [path for path in COMMANDS if path])
def test_every_command_and_option_is_in_the_reference(path: str) -> None:
    command = COMMANDS[path]
    rows = [line for line in REFERENCE.read_text("utf-8").splitlines() if line.startswith("| `")]
    mine = [row for row in rows if re.match(rf"\| `{re.escape(path)}(?=[ `])", row)]
    if path in OTHERWISE:
        mine = [row for row in rows if row.startswith(f"| `{OTHERWISE[path]} ")]
    if isinstance(command, click.Group):
        assert mine or any(row.startswith(f"| `{path} ") for row in rows)
        return
    assert mine, path
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            names = {*parameter.opts, *parameter.secondary_opts}
            assert names == OF_EVERY_REVISION or any(
                _has(row, name) for row in mine for name in names
            ), names


def _has(row: str, option: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", row) is not None


@pytest.mark.parametrize("path", [p for p, c in COMMANDS.items() if not isinstance(c, click.Group)])
def test_every_command_says_what_it_does_in_one_sentence_first(path: str) -> None:
    command = COMMANDS[path]
    assert command.help
    first = command.help.split("\n\n")[0]
    assert first.rstrip().endswith((".", ":")), first
    assert first[0].isupper()
