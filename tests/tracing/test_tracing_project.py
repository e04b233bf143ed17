"""Which files are ours, and what they are called."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from gitmemo.model.components import MAIN_PATH
from gitmemo.tracing import Project


def touch(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return str(path)


@pytest.mark.parametrize(
    ("file", "path", "module"),
    [
        ("train.py", "train.py", "train"),
        ("analysis/train.py", "analysis/train.py", "analysis.train"),
        ("src/pkg/__init__.py", "src/pkg/__init__.py", "pkg"),
        ("src/pkg/sub/mod.py", "src/pkg/sub/mod.py", "pkg.sub.mod"),
        ("lib/src/mod.py", "lib/src/mod.py", "lib.src.mod"),
    ],
)
def test_the_place_of_a_file_names_it(tmp_path: Path, file: str, path: str, module: str) -> None:
    project = Project(tmp_path)
    name = touch(tmp_path / file)
    assert (project.component_path(name), project.module_name(name)) == (path, module)
    assert project.path_of_module_name(module) == path


def test_other_source_roots(tmp_path: Path) -> None:
    project = Project(tmp_path, source_roots=("lib/python", "lib"))
    assert project.module_name(touch(tmp_path / "lib/python/a/b.py")) == "a.b"
    assert project.module_name(touch(tmp_path / "lib/c.py")) == "c"


@pytest.mark.parametrize(
    "file",
    [
        "venv/lib/x.py",
        ".venv/x.py",
        "lib/site-packages/x.py",
        ".git/hooks/x.py",
        "node_modules/x.py",
    ],
)
def test_installed_code_inside_the_root_is_not_ours(tmp_path: Path, file: str) -> None:
    touch(tmp_path / "venv/pyvenv.cfg")
    assert not Project(tmp_path).owns(touch(tmp_path / file))


def test_files_elsewhere_are_not_ours(tmp_path: Path) -> None:
    project = Project(tmp_path / "repo")
    assert not project.owns(touch(tmp_path / "repository2/x.py"))
    assert not project.owns(os.__file__)
    assert not project.owns(str(Path(__file__).parents[2] / "gitmemo" / "errors.py"))
    assert project.module_name(os.__file__) == "os"


def test_symbolic_links_are_followed(tmp_path: Path) -> None:
    touch(tmp_path / "real/a.py")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert Project(tmp_path / "link").component_path(str(tmp_path / "real/a.py")) == "a.py"
    assert Project(tmp_path / "real").component_path(str(tmp_path / "link/a.py")) == "a.py"


@pytest.mark.parametrize(
    "file",
    [
        "real/pkg/a.py",
        "away/link/pkg/a.py",
        "away/deep/pkg_link/a.py",
        "away/deep/up/link/pkg/a.py",
        "away/deep/../link/./pkg/a.py",
        "away//link//pkg//a.py",
        "away/deep/a_link.py",
        "away/deep/chain.py",
        "away/deep/pkg_link/../pkg/a.py",
        "away/loop/a.py",
        "away/deep/gone/a.py",
        "real/out/b.py",
    ],
)
def test_links_are_followed_wherever_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    touch(tmp_path / "real/pkg/a.py")
    touch(tmp_path / "away/deep/b.py")
    for link, target in (
        ("away/link", "../real"),
        ("away/deep/pkg_link", str(tmp_path / "real/pkg")),
        ("away/deep/up", ".."),
        ("away/deep/a_link.py", "../link/pkg/a.py"),
        ("away/deep/chain.py", "a_link.py"),
        ("away/loop", "loop"),
        ("real/out", "../away/deep"),
    ):
        (tmp_path / link).symlink_to(target)
    root = os.path.realpath(tmp_path / "real")
    real = os.path.realpath(tmp_path / file)
    expected = os.path.relpath(real, root) if real.startswith(root + os.sep) else None
    monkeypatch.chdir(tmp_path)
    for name in (f"{tmp_path}/{file}", file, f"/{tmp_path}/{file}"):
        project = Project(tmp_path / "real")
        project.owns(f"{tmp_path}/away/deep/b.py")  # some folders are known before
        assert project.component_path(name) == expected


@pytest.mark.parametrize("base", ["prefix", "base_prefix"])
def test_python_itself_inside_the_root_is_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    monkeypatch.setattr(sys, base, str(tmp_path / "python"))
    library = tmp_path / "python/lib"
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(library / name))
    project = Project(tmp_path)
    assert not project.owns(touch(library / "stdlib/os.py"))
    assert project.owns(touch(tmp_path / "python/own.py"))


def test_cells_belong_to_the_notebook_if_it_is_known(tmp_path: Path) -> None:
    cell = "<ipython-input-3-0123456789ab>"
    kernel = "/tmp/ipykernel_4711/1234.py"
    assert Project(tmp_path).component_path(cell) == MAIN_PATH
    known = Project(tmp_path, notebook=tmp_path / "work/first.ipynb")
    assert known.component_path(kernel) == "work/first.ipynb"
    assert known.module_name(cell) == "work.first"


def test_no_root_owns_nothing_but_main(tmp_path: Path) -> None:
    file = touch(tmp_path / "a.py")
    assert not Project(None).owns(file)
    assert not Project(None).owns("<ipython-input-1-a>")
    assert not Project(None, main_only=True).owns(file)
    assert Project(None, main_only=True).component_path("<ipython-input-1-a>") == MAIN_PATH


def test_generated_code_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("<frozen importlib._bootstrap>", "<attrs generated init a.B>", "<template>"):
        assert not Project(tmp_path).owns(name)


def test_only_what_is_pythons_own_by_name_and_place_is_left_out_unseen(tmp_path: Path) -> None:
    project = Project(tmp_path)
    own, script = ModuleType("queue"), ModuleType("__main__")
    own.__file__ = script.__file__ = touch(tmp_path / "queue.py")
    assert project.is_surely_foreign("json.decoder", sys.modules["json.decoder"])
    assert project.is_surely_foreign("gitmemo.tracing", sys.modules["gitmemo.tracing"])
    assert project.is_surely_foreign("sys", sys)
    assert not project.is_surely_foreign("queue", own), "a module of the project called as Python's"
    assert not project.is_surely_foreign("__main__", script)
    assert not project.is_surely_foreign("pytest", pytest), "its file says it"
    inside = Project(Path(os.__file__).parent.parent)
    assert not inside.is_surely_foreign("json", sys.modules["json"]), "Python lies in the project"
