"""What is in a frame, in words.

Not pictures and not tables. Invariant: the same frame has the same text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gitmemo.quantities import count

if TYPE_CHECKING:
    from gitmemo.frames.graph import FrameGraph


class Description:
    """Describes one frame."""

    def __init__(self, frame: FrameGraph) -> None:
        self._frame = frame

    def line(self) -> str:
        """Return one line."""
        ops = ", ".join(self._frame.ops())
        free = sum(map(len, self._frame.free.values()))
        alone = f", {count(free, 'value')}" if free else ""
        shown = f"ComputationFrame({count(len(self._frame), 'call')} of {ops or 'nothing'}{alone})"
        is_empty = not len(self._frame) and not free
        return f"{shown}: {self._frame.left_out}" if is_empty and self._frame.left_out else shown

    def info(self, nodes: Sequence[str]) -> str:
        """Return the nodes with how much is in each, and the graph."""
        frame = self._frame
        wanted = nodes or frame.nodes
        lines = [self.line()]
        for name in wanted:
            if name in frame.variables:
                lines.append(f"  {name}: {self._variable(name)}")
            else:
                calls = frame.calls_of(name)
                versions = len({call.version for call in calls if call.version})
                several = f", {versions} versions" if versions > 1 else ""
                op = frame.function(name).op
                bare = name.removesuffix("()")
                lines.append(f"  {bare}(): {count(len(calls), 'call')} of {op}{several}")
        if not nodes and frame.functions:
            lines += ["", self.graph_text()]
        return "\n".join(lines)

    def _variable(self, name: str) -> str:
        frame = self._frame
        values = count(len(frame.elements(name)), "value")
        made = sorted({one.function for one in frame.variables[name] if one.produced})
        shown = {function: fname for fname, function in frame.functions.items()}
        return (
            f"{values} from {', '.join(shown[one].removesuffix('()') for one in made)}"
            if made
            else values
        )

    def graph_text(self) -> str:
        """Return the graph as assignments: `out = function(argument=variable | other, …)`."""
        frame = self._frame
        lines = []
        for name in frame.functions:
            arguments: dict[str, dict[str, None]] = {}
            results: dict[str, None] = {}
            calls = frame.calls_of(name)
            if not calls:
                continue
            for call in calls:
                for slot in call.inputs:
                    source = frame.names[frame.roles.argument(call, slot)]
                    arguments.setdefault(slot.name, {})[source] = None
                results.update(
                    (frame.names[frame.roles.output(call, s)], None) for s in call.outputs
                )
            given = ", ".join(f"{a}={' | '.join(sorted(names))}" for a, names in arguments.items())
            lines.append(f"{', '.join(results) or '_'} = {name.removesuffix('()')}({given})")
        return "\n".join(lines)
