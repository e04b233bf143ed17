"""The whole way in repositories that libgit2 cannot open, with names that git has rules about."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.driver import Clone, identify

SCRIPT = "my größe.lock.py"
CODE = """\
import sys

import gitmemo as gm


@gm.op
def fit(n):
    return n + 1


@gm.op
def Fit(n):
    return n + 2


@gm.op
def größe(n):
    return n + 3


@gm.op
def lock(n):
    return n + 4


class Cache:
    @staticmethod
    @gm.op
    def lock(n):
        return n + 5


if __name__ == "__main__":
    with gm.open():
        for op in (fit, Fit, größe, lock, Cache.lock):
            op(1)
"""


def made(root: Path, home: Path, *options: str) -> Clone:
    root.mkdir()
    clone = Clone(root, home)
    if clone.process("git", "init", "-q", "-b", "main", *options, code=None).code:
        pytest.skip(f"this git does not know {options}")
    identify(clone)
    return clone


@pytest.mark.parametrize("option", ["--object-format=sha256", "--ref-format=reftable"])
def test_the_whole_way(tmp_path: Path, option: str) -> None:
    ours = made(tmp_path / "ours", tmp_path, option)
    ours.write(SCRIPT, CODE)
    ours.gitmemo("init")
    assert ours.gitmemo("run", SCRIPT).counted == (0, 5)
    assert "5 calls in this commit" in ours.commit("results")
    assert ours.is_clean()
    ours.git("switch", "-qc", "side")
    ours.change("n + 1", "n + 10", SCRIPT)
    assert ours.gitmemo("run", SCRIPT).counted == (4, 1)
    ours.commit("change", GITMEMO_ON_CHANGE="breaking")
    assert [row["fit"] for row in ours.rows("fit", "--rev", "main")] == [2]
    views = ours.git("for-each-ref", "--format=%(refname)", "refs/gitmemo/fn/").splitlines()
    assert len({view.lower() for view in views}) == len(views) >= 5
    shown = ours.git("log", "--no-walk", "--format=%(trailers)", *views)
    for unit in ("fit", "Fit", "größe", "lock", "Cache.lock"):
        assert shown.count(f"Gitmemo-Component: {SCRIPT}:{unit}\n") == 1, unit
    ours.git("pack-refs", "--all")
    made(tmp_path / "hub.git", tmp_path, "--bare", option)
    ours.git("remote", "add", "origin", str(tmp_path / "hub.git"))
    ours.git("push", "-q", "origin", "main", "side")
    assert "function histories sent" in ours.gitmemo("push").out
    other = made(tmp_path / "other", tmp_path, option)
    other.git("remote", "add", "origin", str(tmp_path / "hub.git"))
    other.git("pull", "-q", "origin", "side")
    other.gitmemo("pull")
    assert other.gitmemo("run", SCRIPT).counted == (5, 0)
    refs = ("for-each-ref", "refs/gitmemo/")
    assert other.git(*refs) == ours.git(*refs)
    assert other.is_clean()
    assert other.git("fsck", "--strict", "--no-dangling") == ""
