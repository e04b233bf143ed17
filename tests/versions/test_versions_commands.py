"""`gitmemo versions`, `log`, `show`, `diff`: what ran, what was decided, what an id names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from driver import GITMEMO, at_terminal, make_clone, make_project
from versions.looker import Looker


def test_versions_that_mean_the_same_have_one_semantic_id(edited: Looker) -> None:
    found = edited.json("versions", "train")
    assert [version["calls"] for version in found] == [2, 2, 1]
    doubled, tripled, added = found
    assert doubled["semantic_id"] != tripled["semantic_id"] == added["semantic_id"]
    assert len({version["content_id"] for version in found}) == 3
    assert [version["valid"] for version in found] == [False, True, True]
    assert doubled["changed"] == ["helper.py:scale"]
    assert doubled["first"] <= doubled["last"] < tripled["first"]


def test_each_content_version_shows_its_own_code(edited: Looker) -> None:
    found = edited.json("versions", "train", "--verbose")
    texts = [
        next(c["text"] for c in version["components"] if c["component"] == "helper.py:scale")
        for version in found
    ]
    bodies = [text.splitlines()[-1].strip() for text in texts]
    assert bodies == ["return value * 2", "return value * 3", "return value + value + value"]
    shown = edited.clone.gitmemo("versions", "train", "-v").out
    assert shown.count("### content_version_id=") == 3
    assert all(body in shown for body in bodies)
    assert '### IN MODULE "helper"' in shown
    # A method stands in its class.
    assert "class Model:" in shown
    assert "\n    def __init__(self, weights):\n" in shown


def test_without_an_op_every_op_is_counted(edited: Looker) -> None:
    found = {one["op"]: one for one in edited.json("versions")}
    assert found["pipeline:train"]["versions"] == 3
    assert found["pipeline:train"]["semantic_versions"] == 2
    assert found["pipeline:train"]["valid"] == 2
    assert found["pipeline:load"]["versions"] == 1
    assert found["pipeline:evaluate"]["versions"] == 2
    table = edited.clone.gitmemo("versions").out
    assert re.search(r"^pipeline:train +3 +2 +2 +5 ", table, re.MULTILINE)


def test_the_history_of_an_op_shows_decisions_and_what_the_files_hold(edited: Looker) -> None:
    found = [one for one in edited.json("log", "train") if one["component"] == "helper.py:scale"]
    assert [one["decision"] for one in found] == ["non-breaking", None, "breaking", None, None]
    heads = [one["content"] for one in found if one.get("head")]
    assert heads == [found[1]["content"]]
    assert found[1]["parents"] == [found[3]["content"]]
    assert found[0]["standing"] == "in force"
    out = edited.clone.gitmemo("log", "train", "-p").out
    assert "  -    return value * 3\n  +    return value + value + value\n" in out
    assert "helper.py:scale 1 call  now" in out


def test_the_history_of_one_component(edited: Looker) -> None:
    assert edited.json("log", "scale") == edited.json("log", "helper.py:scale")
    assert {one["component"] for one in edited.json("log", "evaluate")} >= {"pipeline.py:evaluate"}
    done = edited.clone.gitmemo("log", "scael", code=2)
    assert "did you mean 'helper.py:scale'?" in done.err


def test_show_says_what_an_id_is(edited: Looker) -> None:
    version = edited.json("versions", "train")[0]["content_id"]
    out = edited.clone.gitmemo("show", version[:12]).out
    assert out.startswith(f"version {version}\n")
    assert "return value * 2" in out
    decision, content, *_ = edited.json("log", "scale")
    assert edited.clone.gitmemo("show", content["content"][:10]).out.startswith("content ")
    shown = edited.clone.gitmemo("show", decision["id"]).out
    assert "helper.py:scale: non-breaking" in shown
    row = edited.clone.rows("train")[0]
    [ref] = edited.json("show", row["model"]["hid"][:10])
    assert (ref["kind"], ref["cid"]) == ("ref", row["model"]["cid"])
    [call] = edited.json("show", ref["call"][:10])
    assert (call["kind"], call["op"]) == ("call", "pipeline:train")
    assert call["outputs"]["model"]["hid"] == row["model"]["hid"]
    assert "returned loss = " in edited.clone.gitmemo("show", ref["call"]).out


def test_a_semantic_id_that_several_versions_share_lists_them(edited: Looker) -> None:
    doubled, tripled, added = edited.json("versions", "train")
    [shown] = edited.json("show", doubled["semantic_id"])
    assert shown["id"] == doubled["content_id"]
    both = {tripled["content_id"], added["content_id"]}
    [shared] = edited.json("show", tripled["semantic_id"])
    assert (shared["kind"], set(shared["versions"])) == ("semantic version", both)
    out = edited.clone.gitmemo("show", tripled["semantic_id"][:12]).out
    assert all(ident in out for ident in both)
    semantic = tripled["semantic_id"]
    err = edited.clone.gitmemo("diff", "--code", semantic, semantic, code=2).err
    assert "give one of these" in err


def test_a_name_is_no_id_but_leads_on(edited: Looker) -> None:
    assert "gitmemo log NAME" in edited.clone.gitmemo("show", "scale", code=2).err
    for command in ("blame", "deps"):
        err = edited.clone.gitmemo(command, "scale", code=2).err
        assert "helper.py:scale has no stored calls of its own" in err
        assert "gitmemo log scale" in err
    undo = edited.clone.gitmemo("rename", "--undo", "foo", "bar", code=2).err
    assert "cannot take back that foo is bar now" in undo


@pytest.mark.parametrize("ident", ["nothing", "abc", "0" * 65, ""])
def test_what_is_no_id_is_refused(edited: Looker, ident: str) -> None:
    assert "is not an id" in edited.clone.gitmemo("show", ident, code=2).err


def test_an_unknown_id(edited: Looker) -> None:
    done = edited.clone.gitmemo("show", "0" * 40, "--json", code=2)
    assert '"kind": "unknown-id"' in done.err


def test_differences_of_contents_and_of_versions(edited: Looker) -> None:
    doubled, tripled, _ = (v["content_id"] for v in edited.json("versions", "train"))
    out = edited.clone.gitmemo("diff", "--code", doubled[:12], tripled[:12]).out
    assert "-    return value * 2\n+    return value * 3\n" in out
    assert "pipeline.py:train" not in out
    *_, new, _, old = (one["content"] for one in edited.json("log", "scale"))
    narrow = edited.clone.gitmemo("diff", "--code", old, new, "-U", "0").out
    assert "-    return value * 2\n+    return value * 3\n" in narrow
    assert " def scale" not in narrow
    assert "they are the same" in edited.clone.gitmemo("diff", "--code", old, old).err
    assert edited.clone.gitmemo("diff", old, new, code=2).err.count("--code")


def test_colour_is_for_terminals(edited: Looker) -> None:
    assert "\x1b[" not in edited.clone.gitmemo("versions", "train").text
    with at_terminal(edited.clone, *GITMEMO, "versions", "train") as terminal:
        terminal.expect("\x1b[32mvalid")
        assert terminal.finish() == 0


def test_nothing_to_look_at(tmp_path: Path) -> None:
    clone = make_project(tmp_path / "p", tmp_path / "home")
    assert "no versioned call" in clone.gitmemo("versions").err
    for command in ("versions", "log", "blame", "deps"):
        assert "no " in clone.gitmemo(command, "train", code=2).err
    empty = make_clone(tmp_path / "empty", tmp_path / "home")
    empty.gitmemo("init")
    assert "no versioned call" in empty.gitmemo("versions").err
    assert "begins with" in empty.gitmemo("show", "abcd", code=2).err


def test_versions_of_calls_before_the_first_commit(tmp_path: Path) -> None:
    clone = make_clone(tmp_path / "p", tmp_path / "home")
    clone.gitmemo("init")
    clone.write("one.py", "import gitmemo as gm\n\n\n@gm.op\ndef f(x):\n    return x\n\n\nf(1)\n")
    clone.gitmemo("run", "one.py")
    looker = Looker(clone)
    assert [version["calls"] for version in looker.json("versions", "f")] == [1]
    version, content = looker.json("blame", "f")
    assert version["introduced"] is content["introduced"] is None


def test_files_and_variables_are_shown_as_what_they_are(own: Looker) -> None:
    """A file's name has a dot, as a method's has; and no commit of code introduces a variable."""
    own.clone.write("limits.v1.txt", "3\n")
    own.clone.write(
        "named.py",
        "import gitmemo as gm\n\n\n@gm.op(files=['limits.v1.txt'], env=['LIMIT'])\n"
        "def f(x):\n    return x\n\n\nf(1)\n",
    )
    own.clone.commit("Name a file")
    own.clone.gitmemo("run", "named.py")
    out = own.clone.gitmemo("versions", "f", "-v").out
    assert "### FILES\n" in out
    assert "\nlimits.v1.txt " in out
    assert "class limits" not in out
    version, *contents = own.json("blame", "f")
    assert version["introduced"]["subject"] == "Name a file"
    assert {c["component"] for c in contents} == {"named.py:f"}


def test_a_renamed_op_has_the_versions_that_it_had_under_its_old_name(own: Looker) -> None:
    clone = own.clone
    before = len(own.json("versions", "train"))
    for name in ("pipeline.py",):
        text = (clone.root / name).read_text("utf-8")
        clone.write(name, text.replace("train(", "fit("))
    clone.commit("Rename train", GITMEMO_ON_CHANGE="breaking")
    assert clone.run("1") == (3, 0)
    for asked in ("fit", "train"):
        assert len(own.json("versions", asked)) == before
        assert own.json("blame", asked)
        assert own.json("deps", asked)
        assert own.json("log", asked)
    assert "pipeline:train" not in [one["op"] for one in own.json("versions")]
