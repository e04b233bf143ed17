"""Space in a database that nothing uses.

Not garbage collection: no fact and no value goes. Invariant: what can be read
before can be read afterwards.
"""

from __future__ import annotations

from gitmemo.world.index import Index


def vacuum(index: Index) -> int:
    """Give unused space back; return how many bytes smaller the database became."""
    with index.lock:
        before = _size_bytes(index)
        # What is only in the log would otherwise be written twice.
        index.database.execute("pragma wal_checkpoint(truncate)")
        index.database.execute("vacuum")
        index.database.execute("pragma wal_checkpoint(truncate)")
        return max(0, before - _size_bytes(index))


def _size_bytes(index: Index) -> int:
    (pages,) = index.database.execute("pragma page_count").fetchone()
    (page_bytes,) = index.database.execute("pragma page_size").fetchone()
    return int(pages) * int(page_bytes)
