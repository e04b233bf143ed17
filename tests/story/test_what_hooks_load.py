"""What git hooks, and programs that begin, load: git waits for a hook twice in every commit."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest
from driver import Clone, Done

import gitmemo

_TOLD = {"PYTHONPROFILEIMPORTTIME": "1"}
_VIEW = "refs/gitmemo/fn/pipeline/train"
# Each of these takes as long to import as a hook has to do.
_OF_COMMANDS = {"click", "gitmemo.cli.commands", "gitmemo.memo", "gitmemo.display.question"}
_OF_VALUES = {"gitmemo.blobs", "gitmemo.codecs", "gitmemo.remotes", "numpy", "secrets", "hashlib"}
_OF_CODE = {"gitmemo.source", "gitmemo.tracing", "gitmemo.changes.cases", "gitmemo.world.sifting"}
_OF_GIT = {"pygit2", "dulwich", "gitmemo.history", "gitmemo.git.objects"}
_OF_PROGRAMS = {
    "gitmemo.memo",
    "gitmemo.tracing.capture",
    "gitmemo.tracing.state",
    "gitmemo.codecs",
}
_OF_OTHERS = {
    "asyncio",
    "http",
    "ssl",
    "socket",
    "numpy",
    "importlib.metadata",
    "symtable",
    "difflib",
}
_UNUSED_BY_FINDING = {
    *(f"gitmemo.remotes.{name}" for name in ("catalogue", "collecting", "parallel", "plan")),
    *(f"gitmemo.remotes.{name}" for name in ("probing", "pulling", "pushing", "remote", "seen")),
    *(f"gitmemo.memo.{name}" for name in ("checking", "explain", "explanation", "rechecking")),
    *(f"gitmemo.versions.{name}" for name in ("comparing", "finding", "listing", "revisions")),
    *("gitmemo.changes.cases", "gitmemo.changes.extracted", "gitmemo.memo.undecided"),
    *("gitmemo.markup", "difflib", "symtable", "subprocess", "platform", "shutil", "lzma"),
    *("uuid", "fractions", "decimal", "cProfile", "pstats", "sysconfig"),
}
_UNUSED_BY_LOOKING = (
    _OF_PROGRAMS | _OF_OTHERS | {"secrets", "random", "tempfile", "gitmemo.remotes"}
) - {"difflib"}  # `log` shows what changed
_ROOT = Path(gitmemo.__file__).parent
_LATE = sorted(path for path in _ROOT.rglob("*.py") if "import loader\n" in path.read_text("utf-8"))
_HEAVY = _OF_COMMANDS | _OF_VALUES | _OF_CODE | _OF_GIT


def _loaded(done: Done) -> set[str]:
    """Return the modules that the processes of a command imported."""
    lines = [line for line in done.err.splitlines() if line.startswith("import time:")]
    assert lines, done.text
    return {line.rpartition("|")[2].strip() for line in lines}


def _commit(clone: Clone) -> Done:
    return clone.process("git", "commit", "-q", "--allow-empty", "-m", "Results", **_TOLD)


def test_a_commit_of_results_loads_nothing_that_it_does_not_use(committed: Clone) -> None:
    committed.run("1", "2", "3")
    done = _commit(committed)
    assert "2 calls in this commit" in done.err
    loaded = _loaded(done)
    assert {"gitmemo.commits.hook", "gitmemo.world.repository"} <= loaded
    assert not _HEAVY & loaded
    assert committed.calls_in() == 7
    assert committed.run("1", "2", "3") == (7, 0)
    assert committed.is_clean()


def test_a_commit_of_code_loads_what_reads_code(committed: Clone) -> None:
    committed.change("value * 2", "value * 3")
    committed.git("add", "helper.py")
    loaded = _loaded(_commit(committed))
    assert "gitmemo.source" in loaded
    assert not (_OF_COMMANDS | {"gitmemo.blobs", "gitmemo.codecs", "gitmemo.remotes"}) & loaded


def test_histories_that_are_gone_come_back_with_the_next_commit_of_results(
    committed: Clone,
) -> None:
    before = committed.git("rev-parse", _VIEW)
    anchor = committed.git("rev-parse", "refs/gitmemo/versions")
    for ref in committed.git("for-each-ref", "--format=%(refname)", "refs/gitmemo").splitlines():
        committed.git("update-ref", "-d", ref)
    committed.run("3")
    _commit(committed)
    assert committed.git("rev-parse", _VIEW, "refs/gitmemo/versions").split() == [before, anchor]


def test_a_function_has_its_history_as_soon_as_its_first_call_is_committed(
    committed: Clone,
) -> None:
    committed.change(
        "def evaluate", "def other(size):\n    return size\n\n\n@gm.op\ndef evaluate", "pipeline.py"
    )
    committed.change("    with storage:\n", "    with storage:\n        other(1)\n", "pipeline.py")
    committed.run()
    committed.commit("A function more")
    assert "return size" in committed.git("log", "-p", "refs/gitmemo/fn/pipeline/other")


def test_a_commit_that_is_given_up_shows_nothing_of_its_segment(committed: Clone) -> None:
    committed.run("1", "2", "3")
    committed.process("git", "commit", "-q", "--allow-empty", code=1, GIT_EDITOR="false")
    assert committed.status()["pending"] == 2
    committed.run("4")
    _commit(committed)
    assert committed.calls_in() == 9
    assert committed.is_clean()


def test_importing_the_package_loads_none_of_what_does_the_work(committed: Clone) -> None:
    loaded = _loaded(committed.python("-P", "-c", "import gitmemo", **_TOLD))
    parts = {name for name in loaded if name.startswith("gitmemo.")}
    changes, patterns = "gitmemo.changes", "gitmemo.patterns"
    speaking = {changes, f"{changes}.askers", patterns, f"{patterns}.speaking"}
    assert parts == {"gitmemo.late", *speaking}
    assert not {"click", "dataclasses", "inspect", "json", "sqlite3", "subprocess"} & loaded


def test_a_program_that_finds_its_results_loads_no_commands_and_no_readers_of_git(
    committed: Clone,
) -> None:
    loaded = _loaded(committed.python("pipeline.py", **_TOLD))
    assert not (_OF_COMMANDS - {"gitmemo.memo"} | _OF_GIT) & loaded


def test_a_program_that_finds_its_results_loads_what_finds_them_and_no_more(
    committed: Clone,
) -> None:
    committed.python("pipeline.py")  # asks git which files have such names: a new copy
    loaded = _loaded(committed.python("pipeline.py", **_TOLD))
    assert not _UNUSED_BY_FINDING & loaded, _UNUSED_BY_FINDING & loaded
    own = {name for name in loaded if name.startswith("gitmemo")}
    assert len(own) <= 279, sorted(own)


def test_looking_loads_nothing_that_watches_or_makes_calls(committed: Clone) -> None:
    for words in (["status"], ["log", "train"], ["versions"]):
        loaded = _loaded(committed.gitmemo(*words, **_TOLD))
        assert "gitmemo.world.index" in loaded
        assert not _UNUSED_BY_LOOKING & loaded, (words, _UNUSED_BY_LOOKING & loaded)


def test_looking_at_an_undecided_change_loads_no_library_that_reads_git(committed: Clone) -> None:
    """The program git reads the few files that it takes, in less time than the import takes."""
    committed.change("value * 2", "value * 3")
    assert "undecided: helper.py:scale" in committed.gitmemo("status").out
    for words in (["status"], ["df", "train"]):
        loaded = _loaded(committed.gitmemo(*words, **_TOLD))
        slow = {"pygit2", "dulwich", "ssl", "gitmemo.history", "random", "tempfile", "html"}
        assert not slow & loaded, (words, slow & loaded)


def test_status_loads_what_it_says_and_no_more(committed: Clone) -> None:
    loaded = _loaded(committed.gitmemo("status", **_TOLD))
    own = {name for name in loaded if name.startswith("gitmemo")}
    # Each module takes a quarter of a millisecond. More of them is a decision, not an accident.
    assert len(own) <= 177, sorted(own)
    assert {"gitmemo.blobs.memory", "gitmemo.changes.cases", "gitmemo.source.likeness"}.isdisjoint(
        own
    )


@pytest.mark.parametrize("path", _LATE, ids=lambda path: path.parent.name)
def test_names_that_load_late_are_said_alike_thrice(path: Path) -> None:
    """In `__all__`, to the loader, and to type checkers; each is there, and hides no module."""
    assert path.name == "__init__.py"
    package = ".".join(("gitmemo", *path.parent.relative_to(_ROOT).parts))
    tree = ast.parse(path.read_text("utf-8"))
    homes = _homes(tree, package)
    module = import_module(package)
    assert set(module.__all__) - {"__version__"} == homes.keys()
    assert homes == _told_to_checkers(tree)
    for name, home in homes.items():
        assert getattr(module, name) is getattr(import_module(home), name)
        assert not (path.parent / name).is_dir() and not path.with_name(f"{name}.py").exists()


def test_users_of_late_loading_are_found() -> None:
    assert {path.parent.name for path in _LATE} >= {"gitmemo", "changes", "remotes", "tracing"}


def _homes(tree: ast.Module, package: str) -> dict[str, str]:
    """Return the module of each name, as the loader is told; no name twice."""
    (call,) = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "loader"
    )
    told: dict[str, tuple[str, ...]] = {}
    for keyword in call.keywords:
        value = ast.literal_eval(keyword.value)
        told |= {keyword.arg: value} if keyword.arg else value
    names = [name for each in told.values() for name in each]
    assert len(names) == len(set(names))
    return {name: f"{package}.{home}" for home, each in told.items() for name in each}


def _told_to_checkers(tree: ast.Module) -> dict[str, str]:
    """Return the module of each name that is imported for type checkers, and not used here."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    used = {node.id for one in functions for node in ast.walk(one) if isinstance(node, ast.Name)}
    (checked,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    return {
        alias.asname or alias.name: str(node.module)
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name not in used
    }
