"""A project whose results depend on a package, a variable and data files, through git."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from driver import Clone, make_clone

SCRIPT = """\
import os
from pathlib import Path

import gitmemo as gm


@gm.op(env="MODEL_DIR")
def read(n):
    return (Path(__file__).with_name("data") / "vocab.txt").read_text() * n


@gm.op(files="local.txt")
def local(n):
    return n


if __name__ == "__main__":
    storage = gm.open()
    with storage:
        print(storage.unwrap(read(2)).replace("\\n", " "))
        local(1)
"""
DEPENDS = '\n[depends]\npackages = ["Demo.Pkg"]\nfiles = ["data/vocab.txt"]\n'


def install(clone: Clone, version: str) -> None:
    """Install a version of the distribution Demo.Pkg where this person's programs look."""
    site = clone.root.parent / "site"
    site.mkdir(exist_ok=True)
    for info in site.glob("*.dist-info"):
        info.rename(site / f"Demo_Pkg-{version}.dist-info")
    info = site / f"Demo_Pkg-{version}.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: Demo.Pkg\nVersion: {version}\n")


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A repository that names what its results depend on; everything is run and committed."""
    clone = make_clone(tmp_path / "repo", tmp_path)
    clone.variables["PYTHONPATH"] = f"{tmp_path / 'site'}:{Path(__file__).parents[2]}"
    install(clone, "1.0")
    clone.write("main.py", SCRIPT)
    clone.write("data/vocab.txt", "a\n")
    clone.write("local.txt", "ignored by git\n")
    clone.write(".gitignore", "__pycache__/\nlocal.txt\n")
    clone.gitmemo("init")
    config = clone.root / ".gitmemo/config.toml"
    config.write_text(config.read_text() + DEPENDS)
    clone.commit("Begin")
    assert run(clone) == (0, 2)
    clone.commit("Results", "--allow-empty")
    assert run(clone) == (2, 0)
    return clone


def run(clone: Clone, **variables: str) -> tuple[int, int]:
    return clone.gitmemo("run", "main.py", **variables).counted


def undecided(clone: Clone, **variables: str) -> dict[str, str]:
    """Return the diffs of what is undecided, by component."""
    lines = clone.gitmemo("decide", "--json", **variables).out.splitlines()
    return {item["component"]: "\n".join(item["diff"]) for item in map(json.loads, lines)}


def test_everything_named_is_in_every_version(clone: Clone) -> None:
    versions = [json.loads(line) for line in clone.committed() if line.startswith('["version"')]
    named = [{path: [unit for unit, *_ in units] for path, units in v[2]} for v in versions]
    assert len(named) == 2
    for paths in named:
        assert paths["package"] == ["demo-pkg"]
        assert "data/vocab.txt" in paths["file"]
    assert sorted("env" in paths for paths in named) == [False, True]


def test_a_changed_package_is_pending_until_somebody_decides(clone: Clone) -> None:
    install(clone, "1.1")
    assert "package demo-pkg changed; nobody has decided" in clone.gitmemo("why", "read", "n=2").out
    assert undecided(clone) == {"package:demo-pkg": "@@ -1 +1 @@\n-demo-pkg==1.0\n+demo-pkg==1.1"}
    assert clone.status()["undecided"] == ["package:demo-pkg"]
    clone.gitmemo("decide", "package:demo-pkg", "--non-breaking", "-m", "only a fix")
    assert undecided(clone) == {}
    assert run(clone) == (2, 0)
    clone.commit("Decided", "--allow-empty")
    refs = clone.git("for-each-ref", "--format=%(refname)", "refs/gitmemo/fn").split()
    (ref,) = [ref for ref in refs if ref.endswith("/demo-pkg")]
    log = clone.git("log", "-p", ref)
    assert "only a fix" in log
    assert "+demo-pkg==1.0" in log
    assert "+demo-pkg==1.1" in log


def test_another_package_makes_new_results_and_the_old_one_finds_its_own(clone: Clone) -> None:
    install(clone, "1.1")
    assert run(clone) == (0, 2)
    install(clone, "1.0")
    assert run(clone) == (2, 0)


def test_the_hook_says_nothing_of_what_it_cannot_know(clone: Clone) -> None:
    """Its Python and its environment may be others than those of the programs."""
    install(clone, "2.0")
    clone.variables["MODEL_DIR"] = "/elsewhere"
    said = clone.commit("Nothing changed here", "--allow-empty", GITMEMO_ON_CHANGE="error")
    assert "demo-pkg" not in said
    assert clone.calls_in() == 2


def test_no_value_of_a_variable_is_written(clone: Clone) -> None:
    assert run(clone, MODEL_DIR="sesame-open-sesame") == (1, 1)
    assert set(undecided(clone, MODEL_DIR="sesame-open-sesame")) == {"env:MODEL_DIR"}
    assert undecided(clone) == {}  # a shell in which it is not set says nothing
    clone.commit("More", "--allow-empty")
    stored = b"".join(p.read_bytes() for p in (clone.root / ".git").rglob("*") if p.is_file())
    text = clone.git("log", "-p", "--all", "--glob=refs/gitmemo")
    assert "MODEL_DIR=" in text
    assert "sesame" not in text
    assert b"sesame" not in stored


def test_a_changed_file_is_a_change_of_the_commit(clone: Clone) -> None:
    clone.write("data/vocab.txt", "b\n")
    assert set(undecided(clone)) == {"file:data/vocab.txt"}
    assert run(clone) == (0, 2)
    assert "file:data/vocab.txt" in clone.gitmemo("commit", code=None).err
    clone.commit("Other words")
    assert run(clone) == (2, 0)
    rows = clone.rows("read", "--rev", "HEAD~1")
    assert [row["read"] for row in rows] == ["a\na\n"]
    clone.git("checkout", "-q", "HEAD~1")
    assert run(clone) == (2, 0)


def test_a_file_that_git_ignores_is_not_missed_elsewhere(clone: Clone, tmp_path: Path) -> None:
    clone.git("clone", "-q", str(clone.root), str(tmp_path / "copy"))
    copy = Clone(tmp_path / "copy", clone.home, clone.variables)
    copy.gitmemo("hook", "install")
    rows = copy.rows("local")
    assert [row["local"] for row in rows] == [1]


def test_a_pointer_to_large_data_is_not_taken_for_the_data(clone: Clone) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 2\n"
    blob = clone.process("git", "hash-object", "-w", "--path=x", str(clone.write("p", pointer)))
    (clone.root / "p").unlink()
    clone.git("update-index", "--cacheinfo", f"100644,{blob.out.strip()},data/vocab.txt")
    clone.git("commit", "-q", "-m", "Data in LFS", "--no-verify")
    assert [row["read"] for row in clone.rows("read", "--rev", "HEAD")] == ["a\na\n"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('packages = ["demo pkg"]', "depends.packages"),
        ('files = ["/etc/passwd"]', "depends.files"),
        ("env = [1]", "depends.env"),
        ('package = ["numpy"]', "packages, env, files"),
    ],
)
def test_names_in_the_settings_are_checked(clone: Clone, table: str, said: str) -> None:
    config = clone.root / ".gitmemo/config.toml"
    config.write_text(config.read_text().replace(DEPENDS, f"\n[depends]\n{table}\n"))
    done = clone.gitmemo("run", "main.py", code=None)
    assert done.code != 0
    assert said in done.err


def test_a_package_of_the_settings_that_is_not_installed_is_refused(clone: Clone) -> None:
    config = clone.root / ".gitmemo/config.toml"
    config.write_text(config.read_text().replace("Demo.Pkg", "demo-pkk"))
    assert run(clone) == (2, 0)  # what is stored was made without it
    clone.change("return n\n", "return n + 1\n", "main.py")
    done = clone.gitmemo("run", "main.py", code=None)
    assert "there is no package demo-pkk, which `depends` in .gitmemo/config.toml" in done.err
    assert "did you mean demo-pkg?" in done.err
