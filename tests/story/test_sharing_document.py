"""What docs/sharing.md tells of two people, done: each command, and each line that it shows."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driver import Clone, Done, environment

from gitmemo.cli import main

PAGE = Path(__file__).resolve().parents[2] / "docs/sharing.md"
SHOW_MODEL = """\
from pipeline import load, storage, train

with storage:
    model, _ = train(load(500), 1)
    print("weights:", len(storage.unwrap(model).weights))
"""

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the document is not beside the tests")


def told() -> Iterator[tuple[str, str, list[str]]]:
    """Yield who types what, and the lines that the page shows of the answer."""
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    for block in blocks:
        for step in re.split(r"^(?=\w+\$ )", block, flags=re.M)[1:]:
            first, *shown = step.splitlines()
            who, _, command = first.partition("$ ")
            yield who, command, shown


class Shell:
    """Does what people type; commands of gitmemo in this process, which starts nothing."""

    def __init__(
        self, path: str, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._path, self._patch, self._capsys = path, patch, capsys

    def do(self, clone: Clone, command: str) -> Done:
        words = shlex.split(command, comments=True)
        if words[0] != "gitmemo" or words[1] == "run" or {"&&", "|"} & {*words}:
            return clone.process("sh", "-c", command, code=None, PATH=self._path)
        for name, value in environment(clone.home).items():
            self._patch.setenv(name, value)
        self._patch.chdir(clone.root)
        code = main(words[1:])
        return Done(code, *self._capsys.readouterr())


def test_two_people_share_as_the_page_tells(
    committed: Clone,
    clone_of: Callable[[Clone | Path, str], Clone],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "gitmemo").write_text(f'#!/bin/sh\nexec {sys.executable} -P -m gitmemo "$@"\n')
    (programs / "gitmemo").chmod(0o755)
    shell = Shell(f"{programs}:{os.environ['PATH']}", monkeypatch, capsys)
    committed.write("show_model.py", SHOW_MODEL)
    committed.commit("Look at the model")
    committed.process("git", "clone", "-q", "--bare", ".", str(tmp_path / "hub.git"))
    committed.git("remote", "add", "origin", str(tmp_path / "hub.git"))
    people = {"ann": committed}
    steps = list(told())
    assert len(steps) > 12
    for who, command, shown in steps:
        if who == "bob" and who not in people:
            people[who] = clone_of(tmp_path / "hub.git", "bob")
        done = shell.do(people[who], command)
        assert (done.code == 0) is not any(line.startswith("error:") for line in shown), done.text
        for line in shown:
            pattern = ".*".join(map(re.escape, line.split("…")))
            assert re.search(f"^{pattern}", done.text, re.M), f"{command}: {line}\n{done.text}"
