"""One grammar for all commands: the same letters, words, questions and codes mean the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import pytest

import gitmemo.errors
from gitmemo.cli.commands import cli
from gitmemo.cli.named_values import named_values
from gitmemo.cli.words import walk
from gitmemo.errors import GitmemoError
from gitmemo.errors.base import ExitCode

HERE = Path(__file__).resolve().parent
COMMANDS = dict(walk(cli))
ASKING = {
    "decide", "drop", "forget", "gc", "import joblib", "import mandala", "remote gc", "store forget",
}  # fmt: skip


def options_of(path: str) -> dict[str, click.Option]:
    """Return the options of a command by each of their names."""
    options = [one for one in COMMANDS[path].params if isinstance(one, click.Option)]
    return {name: option for option in options for name in option.opts}


@pytest.mark.parametrize("path", COMMANDS)
def test_a_letter_means_one_thing(path: str) -> None:
    options = options_of(path)
    if "-n" in options:
        assert "--dry-run" in options["-n"].opts
    if "--dry-run" in options:
        assert "-n" in options["--dry-run"].opts
    if "-y" in options or "--yes" in options:
        assert {"-y", "--yes"} <= set(options["--yes"].opts)
    if "--limit" in options:
        assert isinstance(options["--limit"].type, click.IntRange), "a number"
    if "--rev" in options and path not in ("push", "pull", "fetch"):
        assert "--later" in options, "what --rev shows can be narrowed everywhere"


@pytest.mark.parametrize("path", sorted(ASKING))
def test_what_takes_away_can_be_tried_and_told_to_do_it(path: str) -> None:
    assert {"--yes", "--dry-run"} <= options_of(path).keys()


def test_published_exit_codes_are_those_in_use() -> None:
    text = (HERE.parent.parent / "docs/reference.md").read_text("utf-8")
    table = text.partition("## Exit codes")[2].partition("## ")[0]
    published = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert published == set(ExitCode)
    errors = [getattr(gitmemo.errors, name) for name in gitmemo.errors.__all__]
    kinds = [one for one in errors if isinstance(one, type) and issubclass(one, GitmemoError)]
    assert {one.exit_code for one in kinds} <= published


def test_commands_name_their_exit_codes() -> None:
    for path in (HERE.parent.parent / "gitmemo/cli").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant):
                assert node.value.value not in (3, 4, 5, 6, 7, 130), f"{path.name}:{node.lineno}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x=1", 1), ("x=1.5", 1.5), ("x=1e3", 1000.0), ("x=-2", -2), ("x=True", True), ("x=true", True),
        ("x=false", False), ("x=None", None), ("x=null", None), ("x=[1, true]", [1, True]),
        ("x=(1, 2)", (1, 2)), ("x={'a': None}", {"a": None}), ('x={"a": null}', {"a": None}),
        ("x=ada", "ada"), ("x='1'", "1"), ('x="true"', "true"), ("x=", ""), ("x=a=b", "a=b"),
        ("x=...", "..."), ("x=@best", "@best"), ("x=01", "01"),
    ],
)  # fmt: skip
def test_a_value_is_what_python_or_json_writes_else_text(text: str, value: object) -> None:
    found = named_values([text])["x"]
    assert found == value and (type(found) is type(value) or isinstance(value, str))


@pytest.mark.parametrize("texts", [["x"], ["=1"], ["1x=1"], ["x=1", "x=2"]])
def test_what_is_no_name_and_value_is_wrong_usage(texts: list[str]) -> None:
    with pytest.raises(click.UsageError):
        named_values(texts)
