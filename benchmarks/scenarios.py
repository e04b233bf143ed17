"""All that can be measured, by name, in the order of the overview.

Not how anything is measured. Invariant: a scenario without a group is no part of the overview.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from benchmarks import growth, listing, sharing, startup, turns, versioning, working, worlds
from benchmarks.blocks import BLOCKS
from benchmarks.calls import CALLS, COLD, MANY
from benchmarks.cases import Case
from benchmarks.frames import TABLES
from benchmarks.maps import MAPS


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that is measured, and shown as one row or several.

    Attributes:
        run: Measures and shows, given how many rounds and the group that its rows are of.
        group: The part of the overview that it belongs to, if to any.
        is_long: Whether `--quick` leaves it out.
    """

    run: Callable[[int, str], None]
    group: str = ""
    is_long: bool = False


def _cases(cases: Mapping[str, Case], group: str) -> dict[str, Scenario]:
    return {
        name: Scenario(partial(turns.compare, name), group, case.is_long)
        for name, case in cases.items()
    }


def _many() -> dict[str, Scenario]:
    return {
        name: Scenario(partial(turns.compare_many, name), "many", case.is_long)
        for name, case in MANY.items()
    }


SCENARIOS: dict[str, Scenario] = {
    **_cases(CALLS, "calls"),
    "imports": Scenario(startup.imports, "processes"),
    "helps": Scenario(startup.helps, "processes"),
    **_cases(COLD, "processes"),
    **_many(),
    "growth": Scenario(partial(growth.growth, 1), "many"),
    **_cases(MAPS, "many"),
    **_cases(BLOCKS, "code"),
    "watch": Scenario(versioning.watch, "code"),
    **_cases(TABLES, "tables"),
    "directory": Scenario(sharing.to_directory, "sharing"),
    "s3": Scenario(sharing.to_server, "sharing", is_long=True),
    "working": Scenario(working.working, "git"),
    "worlds": Scenario(worlds.worlds, "git", is_long=True),
    "growth10": Scenario(partial(growth.growth, 10)),
    "million": Scenario(worlds.million),
    "library": Scenario(sharing.library),
    "fixed": Scenario(versioning.fixed),
    "arguments": Scenario(versioning.arguments),
    "versions": Scenario(listing.versions),
    "listing": Scenario(listing.listing),
}
