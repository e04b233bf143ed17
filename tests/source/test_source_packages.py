"""Over the code of whole packages: running or staged, formatted or not, the ids are the same."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from gitmemo.hashing.digest import digest
from gitmemo.model.components import Component
from gitmemo.source import SourceFile, UnitKind
from gitmemo.source.tree import SourceTree

# Pure Python, and always there with the development dependencies.
PACKAGES = ("click", "jinja2", "packaging")
EXAMPLES = Path(__file__).parents[2] / "examples"

# What a process says of the code that it runs: `ids.py ROOT MODULE...`, one row for each unit.
RUNNING = """
import gc, importlib, json, sys
from pathlib import Path
from types import FunctionType
from gitmemo.model.components import Component
from gitmemo.source import UnitKind
from gitmemo.tracing import CodeState, Project

root, *names = sys.argv[1:]
for name in names:
    importlib.import_module(name)
project = Project(Path(root))
state = CodeState(project)
state.modules.observe()
rows, codes = {}, {}
for module in list(sys.modules.values()):
    path = state.modules.path_of(module)
    snapshot = path not in (None, "__main__") and state.modules.snapshot(path)
    for name, unit in snapshot.file.units.items() if snapshot else ():
        content = state.current(Component(path, name))
        value = content.value.hex() if content and content.value and unit.literal else None
        rows[f"{path}:{name}"] = [content and content.source.hex(), value]
for function in gc.get_objects():
    if isinstance(function, FunctionType):
        unit = state.modules.unit_of(function.__code__)
        if unit is not None and unit.path != "__main__":
            codes[f"{unit.path}:{unit.name}"] = unit.source.hex()
print(chr(10) + json.dumps([rows, codes]))
"""

Rows = dict[str, list[str | None]]


def running(root: Path, names: list[str]) -> tuple[Rows, dict[str, str]]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *filter(None, sys.path)])}
    done = subprocess.run(
        [sys.executable, "-c", RUNNING, str(root), *names],
        cwd=root,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows, codes = json.loads(done.stdout.splitlines()[-1])
    return rows, codes


def staged(root: Path, paths: list[str]) -> Rows:
    """Say the same of the files' bytes, as the hook does of the index."""
    tree = SourceTree(lambda path: (root / path).read_bytes())
    rows: Rows = {}
    for path in paths:
        file = tree.file(path)
        assert file is not None, tree.unreadable
        for name in file.units:
            content = tree.current(Component(path, name))
            assert content is not None
            rows[f"{path}:{name}"] = [
                content.source.hex(),
                content.value.hex() if content.value else None,
            ]
    return rows


def folder_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def same_both_ways(root: Path, names: list[str]) -> Rows:
    rows, codes = running(root, names)
    paths = sorted({name.partition(":")[0] for name in rows})
    files = staged(root, paths)
    assert rows.keys() == files.keys()
    for name, (source, value) in rows.items():
        assert source == files[name][0], name
        if value is not None and files[name][1] is not None:
            assert value == files[name][1], name
    # What runs is proven to be what the file says, not only called the same.
    ran = {name: source for name, source in codes.items() if name in files}
    assert len(ran) == len(codes)
    assert all(files[name][0] == source for name, source in ran.items())
    literals = [name for name, row in files.items() if row[1] is not None]
    assert all(rows[name][1] is not None for name in literals)
    return files


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_has_the_same_ids_running_and_staged(package: str, tmp_path: Path) -> None:
    shutil.copytree(folder_of(package), tmp_path / package)
    names = [
        f"{package}.{file.stem}"
        for file in sorted((tmp_path / package).glob("*.py"))
        if file.stem not in ("__init__", "__main__", "_winconsole")
    ]
    rows = same_both_ways(tmp_path, [package, *names])
    kinds = [name.partition(":")[2] for name in rows]
    assert len(kinds) > 100
    assert sum("." in name for name in kinds) > 20
    assert any(name.startswith("class ") for name in kinds)
    assert sum(row[1] is not None for row in rows.values()) > 2


@pytest.mark.parametrize("name", [path.name for path in EXAMPLES.iterdir() if path.is_dir()])
def test_an_example_has_the_same_ids_running_and_staged(name: str, tmp_path: Path) -> None:
    """The demo runs one of them; importing a pipeline runs it, so it needs a repository."""
    root = tmp_path / name
    shutil.copytree(EXAMPLES / name, root)
    for command in (["git", "init", "-q"], [sys.executable, "-m", "gitmemo", "init"]):
        subprocess.run(command, cwd=root, check=True, capture_output=True, timeout=60)
    assert len(same_both_ways(root, [file.stem for file in root.glob("*.py")])) > 3


@cache
def texts() -> dict[str, str]:
    files = [file for package in PACKAGES for file in folder_of(package).rglob("*.py")]
    return {str(file): file.read_text("utf-8") for file in [*files, *EXAMPLES.rglob("*.py")]}


def ids(text: str, path: str) -> dict[str, tuple[bytes, bytes | None]]:
    units = SourceFile.parse(text, path).units
    return {name: (unit.source, unit.literal_value) for name, unit in units.items()}


def test_writing_the_same_trees_anew_changes_no_id() -> None:
    """Comments, quotes, brackets, blank lines, line lengths: all that `ast.unparse` forgets."""
    for path, text in texts().items():
        assert ids(ast.unparse(ast.parse(text)), path) == ids(text, path), path


@pytest.mark.parametrize("options", [("--line-length", "60")])
def test_formatting_changes_no_id(options: tuple[str, ...], tmp_path: Path) -> None:
    pytest.importorskip("ruff")
    for number, text in enumerate(texts().values()):
        (tmp_path / f"m{number}.py").write_text(text, "utf-8")
    settings = "[format]\nquote-style = 'single'\nskip-magic-trailing-comma = true\n"
    (tmp_path / "ruff.toml").write_text(settings)
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", *options, "."],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    changed = 0
    for number, (path, text) in enumerate(texts().items()):
        formatted = (tmp_path / f"m{number}.py").read_text("utf-8")
        changed += formatted != text
        assert ids(formatted, path) == ids(text, path), path
    assert changed > 50


def edited(text: str) -> Iterator[str]:
    """Yield the file once for each unit, with a statement added to that unit alone."""
    lines = text.split("\n")
    for unit in SourceFile.parse(text, "m.py").units.values():
        if unit.kind is UnitKind.FUNCTION:
            last = lines[unit.spans[-1].last - 1]
            indent = last[: len(last) - len(last.lstrip())]
            if last.lstrip().startswith("return "):
                added = [*lines]
                added[unit.spans[-1].last - 1] = f"{indent}_marked_ = 1; {last.lstrip()}"
                yield "\n".join(added)


def test_one_edit_changes_one_id() -> None:
    tried = 0
    for path, text in texts().items():
        if not path.endswith(("markers.py", "_tokenizer.py", "tags.py")):
            continue
        before = ids(text, path)
        for changed in edited(text):
            after = ids(changed, path)
            assert before.keys() == after.keys()
            assert len([name for name in before if before[name] != after[name]]) == 1
            tried += 1
    assert tried > 20


def test_a_file_has_the_ids_that_it_always_had() -> None:
    """Of a module of `packaging` (Apache-2.0 or BSD), kept here; the same on every Python."""
    data = (Path(__file__).parent / "golden_tokenizer.txt").read_bytes()
    units = SourceFile.parse(data, "_tokenizer.py").units
    told = "\n".join(f"{name} {unit.source.hex()}" for name, unit in units.items())
    assert len(units) == UNITS
    assert digest(told.encode()).hex() == GOLDEN


UNITS = 13
GOLDEN = "a0c1cf832824516d527dbb63e5ae453868dd1699b8eb2949ab022deb7613d746"
