"""Modules of this process whose files say something else by now: after a checkout, or an edit.

Not what calls are judged by: that is what runs. Invariant: nothing is told that makes
no difference to code, and nothing twice.
"""

from __future__ import annotations

from pathlib import Path

from gitmemo.errors import SourceError
from gitmemo.file_states import FileState
from gitmemo.hashing.digest import Digest, digest
from gitmemo.source import SourceFile
from gitmemo.tracing.modules import Modules
from gitmemo.tracing.observations import file_state


class Staleness:
    """Compares the texts that were imported with the files."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._settled: dict[str, tuple[SourceFile, FileState | None]] = {}
        self._told: set[tuple[str, Digest, Digest]] = set()

    def found(self) -> list[str]:
        """Return the paths of the modules that are stale and were not told of in this state."""
        return [path for path in self._modules.loaded_paths() if self._is_news(path)]

    def _is_news(self, path: str) -> bool:
        file = self._modules.project.file_of(path)
        if file is None:
            return False
        name = str(file)
        state = file_state(name)
        if self._modules.is_as_read(path, state):  # as nearly always
            return False
        snapshot = self._modules.snapshot(path)
        if snapshot is None:
            return False
        imported = snapshot.file
        # What was compared once is compared again only when the file was written again.
        if self._settled.get(path) == (imported, state):
            return False
        self._settled[path] = imported, state
        now = _now(name, path, imported)
        before = _content(imported) if now is not None else None
        if now is None or before is None or before == now or (path, before, now) in self._told:
            return False  # the same code, or told before
        self._told.add((path, before, now))
        return True


def _now(name: str, path: str, imported: SourceFile) -> Digest | None:
    """Return the content of a file as it is; None if its text is the same.

    One that is gone, or no Python any more, has a content of its own.
    """
    try:
        data = Path(name).read_bytes()
    except OSError:
        return digest(b"gone")
    try:
        if SourceFile.says(data, path, imported.text):
            return None
        file_now = SourceFile.parse(data, path)
        return None if file_now.text == imported.text else _content(file_now)
    except SourceError:
        return digest(data)


def _content(file: SourceFile) -> Digest:
    units = sorted((name, unit.source) for name, unit in file.units.items())
    return digest(b"".join(name.encode() + b"\0" + source for name, source in units))
