"""Two readers of git objects, compared with each other and with git."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmemo.errors import GitFailed, MissingObject
from gitmemo.git.cli import Git
from gitmemo.git.formats import TreeEntry, encode_tree, object_id, parse_commit, parse_tree
from gitmemo.git.objects import (
    DulwichReader,
    ObjectReader,
    Pygit2Reader,
    ancestors,
    open_reader,
)
from gitmemo.git.repository import Layout, locate


def grow(folder: Path) -> None:
    """Make a history with a merge, odd names, a link, an executable and empty files."""
    git = Git(folder)
    (folder / "pkg/ü b").mkdir(parents=True)
    (folder / "pkg/a.py").write_text("a = 1\n")
    (folder / "pkg/ü b/c.py").write_text("c = 1\r\n")
    (folder / "pkg.py").write_text("")
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o755)
    (folder / "link").symlink_to("run")
    git.run("add", ".")
    git.run("commit", "-q", "-m", "ä first\n\nbody")
    git.run("checkout", "-q", "-b", "side")
    (folder / "pkg/a.py").write_text("a = 2\n")
    git.run("commit", "-q", "-am", "side")
    git.run("checkout", "-q", "main")
    (folder / "pkg/d.py").write_text("d = 1\n")
    git.run("add", ".")
    git.run("commit", "-q", "-m", "main")
    git.run("merge", "-q", "--no-edit", "side")
    git.run("tag", "-a", "v1", "-m", "tagged")


def normal(folder: Path) -> Layout:
    return locate(folder)


def packed(folder: Path) -> Layout:
    Git(folder).run("gc", "-q")
    return locate(folder)


def worktree(folder: Path) -> Layout:
    Git(folder).run("worktree", "add", "-q", "--detach", "../linked tree")
    return locate(folder.parent / "linked tree")


def shallow(folder: Path) -> Layout:
    Git(folder.parent).run("clone", "-q", "--depth=2", folder.as_uri(), "shallow")
    return locate(folder.parent / "shallow")


def bare(folder: Path) -> Layout:
    Git(folder.parent).run("clone", "-q", "--bare", str(folder), "bare.git")
    return locate(folder.parent / "bare.git")


def partial(folder: Path) -> Layout:
    Git(folder).run("config", "uploadpack.allowFilter", "true")
    Git(folder).run("config", "uploadpack.allowAnySHA1InWant", "true")
    Git(folder.parent).run(
        "clone", "-q", "--no-checkout", "--filter=blob:none", folder.as_uri(), "partial"
    )
    return locate(folder.parent / "partial")


def borrowed(folder: Path) -> Layout:
    Git(folder.parent).run("clone", "-q", "--shared", str(folder), "borrowed")
    return locate(folder.parent / "borrowed")


def answers(reader: ObjectReader) -> list[object]:
    """Ask a reader everything."""
    commit = reader.resolve("HEAD")
    assert commit is not None
    files = reader.list(commit)
    return [
        commit,
        reader.resolve("v1"),
        reader.resolve("HEAD~1"),
        reader.resolve("no such rev"),
        reader.resolve("--help"),
        files,
        [reader.blob(oid) for _, oid in files],
        [reader.read(commit, path) for path, _ in files],
        reader.list(commit, "pkg"),
        reader.list(commit, "pkg/ü b/"),
        reader.list(commit, "pkg/a.py"),
        reader.list(commit, "none"),
        reader.read(commit, "link"),
        reader.read(commit, "pkg"),
        reader.read(commit, "pkg/none"),
        reader.read(commit, "pkg/a.py/none"),
        reader.commit(commit),
        reader.tree(reader.commit(commit).tree),
        list(reader.walk(commit)),
        ancestors(reader, commit),
    ]


@pytest.mark.parametrize("shape", [normal, packed, worktree, shallow, bare, partial, borrowed])
def test_both_readers_agree_in_every_shape(repo: Path, shape: Callable[[Path], Layout]) -> None:
    grow(repo)
    layout = shape(repo)
    one, other = Pygit2Reader(layout), DulwichReader(layout)
    try:
        assert answers(one) == answers(other)
    finally:
        one.close()
        other.close()


@pytest.mark.parametrize("kind", [Pygit2Reader, DulwichReader])
def test_a_reader_agrees_with_git(repo: Path, kind: type[Pygit2Reader | DulwichReader]) -> None:
    grow(repo)
    git, reader = Git(repo), kind(locate(repo))
    commit = reader.resolve("HEAD")
    assert commit == git.run("rev-parse", "HEAD")
    paths = [path for path, _ in reader.list(commit)]
    listed = git.run("ls-tree", "-r", "-z", "--name-only", "HEAD").rstrip("\0").split("\0")
    assert paths == sorted(set(listed) - {"link"})
    assert reader.read(commit, "pkg/ü b/c.py") == b"c = 1\r\n"
    walked = [info.oid for info in reader.walk(commit)]
    assert sorted(walked) == sorted(git.run("rev-list", "HEAD").splitlines())
    position = {oid: at for at, oid in enumerate(walked)}
    assert all(position[i.oid] < position[p] for i in reader.walk(commit) for p in i.parents)
    assert reader.commit(commit).message == git.run("log", "-1", "--format=%B") + "\n"
    reader.close()


@pytest.mark.parametrize("kind", [Pygit2Reader, DulwichReader])
def test_what_is_missing_or_something_else_is_named(
    repo: Path, kind: type[Pygit2Reader | DulwichReader]
) -> None:
    grow(repo)
    reader = kind(locate(repo))
    commit = reader.resolve("HEAD")
    assert commit is not None
    tree = reader.commit(commit).tree
    blob = reader.list(commit)[0][1]
    for wrong in (
        lambda: reader.blob(tree),
        lambda: reader.commit(blob),
        lambda: reader.tree(commit),
    ):
        with pytest.raises(MissingObject):
            wrong()
    for oid in ("0" * 40, "f" * 40, "../../etc", "x"):
        with pytest.raises(MissingObject):
            reader.blob(oid)
    reader.close()


def test_a_reader_sees_what_other_processes_write_and_pack_later(repo: Path) -> None:
    grow(repo)
    for kind in (Pygit2Reader, DulwichReader):
        reader = kind(locate(repo))
        first = reader.resolve("HEAD")
        assert first is not None
        reader.list(first)
        Git(repo).run("commit", "-q", "--allow-empty", "-m", "later")
        Git(repo).run("gc", "-q", "--prune=now")
        later = reader.resolve("HEAD")
        assert later is not None
        assert reader.commit(later).message == "later\n"
        reader.close()


@pytest.mark.parametrize("option", ["--object-format=sha256", "--ref-format=reftable"])
def test_sha256_and_reftable_are_read_by_dulwich(
    make_repo: Callable[..., Path], option: str
) -> None:
    try:
        folder = make_repo("other", option)
    except GitFailed:
        pytest.skip(f"this git does not know {option}")
    grow(folder)
    reader, git = open_reader(locate(folder)), Git(folder)
    assert isinstance(reader, DulwichReader)
    for _ in ("loose", "packed"):
        commit = reader.resolve("HEAD")
        assert commit == git.run("rev-parse", "HEAD")
        assert reader.read(commit, "pkg/a.py") == b"a = 2\n"
        assert len(list(reader.walk(commit))) == 4
        assert [oid for _, oid in reader.list(commit)] == [
            line.split()[2]
            for line in git.run("ls-tree", "-r", "HEAD").splitlines()
            if not line.startswith("120000")
        ]
        git.run("gc", "-q")
    reader.close()


def test_what_libgit2_can_open_is_read_by_it(repo: Path) -> None:
    assert isinstance(open_reader(locate(repo)), Pygit2Reader)


def literal(folder: Path, kind: str, body: bytes) -> str:
    done = subprocess.run(
        ["git", "hash-object", "-w", "-t", kind, "--literally", "--stdin"],
        cwd=folder, input=body, capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout.decode().strip()


def test_odd_commits_are_read_alike_and_as_git_reads_them(repo: Path) -> None:
    git, tree = Git(repo), Git(repo).run("mktree")
    top = f"tree {tree}\n".encode()
    people = b"author A <e> 100 +0000\ncommitter C <e> 200 +0000\n"
    bodies = {
        "latin": b"author J\xe9 <e> 1 +0200\ncommitter J <e> 2 -0130\nencoding ISO-8859-1\n\nm\xe9\n",
        "japanese": b"author \x93\xfa <e> 1 +0000\ncommitter J <e> 2 +0000\nencoding Shift_JIS\n\n\x93\xfa\n",
        "no codec": people + b"encoding cp999\n\n\xc3\xa4\n",
        "no text": people + b"encoding zip\n\n\xc3\xa4\n",
        "neither": people + b"\n\xff\xc3\xa4\n",
        "no name": b"author <e> 1 +0000\ncommitter <e> 2 +0000\n\nm\n",
        "angles": b"author A <B> <e> 1 +0000\ncommitter C <D> <e> 200 +0000\n\nm\n",
        "signed": people + b"gpgsig -----BEGIN\n \n abc\n -----END\n\nm\n",
        "no message": people,
        "empty lines first": people + b"\n\n\n m\n",
        "no time": b"author A <e>\ncommitter C <e>\n\nm\n",
        "bad time": b"author A <e> x +0000\ncommitter C <e> x +0000\n\nm\n",
        "far time": b"author A <e> 1 +0000\ncommitter C <e> 99999999999 +0000\n\nm\n",
        "space after": b"author A <e> 1 +0000\ncommitter C <e> 200 +0000 \n\nm\n",
        "nobody": b"committer C <e> 200 +0000\n\nm\n",
    }
    layout = locate(repo)
    one, other = Pygit2Reader(layout), DulwichReader(layout)
    for name, body in bodies.items():
        oid = literal(repo, "commit", top + body)
        found = one.commit(oid)
        assert found == other.commit(oid), name
        shown = git.bytes("log", "-1", "--encoding=UTF-8", "--format=%an%n%ct", oid).decode(
            "utf-8", "replace"
        )
        author, _, time = shown.rstrip("\n").partition("\n")
        assert (found.author, str(found.time)) == (author, time or "0"), name
    oid = literal(repo, "commit", top + bodies["latin"])
    assert one.commit(oid).message == "mé\n"
    for mode in (b"100664", b"100600", b"100755", b"160000", b"120000", b"0", b"100777"):
        oid = literal(repo, "tree", mode + b" a\0" + bytes(20))
        answers = []
        for reader in (one, other):
            try:
                answers.append(reader.tree(oid))
            except MissingObject as error:
                answers.append(str(error))
        assert answers[0] == answers[1], mode


def test_a_submodule_and_a_folder_of_many_files_are_read_alike(
    repo: Path, make_repo: Callable[..., Path]
) -> None:
    inner = make_repo("inner")
    grow(inner)
    git = Git(repo)
    git.run("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    blob = git.hash_object(b"x")
    git.update_index((f"many/{number:05}", blob) for number in range(20_000))
    git.run("commit", "-q", "-m", "many files and a submodule")
    for folder, files in ((repo, 20_001), (repo / "sub", 5)):
        layout = locate(folder)
        one, other = Pygit2Reader(layout), DulwichReader(layout)
        commit = one.resolve("HEAD")
        assert commit is not None
        assert one.list(commit) == other.list(commit)
        assert len(one.list(commit)) == files
        assert one.read(commit, "many/19999") == other.read(commit, "many/19999")
        one.close()
        other.close()


def test_hostile_names_in_a_tree_are_returned_and_touch_nothing(repo: Path) -> None:
    git = Git(repo)
    blob = git.hash_object(b"evil")
    body = encode_tree(
        [TreeEntry(0o100644, name, blob) for name in (b"..", b".git", b"a\xff", b"a\nb")]
    )
    tree = literal(repo, "tree", body)
    assert tree == object_id("tree", body)
    commit = git.run("commit-tree", tree, "-m", "x")
    found = [kind(locate(repo)).list(commit) for kind in (Pygit2Reader, DulwichReader)]
    assert found[0] == found[1]
    assert len(found[0]) == 4


def test_a_malformed_tree_or_commit_is_an_error() -> None:
    for body in (b"100644 a\0short", b"no mode\0", b"1 x\0" + b"0" * 20):
        with pytest.raises(ValueError, match="malformed"):
            parse_tree(body)
    for body in (b"", b"tree zz\n\n", b"tree " + b"0" * 40 + b"\nparent ../x\n\nm"):
        with pytest.raises(ValueError, match=r"."):
            parse_commit("x", body)


def test_git_makes_the_same_objects(repo: Path) -> None:
    grow(repo)
    git = Git(repo)
    for kind, name in (("tree", "HEAD^{tree}"), ("commit", "HEAD")):
        body = git.bytes("cat-file", kind, name)
        assert object_id(kind, body) == git.run("rev-parse", name)
    entries = parse_tree(git.bytes("cat-file", "tree", "HEAD^{tree}"))
    assert encode_tree(list(reversed(entries))) == git.bytes("cat-file", "tree", "HEAD^{tree}")
