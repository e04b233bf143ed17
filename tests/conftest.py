"""What tests of several packages share: real repositories, and a clean environment."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import gitmemo as gm
from gitmemo.git.cli import Git
from gitmemo.tracing import events
from gitmemo.tracing.texts import Snapshot

# Tests edit code and load it again: bytecode of the same second and size would pass for it.
sys.dont_write_bytecode = True
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

PROFILE = os.environ.get("GITMEMO_TEST_PROFILE", "fast")
settings.register_profile("fast", deadline=None, max_examples=60, derandomize=True)
settings.register_profile("deep", deadline=None, max_examples=2000)
settings.load_profile(PROFILE)

REPOSITORY_NAME = "my reposité"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave heavy tests out of the default profile, counted with their reason."""
    if PROFILE == "deep":
        return
    reason = pytest.mark.skip(reason="only in profile deep: GITMEMO_TEST_PROFILE=deep pytest")
    for item in items:
        if item.get_closest_marker("deep"):
            item.add_marker(reason)


@pytest.fixture(autouse=True)
def clean_environment(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """No test sees the git settings of whoever runs it."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "GITMEMO_"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("CI", raising=False)  # in a CI job nobody is asked, and less is said
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    yield


@pytest.fixture(autouse=True, scope="session")
def written_before_loaded() -> Iterator[None]:
    """What tests write and load here is believed: the cache that would prove it is off."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Snapshot, "was_loaded_by", lambda snapshot, module: True)
        yield


@pytest.fixture(autouse=True)
def no_modules_of_other_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Programs of a test's folder are called alike, and commands run here import them."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if str(file).startswith(str(tmp_path_factory.getbasetemp())):
            del sys.modules[name]


@pytest.fixture(autouse=True)
def no_pools_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pools that earlier tests of this process left would make 3.11 count all that is referred to."""
    earlier = set(threading.enumerate())
    serves_a_pool = events._serves_a_pool
    monkeypatch.setattr(
        events, "_serves_a_pool", lambda thread: thread not in earlier and serves_a_pool(thread)
    )


def identify(folder: Path) -> Git:
    """Give a repository someone who commits there."""
    git = Git(folder)
    git.run("config", "user.name", "Tester")
    git.run("config", "user.email", "tester@localhost")
    git.run("config", "commit.gpgSign", "false")
    return git


@pytest.fixture
def make_repo(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes an empty repository in a new folder."""

    def make(name: str = REPOSITORY_NAME, *options: str) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        Git(folder).run("init", "-q", "-b", "main", *options)
        identify(folder)
        return folder

    return make


@pytest.fixture
def repo(make_repo: Callable[..., Path]) -> Path:
    """An empty repository in a folder whose name has a space and a non-ASCII letter."""
    return make_repo()


@pytest.fixture(params=["memory", "file"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[gm.Storage]:
    """A storage without versions, in memory and in a file."""
    storage = gm.Storage() if request.param == "memory" else gm.Storage(db_path=tmp_path / "s.db")
    yield storage
    storage.close()


@pytest.fixture
def versioned_storage(tmp_path: Path) -> Iterator[gm.Storage]:
    """A storage that versions the code in the test's folder."""
    storage = gm.Storage(deps_path=tmp_path)
    yield storage
    storage.close()
