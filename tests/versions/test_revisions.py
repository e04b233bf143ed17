"""Looking at another revision: nothing is checked out, and nothing changes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from driver import Clone, make_project

from gitmemo.cli import main

STORY = """\
import json, pickle, sys
import gitmemo as gm
from gitmemo.errors import GitmemoError
from pipeline import evaluate, train

path, rev = sys.argv[1:]
storage = gm.open(path, rev=rev)
table = storage.cf(train).df()
model, loss = table.iloc[0].model, table.iloc[0].loss
refused = {}
def refuse(name, action):
    try:
        action()
    except GitmemoError as error:
        refused[name] = error.kind, error.remedy()
with_block = lambda: storage.__enter__()
refuse("with", with_block)
refuse("call", lambda: storage.call(train, ([1], 1), {}))
refuse("decide", lambda: storage.decide("helper.py:scale", breaking=True))
refuse("drop", lambda: storage.drop_version("abcd"))
refuse("record", lambda: storage.world.record([]))
refuse("explain", lambda: storage.explain(train, [1], 1))
refuse("policy", lambda: setattr(storage, "on_change", "ask"))
print(json.dumps({
    "losses": sorted(table.loss),
    "columns": list(table.columns),
    "later": table.committed_later.tolist() if "committed_later" in table else None,
    "own": sorted(gm.open(path, rev=rev, later=False).cf("train").df().loss),
    "weights": len(model.unwrap().weights),
    "versions": len(storage.versions(train)),
    "said": [str(r) for one in storage.sources("scale") for r in one.rulings],
    "component": storage.source_history(train).component,
    "creator": storage.get_ref_creator(model).op,
    "prov": storage.prov(model),
    "refused": refused,
    "repr": repr(storage),
    "sent": sorted(pickle.loads(pickle.dumps(storage)).cf("train").df().loss),
}))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """v1 doubles and v2 triples; `side` adds results with v1's code, and has a pending one."""
    clone = make_project(tmp_path_factory.mktemp("revs") / "p", tmp_path_factory.mktemp("home"))
    clone.write("look.py", STORY)
    assert clone.run() == (0, 5)
    clone.commit("Double")
    clone.git("tag", "v1")
    clone.change("value * 2", "value * 3")
    clone.commit("Triple", GITMEMO_ON_CHANGE="breaking")
    assert clone.run() == (1, 4)
    clone.gitmemo("commit", "-m", "Results of three")
    clone.git("tag", "v2")
    clone.git("checkout", "-q", "-b", "side", "v1")
    assert clone.run("7") == (1, 2)
    clone.gitmemo("commit", "-m", "Results of seven")
    assert clone.run("9") == (1, 2)
    clone.git("checkout", "-q", "main")
    return clone


def opened(clone: Clone, path: Path, rev: str) -> dict[str, object]:
    result: dict[str, object] = json.loads(clone.python("look.py", str(path), rev).out)
    return result


class Shell:
    """The command line in this process, in a folder: quicker than one process for each look."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def say(self, *arguments: str, code: int = 0) -> str:
        assert main(list(arguments)) == code, self._capsys.readouterr()
        out, err = self._capsys.readouterr()
        return out if code == 0 else err

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.say(*arguments, "--json").splitlines()]


@pytest.fixture
def shell(
    project: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    monkeypatch.chdir(project.root)
    return Shell(capsys)


SUM = sum(range(500))
V1 = [SUM * 2, SUM * 4]
LATER = [SUM * 14, SUM * 18]
V2 = [SUM * 3, SUM * 6]


def test_a_storage_of_a_revision_shows_it_and_refuses_to_change_it(project: Clone) -> None:
    before = project.records()
    found = opened(project, project.root, "v1")
    assert (found["losses"], found["own"], found["sent"]) == (V1 + LATER, V1, V1 + LATER)
    assert found["later"] is not None and sorted(found["later"]) == [False, False, True, True]
    assert (found["weights"], found["versions"], found["said"]) == (500, 1, [])
    assert (found["component"], found["creator"]) == ("pipeline.py:train", "pipeline:train")
    assert "train(" in str(found["prov"]) and "at v1, read-only" in str(found["repr"])
    refused = found["refused"]
    assert isinstance(refused, dict) and len(refused) == 7
    assert {kind for kind, _ in refused.values()} == {"read-only-revision"}
    assert all("git worktree add" in remedy for _, remedy in refused.values())
    later = opened(project, project.root, "v2")
    assert (later["losses"], later["later"]) == (V2, None)
    assert "committed_later" not in str(later["columns"])
    assert len(later["said"]) == 1  # type: ignore[arg-type]
    assert (project.records(), project.is_clean()) == (before, True)


def test_a_bare_and_a_shallow_clone_can_be_looked_at(project: Clone, tmp_path: Path) -> None:
    bare, shallow = tmp_path / "bare.git", tmp_path / "shallow"
    project.git("clone", "-q", "--bare", str(project.root), str(bare))
    address = project.root.as_uri()
    project.git("clone", "-q", "--depth=1", "--no-single-branch", address, str(shallow))
    for place in (bare, shallow):
        shutil.copytree(project.root / ".git/gitmemo/blobs", git_dir(place) / "gitmemo/blobs")
    assert opened(project, bare, "v1")["losses"] == V1 + LATER[:1]  # what is pending stays there
    assert opened(project, shallow, "main")["losses"] == V2
    rows = project.gitmemo("df", "train", "--rev", "v2", "--json", cwd=bare).out.splitlines()
    assert len(rows) == 2
    unknown = project.gitmemo("df", "train", "--rev", "v2~1", "--json", cwd=shallow, code=2)
    assert "git fetch --unshallow" in unknown.err


def git_dir(place: Path) -> Path:
    return place / ".git" if (place / ".git").exists() else place


def test_every_reading_command_takes_a_revision(shell: Shell) -> None:
    def at(*arguments: str, rev: str = "v1") -> list[dict[str, Any]]:
        return shell.rows(*arguments, "--rev", rev)

    assert [row["loss"] for row in at("df", "train")] == V1 + LATER
    assert [row["committed_later"] for row in at("df", "train")] == [False, False, True, True]
    assert [row["loss"] for row in at("df", "train", "--no-later")] == V1
    assert "committed_later" not in at("df", "train", "--no-later")[0]
    table = shell.say("df", "train", "--rev", "v1").splitlines()
    assert table[0].endswith("committed_later") and table[-1].endswith("yes")
    [summary] = [one for one in at("versions") if one["op"] == "pipeline:train"]
    assert (summary["versions"], summary["valid"], summary["calls"]) == (1, 1, 4)
    [version] = at("versions", "train", "--no-later")
    assert (version["calls"], version["valid"]) == (2, True)
    code = shell.say("versions", "train", "-v", "--rev", "v1")
    assert "value * 2" in code and "value * 3" not in code
    assert {one["state"] for one in at("deps", "train")} == {"valid"}
    [content] = at("log", "scale")
    assert (content["head"], content["calls"]) == (True, 4)
    assert len(at("log", "scale", rev="v2")) == 3
    [v1] = [one for one in at("blame", "train") if one["kind"] == "version"]
    assert v1["introduced"]["subject"] == "Begin"
    assert at("show", content["content"])[0]["kind"] == "content"
    tripled = next(one for one in at("log", "scale", rev="v2") if one.get("head"))
    assert "error" in shell.say("show", tripled["content"], "--rev", "v1", code=2)
    [status] = at("status")
    assert (status["rev"], status["calls"], status["committed_later"]) == ("v1", 9, 4)
    assert status["stale"] == status["pending"] == status["missing_values"] == 0


@pytest.mark.parametrize(
    ("rev", "reason", "advice"),
    [
        ("nowhere", "bad revision 'nowhere'", "git log --oneline"),
        ("v1..v2", "a range of commits", "gitmemo diff v1 v2"),
        ("..v2", "a range of commits", "gitmemo diff HEAD v2"),
        ("v1:helper.py", "it is a blob", "a branch, a tag, or a commit"),
        ("", "the name is empty", "a branch, a tag, or a commit"),
        ("--all", "bad revision", "a branch, a tag, or a commit"),
    ],
)
def test_what_is_no_revision_is_refused_with_git_s_reason(
    shell: Shell, rev: str, reason: str, advice: str
) -> None:
    said = shell.say("df", "train", f"--rev={rev}", code=2)
    assert reason in said and advice in said
