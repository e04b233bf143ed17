"""What can be asked of a frame: tables of its rows, descriptions, pictures.

Not the frames that can be made of it (`frame`). Invariant: nothing here changes a frame, nor is
another one made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitmemo.collector import uncollected
from gitmemo.frames.backing import Node
from gitmemo.frames.description import Description
from gitmemo.frames.graph import FrameGraph
from gitmemo.frames.shown import ShownTables, Values
from gitmemo.frames.tables import Table, Tables
from gitmemo.frames.writing import code_of

if TYPE_CHECKING:
    import os

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from gitmemo.drawing import Direction, Engine, Graph, Picture


@dataclass(frozen=True, repr=False)
class FrameAnswers(FrameGraph):
    """The questions that a frame answers."""

    def table(self, *nodes: Node, explode: bool | Sequence[str] = False) -> Table:
        """Return the rows with the slots of their values; the arguments are those of `df`."""
        with uncollected():
            return Tables(self).table([self._called(node) for node in nodes], explode)

    def df(
        self,
        *nodes: Node,
        values: Values = "inline",
        lazy_vars: Sequence[str] = (),
        include_calls: bool = False,
        explode: bool | Sequence[str] = False,
    ) -> pd.DataFrame:
        """Return a pandas frame with a row for each call whose results no other call of it used.

        A row holds that call's arguments and results and those of all calls that led to it. Where
        several values have one role, the cell is a list of them in the order of the arguments.

        Args:
            nodes: Show these variables and functions only: a row for each way they occur together.
            values: `inline`: small plain values, refs for the rest; `refs`; `objs`: all values
                loaded; one that cannot be read stays a ref, with a warning; `hids`, `cids`: ids.
            lazy_vars: Variables that stay refs, whatever `values` says.
            include_calls: Also show the calls, in columns named like the functions.
            explode: Instead of a list of values, a row for each element of the collections that
                were arguments, or of those that are named, with its place in a column `…_index`.

        A frame of a revision has a last column of booleans, `committed_later`, if some rows were
        computed with the revision's code but committed after it.
        """
        with uncollected():
            called = [self._called(node) for node in nodes]
            return ShownTables(self).df(
                called, values, frozenset(lazy_vars), include_calls, explode
            )

    def to_arrow(
        self, *nodes: Node, values: Values = "inline", explode: bool | Sequence[str] = False
    ) -> pa.Table:
        """Return `df` as an Arrow table. What Arrow cannot hold without loss is text, a ref its history id.

        A column in which a cell holds several values is one of lists.

        Raises:
            WrongQuestion: pyarrow is not installed.
        """
        from gitmemo.frames.arrow import arrow_table

        return arrow_table(
            ShownTables(self).columns([self._called(node) for node in nodes], values, explode)
        )

    def to_polars(
        self, *nodes: Node, values: Values = "inline", explode: bool | Sequence[str] = False
    ) -> pl.DataFrame:
        """Return `df` as a polars frame, with the columns of `to_arrow`.

        Raises:
            WrongQuestion: polars or pyarrow is not installed.
        """
        from gitmemo.frames.arrow import polars_frame

        return polars_frame(
            ShownTables(self).columns([self._called(node) for node in nodes], values, explode)
        )

    def eval(self, *nodes: Node, lazy_vars: Sequence[str] = ()) -> pd.DataFrame:
        """Return `df` with all values loaded."""
        return self.df(*nodes, values="objs", lazy_vars=lazy_vars)

    def get_func_table(self, function: Node, values: Values = "inline") -> pd.DataFrame:
        """Return the calls of one function, a row for each: its arguments and its results."""
        return ShownTables(self).of_function(self.calls_of(function), values)

    def __repr__(self) -> str:
        return Description(self).line()

    def info(self, *nodes: Node) -> str:
        """Return what is in the frame, or in some of its nodes, as text."""
        return Description(self).info(self.check_nodes(nodes))

    def graph(self) -> Graph:
        """Return the functions and variables as a graph that `gitmemo.drawing` can draw."""
        from gitmemo.frames.picture import graph_of

        return graph_of(self, self.backing.pending() if self.backing else ())

    def draw(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        verbose: bool = False,
        direction: Direction = "TB",
        engine: Engine = "auto",
    ) -> Picture:
        """Draw the graph; in a notebook the picture is shown, with `path` it is also written.

        Args:
            path: A file: `.svg`, `.html`, `.dot`, `.mmd` (Mermaid), `.txt`; `.png` and `.pdf` with
                Graphviz.
            verbose: With versions and values in the nodes, and names and counts at all edges; as text
                also with the pattern that asks for it, where one pattern can say it.
            direction: From the top down (`TB`), or from left to right (`LR`).
            engine: `own`, or `dot` for Graphviz, if it is installed.

        Raises:
            UnknownPictureFormat, PictureNotWritten, GraphvizMissing, GraphvizFailed: As
                `gitmemo.drawing.save`.
        """
        from gitmemo.drawing import Picture, save

        graph = self.graph()
        if path is not None:
            save(graph, path, engine=engine, verbose=verbose, direction=direction)
        return Picture(graph, verbose, direction, (code_of(self) or "") if verbose else "")

    def _repr_svg_(self) -> str:
        return self.draw().svg

    def _repr_html_(self) -> str:
        from gitmemo.frames.page import page_of

        return page_of(self)

    def print_graph(self) -> None:
        """Print the graph as assignments, one for each function."""
        print(self.graph_text())

    def graph_text(self) -> str:
        """Return the graph as assignments, one for each function."""
        return Description(self).graph_text()
