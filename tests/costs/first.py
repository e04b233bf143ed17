"""The first hit of a process, counted: opening the repository included, imports of gitmemo not.

Not a test. Its first run computes. Prints the counts and the modules that were loaded, as JSON.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

import counting

counting.begin()
sys.path.insert(0, str(Path.cwd()))

import numpy as np  # noqa: E402
import ops  # type: ignore[import-not-found]  # noqa: E402

import gitmemo as gm  # noqa: E402
from gitmemo.memo import opening, storage  # noqa: E402, F401  imports are not what is counted


def main(what: str) -> None:
    argument: object = np.arange(1_000.0) if what == "array" else 7
    function = ops.total if what == "array" else ops.triple
    if what == "array":
        import_module("gitmemo.hashing.numeric")

    def first() -> None:
        with gm.open("."):
            function(argument)

    before = set(sys.modules)
    counted = counting.counts(first, python=True)
    print(json.dumps({"counted": counted, "modules": sorted(set(sys.modules) - before)}))


main(sys.argv[1])
