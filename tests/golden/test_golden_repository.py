"""A repository of format 1 opens for ever: every fact is read, with the ids that it had."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from driver import Clone, identify

from gitmemo.hashing import content_id, to_hex
from gitmemo.model.facts import Call
from gitmemo.model.lines import from_canonical_line, kind_of, record_id, to_line

HERE = Path(__file__).parent
KINDS = {
    *("call", "value", "version", "source", "tombstone", "undo"),
    *(
        "decision",
        "move",
        "dependency",
        "rename",
        "withdrawal",
    ),  # tags came later: model/test_tags.py
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A fresh clone: no journal, no derived index, no values, no function histories."""
    folder = tmp_path_factory.mktemp("golden")
    clone = Clone(folder / "clone", folder)
    clone.process(
        "git", "clone", "-q", "-b", "main", str(HERE / "format1.bundle"), "clone", cwd=folder
    )
    identify(clone)
    return clone


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / "format1.json").read_text("utf-8"))
    return found


def test_every_line_is_the_fact_that_it_was(clone: Clone, expected: dict[str, Any]) -> None:
    lines = sorted(set(clone.committed()))
    assert {kind_of(line) for line in lines} == KINDS
    for notation in ('"same":', '"ignored":', '{"p":', '{"list":', '"größe"'):
        assert any(notation in line for line in lines), notation
    facts = {to_hex(record_id(line)): from_canonical_line(line, content_id) for line in lines}
    assert sorted(facts) == expected["records"]
    calls = dict(expected["calls"])
    for record, fact in facts.items():
        assert to_hex(record_id(to_line(fact))) == record
        if isinstance(fact, Call):
            assert described(fact) == calls.pop(record)
    assert not calls


def described(call: Call) -> dict[str, object]:
    return {
        "op": call.op,
        "key": to_hex(call.key),
        "hid": to_hex(call.hid),
        "inputs": {s.name: [to_hex(s.cid), to_hex(s.hid)] for s in call.inputs},
        "outputs": {s.name: [to_hex(s.cid), to_hex(s.hid)] for s in call.outputs},
    }


def test_it_is_used_as_if_made_today(clone: Clone) -> None:
    assert "can be read" in clone.gitmemo("verify").err
    # What is computed was decided to be broken, or forgotten; results need no stored bytes.
    assert clone.run() == (9, 2)
    assert clone.is_clean()
    assert {row["new_name"] for row in clone.rows("new_name")} == {1 / 7, 2 / 7, 3 / 7}

    code = clone.gitmemo("log", "ends").out
    assert "non-breaking" in code and "helper.py:scale is helper.py:grow" in code
    assert " breaking since " in clone.gitmemo("log", "helper.py:shift").out
    assert "op pipeline:old_name is pipeline:new_name" in clone.gitmemo("rename").out
    assert "unseen  valid  in 0 calls  added by hand" in clone.gitmemo("deps", "wide").out
    assert "unseen" not in clone.gitmemo("deps", "outer").out
    (forgotten,) = clone.gitmemo("forget", "--json").out.splitlines()
    assert "wrong" in forgotten

    clone.git("fetch", "-q", "origin", "refs/gitmemo/versions:refs/gitmemo/versions")
    assert "+    return RATE * value" in clone.gitmemo("log", "helper.py:grow", "-p").out


def test_the_documents_suffice_to_read_it(clone: Clone, expected: dict[str, Any]) -> None:
    """A reader that imports nothing of gitmemo finds every id, the derived ones too."""
    folder = Path(find_spec("blake3").origin).parents[1]  # type: ignore[union-attr, arg-type]
    lines = "".join(f"{line}\n" for line in sorted(set(clone.committed())))
    done = subprocess.run(
        [sys.executable, "-I", "-S", HERE / "reader.py", folder],
        input=lines.encode(),
        capture_output=True,
        check=False,
    )
    assert not done.stderr, done.stderr.decode()
    assert json.loads(done.stdout) == expected


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_documented_commands_read_it_with_jq_alone(clone: Clone) -> None:
    document = HERE.parents[1] / "docs/format.md"
    if not document.is_file():
        pytest.skip("the documents are not beside the tests")
    chapter = document.read_text("utf-8").partition("## Reading an index with jq")[2]
    commands = re.findall(r"```console\n\$ (.*?)\n```", chapter.partition("\n## ")[0], re.DOTALL)
    evaluated, kinds, touched, stored, said = (
        clone.process("sh", "-c", command).out.splitlines() for command in commands
    )
    assert evaluated == [], "there is no such op here"
    counted = {kind: int(n) for n, kind in map(str.split, kinds)}
    assert counted.keys() == KINDS
    assert counted["call"] == 12
    calls = list(map(json.loads, touched))
    assert ["pipeline:ends", ["helper.py:$RATE", "helper.py:scale", "pipeline.py:ends"]] in calls
    (wide,) = map(json.loads, stored)
    assert wide[:2] == ["pipeline:wide", "output_0"] and wide[2]["size"] >= 1000
    decisions = list(map(json.loads, said))
    assert {"component": "helper.py:shift", "verdict": "breaking", "why": ""} in decisions
