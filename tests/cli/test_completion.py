"""What a shell offers after TAB: through bash itself, and in this process."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from driver import Clone, copy_of, make_project

from gitmemo.cli import main
from gitmemo.cli.completing import SHELLS

_BASH = """
gitmemo() {{ {python} -P -m gitmemo "$@"; }}
eval "$(gitmemo completion bash)"
compopt() {{ echo "compopt $*"; }}
while read -r line; do
    line="${{line%|}}"
    COMP_LINE="$line"; COMP_POINT=${{#line}}; COMPREPLY=()
    _gitmemo_completion gitmemo
    echo "${{COMPREPLY[*]}}"
done
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A project with results, a tag, and a remote."""
    clone = make_project(tmp_path_factory.mktemp("tab") / "p", tmp_path_factory.mktemp("home"))
    clone.run()
    clone.commit("Results", "--allow-empty")
    ident = clone.gitmemo("calls", "evaluate").out.splitlines()[1].split()[0]
    clone.gitmemo("tag", "best", ident)
    clone.gitmemo("remote", "add", "lab", str(clone.home / "lab"))
    return clone


def offered(clone: Clone, *lines: str) -> list[list[str]]:
    """Return what bash offers at the end of each line."""
    done = subprocess.run(
        ["bash", "-c", _BASH.format(python=sys.executable)],
        input="".join(f"{line}|\n" for line in lines),
        cwd=clone.root,
        env=clone.env(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [line.split() for line in done.stdout.splitlines()]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_offers_commands_options_and_names(ran: Clone) -> None:
    first, options, ops, whole, tags, colour, remotes, branches, settings = offered(
        ran,
        "gitmemo stat",
        "gitmemo calls --re",
        "gitmemo calls tr",
        "gitmemo calls pipeline:ev",
        "gitmemo show @",
        "gitmemo --color=al",
        "gitmemo remote show ",
        "gitmemo df train --rev ma",
        "gitmemo config set on_",
    )
    assert first == ["status"]
    assert options == ["--rev"]
    assert ops == ["train"]
    assert whole == ["evaluate"], "bash takes what is before the colon for a word of its own"
    assert tags == ["@best"]
    assert colour == ["always"]
    assert remotes == ["lab"]
    assert branches == ["main"]
    assert settings == ["on_change", "on_change_running"]


def answer(
    line: str, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch
) -> tuple[int, list[str], str]:
    patch.setenv("_GITMEMO_COMPLETE", "bash_complete")
    patch.setenv("GITMEMO_LINE", line)
    capsys.readouterr()
    code = main([])
    out, err = capsys.readouterr()
    return code, [one.partition(",")[2] for one in out.splitlines()], err


def test_ids_of_calls_and_targets(
    ran: Clone, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ident = ran.gitmemo("calls", "load").out.splitlines()[1].split()[0]
    monkeypatch.chdir(ran.root)
    assert ident in answer(f"gitmemo show {ident[:2]}", capsys, monkeypatch)[1]
    assert {"lab", "train"} <= set(answer("gitmemo push ", capsys, monkeypatch)[1])
    assert "op:train" in answer("gitmemo drop op:", capsys, monkeypatch)[1]
    for command in ("calls", "df", "graph", "report", "serve"):
        assert {"@best", "train"} <= set(answer(f"gitmemo {command} ", capsys, monkeypatch)[1])
    kept = {"format", "store.path", "store.id"}
    assert kept <= set(answer("gitmemo config get ", capsys, monkeypatch)[1])
    for command in ("set", "unset"):
        offered = set(answer(f"gitmemo config {command} ", capsys, monkeypatch)[1])
        assert "on_change" in offered and not offered & kept
    monkeypatch.chdir("/")
    line = f"gitmemo -C '{ran.root}' calls lo"
    assert answer(line, capsys, monkeypatch) == (0, ["load"], "")


def test_names_that_a_shell_would_run_are_not_offered(
    ran: Clone, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clone brings names of ops and branches from whoever may push."""
    clone = copy_of(ran, tmp_path / "hostile")
    names = [
        "zed$(touch x)",
        "zed;x",
        "zed`x`",
        "zed x",
        "zed\nx",
        "zed*",
        "zed'x",
        "zed\\x",
        "zed&",
    ]
    text = "import gitmemo as gm\nwith gm.open():\n"
    for name in [*names, "zedfine", "größe"]:
        text += f"    gm.op(name={name!r})(lambda x: x)(1)\n"
    clone.write("hostile.py", text)
    clone.python("hostile.py")
    clone.gitmemo("status")  # takes notice: completion reads the index as it is
    for name in ("wow;x", "wow$(x)", "wow-1.0"):
        clone.git("branch", name)
    monkeypatch.chdir(clone.root)
    offered = answer("gitmemo calls ", capsys, monkeypatch)[1]
    assert {one for one in offered if "zed" in one} == {"zedfine"} and "größe" in offered
    assert answer("gitmemo df --rev wow", capsys, monkeypatch)[1] == ["wow-1.0"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_a_name_that_a_shell_would_run_is_not_offered(ran: Clone, tmp_path: Path) -> None:
    """A shell puts the only name that fits into the line as it is, and Enter runs it."""
    clone = copy_of(ran, tmp_path / "p")
    for number, end in enumerate(
        ("$(id)", "`id`", ";id", "|id", "&id", "'", '"', "<x", "(x", "!c")
    ):
        clone.git("branch", f"hostile{number}{end}")
    clone.git("branch", "friendly/näme-1.0+x@2")
    settings = clone.root / ".gitmemo/config.toml"
    settings.write_text(f'{settings.read_text()}\n[remotes."hostile;id"]\nurl = "../lab"\n')
    lines = ("gitmemo df --rev hos", "gitmemo df --rev friend", "gitmemo push hos")
    assert offered(clone, *lines) == [[], ["friendly/näme-1.0+x@2"], []]


@pytest.mark.parametrize("where", ["nowhere", "git", "damaged", "settings"])
def test_nothing_is_said_whatever_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    if where != "nowhere":
        (tmp_path / ".git/gitmemo").mkdir(parents=True)
    if where == "damaged":
        (tmp_path / ".git/gitmemo/index.db").write_bytes(b"no database" * 100)
    if where == "settings":
        (tmp_path / ".git/gitmemo/config.toml").write_text("no = toml = at all")
    monkeypatch.chdir(tmp_path)
    for line in ("gitmemo calls ", "gitmemo show ", "gitmemo push ", "gitmemo df --rev ", "'"):
        _, _, err = answer(line, capsys, monkeypatch)
        assert err == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "_GITMEMO_COMPLETE" in script and "%(" not in script


def test_no_command_is_loaded_for_it(ran: Clone) -> None:
    program = (
        "import sys; from gitmemo.cli import main; main([]); print(*sys.modules, file=sys.stderr)"
    )
    done = ran.python(
        "-c", program, _GITMEMO_COMPLETE="bash_complete", GITMEMO_LINE="gitmemo calls tr"
    )
    assert "train" in done.out
    loaded = set(done.err.split())
    assert not loaded & {"gitmemo.cli.commands", "gitmemo.cli.calls", "gitmemo.query", "pygit2"}


def test_it_is_quick(ran: Clone) -> None:
    """A loose bound: on a quiet machine it is about 60 ms, with bytecode."""

    def used_s() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    least = 9.0
    for _ in range(3):
        before = used_s()
        ran.process(
            *(sys.executable, "-P", "-m", "gitmemo"),
            _GITMEMO_COMPLETE="bash_complete",
            GITMEMO_LINE="gitmemo calls tr",
            PYTHONDONTWRITEBYTECODE="",
        )
        least = min(least, used_s() - before)
    assert least < 0.3
