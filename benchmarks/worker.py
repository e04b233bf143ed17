"""One process of a benchmark of whole processes: `python -m benchmarks.worker TOOL FOLDER ACTION N`.

Prints one JSON object. `fill` makes N new calls; `again` makes them once more, `shuffled` in any order.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

from benchmarks.peers import OURS, imported, open_tool


def main(name: str, folder: str, action: str, count: int, begin: int = 0) -> None:
    """Make the calls and say how long they took."""
    place = Path(folder)
    module = imported("subject", place)
    if name in OURS:
        import gitmemo.memo.op
        import gitmemo.memo.opening
        import gitmemo.memo.storage  # noqa: F401  imports are not what is measured
    numbers = list(range(begin, begin + count))
    if action == "shuffled":
        random.Random(0).shuffle(numbers)
    start = time.perf_counter()
    tool = open_tool(name, place)
    function = tool.wrap(module.triple)
    with tool.block():
        function(numbers[0])
        opened = time.perf_counter()
        for number in numbers[1:]:
            function(number)
        done = time.perf_counter()
    print(
        json.dumps(
            {
                "open_s": opened - start,
                "calls_s": done - opened,
            }
        )
    )


main(*sys.argv[1:4], *map(int, sys.argv[4:]))
