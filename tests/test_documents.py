"""What the documents say about commands is true."""

from __future__ import annotations

import json
import posixpath
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from gitmemo import errors
from gitmemo.cli.commands import cli

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(
    not (ROOT / "README.md").is_file(), reason="the documents are not beside the tests"
)


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_the_readme_has_both_commands_word_for_word() -> None:
    readme = text("README.md")
    for extra, action in (("examples", "gitmemo demo"), ("dev", "pytest")):
        line = (
            f"python3 -m venv .venv && .venv/bin/pip install -e '.[{extra}]' && .venv/bin/{action}"
        )
        assert f"\n{line}\n" in readme
    assert len(readme.splitlines()) <= 150


def test_every_command_is_documented() -> None:
    reference = text("docs/reference.md")
    for name in cli.list_commands(None):  # type: ignore[arg-type]
        assert f"| `{name}" in reference, name


def test_every_exit_code_is_documented() -> None:
    table = text("docs/reference.md").partition("## Exit codes")[2]
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    used = {getattr(errors, name).exit_code for name in errors.__all__}
    assert used <= documented


DOCUMENTS = [
    *("README.md", "CHANGELOG.md"),
    *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("examples/*/README.md")),
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
]


def prose(document: str) -> str:
    """Return a document without its code."""
    return re.sub(r"^( *)```.*?^\1```$|`[^`\n]+`", "code", text(document), flags=re.M | re.S)


@cache
def anchors(document: str) -> set[str]:
    """Return the places in a document that links can name, as hosting sites make them of headings."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text(document), flags=re.M | re.S), re.M
    )
    words = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", word).strip().replace(" ", "-") for word in words}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    for link, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", prose(document)):
        if "://" in link:
            assert link.startswith("https://"), link
            continue
        target = (
            posixpath.normpath(posixpath.join(posixpath.dirname(document), link))
            if link
            else document
        )
        assert (ROOT / target).exists(), link
        if anchor:
            assert anchor in anchors(target), f"{link}#{anchor}"


def test_no_document_speaks_of_the_place_where_it_was_written() -> None:
    done = subprocess.run(
        ["git", "grep", "-nIE", r"/(root|work)/[a-z]"], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode > 1:
        pytest.skip("not a git checkout")
    assert done.stdout == ""


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_jq_reads_a_call(tmp_path: Path) -> None:
    line = json.dumps(
        ["call", "pipeline:evaluate", 0, None, [["k", {"v": 1}]], [["a", {"v": 0.5}]], [], {}]
    )
    query = re.search(r"jq -c '(.*?)'", text("docs/format.md"), re.DOTALL)
    assert query
    done = subprocess.run(
        ["jq", "-c", query[1]], input=line, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {"kind": [["k", {"v": 1}]], "test_acc": 0.5}
