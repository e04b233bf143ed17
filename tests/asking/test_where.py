"""Where a running program may ask: at a terminal it owns, and nowhere else; settings of repositories."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from driver import Clone, at_terminal, make_clone

SCRIPT = """\
import gitmemo as gm

storage = gm.Storage(db_path="s.db", deps_path=".")

@gm.op
def double(x):
    return x * 2

with storage:
    print("result", storage.unwrap(double(21)))
print(storage.counter.reused, storage.counter.computed)
"""


@pytest.fixture
def person(tmp_path: Path) -> Clone:
    """Somebody in a folder with a script that has run once, and was edited."""
    person = Clone(tmp_path, tmp_path)
    person.variables["CI"] = ""
    person.write("script.py", SCRIPT)
    assert person.python("script.py").out.endswith("0 1\n")
    person.change("x * 2", "2 * x", "script.py")
    return person


@pytest.mark.parametrize(("keys", "counted"), [("n\n", "1 0"), ("y\n", "0 1")])
def test_at_a_terminal(person: Clone, keys: str, counted: str) -> None:
    with at_terminal(person, sys.executable, "script.py") as terminal:
        terminal.expect("CHANGE DETECTED in double from module script")
        terminal.expect("Answer: [y]es/[n]o/[a]bort ")
        terminal.send(keys)
        terminal.expect("result 42")
        terminal.expect(counted)
        assert terminal.finish() == 0


@pytest.mark.parametrize(
    ("keys", "said"), [("a\n", "Aborted"), ("\x03", "KeyboardInterrupt"), ("\x04", "Aborted")]
)
def test_stopping_at_a_terminal_stores_nothing(person: Clone, keys: str, said: str) -> None:
    with at_terminal(person, sys.executable, "script.py") as terminal:
        terminal.expect("Answer: ")
        terminal.send(keys)
        terminal.expect(said)
        assert terminal.finish() != 0
    with at_terminal(person, sys.executable, "script.py") as terminal:
        terminal.expect("Answer: ")
        terminal.send("n\n")
        terminal.expect("1 0")


def test_the_question_is_seen_when_the_output_goes_elsewhere(person: Clone) -> None:
    with at_terminal(person, "sh", "-c", f"{sys.executable} script.py | cat > out") as terminal:
        terminal.expect("Answer: ")
        terminal.send("n\n")
        assert terminal.finish() == 0
    assert (person.root / "out").read_text() == "result 42\n1 0\n"


@pytest.mark.parametrize(
    "command",
    [
        "{python} script.py < /dev/null",
        "{python} script.py & wait $!",
        "nohup {python} script.py",
        "CI=true {python} script.py",
        "exec 0<&-; {python} script.py",
        "cat /dev/null | {python} script.py",
    ],
    ids=["no input", "background", "nohup", "ci", "closed", "pipe"],
)
def test_a_process_that_nobody_watches_goes_on(person: Clone, command: str) -> None:
    command = command.format(python=sys.executable)
    with at_terminal(person, "bash", "-m", "-c", command) as terminal:
        code = terminal.finish()
    assert code == 0, terminal.text
    said = terminal.text + "".join(p.read_text() for p in person.root.glob("nohup.out"))
    assert "Answer:" not in said
    assert "ChangesPending" in said
    assert "0 1" in said


def test_without_a_terminal_nobody_waits(person: Clone) -> None:
    done = person.python("script.py")
    assert done.out == "result 42\n0 1\n"
    assert done.err.count("ChangesPending") == 1
    assert "gitmemo decide" in done.err


def test_under_pytest_nobody_waits(person: Clone) -> None:
    person.write("test_it.py", "def test_it():\n    import script\n")
    with at_terminal(
        person, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"
    ) as terminal:
        assert terminal.finish() == 0, terminal.text
    assert "1 passed" in terminal.text
    assert "Answer:" not in terminal.text


def test_a_worker_does_not_ask(person: Clone) -> None:
    person.write(
        "parallel.py",
        """\
import multiprocessing
import gitmemo as gm
from script import double, storage

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool, storage:
        print("answers", pool.map(gm.carried(double), [21]))
""",
    )
    person.write("script.py", SCRIPT.replace("x * 2", "x + x"))
    with at_terminal(person, sys.executable, "parallel.py") as terminal:
        terminal.expect("Answer: ")
        terminal.send("n\n")
        terminal.expect("answers")
        assert terminal.finish() == 0
    assert terminal.text.count("Answer: ") == 1


# --- repositories ---------------------------------------------------------------------

PIPELINE = """\
import sys
import gitmemo as gm

storage = gm.open(**eval(sys.argv[1] if len(sys.argv) > 1 else "{}"))

@gm.op
def double(x):
    return x * 2

with storage:
    print("result", storage.unwrap(double(21)))
print(storage.on_change, storage.counter.reused, storage.counter.computed)
"""


@pytest.fixture
def project(tmp_path: Path) -> Clone:
    """A repository with a script that has run once, was committed, and then edited."""
    clone = make_clone(tmp_path / "project", tmp_path)
    clone.variables["CI"] = ""
    clone.write("pipeline.py", PIPELINE)
    clone.gitmemo("init")
    assert clone.python("pipeline.py").out.endswith("pending 0 1\n")
    clone.commit("Begin")
    clone.change("x * 2", "2 * x", "pipeline.py")
    return clone


def setting(clone: Clone, line: str) -> None:
    file = clone.root / ".gitmemo/config.toml"
    file.write_text(f"{file.read_text()}{line}\n")


def test_a_repository_leaves_changes_pending(project: Clone) -> None:
    done = project.python("pipeline.py")
    assert done.out.endswith("pending 0 1\n")
    assert "ChangesPending" not in done.err
    assert "double" in project.gitmemo("decide").out


def test_the_committed_policy_is_that_of_commits_alone(project: Clone) -> None:
    setting(project, "")
    project.change('on_change = "ask"', 'on_change = "non-breaking"', ".gitmemo/config.toml")
    assert project.python("pipeline.py").out.endswith("pending 0 1\n")


def test_another_setting_is_that_of_running_programs(project: Clone) -> None:
    setting(project, 'on_change_running = "non-breaking"')
    assert project.python("pipeline.py").out.endswith("non-breaking 1 0\n")
    assert "nothing is undecided" in project.gitmemo("decide").err
    assert "(" not in project.commit("Spell it otherwise").partition("changed")[2]


def test_the_environment_counts_for_both_and_the_argument_before_it(project: Clone) -> None:
    done = project.python("pipeline.py", GITMEMO_ON_CHANGE="error", code=None)
    assert done.code == 1
    assert "pipeline.py:double" in done.err
    chosen = "{'on_change': 'non-breaking'}"
    done = project.python("pipeline.py", chosen, GITMEMO_ON_CHANGE="error")
    assert done.out.endswith("non-breaking 1 0\n")


def test_a_repository_asks_at_a_terminal_where_it_is_told_to(project: Clone) -> None:
    with at_terminal(project, sys.executable, "pipeline.py", "{'on_change': 'ask'}") as terminal:
        terminal.expect("CHANGE DETECTED in double from module pipeline")
        terminal.expect("Answer: ")
        terminal.send("n\n")
        terminal.expect("ask 1 0")
    project.commit("Spell it otherwise", GITMEMO_ON_CHANGE="error")
    assert sum(line.startswith('["decision",') for line in project.committed()) == 1


def test_gitmemo_run_follows_the_same_policy(project: Clone) -> None:
    setting(project, 'on_change_running = "non-breaking"')
    done = project.gitmemo("run", "pipeline.py")
    assert done.counted == (1, 0)


def test_under_gitmemo_run_the_program_has_the_first_word(project: Clone) -> None:
    refusing = project.gitmemo("run", "pipeline.py", "{'on_change': 'error'}", code=3)
    assert "pipeline.py:double" in refusing.err
    setting(project, 'on_change_running = "error"')
    done = project.gitmemo("run", "pipeline.py", "{'on_change': 'non-breaking'}")
    assert done.counted == (1, 0)


def test_under_gitmemo_run_a_program_without_a_block_is_heard_too(project: Clone) -> None:
    text = (project.root / "pipeline.py").read_text("utf-8")
    assert "with storage:" in text
    project.write("pipeline.py", text.replace("with storage:", "if True:"))
    project.gitmemo("run", "pipeline.py", "{'on_change': 'error'}", code=3)


def test_a_bad_policy_names_its_setting(project: Clone) -> None:
    setting(project, 'on_change_running = "sometimes"')
    done = project.gitmemo("status", code=2)
    assert "on_change_running" in done.err


def test_opening_again_with_another_policy_is_heard(project: Clone) -> None:
    project.write(
        "twice.py",
        "import gitmemo as gm\na = gm.open()\nb = gm.open(on_change='error')\n"
        "c = gm.open()\nprint(a is b is c, c.on_change)\n",
    )
    assert project.python("twice.py").out == "True error\n"
