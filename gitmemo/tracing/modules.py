"""The project's modules in this process, and the source that they run.

Not the meaning of names (`bindings`). Invariant: the text of a module is the
one that was there when the module was first seen, and it is believed only for
code objects that compiling it reproduces; other code counts by bytecode, and what
has no code is believed only if the text is shown to be what was loaded (`loading`).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from gitmemo.file_states import FileState, is_fresh
from gitmemo.hashing.digest import Digest, digest
from gitmemo.hashing.structure import code_digest
from gitmemo.model.components import MAIN_PATH, Component, is_elsewhere
from gitmemo.source import NameUse, SourceFile, UnitKind
from gitmemo.source.names import Names, described_by
from gitmemo.source.parsing import parse
from gitmemo.source.stores import binds_by_attribute
from gitmemo.tracing.cells import cells_seen, cells_that_ran, nested
from gitmemo.tracing.loading import Doubt, Loads, noted_at, spec_of
from gitmemo.tracing.observations import Observations, file_state
from gitmemo.tracing.project import Project, is_cell, main_file, main_module
from gitmemo.tracing.texts import LiveUnit, Snapshot, Unparsed, read

OUTSIDE = "@"
"""What paths begin with that name a module outside the project: `@numpy.linalg`."""
_REFLECTING = frozenset({"globals", "eval", "exec", "__globals__"})


class Modules:
    """Finds modules, snapshots and units; remembers them for the process."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._lock = threading.RLock()
        self._snapshots: dict[str, Snapshot | Unparsed | None] = {}
        self._specs: dict[str, object] = {}  # of the modules when their texts were read
        self._loads = Loads()
        self._loaded: dict[str, ModuleType] = {}
        self._texts: dict[str, tuple[FileState | None, SourceFile | None]] = {}
        self._outside: dict[str, str] = {}  # "@module" -> file
        self._units: dict[int, tuple[CodeType, LiveUnit | None]] = {}
        self._seen_modules: dict[str, ModuleType] = {}
        self._seen_count = -1
        self._seen_cells: tuple[int, int] | None = None

    # --- modules

    def observe(self) -> None:
        """Take snapshots of modules that are new, before their files change."""
        if len(sys.modules) == self._seen_count:
            return
        with self._lock:
            self._seen_count = len(sys.modules)
            now, seen, is_foreign = noted_at(), self._seen_modules, self.project.is_surely_foreign
            for name, module in list(sys.modules.items()):
                if seen.get(name) is not module:
                    seen[name] = module
                    if not is_foreign(name, module):
                        self._take(module)
            self._loads.looked(now)

    def _take(self, module: ModuleType) -> None:
        path = self.path_of(module)
        if path is None:
            return
        before = self._loaded.get(path)
        # A script that is also imported runs twice; what `__main__` holds counts.
        if before is None or before is not main_module() or not _is_alive(before):
            if before is not None and before is not module:
                self._snapshots.pop(path, None)
            self._loaded[path] = module
            self._loads.found(path, module)
        if not self._is_typed_in(path):
            self._keep(path)

    def stands_in(self, module: ModuleType) -> None:
        """Take a module for loaded now: it stands for the main script of another process.

        Whoever says so has compared the text of its file with that of there.
        """
        self._loads.loaded_now(module)

    def path_of(self, module: ModuleType) -> str | None:
        """Return the component path of a module, None if it is not ours."""
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            return self.project.component_path(file)
        if module is main_module() and main_file() is None:
            return self.project.component_path("<stdin>")
        return None

    def module(self, path: str) -> ModuleType | None:
        """Return the module loaded from `path`, None if there is none."""
        self.observe()
        module = self._loaded.get(path)
        if module is not None and _is_alive(module):
            return module
        if path.startswith(OUTSIDE):
            return sys.modules.get(path[1:])
        for name in self._names_of(path):
            candidate = sys.modules.get(name)
            if isinstance(candidate, ModuleType) and self.path_of(candidate) == path:
                if self._loaded.get(path) is not candidate:
                    self._snapshots.pop(path, None)
                self._loaded[path] = candidate
                return candidate
        if module is not None:
            self._forget(path)
        return None

    def _names_of(self, path: str) -> Iterator[str]:
        yield "__main__"
        if path != MAIN_PATH and not path.startswith(OUTSIDE):
            yield self.project.module_name_of(path)

    def _forget(self, path: str) -> None:
        with self._lock:
            self._loaded.pop(path, None)
            self._snapshots.pop(path, None)

    # --- texts

    def snapshot(self, path: str) -> Snapshot | None:
        """Return the text of a loaded module as it was when first seen after it was last loaded."""
        if self._is_typed_in(path):
            return self._cells(path)
        with self._lock:
            self._keep(path)
            return self._parsed(path)

    def _keep(self, path: str) -> None:
        """Read the text of a loaded module, unless it was read since the module was last loaded."""
        spec = spec_of(self._loaded[path]) if path in self._loaded else None
        # A reload runs the whole text anew, and gives the module another spec.
        if path not in self._snapshots or self._specs.get(path) is not spec:
            self._specs[path] = spec
            self._snapshots[path] = self._loaded_text(path)

    def _parsed(self, path: str) -> Snapshot | None:
        kept = self._snapshots.get(path)
        if isinstance(kept, Unparsed):
            kept = self._snapshots[path] = kept.parsed()
        return kept

    def _loaded_text(self, path: str) -> Snapshot | Unparsed | None:
        """Read the file of a module, and doubt it unless it is shown to be what was loaded."""
        module = self._loaded.get(path)
        began = self._loads.began_after(path, module) if module is not None else 0
        text = read(self._file(path), path)
        # Few of the modules of a program are asked about in a run that only finds results.
        if text is None or (module is not None and text.changed_at < began):
            return text
        found = text.parsed()
        if found is not None and module is not None and not found.was_loaded_by(module):
            found.doubt = Doubt(os.urandom(16), vars(module))
        return found

    def doubted_source(self, component: Component) -> Digest | None:
        """Return the source id that a component has if its text perhaps is not what was loaded."""
        snapshot = self._snapshots.get(component.path)
        if not isinstance(snapshot, Snapshot) or snapshot.doubt is None:
            return None
        return snapshot.source_of(component.unit)

    def loaded_texts(self) -> list[tuple[str, SourceFile]]:
        """Return the texts of the project's loaded modules, by path; cells left out."""
        texts = [(path, self.snapshot(path)) for path in self.loaded_paths()]
        return [(path, text.file) for path, text in texts if text is not None]

    def loaded_paths(self) -> list[str]:
        """Return the paths of the project's loaded modules; those that are typed in left out."""
        self.observe()
        paths = [p for p in list(self._loaded) if not (is_elsewhere(p) or self._is_typed_in(p))]
        return [path for path in paths if _is_alive(self._loaded[path])]

    def is_as_read(self, path: str, state: FileState | None) -> bool:
        """Whether a module's file, now in this state, says what was read of it; if not, it may."""
        with self._lock:
            self._keep(path)
            kept = self._snapshots[path]
        return kept is not None and kept.read_in is not None and kept.read_in == state

    def may_bind(self, name: str) -> bool:
        """Whether code of a loaded module of the project may make a global of this name."""
        with self._lock:
            files = [found.file for path in list(self._snapshots) if (found := self._parsed(path))]
        return any(
            name in file.rebound_by_functions or binds_by_attribute(parse(file.text), name)
            for file in files
        )

    def on_disk(self, path: str, seen: Observations) -> SourceFile | None:
        """Return what the file says now."""
        file = self._file(path)
        if file is None:
            return None
        seen.file(str(file))
        state = file_state(str(file))
        known = self._texts.get(path)
        if known is None or known[0] != state or (state and is_fresh(state)):
            is_here = is_elsewhere(path) or self.project.component_path(str(file)) == path
            text = read(file, path) if is_here else None
            snapshot = text.parsed() if text else None
            known = self._texts[path] = state, snapshot.file if snapshot else None
        return known[1]

    def _file(self, path: str) -> Path | None:
        if path.startswith(OUTSIDE):
            file = self._outside.get(path) or getattr(sys.modules.get(path[1:]), "__file__", None)
            return Path(file) if file else None
        if path == MAIN_PATH:
            file = main_file()
            return Path(file) if file else None
        return self.project.file_of(path)

    def _is_typed_in(self, path: str) -> bool:
        return main_file() is None and (
            path == MAIN_PATH or path == self.project.component_path("<stdin>")
        )

    def _cells(self, path: str) -> Snapshot | None:
        """Return the cells that ran, as a notebook file would say them."""
        seen = cells_seen()
        if seen != self._seen_cells or path not in self._snapshots:
            self._seen_cells = seen
            known, found = self._parsed(path), cells_that_ran(path)
            if found is None:
                self._snapshots[path] = None
            elif known is None or known.cells is None or not known.cells.says(found):
                self._snapshots[path] = Snapshot(found.file, found)
        return self._parsed(path)

    # --- units

    def path_of_code(self, code: CodeType) -> str | None:
        """Return the component path of a code object, None if it is not ours."""
        return self.project.component_path(code.co_filename)

    def unit_of(self, code: CodeType, *, path: str | None = None) -> LiveUnit | None:
        """Return the unit that a code object belongs to.

        `path` stands for the file of code that is not the project's.
        """
        known = self._units.get(id(code))
        if known is not None and known[0] is code and not is_cell(code.co_filename):
            return known[1]
        path = path or self.path_of_code(code)
        is_code = path is not None and code.co_name != "<module>" and _is_from_here(code)
        unit = self._find(path, code) if path is not None and is_code else None
        self._units[id(code)] = (code, unit)  # keeps the code alive, so that its id stays its own
        return unit

    def outside(self, function: FunctionType) -> str:
        """Return the path of a function outside the project, and remember its file."""
        path = OUTSIDE + str(function.__module__)
        self._outside[path] = function.__code__.co_filename
        return path

    def _find(self, path: str, code: CodeType) -> LiveUnit | None:
        snapshot = self.snapshot(path)
        unit = snapshot.unit_of(code) if snapshot else None
        if unit is None and snapshot is not None and snapshot.cells is None:
            # Reloaded after an edit, perhaps: then the file proves what the snapshot cannot.
            text = self._loaded_text(path)
            fresh = text.parsed() if isinstance(text, Unparsed) else text
            unit = fresh.unit_of(code) if fresh else None
            if fresh is not None and unit is not None:
                self._snapshots[path] = snapshot = fresh
        if snapshot is not None and unit is not None:
            return snapshot.live(path, unit, ran=True)
        return self._by_bytecode(path, code)

    def _by_bytecode(self, path: str, code: CodeType) -> LiveUnit | None:
        """Describe code whose source is unknown, as of a rewritten or edited module."""
        name = code.co_qualname.partition(".<locals>")[0]
        if "<" in name:
            name = "$" + name
        names = {name for inner in nested(code) for name in inner.co_names}
        uses = frozenset(NameUse("", (used,), False) for used in names)
        strings = {c for inner in nested(code) for c in inner.co_consts if isinstance(c, str)}
        source = digest(b"bytecode" + code_digest(code))
        reflects, reads = bool(names & _REFLECTING), described_by(names | strings)
        read = Names(uses, frozenset(strings), reflects, frozenset(), reads=reads)
        return LiveUnit(path, name, UnitKind.FUNCTION, source, read, "")


def _is_from_here(code: CodeType) -> bool:
    """Whether code without a file was typed in, rather than generated by some library."""
    if code.co_filename != "<string>":
        return True
    return code.co_qualname.partition(".")[0] in vars(main_module() or sys)


def _is_alive(module: ModuleType) -> bool:
    return sys.modules.get(module.__name__) is module or module is main_module()
