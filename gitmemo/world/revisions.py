"""The world of another revision, read from git's objects without a checkout.

Not the checked-out world (`repository`). Invariant: only facts that the
revision's own tree holds are shown.
"""

from __future__ import annotations

from gitmemo.git.objects import ObjectReader
from gitmemo.model.facts import Call
from gitmemo.model.tombstones import Tombstones
from gitmemo.source.tree import SourceTree
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.segments import INDEX_FOLDER, segment_name
from gitmemo.world.view import in_order


def calls_at(world: RepositoryWorld, reader: ObjectReader, commit: str) -> list[Call]:
    """Return the calls that are committed in `commit`."""
    world.enter()
    found = {}
    for path, oid in reader.list(commit, INDEX_FOLDER):
        name = segment_name(path)
        if name:
            found[name] = (path, oid)
    known = world.files.segment_ids(found)
    new = [(path, reader.blob(oid)) for name, (path, oid) in found.items() if name not in known]
    files = {*known.values(), *world.files.load(new)}
    members = world.index.members(files)
    tombstones = Tombstones((r, fact) for n, r, fact in world.index.tombstones() if n in members)
    dead = world.index.covered(tombstones)
    return in_order(world.index.calls(sorted(members - dead)))


def code_at(reader: ObjectReader, commit: str) -> SourceTree:
    """Return the code of `commit`."""
    return SourceTree(lambda path: reader.read(commit, path))
