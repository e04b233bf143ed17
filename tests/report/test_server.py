"""What `gitmemo serve` answers, and to whom; asked over HTTP as a browser, or somebody else, would."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest
from report.conftest import Project

from gitmemo.cli import main
from gitmemo.cli.reporting import PageQuestion
from gitmemo.errors import CannotListen, GitmemoError, NotInitialised, PageNotWritten
from gitmemo.report import Edition, Live, Server
from gitmemo.report.asking import text_of
from gitmemo.report.kept import Shelf
from gitmemo.report.source import Question, Source, found_rows


@dataclass
class Asked:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Somebody who asks one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cookie = ""

    def get(self, path: str, method: str = "GET", **headers: str) -> Asked:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        given = {"Cookie": self.cookie} if self.cookie else {}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=given | names)
        answer = connection.getresponse()
        found = Asked(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        connection.close()
        return found

    def enter(self) -> Asked:
        """Exchange the token for a cookie."""
        address = urlsplit(self.server.url)
        answer = self.get(f"{address.path}?{address.query}")
        self.cookie = answer.headers["set-cookie"].split(";")[0]
        return answer

    def ask(self, path: str, edition: int = 1, **question: Any) -> Asked:
        return self.get(f"/{path}?edition={edition}&q={quote(json.dumps(question))}")


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let servers that are made from now on look whenever they are asked."""
    monkeypatch.setattr("gitmemo.report.live.SHORTEST_LOOK_S", 0.0)
    monkeypatch.setattr("gitmemo.report.live._REST", 0)


@pytest.fixture
def live(project: Project, monkeypatch: pytest.MonkeyPatch) -> Live:
    monkeypatch.chdir(project.root)
    return Live(PageQuestion((), None, None, None, True, True, None).edition)


@contextmanager
def served(live: Live, host: str = "127.0.0.1") -> Iterator[Client]:
    server = Server(live, host)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield Client(server)
    finally:
        server.close()
        thread.join()
        server.release()


@pytest.fixture
def client(live: Live) -> Iterator[Client]:
    with served(live) as client:
        yield client


def test_the_token_is_exchanged_for_a_cookie_that_only_this_page_sends(client: Client) -> None:
    assert client.get("/").status == 403
    assert client.get("/?token=" + "x" * 32).status == 403
    answer = client.enter()
    assert answer.status == 200 and b'url=/"' in answer.body and len(answer.body) < 200
    assert {"HttpOnly", "SameSite=Strict"} <= set(answer.headers["set-cookie"].split("; "))
    page = client.get("/")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    assert client.server.url.rpartition("=")[2].encode() not in page.body
    policy = re.search(rb'Policy" content="([^"]+)"', page.body)
    assert policy and b"connect-src &#x27;self&#x27;" in policy[1] and b"unsafe" not in policy[1]
    client.cookie = client.cookie[:-1] + "x"
    assert client.get("/rows").status == 403


def test_names_that_others_may_point_here_are_not_answered_to(client: Client) -> None:
    client.enter()
    port = client.server.port
    for name in (
        "evil.example",
        f"evil.example:{port}",
        "localhost.evil.example",
        "",
        "127.0.0.1.nip.io",
    ):
        assert client.get("/", Host=name).status == 421, name
        assert client.get("/news", Host=name).body.startswith(b"this server")
    for name in (f"127.0.0.1:{port}", f"localhost:{port}", "localhost", f"[::1]:{port}"):
        assert client.get("/", Host=name).status == 200, name


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_only_get_is_answered(client: Client, method: str) -> None:
    client.enter()
    answer = client.get("/", method)
    assert answer.status == 405 and answer.headers["allow"] == "GET"
    assert client.get("/", "BREW").status == 501


def test_who_listens_on_all_addresses_has_a_name(live: Live) -> None:
    name = socket.gethostname()
    with served(live, "0.0.0.0") as client:
        assert urlsplit(client.server.url).hostname == name.lower()
        assert not client.server.is_local
        client.enter()
        for host in (name, name.upper(), f"{name}:{client.server.port}", "localhost", "192.0.2.1"):
            assert client.get("/", Host=host).status == 200, host
        for host in (f"{name}.evil.example", "0.0.0.0.nip.io"):
            assert client.get("/", Host=host).status == 421, host
        with client.server.opener(None) as address:
            page = Path(unquote(urlsplit(address).path)).read_text()
            assert f"url=http://localhost:{client.server.port}/?token=" in page
    with pytest.raises(CannotListen) as caught:
        Server(live, "")
    assert "empty" in caught.value.problem()


def test_what_is_no_address_is_refused(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    address = ("127.0.0.1", client.server.port)
    for path in ("http://[", "http://[::1/?token=x"):
        with socket.create_connection(address, timeout=20) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 400 "), path
    assert capfd.readouterr().err == ""


def test_nobody_keeps_or_frames_what_was_sent(client: Client) -> None:
    client.enter()
    for path in ("/", "/news", "/nothing"):
        headers = client.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers
        assert "Python" not in headers["server"]


def test_rows_come_filtered_sorted_and_in_parts(client: Client, live: Live) -> None:
    client.enter()
    number = next(
        n for n, table in enumerate(live.edition.document.tables) if table.name == "train"
    )
    columns = [column.name for column in live.edition.document.tables[number].columns]
    rate, kind = columns.index("rate"), columns.index("kind")
    asked = {"table": number, "filters": [[rate, ">0.2"], [kind, "=tree"]], "sort": [[rate, False]]}
    found = client.ask("rows", **asked, start=0, most=3).json()
    assert (found["total"], len(found["rows"])) == (8, 3)
    assert [row["cells"][rate] for row in found["rows"]] == [{"n": "1.0"}] * 3
    assert all("h" in row["cells"][columns.index("score")] for row in found["rows"])
    rest = client.ask("rows", **asked, start=6, most=100).json()
    assert [row["cells"][rate] for row in rest["rows"]] == [0.25, 0.25]
    words = client.ask("rows", table=number, text="tree current", start=0, most=500).json()
    assert words["total"] == 6
    points = client.ask("points", table=number, filters=[[rate, "<1"]], columns=[rate, kind]).json()
    assert points["total"] == 24 and set(points["cells"][0]) == {0.1, 0.25}
    again = client.ask("numbered", table=number, numbers=[5, 1, 999]).json()["rows"]
    assert [row["n"] for row in again] == [5, 1]
    call = live.edition.document.tables[number].call
    ids = [row["cells"][call] for row in again]
    called = client.ask("called", table=number, calls=[*ids, "0" * 12]).json()["rows"]
    assert called == again[::-1]
    assert client.ask("called", table=number, calls=[{}]).json() == {"rows": []}


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"table": 99, "start": 0, "most": 1},
        {"table": True, "start": 0, "most": 1},
        {"table": 0, "start": 0, "most": 1, "sort": [[99, True]]},
        {"table": 0, "start": 0, "most": 1, "sort": [[0, "up"]]},
        {"table": 0, "start": 0, "most": 1, "filters": [[-1, "x"]]},
        {"table": 0, "start": 0, "most": 1, "filters": "x"},
    ],
)
def test_what_is_no_question_is_refused(client: Client, question: dict[str, Any]) -> None:
    client.enter()
    assert client.ask("rows", **question).status == 400
    assert client.ask("points", **question, columns=[0]).status == 400


def test_what_is_asked_of_no_rows_or_columns_is_refused(client: Client) -> None:
    client.enter()
    for fields in ({"start": "x", "most": 1}, {"start": 0}, {"most": 1}):
        assert client.ask("rows", table=0, **fields).status == 400, fields
    for columns in ([99], [-1], ["x"], 3):
        assert client.ask("points", table=0, columns=columns).status == 400, columns
    assert client.ask("points", table=0, columns=[0]).status == 200


def test_garbage_is_refused_and_the_server_lives(client: Client) -> None:
    client.enter()
    for path in ("/rows?edition=1", "/rows?edition=1&q=[[[", "/rows?edition=1&q=3"):
        assert client.get(path).status == 400, path
    assert client.get("/rows").status == 409
    assert client.get("/../../etc/passwd").status == 404
    assert client.get("/static/page.css").status == 404
    assert client.get("/", Cookie=";;;=\x01").status == 403
    assert client.get("/").status == 200


def test_news_are_told_once_and_the_page_is_made_anew(
    eager: None, project: Project, client: Client
) -> None:
    client.enter()
    first = client.get("/news")
    assert first.json() == {"edition": 1, "old": False, "problem": ""}
    assert client.get("/news", If_None_Match=first.headers["etag"]).status == 304
    project.edit("SCALE = 3", "SCALE = 4")
    try:
        assert client.get("/news", If_None_Match=first.headers["etag"]).json()["old"] is True
        assert client.ask("rows", table=0, start=0, most=1).status == 200  # what is shown stays
        assert client.get("/").status == 200
        assert client.get("/news").json() == {"edition": 2, "old": False, "problem": ""}
        assert client.ask("rows", table=0, start=0, most=1).status == 409
        assert client.ask("rows", edition=2, table=0, start=0, most=1).status == 200
    finally:
        project.edit("SCALE = 4", "SCALE = 3")


def test_what_cannot_be_made_anew_stays_as_it_was(eager: None, live: Live) -> None:
    now = [0]
    fails: list[GitmemoError] = []

    def edit() -> Edition:
        if fails:
            raise fails[0]
        return Edition(live.edition.source, now[0], lambda: now[0])

    def told(mine: Live) -> tuple[int, bool, bool]:
        return mine.edition.number, mine.is_old, "/there" in mine.problem

    mine = Live(edit)
    fails.append(NotInitialised("/there", False))
    now[0] = 1
    mine.renew()
    assert told(mine) == (1, True, True)
    mine.look()  # who asks for news is not led to load the page again for nothing
    assert told(mine) == (1, True, True)
    now[0] = 2
    mine.look()  # of this world it may be possible
    assert told(mine) == (1, True, False)
    mine.renew()
    mine.look()
    assert told(mine) == (1, True, True)
    fails.clear()
    mine.renew()
    assert told(mine) == (2, False, False)


def test_a_page_stays_where_the_revision_to_compare_with_is_gone(
    eager: None, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def branch(*arguments: str) -> None:
        subprocess.run(["git", "branch", "-q", *arguments], cwd=project.root, check=True)

    monkeypatch.chdir(project.root)
    branch("feature")
    question = PageQuestion(("train",), None, "feature", None, True, True, None)
    with served(Live(question.edition)) as client:
        client.enter()
        branch("-D", "feature")
        project.edit("SCALE = 3", "SCALE = 4")
        try:
            for _ in range(2):  # a page that is told to load itself again would do so for ever
                said = client.get("/news").json()
                assert said["edition"] == 1 and "feature" in said["problem"]
                assert client.get("/").status == 200
            branch("feature")
            assert client.get("/news").json()["problem"] == ""
            assert client.get("/").status == 200
            assert client.get("/news").json() == {"edition": 2, "old": False, "problem": ""}
        finally:
            project.edit("SCALE = 4", "SCALE = 3")
            branch("-D", "feature")


def test_rows_are_those_of_the_edition_that_was_asked_for(
    client: Client, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.enter()
    first = live.edition
    document = replace(first.document, tables=first.document.tables[1:])
    editions = cycle([first, replace(first, source=Source(document), number=2)])
    # A newer page is made between any two looks at the edition.
    monkeypatch.setattr(Live, "edition", property(lambda _: next(editions)), raising=False)
    table = len(first.document.tables) - 1
    assert client.ask("rows", table=table, start=0, most=1).status == 200


def test_a_document_that_takes_long_is_not_made_all_the_time(live: Live) -> None:
    now = [0.0]

    def edit() -> Edition:
        now[0] += 10
        return Edition(live.edition.source, 0, lambda: 1)

    mine = Live(edit, lambda: now[0])
    now[0] += 49
    mine.look()
    assert not mine.is_old
    now[0] += 1
    mine.look()
    assert mine.is_old
    mine.renew()
    now[0] += 1
    mine.look()
    assert (mine.edition.number, mine.is_old) == (2, False)
    mine.renew()  # somebody who loads the page again gets what there is now
    assert mine.edition.number == 3


def test_a_port_that_is_taken_is_said(client: Client, live: Live) -> None:
    with pytest.raises(CannotListen) as caught:
        Server(live, port=client.server.port)
    assert "--port 0" in caught.value.remedy()
    with pytest.raises(CannotListen):
        Server(live, "198.51.100.7")


def test_rows_of_a_large_table_are_found_where_they_are() -> None:
    texts = [f"Run {n}" if n % 3 else {"l": [n, f"Ünïted {n}"], "more": 1} for n in range(9_000)]
    cells = Shelf().keep([None, "a\0b", *texts, {"v": "last \ud800", "h": "0123456789ab"}])
    assert len(cells) == 9_003 and cells[-1] == list(cells)[-1]
    asked = (4096, 0, 9_001, 4095)
    assert [cells[n] for n in asked] == [list(cells)[n] for n in asked]
    lower = [text_of(cell).lower() for cell in cells]
    for word in ("99", "ünïted 4", "run", "last", "\ud800", "nothing", ", "):
        assert list(cells.having(word)) == [n for n, text in enumerate(lower) if word in text], word
    with pytest.raises(IndexError):
        cells[9_003]


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Full())
    with pytest.raises(PageNotWritten) as caught:
        Shelf().keep([1])
    assert "No space left" in caught.value.problem()


def test_sorting_by_several_columns_keeps_the_first_most_important(live: Live) -> None:
    table = next(table for table in live.edition.document.tables if table.name == "train")
    names = [column.name for column in table.columns]
    kind, rate = names.index("kind"), names.index("rate")
    rows = found_rows(table, Question(0, sort=((kind, True), (rate, False))))
    found = [(table.columns[kind].cell(n), str(table.columns[rate].cell(n))) for n in rows]
    assert [one for one, _ in found] == sorted(one for one, _ in found)
    assert [rate for _, rate in found[:12]] == ["{'n': '1.0'}"] * 4 + ["0.25"] * 4 + ["0.1"] * 4


def test_the_command_prints_an_address_and_ends_quietly(project: Project) -> None:
    command = [sys.executable, "-m", "gitmemo", "serve", "train"]
    process = subprocess.Popen(
        command, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    address = urlsplit(process.stdout.readline().strip())
    assert (address.hostname, address.path) == ("127.0.0.1", "/") and address.port
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=20)
    connection.request("GET", f"/?{address.query}")
    assert connection.getresponse().status == 200
    connection.close()
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0 and out == ""
    assert "Traceback" not in err and "Ctrl-C ends it" in err


def test_other_users_do_not_see_the_token_that_a_browser_gets(
    project: Project, tmp_path: Path
) -> None:
    """Who runs on this machine sees the arguments of programs, and reads what files allow."""
    asked = tmp_path / "asked"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$*" > "{asked}.new" && mv "{asked}.new" "{asked}"\n')
    browser.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "gitmemo", "serve", "train", "--open"],
        cwd=project.root,
        env={**os.environ, "BROWSER": f"{browser} %s"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    token = url.rpartition("=")[2]
    for _ in range(200):
        if asked.exists():
            break
        time.sleep(0.05)
    given = asked.read_text()
    file = Path(unquote(urlsplit(given).path))
    assert given.startswith("file://") and token not in given
    assert url in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0 and not file.parent.exists()


def test_who_lets_others_in_is_warned(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(server: Server) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(project.root)
    monkeypatch.setattr(Server, "serve", interrupted)
    assert main(["serve", "--host", "0.0.0.0"]) == 0
    assert "not encrypted" in capsys.readouterr().err
    assert main(["serve"]) == 0
    assert "not encrypted" not in capsys.readouterr().err


def test_the_page_has_no_rows(client: Client, tmp_path: Path) -> None:
    client.enter()
    page = client.get("/").body
    data = re.search(rb'id="data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    tables = json.loads(data[1])["tables"]
    assert tables and all("cells" not in column for t in tables for column in t["columns"])
