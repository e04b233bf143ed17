"""The objects and refs of one repository, for histories: read, add, swap.

Not a model of histories. Opened for one transaction and then closed, because a
long-lived reader of refs misses what other processes pack. Invariant: a ref
moves only from the value that the caller saw.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import TracebackType

from gitmemo.errors import GitFailed
from gitmemo.git.cli import Git
from gitmemo.git.formats import CommitInfo, TreeEntry
from gitmemo.git.objects import DulwichReader
from gitmemo.git.repository import Layout
from gitmemo.history.rendering import GitObject

LOG_NAME = "versions.log"
_MAX_LOG_BYTES = 128 * 1024  # about 800 moves; as many are kept beside it
# Loose objects cost git a file each and bring `git gc --auto` nearer.
_PACK_FROM = 50
_MOST_PACKINGS = 8
_CONTENDED = ("lock", "but expected", "reference already exists", "incorrect old value")
_TYPE_NUMBERS = {"commit": 1, "tree": 2, "blob": 3}


class Store:
    """One open repository; a context manager."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.object_format = layout.object_format
        self._reader = DulwichReader(layout)
        self._commits: dict[str, CommitInfo] = {}
        # Refs in tables are for git itself: dulwich does not write them as git reads them.
        self._asks_git = (layout.common_dir / "reftable").is_dir()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._reader.close()

    # --- reading

    def commit(self, oid: str) -> CommitInfo:
        """Return a commit; raise `MissingObject`."""
        found = self._commits.get(oid)
        if found is None:
            found = self._commits[oid] = self._reader.commit(oid)
        return found

    def tree(self, oid: str) -> tuple[TreeEntry, ...]:
        """Return a tree's entries, unchecked names included; raise `MissingObject`."""
        return self._reader.tree(oid)

    def blob(self, oid: str) -> bytes:
        """Return a blob; raise `MissingObject`."""
        return self._reader.blob(oid)

    def ref(self, name: str) -> str | None:
        """Return what a ref points to."""
        if self._asks_git:
            return Git(self.layout.common_dir).try_run("rev-parse", "--quiet", "--verify", name)
        from dulwich.refs import Ref

        try:
            return self._reader.repository.refs[Ref(name.encode())].decode("ascii")
        except KeyError:
            return None

    # --- writing

    def add(self, objects: Iterable[GitObject]) -> None:
        """Write objects, many of them as one pack. Nothing points to them yet."""
        from dulwich.file import FileLocked
        from dulwich.object_format import get_object_format
        from dulwich.objects import ShaFile

        unique = {item.oid: item for item in objects}
        form = get_object_format(self.object_format)
        raw = [
            ShaFile.from_raw_string(_TYPE_NUMBERS[item.kind], item.body, object_format=form)
            for item in unique.values()
        ]
        database = self._reader.repository.object_store
        if len(raw) >= _PACK_FROM:
            database.add_objects([(item, None) for item in raw])
            return
        try:
            for item in raw:
                # One that is there already is only freshened, so that a concurrent
                # `git gc` does not prune it before a ref reaches it.
                database.add_object(item)
        except FileLocked:
            # Another process writes the very same object, or died doing so. A pack has
            # a name of its own; only one who packs just the same may be in the way.
            for attempt in range(_MOST_PACKINGS):
                with suppress(FileLocked):
                    database.add_objects([(item, None) for item in raw])
                    return
                back_off(attempt)
            raise

    def swap(self, name: str, old: str | None, new: str) -> bool:
        """Point a ref to `new` if it still points to `old` (None: does not exist)."""
        if self._asks_git:
            return move_refs(self.layout, {name: (old, new)})
        from dulwich.file import FileLocked
        from dulwich.objects import ObjectID
        from dulwich.refs import Ref

        expected = ObjectID(old.encode() if old else b"0" * 40)
        refs = self._reader.repository.refs
        with suppress(FileLocked):
            return refs.set_if_equals(Ref(name.encode()), expected, ObjectID(new.encode()))
        return False

    def log_move(self, ref: str, old: str | None, new: str, why: str) -> None:
        """Append a ref's move to the log from which it can be undone; git keeps none for it."""
        folder = self.layout.private_dir
        folder.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = f"{stamp} {ref} {old or '0' * len(new)} {new} {why}\n".encode()
        log = folder / LOG_NAME
        with suppress(OSError):
            if log.stat().st_size >= _MAX_LOG_BYTES:
                # Whoever has it open appends to the older one; nothing is lost.
                log.replace(folder / f"{LOG_NAME}.1")
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = os.open(log, flags, 0o666)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def move_refs(layout: Layout, moves: Mapping[str, tuple[str | None, str | None]]) -> bool:
    """Move refs in one transaction of git, each from old to new (None: none); return whether it worked.

    Raises:
        GitFailed: Git refuses for another reason than somebody who was first.
    """
    lines = [
        f"update {name} {new} {old or '0' * len(new)}\n" if new else f"delete {name} {old}\n"
        for name, (old, new) in sorted(moves.items())
    ]
    try:
        # No hook of the user's (reference-transaction) sees gitmemo's own refs.
        Git(layout.common_dir).run(
            "-c", "core.hooksPath=/dev/null", "update-ref", "--no-deref", "--stdin",
            stdin="".join(lines).encode(),
        )  # fmt: skip
    except GitFailed as error:
        if any(reason in error.stderr for reason in _CONTENDED):
            return False
        raise
    return True


def back_off(attempt: int) -> None:
    """Wait a little, at random and longer each time, before the next attempt."""
    time.sleep(random.uniform(0, min(0.5, 0.005 * 2**attempt)))
