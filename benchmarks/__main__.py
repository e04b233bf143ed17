"""`python -m benchmarks [NAME…]`: run the named scenarios, or all."""

from __future__ import annotations

import sys

from benchmarks import (
    calls,
    growth,
    listing,
    maps,
    scale,
    sharing,
    startup,
    tables,
    versioning,
    worlds,
)

SCENARIOS = {
    "hit": calls.hit,
    "fresh": scale.fresh,
    "chain": calls.chain,
    "dict": calls.setting,
    "array": calls.array,
    "miss": calls.miss,
    "result": calls.result,
    "scale": scale.scale,
    "block": calls.block,
    "startup": startup.startup,
    "watch": versioning.watch,
    "fixed": versioning.fixed,
    "arguments": versioning.arguments,
    "data": versioning.data,
    "entry": versioning.entry,
    "versions": versioning.versions,
    "listing": listing.listing,
    "growth": growth.growth,
    "tables": tables.tables,
    "sharing": sharing.sharing,
    "worlds": worlds.worlds,
    "million": worlds.million,
    "maps": maps.maps,
}


def main(names: list[str]) -> int:
    """Run scenarios by name; an unknown name is an error."""
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        print(f"no scenario {unknown[0]!r}; there are: {', '.join(SCENARIOS)}", file=sys.stderr)
        return 2
    for name in names or SCENARIOS:
        SCENARIOS[name]()
    return 0


sys.exit(main(sys.argv[1:]))
