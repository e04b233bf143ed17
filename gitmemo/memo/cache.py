"""What a storage keeps in memory although it could be read again.

Not the values behind refs: each ref holds its own. Invariant: dropping it never
changes a result, and nothing waits in it to be written.
"""

from __future__ import annotations

from dataclasses import dataclass

from gitmemo.memo.caller import Caller
from gitmemo.memo.lookup import Lookup
from gitmemo.memo.verdicts import Verdicts
from gitmemo.model.validity import Code
from gitmemo.quantities import count
from gitmemo.world.view import World


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What is in memory.

    Attributes:
        calls: Stored calls that `preload` read.
        bytes: Their size as they are stored.
        short_cuts: Calls that were found before and need no look-up.
        versions: Versions that `preload` read.
        verdicts: Versions that were judged in this block.
    """

    calls: int
    bytes: int
    short_cuts: int
    versions: int
    verdicts: int

    def __repr__(self) -> str:
        return (
            f"CacheInfo({count(self.calls, 'call')} ({count(self.bytes, 'byte')}), "
            f"{count(self.short_cuts, 'short cut')}, {count(self.versions, 'version')}, "
            f"{count(self.verdicts, 'verdict')})"
        )


class Cache:
    """The parts of a storage that keep something; `verdicts` is None where code is not versioned."""

    def __init__(
        self, world: World, lookup: Lookup, caller: Caller, verdicts: Verdicts | None
    ) -> None:
        self._world = world
        self._lookup = lookup
        self._caller = caller
        self._verdicts = verdicts

    def preload(self, code: Code) -> CacheInfo:
        """Read the calls of this world and their versions."""
        if self._world.enter():
            self._caller.clear()
        calls = self._world.calls(code)
        self._lookup.preloaded.fill(calls)
        if self._verdicts is not None:
            self._verdicts.preload({call.version for call in calls if call.version is not None})
        return self.info()

    def clear(self) -> None:
        """Drop everything."""
        self._caller.clear()
        if self._verdicts is not None:
            self._verdicts.drop()

    def info(self) -> CacheInfo:
        """Return what there is."""
        preloaded = self._lookup.preloaded
        versions, verdicts = self._verdicts.sizes if self._verdicts is not None else (0, 0)
        return CacheInfo(
            len(preloaded),
            preloaded.size_bytes(),
            self._caller.short_cuts,
            versions,
            verdicts,
        )
