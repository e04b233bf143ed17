"""What a notebook shows of refs, calls, versions and differences: everything escaped, nothing loaded."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import gitmemo as gm

EVIL = "<script>alert(1)</script>"


class _Tags(HTMLParser):
    """Notes the tags of a page, and that each is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self._open: list[str] = []
        self.feed(page)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.add(tag)
        if tag != "br":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def page_of(thing: Any) -> str:
    """Return what a notebook shows, which has no markup but ours; the repr is one line."""
    page: str = thing._repr_html_()
    allowed = {"div", "b", "br", "table", "thead", "tbody", "tr", "th", "td", "pre", "span"}
    assert _Tags(page).seen <= allowed | {"details", "summary"}
    if not isinstance(thing, str):
        assert "\n" not in repr(thing)
    return page


@gm.op(output_names=["<i>", "items"])
def evil(text: str) -> tuple[str, dict[str, list[int]]]:
    return text * 2, {text: [1], "b": [2]}


def test_refs_and_calls(storage: gm.Storage) -> None:
    with storage:
        first, items = evil(EVIL)
        one = gm.wrap_atom([EVIL, 2])
    for ref in (first, items, one):
        assert ref.hid[:6] in page_of(ref)
    assert "&lt;script" in page_of(first)
    call = storage.get_ref_creator(first)
    assert call is not None
    page = page_of(call)
    assert "&lt;i&gt;" in page
    assert "&lt;script" in page


def test_a_ref_is_shown_without_loading_its_value(tmp_path: Path) -> None:
    storage = gm.Storage(db_path=tmp_path / "s.db")
    large = gm.op(name="large")(lambda n: [EVIL] * n)
    with storage:
        hid = large(1000).hid  # type: ignore[attr-defined]
    storage.close()
    again = gm.Storage(db_path=tmp_path / "s.db")
    ref = again.load_ref(hid, in_memory=False)
    assert "elements" in page_of(ref) or "not loaded" in page_of(ref)
    assert not ref.in_memory


def test_refs_of_a_batch(storage: gm.Storage) -> None:
    with storage.batch():
        pending = gm.op(name="twice")(lambda text: text * 2).ref(EVIL)
        assert "PendingRef" in pending._repr_html_()
    assert "&lt;" in pending._repr_html_()


def test_versions_and_differences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib
    import sys

    monkeypatch.syspath_prepend(str(tmp_path))
    module = tmp_path / "shown_in_notebooks.py"
    text = f"import gitmemo as gm\n@gm.op\ndef f(n):\n    return '{EVIL}', n\n"
    storage = gm.Storage(deps_path=tmp_path, on_change="breaking")
    for number, written in enumerate(
        (text, text.replace("n\n", "n + 1\n").replace("(n + 1", "(n"))
    ):
        module.write_text(written)
        loaded: Any = importlib.import_module(module.stem)
        loaded = importlib.reload(loaded) if number else loaded
        with storage:
            loaded.f(1)
    versions = storage.versions(loaded.f)
    page = page_of(versions)
    assert "&lt;script" in page
    assert versions[0].content_id[:6] in page
    assert "### Dependencies" in str(versions)
    history = storage.source_history(loaded.f)
    assert "&lt;script" in page_of(history)
    old, new = (revision.id for revision in history)
    difference = storage.diff(old, new)
    assert "background" in page_of(difference)
    assert "&lt;script" in page_of(storage.code(old))
    plan = storage.drop_version(versions[0].content_id, dry_run=True)
    page = plan._repr_html_()
    assert "to drop: 1 call" in page and "&lt;script" in page and "<script" not in page
    assert "0 values (0 B) that nothing else here needs" in page
    done = storage.drop_version(versions[0].content_id)
    assert str(done).startswith("dropped: 1 call\n")
    assert f"gitmemo drop --undo {done.undo[:6]}" in done._repr_html_()
    del sys.modules[module.stem]


def test_plans_show_what_would_go(storage: gm.Storage) -> None:
    with storage:
        for text in (EVIL, "b", "c"):
            evil(text)
    plan = storage.cf(evil).delete_calls()
    page = plan._repr_html_()
    assert _Tags(page).seen <= {
        "div",
        "b",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "details",
        "summary",
    }
    assert "to forget: 3 calls of evil (3)" in page and "asked for: 3 calls" in page
    assert "text=&#x27;&lt;script&gt;" in page and "carry_out()" in page
    plan.carry_out()
    assert "forgotten: 3 calls" in plan._repr_html_()


def test_a_plan_of_many_calls_shows_some(storage: gm.Storage) -> None:
    with storage:
        for number in range(60):
            evil(str(number))
    page = storage.cf(evil).delete_calls()._repr_html_()
    assert "asked for: 60 calls" in page and "and 10 more calls" in page
    assert page.count("<tr>") == 51
