"""What `gitmemo report` writes, read without a browser."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from contextlib import closing
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report.conftest import CALLS, HOSTILE, Project, Report
from report.pages import cells_of, data_of, ids_of, table_of

import gitmemo as gm
from gitmemo.cli import main
from gitmemo.report.page import json_in_html


class Elements(HTMLParser):
    """Collects the elements of a page, and the texts of scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: dict[str, list[str]] = {"script": [], "style": []}
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs
        is_data = ("type", "application/json") in attrs
        self._inside = tag if tag in self.texts and not is_data else ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[self._inside].append(data)


def elements_of(path: Path) -> Elements:
    found = Elements()
    found.feed(path.read_text("utf-8"))
    return found


def test_a_page_has_a_table_for_each_op_and_all_that_led_there(report: Report) -> None:
    data = data_of(report())
    assert [len(cells_of(t, t["columns"][0]["name"])) for t in data["tables"]] == [2, 18, 18]
    assert data["calls"] == CALLS and data["dirty"] is True and data["open"] == "gm.open()"
    table = data["tables"][data["first"]]
    roles = {one["name"]: (one["role"], one["own"]) for one in table["columns"]}
    assert roles["size"] == ("input", False) and roles["big"] == ("input", True)
    assert roles["model"] == ("between", True) and roles["score"] == ("between", False)
    assert roles["<b>loss</b>"] == ("result", True)
    assert roles["began"] == roles["commit"] == ("call", True)
    constant = {one["name"] for one in table["columns"] if one["constant"]}
    assert {"big", "seen", "pending"} <= constant and "rate" not in constant
    assert {str(cell) for cell in cells_of(table, "rate")} == {"0.1", "0.25", "{'n': '1.0'}"}
    assert set(cells_of(table, "kind")) == {"tree", "=1+1", HOSTILE}


def test_what_is_left_out_is_said_and_can_be_asked_for(report: Report) -> None:
    assert any("18 calls of older code" in note for note in data_of(report())["notes"])
    data = data_of(report("--all"))
    assert data["notes"] == [] and data["calls"] == CALLS + 36
    states = cells_of(table_of(data, "train"), "state")
    assert states == ["older code"] * 18 + ["current"] * 18
    assert "partly stale" in report("--all").read_text("utf-8")


def test_a_row_names_the_code_behind_it(report: Report) -> None:
    data = data_of(report("--all"))
    table = data["tables"][data["first"]]
    codes = [table["codes"][place] for place in table["code_at"]]
    versions = [[data["versions"][number]["op"] for number in code] for code in codes]
    assert {len(ops) for ops in versions} == {3}
    first, last = codes[0], codes[-1]
    texts = [
        {
            data["contents"][place]["text"]
            for number in code
            for place in data["versions"][number]["contents"]
        }
        for code in (first, last)
    ]
    assert {"SCALE = 2\n", "SCALE = 3\n"} == texts[0] ^ texts[1]


def test_the_newest_rows_are_kept_and_the_cut_is_said(report: Report) -> None:
    data = data_of(report("train", "--limit", "5"))
    table = table_of(data, "train")
    assert (table["rows"], table["total"]) == (5, 18)
    whole = table_of(data_of(report("train")), "train")
    assert cells_of(table, "call") == cells_of(whole, "call")[-5:]
    assert any("train: the newest 5 of 18 rows" in note for note in data["notes"])


def test_ops_and_conditions_choose(report: Report) -> None:
    data = data_of(report("train", "--where", "rate > 0.2 and size == 2"))
    assert [table["name"] for table in data["tables"]] == ["load", "train"]
    table = table_of(data, "train")
    assert set(map(str, cells_of(table, "rate"))) == {"0.25", "{'n': '1.0'}"}
    assert set(cells_of(table, "size")) == {2}
    assert data["notes"][0].startswith("only what meets rate > 0.2")
    assert data["tables"][data["first"]]["name"] == "train"


def test_what_changed_since_a_revision(report: Report) -> None:
    changes = data_of(report("--since", "HEAD"))["changes"]
    counts = {kind: changes[kind]["count"] for kind in ("changed", "added", "removed")}
    assert counts == {"changed": 18, "added": 0, "removed": 0}
    assert changes["same"] == 2 + 18, "what is made of the other models is the same"
    row = changes["changed"]["rows"][0]
    name, old, new = next(output for output in row["outputs"] if output[0] == "score")
    assert row["op"] == "program:train" and name == "score"
    value = [float(str(cell.get("v", cell.get("n")))) for cell in (old, new)]
    assert value[1] == pytest.approx(value[0] * 1.5)
    said = [(one["op"], one["new"], one["changed"]) for one in changes["versions"]]
    assert ("program:train", False, ["program.py:$SCALE"]) in said


def test_a_revision_is_shown_without_a_checkout(report: Report) -> None:
    data = data_of(report("train", "--rev", "HEAD"))
    assert data["open"] == f"gm.open(rev={data['commit']!r})" and data["dirty"] is None
    assert re.fullmatch("[0-9a-f]{40}", data["commit"])  # `HEAD` would soon be another one
    scores = [
        float(str(c if not isinstance(c, dict) else c["n"]))
        for c in cells_of(table_of(data, "train"), "score")
    ]
    assert scores[2] == 2 * 4


def test_the_ids_in_a_page_load_the_values(report: Report, project: Project) -> None:
    data = data_of(report())
    storage = gm.open(project.root)
    train = table_of(data, "train")
    assert storage.load_ref(ids_of(train, "score")[0]).unwrap() == cells_of(train, "score")[0]
    assert storage.load_ref(ids_of(train, "model")[0]).unwrap()["weights"] == list(range(500))
    last = data["tables"][data["first"]]
    result, name = cells_of(last, "big")[0]["i"]
    call = storage.get_ref_creator(storage.load_ref(result, in_memory=False))
    assert call is not None
    assert call.inputs[name].unwrap() == list(range(1000, 3000))
    storage.close()


def test_the_argument_of_a_value_has_the_name_that_loads_it(
    small: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small.root)
    small.edit("xs", "ys")
    assert main(["rename", "--argument", "total", "xs", "ys"]) == 0
    path = tmp_path / "page.html"
    assert main(["report", "-o", str(path)]) == 0
    cells = cells_of(table_of(data_of(path), "total"), "ys")
    result, name = cells[0]["i"]
    with closing(gm.open(small.root)) as storage:
        call = storage.get_ref_creator(storage.load_ref(result, in_memory=False))
        assert call is not None and call.inputs[name].unwrap() == list(range(3000))


def test_nothing_of_a_result_becomes_markup(report: Report) -> None:
    path = report("--all", "--since", "HEAD")
    found = elements_of(path)
    assert "img" not in found.names and "b" not in found.names
    assert found.names.count("script") == 2
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    text = path.read_text("utf-8")
    assert "\u2028" not in text and "onerror=alert" in text


def test_the_policy_allows_this_script_and_these_styles_alone(report: Report) -> None:
    path = report()
    found = elements_of(path)
    contents = [value or "" for name, value in found.attributes if name == "content"]
    policy = next(value for value in contents if value.startswith("default-src"))
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'" and "unsafe" not in policy and "http" not in policy
    text = path.read_text("utf-8")
    for kind, rule in (("script", "script-src"), ("style", "style-src")):
        bodies = re.findall(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        hashes = {
            f"'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'"
            for body in bodies
        }
        assert hashes == set(rules[rule].split()), kind
    assert unescape(policy) == policy
    addresses = [value for name, value in found.attributes if name in ("src", "href")]
    assert all(value and value.startswith(("#", "data:")) for value in addresses)


def test_json_in_html_has_nothing_that_ends_it() -> None:
    text = json_in_html({"</script>": "\u2028\u2029<!--&\ud800"})
    assert not set("<>&\u2028\u2029\ud800") & set(text)


def test_a_page_of_nothing(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo)
    assert main(["init"]) == 0
    assert main(["report"]) == 0
    data = data_of(repo / "results.html")
    assert data["tables"] == [] and data["calls"] == 0 and data["commit"] is None


def test_what_cannot_be_read_is_said_on_the_page(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "copy"
    shutil.copytree(project.root, root)
    for derived in (root / ".git/gitmemo").glob("index.db*"):
        derived.unlink()
    segment = next(path for path in (root / ".gitmemo/index").rglob("*") if path.is_file())
    segment.write_bytes(segment.read_bytes()[:-20])
    monkeypatch.chdir(root)
    assert main(["report"]) == 4
    notes = data_of(root / "results.html")["notes"]
    assert any(note.startswith("left out") and segment.name in note for note in notes)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "nowhere/page.html"], "there is no folder nowhere"),
        (["-o", "."], "it is a folder"),
        (["nothing"], "nothing"),
        (["--since", "nowhere"], "nowhere"),
        (["--where", "rate >"], "is no condition"),
        (["--limit", "0"], "--limit"),
    ],
)
def test_what_cannot_be_written_is_said(
    arguments: list[str],
    said: str,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project.root)
    assert main(["report", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (project.root / "results.html").exists()
