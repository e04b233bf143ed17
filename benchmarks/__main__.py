"""`python -m benchmarks [NAME…]`: measure scenarios, or groups of them; without a name, the overview.

`setup` only installs the peers; `table FILE…` makes the tables of a document from what `--json` wrote.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from benchmarks import environments, machine, overview, rows
from benchmarks.scenarios import SCENARIOS
from benchmarks.timing import Left

ROUNDS = 5
_OVERVIEW = "overview"
_OTHERS = ("setup", _OVERVIEW)


def main(arguments: list[str]) -> int:
    """Run scenarios by name; an unknown name is an error."""
    if arguments[:1] == ["table"]:
        return _table(arguments[1:])
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    known = (*_OTHERS, *overview.GROUPS, *SCENARIOS)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--venvs", help="where the peers' environments are (build/peers)")
    parser.add_argument("--no-setup", action="store_true", help="install no peer that is missing")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_true", help="leave out what takes long")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all rows to a file")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in known]
    if unknown:
        print(f"no scenario {unknown[0]!r}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    if given.venvs:
        os.environ[environments.FOLDER] = str(Path(given.venvs).resolve())
    if not given.no_setup:
        environments.set_up(environments.PACKAGES)
    found = machine.describe()
    print(machine.as_line(found), flush=True)
    for name in _chosen(given.names or [_OVERVIEW], is_quick=given.quick):
        try:
            SCENARIOS[name].run(given.rounds, SCENARIOS[name].group)
        except Left as why:
            print(f"  ({name} could not be measured: {why})", file=sys.stderr, flush=True)
        if given.json:  # after each, so that a run that is cut short leaves something
            rows.write(given.json, found, rows.SHOWN)
    if _OVERVIEW in given.names:
        ended = {**found, machine.LOAD_AT_END: machine.load()}
        print(f"\n{overview.as_markdown([(ended, rows.SHOWN)])}")
    return 0


def _chosen(names: list[str], *, is_quick: bool) -> list[str]:
    """Return the scenarios that names stand for, each once, in their order."""
    groups = {*overview.GROUPS} if _OVERVIEW in names else {*names}
    return [
        name
        for name, scenario in SCENARIOS.items()
        if name in names or (scenario.group in groups and not (is_quick and scenario.is_long))
    ]


def _table(arguments: list[str]) -> int:
    """Print the tables of one run or several, or put them into a document."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks table")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="what `--json` wrote")
    parser.add_argument("--into", type=Path, metavar="DOCUMENT", help="put it between its marks")
    given = parser.parse_args(arguments)
    made = overview.as_markdown([rows.read(file) for file in given.files])
    if given.into is None:
        print(made)
    elif not overview.write_into(given.into, made):
        marks = f"{overview.BEGIN} and {overview.END}"
        print(f"{given.into} does not have the marks {marks}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
