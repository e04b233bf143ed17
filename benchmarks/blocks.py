"""Entering and leaving a block, in one process. Calls beside the peers are in `cases`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.peers import OURS, open_tool, prepare
from benchmarks.timing import Action, in_turn, show


def block() -> None:
    """Entering and leaving a block where nothing changed, and one hit in it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        actions: dict[str, Action] = {}
        for functions in (50, 500):
            for name in OURS[:2]:
                place = Path(folder) / f"{functions}-{OURS.index(name)}"
                actions |= _blocks(name, place, functions)
        show("13. enter and exit a block", in_turn(actions, 50))


def _blocks(name: str, place: Path, functions: int) -> dict[str, Action]:
    import sys

    prepare(name, place)
    module_name = f"many_{functions}_{OURS.index(name)}"
    text = "".join(f"def f{n}(x):\n    return x + {n}\n\n" for n in range(functions))
    calls = ", ".join(f"f{n}(x)" for n in range(functions))
    (place / f"{module_name}.py").write_text(
        f"{text}def all_of_them(x):\n    return sum([{calls}])\n"
    )
    sys.path.insert(0, str(place))
    tool = open_tool(name, place)
    function = tool.wrap(__import__(module_name).all_of_them)
    with tool.block():
        function(1)

    def enter() -> None:
        with tool.block():
            pass

    def enter_and_hit() -> None:
        with tool.block():
            function(1)

    label = f"{name.removeprefix('gitmemo, ')}, {functions}"
    return {label: Action(enter), f"{label} + hit": Action(enter_and_hit)}
