"""What a document tells people to do, done: files written, commands typed, and the lines that it shows.

Not a test. In a document

- a block with a title, such as ```` ```python title="walks.py" ````, is a file that is written;
- a block `console` is typed, step by step: `$ command`, or `bob$ command` for somebody else,
  each followed by lines that it shows, in their order; `…` stands for anything in a line, and
  alone for any lines;
- a step that shows `[a]bort: n` is done at a terminal, where `n` is the answer;
- a step that shows `error:` fails, all others do not;
- other blocks are not run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from driver import Clone, at_terminal, environment

_FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^(?=\w*\$ )", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[\d*m|\r(?=\n)")
_ANSWER = re.compile(r"\[a\]bort: (\w)$", re.MULTILINE)


@dataclass(frozen=True)
class Write:
    """A file that somebody writes."""

    name: str
    text: str


@dataclass(frozen=True)
class Type:
    """A command that somebody types, and the lines that it shows."""

    who: str
    command: str
    shown: str


def told(text: str) -> Iterator[Write | Type]:
    """Yield what a document says, in its order."""
    for kind, title, body in _FENCE.findall(text):
        if title:
            yield Write(title, body)
        elif kind == "console":
            for step in filter(None, _PROMPT.split(body)):
                first, _, shown = step.partition("\n")
                who, _, command = first.partition("$ ")
                yield Type(who, command, shown)


@dataclass
class People:
    """Who does what a document says: each in a folder of their own, where `cd` lasts."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    _at: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        programs = self.root / "programs"
        programs.mkdir(parents=True)
        for name, module in (("gitmemo", "-P -m gitmemo"), ("python", "")):
            (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {module} "$@"\n')
            (programs / name).chmod(0o755)
        self.env = {
            **environment(self.root / "home"),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "GIT_CONFIG_COUNT": "3",
            **_setting(0, "user.name", "Tester"),
            **_setting(1, "user.email", "tester@localhost"),
            **_setting(2, "init.defaultBranch", "main"),
            **self.env,
        }
        (self.root / "home").mkdir()

    def do(self, step: Write | Type) -> None:
        """Do it, and look whether it shows what the document shows."""
        if isinstance(step, Write):
            path = self.place("") / step.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, "utf-8")
            return
        code, text = self._type(step)
        assert (code != 0) is bool(re.search("^error:", step.shown, re.M)), f"{step}\n{text}"
        rest = text
        for line in filter(None, map(str.rstrip, step.shown.splitlines())):
            if line == "…":
                continue
            pattern = ".*".join(map(re.escape, line.split("…")))
            found = re.search(f"^{pattern} *$", rest, re.MULTILINE)
            assert found, f"$ {step.command}\nis not shown here: {line}\n\n{text}"
            rest = rest[found.end() :]

    def place(self, who: str) -> Path:
        """Return the folder where somebody is."""
        return self._at.get(who, self.root / "desk")

    def _type(self, step: Type) -> tuple[int, str]:
        here, note = self.place(step.who), self.root / "where"
        here.mkdir(exist_ok=True)
        script = f"{step.command}\ncode=$?; pwd > '{note}'; exit $code"
        answer = _ANSWER.search(step.shown)
        if answer:
            variables = {name: value for name, value in self.env.items() if name != "HOME"}
            with at_terminal(Clone(here, self.root / "home", variables), "sh", "-c", script) as one:
                one.expect("[a]bort: ")
                one.send(f"{answer[1]}\n")
                code, text = one.finish(), _COLOUR.sub("", one.text)
        else:
            done = subprocess.run(
                ["sh", "-c", script],
                cwd=here,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                timeout=100,
                check=False,
            )
            code, text = done.returncode, done.stdout.decode()
        self._at[step.who] = Path(note.read_text().rstrip("\n"))
        return code, text


def _setting(number: int, key: str, value: str) -> dict[str, str]:
    return {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
