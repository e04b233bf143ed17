"""What git hooks, and programs that begin, load: git waits for a hook twice in every commit."""

from __future__ import annotations

from driver import Clone, Done

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
_UNUSED_BY_LOOKING = (
    _OF_PROGRAMS | _OF_OTHERS | {"secrets", "random", "tempfile", "gitmemo.remotes"}
) - {"difflib"}  # `log` shows what changed
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
    assert not (_OF_COMMANDS - {"gitmemo.memo"} | _OF_GIT | {"sysconfig"}) & loaded


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
