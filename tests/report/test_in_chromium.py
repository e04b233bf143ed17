"""The page in a real browser: what people see and do, and what hostile results do not."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, chromium
from report.conftest import HOSTILE, Project, Report
from report.pages import data_of

from gitmemo.cli.reporting import PageQuestion
from gitmemo.report import Live, Server, Source
from gitmemo.report.page import html_of

pytestmark = pytest.mark.skipif(chromium() is None, reason="no Chromium is installed")

ROWS, COLUMNS = 10_000, 20


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        browser.look()
        yield browser


@pytest.fixture
def page(browser: Browser, report: Report) -> Iterator[Browser]:
    """A page of everything."""
    browser.open(report("--all", "--since", "HEAD").as_uri())
    yield browser
    assert browser.complaints() == []
    assert [url for url in browser.requests() if not url.startswith(("file:", "data:"))] == []


def counted(browser: Browser) -> str:
    return str(browser.run("document.querySelector('.counted').textContent"))


def column(browser: Browser, name: str) -> list[str]:
    """Return the texts that are seen in a column."""
    found: list[str] = browser.run(
        f"""(() => {{
        const names = [...document.querySelectorAll('thead tr:first-child .name')];
        const place = names.findIndex((one) => one.textContent === {json.dumps(name)}) + 1;
        return [...document.querySelectorAll('tbody tr[data-number]')]
            .map((row) => row.children[place].textContent);
        }})()"""
    )
    return found


def press(browser: Browser, text: str, *, within: str = "body") -> None:
    """Press the button with this text."""
    browser.run(
        f"[...document.querySelectorAll('{within} button')]"
        f".find((one) => one.textContent === {json.dumps(text)}).click()"
    )


def type_into(browser: Browser, label: str, text: str) -> None:
    browser.run(f"document.querySelector('input[aria-label={json.dumps(label)}]').focus()")
    browser.type(text)


def test_hostile_results_stay_text_wherever_they_are_shown(page: Browser) -> None:
    assert HOSTILE in column(page, "kind")
    for tab in ("graph", "plot", "changes", "table"):
        page.run(f"document.getElementById('tab-{tab}').click()")
    for row in (0, 30):
        page.run(f"document.querySelectorAll('tbody .chooser')[{row}].click()")
    page.wait("!document.getElementById('panel').hidden && document.querySelector('.beside')")
    page.run("for (const one of document.querySelectorAll('details')) one.open = true")
    assert page.run("document.querySelectorAll('img, main script, main b[onerror]').length") == 0
    assert page.run("document.title") == "a <b>project: results"
    assert page.complaints() == []


def test_nothing_else_may_run_in_the_page(browser: Browser, report: Report) -> None:
    path = report()
    text = path.read_text("utf-8")
    path.write_text(text.replace("</main>", "<script>document.title = 'taken'</script></main>"))
    browser.open(path.as_uri())
    assert browser.run("document.title") == "a <b>project: results"
    browser.wait("true")
    assert any("Content Security Policy" in said for said in browser.complaints())
    refused = browser.run("fetch('https://localhost:1/').then(() => 'sent', () => 'refused')")
    assert refused == "refused"
    assert any("connect" in said for said in browser.complaints())


def test_rows_are_filtered_sorted_and_searched(page: Browser) -> None:
    assert counted(page) == "36 rows"
    type_into(page, "Filter rate", ">0.2")
    page.wait("document.querySelector('.counted').textContent === '24 of 36 rows'")
    type_into(page, "Search all columns", "tree current")
    page.wait("document.querySelector('.counted').textContent === '4 of 36 rows'")
    press(page, "rate", within="thead")
    page.wait("document.querySelector('[aria-sort=ascending]')")
    press(page, "rate", within="thead")
    page.wait("document.querySelector('[aria-sort=descending]')")
    assert column(page, "rate") == ["1.00", "1.00", "0.25", "0.25"]
    press(page, "Clear")
    page.wait("document.querySelector('.counted').textContent === '36 rows'")


def test_constant_columns_are_hidden_and_columns_chosen_and_pinned(page: Browser) -> None:
    names = "[...document.querySelectorAll('thead .name')].map((one) => one.textContent)"
    assert "seen" not in page.run(names) and "state" in page.run(names)
    page.run("document.querySelector('button[aria-pressed=false]:not([hidden]) ~ button').click()")
    page.wait(f"{names}.includes('big')")
    press(page, "Hide what led there")
    page.wait(f"!{names}.includes('size')")
    assert {"model", "label", "big", "<b>loss</b>"} <= set(page.run(names))
    page.run("document.querySelector('[aria-label=\"Pin column label\"]').click()")
    assert page.run(names)[0] == "label"
    page.run("document.querySelectorAll('tbody .pinner')[3].click()")
    page.wait("document.querySelectorAll('thead tr.pinned').length === 1")


def test_two_rows_are_compared_with_their_code(page: Browser) -> None:
    for row in (0, 35):
        page.run(f"document.querySelectorAll('tbody .chooser')[{row}].click()")
    page.wait("document.querySelector('#panel .diff')")
    said = page.run("document.querySelector('#panel').innerText")
    assert "Two rows" in said and "program:load: the same code" in said
    assert "- SCALE = 2" in said and "+ SCALE = 3" in said
    page.run("document.querySelector('#panel button').focus()")
    page.key("Escape", 27)
    page.wait("document.getElementById('panel').hidden")


def test_the_line_of_a_value_loads_it(page: Browser, project: Project) -> None:
    page.run("document.querySelectorAll('tbody .chooser')[35].click()")
    page.wait("document.querySelector('#panel .python')")
    lines: dict[str, str | None] = page.run(
        "Object.fromEntries([...document.querySelectorAll('#panel .facts tr')].map((row) => "
        "[row.children[0].textContent, row.querySelector('.python')?.title]))"
    )
    asked = [lines[name] for name in ("label", "model", "big")]
    program = "; ".join(f"{line}; print(type(value).__name__, len(value))" for line in asked)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project.root, capture_output=True, text=True
    )
    assert done.stdout.split("\n")[1:3] == ["dict 4", "list 2000"], done.stderr
    assert done.stdout.startswith("str ")
    assert lines.get("kind") is None  # it stands there whole


def test_a_click_on_the_graph_leads_to_the_table(page: Browser) -> None:
    page.run("document.getElementById('tab-graph').click()")
    texts = "[...document.querySelectorAll('#drawing a')]"
    page.run(
        f"{texts}.find((one) => one.querySelector('text').textContent.startsWith('load'))"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))"
    )
    page.wait("document.querySelector('.counted').textContent === '2 rows'")
    assert page.run("document.getElementById('graph').hidden") is True
    page.run("document.getElementById('tab-graph').click()")
    page.run(
        f"{texts}.find((one) => one.querySelector('text').textContent.startsWith('rate'))"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))"
    )
    page.wait("document.activeElement.getAttribute('aria-label') === 'Filter rate'")


def test_what_changed_is_told_with_the_code(page: Browser) -> None:
    page.run("document.getElementById('tab-changes').click()")
    said = page.run("document.getElementById('changes').innerText")
    told = (
        "18 with other results",
        "0 added",
        "0 gone",
        "20 the same",
        "+ SCALE = 3",
        "Other results",
    )
    for words in told:
        assert words in said


def test_points_are_drawn_and_lead_to_rows(page: Browser) -> None:
    page.run("document.getElementById('tab-plot').click()")
    page.wait("document.querySelector('#plot .hint').textContent.includes('36 points')")
    for label, name in (("Up", "score"), ("Across", "rate"), ("Colour", "kind")):
        page.run(
            f"""(() => {{
            const select = [...document.querySelectorAll("#plot label")]
                .find((one) => one.textContent.startsWith({json.dumps(label)})).querySelector("select");
            select.value = [...select.options].find((one) => one.text === {json.dumps(name)}).value;
            select.dispatchEvent(new Event("change"));
            }})()"""
        )
    # The pixels of the points of one kind, whose scores no other kind has, from left to right.
    coloured = f"""(() => {{
        const entry = [...document.querySelectorAll("#plot .legend li")]
            .find((one) => one.textContent === {json.dumps(HOSTILE)});
        const wanted = getComputedStyle(entry.querySelector("i")).backgroundColor.match(/\\d+/g).map(Number);
        const canvas = document.querySelector("canvas");
        const copy = document.createElement("canvas");
        [copy.width, copy.height] = [canvas.width, canvas.height];
        const pen = copy.getContext("2d", {{willReadFrequently: true}});
        pen.drawImage(canvas, 0, 0);
        const {{data}} = pen.getImageData(0, 0, canvas.width, canvas.height);
        const is = (n) => data[n + 3] > 150 && wanted.every((one, k) => Math.abs(one - data[n + k]) < 4);
        const box = canvas.getBoundingClientRect();
        const found = [];
        for (let n = 0; n < data.length; n += 4)
            if (is(n)) found.push(n / 4);
        const places = found.map((n) => [box.x + (n % canvas.width), box.y + Math.floor(n / canvas.width)]);
        return places.sort(([a], [b]) => a - b);
    }})()"""
    page.wait("document.querySelector('#plot .hint').textContent.includes('36 points')")
    page.wait("document.querySelectorAll('#plot .legend li').length === 3")
    facts = """Object.fromEntries([...document.querySelectorAll("#panel .facts tr")]
        .map((row) => [row.children[0].textContent, row.children[1].textContent]))"""
    for place, rate in ((0, "0.1"), (-1, "1.0")):
        page.wait(f"{coloured}.length > 100")
        page.click_at(*page.run(coloured)[place])
        page.wait(f"document.querySelector('#panel .facts') && {facts}.rate.startsWith('{rate}')")
        assert page.run(facts)["kind"].startswith(HOSTILE)
    page.run("document.querySelector('#panel button').click()")
    page.wait("document.getElementById('panel').hidden")
    x, y = page.run(coloured)[0]
    page.click_at(x - 40, y)  # where no point is, nothing is chosen
    assert page.run("document.getElementById('panel').hidden") is True


def test_keys_move_choose_and_pin(page: Browser) -> None:
    page.run("document.querySelector('.grid').focus()")
    for _ in range(3):
        page.key("ArrowDown", 40)
    page.key("ArrowRight", 39)
    page.wait(
        "document.querySelector('.grid').getAttribute('aria-activedescendant') === 'cell-3-1'"
    )
    page.key(" ", 32, " ")
    page.wait("document.querySelector('tr.chosen')?.dataset.place === '3'")
    page.run("document.querySelector('.grid').focus()")
    page.key("p", 80, "p")
    page.wait("document.querySelector('thead tr.pinned')")
    page.run("document.querySelector('.grid').focus()")
    page.key("End", 35)
    page.wait("document.querySelector('td.active').parentElement.dataset.place === '35'")


def test_keys_sort_and_the_focus_stays(page: Browser) -> None:
    name = "document.querySelector('.name[data-column=\"4\"]')"
    page.run(f"{name}.focus()")
    for key, code, text, order in (
        ("Enter", 13, "\r", "ascending"),
        (" ", 32, " ", "descending"),
        ("Enter", 13, "\r", "none"),
    ):
        page.key(key, code, text)
        page.wait(f"{name}.parentElement.getAttribute('aria-sort') === '{order}'")
        assert page.run(f"document.activeElement === {name}"), order


def test_a_narrow_window_shows_all_of_a_page_with_long_names(
    browser: Browser, report: Report, tmp_path: Path
) -> None:
    data = data_of(report("--since", "HEAD"))
    data["title"] = "name_without_spaces_" * 20
    data["notes"] = ["left out: " + "a/long/path/" * 40]
    path = tmp_path / "narrow.html"
    path.write_text(html_of(data, "<svg></svg>"), "utf-8")
    browser.look(width=400, height=700)
    browser.open(path.as_uri())
    browser.run("document.querySelectorAll('tbody .chooser')[0].click()")
    browser.wait("document.querySelector('#panel .facts')")
    wide = []
    for tab in ("graph", "plot", "changes", "table"):
        browser.run(f"document.getElementById('tab-{tab}').click()")
        wide.append(browser.run("document.documentElement.scrollWidth"))
    browser.run("scrollTo(0, document.body.scrollHeight)")
    between = browser.run(
        "document.getElementById('panel').getBoundingClientRect().top"
        " - document.querySelector('.grid').getBoundingClientRect().bottom"
    )
    browser.look()
    assert wide == [400] * 4 and between >= 0


def test_paper_has_the_rows(browser: Browser, report: Report, tmp_path: Path) -> None:
    browser.open(large(tmp_path, report).as_uri())
    rows = "[...document.querySelectorAll('tbody tr[data-number]')].map((r) => r.dataset.place)"
    browser.run(f"addEventListener('beforeprint', () => {{ window.printed = {rows}; }})")
    seen = browser.run(rows)
    paper = browser.paper()
    assert paper.startswith(b"%PDF") and len(re.findall(rb"/Type /Page\b", paper)) > 5
    assert browser.run("window.printed") == [str(place) for place in range(500)]
    assert len(seen) < 100 and browser.run(rows) == seen  # afterwards it is as it was


def large(folder: Path, report: Report) -> Path:
    """Return a page of 10,000 rows, made of the data of a small one."""
    data = data_of(report("train", "--limit", "1"))
    made = [
        {
            "name": f"c{n}",
            "role": "result" if n > 9 else "input",
            "own": True,
            "constant": False,
            "numeric": n != 3,
            "cells": [
                f"run {k}" if n == 3 else (k * 7919 * (n + 1) % 10007) / 10007 for k in range(ROWS)
            ],
            "ids": "0123456789ab" * ROWS if n > 9 else "",
            "at": None,
        }
        for n in range(COLUMNS)
    ]
    table = {"op": "m:f", "name": "f", "rows": ROWS, "total": ROWS, "columns": made}
    data["tables"] = [table | {"codes": [[]], "code_at": [0] * ROWS}]
    data |= {"first": 0, "nodes": []}
    path = folder / "large.html"
    path.write_text(html_of(data, "<svg></svg>"), "utf-8")
    return path


def test_ten_thousand_rows_stay_quick(browser: Browser, report: Report, tmp_path: Path) -> None:
    browser.open(large(tmp_path, report).as_uri())
    assert counted(browser) == "10,000 rows"
    assert browser.run("document.querySelectorAll('tbody tr').length") < 100
    sorting = browser.run(
        """(async () => {
        const start = performance.now();
        document.querySelectorAll('thead .name')[5].click();
        while (!document.querySelector('[aria-sort=ascending]')) await new Promise((r) => setTimeout(r));
        return performance.now() - start;
        })()"""
    )
    # A tenth of this where nothing else runs; here it only tells hundreds from thousands.
    assert sorting < 3000 and float(browser.run("document.documentElement.dataset.ready")) < 5000
    cells = [float(text) for text in column(browser, "c5")]
    assert cells == sorted(cells) and cells[0] == 0
    browser.run("document.querySelector('.grid').scrollTop = 1e9")
    browser.wait(
        "[...document.querySelectorAll('tbody tr')].some((r) => r.dataset.place === '9999')"
    )
    assert browser.complaints() == []


def many(project: Project) -> Live:
    """Return a page of 1,000 rows to serve."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.root)
        made = PageQuestion(("train",), None, None, None, True, True, None).edition()
    table = made.document.tables[-1]
    times = 1000 // len(table) + 1
    columns = tuple(
        replace(column, at=[column.place(n) for n in range(len(table))] * times)
        for column in table.columns
    )
    longer = replace(table, columns=columns, code_at=list(table.code_at) * times, total=1000)
    document = replace(made.document, tables=(longer,), first=0)
    return Live(lambda: replace(made, source=Source(document), mark=lambda: made.seen))


def test_rows_that_did_not_come_are_asked_for_again_and_nothing_is_drawn_for_nothing(
    browser: Browser, project: Project
) -> None:
    with serving(many(project)) as server:
        browser.open(server.url, "document.querySelector('tbody tr[data-place]')")
        browser.run(
            """(() => {
            Object.assign(window, {asked: [], drawn: 0, fails: 1, hold: null});
            const fetched = window.fetch;
            window.fetch = async (address, ...rest) => {
                if (!address.startsWith("/rows")) return fetched(address, ...rest);
                asked.push(JSON.parse(new URLSearchParams(address.split("?")[1]).get("q")).start);
                if (fails-- > 0) throw new TypeError("nobody answers");
                await hold;
                return fetched(address, ...rest);
            };
            new MutationObserver(() => { drawn++; })
                .observe(document.querySelector("tbody"), {childList: true});
            window.lead = (row) => {
                const height = document.querySelector("tr[data-place]").getBoundingClientRect().height;
                document.querySelector(".grid").scrollTop = row * height;
            };
            })()"""
        )
        rest = "new Promise((resolve) => setTimeout(resolve, 400))"
        browser.run("lead(500)")
        browser.wait("document.getElementById('said').textContent.includes('did not answer')")
        browser.run(rest)
        assert browser.run("asked") == [400] and browser.run("drawn") < 5
        browser.wait("document.querySelector('tr[data-place=\"510\"][data-number]')")
        assert browser.run("asked") == [400, 400] and browser.run("drawn") < 8
        # While a part is on its way, it is not asked for again, and the page rests.
        browser.run(
            "window.drawn = 0; hold = new Promise((resolve) => { window.release = resolve; }); 0"
        )
        browser.run("lead(700)")
        browser.wait("asked.length === 3")
        browser.run("lead(702)")
        browser.run(rest)
        assert browser.run("asked") == [400, 400, 600] and browser.run("drawn") < 5
        browser.run("release()")
        browser.wait("document.querySelector('tr[data-place=\"710\"][data-number]')")
        assert browser.run("asked") == [400, 400, 600] and browser.run("drawn") < 8


@pytest.mark.parametrize(
    ("dark", "ground"), [(False, "rgb(255, 255, 255)"), (True, "rgb(22, 25, 29)")]
)
def test_the_colours_are_those_that_the_user_likes(
    browser: Browser, report: Report, dark: bool, ground: str
) -> None:
    browser.look(dark=dark, width=480)
    browser.open(report().as_uri())
    assert browser.run("getComputedStyle(document.body).backgroundColor") == ground
    wide = browser.run("document.documentElement.scrollWidth")
    browser.look()
    assert wide <= 480


def test_a_file_leads_a_browser_to_a_served_page(browser: Browser, project: Project) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.root)
        live = Live(PageQuestion(("train",), None, None, None, True, True, None).edition)
        with serving(live) as server, server.opener(None) as address:
            browser.open(address)
            assert browser.run("location.href") == server.url.partition("?")[0]


@contextmanager
def serving(live: Live) -> Iterator[Server]:
    server = Server(live)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()
        server.release()


@contextmanager
def served(project: Project, *arguments: str) -> Iterator[str]:
    """Serve a page while the body runs; what was edited is as it was afterwards."""
    path = project.root / "program.py"
    text = path.read_text("utf-8")
    command = [sys.executable, "-m", "gitmemo", "serve", *arguments]
    process = subprocess.Popen(
        command, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        path.write_text(text, "utf-8")
        os.kill(process.pid, signal.SIGINT)
        process.wait()


def test_rows_that_were_chosen_or_pinned_are_so_in_the_next_page(
    browser: Browser, project: Project
) -> None:
    with served(project, "train", "--all") as address:
        browser.open(address)
        press(browser, "rate", within="thead")
        browser.wait("document.querySelector('[aria-sort=ascending]')")
        for row in (3, 7):
            browser.run(f"document.querySelectorAll('tbody .chooser')[{row}].click()")
        browser.run("document.querySelectorAll('tbody .pinner')[9].click()")
        browser.run("document.querySelector('[aria-label=\"Pin column kind\"]').click()")
        looks = """(() => {
            const rows = (which) => [...document.querySelectorAll(which)]
                .map((row) => [...row.children].map((cell) => cell.textContent).join("|"));
            return {chosen: rows("tbody tr.chosen"), pinned: rows("thead tr.pinned")};
        })()"""
        browser.wait(f"{looks}.pinned.length === 1 && document.querySelector('.beside')")
        before = browser.run(looks)
        assert [row[0] for row in before["chosen"]] == ["A", "B"]
        browser.run("document.documentElement.dataset.mark = 'old'; location.reload()")
        seen = "!document.documentElement.dataset.mark && document.querySelector('.beside')"
        browser.wait(seen)
        assert browser.run(looks) == before
        browser.run("document.documentElement.dataset.mark = 'old'")
        project.edit("SCALE = 3", "SCALE = 7")
        browser.wait("document.getElementById('news').textContent.includes('newer results')")
        press(browser, "Show it")
        browser.wait(seen)
        after = browser.run(looks)
        assert json.dumps(after) == json.dumps(before).replace("|current", "|older code")
        assert browser.complaints() == []


def test_rows_that_are_gone_from_the_next_page_are_said_to_be(
    browser: Browser, project: Project
) -> None:
    with served(project, "train") as address:
        browser.open(address)
        browser.run("document.querySelectorAll('tbody .pinner')[2].click()")
        browser.wait("document.querySelector('thead tr.pinned')")
        browser.run("document.querySelectorAll('tbody .chooser')[0].click()")
        browser.wait("document.querySelector('#panel .python')")
        browser.run("document.documentElement.dataset.mark = 'old'")
        project.edit("SCALE = 3", "SCALE = 2")  # the first code again, with other calls
        browser.wait("document.getElementById('news').textContent.includes('newer results')")
        press(browser, "Show it")
        browser.wait("document.getElementById('said').textContent.startsWith('2 rows that you')")
        assert browser.run("document.querySelectorAll('tr.chosen, tr.pinned').length") == 0
        assert browser.run("document.getElementById('panel').hidden") is True


def test_a_served_page_follows_the_world(browser: Browser, project: Project) -> None:
    with served(project, "train") as printed:
        browser.open(printed)
        address = browser.run("location.href")
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        assert counted(browser) == "18 rows"
        type_into(browser, "Filter rate", "<0.2")
        browser.wait("document.querySelector('.counted').textContent === '6 of 18 rows'")
        assert column(browser, "rate") == ["0.10"] * 6
        browser.run("document.querySelectorAll('tbody .chooser')[0].click()")
        browser.wait("document.querySelector('#panel .python')")
        project.edit("SCALE = 3", "SCALE = 5")
        # Somebody looks at a row: it is said, and nothing moves.
        browser.wait("document.getElementById('news').textContent.includes('newer results')")
        browser.run("document.activeElement.blur()")
        browser.run("document.querySelector('#panel button').click()")
        browser.wait("document.querySelector('.empty, .counted')?.textContent !== '6 of 18 rows'")
        project.edit("SCALE = 5", "SCALE = 3")
        browser.wait("document.querySelector('.counted')?.textContent === '6 of 18 rows'")
        filled: Any = browser.run("document.querySelector('[aria-label=\"Filter rate\"]').value")
        assert filled == "<0.2"
        assert browser.complaints() == []
        assert {
            url.split("?")[0].rpartition("/")[0] + "/"
            for url in browser.requests()
            if url.startswith("http")
        } == {address}
