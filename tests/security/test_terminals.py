"""What others wrote steers no terminal, and ends no line of JSON, whatever command shows it."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from driver import Clone, make_clone

from gitmemo.cli import main

# A formula, a title, a bell, C1 (for terminals ESC [), and what ends lines or turns them round.
HOSTILE = "=cmd|\x1b]0;pw\x07\x9b2J\r\u202e\u2028\x85x"
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
FILE = "ev\x9b2J\u202e\u2028il.py"  # code in files with other control characters is refused
PROGRAM = f"""
import importlib.util, pathlib, sys
import gitmemo as gm

HOSTILE = {HOSTILE!r}
place = pathlib.Path(__file__).with_name({FILE!r})
spec = importlib.util.spec_from_file_location("evil", place)
evil = sys.modules["evil"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(evil)
storage = gm.open()


@gm.op(output_names=["model", "loss" + HOSTILE])
def train(data, rate, **more):
    return evil.scale(data), HOSTILE


@gm.op(name="odd:ba" + HOSTILE + "d")
def bad(x):
    if x == 2:
        raise ValueError(HOSTILE)
    return x


with storage:
    model, loss = train(HOSTILE, 2, **{{"k" + HOSTILE: HOSTILE}})
    train([HOSTILE], 3)
    bad(storage.unwrap(loss))
    try:
        bad(2)
    except ValueError:
        pass
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A repository with names, texts, people and branches that would like to be obeyed."""
    clone = make_clone(tmp_path_factory.mktemp("hostile") / "p", tmp_path_factory.mktemp("home"))
    clone.git("config", "user.name", "Te\x1b[31m\u202est")
    clone.git("checkout", "-q", "-b", "br\u202eanch\x9bx")
    clone.write(FILE, f"def scale(v):\n    return v * 2  # {HOSTILE[:8]}\n")
    clone.write("pipeline.py", PROGRAM)
    clone.write(".gitignore", "__pycache__/\n")
    clone.gitmemo("init")
    clone.gitmemo("config", "set", "record.user", "true")
    clone.gitmemo("run", "pipeline.py")
    clone.commit("Sub\x1b[31mject\u202e")
    clone.change("* 2", "* 3", FILE)
    clone.change("    return x\n", "    return x, x\n", "pipeline.py")
    for said in (
        clone.commit("More\x9b", GITMEMO_ON_CHANGE="pending"),
        clone.gitmemo("decide", "bad", "--non-breaking", "-m", HOSTILE).text,
    ):
        assert not STEERS.search(said), said
    return clone


COMMANDS = (
    "status", "blame train", "calls --all", "check train", "config", "decide", "deps train",
    "df train", "diff HEAD~1 HEAD", "failures", "forget", "forget train --dry-run", "graph",
    "log", "log train -p", "log bad -p", "verify", "versions", "versions train", "world",
    "why train", "show IDENT", "why IDENT", "df nosuch", "log nosuch", "drop op:train",
    "tag", "remote list", "rename",
)  # fmt: skip


@pytest.fixture
def said(
    hostile: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs a command and returns its exit code and what it said."""
    monkeypatch.chdir(hostile.root)

    def said(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(words)
        out, err = capsys.readouterr()
        return code, out, err

    return said


def test_no_command_prints_what_steers_a_terminal(
    said: Callable[..., tuple[int, str, str]],
) -> None:
    _, listed, _ = said("calls", "--all", "--json")
    ident = json.loads(listed.split("\n")[0])["hid"]
    shown = 0
    for command in COMMANDS:
        words = [word.replace("IDENT", ident) for word in command.split()]
        code, out, err = said(*words)
        assert not STEERS.search(out + err), (command, out, err)
        assert "Traceback" not in err
        shown += (out + err).count("�")
        code, out, err = said(*words, "--json")
        assert not STEERS.search(out + err), (command, out, err)
        if code == 0:
            assert all(json.loads(line) is not Ellipsis for line in out.splitlines()), command
    assert shown > 20, "it was there"


def test_json_and_csv_hold_what_was_stored(said: Callable[..., tuple[int, str, str]]) -> None:
    """They are for programs: also what a spreadsheet would take for a formula stays as it is."""
    _, out, _ = said("df", "train", "--all", "--json")
    (row,) = [row for row in map(json.loads, out.splitlines()) if row["rate"] == 2]
    assert HOSTILE in row.values()
    _, out, _ = said("df", "train", "--all", "--csv")
    header, *rows = csv.reader(io.StringIO(out, newline=""), strict=True)
    (cells,) = [cells for cells in rows if cells[header.index("rate")] == "2"]
    assert HOSTILE in cells


class _Answer(BaseHTTPRequestHandler):
    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 418 pwn\x1b]0;x\x07\xc2\x9b2J\r\nX: \x1b[2J\r\n\r\n\x1b[2J")


@pytest.fixture
def server() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as http:
        threading.Thread(target=http.serve_forever, args=(0.05,)).start()
        yield int(http.server_address[1])
        http.shutdown()


def test_errors_of_a_remote_steer_no_terminal(
    server: int, hostile: Clone, said: Callable[..., tuple[int, str, str]]
) -> None:
    settings = hostile.root / ".gitmemo/config.toml"
    kept = settings.read_bytes()
    table = f'[remotes.lab]\nurl = "http://127.0.0.1:{server}/"\nretries = 0\n'
    settings.write_bytes(kept + table.encode())
    try:
        for words in (("fetch",), ("remote", "check"), ("status", "--remote")):
            for more in ((), ("--json",)):
                code, out, err = said(*words, *more)
                assert code and "418" in out + err, (words, out, err)
                assert not STEERS.search(out + err), (words, out, err)
    finally:
        settings.write_bytes(kept)
