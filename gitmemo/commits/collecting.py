"""Journals that commits have made superfluous, and files that nobody finished.

Not values, nor segments. Invariant: a journal goes only when all that it held is in commits
that a ref reaches, reflogs left out, and its source texts are in git; so git alone has it all.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from gitmemo.blobs.home import blobs_folder
from gitmemo.git.repository import Layout
from gitmemo.hashing.digest import Digest
from gitmemo.history import Histories
from gitmemo.model.facts import Text
from gitmemo.steps import steps
from gitmemo.workspace import Workspace
from gitmemo.world.journal import PACKED
from gitmemo.world.lost import EXPORTED_KINDS, segments_of_refs
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.table import of_text

_HALF_WRITTEN = ("*.new", "journal/**/*.new", "remotes/**/.tmp-*")
_SURELY_ENDED_S = 86_400


def superfluous_journals(workspace: Workspace, *, older_than_s: float) -> list[Path]:
    """Return the journals that were set aside so long ago and that nothing needs any more."""
    world = workspace.world
    before = time.time() - older_than_s
    old = [
        (path, file)
        for path, file, _ in world.files.exported()
        if path.suffix == PACKED and path.stat().st_mtime <= before
    ]
    if not old:
        return []
    kept = world.index.members(segments_of_refs(workspace.layout, world.files))
    looked_at = steps("looking through journals", old, "journal")
    found = [(path, world.index.members([file])) for path, file in looked_at]
    return [
        path
        for path, held in found
        if not world.index.of_kinds(held - kept, EXPORTED_KINDS) and _has_texts(workspace, held)
    ]


def half_written(layout: Layout) -> Iterator[Path]:
    """Yield the files that a process would have put in the place of others, if it had not ended."""
    before = time.time() - _SURELY_ENDED_S
    places = [(layout.private_dir, pattern) for pattern in _HALF_WRITTEN]
    places += [(blobs_folder(layout), pattern) for pattern in (".*.new", "repositories/.*.new")]
    for folder, pattern in [*places, (layout.root, ".gitmemo/**/.*.new")]:
        for path in list(folder.glob(pattern)):
            with suppress(FileNotFoundError):
                found = path.lstat()
                if stat.S_ISREG(found.st_mode) and found.st_mtime < before:
                    yield path


def remove(paths: Iterable[Path]) -> None:
    """Delete files."""
    for path in paths:
        path.unlink(missing_ok=True)


def _has_texts(workspace: Workspace, numbers: set[int]) -> bool:
    """Whether git has the source texts among these facts."""
    wanted = _texts(workspace.world, numbers)
    return not wanted or wanted <= Histories(workspace.layout).texts_of(wanted).keys()


def _texts(world: RepositoryWorld, numbers: set[int]) -> set[Digest]:
    texts = world.index.of_kinds(numbers, ["text"])
    facts = (fact for number, _, fact in world.index.facts("text") if number in texts)
    return {of_text(fact) for fact in facts if isinstance(fact, Text)}
