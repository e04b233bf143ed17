"""Calls by who committed them: through .mailmap, after segments were joined, of revisions, pending."""

from __future__ import annotations

import json
from typing import Any

import pytest
from driver import Clone, identify, make_clone

import gitmemo as gm
from gitmemo.errors import UnknownAuthor, WrongQuestion
from gitmemo.world.segments import build_segment

PROGRAM = """\
import sys
import gitmemo as gm

@gm.op(output_names=["y"])
def double(x):
    return x * 2

@gm.op(output_names=["z"])
def more(y):
    return y + 1

if __name__ == "__main__":
    with gm.open():
        for text in sys.argv[1:]:
            more(double(int(text)))
"""


def add(clone: Clone, author: str, *numbers: str) -> None:
    clone.gitmemo("run", "exp.py", *numbers)
    clone.commit(f"Add {numbers}", "--allow-empty", f"--author={author}")


def join(clone: Clone) -> None:
    """Do what `gitmemo index compact` does with more segments than here."""
    segment = build_segment(sorted(set(clone.committed())))
    for path in (clone.root / ".gitmemo/index").rglob("*.jsonl"):
        path.unlink()
    clone.write(segment.path("2026-01"), segment.data.decode())


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Ada commits 1 and 2, Bob 3 under an old name, then somebody joins the segments; 4 is pending."""
    folder = tmp_path_factory.mktemp("authors")
    clone = make_clone(folder / "project", folder / "home")
    clone.gitmemo("init")
    clone.write("exp.py", PROGRAM)
    clone.write(".mailmap", "Bob Builder <bob@new> <bob@old>\n")
    clone.commit("Begin")
    add(clone, "Ada Lovelace <ada@one>", "1", "2")
    clone.git("tag", "v1")
    add(clone, "b <bob@old>", "3", "5")
    join(clone)
    clone.commit("Join", "--author=Joiner <j@one>")
    clone.gitmemo("run", "exp.py", "4")
    return clone


def found(clone: Clone, user: str, **opened: Any) -> list[object]:
    frame = gm.open(clone.root, **opened).cf("more").where(user=user)
    return frame.expand_back().df("x")["x"].tolist() if len(frame) else []


def test_calls_are_of_who_committed_them_first(project: Clone) -> None:
    assert found(project, "ADA@") == [1, 2]
    assert found(project, "bob builder") == [3, 5]
    assert found(project, "tester") == [4], "pending calls are of who commits here"
    assert found(project, "") == [1, 2, 3, 5, 4]
    assert found(project, "@one") == [1, 2], "who joined segments brought nothing"


def test_the_commands(project: Clone) -> None:
    assert [row["x"] for row in project.rows("more", "--back", "--user", "Ada")] == [1, 2]
    calls = project.gitmemo("calls", "double", "--user", "bob@new", "--json").out
    assert [json.loads(line)["inputs"]["x"] for line in calls.splitlines()] == [5, 3]
    said = project.gitmemo("df", "more", "--user", "carol", code=2).err
    assert "Ada Lovelace <ada@one>, Bob Builder <bob@new>" in said


def test_a_fresh_clone_says_the_same(project: Clone) -> None:
    fresh = clone_of(project, "fresh")
    assert found(fresh, "ada") == [1, 2]
    assert found(fresh, "bob") == [3, 5]
    assert found(fresh, "tester") == []


def test_looking_at_segments_that_are_gone_lets_nothing_be_reused(project: Clone) -> None:
    fresh = clone_of(project, "anew")
    fresh.git("rm", "-q", "-r", ".gitmemo/index")
    fresh.git("commit", "-q", "--no-verify", "-m", "Begin anew")
    with pytest.raises(UnknownAuthor, match="the authors are Tester"):
        gm.open(fresh.root).cf().where(user="ada")
    assert fresh.gitmemo("run", "exp.py", "1").counted == (0, 2)


def clone_of(project: Clone, name: str) -> Clone:
    root = project.root.parent / name
    project.git("clone", "-q", str(project.root), str(root))
    fresh = Clone(root, project.home)
    identify(fresh)
    return fresh


def test_of_a_revision(project: Clone) -> None:
    assert found(project, "ada", rev="v1") == [1, 2]
    assert found(project, "bob", rev="v1") == [3, 5], "committed later"
    assert found(project, "tester", rev="v1") == [4], "pending"
    with pytest.raises(UnknownAuthor):
        found(project, "nobody", rev="v1")
    assert found(project, "bob", rev="v1", later=False) == []


def test_together_with_other_conditions(project: Clone) -> None:
    whole = gm.open(project.root).cf("more").expand_back()
    assert whole.where(user="bob").df()["x"].tolist() == [3, 5]
    assert whole.where(user="ada", since="2999-01-01").df().empty


def test_a_merge_that_brings_calls_is_its_authors(project: Clone) -> None:
    clone = clone_of(project, "merged")
    clone.gitmemo("init")
    clone.git("checkout", "-q", "-b", "side")
    add(clone, "Side <s@one>", "11")
    clone.git("checkout", "-q", "main")
    add(clone, "Main <m@one>", "12")
    clone.git("merge", "-q", "--no-commit", "side")
    clone.gitmemo("run", "exp.py", "13")
    clone.commit("Merge", "--author=Merger <merger@one>")
    assert found(clone, "side") == [11]
    assert found(clone, "m@one") == [12]
    assert found(clone, "merger") == [13]


def test_outside_of_repositories() -> None:
    with pytest.raises(WrongQuestion, match="in no repository"):
        gm.Storage().cf().where(user="ada")
