"""The texts of modules, and what compiling them gives.

Not which modules there are (`modules`). Invariant: a text does not change once it was read; it is
cut into units only when somebody asks about one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from gitmemo.errors import SourceError
from gitmemo.file_states import FileState, is_fresh, state_of
from gitmemo.hashing.digest import Digest
from gitmemo.source import SourceFile, Unit, UnitKind
from gitmemo.source.names import Names
from gitmemo.source.units import NO_SOURCE
from gitmemo.tracing.cells import Cells, nested
from gitmemo.tracing.loading import Doubt, cached_code, changed_at


@dataclass(frozen=True, slots=True)
class LiveUnit:
    """A unit as this process runs it.

    Attributes:
        path: The component path of its file.
        name: The name of the unit.
        kind: What sort of statement it is.
        source: Digest of its source, or of its bytecode where no source is proven.
        names: The global names that it reads.
        text: The source for people; empty if there is none.
    """

    path: str
    name: str
    kind: UnitKind
    source: Digest
    names: Names
    text: str


class Snapshot:
    """The text of one module, and what compiling it gives."""

    def __init__(
        self, file: SourceFile, cells: Cells | None = None, read_in: FileState | None = None
    ) -> None:
        self.file = file
        self.cells = cells  # where the text is that of cells
        self.read_in = read_in  # as of `Unparsed`, where the text is that of a file
        self.doubt: Doubt | None = None  # where the text perhaps is not what was loaded
        self._live: dict[tuple[str, bool], LiveUnit] = {}

    def live(self, path: str, unit: Unit, *, ran: bool = False) -> LiveUnit:
        """Return a unit of the text as a live one; `ran` if code that runs proves it."""
        known = self._live.get((unit.name, ran))
        if known is None:
            source, text = unit.source, unit.text
            if self.doubt is not None and not (ran and self.doubt.clears(unit)):
                source, text = self.doubt.source(source), ""
            known = LiveUnit(path, unit.name, unit.kind, source, unit.names, text)
            self._live[unit.name, ran] = known
        return known

    def source_of(self, unit: str) -> Digest | None:
        """Return the source id of any unit that a component can name, as this process ran it."""
        source = self.file.source_of(unit)
        if self.doubt is None or source is None or source == NO_SOURCE:
            return source
        return self.doubt.source(source)

    def was_loaded_by(self, module: ModuleType) -> bool:
        """Whether Python's cache of a module, and its functions, were compiled from this text."""
        own = (f for f in list(vars(module).values()) if type(f) is FunctionType)
        top, file = self._top, vars(module).get("__file__")
        return (
            top is not None
            and cached_code(module) == top
            and all(self.proves(f.__code__) for f in own if f.__code__.co_filename == file)
        )

    def unit_of(self, code: CodeType) -> Unit | None:
        """Return the unit that `code` stands in, if it is this text that it was compiled from."""
        line = self.line_of(code)
        return None if line is None else self.file.unit_at(line)

    def line_of(self, code: CodeType) -> int | None:
        """Return the line of the text where `code` begins, if it was compiled from this text."""
        if self.cells is not None:
            return self.cells.line_of(code)
        return code.co_firstlineno if self.proves(code) else None

    def proves(self, code: CodeType) -> bool:
        """Whether compiling the text gives this very code."""
        candidates = self._compiled.get((code.co_qualname, code.co_firstlineno), ())
        return any(candidate == code for candidate in candidates)

    @cached_property
    def _top(self) -> CodeType | None:
        try:
            return compile(self.file.text, self.file.path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError):
            return None

    @cached_property
    def _compiled(self) -> dict[tuple[str, int], list[CodeType]]:
        table: dict[tuple[str, int], list[CodeType]] = {}
        for code in nested(self._top) if self._top is not None else ():
            table.setdefault((code.co_qualname, code.co_firstlineno), []).append(code)
        return table


@dataclass(frozen=True, slots=True)
class Unparsed:
    """The text of one module, of which nobody has asked anything yet.

    Attributes:
        changed_at: When the file got the text.
        read_in: The state of the file then; None if another text may come in the same state.
    """

    data: bytes
    path: str
    changed_at: int
    read_in: FileState | None

    def parsed(self) -> Snapshot | None:
        """Return it as a snapshot, None if it is not Python (any more)."""
        try:
            file = SourceFile.parse(self.data, self.path)
        except SourceError:
            return None
        return Snapshot(file, read_in=self.read_in)


def read(file: Path | None, path: str) -> Unparsed | None:
    """Return what a file says, None if it is not there or cannot be read."""
    if file is None or not file.is_file():  # reading from a pipe would never end
        return None
    try:
        with file.open("rb") as stream:
            data = stream.read()
            status = os.fstat(stream.fileno())  # after reading, to be no older
        state = state_of(status)
        return Unparsed(data, path, changed_at(status), None if is_fresh(state) else state)
    except OSError:
        return None
