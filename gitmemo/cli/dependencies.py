"""`gitmemo deps`: what the calls of an op depend on, as a tree and as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import click

from gitmemo.cli.depending import add, remove
from gitmemo.cli.groups import Group
from gitmemo.cli.looking import look_at
from gitmemo.cli.options import json_option, revision_options
from gitmemo.cli.screen import paged
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable
from gitmemo.drawing import put, render
from gitmemo.model.components import Component
from gitmemo.quantities import count
from gitmemo.query import names_now, resolve_versioned
from gitmemo.versions.picture import graph_of
from gitmemo.versions.tree import DependencyTree, State, Touched, tree_of

_COLORS = {State.VALID: "green", State.PARTLY: "yellow", State.CHANGED: "red", State.GONE: "red"}


class _ListByDefault(Group):
    """A group in which the name of an op alone means `list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list` before what is neither a command nor a plea for help."""
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListByDefault)
def deps() -> None:
    """Show what the calls of an op depend on: `gitmemo deps OP`."""


@deps.command("list")
@click.argument("op")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Write a picture.")
@click.option("--dot", is_flag=True, help="Print the graph for Graphviz.")
@revision_options
@json_option
@paged
def listing(
    op: str, svg: Path | None, dot: bool, rev: str | None, later: bool, as_json: bool
) -> None:
    """Show the components that calls of OP touched, by file, and whether they are what they were.

    Who uses what is read from the texts, so it is a best effort: what is called
    through a variable, or on `self`, is not seen there, though it is tracked.
    """
    view = look_at(rev, later=later)
    now = names_now(view)
    full = resolve_versioned(now, view.world, op)
    tree = tree_of(view.world, full, view.code, view.project.module_name_of, now.op)
    if svg is not None:
        put(svg, render(graph_of(tree), "svg", verbose=True))
        click.echo(f"wrote {svg}", err=True)
    if dot:
        click.echo(render(graph_of(tree), "dot", verbose=True, most=None).decode(), nl=False)
    elif as_json:
        for one in tree.touched:
            click.echo(json_line({"op_asked": tree.op, **one.as_dict()}))
    elif svg is None:
        for line in _lines(tree):
            click.echo(line)


def _lines(tree: DependencyTree) -> Iterator[str]:
    calls = f"{count(tree.calls, 'call')}, {count(tree.versions, 'version')}"
    yield f"{click.style(printable(tree.op), bold=True)}  ({calls})"
    files = [(path, list(ones)) for path, ones in groupby(tree.touched, _path)]
    users = tree.users()
    for number, (path, ones) in enumerate(files, 1):
        is_last = number == len(files)
        yield f"{'└── ' if is_last else '├── '}{printable(path)}"
        for place, one in enumerate(ones, 1):
            stem = "    " if is_last else "│   "
            branch = "└── " if place == len(ones) else "├── "
            yield stem + branch + _described(tree, one, users.get(one.component, []))


def _described(tree: DependencyTree, one: Touched, users: list[Component]) -> str:
    kind = " (class)" if one.component.unit.startswith("class ") else ""
    parts = [printable(_label(one.component)) + kind]
    parts.append(click.style(one.state.value, fg=_COLORS[one.state]))
    if one.calls < tree.calls:
        parts.append(f"in {count(one.calls, 'call')}")
    if one.op and one.op != tree.op:
        parts.append(f"op {printable(one.op)}")
    if one.by_hand:
        parts.append(click.style("added by hand", fg="cyan"))
    if users:
        parts.append(f"used by {', '.join(printable(_label(user)) for user in users)}")
    return "  ".join(parts)


def _label(component: Component) -> str:
    return component.unit.removeprefix("class ")


def _path(one: Touched) -> str:
    return one.component.path


deps.add_command(add)
deps.add_command(remove)
