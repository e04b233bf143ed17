"""The command line: help, exit codes, output for people and for programs, start-up."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from driver import Clone, copy_of, make_project

COMMANDS = [
    "check", "commit", "demo", "df", "failures", "hook", "import", "init", "log", "pull", "push",
    "remote", "run", "status", "verify", "why",
]  # fmt: skip
MAPS = """import gitmemo as gm


@gm.op
def half(x):
    if x % 2:
        raise ValueError("no odd ones")
    return x // 2


gm.open().map(half, range(3))
"""
HEAVY = {"numpy", "pandas", "fsspec", "dulwich", "pygit2", "joblib", "sklearn", "s3fs"}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A project with two commits, each with results, and a decision between them."""
    root = tmp_path_factory.mktemp("cli") / "my projéct"
    clone = make_project(root, tmp_path_factory.mktemp("nobody"))
    clone.run()
    clone.gitmemo("commit", "-m", "First results")
    clone.change("value * 2", "value * 3")
    clone.run()
    clone.commit("Three", GITMEMO_ON_CHANGE="breaking")
    return clone


@pytest.fixture
def project(template: Clone, tmp_path: Path) -> Clone:
    """A copy of the project, to change."""
    return copy_of(template, tmp_path / "p")


# --- help and usage ------------------------------------------------------------


def test_help_names_every_command(template: Clone) -> None:
    from click.testing import CliRunner

    from gitmemo.cli.commands import cli

    out = template.gitmemo("--help").out
    listed = [line.split()[0] for line in out.split("Commands:")[1].strip().splitlines()]
    assert [word for word in listed if word in COMMANDS] == COMMANDS
    for name in COMMANDS:
        shown = CliRunner().invoke(cli, [name, "--help"])
        assert shown.exit_code == 0
        assert f"Usage: cli {name}" in shown.output
        assert shown.output.count("\n") > 3
        assert CliRunner().invoke(cli, [name, "-h"]).output == shown.output


def test_the_list_of_commands_says_what_each_command_says() -> None:
    import click

    from gitmemo.cli.commands import _COMMANDS, cli

    context = click.Context(cli)
    for name, (_module, short) in _COMMANDS.items():
        command = cli.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert short.endswith(".")
        assert command.help


def test_version(template: Clone) -> None:
    import gitmemo

    assert gitmemo.__version__ in template.gitmemo("--version").out


@pytest.mark.parametrize(
    ("typed", "meant"), [("statsu", "status"), ("pul", "pull"), ("ini", "init")]
)
def test_did_you_mean(template: Clone, typed: str, meant: str) -> None:
    done = template.gitmemo(typed, code=2)
    assert repr(meant) in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    "words",
    ["df", "nonsense", "--nonsense", "status --nonsense", "log", "remote add x", "run no.py"],
)
def test_bad_usage_exits_with_2(template: Clone, words: str) -> None:
    done = template.gitmemo(*words.split(), code=2)
    assert "Traceback" not in done.err
    assert done.err
    assert done.out == ""


def test_no_command_shows_help(template: Clone) -> None:
    assert "Usage:" in template.gitmemo(code=None).text


def test_c_is_a_folder(template: Clone) -> None:
    done = template.gitmemo("-C", str(template.root), "status", cwd=Path("/"))
    assert done.out.startswith("on main")


# --- start-up --------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "import gitmemo",
        "import gitmemo.cli; gitmemo.cli.main(['--help'])",
        "import gitmemo.errors",
    ],
)
def test_start_up_imports_nothing_heavy(code: str) -> None:
    program = f"import sys; {code}; print('\\n' + ' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "gitmemo" in loaded
    assert not loaded & HEAVY


def test_scalars_need_nothing_heavy() -> None:
    program = (
        "import sys, gitmemo as gm\n"
        "storage = gm.Storage()\n"
        "@gm.op(name='f')\n"
        "def f(x): return x + 1\n"
        "with storage: print(storage.unwrap(f(1)))\n"
        "print(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("2\n")
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert not loaded & HEAVY


def test_public_names_are_exact() -> None:
    import gitmemo

    assert sorted(gitmemo.__all__) == sorted(dir(gitmemo))
    for name in gitmemo.__all__:
        assert getattr(gitmemo, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        gitmemo.nonsense  # noqa: B018


# --- df ----------------------------------------------------------------------------


def test_df_shows_what_the_code_would_reuse(template: Clone) -> None:
    done = template.gitmemo("df", "train")
    header, *rows = done.out.splitlines()
    assert header.split() == ["data", "rate", "model", "loss"]
    assert [row.split()[-1] for row in rows] == ["374250", "748500"]
    assert "2 calls of older code not shown (--all)" in done.err
    assert len(template.gitmemo("df", "train", "--all").out.splitlines()) == 5


def test_df_counts_older_calls_of_the_ops_that_were_asked_for(template: Clone) -> None:
    assert template.gitmemo("df", "load").err == ""


def test_df_joins_a_chain(template: Clone) -> None:
    rows = template.rows("load", "train", "evaluate", "--rev", "HEAD~1")
    assert [(row["size"], row["rate"], row["loss"], row["evaluate"]) for row in rows] == [
        (500, 1, 249500, 501),
        (500, 2, 499000, 502),
    ]
    assert set(rows[0]["model"]) == {"hid", "cid"}
    again = template.rows("pipeline:load", "train", "pipeline:evaluate", "--rev", "HEAD~1")
    assert again == rows


def test_df_of_another_revision(template: Clone) -> None:
    old = template.rows("train", "--rev", "HEAD~1")
    assert [row["loss"] for row in old] == [249500, 499000]
    head = template.git("rev-parse", "--short", "HEAD")
    assert template.rows("train", "--rev", head) == template.rows("train")
    assert template.git("rev-parse", "--abbrev-ref", "HEAD") == "main"
    assert template.is_clean()


def test_df_is_the_same_each_time(project: Clone) -> None:
    first = project.gitmemo("df", "load", "train", "evaluate", "--json").out
    (project.root / ".git/gitmemo/index.db").unlink()
    for leftover in (project.root / ".git/gitmemo").glob("index.db-*"):
        leftover.unlink()
    shutil.rmtree(project.root / ".git/gitmemo/journal")
    assert project.gitmemo("df", "load", "train", "evaluate", "--json").out == first


def test_df_of_text_stays_on_its_line(project: Clone) -> None:
    project.write(
        "texts.py",
        "import gitmemo as gm\nstorage = gm.open()\n\n\n@gm.op\ndef text(n):\n"
        "    return 'a\\nb\\x1b[31m\\u202e' * n\n\n\nwith storage:\n    text(1)\n    text(9)\n",
    )
    project.gitmemo("run", "texts.py")
    out = project.gitmemo("df", "text").out
    assert len(out.splitlines()) == 3
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert project.rows("text")[0]["text"] == "a\nb\x1b[31m\u202e"


# --- status, log, run -----------------------------------------------------------------


def test_status_for_programs(template: Clone) -> None:
    assert template.status() == {
        "branch": "main",
        "commit": template.git("rev-parse", "HEAD"),
        "rev": None,
        "calls": 9,
        "pending": 0,
        "pending_statements": 0,
        "committed_later": 0,
        "stale": 2,
        "unreachable": 2,
        "other_values": 0,
        "undecided": [],
        "contested": [],
        "missing_values": 0,
        "unparsed": {},
        "to_do": [],
        "ops": {
            "pipeline:evaluate": {"calls": 4, "current": 2},
            "pipeline:load": {"calls": 1, "current": 1},
            "pipeline:train": {"calls": 4, "current": 2},
        },
    }


def test_status_tells_older_code_from_older_results(template: Clone) -> None:
    rows = [line.split() for line in template.gitmemo("status").out.splitlines()]
    assert ["pipeline:evaluate", "2", "0", "2"] in rows, "its own code did not change"
    assert ["pipeline:train", "2", "2", "0"] in rows
    assert "2 calls on results of older code" in template.gitmemo("df", "evaluate").err
    assert "2 calls on results of older code" in template.gitmemo("calls", "evaluate").err
    assert "older results" in template.gitmemo("calls", "evaluate", "--all").out


def test_status_for_people(project: Clone) -> None:
    out = project.gitmemo("status").out
    assert out.startswith(
        f"on main at {project.git('rev-parse', 'HEAD')[:9]}: 9 calls, 0 pending\n"
    )
    project.git("checkout", "-q", "--detach", "HEAD~1")
    assert project.gitmemo("status").out.startswith("detached at ")
    project.run("7")
    out = project.gitmemo("status").out
    assert "2 pending" in out
    assert "gitmemo commit" in out


def test_log_shows_versions_and_decisions(template: Clone) -> None:
    plain = template.gitmemo("log", "train").out
    assert "helper.py:scale" in plain
    assert "helper.py:scale breaking" in plain
    assert "return value" not in plain
    patch = template.gitmemo("log", "train", "-p").out
    assert "-    return value * 2" in patch
    assert "+    return value * 3" in patch
    entries = [
        json.loads(line) for line in template.gitmemo("log", "train", "--json").out.splitlines()
    ]
    said = [(e["component"], e["decision"]) for e in entries if e["decision"]]
    assert said == [("helper.py:scale", "breaking")]
    assert sum(e["calls"] for e in entries if e["component"] == "helper.py:scale") == 4


def test_run_is_python_with_a_summary(project: Clone) -> None:
    project.write(
        "script.py",
        "import os, sys\nimport helper\n\nprint(__name__, __file__ == os.path.abspath('script.py'))\n"
        "print(sys.argv)\nprint(sys.modules['__main__'].__dict__ is globals())\n"
        "sys.exit(int(sys.argv[1]))\n",
    )
    arguments = ("3", "--help", "-v", "--json", "--", "ä b")
    done = project.gitmemo("run", "script.py", *arguments, code=3)
    assert done.out.splitlines() == [
        "__main__ True",
        str(["script.py", *arguments]),
        "True",
    ]
    assert done.err == "gitmemo: 0 calls: 0 reused, 0 computed\n"
    plain = project.python("script.py", *arguments, code=3)
    assert plain.out == done.out


def test_run_hands_on_how_the_script_ended(project: Clone) -> None:
    project.write("quits.py", "import sys\nsys.exit('so sorry')\n")
    done = project.gitmemo("run", "quits.py", code=1)
    assert "so sorry" in done.err
    project.write("fails.py", "def f():\n    raise LookupError('lost')\n\n\nf()\n")
    done = project.gitmemo("run", "fails.py", code=1)
    assert done.err.rstrip().endswith("LookupError: lost")
    assert 'fails.py", line 2, in f' in done.err
    project.write("maps.py", MAPS)
    done = project.gitmemo("run", "maps.py", code=1)
    assert "2 computed, 1 failed" in done.err
    assert "ValueError: no odd ones" in done.err
    assert 'maps.py", line 7, in half' in done.err
    assert "1 of 3 calls failed: 1: half(1) (ValueError: no odd ones)" in done.err
    assert "gitmemo/memo" not in done.err
    project.write("syntax.py", "def f(:\n")
    done = project.gitmemo("run", "syntax.py", code=1)
    assert "SyntaxError" in done.err


def test_run_says_what_was_reused(project: Clone) -> None:
    done = project.gitmemo("run", "pipeline.py", "1", "3")
    assert done.counted == (3, 2)
    summary = done.err.splitlines()[-1]
    assert summary.startswith("gitmemo: 5 calls: 3 reused, 2 computed; ")
    assert summary.endswith(" saved")
    assert "hit" not in done.err


def test_run_verbosely_says_why(project: Clone) -> None:
    project.change("value * 3", "value * 4")
    done = project.gitmemo("run", "-v", "pipeline.py", "1", "5")
    lines = done.err.splitlines()
    assert len(lines) == 8
    assert "1 call not reused because of changes that nobody has decided about" in lines[6]
    assert lines[0].startswith("hit   pipeline:load")
    assert "helper.py:scale changed" in lines[1]
    assert lines[1].startswith("run   pipeline:train")
    assert "not computed before with these inputs" in lines[3]


def test_a_closed_pipe_is_no_error(template: Clone) -> None:
    done = template.process(
        "sh",
        "-c",
        f"'{sys.executable}' -P -m gitmemo df train --json | true; echo done",
    )
    assert done.out == "done\n"
    assert "Traceback" not in done.err
