"""Pictures of graphs, of computations and of dependencies, that need no other program.

Not where the graphs come from: frames and dependencies make them. Invariant: pure but for
`rendering`, and the same graph gives the same bytes in every process.
"""

from typing import TYPE_CHECKING

from gitmemo.late import loader

if TYPE_CHECKING:
    from gitmemo.drawing.assignments import to_text
    from gitmemo.drawing.dot import to_dot
    from gitmemo.drawing.folding import MOST, folded
    from gitmemo.drawing.graph import Direction, Edge, Graph, Kind, Node, State
    from gitmemo.drawing.mermaid import to_mermaid
    from gitmemo.drawing.page import to_fragment, to_html
    from gitmemo.drawing.picture import Picture
    from gitmemo.drawing.rendering import Engine, Format, format_of, put, render, save
    from gitmemo.drawing.svg import to_svg

__all__ = [
    "MOST",
    "Direction",
    "Edge",
    "Engine",
    "Format",
    "Graph",
    "Kind",
    "Node",
    "Picture",
    "State",
    "folded",
    "format_of",
    "put",
    "render",
    "save",
    "to_dot",
    "to_fragment",
    "to_html",
    "to_mermaid",
    "to_svg",
    "to_text",
]

__getattr__ = loader(
    __name__,
    assignments=("to_text",),
    dot=("to_dot",),
    folding=(
        "MOST",
        "folded",
    ),
    graph=(
        "Direction",
        "Edge",
        "Graph",
        "Kind",
        "Node",
        "State",
    ),
    mermaid=("to_mermaid",),
    page=(
        "to_fragment",
        "to_html",
    ),
    picture=("Picture",),
    rendering=(
        "Engine",
        "Format",
        "format_of",
        "put",
        "render",
        "save",
    ),
    svg=("to_svg",),
)
