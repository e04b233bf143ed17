"""Whether the derived index repeats the files that it was made of: a disk may have changed it since.

Not what is wrong with those files (`commits.check`). Invariant: nothing is written; an index that
repeats them gives every fact as it stands there, and finds it by what it is looked up by.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

from gitmemo.errors import GitmemoError
from gitmemo.world.derived import in_memory
from gitmemo.world.files import FactFiles
from gitmemo.world.index import Index
from gitmemo.world.repository import RepositoryWorld

_ROWS = (
    "select fact.shape, line, mark, micros, hid, kind, op, version, names"
    " from fact join shape on shape.id = fact.shape"
)
_DAMAGED = (GitmemoError, sqlite3.DatabaseError, ValueError, LookupError, TypeError)


def repeats_its_files(world: RepositoryWorld) -> bool:
    """Whether it does, where segments and journals can be read: it is compared with one made anew."""
    try:
        with closing(in_memory()) as anew:
            FactFiles(world.layout, anew).refresh()
            world.enter()  # afterwards: programs may add to journals meanwhile
            return _facts(anew) <= _facts(world.index)
    except _DAMAGED:
        return False


def _facts(index: Index) -> set[int]:
    """Return what stands for each fact, and for all that it is found by."""
    with index.lock:
        return {
            hash((index.shapes.line(shape, stored), *rest))
            for shape, stored, *rest in index.database.execute(_ROWS)
        }
