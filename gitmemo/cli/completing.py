"""What a shell offers after TAB: `gitmemo completion SHELL` prints the script that asks for it.

Not the commands (`commands`): loading one takes longer than a person at a keyboard waits, so their words
come from a table (`words.json`), which a test compares with them. Invariant: whatever is wrong here,
nothing is offered and nothing is said; and no name is offered that a shell would take for more than
one plain word, as names come with clones.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    get_completion_class,
    split_arg_string,
)

from gitmemo.cli import completing_values as values

VARIABLE = "_GITMEMO_COMPLETE"
PROGRAM = "gitmemo"
SHELLS = ("bash", "zsh", "fish")
_TABLE = Path(__file__).with_name("words.json")
# Bash puts a name into the line as it is: one with `$(…)`, quotes or spaces would be run, not read.
_HARMLESS = re.compile(r"(?!-)[\w.:/@%+,=^-]+")

# click's own leaves words to bash, which cuts them at each colon: the names of ops have one.
_BASH = """\
%(complete_func)s() {
    local line="${COMP_LINE:0:COMP_POINT}" IFS=$'\\n' completion type value cut word
    word="${line##*[[:space:]]}"
    cut=""
    [[ $COMP_WORDBREAKS == *:* && $word == *:* ]] && cut="${word%%:*}:"
    COMPREPLY=()
    for completion in $(GITMEMO_LINE="$line" %(complete_var)s=bash_complete "$1" 2>/dev/null); do
        IFS=',' read -r type value <<< "$completion"
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("${value#"$cut"}") ;;
        esac
    done
    return 0
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class _Bash(BashComplete):
    source_template = _BASH

    @staticmethod
    def _check_version() -> None:
        """Start no bash to ask for its version: the script says nothing that is new."""

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ["GITMEMO_LINE"]
        words = split_arg_string(line)
        incomplete = words.pop() if words and not line[-1].isspace() else ""
        return words[1:], incomplete


def script(shell: str) -> str:
    """Return the script for a shell."""
    return str(_class(shell)(click.Group(PROGRAM), {}, PROGRAM, VARIABLE).source())


def main(asked: str) -> int:
    """Print what may stand where somebody pressed TAB; `asked` is what the script says."""
    try:
        shell = asked.removesuffix("_complete")
        table = json.loads(_TABLE.read_text("utf-8"))
        click.echo(_class(shell)(group_of(table), {}, PROGRAM, VARIABLE).complete())
    except Exception:  # noqa: BLE001  a message would stand in the middle of what somebody types
        return 1
    return 0


def _class(shell: str) -> Any:
    found = _Bash if shell == "bash" else get_completion_class(shell)
    if found is None or shell not in SHELLS:
        raise ValueError(shell)
    return found


def group_of(table: dict[str, Any]) -> click.Group:
    """Return commands that have the words of the table, and do nothing."""
    group = click.Group(PROGRAM, params=_parameters(table[""]))
    for path, entry in table.items():
        if not path:
            continue
        above, _, name = path.rpartition(" ")
        parent = group.commands[above] if above else group
        kind = click.Group if entry["group"] else click.Command
        command = kind(name, params=_parameters(entry), help=entry["help"])
        assert isinstance(parent, click.Group)
        parent.add_command(command)
    return group


def _parameters(entry: dict[str, Any]) -> list[click.Parameter]:
    found: list[click.Parameter] = [
        click.Option(
            option["names"],
            is_flag=option["flag"],
            multiple=option["many"],
            help=option["help"],
            type=_type(option),
            shell_complete=_completer(option["kind"]),
        )
        for option in entry["options"]
    ]
    found += [
        click.Argument(
            [argument["name"]],
            nargs=-1 if argument["many"] else 1,
            required=False,
            type=_type(argument),
            shell_complete=_completer(argument["kind"]),
        )
        for argument in entry["arguments"]
    ]
    return found


def _type(word: dict[str, Any]) -> click.ParamType[Any] | None:
    if word["choices"]:
        return click.Choice(word["choices"])
    return click.Path(file_okay=word["kind"] != "folder") if word["kind"] in _PATHS else None


_PATHS = ("file", "folder")
# `Any`: what click offers is generic for one type checker, and not for the other.
_Offer = Callable[[click.Context, click.Parameter, str], list[Any]]


def _completer(kind: str) -> _Offer | None:
    if kind not in values.OFFERS:
        return None
    return partial(_offered, kind)


def _offered(kind: str, ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[Any]:
    folder = ctx.find_root().params.get("c") or "."
    found: Iterable[str] = values.OFFERS[kind](Path(folder), begun)
    harmless = (value for value in found if _HARMLESS.fullmatch(value))
    return [CompletionItem(value) for value in harmless if value.startswith(begun)]
