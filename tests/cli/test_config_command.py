"""`gitmemo config`: what holds, who says it, and changes that are checked before they are written."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typist import Typist

from gitmemo import config
from gitmemo.cli import main
from gitmemo.git.cli import Git
from gitmemo.settings_files import edit_own, setting
from gitmemo.settings_keys import KEYS, Kind, parts_of


@pytest.fixture
def typist(
    make_repo: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Typist:
    root = make_repo("p")
    monkeypatch.chdir(root)
    assert main(["init"]) == 0
    capsys.readouterr()
    return Typist(root, capsys)


def rows(typist: Typist) -> dict[str, dict[str, object]]:
    said = typist.say("config", "list", "--json").splitlines()
    lines = [line for line in said if line.startswith("{")]  # else about unknown settings
    return {row["key"]: row for row in map(json.loads, lines)}


def test_every_setting_says_where_it_is_from(
    typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    typist.say("config", "set", "run.claims", "off", "--local")
    monkeypatch.setenv("GITMEMO_LAZY_PULL", "ask")
    found = rows(typist)
    assert found["format"]["origin"] == ".gitmemo/config.toml"
    assert found["reuse"] == {"key": "reuse", "value": "any", "origin": "default", "known": True}
    assert (found["run.claims"]["value"], found["run.claims"]["origin"]) == (
        "off",
        str(typist.own_file),
    )
    assert found["lazy_pull"]["origin"] == "environment GITMEMO_LAZY_PULL"
    shown = typist.say("config", "--show-origin")
    assert (
        "default\treuse = any\n" in shown
        and "environment GITMEMO_LAZY_PULL\tlazy_pull = ask" in shown
    )
    assert "environment" not in typist.say("config")


def test_a_change_is_written_staged_and_holds(typist: Typist) -> None:
    typist.say("config", "set", "on_change", "pending")
    typist.say("config", "set", "record.user", "true")
    typist.say("config", "set", "depends.packages", "numpy", "pandas")
    typist.say("config", "set", "index.spill_above", "20 MB")
    typist.say("config", "set", "run.resources.GPU", "2", "--local")
    settings = config.read_settings(typist.root, typist.root / ".git")
    assert settings.on_change is config.OnChange.PENDING and settings.record_user
    assert settings.depends == {"packages": ("numpy", "pandas")}
    assert settings.spill_above == 20_000_000 and settings.resources == {"GPU": 2}
    assert "# Settings of gitmemo" in typist.committed_file.read_text("utf-8")
    assert Git(typist.root).run("diff", "--name-only") == ""
    assert typist.say("config", "get", "depends.packages") == "numpy pandas\n"
    typist.say("config", "unset", "record.user")
    assert typist.say("config", "get", "record.user") == "false\n"
    assert "not set" in typist.say("config", "unset", "record.user", code=1)
    assert "no default" in typist.say("config", "get", "default_remote", code=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("on_change maybe", "pending"),
        ("on_chnage ask", "on_change"),
        ("record.user yes", "true"),
        ("run.resources.GPU many", "a number"),
        ("run.resources.GPU -1", "0 or more"),
        ("index.spill_above 3", "10 MB"),
        ("default_remote nothing", "default_remote"),
        ("remotes.lab.url /somewhere", "gitmemo remote add"),
        ("store.path /somewhere", "gitmemo store share"),
        ("trust.lab /somewhere", "gitmemo remote trust"),
        ("on_change ask pending", "one value"),
        ("reuse world --local", "leave --local out"),
    ],
)
def test_what_makes_no_sense_is_refused_before_it_is_written(
    typist: Typist, words: str, said: str
) -> None:
    before = typist.committed_file.read_bytes()
    key, *values = words.split()
    answer = typist.say("config", "set", key, "--", *values, code=2) if "--local" not in words else (
        typist.say("config", "set", *words.split(), code=2)
    )  # fmt: skip
    assert said in answer and "fix:" in answer
    assert typist.committed_file.read_bytes() == before
    assert not typist.own_file.exists()


def test_broken_settings_can_be_seen_and_mended(typist: Typist) -> None:
    typist.committed_file.write_text('format = 1\non_change = "maybe"\nreuse = "both"\nrun = 3\n')
    assert "maybe" in typist.say("status", code=2)
    assert "on_change = maybe" in typist.say("config")
    assert "a table" in typist.say("config", "set", "run.claims", "off", code=2)
    assert "still wrong" in typist.say("config", "set", "reuse", "any")
    typist.say("config", "set", "on_change", "ask")
    typist.say("config", "unset", "run")
    typist.say("status")


def test_settings_of_no_known_name_are_named(typist: Typist) -> None:
    with typist.committed_file.open("a") as file:
        file.write('on_chnage_running = "ask"\n')
    assert rows_known(typist) == {"on_chnage_running": False}
    assert "did you mean 'on_change_running'" in typist.say("config")


def rows_known(typist: Typist) -> dict[str, object]:
    lines = [line for line in typist.say("config", "--json").splitlines() if line.startswith("{")]
    return {r["key"]: r["known"] for r in map(json.loads, lines) if not r["known"]}


def test_secrets_are_not_shown(typist: Typist) -> None:
    typist.say("remote", "add", "lab", "s3://b/x", "-o", "secret=hush", "--local")
    typist.say("config", "set", "lazy_pull", "off")
    shown = typist.say("config", "--show-origin") + typist.say(
        "config", "get", "remotes.lab.secret"
    )
    assert "hush" not in shown and "(hidden)" in shown and "s3://b/x" in shown


def test_outside_of_a_repository_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    for words in (["config"], ["config", "set", "reuse", "any"]):
        assert main(words) == 1
        assert "not inside a git work tree" in capsys.readouterr().err


def test_every_default_is_what_holds_without_settings() -> None:
    table: dict[str, object] = {}
    for key in KEYS:
        if key.default is not None:
            *above, last = parts_of(key.name)
            place = table
            for part in above:
                place = place.setdefault(part, {})  # type: ignore[assignment]
            place[last] = key.default
    assert config.merge(table, {}, {}) == config.merge({}, {}, {})
    assert {key.kind for key in KEYS} == set(Kind)


def test_resources_of_the_environment_are_settings(
    typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    typist.say("config", "set", "run.resources.GPU", "1")
    monkeypatch.setenv("GITMEMO_RESOURCES", "GPU=2,memory=1.5")
    found = rows(typist)
    said = {"origin": "environment GITMEMO_RESOURCES", "known": True}
    assert found["run.resources.GPU"] == {"key": "run.resources.GPU", "value": 2, **said}
    assert found["run.resources.memory"] == {"key": "run.resources.memory", "value": 1.5, **said}
    assert typist.say("config", "get", "run.resources.GPU") == "2\n"
    assert "still says 2" in typist.say("config", "set", "run.resources.GPU", "3")
    monkeypatch.setenv("GITMEMO_RESOURCES", "many")
    assert rows(typist)["run.resources"]["value"] == "many"


def test_keys_with_dots_and_dates_are_shown_and_taken_out(typist: Typist) -> None:
    text = typist.committed_file.read_text("utf-8")
    typist.committed_file.write_text(f'reuse = 2026-01-01\n"a.b" = 1\n{text}', "utf-8")
    said = json.loads(typist.say("config", "get", "reuse", "--json"))
    assert said["value"] == "2026-01-01" == rows(typist)["reuse"]["value"]
    assert "no setting" in typist.say("config", "unset", "a.b", code=2)
    typist.say("config", "unset", '"a.b"')
    assert "a.b" not in typist.committed_file.read_text("utf-8")


def test_what_is_no_utf8_is_refused(typist: Typist) -> None:
    before = typist.committed_file.read_bytes()
    assert "UTF-8" in typist.say("config", "set", "depends.env", "\udcff", code=2)
    assert typist.committed_file.read_bytes() == before


def test_changes_at_the_same_time_are_all_made(typist: Typist) -> None:
    with ThreadPoolExecutor(8) as pool:
        edits = [
            pool.submit(edit_own, typist.root / ".git", setting(("run", "resources", f"r{n}"), n))
            for n in range(24)
        ]
        assert [edit.result() for edit in edits] == [None] * 24
    resources = tomllib.loads(typist.own_file.read_text("utf-8"))["run"]["resources"]
    assert resources == {f"r{n}": n for n in range(24)}


def test_what_cannot_be_staged_is_not_changed(
    typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gitmemo.cli.changing._BETWEEN_S", 0)
    before = typist.committed_file.read_bytes()
    lock = typist.root / ".git/index.lock"
    lock.touch()
    assert "index.lock" in typist.say("config", "set", "reuse", "world", code=1)
    assert typist.committed_file.read_bytes() == before
    lock.unlink()
    typist.say("config", "set", "reuse", "world")
