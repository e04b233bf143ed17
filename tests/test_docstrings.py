"""Docstrings: everything public has one, and their examples do what they show.

Examples run in a scratch repository with a `storage` in memory, never in the store of whoever runs the
tests.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import cached_property
from pathlib import Path
from types import FunctionType, NoneType

import pytest
import yaml
from driver import make_clone

import gitmemo as gm
from gitmemo import errors

PACKAGE = Path(gm.__file__).parent
WITH_EXAMPLES = sorted(
    str(path.relative_to(PACKAGE.parent))
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text("utf-8")
)
API = PACKAGE.parent / "docs/api"
_SHOWN = re.compile(r"^::: (gitmemo[\w.]+)\n((?: +\S.*\n|\n(?= +))*)", re.MULTILINE)
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def shown() -> Iterator[tuple[str, object, tuple[str, ...]]]:
    """Yield what the reference on the site shows: name, thing, and the patterns of what it leaves out."""
    for page in sorted(API.glob("*.md")):
        for name, said in _SHOWN.findall(page.read_text("utf-8")):
            options = (yaml.safe_load(said) or {}).get("options", {})
            home, _, last = name.rpartition(".")
            thing = getattr(importlib.import_module(home), last)
            yield (
                name,
                thing,
                tuple(rule.removeprefix("!") for rule in options.get("filters", ["!^_"])),
            )
    for last in errors.__all__:
        yield (
            f"gitmemo.errors.{last}",
            getattr(errors, last),
            ("^_", "^(kind|exit_code|problem|remedy|value)$"),
        )


def members(kind: type) -> dict[str, object]:
    """Return what gitmemo itself defines in a class and its bases."""
    found: dict[str, object] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("gitmemo"):
            found |= vars(base)
    return found


@pytest.mark.skipif(not API.is_dir(), reason="the documents are not beside the tests")
def test_everything_public_has_a_docstring() -> None:
    things = list(shown())
    assert len(things) > 200
    for name, thing, hidden in things:
        assert inspect.getdoc(thing), name
        if isinstance(thing, type):
            text = inspect.getdoc(thing) or ""
            # What reads docstrings for the site knows one name in a line.
            assert not re.search(r"^ {4}[a-z]\w*, \w+.*: ", text, re.MULTILINE), name
            explained = re.findall(r"^ {4}(\w+): ", text, re.MULTILINE)
            for member, held in members(thing).items():
                if any(re.search(rule, member) for rule in hidden) or isinstance(held, NoneType):
                    continue
                plain = getattr(held, "__func__", held)
                if isinstance(plain, FunctionType | property | cached_property):
                    assert plain.__doc__, f"{name}.{member}"
                else:
                    assert member in explained, f"{name}.{member}"


@pytest.mark.skipif(not API.is_dir(), reason="the documents are not beside the tests")
def test_what_the_reference_leaves_out_is_there() -> None:
    for name, thing, hidden in shown():
        left_out = re.findall(r"\w{2,}", " ".join(hidden))
        if isinstance(thing, type) and not issubclass(thing, Exception):
            assert {*left_out} <= {*dir(thing)}, name


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clone = make_clone(
        tmp_path_factory.mktemp("examples") / "project", tmp_path_factory.mktemp("home")
    )
    clone.gitmemo("init")
    return clone.root


@pytest.fixture
def project(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that is the current folder, and where modules are imported from."""
    monkeypatch.chdir(repository)
    monkeypatch.syspath_prepend(repository)
    return repository


@pytest.mark.parametrize("file", WITH_EXAMPLES)
def test_examples_show_what_happens(file: str, project: Path) -> None:
    path = PACKAGE.parent / file
    module = importlib.import_module(
        file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    )
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    shown: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        text = ast.get_docstring(node) if isinstance(node, DOCUMENTED) else None
        if text and ">>> " in text:
            name = f"{file}:{getattr(node, 'name', '')}"
            # `gm.open()` looks around the file that calls it: there is none.
            names = {**vars(module), "gm": gm, "__name__": "example"}
            names.pop("__file__")
            with closing(gm.Storage()) as storage:
                names["storage"] = storage
                runner.run(
                    doctest.DocTestParser().get_doctest(text, names, name, file, 0),
                    out=shown.append,
                )
            for written in project.glob("*.py"):
                sys.modules.pop(written.stem, None)
                written.unlink()
    assert runner.tries == path.read_text("utf-8").count(">>> ")
    assert not runner.failures, "".join(shown)
