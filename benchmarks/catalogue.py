"""All cases, by the names under which processes and people know them."""

from __future__ import annotations

from benchmarks.blocks import BLOCKS
from benchmarks.calls import CALLS, COLD, MANY
from benchmarks.frames import TABLES
from benchmarks.maps import MAPS

CASES = {**CALLS, **COLD, **MANY, **BLOCKS, **TABLES, **MAPS}
