"""Makes `format1.bundle` and `format1.json`: a repository with every kind of fact of format 1.

Not a test; `test_golden_repository.py` opens what this once made. Format 1 is frozen: run
this again only to add what the old repository lacks, under another name, and keep the old one.

    python tests/golden/make_format1.py FOLDER
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from driver import Clone, make_clone

from gitmemo.hashing import content_id, to_hex
from gitmemo.model.facts import Call
from gitmemo.model.lines import from_line, record_id

HELPER = """\
RATE = 3


def scale(value):
    return value * RATE


def shift(value):
    return value + 1


def unseen(value):
    return value
"""
PIPELINE = """\
import gitmemo as gm
from helper import scale, shift


@gm.op
def load(size):
    return list(range(size))


@gm.op
def ones(size):
    return [0, 1, 2][:size]


@gm.op(output_names=["low", "high"], ignore_args=("verbose",))
def ends(data, verbose=0):
    return scale(data[0]), scale(data[-1])


@gm.op
def ratio(a, b):
    return complex(a, b) + shift(0)


@gm.op
def total(numbers: list, name="größe"):
    return {name: sum(numbers)}


@gm.op
def outer(size):
    return gm_sum(size) + 1


@gm.op
def gm_sum(size):
    return sum(range(size))


@gm.op
def wide(size):
    return bytes(size)


@gm.op
def old_name(x):
    return x / 7


def main():
    with gm.open() as storage:
        for data in (load(3), ones(3)):
            low, high = ends(data, verbose=1)
            print(storage.unwrap(high))
        ratio(low, high)
        print(storage.unwrap(total([low, high, 5])))
        print(storage.unwrap(outer(10)))
        wide(1000)
        for x in (1, 2, 3):
            print(storage.unwrap(old_name(x)))


if __name__ == "__main__":
    main()
"""


def make(folder: Path) -> Clone:
    """Make the repository with real commands, as somebody would who works in it."""
    clone = make_clone(folder / "golden", folder)
    clone.variables = {
        "GIT_AUTHOR_DATE": "2026-01-05T10:00:00Z",
        "GIT_COMMITTER_DATE": "2026-01-05T10:00:00Z",
    }
    clone.write("helper.py", HELPER)
    clone.write("pipeline.py", PIPELINE)
    clone.write(".gitignore", "__pycache__/\n")
    clone.gitmemo("init")
    clone.commit("Begin")
    clone.gitmemo("run", "pipeline.py")
    clone.gitmemo("commit", "-m", "First results")

    clone.change("value * RATE", "RATE * value")
    clone.commit("Other order", GITMEMO_ON_CHANGE="non-breaking")
    clone.change("value + 1", "value + 2")
    clone.commit("Shift further", GITMEMO_ON_CHANGE="breaking")
    clone.change("def scale(", "def grow(")
    clone.change("import scale,", "import grow,", "pipeline.py")
    text = (clone.root / "pipeline.py").read_text("utf-8")
    clone.write("pipeline.py", text.replace("scale(data", "grow(data"))
    clone.commit("Rename a function")
    clone.change("def old_name(", "def new_name(", "pipeline.py")
    clone.change("unwrap(old_name(", "unwrap(new_name(", "pipeline.py")
    clone.commit("Rename an op")
    clone.gitmemo("deps", "add", "wide", "helper.py:unseen", "-m", "for the record")
    clone.gitmemo("deps", "add", "outer", "helper.py:unseen", "-m", "a mistake")
    clone.gitmemo("deps", "remove", "outer", "helper.py:unseen", "-m", "it was one")
    clone.gitmemo("forget", "new_name", "x=3", "--yes", "-m", "wrong")
    clone.gitmemo("forget", "gm_sum", "--all", "--yes", "-m", "by mistake")
    listed = clone.gitmemo("forget", "--json").out.splitlines()
    ident = next(one["id"] for one in map(json.loads, listed) if "gm_sum" in str(one))
    clone.gitmemo("forget", "--undo", ident, "-m", "it was right")
    clone.gitmemo("commit", "-m", "What people said")
    return clone


def described(lines: list[str]) -> dict[str, object]:
    """Return every record id, and the ids of calls that only follow from their lines."""
    calls = {}
    for line in lines:
        fact = from_line(line, content_id)
        if isinstance(fact, Call):
            calls[to_hex(record_id(line))] = {
                "op": fact.op,
                "key": to_hex(fact.key),
                "hid": to_hex(fact.hid),
                "inputs": {s.name: [to_hex(s.cid), to_hex(s.hid)] for s in fact.inputs},
                "outputs": {s.name: [to_hex(s.cid), to_hex(s.hid)] for s in fact.outputs},
            }
    return {"records": sorted(to_hex(record_id(line)) for line in lines), "calls": calls}


def main(target: Path) -> None:
    """Write both files into `target`."""
    with tempfile.TemporaryDirectory() as name:
        clone = make(Path(name))
        lines = sorted(set(clone.committed()))
        refs = ("main", "refs/gitmemo/versions")
        clone.git("bundle", "create", "-q", str(target / "format1.bundle"), *refs)
    text = json.dumps(described(lines), indent=1, sort_keys=True) + "\n"
    (target / "format1.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
