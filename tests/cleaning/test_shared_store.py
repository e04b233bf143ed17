"""One store for several repositories: who has what there, and what nobody may take away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driver import Clone, copy_of, identify
from forked import forked
from stored import PUT

from gitmemo.blobs import home, shared
from gitmemo.blobs.holding import copies
from gitmemo.config import own_settings
from gitmemo.git.repository import locate
from gitmemo.hashing.digest import to_hex

DAY_S = 86_400


def lying(folder: Path) -> set[str]:
    return {to_hex(copy.blob) for copy in copies(folder)}


def own(clone: Clone) -> Path:
    return clone.root / ".git/gitmemo/blobs"


def age(folder: Path, days: float = 30) -> None:
    then = time.time() - days * DAY_S
    for kind in ("packs", "large"):
        for path in folder.glob(f"**/{kind}/**/*"):
            os.utime(path, (then, then))


def shown(clone: Clone) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(forked(clone, "store", "show", "--json").out)
    return found


def standings(clone: Clone) -> list[str]:
    return [each["standing"] for each in shown(clone)["repositories"]]


def gc(clone: Clone, *arguments: str, code: int = 0) -> dict[str, Any]:
    lines = forked(clone, "gc", "--json", *arguments, code=code).out.splitlines()
    summary: dict[str, Any] = json.loads(lines[-1])
    return summary


@pytest.fixture(scope="module")
def apart(ran_template: Clone, tmp_path_factory: pytest.TempPathFactory) -> tuple[Clone, Clone]:
    """Two clones of a project: one has run it, the other has nothing."""
    folder = tmp_path_factory.mktemp("apart")
    one = copy_of(ran_template, folder / "one")
    one.gitmemo("commit")
    return one, cloned(one, folder / "other")


@pytest.fixture
def pair(apart: tuple[Clone, Clone], tmp_path: Path) -> tuple[Clone, Clone, Path]:
    """The same, sharing a store."""
    one, other = (copy_of(clone, tmp_path / clone.root.name) for clone in apart)
    folder = tmp_path / "cache" / "store"
    for clone in (one, other):
        forked(clone, "store", "share", str(folder))
    return one, other, folder


def cloned(clone: Clone, root: Path) -> Clone:
    other = Clone(root, clone.home)
    clone.process("git", "clone", "-q", str(clone.root), str(root))
    identify(other)
    other.gitmemo("init")
    return other


def test_what_one_has_is_there_for_the_other(ran: Clone, tmp_path: Path) -> None:
    forked(ran, "remote", "add", "lab", str(tmp_path / "lab"))
    ran.commit("With results")
    forked(ran, "push")
    before = lying(own(ran))
    folder = tmp_path / "cache" / "store"
    assert "shares" in forked(ran, "store", "share", str(folder)).out
    assert lying(folder) == before and not lying(own(ran))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert ran.is_clean() and ran.run() == (5, 0)
    assert forked(ran, "verify").code == 0

    other = cloned(ran, tmp_path / "other")
    assert other.status()["missing_values"] == len(before)
    forked(other, "store", "share", str(folder))
    assert other.status()["missing_values"] == 0
    pulled = json.loads(forked(other, "pull", "--json").out)
    assert pulled["fetched"] == 0, pulled
    assert other.run() == (5, 0)
    # Values of equal content are stored once, whoever makes them.
    assert ran.run("7") == (1, 2)
    with_seven = lying(folder)
    other.run("7")
    assert lying(folder) == with_seven
    assert len(list(copies(folder))) == len(with_seven)
    found = shown(other)
    assert found["values"] == len(with_seven) and found["shared"] and found["left_behind"] == 0
    assert standings(other) == ["shares", "shares"]
    assert sum(one["this"] for one in found["repositories"]) == 1
    text = forked(ran, "store", "show").out
    assert str(other.root) in text and "(this one)" in text
    # A work tree of a repository shares it too.
    tree = Clone(tmp_path / "tree", ran.home)
    ran.git("worktree", "add", "-q", "-b", "tree", str(tree.root))
    assert tree.run() == (5, 0) and shown(tree)["path"] == str(folder)


def test_gc_in_one_keeps_what_only_the_other_names(
    pair: tuple[Clone, Clone, Path], tmp_path: Path
) -> None:
    """On a branch, in a stash, in a work tree, pending; and takes what neither does."""
    one, other, folder = pair
    base = lying(folder)
    other.git("checkout", "-qb", "branch")
    other.run("11")
    other.gitmemo("commit")
    other.git("checkout", "-qb", "stashed")
    other.run("12")
    other.gitmemo("commit")
    other.git("reset", "-q", "--soft", "HEAD~1")
    other.git("stash", "-q")
    other.git("checkout", "-q", "main")
    tree = Clone(tmp_path / "tree", other.home)
    other.git("worktree", "add", "-q", "-b", "tree", str(tree.root))
    tree.run("13")
    theirs = lying(folder) - base
    assert len(theirs) == 3
    garbage = one.process(sys.executable, "-c", PUT, str(folder), "9", "30000").out.split()
    age(folder)

    assert gc(one, "--yes", "--grace", "0")["values"] == len(garbage)
    assert lying(folder) == base | theirs
    # What only they need is not evicted here, nor what both name.
    age(folder)
    assert gc(one, "--yes", "--older-than", "0")["values"] == 0
    assert lying(folder) == base | theirs
    # There it may be, but for what this one needs.
    assert gc(other, "--older-than", "0")["values"] == len(theirs)
    forked(one, "store", "own")
    assert lying(own(one)) == base and one.run() == (5, 0)
    assert gc(other, "--older-than", "0")["values"] > len(theirs)


def test_a_repository_that_cannot_be_read_stops_it(
    pair: tuple[Clone, Clone, Path], tmp_path: Path
) -> None:
    one, other, folder = pair
    other.run("11")
    theirs = lying(folder)
    age(folder)
    moved = Clone(tmp_path / "moved", other.home)
    other.root.rename(moved.root)
    for arguments in ((), ("--yes", "--grace", "0")):
        done = forked(one, "gc", *arguments, code=4)
        assert str(other.root) in done.err and "store forget" in done.err
    assert lying(folder) == theirs
    assert moved.run("11") == (3, 0)  # registers itself where it is now
    assert gc(one, "--yes", "--grace", "0")["values"] == 0
    assert str(moved.root) in forked(one, "store", "show").out

    # Another repository in its place is not taken for it.
    moved.root.rename(tmp_path / "away")
    impostor = copy_of(one, moved.root)
    forked(impostor, "store", "own", "--abandon", "--yes")
    assert len(shown(one)["repositories"]) == 2  # it had the name of the one it is a copy of
    assert "another repository" in forked(one, "gc", code=4).err
    assert "no repository" in forked(one, "store", "forget", "/nowhere", code=2).err
    assert "would forget" in forked(one, "store", "forget", str(moved.root), "-n").out
    assert "nobody can be asked" in forked(one, "store", "forget", str(moved.root), code=2).err
    forked(one, "store", "forget", str(moved.root), "--yes")
    assert gc(one, "--grace", "0")["values"] == 1
    # It is back, and counts from now on.
    shutil.rmtree(impostor.root)
    (tmp_path / "away").rename(other.root)
    assert other.run("11") == (3, 0)
    assert gc(one, "--yes", "--grace", "0")["values"] == 0
    refused = forked(one, "store", "forget", str(other.root), code=2)
    assert "store own" in refused.err

    # One that shares the store where another one was: only that is forgotten.
    shutil.rmtree(other.root)
    heir = cloned(one, other.root)
    forked(heir, "store", "share", str(folder))
    assert sorted(standings(one)) == ["shares", "shares", "unreadable"]
    forked(one, "store", "forget", str(heir.root), "--yes")
    assert standings(one) == ["shares", "shares"]


def test_damage_in_one_stops_it_in_the_other(pair: tuple[Clone, Clone, Path]) -> None:
    one, other, folder = pair
    other.git("checkout", "-qb", "broken")
    other.write(f".gitmemo/index/1/2020-01/{'b' * 64}.jsonl", "who knows what this named")
    other.git("add", "-A")
    other.process("git", "commit", "-qm", "broken", GITMEMO_SKIP="1")
    other.git("checkout", "-q", "main")
    assert str(other.root) in forked(one, "gc", "--yes", code=4).err
    # So it is with what the folder itself says.
    other.git("branch", "-qD", "broken")
    other.git("reflog", "expire", "--expire=now", "--all")
    assert gc(one)["values"] == 0
    files = sorted((folder / "repositories").iterdir())
    assert len(files) == 2
    for hostile in ("", "[]", '{"common_dir": 7}', '{"common_dir": "x\\u0000y"}', "[" * 9999):
        for path in files:
            path.write_text(hostile)
        assert "damaged" in forked(one, "gc", "--yes", code=4).err
    assert other.run() == (5, 0)
    assert gc(one)["values"] == 0


def test_a_copy_of_a_repository_counts_for_itself(
    pair: tuple[Clone, Clone, Path], tmp_path: Path
) -> None:
    one, other, folder = pair
    twin = copy_of(other, tmp_path / "twin")
    assert twin.run("21") == (1, 2)
    theirs = lying(folder)
    age(folder)
    assert len(shown(one)["repositories"]) == 3
    assert gc(one, "--yes", "--grace", "0")["values"] == 0
    assert lying(folder) == theirs
    forked(twin, "store", "own")
    assert len(shown(one)["repositories"]) == 2
    assert standings(other) == ["shares", "shares"]


def test_a_store_that_is_gone_is_never_an_empty_one(pair: tuple[Clone, Clone, Path]) -> None:
    one, _, folder = pair
    away = folder.with_name("away")
    folder.rename(away)
    folder.mkdir(mode=0o755)  # where it was mounted
    for command in (("run", "pipeline.py"), ("verify",), ("gc",), ("store", "show"), ("pull",)):
        done = forked(one, *command, code=None)
        assert done.code != 0 and str(folder) in done.text and "--abandon" in done.text, command
    assert not list(folder.iterdir())
    # Commits go on: nothing of a store is needed for them.
    one.write("notes.txt", "x")
    one.commit("Without a store")
    folder.rmdir()
    away.rename(folder)
    assert one.run() == (5, 0)
    shutil.rmtree(folder)
    forked(one, "store", "own", "--abandon", "--yes")
    assert one.run()[0] + one.run()[0] > 0
    assert forked(one, "verify").code == 0


def test_only_this_user_may_look_into_it(ran: Clone, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir(mode=0o755)
    refused = forked(ran, "store", "share", str(folder), code=2)
    assert "chmod 700" in refused.err and ran.run() == (5, 0)
    folder.chmod(0o700)
    if os.geteuid() == 0:
        os.chown(folder, 12_345, -1)
        assert "another user" in forked(ran, "store", "share", str(folder), code=2).err
        os.chown(folder, 0, -1)
    (folder / "thesis.tex").write_text("mine")
    assert "other things" in forked(ran, "store", "share", str(folder), code=2).err
    for inside in (ran.root / "store", ran.root / ".git/store"):
        assert "inside" in forked(ran, "store", "share", str(inside), code=2).err
    (folder / "thesis.tex").unlink()
    forked(ran, "store", "share", str(folder))
    folder.chmod(0o770)
    assert "chmod 700" in ran.gitmemo("run", "pipeline.py", code=2).err
    folder.chmod(0o700)
    second = forked(ran, "store", "share", str(tmp_path / "second"), code=2)
    assert "store own" in second.err
    marker = folder / "store.json"
    sound = marker.read_text()
    for hostile in ("", "7", "{}", '{"kind": "gitmemo-store"', "[" * 9999):
        marker.write_text(hostile)
        assert "damaged" in forked(ran, "verify", code=2).err
    marker.write_text('{"kind": "gitmemo-store", "format": 2}')
    assert "upgrade" in forked(ran, "verify", code=4).err
    marker.write_text(sound)
    assert forked(ran, "verify").code == 0


def test_a_commit_cannot_say_where_values_lie(ran: Clone, tmp_path: Path) -> None:
    settings = ran.root / ".gitmemo/config.toml"
    settings.write_text(settings.read_text() + f'\n[store]\npath = "{tmp_path / "theirs"}"\n')
    done = ran.gitmemo("run", "pipeline.py", code=2)
    assert "store share" in done.err
    assert not (tmp_path / "theirs").exists()


def test_trust_is_each_repositorys_own(ran: Clone, tmp_path: Path) -> None:
    """What one pulled and trusts is not trusted in another; the refusal names where it is from."""
    lab = tmp_path / "lab"
    forked(ran, "remote", "add", "lab", str(lab))
    ran.commit("With results")
    forked(ran, "push")
    a, b = clones = [cloned(ran, tmp_path / name) for name in ("a", "b")]
    forked(a, "remote", "trust", "lab")
    forked(a, "pull")
    folder = tmp_path / "store"
    for clone in clones:
        forked(clone, "store", "share", str(folder))
    assert not lying(folder / "self") and not (folder / "self/packs").exists()
    unwrap = (
        "import gitmemo as gm\nfrom pipeline import *\nwith storage:\n"
        "    model, _ = train(load(500), 1)\n    print(type(storage.unwrap(model)).__name__)\n"
    )
    for clone in clones:
        clone.write("show.py", unwrap)
    assert "Model" in a.gitmemo("run", "show.py").out
    # B never pulled: that these values are from the lab is known from the store alone.
    forked(b, "remote", "modify", "lab", "--url", str(tmp_path / "elsewhere"))
    refused = b.gitmemo("run", "show.py", code=None)
    assert refused.code == 6 and str(lab) in refused.text and not refused.out
    # So it is when they have gone to its own folder.
    forked(b, "store", "own")
    shutil.rmtree(folder)
    refused = b.gitmemo("run", "show.py", code=None)
    assert refused.code == 6 and str(lab) in refused.text and not refused.out


HOLD = """
import sys
from pathlib import Path
from gitmemo.blobs import RepositoryBlobs
store = RepositoryBlobs(Path(sys.argv[1]))
store.find(bytes(32))
print("held", flush=True)
sys.stdin.read()
"""


def holding(clone: Clone, folder: Path) -> subprocess.Popen[str]:
    """Start a program that uses a store until its input ends."""
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=clone.env(),
    )
    assert held.stdout is not None and held.stdout.readline() == "held\n"
    return held


def test_nothing_moves_under_a_running_program(ran: Clone, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    before = lying(own(ran))
    with holding(ran, own(ran)) as program:
        assert "running programs" in forked(ran, "store", "share", str(folder), code=5).err
        assert lying(own(ran)) == before and shown(ran)["shared"] is False
        program.communicate()
    forked(ran, "store", "share", str(folder))
    with holding(ran, folder) as program:
        assert ran.run() == (5, 0)  # others may come
        assert "running programs" in forked(ran, "store", "own", code=5).err
        assert shown(ran)["shared"] is True and lying(folder) == before
        program.communicate()
    forked(ran, "store", "own")
    assert lying(own(ran)) == before and ran.run() == (5, 0)
    assert gc(ran)["values"] == 0


LONG = """
import sys
import gitmemo as gm
storage = gm.open()
@gm.op
def fit(n):
    print("computing", flush=True)
    sys.stdin.readline()
    return bytes([n]) * 3000
with storage:
    print(len(storage.unwrap(fit(12))), flush=True)
"""


def test_what_is_computed_while_the_values_move_is_kept(ran: Clone, tmp_path: Path) -> None:
    """The program had looked where they lie, and not yet stored anything: it goes on where they are."""
    ran.write("long.py", LONG)
    folder = tmp_path / "store"
    moves = [(("store", "share", str(folder)), folder), (("store", "own"), own(ran))]
    for number, (move, place) in enumerate(moves):
        ran.write("long.py", LONG.replace("3000", f"{3000 + number}"))
        before = lying(own(ran)) | lying(folder) if folder.exists() else lying(own(ran))
        with subprocess.Popen(
            [sys.executable, "-P", "-m", "gitmemo", "run", "long.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ran.root,
            env={**ran.env(), "GITMEMO_ON_CHANGE": "breaking"},
        ) as program:
            assert program.stdout is not None and program.stdout.readline() == "computing\n"
            forked(ran, *move)
            out, _ = program.communicate("go on\n", timeout=60)
        assert (program.returncode, out) == (0, f"{3000 + number}\n")
        assert len(lying(place) - before) == 1
        assert ran.process(sys.executable, "long.py").out == f"{3000 + number}\n"
    assert forked(ran, "verify").code == 0


def test_who_has_found_nothing_yet_looks_where_values_are(ran: Clone, tmp_path: Path) -> None:
    from gitmemo.blobs.home import repository_blobs
    from gitmemo.git.repository import locate

    reading, writing = (repository_blobs(locate(ran.root)) for _ in range(2))
    forked(ran, "store", "share", str(tmp_path / "store"))
    some = bytes.fromhex(min(lying(tmp_path / "store")))
    found = reading.find(some)  # type: ignore[arg-type]
    assert found is not None and reading.directory == tmp_path / "store"
    writing.put_verified(found.blob, found.codec, [found.read()], "remote:lab")
    assert writing.directory == tmp_path / "store" and not lying(own(ran))


def test_damaged_values_stay_where_they_are(ran: Clone, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    (pack,) = own(ran).glob("self/packs/*.pack")
    data = bytearray(pack.read_bytes())
    data[-3] ^= 1
    pack.write_bytes(data)
    before = lying(own(ran))
    done = forked(ran, "store", "share", str(folder))
    assert "stayed behind" in done.err
    assert len(before - lying(folder)) == 1 and pack.read_bytes() == bytes(data)
    assert shown(ran)["left_behind"] > 0
    assert ran.run() == (5, 0)


def test_large_values_are_linked_not_copied(ran: Clone, tmp_path: Path) -> None:
    size = "200000"
    ran.process(sys.executable, "-c", PUT, str(own(ran)), size)
    (large,) = own(ran).glob("self/large/??/*")
    inode = large.stat().st_ino
    forked(ran, "store", "share", str(tmp_path / "store"))
    (there,) = (tmp_path / "store").glob("self/large/??/*")
    assert there.stat().st_ino == inode and not large.exists()


def test_verify_repairs_in_a_shared_store(pair: tuple[Clone, Clone, Path], tmp_path: Path) -> None:
    one, other, folder = pair
    forked(one, "remote", "add", "lab", str(tmp_path / "lab"))
    forked(one, "push")
    (pack,) = folder.glob("self/packs/*.pack")
    data = bytearray(pack.read_bytes())
    data[-3] ^= 1
    pack.write_bytes(data)
    assert forked(one, "verify", code=4).out
    assert "fetched again" in forked(one, "verify", "--repair").out
    assert forked(other, "verify").code == 0


def test_a_git_folder_without_a_work_tree_counts_as_well(pair: tuple[Clone, Clone, Path]) -> None:
    one, other, folder = pair
    other.run("31")
    other.gitmemo("commit")
    everything = lying(folder)
    age(folder)
    git_folder = other.root / ".git"
    bare = other.root.with_name("bare.git")
    git_folder.rename(bare)
    shutil.rmtree(other.root)
    registration = next(
        path for path in (folder / "repositories").iterdir() if str(git_folder) in path.read_text()
    )
    registration.write_text(registration.read_text().replace(str(git_folder), str(bare)))
    assert gc(one, "--yes", "--grace", "0")["values"] == 0
    one.process("git", "config", "--file", str(bare / "config"), "core.bare", "true")
    assert gc(one, "--yes", "--grace", "0")["values"] == 0
    assert lying(folder) == everything


def test_several_may_begin_at_once(apart: tuple[Clone, Clone], tmp_path: Path) -> None:
    """Three repositories join a store that is not there yet; then one leaves while others use it."""
    one, other = (copy_of(clone, tmp_path / clone.root.name) for clone in apart)
    third = copy_of(other, tmp_path / "third")
    before = lying(own(one))
    folder = tmp_path / "store"
    joining = [
        subprocess.Popen(
            [sys.executable, "-P", "-m", "gitmemo", "store", "share", str(folder)],
            cwd=clone.root,
            env=clone.env(),
            stdout=subprocess.DEVNULL,
        )
        for clone in (one, other, third)
    ]
    assert [process.wait(60) for process in joining] == [0, 0, 0]
    assert len(shown(one)["repositories"]) == 3 and lying(folder) == before

    back = copy_of(one, tmp_path / "back")
    age(folder)
    commands = [("store", "own"), ("gc", "--yes", "--grace", "0"), ("status",), ("verify",)]
    done = [
        subprocess.Popen(
            [sys.executable, "-P", "-m", "gitmemo", *command],
            cwd=clone.root,
            env=clone.env(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for clone, command in zip((back, third, other, one), commands, strict=True)
    ]
    codes = [process.wait(60) for process in done]
    assert codes[0] in (0, 5) and codes[1:] == [0, 0, 0], codes
    assert lying(folder) == before
    assert other.run() == one.run() == back.run() == (5, 0)


def test_who_leaves_while_the_list_is_read_is_no_damage(
    pair: tuple[Clone, Clone, Path],
) -> None:
    """A registration that went since the folder was listed, as `gc` reads while another one leaves."""
    one, other, folder = pair
    listed = shared.sharers(folder)
    first = next(listed)
    staying, leaving = (one, other) if first.root == one.root.resolve() else (other, one)
    forked(leaving, "store", "own")
    assert list(listed) == []
    assert standings(staying) == ["shares"]


def test_a_program_of_one_holds_what_the_other_would_remove(
    pair: tuple[Clone, Clone, Path],
) -> None:
    one, other, folder = pair
    one.process(sys.executable, "-c", PUT, str(folder), "9")
    with holding(other, folder) as program:
        found = gc(one, "--yes", "--grace", "0")
        assert (found["in_use"], found["values"]) == (True, 0)  # younger than the program
        program.kill()
        program.communicate()
    age(folder)
    assert gc(one, "--yes", "--grace", "0")["values"] == 1


def copied(clone: Clone, root: Path) -> Clone:
    """Copy a repository as `cp -r` does: later times of files."""
    shutil.copytree(clone.root, root, symlinks=True, copy_function=shutil.copy)
    return Clone(root, clone.home)


def test_a_second_copy_in_the_place_of_one_that_was_moved(
    pair: tuple[Clone, Clone, Path], tmp_path: Path
) -> None:
    one, other, folder = pair
    scratch = copied(other, tmp_path / "scratch")
    scratch.run("21")
    keep = Clone(tmp_path / "keep", other.home)
    scratch.root.rename(keep.root)
    copied(other, scratch.root).run("22")
    theirs = lying(folder)
    age(folder)
    for arguments in ((), ("--yes", "--grace", "0")):
        assert str(scratch.root) in forked(one, "gc", *arguments, code=4).err
    assert lying(folder) == theirs
    keep.run("21")  # says where it is
    assert gc(one, "--yes", "--grace", "0")["values"] == 0
    assert lying(folder) == theirs and keep.run("21") == (3, 0)


def test_a_backup_in_the_place_of_the_repository(
    pair: tuple[Clone, Clone, Path], tmp_path: Path
) -> None:
    """It has the same name and the same path as the one that was moved away."""
    one, other, folder = pair
    backup = copied(other, tmp_path / "backup")
    other.run("21")
    theirs = lying(folder)
    age(folder)
    old = Clone(tmp_path / "old", other.home)
    other.root.rename(old.root)
    backup.root.rename(other.root)
    assert "another folder" in forked(one, "gc", "--yes", "--grace", "0", code=4).err
    # Also once the backup was used; and gc in the backup itself does not take its place either.
    other.run("22")
    for clone in (one, other):
        assert str(other.root) in forked(clone, "gc", "--yes", "--grace", "0", code=4).err
    assert lying(folder) >= theirs
    old.run("21")
    assert gc(one, "--yes", "--grace", "0")["values"] == 0
    assert lying(folder) >= theirs and standings(one) == ["shares"] * 3


def test_copies_that_begin_at_once_have_one_name(
    pair: tuple[Clone, Clone, Path], tmp_path: Path
) -> None:
    one, other, _ = pair
    twin = copied(other, tmp_path / "twin")
    running = [
        subprocess.Popen(
            [sys.executable, "-P", "-m", "gitmemo", "store", "show"],
            cwd=twin.root,
            env=twin.env(),
            stdout=subprocess.DEVNULL,
        )
        for _ in range(4)
    ]
    assert [process.wait(60) for process in running] == [0] * 4
    assert standings(one) == ["shares"] * 3


def test_a_copy_that_is_stopped_while_it_takes_a_name_stops_no_gc(
    pair: tuple[Clone, Clone, Path], tmp_path: Path
) -> None:
    one, other, folder = pair
    twin = copied(other, tmp_path / "twin")
    steps: list[str] = []

    def only_first(step: Callable[..., None]) -> Callable[..., None]:
        def taken(*arguments: Any) -> None:
            if steps:
                raise KeyboardInterrupt
            steps.append(step.__name__)
            step(*arguments)

        return taken

    layout = locate(twin.root)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(home, "edit_own", only_first(home.edit_own))
        patch.setattr(shared, "register", only_first(shared.register))
        home.keep_registered(layout, folder, own_settings(layout.common_dir).store_id)
    assert len(steps) == 1
    assert gc(one, "--yes", "--grace", "0")["values"] == 0
    assert twin.run() == (5, 0)
    assert standings(one) == ["shares"] * 3


def test_a_store_that_another_one_begins_to_make_is_made_by_both(
    ran: Clone, tmp_path: Path
) -> None:
    folder = tmp_path / "store"
    (folder / "repositories").mkdir(parents=True)
    folder.chmod(0o700)
    (folder / ".gitignore").write_text("*\n")
    begun = folder / "repositories" / "notes.txt"
    begun.touch()  # nobody who makes a store has put something there yet
    assert "it holds other things" in forked(ran, "store", "share", str(folder), code=2).err
    begun.unlink()
    forked(ran, "store", "share", str(folder))
    assert standings(ran) == ["shares"]


def test_without_its_list_of_repositories_nothing_is_removed(
    pair: tuple[Clone, Clone, Path],
) -> None:
    one, other, folder = pair
    other.run("21")
    theirs = lying(folder)
    age(folder)
    listed = folder / "repositories"
    shutil.rmtree(listed)
    for spoil in (lambda: None, listed.touch, lambda: listed.symlink_to(folder.parent)):
        spoil()
        refused = forked(one, "gc", "--yes", "--grace", "0", code=2)
        assert str(listed) in refused.err and "mkdir" in refused.err
        assert lying(folder) == theirs
        listed.unlink(missing_ok=True)
    listed.mkdir(mode=0o700)
    for clone in (other, one):
        assert clone.run() == (5, 0)
    assert gc(one, "--yes", "--grace", "0")["values"] == 0


def test_notes_of_origins_that_are_no_file_are_refused(ran: Clone, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    forked(ran, "remote", "add", "lab", str(tmp_path / "lab"))
    ran.commit("With results")
    forked(ran, "push")
    other = cloned(ran, tmp_path / "other")
    forked(other, "store", "share", str(folder))
    notes = folder / "origins.jsonl"
    elsewhere = tmp_path / "mine.txt"
    elsewhere.write_text("mine\n")
    for spoil in (lambda: os.mkfifo(notes), notes.mkdir, lambda: notes.symlink_to(elsewhere)):
        spoil()
        assert str(notes) in forked(other, "pull", code=2).err
        if notes.is_dir() and not notes.is_symlink():
            notes.rmdir()
        else:
            notes.unlink()
    assert elsewhere.read_text() == "mine\n"
    forked(other, "pull")
    assert str(tmp_path / "lab") in notes.read_text()


def test_a_full_disk_is_an_error_that_helps(ran: Clone, tmp_path: Path) -> None:
    """What is copied is whole or not there; said again with room, it goes on."""
    ran.process(sys.executable, "-c", PUT, str(own(ran)), "8000", "60000")
    before = lying(own(ran))
    folder = tmp_path / "store"
    command = f"ulimit -f 20; exec {sys.executable} -P -m gitmemo store share {folder}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=ran.root, env=ran.env(), capture_output=True, text=True
    )
    # Large values are linked where that is possible; packs are always written.
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert str(folder) in done.stderr and "make room" in done.stderr
    assert lying(own(ran)) == before and not shown(ran)["shared"]
    forked(ran, "store", "share", str(folder))
    assert lying(folder) == before and not lying(own(ran))
    assert forked(ran, "verify").code == 0


def test_what_is_said_of_moved_values(apart: tuple[Clone, Clone], tmp_path: Path) -> None:
    one, other = (copy_of(clone, tmp_path / clone.root.name) for clone in apart)
    folder = tmp_path / "store"
    values = len(lying(own(one)))
    said = forked(one, "store", "share", str(folder)).out
    assert f"moved {values} values" in said and f"{values} values lie in {folder} now" in said
    said = forked(other, "store", "share", str(folder)).out
    assert "moved 0 values" in said and f"{values} values lie in {folder} now" in said
    # What was repaired is not told to be damaged.
    forked(one, "remote", "add", "lab", str(tmp_path / "lab"))
    forked(one, "push")
    (pack,) = folder.glob("self/packs/*.pack")
    data = bytearray(pack.read_bytes())
    data[-3] ^= 1
    pack.write_bytes(data)
    forked(one, "verify", "--repair")
    done = forked(one, "store", "own")
    assert f"copied {values} values" in done.out and not done.err, done.text
    assert f"{values} values lie in {own(one)} now" in done.out
    assert forked(one, "verify").code == 0


def test_gc_says_that_others_need_what_stays(
    pair: tuple[Clone, Clone, Path], tmp_path: Path
) -> None:
    one, other, folder = pair
    values = len(lying(folder))
    for arguments in (("--max-size", "0"), ("--older-than", "0")):
        code = 1 if "--max-size" in arguments else 0
        said = forked(one, "gc", *arguments, code=code).err
        assert "other repositories" in said and "nothing else is on the remote" not in said
        found = gc(one, *arguments, code=code)
        assert 0 < found["needed_elsewhere"] <= values
    forked(other, "store", "own")
    assert "other repositories" not in forked(one, "gc", "--older-than", "0").text
    assert gc(one, "--older-than", "0")["needed_elsewhere"] == 0
