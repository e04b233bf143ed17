"""`python -m benchmarks [NAME…]`: run the named scenarios, or all; `setup` only installs the peers."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path

from benchmarks import (
    blocks,
    environments,
    growth,
    listing,
    machine,
    maps,
    overview,
    scale,
    sharing,
    startup,
    tables,
    versioning,
    worlds,
)
from benchmarks.cases import CASES
from benchmarks.timing import ROUNDS, SHOWN
from benchmarks.turns import compare

SCENARIOS = {
    **{name: partial(compare, name) for name in CASES},
    "fresh": scale.fresh,
    "scale": scale.scale,
    "block": blocks.block,
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
_OTHERS = ("setup", "overview")  # not run where no name is given


def main(arguments: list[str]) -> int:
    """Run scenarios by name; an unknown name is an error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join((*_OTHERS, *SCENARIOS)))
    parser.add_argument("--venvs", help="where the peers' environments are (build/peers)")
    parser.add_argument("--no-setup", action="store_true", help="install no peer that is missing")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of the calls beside peers")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all tables to a file")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in {*SCENARIOS, *_OTHERS}]
    if unknown:
        known = ", ".join((*_OTHERS, *SCENARIOS))
        print(f"no scenario {unknown[0]!r}; there are: {known}", file=sys.stderr)
        return 2
    if given.venvs:
        os.environ[environments.FOLDER] = str(Path(given.venvs).resolve())
    if not given.no_setup:
        environments.set_up(environments.PACKAGES)
    found = machine.describe()
    print(overview.described(found), flush=True)
    for name in given.names or SCENARIOS:
        _run(name, given.rounds)
    if given.json:
        overview.write_json(given.json, found, SHOWN)
    return 0


def _run(name: str, rounds: int) -> None:
    if name in CASES:
        compare(name, rounds=rounds)
    elif name == "overview":
        overview.overview()
    elif name != "setup":
        SCENARIOS[name]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
