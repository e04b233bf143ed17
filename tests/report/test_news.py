"""What is news to a served page: whatever would change it, and not what leaves it as it is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from report.conftest import Project

from gitmemo.cli.reporting import PageQuestion
from gitmemo.report import Document, Edition

Act = Callable[[Path], object]


def edition(rev: str | None = None) -> Edition:
    return PageQuestion((), None, "old", rev, True, False, None).edition()


def shown(document: Document) -> dict[str, object]:
    return document.as_dict() | {"made": ""}


def git(*arguments: str) -> Act:
    return lambda root: subprocess.run(["git", *arguments], cwd=root, check=True)


def write(name: str, text: str) -> Act:
    return lambda root: (root / name).write_text(text, "utf-8")


def run(*arguments: str) -> Act:
    return lambda root: Project(root).run(*arguments)


def edit(old: str, new: str) -> Act:
    return lambda root: Project(root).edit(old, new)


def touch(name: str) -> Act:
    return lambda root: os.utime(root / name, (1, 1))


NAMING = "from program import total\n\nheight = total([1])\n"


@pytest.mark.parametrize(
    "act",
    [
        edit("sum(xs)", "sum(xs) + 1"),
        edit("else 3000", "else 2"),
        write("notes.txt", "two\n"),
        write("uses.py", NAMING),
        git("branch", "-q", "-f", "old", "HEAD"),
        git("commit", "-q", "--allow-empty", "-m", "Third"),
        run("5"),
    ],
    ids=["op", "script", "tracked file", "names in a new file", "since", "commit", "call"],
)
def test_what_changes_a_page_is_news(small: Project, act: Act) -> None:
    git("branch", "-q", "old")(small.root)
    git("commit", "-q", "--allow-empty", "-m", "Second")(small.root)
    before = edition()
    assert before.mark() == before.seen
    act(small.root)
    assert before.mark() != before.seen
    after = edition()
    assert after.mark() == after.seen
    assert shown(before.document) != shown(after.document)


@pytest.mark.parametrize(
    "act",
    [touch("program.py"), touch("notes.txt"), write("results.html", "<p>"), git("gc", "-q")],
    ids=["touched code", "touched file", "a file of no code", "packed"],
)
def test_what_changes_nothing_is_none(small: Project, act: Act) -> None:
    git("branch", "-q", "old")(small.root)
    before = edition()
    act(small.root)
    assert before.mark() == before.seen
    assert shown(edition().document) == shown(before.document)


def test_a_revision_is_followed_and_no_file(small: Project) -> None:
    git("branch", "-q", "old")(small.root)
    before = edition("HEAD")
    write("uses.py", NAMING)(small.root)
    edit("sum(xs)", "sum(xs) + 1")(small.root)
    assert before.mark() == before.seen
    git("commit", "-q", "-a", "-m", "Second")(small.root)
    assert before.mark() != before.seen
