"""A repository in which somebody can record and commit calls, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import environment
from person import CONFIG, Person

from gitmemo.git.cli import Git


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("begun") / "p"
    root.mkdir()
    git = Git(root)
    git.run("init", "-q", "-b", "main")
    for key, value in (("user.name", "T"), ("user.email", "t@localhost"), ("gc.auto", "0")):
        git.run("config", key, value)
    (root / ".gitmemo").mkdir()
    (root / ".gitmemo/config.toml").write_text(CONFIG)
    git.run("add", "-A")
    git.run("commit", "-q", "-m", "Begin")
    return root


@pytest.fixture
def person(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    shutil.copytree(template, tmp_path / "p", symlinks=True)
    yield Person(tmp_path / "p")
