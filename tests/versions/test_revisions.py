"""Looking at another revision: nothing is checked out, and nothing changes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from driver import Clone, copy_of, make_project

import gitmemo as gm
from gitmemo.cli import main
from gitmemo.errors import UnknownRevision, WrongQuestion

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
    clone.change(
        "import gitmemo as gm\n", "import numpy as np\nimport gitmemo as gm\n", "pipeline.py"
    )
    clone.change("\n\nif __name__", SPREAD + "\n\nif __name__", "pipeline.py")
    clone.change(
        "            print(text",
        "            spread(int(text))\n            print(text",
        "pipeline.py",
    )
    assert clone.run() == (0, 7)
    clone.commit("Double")
    clone.git("tag", "v1")
    clone.change("value * 2", "value * 3")
    clone.commit("Triple", GITMEMO_ON_CHANGE="breaking")
    assert clone.run() == (1, 6)
    clone.gitmemo("commit", "-m", "Results of three")
    clone.git("tag", "v2")
    clone.git("checkout", "-q", "-b", "side", "v1")
    assert clone.run("7") == (1, 3)
    clone.gitmemo("commit", "-m", "Results of seven")
    assert clone.run("9") == (1, 3)
    clone.git("checkout", "-q", "main")
    return clone


def opened(clone: Clone, path: Path, rev: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(clone.python("look.py", str(path), rev).out)
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


SPREAD = """

@gm.op
def spread(rate):
    return np.arange(500.0) * scale(rate)
"""
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
    assert len(later["said"]) == 1
    assert (project.records(), project.is_clean()) == (before, True)


def test_a_bare_and_a_shallow_clone_can_be_looked_at(
    project: Clone, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare, shallow = tmp_path / "bare.git", tmp_path / "shallow"
    project.git("clone", "-q", "--bare", str(project.root), str(bare))
    address = project.root.as_uri()
    project.git("clone", "-q", "--depth=1", "--no-single-branch", address, str(shallow))
    for place in (bare, shallow):
        shutil.copytree(project.root / ".git/gitmemo/blobs", git_dir(place) / "gitmemo/blobs")
    assert opened(project, bare, "v1")["losses"] == V1 + LATER[:1]  # what is pending stays there
    monkeypatch.chdir(bare)
    assert len(shell.rows("df", "train", "--rev", "v2")) == 2
    assert [row["changed"] for row in shell.rows("diff", "v1", "v2")[:1]] == [4]
    monkeypatch.chdir(shallow)
    assert [row["loss"] for row in shell.rows("df", "train", "--rev", "origin/side")] == [
        *V1,
        SUM * 14,
    ]
    assert "git fetch --unshallow" in shell.say("df", "train", "--rev", "main~1", code=2)


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
    assert (content["head"], content["calls"]) == (True, 8)
    assert len(at("log", "scale", rev="v2")) == 3
    [v1] = [one for one in at("blame", "train") if one["kind"] == "version"]
    assert v1["introduced"]["subject"] == "Begin"
    assert at("show", content["content"])[0]["kind"] == "content"
    tripled = next(one for one in at("log", "scale", rev="v2") if one.get("head"))
    assert "error" in shell.say("show", tripled["content"], "--rev", "v1", code=2)
    [status] = at("status")
    assert (status["rev"], status["calls"], status["committed_later"]) == ("v1", 13, 6)
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


def test_a_diff_of_revisions_says_what_changed_and_by_how_much(
    project: Clone, shell: Shell
) -> None:
    summary, *rows = shell.rows("diff", "v1", "v2")
    assert {k: summary[k] for k in ("added", "removed", "changed", "same")} == {
        "added": 0,
        "removed": 0,
        "changed": 4,
        "same": 3,  # evaluations of the new models return the same
    }
    assert summary["not_here"] == 0
    assert summary["old"]["commit"] == project.git("rev-parse", "v1")
    changed = [row for row in rows if row["kind"] == "changed"]
    assert [row["inputs"]["rate"] for row in changed] == [1, 2, 1, 2]
    array = changed[1]["outputs"]["output_0"]["difference"]
    assert (array["absolute"], array["old_shape"], array["new_shape"]) == (499 * 2, [500], [500])
    loss = changed[3]["outputs"]["loss"]
    assert (loss["old"], loss["new"]) == (SUM * 4, SUM * 6)
    assert (loss["difference"]["absolute"], loss["difference"]["relative"]) == (SUM * 2, 0.5)
    assert changed[3]["outputs"]["model"]["difference"] is None  # unpickling would run code
    versions = [row for row in rows if row["kind"] == "version"]
    assert [(row["op"], row["side"], row["changed"]) for row in versions] == [
        (f"pipeline:{op}", side, ["helper.py:scale"])
        for op in ("spread", "train")
        for side in ("old", "new")
    ]
    [decision] = [row for row in rows if row["kind"] == "decision"]
    assert decision["side"] == "new" and "helper.py:scale: breaking" in decision["says"][0]

    text = shell.say("diff", "v1", "v2", "--op", "train")
    assert "calls: 0 added, 0 removed, 2 with other results, 0 the same" in text
    assert "499000 -> 748500 (+249500, +50 %)" in text
    back, *_ = shell.rows("diff", "v2", "v1", "--op", "train")
    assert (back["changed"], back["added"]) == (2, 0)
    assert "shape (500,), at most by 998" in shell.say("diff", "v1", "v2")


def test_a_diff_is_limited_and_its_exit_code_tells_whether_anything_differs(shell: Shell) -> None:
    summary, *rows = shell.rows("diff", "v1", "side")
    assert [row["kind"] for row in rows] == ["added", "added", "added", "decision"]
    assert (summary["same"], summary["changed"]) == (7, 0)
    assert rows[2]["outputs"]["loss"] == SUM * 14
    assert "and 2 more" in shell.say("diff", "v1", "side", "--limit", "1")
    assert "more (--limit" not in shell.say("diff", "v1", "side", "--limit", "0")
    assert "7 the same" in shell.say("diff", "v2", "v2", "--exit-code")
    assert shell.rows("diff", "v2")[0]["new"]["rev"] is None  # the work tree, which is v2's
    assert main(["diff", "v1", "--exit-code"]) == 1
    shell.say("diff", "v1", "side")  # without the option a difference is no failure
    assert "diff REV REV" in shell.say("diff", "v1", "--rev", "v2", code=2)
    assert "nowhere" in shell.say("diff", "v1", "nowhere", code=2)
    assert "two ids" in shell.say("diff", "--code", "abcd", code=2)


def test_world_says_what_is_here_reusable_and_missing(
    project: Clone, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [here] = shell.rows("world")
    assert (here["calls"], here["ops"], here["rev"]) == (13, 4, None)
    assert here["pending"] == 0, (
        "`evaluate` of 9 is valid, but not its model: this code never makes it"
    )
    assert (here["branch"], here["segments"], here["reusable"]) == ("main", 3, 0)
    assert here["missing"]["blobs"] == 0
    [v1] = shell.rows("world", "--rev", "v1")
    assert (v1["calls"], v1["segments"], v1["reusable"], v1["versions"]) == (7, 1, 6, 4)
    assert "committed later with this code: 6 calls" in shell.say("world", "--rev", "v1")

    store, clone = tmp_path / "store", tmp_path / "clone"
    project.git("clone", "-q", str(project.root), str(clone))
    monkeypatch.chdir(clone)
    for place in (".gitmemo/config.toml",):
        settings = clone / place
        settings.write_text(settings.read_text("utf-8") + f'[remotes.s]\nurl = "{store}"\n')
    shutil.copytree(project.root / ".git/gitmemo/blobs", clone / ".git/gitmemo/blobs")
    shell.say("push")
    shutil.rmtree(clone / ".git/gitmemo/blobs")
    [asked], [seen] = shell.rows("world", "--remote"), shell.rows("world")
    assert asked["missing"] == seen["missing"]
    missing = asked["missing"]
    assert missing["blobs"] == missing["at_remote"] > 0 and missing["remote"] == "s"
    assert "(gitmemo pull)" in shell.say("world")
    said = shell.say("diff", "v1", "v2")
    assert (
        "8 values of other results are not on this machine, and only compared by id: "
        "gitmemo pull --rev v1 and gitmemo pull --rev v2"
    ) in said
    assert shell.rows("diff", "v1", "v2")[0]["not_here"] == 8
    alone = shell.rows("diff", "v1", "origin/side")[0]
    assert alone["added"] > 0 == alone["not_here"], "what is in one alone is not compared"
    shutil.rmtree(store)
    assert "is gone" in shell.say("world", "--remote", code=5), "not an empty remote"
    assert shell.rows("world")[0]["missing"] == missing


def test_what_is_checked_out_or_cached_does_not_matter(
    project: Clone, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = copy_of(project, tmp_path / "own")
    monkeypatch.chdir(own.root)
    expected = shell.rows("df", "train", "--rev", "v1")
    v2 = shell.rows("df", "train", "--rev", "v2")
    (own.root / ".git/gitmemo/index.db").unlink()  # what others committed is found again
    assert shell.rows("df", "train", "--rev", "v1") == expected
    (own.root / ".git/gitmemo/index.db").unlink()
    (own.root / ".git/gitmemo/index.db").mkdir()  # it cannot be written: it is kept in memory
    assert shell.rows("diff", "v1", "side")[0]["same"] == 7
    own.git("checkout", "-q", "--orphan", "empty")
    own.git("rm", "-rfq", ".")
    assert "not-initialised" in shell.say("df", "train", "--json", code=3)
    assert shell.rows("df", "train", "--rev", "v1") == expected
    assert shell.rows("diff", "v1", "v2")[0]["changed"] == 4
    shell.say("status", "--rev", "HEAD", code=2)  # a branch without commits

    own.git("checkout", "-q", "-f", "-b", "broken", "v2")
    damaged = own.root / ".gitmemo/index/1/2026-01" / f"{'a' * 64}.jsonl"
    damaged.parent.mkdir(exist_ok=True)
    damaged.write_text("[]\n", "utf-8")
    own.git("add", "-A")
    own.git("-c", "core.hooksPath=/dev/null", "commit", "-qm", "Damaged")
    own.git("checkout", "-q", "main")
    assert "corrupt-segment" in shell.say("df", "train", "--rev", "broken", "--json", code=4)
    assert shell.rows("df", "train", "--rev", "v2") == v2  # somebody's branch harms nobody else


def test_what_is_forgotten_is_not_shown_as_later(
    project: Clone, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = copy_of(project, tmp_path / "own")
    monkeypatch.chdir(own.root)
    own.git("checkout", "-q", "side")
    shell.say("forget", "train", "rate=9", "--yes")
    assert [row["loss"] for row in shell.rows("df", "train", "--rev", "v1")] == [*V1, SUM * 14]
    shell.say("forget", "train", "rate=1", "--yes")
    then = [row["loss"] for row in shell.rows("df", "train", "--rev", "v1", "--no-later")]
    assert then == V1  # v1 had not forgotten it
    summary, *_ = shell.rows("diff", "v1")
    assert (summary["removed"], summary["added"]) == (1, 5)  # of 7 three calls, of 9 two are left


def test_a_renamed_op_is_the_same_op_in_both_worlds(
    project: Clone, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = copy_of(project, tmp_path / "own")
    monkeypatch.chdir(own.root)
    own.change("train", "fit", "pipeline.py")
    shell.say("rename", "train", "fit")
    summary, *rows = shell.rows("diff", "v2", "--op", "fit")
    assert (summary["added"], summary["removed"], summary["changed"]) == (0, 0, 0)
    assert {row["kind"] for row in rows} <= {"decision", "version"}
    assert shell.rows("diff", "v1", "--op", "fit")[0]["changed"] == 2
    assert [row["loss"] for row in shell.rows("df", "train", "--rev", "v2")] == V2
    shell.say("df", "fit", "--rev", "v2", code=2)  # it had no such name then


def test_a_storage_of_now_asks_about_revisions(project: Clone) -> None:
    storage = gm.open(project.root)
    own = gm.open(project.root, rev="v1", later=False)
    then = storage.cf("train", rev="v1")
    assert then == gm.open(project.root, rev="v1").cf("train")
    assert then.df(values="hids").equals(
        gm.open(project.root, rev="v1").cf("train").df(values="hids")
    )
    assert list(storage.table("train", rev="v1")["rate"]) == list(
        gm.open(project.root, rev="v1").table("train")["rate"]
    )
    assert len(storage.get_table("train", rev="v2")) == len(
        gm.open(project.root, rev="v2").cf("train")
    )
    assert gm.open(project.root, rev="v2").cf("train", rev="v1") == then
    new, old = storage.cf("train", rev="v2"), own.cf("train")
    assert set((new | old).selected) == {*new.selected, *old.selected}
    assert ((new - old) | (new & old)).selected == new.selected
    assert len((new | old).expand_back().df()) > len(old.df())
    assert (new | then).later == (then | new).later == then.later
    with pytest.raises(UnknownRevision):
        storage.cf(rev="nowhere")
    with pytest.raises(WrongQuestion, match="in no repository"):
        gm.Storage().table(rev="v1")


def test_patterns_of_a_revision_mark_what_was_committed_later(project: Clone) -> None:
    storage = gm.open(project.root, rev="v1")
    frame = storage.cf("train").expand_back().df("rate", "loss", values="refs")
    asked = storage.similar(frame.iloc[0].loss, verbose=False, values="hids")
    later = storage.cf("train").expand_back().df("loss", values="hids")
    marks = dict(zip(asked.iloc[:, 0], asked.committed_later, strict=True))
    assert marks == dict(zip(later.loss, later.committed_later, strict=True))
    assert set(marks.values()) == {True, False}
    now = gm.open(project.root)
    same = now.similar(frame.iloc[0].loss, verbose=False, values="hids", rev="v1")
    assert same.equals(asked)
    own = gm.open(project.root, rev="v1", later=False)
    assert "committed_later" not in own.similar(frame.iloc[0].loss, verbose=False)
