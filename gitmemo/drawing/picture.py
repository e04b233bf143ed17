"""A picture that notebooks show, and that can be saved.

Not how it is drawn. Invariant: it is drawn when somebody looks, from a graph that does not change.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gitmemo.drawing.assignments import to_text
from gitmemo.drawing.dot import to_dot
from gitmemo.drawing.folding import folded
from gitmemo.drawing.graph import Direction, Graph
from gitmemo.drawing.mermaid import to_mermaid
from gitmemo.drawing.rendering import save
from gitmemo.drawing.svg import to_svg


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of a graph: SVG in a notebook, text elsewhere.

    Attributes:
        code: What text begins with: the graph as a program that asks for it.
    """

    graph: Graph
    verbose: bool = False
    direction: Direction = "TB"
    code: str = ""

    @property
    def svg(self) -> str:
        """The picture as SVG."""
        return to_svg(folded(self.graph), verbose=self.verbose, direction=self.direction)

    @property
    def dot(self) -> str:
        """The graph in the language of Graphviz."""
        return to_dot(folded(self.graph), verbose=self.verbose, direction=self.direction)

    @property
    def mermaid(self) -> str:
        """The graph in the language of Mermaid, which hosting sites and notebooks draw."""
        return to_mermaid(folded(self.graph), verbose=self.verbose, direction=self.direction)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture into a file, in the format that its name says; see `gitmemo.drawing.save`."""
        return save(self.graph, path, verbose=self.verbose, direction=self.direction)

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        text = to_text(self.graph, verbose=self.verbose)
        return f"{self.code}\n{text}" if self.code else text
