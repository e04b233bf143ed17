"""The plugin for pytest: tests do not touch the stored results of their project by accident.

Not the storages themselves; docs/testing.md says what tests see. Invariant: in a project that does
not use gitmemo it does nothing, and loads nothing; in one that does, the storage is out of reach
before the first `conftest.py` is imported.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator, Iterator
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
    """What keeps the storage of the project away, until the end of the session."""

    def __init__(self, root: Path, contact: Contact) -> None:
        from gitmemo.isolation import VARIABLE, Contact, Isolation

        self.root, self.contact = root, contact
        self._folder = None
        store = None
        if contact is Contact.OFF:
            self._folder = tempfile.mkdtemp(prefix="gitmemo-tests-")
            store = Path(self._folder, _STORE)
        self._patch = pytest.MonkeyPatch()
        self._patch.setenv(VARIABLE, Isolation(root, store).said())

    def end(self) -> None:
        self._patch.undo()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


_KEPT = pytest.StashKey[_Kept | None]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Keep the storage away before a `conftest.py` can open it."""
    _keep(early_config, early_config.known_args_namespace.gitmemo)
    yield


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Do the same where the plugin was loaded by a `conftest.py`."""
    _keep(config, config.option.gitmemo)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go of it."""
    kept = config.stash.get(_KEPT, None)
    if kept is not None:
        kept.end()


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what tests see, where there is something that they do not."""
    kept = config.stash.get(_KEPT, None)
    if kept is None:
        return None
    said = "an empty storage" if kept.contact == "off" else "stored results, and add none"
    return f"gitmemo: tests see {said} (--gitmemo={kept.contact})"


@pytest.fixture
def gitmemo_storage(
    tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Storage]:
    """An empty storage for this test, which versions the project's code.

    In a project that uses gitmemo it is what `gm.open()` returns until the test ends.
    """
    import gitmemo as gm
    from gitmemo.isolation import VARIABLE, Isolation

    root = _project(pytestconfig)
    store = tmp_path / _STORE
    if root is None:
        storage = gm.Storage(db_path=store, deps_path=pytestconfig.rootpath, on_change="pending")
    else:
        monkeypatch.setenv(VARIABLE, Isolation(root, store).said())
        storage = gm.open(root)
    yield storage
    storage.close()


def _keep(config: pytest.Config, said: str | None) -> None:
    """Keep the storage of the project away, once, unless tests may write to it."""
    if _KEPT in config.stash:
        return
    config.stash[_KEPT] = None
    root = _project(config)
    if root is None:
        return
    from gitmemo.isolation import Contact

    name = said or config.getini("gitmemo")
    try:
        contact = Contact(name)
    except ValueError:
        raise pytest.UsageError(f"gitmemo = {name}: choose off, read or write") from None
    if contact is not Contact.WRITE:
        config.stash[_KEPT] = _Kept(root, contact)


def _project(config: pytest.Config) -> Path | None:
    """Return the top of the work tree around the tests, if it has gitmemo in it."""
    for start in (config.rootpath, config.invocation_params.dir):
        for folder in (start.resolve(), *start.resolve().parents):
            if (folder / ".git").exists():
                if (folder / ".gitmemo/config.toml").is_file():
                    return folder
                break
    return None
