"""What a terminal gets and what a pipe gets: colours, a pager, progress; and errors for programs."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path

import pytest
from driver import GITMEMO, Clone, at_terminal, copy_of, make_project

from gitmemo.cli import main
from gitmemo.display.progress import StepsLine
from gitmemo.steps import steps, watched

ESCAPE = "\x1b"
PAGER = "sed s/^/paged:/"
LONG = ("calls", "--limit", "200")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A project with results in a commit; nobody changes it."""
    clone = make_project(tmp_path_factory.mktemp("screen") / "p", tmp_path_factory.mktemp("home"))
    clone.run(*map(str, range(60)))
    clone.commit("Results", "--allow-empty")
    clone.gitmemo("tag", "best", call_id(clone))
    clone.gitmemo("remote", "add", "lab", str(clone.home / "lab"), "--local")
    return clone


class Typist:
    """Somebody who types into a pipe, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def say(self, *words: str, code: int = 0) -> tuple[str, str]:
        """Run a command; return what it printed."""
        self._capsys.readouterr()
        assert main(words) == code
        return self._capsys.readouterr()


@pytest.fixture
def typist(
    ran: Clone, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Typist:
    """Somebody in the project."""
    monkeypatch.chdir(ran.root)
    return Typist(capsys)


def call_id(clone: Clone) -> str:
    """Return the id of a call that returned one thing."""
    return str(json.loads(clone.gitmemo("calls", "evaluate", "--json", "--limit", "1").out)["hid"])


def seen(clone: Clone, *arguments: str, code: int = 0, **variables: str) -> str:
    """Return what a person sees at a terminal of 50 lines."""
    with at_terminal(clone, *GITMEMO, *arguments, **({"TERM": "xterm"} | variables)) as terminal:
        assert terminal.finish() == code, terminal.text
        return terminal.text


# --- colours --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "options", "colored"),
    [
        ({}, [], False),
        ({}, ["--color", "always"], True),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "0"}, [], False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
    ],
)
def test_colours_in_a_pipe(
    typist: Typist,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    options: list[str],
    colored: bool,
) -> None:
    for name, value in ({"TERM": "xterm"} | variables).items():
        monkeypatch.setenv(name, value)
    _, err = typist.say(*options, "show", "nothing", code=2)
    assert (ESCAPE in err) is colored


@pytest.mark.parametrize(
    ("variables", "colored"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_at_a_terminal(ran: Clone, variables: dict[str, str], colored: bool) -> None:
    assert (ESCAPE in seen(ran, "show", call_id(ran), **variables)) is colored


@pytest.mark.parametrize(
    "command", ["calls", "log train", "versions train -v", "df train", "status"]
)
def test_a_pipe_gets_no_escape_codes_and_no_carriage_returns(
    typist: Typist, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("GITMEMO_PAGER", PAGER)
    text = "".join(typist.say(*command.split()))
    assert text
    assert ESCAPE not in text and "\r" not in text and "paged:" not in text


# --- the pager ------------------------------------------------------------------


def test_what_is_longer_than_the_screen_goes_to_the_pager(ran: Clone) -> None:
    short = seen(ran, "calls", GITMEMO_PAGER=PAGER)
    assert "paged:" not in short and "train" in short
    long = seen(ran, *LONG, GITMEMO_PAGER=PAGER, PAGER="false")
    assert long.count("paged:") > 100


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        (["--no-pager"], {"GITMEMO_PAGER": PAGER}),
        ([], {"GITMEMO_PAGER": "cat", "PAGER": PAGER}),
        ([], {"GITMEMO_PAGER": "", "GIT_PAGER": PAGER}),
        ([], {"GITMEMO_PAGER": PAGER, "TERM": "dumb"}),
    ],
)
def test_nobody_wants_a_pager(ran: Clone, options: list[str], variables: dict[str, str]) -> None:
    text = seen(ran, *options, *LONG, **variables)
    assert "paged:" not in text and text.count("\n") > 100


def test_programs_at_a_terminal_get_no_pager(ran: Clone) -> None:
    text = seen(ran, *LONG, "--json", GITMEMO_PAGER=PAGER)
    assert "paged:" not in text and text.count("\n") > 100


@pytest.mark.parametrize("name", ["GITMEMO_PAGER", "GIT_PAGER", "PAGER"])
def test_who_says_which_pager(ran: Clone, name: str) -> None:
    assert "paged:" in seen(ran, *LONG, **{name: PAGER})


def test_a_pager_that_is_left_early_is_no_error(ran: Clone) -> None:
    text = seen(ran, *LONG, GITMEMO_PAGER="head -2")
    assert text.count("\n") == 2 and "Traceback" not in text


def test_a_pager_that_is_not_there_costs_nothing_but_a_note(ran: Clone) -> None:
    text = seen(ran, *LONG, GITMEMO_PAGER="no-such-pager -x")
    assert text.count("\n") > 100 and "no-such-pager" in text


def test_notes_stand_below_what_they_are_about(ran: Clone) -> None:
    text = seen(ran, "calls", "--limit", "60", GITMEMO_PAGER=PAGER)
    *_, last = text.strip().splitlines()
    assert last == "60 of 121 calls shown (--limit)"


def test_a_reader_that_goes_away_is_no_error(ran: Clone) -> None:
    line = f"{' '.join(GITMEMO)} calls --limit 200 | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], cwd=ran.root, env=ran.env(), capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


# --- progress -------------------------------------------------------------------


class Screen(io.StringIO):
    """A terminal that remembers everything."""

    def isatty(self) -> bool:
        return True


def test_steps_say_how_far_how_fast_and_how_long() -> None:
    line = StepsLine("checking values", 10_000_000, "B", stream=Screen())
    line(2_500_000)
    assert line.text(0.1) == "checking values: 2.5 MB of 10.0 MB"
    assert line.text(5.0) == "checking values: 2.5 MB of 10.0 MB, 500.0 kB/s, 15 s left"
    calls = StepsLine("reading journals", 1, "journal", stream=Screen())
    assert calls.text(0.0) == "reading journals: 0 of 1 journal"


def test_who_watches_is_told_of_each_step_and_of_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("gitmemo.display.progress._BETWEEN_S", 0.0)
    screen = Screen()
    with watched(lambda doing, total, noun: StepsLine(doing, total, noun, stream=screen)):
        assert list(steps("counting", "abc", "letter")) == ["a", "b", "c"]
        first = next(iter(steps("looking", [1, 2], "thing")))
    assert first == 1
    assert "counting: 3 of 3 letters" in screen.getvalue()
    assert screen.getvalue().endswith("\r\x1b[K")
    assert list(steps("counting", "abc", "letter")) == ["a", "b", "c"]
    assert screen.getvalue().count("counting: 3 of 3 letters") == 1


def test_nothing_flickers_in_a_pipe(ran: Clone, tmp_path: Path) -> None:
    clone = copy_of(ran, tmp_path / "p")
    for path in (clone.root / ".git/gitmemo").glob("index.db*"):
        path.unlink()
    text = "".join(clone.gitmemo(*words).text for words in (("status",), ("verify",), ("gc", "-y")))
    assert "\r" not in text and ESCAPE not in text


# --- errors for programs ----------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("statsu --json", "usage"),
        ("calls --nonsense --json", "usage"),
        ("show --json", "usage"),
        ("show nothing --json", "unknown-id"),
        ("calls nothing --json", "unknown-op"),
        ("remote show nothing --json", "remote-unknown"),
        ("status --rev nothing --json", "unknown-revision"),
        ("config get nothing --json", "unknown-setting"),
    ],
)
def test_errors_are_json_where_that_was_asked_for(typist: Typist, words: str, kind: str) -> None:
    out, err = typist.say(*words.split(), code=2)
    error = json.loads(err)["error"]
    assert (error["kind"], error["exit_code"]) == (kind, 2)
    assert error["problem"] and error["remedy"] and not out


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("statsu", "status"),
        ("remote lst", "list"),
        ("calls --jsn", "--json"),
        ("calls trian", "train"),
        ("show @bset", "best"),
        ("push -r labb", "lab"),
        ("config get on_chagne", "on_change"),
    ],
)
def test_did_you_mean(typist: Typist, words: str, meant: str) -> None:
    _, err = typist.say(*words.split(), code=2)
    assert meant in err


def test_a_place_that_is_not_there_is_one_message(typist: Typist, tmp_path: Path) -> None:
    _, err = typist.say("graph", "train", "-o", str(tmp_path / "no/such.svg"), code=2)
    assert "fix:" in err
