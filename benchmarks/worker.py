"""gitmemo in a process of its own, over many calls: `python -m benchmarks.worker FOLDER ACTION N BEGIN`.

Prints one JSON object. `fill` makes N new calls; `again` makes them once more, `shuffled` in any order.
"""

from __future__ import annotations

import importlib
import json
import random
import sys
import time
from pathlib import Path

from benchmarks.peers import IMPORTS, REPOSITORY, imported, open_tool


def main(folder: str, action: str, count: int, begin: int) -> None:
    """Make the calls and say how long they took."""
    place = Path(folder)
    module = imported("subject", place)
    for name in IMPORTS[REPOSITORY]:  # imports are not what is measured
        importlib.import_module(name)
    numbers = list(range(begin, begin + count))
    if action == "shuffled":
        random.Random(0).shuffle(numbers)
    start = time.perf_counter()
    tool = open_tool(REPOSITORY, place)
    function = tool.wrap(module.triple)
    with tool.block():
        function(numbers[0])
        opened = time.perf_counter()
        for number in numbers[1:]:
            function(number)
        done = time.perf_counter()
    print(json.dumps({"open_s": opened - start, "calls_s": done - opened}))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
