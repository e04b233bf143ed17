"""Everything that people do with git: no call is lost, nothing is dirty, the world is the model's."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pygit2
import pytest
from driver import Clone, identify
from git_life import PATHS, Life, at

import gitmemo as gm
from gitmemo import errors
from gitmemo.workspace import find

IS_DEEP = os.environ.get("GITMEMO_TEST_PROFILE") == "deep"


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    life = Life(tmp_path)
    yield life
    life.close()


def test_every_way_to_commit(life: Life) -> None:
    assert life.run(1) == 2
    life.check()
    life.edit("one", 1)
    life.run(1)
    life.commit("-a")
    life.check()
    life.edit("one", 2)
    life.edit("two", 2)
    life.run(1, 3)
    life.git("add", "-A")
    life.commit(PATHS["two"])
    life.git("stash", "-q")
    life.git("stash", "pop", "-q")
    life.commit("-a", "--amend")
    life.check()
    life.edit("two", 0)
    life.run(3)
    for how in ("--no-verify", "skip", "libgit2"):
        life.commit_without_hooks(how)
        life.check(runs=False)
    life.check_everything()


def test_commits_that_git_gives_up(life: Life) -> None:
    life.run(1)
    for how in ("editor", "hook"):
        life.edit("one", 1)
        life.run(3)
        life.abort_commit(how)
    life.clone.gitmemo("status")
    assert life.git("status", "--porcelain", "-z") == f"M  {PATHS['one']}\0"
    life.abort_commit("editor")
    life.git("stash", "-q")
    life.check()
    life.git("stash", "pop", "-q", "--index")
    life.commit("-a")
    life.check()
    life.check_everything()


def test_merges_of_all_kinds(life: Life) -> None:
    life.run(1)
    life.commit()
    life.git("switch", "-q", "-c", "ä", "main")
    life.edit("one", 1)
    life.run(1, 2)
    life.commit("-a")
    life.merge("main", "--ff-only")
    life.git("switch", "-q", "-c", "ff", "main")
    life.run(3)
    life.merge("ä", "--ff-only")
    life.check()
    life.git("switch", "-q", "-c", "real", "main")
    life.edit("two", 1)
    life.run(1)
    life.commit("-a")
    life.merge("ä", "--no-ff")
    life.check()
    life.git("switch", "-q", "-c", "squashed", "main")
    life.squash("real")
    life.check()
    life.git("switch", "-q", "-c", "fourth", "main")
    life.run(3)
    life.commit()
    life.git("switch", "-q", "-c", "octopus", "main")
    life.edit("two", 2)
    life.run(1)
    life.commit("-a")
    files = frozenset().union(*(life.trees[life.head(x)] for x in ("HEAD", "ä", "fourth")))
    life.git("merge", "-q", "--no-edit", "ä", "fourth")
    life.moved(files)
    assert len(life.git("rev-parse", "HEAD^@").split()) == 3
    life.check()
    life.check_everything()


def test_commits_that_are_made_again(life: Life) -> None:
    life.run(1)
    life.commit()
    life.git("switch", "-q", "-c", "side")
    for variant in (1, 2):
        life.edit("two", variant)
        life.run(variant)
        life.commit("-a")
    life.git("switch", "-q", "main")
    life.edit("one", 1)
    life.run(2)
    life.commit("-a")
    for backend in ("--merge", "--apply"):
        life.git("switch", "-q", "-C", f"rebased{backend}", "side")
        life.run(3)
        life.rebase("main", backend)
        life.check()
    life.git("switch", "-q", "-c", "picked", "main")
    life.pick("side~1")
    life.check()
    life.mail("side")
    life.check()
    life.pick("HEAD~1", reverted=True)
    life.check()
    life.pick("HEAD", reverted=True)
    life.check()
    life.check_everything()


def test_what_throws_work_away(life: Life) -> None:
    life.run(1)
    life.commit()
    life.edit("one", 1)
    life.run(1, 2)
    life.git("stash", "push", "-q", "-u")
    life.check()
    life.git("stash", "pop", "-q")
    life.run(3)
    life.commit("-a")
    life.git("reset", "-q", "--hard", "HEAD~1")
    life.check()
    life.edit("two", 1)
    life.run(2)
    life.git("reset", "-q", "--hard")
    life.clone.write("junk/file.txt", "junk")
    life.git("clean", "-q", "-fdx")
    life.check()
    life.git("bisect", "start", "-q", "HEAD@{1}", "HEAD")
    life.check()
    life.git("bisect", "reset")
    life.check()
    life.git("switch", "-q", "--detach")
    life.edit("two", 2)
    life.run(1)
    life.commit("-a")
    life.check()
    life.git("switch", "-q", "main")
    life.git("reflog", "expire", "--expire=all", "--all")
    life.git("gc", "-q", "--prune=now")
    life.homeless |= life.computed  # what only dropped commits had waits again
    life.check()
    life.check_everything()


def test_work_trees_and_orphans(life: Life) -> None:
    life.run(1)
    life.commit()
    life.run(3)
    linked = at(life, life.add_worktree("linked treé", "-b", "linked"))
    linked.edit("one", 1)
    linked.run(1, 2)
    linked.commit("-a")
    linked.check()
    linked.run(3)
    life.leave(linked)
    life.check()
    life.git("switch", "-q", "linked")
    life.check()
    life.git("switch", "-q", "--orphan", "orphan")
    life.git("checkout", "main", "--", *PATHS.values(), ".gitmemo/config.toml")
    life.edit("two", 2)
    life.run(1)
    life.git("add", "-A")
    life.commit()
    life.check(runs=False)
    life.git("switch", "-q", "main")
    life.merge("orphan", "--allow-unrelated-histories")
    life.check()
    life.check_everything()


def test_merging_results_gives_one_world_in_either_order_and_program(life: Life) -> None:
    life.run(1)
    life.commit()
    for branch, inputs in (("left", (1, 2)), ("right", (2, 3))):
        life.git("switch", "-q", "-c", branch, "main")
        life.run(*inputs)
        life.commit()
    repository = pygit2.Repository(str(life.clone.root))
    left, right = (repository.revparse_single(name).id for name in ("left", "right"))
    trees = set()
    for ours, theirs in ((left, right), (right, left)):
        index = repository.merge_commits(ours, theirs)
        assert index.conflicts is None
        trees.add(str(index.write_tree(repository)))
        life.git("switch", "-q", "--detach", str(ours))
        life.merge(str(theirs))
        trees.add(life.git("rev-parse", "HEAD^{tree}"))
        life.check(runs=False)
        assert life.run(1, 2, 3) == 0
    assert len(trees) == 1


def test_results_that_both_branches_reverted_merge_without_looking_for_renames(life: Life) -> None:
    life.run(1, 2, 3)
    life.commit()
    results = life.head()
    for branch, inputs in (("left", (1, 2)), ("right", (2, 3))):
        life.git("switch", "-q", "-c", branch, results)
        life.clone.write(f"{branch}.txt", branch)
        life.git("add", "-A")
        life.commit_without_hooks("--no-verify")
        life.pick(results, reverted=True)
        life.run(*inputs)
        life.commit()
    life.merge("left")
    assert life.committed() == {("one", 10 * x) for x in (1, 2, 3)} | {
        ("two", 100 * x) for x in (1, 2, 3)
    }
    life.check()


def test_clones_of_all_kinds(life: Life, tmp_path: Path) -> None:
    life.run(1)
    life.commit()
    life.edit("one", 1)
    life.run(1, 2)
    life.commit("-a")
    life.git("config", "uploadpack.allowFilter", "true")
    url = life.clone.root.as_uri()
    for kind, options in {
        "shallow": ("--depth", "1"),
        "partial": ("--filter=blob:none",),
        "treeless": ("--filter=tree:0", "--single-branch"),
    }.items():
        theirs = at(life, tmp_path / f"{kind} clone")
        life.clone.process(
            "git", "clone", "-q", *options, url, str(theirs.clone.root), cwd=tmp_path
        )
        identify(theirs.clone)
        theirs.git("config", "core.hooksPath", "nowhere")
        assert theirs.world() == life.committed()
        assert theirs.run(1, 2) == 0
        assert theirs.git("status", "--porcelain") == ""


def test_bare_repositories_and_git_folders_elsewhere(life: Life, tmp_path: Path) -> None:
    life.run(1)
    life.commit()
    life.edit("two", 1)
    life.run(1)
    there = (f"--git-dir={life.clone.root / '.git'}", f"--work-tree={life.clone.root}")
    must, may = life.pending()
    life.git(*there, "commit", "-q", "-a", "-m", "From elsewhere", cwd=tmp_path)
    life.took(life.trees[life.head("HEAD~1")], must, may)
    life.check()
    bare, url = tmp_path / "bare.git", life.clone.root.as_uri()
    life.clone.process("git", "clone", "-q", "--bare", url, str(bare), cwd=tmp_path)
    with pytest.raises(errors.GitmemoError) as caught:
        gm.open(bare)
    assert "bare" in str(caught.value)
    done = Clone(bare, tmp_path).gitmemo("status", code=None)
    assert done.code in (2, 3)
    assert "Traceback" not in done.err
    assert "bare" in done.err
    tree = at(life, tmp_path / "tree of bare")
    Clone(bare, tmp_path).git("worktree", "add", "-q", str(tree.clone.root), "-b", "tree")
    identify(tree.clone)
    tree.clone.gitmemo("hook", "install")
    assert tree.run(1) == 0
    tree.edit("one", 1)
    tree.computed.clear()  # there
    tree.run(2)
    tree.commit("-a")
    tree.check(runs=False)


def test_a_submodule_is_a_repository_of_its_own(life: Life, tmp_path: Path) -> None:
    life.run(1)
    life.commit()
    outer = Clone(tmp_path / "outer", tmp_path)
    outer.process("git", "init", "-q", "-b", "main", str(outer.root), cwd=tmp_path)
    identify(outer)
    outer.gitmemo("init")
    allowed = ("-c", "protocol.file.allow=always")
    outer.git(*allowed, "submodule", "add", "-q", str(life.clone.root), "inner é")
    inner = at(life, outer.root / "inner é")
    identify(inner.clone)
    inner.clone.gitmemo("hook", "install")
    outer.commit("Begin")
    assert inner.run(1) == 0
    assert outer.is_clean()
    inner.edit("two", 1)
    inner.run(1)
    inner.commit("-a")
    inner.check()
    assert outer.git("status", "--porcelain", "-z") == " M inner é\0"
    outer.commit("Move the submodule")
    assert outer.calls_in() == 0
    outer.git("submodule", "update", "-q", "--init")
    inner.check()


ODD = """\
import gitmemo as gm
from Lib import größe as other_größe

ODD_NAMES = {names!r}


@gm.op
def Fit(x):
    return größe(x) + other_größe(x)


@gm.op
def fit(x):
    return größe(x) + Cache().lock(x)


def größe(x):
    return x + {number}


class Cache:
    def lock(self, x):
        return x


def with_name(name):
    @gm.op(name=name)
    def odd(x):
        return größe(x) * len(name)

    return odd


if __name__ == "__main__":
    with gm.open():
        for op in [Fit, fit, *map(with_name, ODD_NAMES)]:
            op(1)
"""
ODD_NAMES = [
    "two words",
    "Two Words",
    "é",
    "e\u0301",
    "x.lock",
    "a..b",
    "@{u}",
    "~^:?*[\\",
    "-x",
    "/",
    ".",
]
ODD_BRANCHES = [
    "side",
    "Ünï/cödé",
    "a,b;c&d",
    "-".join(["long"] * 30),
    "@work",
    "x.y",
    "HEAD2",
    "main-",
]


def test_odd_names_of_ops_files_and_branches(begun: Clone) -> None:
    paths = ("lib.py", "Lib.py", "dïr with space/Fit.py", "dïr with space/fit.py", "x.lock/a..b.py")
    for number, path in enumerate(paths):
        names = ODD_NAMES if number == len(paths) - 1 else []
        begun.write(path, ODD.format(names=names, number=number))
    for path in ("lib.py", "Lib.py"):
        begun.write(path, "def größe(x):\n    return x\n")
    begun.commit("Odd")
    odd = paths[2:]
    calls = 2 + len(ODD_NAMES)
    branches = iter(ODD_BRANCHES)
    for path in odd:
        begun.git("switch", "-q", "-c", next(branches))
        done = begun.gitmemo(
            "run",
            path,
            PYTHONPATH=os.pathsep.join(
                [str(begun.root), *filter(None, [begun.env().get("PYTHONPATH")])]
            ),
        )
        assert done.counted == (0, calls if path == odd[-1] else 2), done.text
    begun.gitmemo("commit")
    for branch in branches:
        begun.git("switch", "-q", "-c", branch)
    assert begun.calls_in() == calls + 2 * 2
    assert begun.is_clean()
    assert begun.process("git", "fsck", "--strict", "--no-dangling").text == ""
    assert begun.git("for-each-ref", "refs/gitmemo/fn").count("\n") > calls
    workspace = find(begun.root)
    assert set(ODD_NAMES) <= set(workspace.world.ops())
    workspace.world.close()


@pytest.mark.skipif(sys.platform == "win32", reason="git cannot replace files that are open")
def test_git_tidies_up_all_the_while(life: Life) -> None:
    commands = (
        ("gc", "-q"),  # with `--prune=now` even `git add` may lose what it is about to name
        ("pack-refs", "--all", "--prune"),
        ("maintenance", "run", "--quiet", "--task=loose-objects", "--task=incremental-repack"),
        ("-c", "gc.auto=1", "gc", "-q", "--auto"),
    )
    ended = threading.Event()
    failed: list[str] = []

    def tidy() -> None:
        while not ended.is_set():
            for command in commands:
                done = life.clone.process("git", *command, code=None)
                if done.code and "lock" not in done.err and "already running" not in done.err:
                    failed.append(done.text)

    thread = threading.Thread(target=tidy)
    thread.start()
    try:
        for number in range(40 if IS_DEEP else 2):
            life.edit("one", number % 3)
            life.edit("two", number // 3 % 3)
            life.run(1 + number // 9, 2)
            life.commit("-a")
            life.git("switch", "-q", "-c", f"step-{number}")
    finally:
        ended.set()
        thread.join()
    assert not failed
    life.check(runs=False)
    life.check_everything()
    heads = life.git("for-each-ref", "refs/gitmemo/fn").splitlines()
    assert len(heads) == len(PATHS)
    assert life.clone.gitmemo("verify").code == 0
