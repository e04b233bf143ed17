"""`gitmemo deps add` and `gitmemo deps remove`: dependencies that nothing can see."""

from __future__ import annotations

import click

from gitmemo.changes.seen import source_facts
from gitmemo.commits.histories import render_histories
from gitmemo.commits.naming import components_here, function_of_op
from gitmemo.display.text import printable
from gitmemo.errors import NoSuchDependency
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.facts import Dependency, Withdrawal
from gitmemo.model.spoken import meant, named
from gitmemo.model.statements import in_force, standing
from gitmemo.query import names_now
from gitmemo.workspace import Workspace, find


@click.command()
@click.argument("op")
@click.argument("component")
@click.option("-m", "--message", default="", help="Why.")
def add(op: str, component: str, message: str) -> None:
    """Say that calls of OP depend on COMPONENT, though no tracking sees it.

    OP is an op, or a function as `path:name`; COMPONENT is `path:name` of a function, a class or a
    variable. Results that are stored count as made with what COMPONENT holds now. It joins the
    next commit.
    """
    workspace = find()
    world = workspace.world
    world.enter()
    of = _function(workspace, op)
    on = _component(workspace, component)
    said = printable(f"{of} depends on {on}")
    if _added(workspace, of, on, by_hand=True):
        click.echo(f"{said} already")
        return
    content = workspace.code.current(on)
    assert content is not None  # it was found by name
    dependency = Dependency(of, None, on, content, message)
    seen = source_facts(world, on, content.source, workspace.code.text(on))
    world.record([*seen, standing(dependency, world.statements())])
    world.enter()
    render_histories(workspace)
    click.echo(said)


@click.command()
@click.argument("op")
@click.argument("component")
@click.option("-m", "--message", default="", help="Why.")
def remove(op: str, component: str, message: str) -> None:
    """Take back that calls of OP depend on COMPONENT, whether a person or an edit said so.

    What calls were seen to touch stays; calls that were made since hold it too.
    """
    workspace = find()
    world = workspace.world
    world.enter()
    of = _function(workspace, op)
    known = [fact.on for fact in _current(workspace).values() if fact.component == of]
    on = meant(component, known)  # it need not be in the files any more
    if on is None:
        raise NoSuchDependency(str(of), component, tuple(sorted({str(one) for one in known})))
    records = _added(workspace, of, on, by_hand=False)
    world.record([Withdrawal(tuple(sorted(records)), message)])
    world.enter()
    render_histories(workspace)
    click.echo(printable(f"{of} does not depend on {on} any more"))


def _function(workspace: Workspace, name: str) -> Component:
    """Return the function of an op, or of `path:name`."""
    if workspace.code.file(name.rpartition(":")[0]) is not None:
        return _component(workspace, name)
    return function_of_op(names_now(workspace).resolve(name), workspace)


def _component(workspace: Workspace, name: str) -> Component:
    return named(name, components_here(name, workspace.world, workspace.code), in_files=True)


def _added(workspace: Workspace, of: Component, on: Component, *, by_hand: bool) -> list[Digest]:
    return [
        record
        for record, fact in _current(workspace).items()
        if (fact.component, fact.on) == (of, on) and (fact.source is None or not by_hand)
    ]


def _current(workspace: Workspace) -> dict[Digest, Dependency]:
    return in_force(workspace.world.statements(), Dependency)
