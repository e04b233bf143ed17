"""Which op of the project takes the results of an old function.

Not whether their code is the same (`code`). Invariant: files are imported for what they define
(`memo.definitions`), and only those that the user or the old store names.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitmemo.errors import GitmemoError, NothingMapped
from gitmemo.memo.storage import Storage
from gitmemo.moving.fitting import Refused
from gitmemo.source.canonical import OWN_DECORATORS, dotted_name
from gitmemo.tracing.project import FOREIGN_FOLDERS

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

_MAIN = "__main__-"
_SUPEROP = "superop"


class OpFinder:
    """Finds ops; `maps` says of some old functions which op is meant, in the words of `load_op`."""

    def __init__(self, storage: Storage, maps: Mapping[str, str]) -> None:
        self._storage = storage
        self._maps = maps

    def check(self, names: Sequence[str]) -> None:
        """Refuse maps of functions that the old store does not have.

        Raises:
            NothingMapped: Names one.
        """
        for old in self._maps:
            if sum(old in _spellings(name) for name in names) != 1:
                raise NothingMapped(old, tuple(names))

    def of_joblib(self, parts: Sequence[str]) -> Op[..., Any]:
        """Return the op for a function that joblib names by its module and its name.

        Raises:
            Refused: There is none.
            OpNotLoaded, UnknownOp: There is none of the name that `--map` says.
        """
        mapped = self._mapped(".".join(parts))
        if mapped is not None:
            return mapped
        if parts[0].startswith(_MAIN):
            return self._tried([f"{file}:{'.'.join(parts[1:])}" for file in self._mains(parts[0])])
        splits = range(len(parts) - 1, 0, -1)
        return self._tried([f"{'.'.join(parts[:n])}:{'.'.join(parts[n:])}" for n in splits])

    def of_mandala(self, name: str) -> Op[..., Any]:
        """Return the op for a function that mandala knows by its bare name.

        Raises:
            Refused: No file of the project, or more than one, defines an op of that name.
            OpNotLoaded, UnknownOp: There is none of the name that `--map` says.
        """
        mapped = self._mapped(name)
        if mapped is not None:
            return mapped
        files = [file for file in self._files() if _defines(file, name)]
        if len(files) > 1:
            root = self._root()
            listed = ", ".join(f"{file.relative_to(root)}:{name}" for file in files)
            raise Refused(f"several ops have its name ({listed}): say which with --map")
        return self._tried([f"{file}:{name}" for file in files])

    def _mapped(self, name: str) -> Op[..., Any] | None:
        for old, new in self._maps.items():
            if old in _spellings(name):
                return self._storage.load_op(new)
        return None

    def _tried(self, names: Sequence[str]) -> Op[..., Any]:
        reason = "no op of the project has its name: say which with --map"
        for name in names:
            try:
                return self._storage.load_op(name)
            except GitmemoError as error:
                if error.kind != "unknown-op":
                    reason = error.problem()
        raise Refused(reason)

    def _mains(self, module: str) -> list[Path]:
        """Return the file that joblib means by `__main__` and a path with dashes."""
        return [file for file in self._files() if _as_main(file) == module]

    def _files(self) -> Iterator[Path]:
        """Yield the Python files of the project."""
        project = self._storage.project
        for folder, inner, files in os.walk(self._root()):
            inner[:] = sorted(name for name in inner if not _is_foreign(folder, name))
            for name in sorted(files):
                file = Path(folder, name)
                if name.endswith(".py") and project and project.component_path(str(file)):
                    yield file

    def _root(self) -> Path:
        project = self._storage.project
        assert project is not None and project.root is not None  # it is a repository's
        return project.root


def _is_foreign(folder: str, name: str) -> bool:
    """Whether a folder holds no code of the project, however deep."""
    is_known = name.startswith(".") or name in FOREIGN_FOLDERS
    return is_known or Path(folder, name, "pyvenv.cfg").is_file()


def _spellings(name: str) -> tuple[str, str]:
    return name, name.rpartition(".")[2]


def _as_main(file: Path) -> str:
    return _MAIN + "-".join(("", *file.with_suffix("").parts[1:]))


def _defines(file: Path, name: str) -> bool:
    """Whether a file has an op of that name at its top level, as far as its text says."""
    text = file.read_bytes()
    if name.encode() not in text:
        return False
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name == name
        and any(_is_op(decorator) for decorator in node.decorator_list)
        for node in body
    )


def _is_op(decorator: ast.expr) -> bool:
    last = (dotted_name(decorator) or "").rpartition(".")[2]
    return last in OWN_DECORATORS or last == _SUPEROP
