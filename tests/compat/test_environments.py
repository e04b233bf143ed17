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
