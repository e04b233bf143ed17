"""`gitmemo graph`: how ops and the values between them hang together. It changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from gitmemo.cli.looking import look_at
from gitmemo.cli.options import json_option, revision_options
from gitmemo.cli.questions import asked
from gitmemo.cli.screen import paged
from gitmemo.display.json_lines import json_line
from gitmemo.drawing import Direction, Engine, Graph, format_of, put, render
from gitmemo.frames.picture import graph_of


@click.command()
@click.argument("ops", nargs=-1)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a picture: .svg, .html, .dot, .mmd (Mermaid), .txt; .png and .pdf with Graphviz.",
)
@click.option("--verbose", is_flag=True, help="With versions and values.")
@click.option("--lr", is_flag=True, help="From left to right.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "own", "dot"]),
    default="auto",
    help="Who places the nodes; dot is Graphviz.",
)
@click.option("--all", "every", is_flag=True, help="Also calls of older code.")
@revision_options
@json_option
@paged
def graph(
    ops: tuple[str, ...],
    output: Path | None,
    verbose: bool,
    lr: bool,
    engine: Engine,
    every: bool,
    rev: str | None,
    later: bool,
    as_json: bool,
) -> None:
    """Show the functions and variables that OPS are connected with, of all ops if none is named.

    @NAME among OPS is the call that made the value with this tag. Without -o it is
    printed as assignments, one for each function.
    """
    view = look_at(rev, later=later)
    found = asked(view, ops, every=every)
    frame = found.frame.expand_all()
    for said in found.left_out():
        click.echo(said, err=True)
    drawn = graph_of(frame, view.world.pending_hids(view.code))
    direction: Direction = "LR" if lr else "TB"
    if as_json and output is None:
        for fields in _nodes_and_edges(drawn):
            click.echo(json_line(fields))
        return
    if output is None:
        click.echo(render(drawn, "txt", verbose=verbose, most=None).decode(), nl=False)
        return
    form = format_of(output)
    put(output, render(drawn, form, engine=engine, verbose=verbose, direction=direction))
    if as_json:
        click.echo(json_line({"wrote": str(output)}))
    click.echo(f"wrote {output}", err=True)


def _nodes_and_edges(drawn: Graph) -> Iterator[dict[str, object]]:
    """Yield each node, then each edge, for programs."""
    for node in drawn.nodes:
        fields = asdict(node)
        fields["state"] = node.state or None
        yield {"node": fields.pop("key"), **fields}
    for edge in drawn.edges:
        fields = asdict(edge)
        yield {"edge": [fields.pop("source"), fields.pop("target")], **fields}
