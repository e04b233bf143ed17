"""`gitmemo blame`: the earliest commit that has a version, a content; renames, merges, cut history."""

from __future__ import annotations

from pathlib import Path

from driver import Clone
from versions.looker import Fields, Looker


def introduced(fields: Fields) -> str | None:
    """Return the subject of the commit that introduced something."""
    origin = fields["introduced"]
    return origin["subject"] if origin else None


def contents(found: list[Fields], component: str) -> dict[str, str | None]:
    """Return the contents of a component: id to subject."""
    return {one["id"]: introduced(one) for one in found if one.get("component") == component}


def test_contents_and_versions_have_the_commits_that_introduced_them(edited: Looker) -> None:
    found = edited.json("blame", "train")
    scales = contents(found, "helper.py:scale")
    assert set(scales.values()) == {"Begin", "Triple", "Add instead"}
    versions = [one for one in found if one["kind"] == "version"]
    assert {introduced(one) for one in versions} == {"Begin", "Triple", "Add instead"}
    commits = edited.commits()
    assert all(one["introduced"]["commit"] == commits[introduced(one) or ""] for one in found)
    assert {one["introduced"]["author"] for one in found} == {"Tester"}
    out = edited.clone.gitmemo("blame", "train").out
    assert f"{commits['Triple'][:9]}  " in out


def test_what_came_with_a_merge_is_from_the_branch(edited: Looker) -> None:
    found = edited.json("blame", "evaluate")
    assert set(contents(found, "pipeline.py:evaluate").values()) == {"Begin", "Subtract"}


def test_a_version_that_only_a_merge_has(own: Looker) -> None:
    """Two branches change two components; their contents meet in the merge."""
    clone = own.clone
    clone.git("checkout", "-q", "-b", "left")
    clone.change("value + value + value", "value * 5")
    clone.commit("Left", GITMEMO_ON_CHANGE="breaking")
    clone.git("checkout", "-q", "main")
    clone.change("sum(weights)", "sum(weights) + 1", "pipeline.py")
    clone.commit("Right", GITMEMO_ON_CHANGE="breaking")
    clone.git("merge", "-q", "-m", "Both", "left")
    clone.run("9")
    found = own.json("blame", "train")
    versions = [one for one in found if one["kind"] == "version"]
    assert [introduced(one) for one in versions][-1] == "Both"
    assert {"Left", "Right"} <= {introduced(one) for one in found}


def test_a_change_and_back_is_the_first_commit(own: Looker) -> None:
    clone = own.clone
    clone.change("value + value + value", "value * 2")
    clone.commit("Back to two")
    subjects = contents(own.json("blame", "train"), "helper.py:scale").values()
    assert "Back to two" not in subjects
    assert "Begin" in subjects


def test_what_ran_but_was_never_committed(own: Looker) -> None:
    own.clone.change("value + value + value", "value * 11")
    own.clone.run("1")
    scales = contents(own.json("blame", "train"), "helper.py:scale")
    assert list(scales.values()).count(None) == 1
    assert "not committed" in own.clone.gitmemo("blame", "train").out


def test_a_detached_head_counts_its_own_history(own: Looker) -> None:
    commits = own.commits()
    own.clone.git("checkout", "-q", commits["Add instead"])
    found = own.json("blame", "train")
    assert set(contents(found, "helper.py:scale").values()) >= {"Begin", "Triple"}
    own.clone.git("checkout", "-q", "main~3", code=None)
    assert own.json("versions")


def test_a_shallow_clone_says_that_history_is_cut(own: Looker, tmp_path: Path) -> None:
    target = tmp_path / "shallow"
    own.clone.git("clone", "-q", "--depth", "1", f"file://{own.clone.root}", str(target))
    shallow = Looker(Clone(target, own.clone.home))
    done = shallow.clone.gitmemo("blame", "train")
    assert "this clone is shallow" in done.err
    assert "or earlier" in done.out
    [edge] = {
        one["introduced"]["history_is_cut"]
        for one in shallow.json("blame", "train")
        if one["introduced"]
    }
    assert edge is True


def test_a_renamed_file_is_followed(own: Looker) -> None:
    clone = own.clone
    clone.git("mv", "helper.py", "tools.py")
    clone.change("from helper import", "from tools import", "pipeline.py")
    clone.commit("Rename helper", GITMEMO_ON_CHANGE="breaking")
    clone.run("1")
    [new] = [one for one in own.json("blame", "train") if one.get("component") == "tools.py:scale"]
    assert introduced(new) == "Rename helper"
    [before] = new["before"]
    assert (before["component"], introduced(before)) == ("helper.py:scale", "Add instead")
    assert "was helper.py:scale" in clone.gitmemo("blame", "train").out
    log = own.json("log", "tools.py:scale")
    assert log[-1]["moved"] == [f"helper.py:scale ({new['id'][:12]})"]
