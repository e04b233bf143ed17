"""Which files belong to the project, and what they are called.

Not what is in them (`gitmemo.source`). Invariant: a component path and a
module name depend on where a file stands under the root alone, never on the
working directory, on `sys.path` or on how the program was started.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from types import ModuleType

from gitmemo.errors import UnusableFileName
from gitmemo.model.components import MAIN_PATH, Component, is_external, stays_inside
from gitmemo.tracing.executed import Executed
from gitmemo.tracing.real_paths import RealPaths

FOREIGN_FOLDERS = frozenset(
    {
        "site-packages",
        "dist-packages",
        "node_modules",
        "__pypackages__",
        ".git",
        ".venv",
        ".tox",
        ".nox",
        ".eggs",
    }
)
"""Folders with code of others, wherever they are."""
_KERNEL_CELL = re.compile(r".*[/\\]ipykernel_\d+[/\\]\d+\.py")
# What `%%time` runs has a name of its own, the same for every cell.
_CELL = re.compile(rf"<(?:ipython|python)-input-.*>|<timed exec>|{_KERNEL_CELL.pattern}")
_MARIMO_CELL = re.compile(r".*[/\\]__marimo__cell_\w+\.py")
_TYPED_IN = frozenset({"<stdin>", "<string>"})
_OWN_FOLDER = str(Path(__file__).resolve().parent.parent) + os.sep
_KNOWN_PACKAGES = (sys.stdlib_module_names | {"gitmemo"}) - {"__main__"}
NOTEBOOK_VARIABLES = ("PAPERMILL_INPUT_PATH", "__vsc_ipynb_file__", "__session__")


class Project:
    """The code that counts as the user's own.

    Args:
        root: Folder whose Python files are tracked; None tracks no file.
        main_only: Track only what `__main__` consists of.
        source_roots: Folders under the root that are import roots; they do not
            appear in module names.
        notebook: The notebook that this process runs, where the caller knows it.
        depends: What is no code and every call depends on.
    """

    def __init__(
        self,
        root: Path | None,
        *,
        main_only: bool = False,
        source_roots: Sequence[str] = ("src",),
        notebook: Path | None = None,
        depends: Sequence[Component] = (),
    ) -> None:
        self.root = None if root is None else root.resolve()
        self.main_only = main_only
        self.depends = tuple(depends)
        self.source_roots = tuple(PurePath(folder).as_posix().strip("/") for folder in source_roots)
        self._notebook = notebook
        self._prefix = "" if self.root is None else str(self.root).rstrip(os.sep) + os.sep
        self._foreign = tuple(_foreign_prefixes(self._prefix))
        self._known_folders = tuple(_known_folders(self._prefix))
        self._paths: dict[str, str | None] = {}
        self._folders: dict[str, bool] = {}
        self._unusable: str | None = None
        self._files = RealPaths()
        self._executed = (
            None if self.root is None or main_only else Executed(self.root, FOREIGN_FOLDERS)
        )

    def component_path(self, filename: str) -> str | None:
        """Return the path that components of `filename` carry, None if it is not ours."""
        try:
            return self._paths[filename]
        except KeyError:
            pass
        is_typed_in = is_cell(filename)
        path = self._component_path(filename, is_typed_in)
        # What is typed in has no name of its own yet: the notebook may become known.
        if not is_typed_in and filename not in _TYPED_IN:
            self._paths[filename] = path
        return path

    def is_surely_foreign(self, name: str, module: ModuleType) -> bool:
        """Whether a module is Python's or gitmemo's own by its name; if not, its file says it."""
        # Most modules of a program are: for them this takes a tenth of the look at the file.
        if name.partition(".")[0] not in _KNOWN_PACKAGES or self.main_only:
            return False
        file = getattr(module, "__file__", None)
        return file is None or (isinstance(file, str) and file.startswith(self._known_folders))

    def refuse_unusable(self) -> None:
        """Refuse code whose path would not be found again in the files of a commit.

        Not where the path is met: code that runs cannot be stopped there.

        Raises:
            UnusableFileName: A file was met whose path is no path elsewhere.
        """
        if self._unusable is not None:
            raise UnusableFileName(self._unusable)

    def owns(self, filename: str) -> bool:
        """Whether code of this file is tracked."""
        try:  # asked of every function that a call runs
            return self._paths[filename] is not None
        except KeyError:
            return self.component_path(filename) is not None

    def file_of(self, path: str) -> Path | None:
        """Return the file that a component path stands for, whether or not it exists.

        None for what stands elsewhere: paths come from facts, which anybody may have written.
        """
        return self.root / path if self.root is not None and stays_inside(path) else None

    def folder(self) -> Path:
        """Return where the paths of files start that are no code: the root, else beside the script."""
        if self.root is not None:
            return self.root
        main = main_file()
        return Path(main).resolve().parent if main else Path.cwd()

    def module_name(self, filename: str) -> str:
        """Return the dotted name that the place of a file gives it."""
        path = self.component_path(filename)
        if path is None:
            return _name_by_packages(Path(filename))
        if path == MAIN_PATH:
            return MAIN_PATH
        return self.module_name_of(path)

    def module_name_of(self, path: str) -> str:
        """Return the dotted name of a component path."""
        for folder in sorted(self.source_roots, key=len, reverse=True):
            if folder and path.startswith(folder + "/"):
                path = path[len(folder) + 1 :]
                break
        parts = list(PurePath(path).with_suffix("").parts)
        if parts[-1] == "__init__" and len(parts) > 1:
            parts.pop()
        return ".".join(parts)

    def path_of_module_name(self, name: str) -> str | None:
        """Return the component path of a module by the name it is imported by, if there is one."""
        if self.root is None or self.main_only or not name:
            return None
        tail = Path(*name.split("."))
        # A script's own folder is an import root too, and stands in sys.path.
        searched = [Path(entry) for entry in sys.path if self._is_inside(entry)]
        for folder in (*searched, *(self.root / root for root in self.source_roots), self.root):
            for candidate in (folder / tail.with_suffix(".py"), folder / tail / "__init__.py"):
                if candidate.is_file():
                    path = self.component_path(str(candidate))
                    if path is not None:
                        return path
        return None

    def _is_inside(self, folder: str) -> bool:
        real = os.path.realpath(folder)
        return real.startswith(self._prefix) or real + os.sep == self._prefix

    def _component_path(self, filename: str, is_typed_in: bool) -> str | None:
        if is_typed_in:
            return self._main_path() if self._tracks_main() else None
        if filename in _TYPED_IN:
            is_main = self._tracks_main() and main_file() is None
            return self._main_path() if is_main else None
        if filename.startswith("<"):  # generated, or frozen into the interpreter
            return None
        if filename.startswith(_OWN_FOLDER) and not self.main_only:
            return None
        real = self._files.of(filename)
        if self.main_only:
            main = main_file()
            if main is None or os.path.realpath(main) != real:
                return None
            if not real.startswith(self._prefix) or not self._prefix:
                return MAIN_PATH
        if not self._prefix or not real.startswith(self._prefix):
            return None
        if real.startswith(self._foreign) or self._in_foreign_folder(real):
            return None
        path = PurePath(real[len(self._prefix) :]).as_posix()
        # A script without a suffix whose name is that of something else than code.
        if is_external(Component(path, "")) or path == MAIN_PATH:
            return MAIN_PATH
        if not _is_portable(path):
            self._unusable = path
        return path

    def _tracks_main(self) -> bool:
        return self.main_only or self.root is not None

    def _main_path(self) -> str:
        notebook = self.notebook()
        return MAIN_PATH if notebook is None else self._below(notebook) or MAIN_PATH

    def notebook(self) -> Path | None:
        """Return the notebook that this process runs, None if it is not known."""
        said = self._notebook or _notebook_of_main()
        if self._executed is None or not self._executed.is_asked():
            return said
        alike = self._executed.alike()
        # What a variable says may be inherited from the notebook that executes this one.
        is_said = said is not None and (
            not alike or said in alike or Path(os.path.realpath(said)) in alike
        )
        return said if is_said else alike[0] if len(alike) == 1 else None

    def notebooks_alike(self) -> tuple[str, ...]:
        """Return the paths of several notebooks of which each may be the one that is executed."""
        if self._executed is None or not self._executed.is_asked():
            return ()
        return tuple(self._below(path) or str(path) for path in self._executed.alike())

    def _below(self, notebook: Path) -> str | None:
        """Return the path of a notebook from the root, None if it is not below it."""
        real = os.path.realpath(notebook)
        if not self._prefix or not real.startswith(self._prefix):
            return None
        return PurePath(real[len(self._prefix) :]).as_posix()

    def _in_foreign_folder(self, real: str) -> bool:
        folder = real.rpartition(os.sep)[0]
        return len(folder) + 1 > len(self._prefix) and self._is_foreign(folder)

    def _is_foreign(self, folder: str) -> bool:
        known = self._folders.get(folder)
        if known is None:
            parent, _, name = folder.rpartition(os.sep)
            known = name in FOREIGN_FOLDERS or Path(folder, "pyvenv.cfg").exists()
            if not known and len(parent) + 1 > len(self._prefix):
                known = self._is_foreign(parent)
            self._folders[folder] = known
        return known


def _is_portable(path: str) -> bool:
    """Whether a path can be recorded, and is taken for that of a file wherever it is read."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return stays_inside(path)


def is_cell(filename: str) -> bool:
    """Whether a code object of this file name was typed into a notebook or a shell."""
    # Asked of every module: what is in a file is told from its name without the expression.
    if filename[:1] != "<" and "ipykernel_" not in filename:
        return False
    return _CELL.fullmatch(filename) is not None


def is_kernel_cell(filename: str) -> bool:
    """Whether it was typed into a notebook, rather than a shell."""
    return _KERNEL_CELL.fullmatch(filename) is not None


def is_marimo_cell(filename: str) -> bool:
    """Whether it is a cell that marimo runs: of which file it is part, and where, it does not say."""
    return "__marimo__" in filename and _MARIMO_CELL.fullmatch(filename) is not None


def main_module() -> ModuleType | None:
    """Return the module that runs as `__main__`."""
    return sys.modules.get("__main__")


def main_file() -> str | None:
    """Return the file of the main script, None in a shell, a notebook or for piped code."""
    file = getattr(main_module(), "__file__", None)
    # `python - < script.py` says "<stdin>".
    return file if isinstance(file, str) and file not in _TYPED_IN else None


def _notebook_of_main() -> Path | None:
    namespace = getattr(main_module(), "__dict__", {})
    for variable in NOTEBOOK_VARIABLES:
        value = namespace.get(variable)
        if isinstance(value, str) and value.endswith(".ipynb"):
            return Path(value)
    return None


def _foreign_prefixes(prefix: str) -> list[str]:
    """List the folders under the root that hold Python itself, and gitmemo."""
    bases = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, _folder_of(os)}
    # All of them lie in these; mostly none is under the root, and `sysconfig` loads a long table.
    if not any((os.path.realpath(base) + os.sep).startswith(prefix) for base in bases):
        return [_OWN_FOLDER]
    import sysconfig

    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    real = {os.path.realpath(folder) + os.sep for folder in folders if folder}
    return [folder for folder in real if folder.startswith(prefix)] + [_OWN_FOLDER]


def _known_folders(prefix: str) -> Iterator[str]:
    """Yield the folders of Python's own modules and of gitmemo, where no file is of the project."""
    for folder in (_OWN_FOLDER, _folder_of(os) + os.sep):
        real = os.path.realpath(folder) + os.sep
        if not (real.startswith(prefix) or prefix.startswith(real)):
            yield folder


def _folder_of(module: ModuleType) -> str:
    return os.path.split(getattr(module, "__file__", None) or "")[0]


def _name_by_packages(file: Path) -> str:
    """Return the dotted name of a file outside the root, by the packages around it."""
    parts = [] if file.stem == "__init__" else [file.stem]
    folder = file.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts) or file.stem
