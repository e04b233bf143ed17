"""The plugin for pytest: tests do not touch the stored results of their project by accident.

Not the storages themselves; docs/testing.md says what tests see. Invariant: in a project that does
not use gitmemo it does nothing, and loads nothing; in one that does, the storage is out of reach
before the first `conftest.py` is imported, and until the process ends.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gitmemo.isolation import Contact
    from gitmemo.memo.storage import Storage

_HELP = (
    "What tests have to do with stored results of the project: off (the default: they see an empty "
    "storage), read (they reuse them, new calls are refused), write (nothing is kept away)."
)
_STORE = "gitmemo.db"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--gitmemo`, and the setting `gitmemo`."""
    group = parser.getgroup("gitmemo")
    choices = ("off", "read", "write")
    group.addoption("--gitmemo", choices=choices, default=None, dest="gitmemo", help=_HELP)
    parser.addini("gitmemo", _HELP, default="off")


class _Kept:
    """What keeps storages away from the tests, from the first one that is found to the end.

    The end is that of the process, for threads and handlers may outlive the session; but where
    somebody goes on in it, as in a notebook, it is that of the session.
    """

    def __init__(self, contact: Contact) -> None:
        from gitmemo import isolation

        self.contact = contact
        self.is_told = False
        self._roots: list[Path] = []
        self._before = isolation.kept()
        self._patch = pytest.MonkeyPatch()
        self._process = os.getpid()
        self._folder: str | None = None

    def add(self, root: Path) -> None:
        """Keep the storage of a work tree away."""
        from gitmemo import isolation

        if root in self._roots:
            return
        store = None
        if self.contact.value == "off":
            if self._folder is None:
                self._folder = tempfile.mkdtemp(prefix="gitmemo-tests-")
                atexit.register(self._remove)
            store = Path(self._folder, f"{len(self._roots)}-{_STORE}")
        self._roots.append(root)
        isolation.keep((*isolation.kept(), isolation.Isolation(root, store)))
        self._patch.setenv(isolation.VARIABLE, isolation.variable())
        _follow()

    def end(self) -> None:
        """Let go of it, if this process is not the tests' own."""
        from gitmemo import isolation

        if not (hasattr(sys, "ps1") or sys.flags.interactive):
            return
        self._patch.undo()
        isolation.keep(self._before)
        _follow()
        atexit.unregister(self._remove)
        self._remove()

    def _remove(self) -> None:
        # A forked process ends too.
        if self._folder is not None and self._process == os.getpid():
            shutil.rmtree(self._folder, ignore_errors=True)


_KEPT = pytest.StashKey[_Kept | None]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Keep the storage away before a `conftest.py` can open it."""
    _keep(early_config, _projects(early_config))
    yield


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Do the same where the plugin was loaded by a `conftest.py`."""
    _keep(config, _projects(config))


@pytest.hookimpl(tryfirst=True)
def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> None:
    """Do the same for a project inside the others, before anything in it is imported."""
    if (collection_path / ".git").exists():
        _keep(config, filter(None, [_around(collection_path)]))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go of it."""
    kept = config.stash.get(_KEPT, None)
    if kept is not None:
        kept.end()


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what tests see, where there is something that they do not."""
    kept = config.stash.get(_KEPT, None)
    if kept is None or kept.is_told:
        return None
    kept.is_told = True
    said = "an empty storage" if kept.contact == "off" else "stored results, and add none"
    return f"gitmemo: tests see {said} (--gitmemo={kept.contact})"


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """Say the same of a project that was found later."""
    said = pytest_report_header(config)
    return [said] if said else []


@pytest.fixture
def gitmemo_storage(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Storage]:
    """An empty storage for this test, which versions the project's code.

    In a project that uses gitmemo it is what `gm.open()` returns until the test ends.
    """
    import gitmemo as gm
    from gitmemo import isolation

    config = request.config
    root = _around(request.path) or next(_projects(config), None)
    store = tmp_path / _STORE
    if root is None:
        with_code = gm.Storage(db_path=store, deps_path=config.rootpath, on_change="pending")
        yield with_code
        with_code.close()
        return
    before = isolation.kept()
    isolation.keep((*before, isolation.Isolation(root, store)))
    monkeypatch.setenv(isolation.VARIABLE, isolation.variable())
    storage = gm.open(root)
    yield storage
    storage.close()
    isolation.keep(before)


def _keep(config: pytest.Config, roots: Iterable[Path]) -> None:
    """Keep the storages of projects away, unless tests may write to them."""
    for root in roots:
        if _KEPT not in config.stash:
            contact = _contact(config)
            config.stash[_KEPT] = None if contact.value == "write" else _Kept(contact)
        kept = config.stash[_KEPT]
        if kept is not None:
            kept.add(root)


def _contact(config: pytest.Config) -> Contact:
    from gitmemo.isolation import Contact

    name = config.known_args_namespace.gitmemo or config.getini("gitmemo")
    try:
        return Contact(name)
    except ValueError:
        raise pytest.UsageError(f"gitmemo = {name}: choose off, read or write") from None


def _follow() -> None:
    """Let storages follow that were opened earlier, by a plugin that pytest was told to load."""
    if "gitmemo.memo.opening" in sys.modules:
        from gitmemo.memo.opening import follow

        follow()


def _projects(config: pytest.Config) -> Iterator[Path]:
    """Yield the work trees with gitmemo around what is tested, each as often as it is found."""
    for start in _starts(config):
        if found := _around(start):
            yield found


def _starts(config: pytest.Config) -> Iterator[Path]:
    """Yield where tests may be: the root of the run, the current folder, what is named to pytest."""
    said, here = config.known_args_namespace, config.invocation_params.dir
    yield from (config.rootpath, here)
    for argument in said.file_or_dir:
        name = argument.partition("::")[0]
        yield here / name
        if said.pyargs:
            with suppress(ImportError, ValueError):
                spec = find_spec(name.partition(".")[0])
                yield from map(Path, (spec and spec.submodule_search_locations) or ())
    if not said.file_or_dir:
        for pattern in config.getini("testpaths"):
            yield config.rootpath / pattern
            with suppress(NotImplementedError, ValueError):  # an absolute path is no pattern
                yield from config.rootpath.glob(pattern)


def _around(start: Path) -> Path | None:
    """Return the top of the work tree around a path, if it has gitmemo in it."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / ".git").exists():
            return folder if (folder / ".gitmemo/config.toml").is_file() else None
    return None
