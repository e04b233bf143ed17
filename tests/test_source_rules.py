"""Rules of the source that no type checker holds: who reads the environment, who prints."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gitmemo

PACKAGE = Path(gitmemo.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

# `git/cli.py` hands the environment on, without what binds git to another repository.
READS_ENVIRONMENT = {
    "colors.py", "config.py", "git/cli.py", "remotes/aws.py", "cli/__init__.py", "cli/completing.py",
    "cli/demo.py", "cli/freezing.py", "cli/screen.py",
}  # fmt: skip
# The last: `print_graph`.
PRINTS = ("cli/", "display/", "notebooks/commands.py", "frames/answers.py")
BANNED_NAMES = {"utils", "helpers", "common", "base", "manager"}
KNOWN_NAMES = {"utils.py", "errors/base.py"}  # mandala's own name; the base of the error tree


def names_used(module: str) -> Iterator[str]:
    """Yield dotted names and called names of a module."""
    for node in ast.walk(ast.parse((PACKAGE / module).read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield f"{node.func.id}()"


@pytest.mark.parametrize("module", MODULES)
def test_only_these_modules_read_the_environment(module: str) -> None:
    reads = {"os.environ", "os.getenv"} & set(names_used(module))
    assert not reads or module in READS_ENVIRONMENT


@pytest.mark.parametrize("module", MODULES)
def test_only_the_command_line_and_display_print(module: str) -> None:
    prints = {"print()", "click.echo", "sys.stdout", "sys.stderr"} & set(names_used(module))
    assert not prints or module.startswith(PRINTS)


@pytest.mark.parametrize("module", MODULES)
def test_modules_say_what_they_are(module: str) -> None:
    tree = ast.parse((PACKAGE / module).read_text("utf-8"))
    assert ast.get_docstring(tree), module
    assert Path(module).stem not in BANNED_NAMES or module in KNOWN_NAMES


def test_every_error_has_a_remedy_and_is_exported() -> None:
    from gitmemo import errors

    tree: list[type[errors.GitmemoError]] = [errors.GitmemoError]
    for kind in tree:
        tree.extend(kind.__subclasses__())
    assert {kind.__name__ for kind in tree} == set(errors.__all__)
    assert len({kind.kind for kind in tree}) == len(tree), "a kind is used twice"
    for kind in tree[1:]:
        assert "remedy" in vars(kind), kind
        assert kind.__doc__, kind
