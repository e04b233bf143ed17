"""Where the values of a world are, here and on a remote.

Not what to do about it. Invariant: the remote is asked once, and nothing is moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from gitmemo.quantities import count, size
from gitmemo.remotes import RemoteConfig, WantedBlob, holdings, open_remote
from gitmemo.workspace import Workspace, remote_cache
from gitmemo.world.stubs import CODEC


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the values of a world are, after its remote was asked.

    Attributes:
        there: Those that the remote holds.
        unsent: Those that are here and not there.
        unfetched: Those that are there and not here.
        nowhere: Those that are neither here nor there.
    """

    remote: str
    there: tuple[WantedBlob, ...]
    unsent: tuple[WantedBlob, ...]
    unfetched: tuple[WantedBlob, ...]
    nowhere: tuple[WantedBlob, ...]

    def as_dict(self) -> dict[str, object]:
        """Return how many there are of each, and their bytes."""
        found: dict[str, object] = {}
        for name in ("there", "unsent", "unfetched", "nowhere"):
            values: tuple[WantedBlob, ...] = getattr(self, name)
            found[name] = len(values)
            found[f"{name}_bytes"] = sum(item.size for item in values)
        return found

    def lines(self, command: Callable[[str], str]) -> Iterator[str]:
        """Yield what there is to say; `command` gives the one that pushes or pulls just this."""
        yield f"{self.remote}: holds {_amount(self.there)} of this world"
        if self.unsent:
            yield f"  here and not there: {_amount(self.unsent)} ({command('push')})"
        if self.unfetched:
            yield f"  there and not here: {_amount(self.unfetched)} ({command('pull')})"
        if self.nowhere:
            yield f"  neither here nor there: {_amount(self.nowhere)}"


def _amount(blobs: tuple[WantedBlob, ...]) -> str:
    segments = sum(item.codec == CODEC for item in blobs)
    also = f" and {count(segments, 'spilled segment')}" if segments else ""
    values = count(len(blobs) - segments, "value")
    return f"{values}{also} ({size(sum(item.size for item in blobs))})"


def standing(workspace: Workspace, config: RemoteConfig, wanted: Iterable[WantedBlob]) -> Standing:
    """Ask a remote which of `wanted` it holds, and compare with what is here."""
    distinct = {item.blob: item for item in wanted}
    cache = remote_cache(workspace.layout, config)
    there = holdings(open_remote(config, workspace.root), cache, distinct.values())
    absent = workspace.world.blobs.missing(distinct)

    def among(*, is_there: bool, is_here: bool | None) -> tuple[WantedBlob, ...]:
        return tuple(
            item
            for blob, item in distinct.items()
            if (blob in there) is is_there and (is_here is None or (blob not in absent) is is_here)
        )

    return Standing(
        config.name,
        there=among(is_there=True, is_here=None),
        unsent=among(is_there=False, is_here=True),
        unfetched=among(is_there=True, is_here=False),
        nowhere=among(is_there=False, is_here=False),
    )
