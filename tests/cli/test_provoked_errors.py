"""Every command, given bad input of each kind: one error that names it and says what to do.

A row is a command and what the message must name. The rows run in one process, first as people
type them, then with `--json`, where the command has it; exit codes are those of docs/reference.md.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from driver import Clone, copy_of, make_clone, make_project

from gitmemo.cli import main
from gitmemo.cli.commands import cli, names
from gitmemo.remotes import retry

_OP = "no call of an op named 'nosuch'"
_REV = "'nosuch' is no revision"
_TAG = "nothing is tagged 'nosuch'"
_REMOTE = "there is no remote named 'nosuch'"
_ID = "is not an id"
_UNKNOWN_ID = "nothing that is known here has an id that begins with"
_NO_COMPONENT = "no function, class or variable is called 'nosuch'"
_COMPONENT = "no stored call touched a component called 'nosuch'"
_NO_FOLDER = "there is no folder"
_FORGOTTEN = "nothing is forgotten under the id"
_NUMBER = "is not a valid number"

# Words, and what the message names; all are wrong usage: exit code 2.
_WRONG: list[tuple[str, str]] = [
    ("statsu", "Did you mean 'status'?"),
    ("--color maybe status", "'maybe' is not one of"),
    ("-C /nosuch status", "'/nosuch' does not exist"),
    ("blame nosuch", _OP),
    ("blame train --rev nosuch", _REV),
    ("calls nosuch", _OP),
    ("calls --limit x", "'x' is not a valid whole number"),
    ("check nosuch", _OP),
    ("check code:nosuch", _NO_COMPONENT),
    ("check op:train --sample 0", "0 is not in the range"),
    ("commit -m", "requires an argument"),
    ("completion tcsh", "'tcsh' is not one of"),
    ("config get nosuch", "there is no setting 'nosuch'"),
    ("config lst", "Did you mean 'list'?"),
    ("config set nosuch 1", "there is no setting 'nosuch'"),
    ("config set on_change maybe", "'maybe' is not a known choice"),
    ("config unset nosuch", "there is no setting 'nosuch'"),
    ("decide nosuch --breaking", "no undecided change of 'nosuch'"),
    ("demo a b", "unexpected extra argument"),
    ("deps add nosuch x", _OP),
    ("deps add train nosuch", _NO_COMPONENT),
    ("deps nosuch", _OP),
    ("deps remove train nosuch", "nosuch"),
    ("df", "name one of the ops that have calls"),
    ("df @nosuch", _TAG),
    ("df nosuch", _OP),
    ("df train --columns zz", "the frame has no 'zz'"),
    ("df train --limit x", "'x' is not a valid whole number"),
    ("df train --parquet /nosuch/x.parquet", _NO_FOLDER),
    ("df train --rev nosuch", _REV),
    ("df train --sort zz", "the frame has no 'zz'"),
    ("df train --where ((", "'((' is no condition"),
    ("df train --where zz>1", "the frame has no 'zz'"),
    ("diff --code aaaa bbbb", _UNKNOWN_ID),
    ("diff --op nosuch HEAD", _OP),
    ("diff nosuch", _REV),
    ("doctor --timeout x", _NUMBER),
    ("drop call:zzzz", "'zzzz'"),
    ("drop op:load", "--yes was not said"),
    ("drop op:nosuch --yes", _OP),
    ("drop --undo 1234", _FORGOTTEN),
    ("drop --yes --dry-run op:load", "--dry-run"),
    ("failures nosuch", _OP),
    ("failures --limit 0", "0 is not in the range"),
    ("fetch -r nosuch", _REMOTE),
    ("forget nosuch", _OP),
    ("forget train rate", "'rate': write NAME=VALUE"),
    ("forget --undo zz", _FORGOTTEN),
    ("gc --max-size zz", "'zz' is no size"),
    ("gc --older-than x", _NUMBER),
    ("gc --op nosuch", _OP),
    ("graph nosuch", _OP),
    ("graph -o /nosuch/x.svg", _NO_FOLDER),
    ("graph -o x.zzz", "'.zzz'"),
    ("hook nosuch", "No such command 'nosuch'. There are: install"),
    ("import joblib /nosuch", "'/nosuch' is no store of joblib.Memory"),
    ("import joblib .", "it holds no results"),
    ("import mandala /nosuch", "'/nosuch' is no store of mandala"),
    ("index spill nosuch", _UNKNOWN_ID),
    ("index unspill nosuch", _UNKNOWN_ID),
    ("init /nosuch", "'/nosuch' does not exist"),
    ("log nosuch", _COMPONENT),
    ("log train --rev nosuch", _REV),
    ("pull nosuch", "'nosuch' is neither a remote nor an op"),
    ("push nosuch", "'nosuch' is neither a remote nor an op"),
    ("push -j 0", "0 is not in the range"),
    ("remote add lab", "Missing argument 'URL'"),
    ("remote add bad/name /tmp/x", "'bad/name' cannot name a remote"),
    ("remote add lab /tmp/x -o foo", "'foo' is not KEY=VALUE"),
    ("remote add lab nosuch://x", "nosuch://"),
    ("remote add lab s3://b -o secret_key=x", "looks like a secret"),
    ("remote check nosuch", _REMOTE),
    ("remote default", "no remote is configured"),
    ("remote default nosuch", _REMOTE),
    ("remote gc", "no remote is configured"),
    ("remote key nosuch", _REMOTE),
    ("remote modify nosuch a=b", _REMOTE),
    ("remote remove nosuch", _REMOTE),
    ("remote rename nosuch b", _REMOTE),
    ("remote rmove nosuch", "Did you mean 'remove'?"),
    ("remote show nosuch", _REMOTE),
    ("remote trust nosuch", _REMOTE),
    ("rename nosuch other", "no stored call depends on 'nosuch'"),
    ("rename --argument train nosuch x", "has an argument 'nosuch'"),
    ("report nosuch", _OP),
    ("report --since nosuch", _REV),
    ("report -o /nosuch/x.html", _NO_FOLDER),
    ("run nosuch.py", "'nosuch.py' does not exist"),
    ("serve --port 99999999", "99999999 is not in the range"),
    ("serve nosuch", _OP),
    ("show 1234", _UNKNOWN_ID),
    ("show @nosuch", _TAG),
    ("show zzzz", _ID),
    ("status --rev nosuch", _REV),
    ("status -r nosuch", _REMOTE),
    ("store forget nosuch", "nosuch cannot be forgotten"),
    ("store share inside", "inside this repository"),
    ("tag -d nosuch", _TAG),
    ("tag bad!name 1234", "'bad!name' is no name"),
    ("tag x nosuch", _ID),
    ("verify --repair --check", "--check changes nothing"),
    ("versions nosuch", _OP),
    ("why nosuch", _OP),
    ("why train rate", "'rate': write NAME=VALUE"),
    ("why train zz=3", "has no argument 'zz'"),
    ("world --remote", "no remote is configured"),
    ("world --rev nosuch", _REV),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Clone:
    """A project with results in a commit, which no row may change."""
    clone = make_project(tmp_path_factory.mktemp("errors") / "p", home)
    clone.run("1")
    clone.gitmemo("commit")
    return clone


@pytest.fixture
def project(ran: Clone, tmp_path: Path) -> Clone:
    return copy_of(ran, tmp_path / "p")


@pytest.fixture(autouse=True)
def nobodys(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.delenv("GITMEMO_ON_CHANGE", raising=False)
    monkeypatch.setattr(retry, "pause", lambda _seconds=0.0: None)


def _has_json(words: list[str]) -> bool:
    """Whether the command that these words begin with has `--json`; not of what is no command."""
    group: object = cli
    for word in words:
        if not hasattr(group, "get_command"):
            break
        group = group.get_command(None, word)
    return any("--json" in one.opts for one in getattr(group, "params", ()))


def _said(capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr()
    assert "Traceback" not in said.err + said.out
    assert "a bug of gitmemo" not in said.err
    return said.err


def _is_told(words: list[str], code: int, named: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Check the message for people, then the one for programs."""
    assert main(words) == code
    said = _said(capsys)
    assert sum(line.lower().startswith("error:") for line in said.splitlines()) == 1, said
    assert named in said
    assert "fix:" in said or "--help" in said or "Error: Option" in said or "There are:" in said, (
        said
    )
    if _has_json(words) and "--parquet" not in words:  # either of the two
        assert main([*words, "--json"]) == code
        (line,) = _said(capsys).splitlines()
        error = json.loads(line)["error"]
        assert error["exit_code"] == code
        assert named in error["problem"]
        assert error["kind"] and error["remedy"]


@pytest.mark.parametrize(("words", "named"), _WRONG, ids=[words for words, _ in _WRONG])
def test_what_is_wrong_is_named(
    ran: Clone,
    words: str,
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ran.root)
    _is_told(words.split(" "), 2, named, capsys)
    assert ran.is_clean()


def test_every_command_has_a_row() -> None:
    begun = {word for words, _ in _WRONG for word in words.split(" ")}
    assert set(names()) <= begun


_READING = (
    "status", "df train", "log train", "calls", "versions", "show abcd", "world", "graph", "deps train",
    "blame train", "why train", "failures", "verify", "gc", "push", "pull", "fetch", "report", "commit",
    "decide", "config list", "remote list", "remote gc", "store show", "tag", "hook status",
    "index compact", "forget", "drop --stale", "rename", "diff HEAD", "check op:train",
)  # fmt: skip


@pytest.mark.parametrize("words", _READING)
def test_outside_a_repository(
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    _is_told(words.split(), 1, "is not inside a git work tree", capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def bare_of_gitmemo(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Clone:
    return make_clone(tmp_path_factory.mktemp("plain") / "r", home)


@pytest.mark.parametrize(
    "words", [words for words in _READING if words not in ("hook status", "config list")]
)
def test_before_init(
    bare_of_gitmemo: Clone,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(bare_of_gitmemo.root)
    _is_told(words.split(), 3, "gitmemo is not set up in", capsys)
    assert bare_of_gitmemo.is_clean()


# --- a repository that is in no good state -------------------------------------------


def _no_toml(clone: Clone) -> None:
    clone.write(".gitmemo/config.toml", "[[[")


def _newer(clone: Clone) -> None:
    clone.change("format = 1", "format = 2", ".gitmemo/config.toml")


def _journal(clone: Clone) -> None:
    clone.run("7")
    (journal,) = clone.journals()
    journal.write_text(journal.read_text("utf-8") + '["call",garbage\n', "utf-8")


def _no_objects(clone: Clone) -> None:
    for folder in (clone.root / ".git/objects").glob("??"):
        shutil.rmtree(folder)


def _a_file_for_a_folder(clone: Clone) -> None:
    shutil.rmtree(clone.root / ".git/gitmemo")
    (clone.root / ".git/gitmemo").write_text("x")


def _merging(clone: Clone) -> None:
    clone.run("7")
    (clone.root / ".git/MERGE_HEAD").write_text(clone.git("rev-parse", "HEAD") + "\n")


def _detached(clone: Clone) -> None:
    clone.git("checkout", "-q", "--detach")


def _no_place(clone: Clone) -> None:
    clone.gitmemo("remote", "add", "lab", "/nosuch/dir")


def _nobody_listens(clone: Clone) -> None:
    clone.gitmemo("remote", "add", "lab", "https://127.0.0.1:9/x")


def _broken_code(clone: Clone) -> None:
    clone.write("pipeline.py", "def broken(:\n")


_STATES: list[tuple[Callable[[Clone], None], str, int, str]] = [
    (_no_toml, "status", 2, "config.toml cannot be read"),
    (_no_toml, "config list", 2, "config.toml cannot be read"),
    (_no_toml, "run pipeline.py", 2, "config.toml cannot be read"),
    (_newer, "status", 4, "has format 2"),
    (_journal, "status", 4, "of the journal"),
    (_journal, "df train", 4, "of the journal"),
    (_no_objects, "diff HEAD", 4, "cannot be read"),
    (_no_objects, "status --rev HEAD", 4, "cannot be read"),
    (_a_file_for_a_folder, "status", 1, "Not a directory"),
    (_a_file_for_a_folder, "gc", 1, "Not a directory"),
    (_merging, "commit", 3, "a merge is in progress"),
    (_merging, "index compact", 3, "a merge is under way"),
    (_detached, "index compact", 3, "no branch with commits is checked out"),
    (_no_place, "fetch", 5, "/nosuch does not exist"),
    (_no_place, "push", 5, "/nosuch does not exist"),
    (_no_place, "status --remote", 5, "/nosuch does not exist"),
    (_nobody_listens, "fetch", 5, "Connection refused"),
    (_nobody_listens, "remote gc", 5, "Connection refused"),
    (_broken_code, "check op:train", 2, "importing it raised SyntaxError"),
    (_broken_code, "why train rate=1", 2, "importing it raised SyntaxError"),
]


@pytest.mark.parametrize(
    ("spoil", "words", "code", "named"),
    _STATES,
    ids=[f"{spoil.__name__.strip('_')}-{words}" for spoil, words, *_ in _STATES],
)
def test_in_a_repository_that_is_in_no_good_state(
    project: Clone,
    spoil: Callable[[Clone], None],
    words: str,
    code: int,
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(project)
    monkeypatch.chdir(project.root)
    _is_told(words.split(), code, named, capsys)
