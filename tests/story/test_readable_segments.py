"""Segments are readable: in `git diff`, `git log -p`, `git show`, and with `gitmemo show`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from driver import Clone, copy_of

from gitmemo.git.diffs import SETTING, explain_diffs
from gitmemo.git.repository import locate


@pytest.fixture(scope="module")
def project(committed_template: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return copy_of(committed_template, tmp_path_factory.mktemp("readable") / "my projéct")


def segment(clone: Clone) -> Path:
    (path,) = (clone.root / ".gitmemo/index/1").glob("*/*.jsonl")
    return path


def test_git_shows_what_facts_say(project: Clone) -> None:
    for command in (("show",), ("log", "-p", "-1"), ("diff", "HEAD~1")):
        shown = project.git(*command)
        assert "+call pipeline:load(size=500) -> output_0 = " in shown
        assert "+version " in shown and "helper.py: " in shown
        assert '["call"' not in shown
    plain = copy_of(project, project.root.parent / "no setting")
    plain.git("config", "--unset", SETTING)
    assert '+["call","pipeline:load"' in plain.git("show"), "a clone without gitmemo"


def test_a_diff_never_fails(project: Clone) -> None:
    clone = copy_of(project, project.root.parent / "moved")
    explain_diffs(locate(clone.root), "/nowhere/python")
    assert "/nowhere/python" in clone.git("config", SETTING)
    assert '+["call","pipeline:load"' in clone.git("show")
    clone.gitmemo("hook", "install")
    assert "+call pipeline:load" in clone.git("show")


def test_the_setting_comes_and_goes_with_the_hooks(project: Clone) -> None:
    clone = copy_of(project, project.root.parent / "uninstalled")
    before = (clone.root / ".git/config").read_text("utf-8")
    clone.gitmemo("hook", "uninstall")
    assert "gitmemo" not in (clone.root / ".git/config").read_text("utf-8")
    clone.gitmemo("hook", "install")
    assert (clone.root / ".git/config").read_text("utf-8") == before
    clone.git("config", SETTING, "my-own")
    for command in ("install", "uninstall"):
        clone.gitmemo("hook", command)
        assert clone.git("config", SETTING) == "my-own"


def test_init_brings_older_attributes_up_to_date(project: Clone) -> None:
    clone = copy_of(project, project.root.parent / "older")
    path = clone.write(".gitmemo/.gitattributes", "*.txt text\nindex/** -text\n")
    clone.gitmemo("hook", "install")
    assert path.read_text("utf-8") == "*.txt text\nindex/** -text\n"
    assert "updated .gitmemo/.gitattributes" in clone.gitmemo("init").out
    assert path.read_text("utf-8") == (
        "*.txt text\nindex/** -text linguist-generated diff=gitmemo\n"
    )
    assert "kept .gitmemo/.gitattributes" in clone.gitmemo("init").out
    attributes = clone.git("check-attr", "-a", str(segment(clone)))
    assert {line.rpartition(": ")[0].rpartition(": ")[2] for line in attributes.splitlines()} == {
        "text",
        "linguist-generated",
        "diff",
    }


def test_show_takes_segments(project: Clone) -> None:
    path = segment(project)
    relative = path.relative_to(project.root).as_posix()
    by_path = project.gitmemo("show", relative)
    assert by_path.out.startswith(f"segment {path.stem}\n")
    assert "\ncall pipeline:load(size=500) -> " in by_path.out
    assert project.gitmemo("show", path.stem[:16]).out == by_path.out
    assert (
        project.gitmemo("show", f"../{path.parent.name}/{path.name}", cwd=path.parent).out
        == by_path.out
    )
    shown = json.loads(project.gitmemo("show", "--json", path.stem).out)
    assert shown["path"] == relative
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == shown["records"]
    assert "Traceback" not in project.gitmemo("show", "nowhere/x.jsonl", code=2).text


def test_show_reads_damaged_segments(project: Clone) -> None:
    clone = copy_of(project, project.root.parent / "damaged")
    path = segment(clone)
    path.write_bytes(path.read_bytes() + b"\x1b[2J\xff\n")
    done = clone.gitmemo("show", path.stem[:12])
    assert "\ncall pipeline:load(size=500) -> " in done.out
    assert "\x1b" not in done.out
    assert "do not match its name" in done.err
    refused = json.loads(clone.gitmemo("show", "--json", path.stem[:12], code=4).err)
    assert refused["error"]["kind"] == "corrupt-segment"
