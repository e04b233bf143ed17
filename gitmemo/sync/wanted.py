"""The values that facts name, as what transfers move.

Not which facts a command is about (`choice`). Invariant: no remote is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitmemo.model.facts import Value
    from gitmemo.remotes import WantedBlob
    from gitmemo.source.tree import SourceTree
    from gitmemo.world.repository import RepositoryWorld
    from gitmemo.world.revisions import RevisionWorld


def values_of(world: RepositoryWorld | RevisionWorld, code: SourceTree) -> list[WantedBlob]:
    """Return the blobs that the facts of this world name, pending ones included."""
    world.enter()
    return wanted_of(world, world.visible(code))


def missing_of(world: RepositoryWorld | RevisionWorld, code: SourceTree) -> list[WantedBlob]:
    """Return those of `values_of` that are not on this machine."""
    world.enter()
    return missing_among(world, world.visible(code))


def missing_among(
    world: RepositoryWorld | RevisionWorld, numbers: Iterable[int]
) -> list[WantedBlob]:
    """Return the blobs that these facts name and that are not on this machine."""
    absent = world.blobs.missing(world.index.blobs_among(numbers))
    if not absent:
        return []
    return _wanted(value for value in world.index.values_among(numbers) if value.blob in absent)


def wanted_of(world: RepositoryWorld | RevisionWorld, numbers: Iterable[int]) -> list[WantedBlob]:
    """Return the blobs that the facts with these numbers name."""
    return _wanted(world.index.values_among(numbers))


def _wanted(values: Iterable[Value]) -> list[WantedBlob]:
    from gitmemo.remotes import WantedBlob  # slow to import, and mostly nothing is missing

    return [WantedBlob.of(value) for value in values]
