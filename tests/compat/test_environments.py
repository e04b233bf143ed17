"""Which packages `.ci/compat` installs, and for which Pythons."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def compat():
    loader = SourceFileLoader("compat", str(ROOT / ".ci/compat"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("compat", loader))
    sys.modules["compat"] = module
    loader.exec_module(module)
    yield module
    del sys.modules["compat"]


def test_the_oldest_have_each_package_at_its_lower_bound(compat):
    oldest = compat.packages(compat.Environment("3.11", is_oldest=True, runs_tests=False))
    bounds = {one.replace(">=", "==") for one in PROJECT["dependencies"]}
    assert bounds <= set(oldest)
    assert all(re.fullmatch(r"[\w.-]+==[\d.]+", one) for one in oldest)


def test_a_younger_python_has_the_first_wheels_for_it(compat):
    oldest = compat.packages(compat.Environment("3.13", is_oldest=True, runs_tests=False))
    first = {f"{name}=={version}" for name, version in compat.NO_WHEELS_BEFORE["3.13"].items()}
    assert first <= set(oldest)


def test_each_python_that_is_named_is_tried(compat):
    named = {line.rpartition(" ")[2] for line in PROJECT["classifiers"] if ":: 3." in line}
    assert named == {one.version for one in compat.ENVIRONMENTS}


def test_what_is_tested_there_exists(compat):
    assert all((ROOT / "tests" / name).exists() for name in compat.TESTED)


def test_a_python_that_is_not_here_is_none(compat):
    assert compat.interpreter("3.99") is None


def test_without_a_python_that_is_needed_it_fails_and_names_it(compat, monkeypatch, capsys):
    monkeypatch.setattr(compat, "interpreter", {"3.11": Path(sys.executable)}.get)
    assert compat.main([]) == 1
    said = capsys.readouterr().out
    assert "no Python 3.12 and no Python 3.13 here" in said
    assert "--without 3.12 --without 3.13" in said


def test_what_is_left_out_on_purpose_is_said(compat, monkeypatch, capsys):
    monkeypatch.setattr(compat, "interpreter", {"3.11": Path(sys.executable)}.get)
    monkeypatch.setattr(compat, "compared", lambda place, pythons: 0)
    assert compat.main(["--without", "3.12", "--without", "3.13"]) == 0
    assert capsys.readouterr().out == (
        "nothing was compared: 3.11, oldest read only what it wrote itself; left out: 3.12, 3.13\n"
    )


def test_all_of_them_cannot_be_left_out(compat, capsys):
    with pytest.raises(SystemExit) as ended:
        compat.left_out([word for n in (11, 12, 13) for word in ("--without", f"3.{n}")])
    assert ended.value.code == 2
    assert "leaves no Python to try" in capsys.readouterr().err


def test_the_end_says_whether_all_were_compared(compat):
    all_of_them = compat.ENVIRONMENTS
    assert compat.outcome(all_of_them, [], 0) == "everything is read by all"
    assert compat.outcome(all_of_them, [], 2) == "2 went wrong"
    some = compat.outcome(all_of_them[1:], ["3.11"], 0)
    assert some == "everything is read by all others; left out: 3.11"
