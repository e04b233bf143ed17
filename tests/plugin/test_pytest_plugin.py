"""The plugin for pytest: what tests of a project see of its storage, and what they cannot touch."""

from __future__ import annotations

import re
import shutil
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from driver import Clone, copy_of, make_clone

pytest_plugins = ["pytester"]
_ROOT = Path(__file__).parents[2]
_PIPELINE = """
import gitmemo as gm

storage = gm.open()


@gm.op
def double(x):
    return x * 2


def main(x=1):
    with gm.open() as here:
        assert here is storage
        return storage.unwrap(double(x)), storage.counter.reused, storage.counter.computed


if __name__ == "__main__":
    print(*main())
"""
_TESTS = """
import subprocess, sys
import pipeline


def test_a():
    assert pipeline.main() == (2, {reused}, {computed})


def test_a_process():
    out = subprocess.run([sys.executable, "pipeline.py"], capture_output=True, text=True, check=True)
    assert out.stdout == "2 1 0\\n"
    command = [sys.executable, "-m", "gitmemo", "run", "pipeline.py"]
    out = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "1 reused, 0 computed" in out.stderr
"""


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A project with a stored call."""
    root = tmp_path_factory.mktemp("plugin")
    clone = make_clone(root / "r", root)
    clone.gitmemo("init")
    clone.write("pipeline.py", _PIPELINE)
    clone.write("conftest.py", "import pipeline\n")
    assert clone.python("pipeline.py").out == "2 0 1\n"
    clone.write("test_it.py", _TESTS.format(reused=0, computed=1))
    return clone


@pytest.fixture
def project(template: Clone, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """A copy of it, which is the current folder."""
    shutil.copytree(template.root, pytester.path, symlinks=True, dirs_exist_ok=True)
    # Whether or not the plugin is installed here, it is loaded once.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return Clone(pytester.path, template.home)


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "gitmemo.pytest_plugin", *options)


def state(clone: Clone) -> dict[Path, bytes]:
    """Return what the clone remembers, but for what can be derived."""
    folder = clone.root / ".git/gitmemo"
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if not path.name.startswith("index.db")}


def test_tests_see_an_empty_storage_and_leave_the_projects_alone(
    pytester: pytest.Pytester, project: Clone
) -> None:
    before = state(project)
    done = run(pytester)
    done.assert_outcomes(passed=2)
    done.stdout.fnmatch_lines(["gitmemo: tests see an empty storage (--gitmemo=off)"])
    assert state(project) == before
    assert project.python("pipeline.py").out == "2 1 0\n"


def test_reading_reuses_stored_results_and_refuses_new_calls(
    pytester: pytest.Pytester, project: Clone
) -> None:
    project.write(
        "test_it.py",
        """
        import gitmemo.errors, pipeline, pytest

        def test_a():
            assert pipeline.main() == (2, 1, 0)

        def test_a_new_call():
            with pytest.raises(gitmemo.errors.NewCallRefused):
                pipeline.main(5)

        def test_a_value_with_another_history():
            with pipeline.storage as storage:
                pipeline.double(pipeline.double(gitmemo.wrap(1)))
        """.replace("\n        ", "\n"),
    )
    with_history = "import pipeline as p\nwith p.storage:\n    p.double(2)\n"
    project.python("-c", with_history)
    before = state(project)
    done = run(pytester, "--gitmemo=read")
    done.assert_outcomes(passed=3)
    done.stdout.fnmatch_lines(["gitmemo: tests see stored results, and add none (--gitmemo=read)"])
    assert state(project) == before


def test_writing_is_what_happens_without_the_plugin(
    pytester: pytest.Pytester, project: Clone
) -> None:
    project.write("test_it.py", _TESTS.format(reused=1, computed=0))
    run(pytester, "--gitmemo=write").assert_outcomes(passed=2)
    project.write("pytest.ini", "[pytest]\ngitmemo = write\n")
    run(pytester).assert_outcomes(passed=2)
    project.write("pytest.ini", "[pytest]\ngitmemo = never\n")
    done = run(pytester)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*gitmemo = never: choose off, read or write"])


def test_workers_of_xdist_have_storages_of_their_own(
    pytester: pytest.Pytester, project: Clone
) -> None:
    before = state(project)
    project.write(
        "test_it.py",
        "import os, json, pipeline\n"
        "def test_a():\n"
        "    pipeline.main()\n"
        "    print(os.environ['GITMEMO_ISOLATED'], file=open(f'seen {os.getpid()}', 'w'))\n"
        "test_b = test_a\n",
    )
    run(pytester, "-p", "xdist", "-n", "2", "--dist", "each").assert_outcomes(passed=4)
    seen = [path.read_text() for path in pytester.path.glob("seen *")]
    assert len(set(seen)) == 2
    assert state(project) == before


def test_a_test_can_have_a_storage_of_its_own(pytester: pytest.Pytester, project: Clone) -> None:
    project.write(
        "test_it.py",
        "import gitmemo as gm, pipeline\n"
        "def test_a(gitmemo_storage):\n"
        "    assert gm.open() is gitmemo_storage is not pipeline.storage\n"
        "    with gitmemo_storage as s:\n"
        "        pipeline.double(1)\n"
        "    assert (s.counter.reused, s.counter.computed) == (0, 1)\n"
        "    assert s.project is not None\n"
        "test_b = test_a\n"
        "def test_c():\n"
        "    assert gm.open() is pipeline.storage\n",
    )
    for contact in ("off", "write"):
        run(pytester, f"--gitmemo={contact}").assert_outcomes(passed=3)
    assert project.python("pipeline.py").out == "2 1 0\n"


def test_other_repositories_are_as_they_are(
    pytester: pytest.Pytester,
    project: Clone,
    template: Clone,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    other = copy_of(template, tmp_path_factory.mktemp("other") / "r")
    other.change("x=1", "x=3", "pipeline.py")
    script = str(other.root / "pipeline.py")
    project.write(
        "test_it.py",
        "import subprocess, sys\n"
        f"def test_a():\n    subprocess.run([sys.executable, {script!r}], check=True)\n",
    )
    run(pytester).assert_outcomes(passed=1)
    assert other.python("pipeline.py").out == "6 1 0\n"


def test_a_project_without_gitmemo_has_the_fixture_and_loads_nothing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        test_it="""
        import os, sys

        def test_a():
            assert "GITMEMO_ISOLATED" not in os.environ
            heavy = {"gitmemo.memo", "gitmemo.errors", "gitmemo.isolation", "numpy", "click"}
            assert not heavy & set(sys.modules)

        def test_b(gitmemo_storage):
            import gitmemo as gm

            @gm.op
            def double(x):
                return x * 2

            with gitmemo_storage:
                assert double.ref(1).unwrap() == 2
        """
    )
    done = run(pytester)
    done.assert_outcomes(passed=2)
    done.stdout.no_fnmatch_line("gitmemo:*")


_CLEARING = """
import os
import random
from unittest import mock

import gitmemo as gm
import pipeline


def compute():
    with gm.open() as storage:
        pipeline.double(random.random())
    return storage


def test_cleared():
    with mock.patch.dict(os.environ, {}, clear=True):
        compute()


def test_deleted(monkeypatch):
    monkeypatch.delenv("GITMEMO_ISOLATED")
    compute()


def test_a_storage_for_one_test(gitmemo_storage):
    with mock.patch.dict(os.environ, {}, clear=True):
        assert compute() is gitmemo_storage
"""
_LATE = """
import atexit
import random
import subprocess
import sys
import threading

import gitmemo as gm
import pipeline


def compute(name, times=1):
    for _ in range(times):
        with gm.open():
            pipeline.double(random.random())
    command = [sys.executable, "-c", "import pipeline; pipeline.main(77)"]
    subprocess.run(command, check=True)
    open(name, "w").close()


def after():
    threading.main_thread().join()
    compute("thread", 5)


def test_it():
    atexit.register(compute, "handler")
    threading.Thread(target=after).start()
"""


def test_what_clears_the_environment_does_not_open_the_way(
    pytester: pytest.Pytester, project: Clone
) -> None:
    before = state(project)
    project.write("test_it.py", _CLEARING)
    run(pytester).assert_outcomes(passed=3)
    assert state(project) == before


def test_what_outlives_the_session_is_kept_away_too_and_nothing_stays_behind(
    pytester: pytest.Pytester,
    project: Clone,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = tmp_path_factory.mktemp("place")
    monkeypatch.setenv("TMPDIR", str(place))
    before = state(project)
    project.write("test_it.py", _LATE)
    run(pytester).assert_outcomes(passed=1)
    assert (pytester.path / "thread").exists() and (pytester.path / "handler").exists()
    run(pytester, "-p", "xdist", "-n", "1").assert_outcomes(passed=1)
    assert state(project) == before
    assert not list(place.glob("gitmemo-*"))


@pytest.mark.parametrize("how", ["addopts", "PYTEST_PLUGINS", "xdist"])
def test_a_storage_that_a_plugin_opened_follows(
    pytester: pytest.Pytester, project: Clone, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("plug.py", "import gitmemo as gm\nstorage = gm.open()\n")
    project.write(
        "test_it.py",
        "import gitmemo as gm, pipeline, plug, random\n"
        "def test_a():\n"
        "    assert gm.open() is plug.storage\n"
        "    with plug.storage as s:\n"
        "        assert not pipeline.double.is_cached(1)\n"
        "        pipeline.double(1)\n"
        "        pipeline.double(random.random())\n"
        "    assert s.counter.computed == 2\n",
    )
    before = state(project)
    monkeypatch.setenv("PYTHONPATH", f"{pytester.path}:{_ROOT}")
    options = ["-p", "plug", "-p", "xdist", "-n", "1"] if how == "xdist" else []
    if how == "addopts":
        project.write("pytest.ini", "[pytest]\naddopts = -p plug\n")
    elif how == "PYTEST_PLUGINS":
        monkeypatch.setenv("PYTEST_PLUGINS", "plug")
    run(pytester, *options).assert_outcomes(passed=1)
    assert state(project) == before


def test_whatever_is_named_to_pytest_is_kept_away(
    pytester: pytest.Pytester, project: Clone, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = state(project)
    far = tmp_path_factory.mktemp("far")
    (far / "else.ini").write_text("[pytest]\n")
    (far / "test_far.py").write_text("def test_far(): pass\n")
    named = str(pytester.path / "test_it.py")
    for number, options in enumerate(
        (
            ["--rootdir", str(far), f"{named}::test_a"],
            ["-c", str(far / "else.ini"), named, "-k", "test_a and not process"],
            [named, str(far), "-k", "test_a and not process"],
        )
    ):
        with pytest.MonkeyPatch.context() as moved:
            moved.chdir(far)
            run(pytester, *options).assert_outcomes(passed=1, deselected=number)
        assert state(project) == before


def test_a_project_in_a_project_is_kept_away_from_either_place(
    pytester: pytest.Pytester, project: Clone, template: Clone
) -> None:
    project.write("pytest.ini", "[pytest]\n")
    inner = copy_of(template, pytester.path / "in")
    inner.write("test_inner.py", _TESTS.format(reused=0, computed=1))
    (inner.root / "test_it.py").unlink()
    for name in ("conftest.py", "pipeline.py"):  # of the outer one
        (pytester.path / name).unlink()
    project.write("test_it.py", "import gm_free\n")
    project.write("gm_free.py", "def test_a(): pass\n")
    before = state(project), state(inner)
    for place in (pytester.path, inner.root):
        with pytest.MonkeyPatch.context() as moved:
            moved.chdir(place)
            run(pytester, "-k", "test_a and not process").assert_outcomes(passed=1, deselected=1)
    assert (state(project), state(inner)) == before


def test_who_runs_tests_in_a_session_goes_on_with_the_storage(project: Clone) -> None:
    project.write("test_it.py", "import pipeline\ndef test_a():\n    pipeline.main(5)\n")
    code = (
        "import sys, pipeline, pytest, gitmemo as gm\n"
        "sys.ps1 = '> '\n"
        "pipeline.storage.on_change = 'error'\n"
        "assert not pytest.main(['-q', '-p', 'gitmemo.pytest_plugin'])\n"
        "assert gm.open() is pipeline.storage and gm.open().on_change == 'error'\n"
        "print(*pipeline.main(7))\n"
        "assert not pytest.main(['-q', '-p', 'gitmemo.pytest_plugin'])\n"
    )
    assert "14 0 1\n" in project.python("-c", code).out
    again = "import pipeline; print(pipeline.double.is_cached(5), pipeline.double.is_cached(7))"
    out = project.python("-c", f"import pipeline as p\nwith p.storage:\n    {again}").out
    assert out == "False True\n"


def test_the_tests_in_the_document_pass(pytester: pytest.Pytester, project: Clone) -> None:
    document = _ROOT / "docs/testing.md"
    if not document.is_file():
        pytest.skip("the documents are not beside the tests")
    (example,) = re.findall(r"^```python\n(.*?)^```$", document.read_text("utf-8"), re.M | re.S)
    project.write("test_it.py", example)
    run(pytester, "--gitmemo=write").assert_outcomes(passed=3)


def test_the_plugin_is_declared() -> None:
    text = (_ROOT / "pyproject.toml").read_text("utf-8")
    declared = tomllib.loads(text)["project"]["entry-points"]["pytest11"]
    assert import_module(declared["gitmemo"]).pytest_addoption
