"""One process of a benchmark of whole processes: `python -m benchmarks.worker TOOL FOLDER ACTION N`.

Prints one JSON object. `fill` makes N new calls; `again` makes them once more.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from benchmarks.peers import OURS, open_tool, subject


def main(name: str, folder: str, action: str, count: int) -> None:
    """Make the calls and say how long they took."""
    place = Path(folder)
    module = subject(place)
    if name in OURS:
        import gitmemo.memo.op
        import gitmemo.memo.opening
        import gitmemo.memo.storage  # noqa: F401  imports are not what is measured
    start = time.perf_counter()
    tool = open_tool(name, place)
    function = tool.wrap(module.triple)
    begin = 0 if action == "again" else int(sys.argv[5]) if len(sys.argv) > 5 else 0
    with tool.block():
        function(begin)
        opened = time.perf_counter()
        for number in range(begin + 1, begin + count):
            function(number)
        done = time.perf_counter()
    again = time.perf_counter()
    with tool.block():
        pass
    after = time.perf_counter()
    print(
        json.dumps(
            {
                "open_s": opened - start,
                "calls_s": done - opened,
                "next_block_s": after - again,
                "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
