"""Packages, environment variables and files that an op or its project names as dependencies."""

from __future__ import annotations

import importlib
import os
import pickle
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gitmemo as gm
from gitmemo.errors import BadOption, DependencyMissing
from gitmemo.model import externals
from gitmemo.model.components import Component, is_external

HEAD = "import gitmemo as gm\nRUNS = []\n"
_made: list[str] = []


@pytest.fixture
def load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., types.ModuleType]]:
    """Return a function that writes a module of the project and imports it."""
    monkeypatch.syspath_prepend(tmp_path)
    names: list[str] = []

    def write(text: str) -> types.ModuleType:
        name = f"subject_{len(_made)}"
        _made.append(name)
        names.append(name)
        (tmp_path / f"{name}.py").write_text(HEAD + text)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield write
    for name in names:
        del sys.modules[name]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Return a function that installs a version of the distribution Demo.Pkg, None for none."""
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def put(version: str | None) -> None:
        for info in site.glob("*.dist-info"):
            (info / "METADATA").unlink()
            info.rmdir()
        if version is not None:
            info = site / f"Demo_Pkg-{version}.dist-info"
            info.mkdir()
            text = f"Metadata-Version: 2.1\nName: Demo.Pkg\nVersion: {version}\n"
            (info / "METADATA").write_text(text)
        importlib.invalidate_caches()

    return put


PACKAGE = """
@gm.op(packages="Demo.Pkg")
def f(x):
    RUNS.append(x)
    return x

@gm.op
def outer(x):
    return f(x) + 1
"""


def test_another_version_of_a_package_is_another_dependency(
    load: Callable[..., types.ModuleType],
    versioned_storage: gm.Storage,
    install: Callable[..., None],
) -> None:
    install("1.0")
    subject = load(PACKAGE.replace("RUNS.append(x)", "RUNS.append(x) if False else None"))
    for version, computed in (("1.0", 1), ("1.0", 1), ("1.1", 2), ("1.0", 2)):
        install(version)
        with versioned_storage:
            subject.f(1)
        assert versioned_storage.counter.computed == computed, version


def test_an_op_inherits_what_the_ops_that_it_calls_name(
    load: Callable[..., types.ModuleType],
    versioned_storage: gm.Storage,
    install: Callable[..., None],
) -> None:
    install("1.0")
    subject = load(PACKAGE.replace("RUNS.append(x)", ""))
    with versioned_storage:
        subject.f(1)  # so that the outer call only looks it up
        subject.outer(1)
    install("2.0")
    with versioned_storage:
        assert not subject.outer.is_cached(1)
        said = str(versioned_storage.explain(subject.outer, 1))
    assert "package demo-pkg changed" in said


def test_a_package_that_went_away_is_a_change_and_not_an_error(
    load: Callable[..., types.ModuleType],
    versioned_storage: gm.Storage,
    install: Callable[..., None],
) -> None:
    install("1.0")
    subject = load(PACKAGE.replace("RUNS.append(x)", ""))
    with versioned_storage:
        subject.f(1)
    install(None)
    with versioned_storage:
        assert not subject.f.is_cached(1)
        subject.f(1)
    install("1.0")
    with versioned_storage:
        assert subject.f.is_cached(1)


def test_a_package_that_never_was_installed_is_refused(
    load: Callable[..., types.ModuleType],
    versioned_storage: gm.Storage,
    install: Callable[..., None],
) -> None:
    install("1.0")
    subject = load(PACKAGE.replace("Demo.Pkg", "demo-pgk"))
    with versioned_storage, pytest.raises(DependencyMissing, match="package demo-pgk") as refused:
        subject.f(1)
    assert subject.RUNS == []
    assert "did you mean demo-pkg?" in str(refused.value)
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)


def test_an_import_name_is_answered_with_the_name_of_the_distribution(
    load: Callable[..., types.ModuleType], versioned_storage: gm.Storage
) -> None:
    subject = load(PACKAGE.replace("Demo.Pkg", "dateutil"))
    pytest.importorskip("dateutil")
    with versioned_storage, pytest.raises(DependencyMissing, match="python-dateutil: name that"):
        subject.f(1)


def test_variables_count_by_value_and_their_values_are_written_nowhere(
    load: Callable[..., types.ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = load(
        'import os\n\n@gm.op(env=["MODEL_DIR"])\ndef f(x):\n    return len(os.environ.get("MODEL_DIR", ""))\n'
    )
    monkeypatch.delenv("MODEL_DIR", raising=False)
    storage = gm.Storage(db_path=tmp_path / "x.db", deps_path=tmp_path)
    with storage:
        assert storage.unwrap(subject.f(1)) == 0
        monkeypatch.setenv("MODEL_DIR", "hunter2hunter2")  # noticed within a block too
        assert storage.unwrap(subject.f(1)) == 14
        monkeypatch.delenv("MODEL_DIR")
        assert storage.unwrap(subject.f(1)) == 0
    assert (storage.counter.computed, storage.counter.reused) == (2, 1)
    storage.close()
    written = b"".join(p.read_bytes() for p in tmp_path.glob("x.db*"))
    assert b"MODEL_DIR" in written
    assert b"hunter2" not in written


FILE = """
from pathlib import Path

@gm.op(files="./data/vocab.txt")
def f(x):
    return Path(__file__).with_name("data").joinpath("vocab.txt").read_text()
"""


def test_files_count_by_their_bytes(
    load: Callable[..., types.ModuleType], versioned_storage: gm.Storage, tmp_path: Path
) -> None:
    subject = load(FILE)
    file = tmp_path / "data" / "vocab.txt"
    file.parent.mkdir()
    file.write_text("a")
    with versioned_storage:
        assert versioned_storage.unwrap(subject.f(1)) == "a"
        file.write_text("b")  # same size, perhaps the same tick of the clock
        assert versioned_storage.unwrap(subject.f(1)) == "b"
        file.write_text("a")
        assert subject.f.is_cached(1)
        file.unlink()
        assert not subject.f.is_cached(1)
        assert "file data/vocab.txt changed" in str(versioned_storage.explain(subject.f, 1))


def test_an_old_file_is_not_read_again(
    load: Callable[..., types.ModuleType],
    versioned_storage: gm.Storage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from gitmemo import file_states
    from gitmemo.tracing import outside

    subject = load(FILE)
    file = tmp_path / "data" / "vocab.txt"
    file.parent.mkdir()
    file.write_text("a")
    monkeypatch.setattr(file_states, "SETTLED_AFTER_NS", 0)
    asked: list[str] = []
    identify = outside.content_of
    monkeypatch.setattr(outside, "content_of", lambda path: asked.append(path) or identify(path))
    with versioned_storage:
        subject.f(1)
        asked.clear()
        for _ in range(5):
            subject.f(1)
    assert asked == []


def test_a_rewrite_that_keeps_size_and_time_is_noticed(
    load: Callable[..., types.ModuleType],
    versioned_storage: gm.Storage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from gitmemo import file_states

    monkeypatch.setattr(file_states, "SETTLED_AFTER_NS", 0)
    subject = load(FILE)
    file = tmp_path / "data" / "vocab.txt"
    file.parent.mkdir()
    file.write_text("a")
    os.utime(file, ns=(10**18, 10**18))
    with versioned_storage:
        assert versioned_storage.unwrap(subject.f(1)) == "a"
        time.sleep(0.02)  # the clock of a file system may be coarse
        file.write_text("b")
        os.utime(file, ns=(10**18, 10**18))
        assert versioned_storage.unwrap(subject.f(1)) == "b"


def test_a_file_that_never_was_there_is_refused(
    load: Callable[..., types.ModuleType], versioned_storage: gm.Storage, tmp_path: Path
) -> None:
    subject = load(FILE)
    with (
        versioned_storage,
        pytest.raises(DependencyMissing, match=r"file data/vocab\.txt") as refused,
    ):
        subject.f(1)
    assert str(tmp_path) in str(refused.value)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "vocab.txt").write_text("a")
    with versioned_storage:
        subject.f(1)


def test_a_file_that_changes_while_it_is_read_makes_no_result_to_be_reused(
    load: Callable[..., types.ModuleType], versioned_storage: gm.Storage, tmp_path: Path
) -> None:
    subject = load(
        """
from pathlib import Path
PATH = Path(__file__).with_name("n.txt")

@gm.op(files="n.txt")
def f(x):
    n = int(PATH.read_text())
    PATH.write_text(str(n + x))
    return n
"""
    )
    (tmp_path / "n.txt").write_text("1")
    with versioned_storage:
        with pytest.warns(gm.GlobalChanged, match=r"file n\.txt changed while it ran"):
            assert versioned_storage.unwrap(subject.f(1)) == 1
        (tmp_path / "n.txt").write_text("1")
        assert not subject.f.is_cached(1)
        assert (
            versioned_storage.unwrap(subject.f(0)) == 1
        )  # it writes what was there: nothing changed
        assert subject.f.is_cached(0)


def test_without_versioning_nothing_is_looked_up(load: Callable[..., types.ModuleType]) -> None:
    subject = load(PACKAGE)
    storage = gm.Storage()
    with storage:
        assert storage.unwrap(subject.f(1)) == 1


def test_a_script_without_a_project_finds_files_beside_it(tmp_path: Path) -> None:
    import subprocess

    (tmp_path / "vocab.txt").write_text("a")
    (tmp_path / "main.py").write_text(
        'import gitmemo as gm\n\n@gm.op(files="vocab.txt")\ndef f(x):\n    return x\n\n'
        'storage = gm.Storage("x.db", deps_path="__main__")\n'
        "with storage:\n    f(1)\nprint(storage.counter.computed)\n"
    )
    (tmp_path / "elsewhere").mkdir()

    def computed() -> str:
        command = [sys.executable, str(tmp_path / "main.py")]
        done = subprocess.run(
            command, cwd=tmp_path / "elsewhere", capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert [computed(), computed()] == ["1", "0"]
    (tmp_path / "vocab.txt").write_text("b")
    assert computed() == "1"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"packages": "numpy>=2"}, "without a version"),
        ({"packages": [1]}, "use a name, or a list of names"),
        ({"env": "$HOME"}, r"without `\$`"),
        ({"env": ["A=1"]}, "without a value"),
        ({"files": "/etc/passwd"}, "not an absolute one"),
        ({"files": ["../x"]}, "stays under it"),
        ({"files": "a/../.."}, "stays under it"),
        ({"files": ".git/config"}, "belongs to git"),
        ({"track": 5}, r"track=\[helper\]"),
        ({"track": ["helper"]}, "without quotes"),
        ({"track": "dynamic"}, '"static"'),
        ({"untracked": 5}, "list of names"),
        ({"package": "numpy"}, "did you mean packages?"),
    ],
)
def test_what_cannot_be_named_is_refused_at_once(options: dict[str, object], said: str) -> None:
    with pytest.raises(BadOption, match=said):
        gm.op(**options)(_plain)  # type: ignore[call-overload]


def _plain(x: int) -> int:
    return x


names = st.text("abcXYZ019._- /\\:=$é\n", min_size=1, max_size=12)


@given(names)
def test_names_that_are_accepted_are_written_in_one_way_only(name: str) -> None:
    for make in (externals.package, externals.variable, externals.file):
        try:
            component = make(name)
        except ValueError:
            continue
        assert make(component.unit) == component
        assert is_external(component)
        from gitmemo.history.names import key_of, parse_key, ref_name

        assert parse_key(key_of(component)) == component
        assert ref_name(component) != ref_name(Component(f"{component.path}.py", component.unit))


def test_packages_have_one_name() -> None:
    same = {externals.package(name) for name in ("Scikit_Learn", "scikit-learn", "SCIKIT..learn")}
    assert same == {Component("package", "scikit-learn")}
