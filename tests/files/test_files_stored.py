"""Files and folders through storages: stored, put back, and never over what nobody has."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import tracemalloc
from pathlib import Path

import pytest
from driver import Clone, make_clone

import gitmemo as gm
from gitmemo.blobs import RepositoryBlobs
from gitmemo.codecs import decode, encode, is_safe
from gitmemo.errors import (
    FileInTheWay,
    FileOutside,
    InputMutated,
    NotAFile,
    UndecodableValue,
    Unencodable,
)
from gitmemo.files import names, placing, seen
from gitmemo.hashing import content_id, to_hex

runs: list[str] = []


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    monkeypatch.setattr(seen, "_known", {})
    monkeypatch.chdir(tmp_path)
    runs.clear()


@pytest.fixture(params=["memory", "database"])
def storage(request, tmp_path_factory):
    if request.param == "memory":
        yield gm.Storage()
    else:
        with gm.Storage(db_path=tmp_path_factory.mktemp("db") / "x.db") as made:
            yield made


@gm.op
def write(text, path="out/result.txt"):
    runs.append("write")
    Path(path).parent.mkdir(exist_ok=True, parents=True)
    Path(path).write_text(text)
    return gm.File(path)


@gm.op
def length(file):
    runs.append("length")
    return len(file.read_text())


@gm.op
def grow(file, n):
    runs.append("grow")
    folder = Path("grown")
    (folder / "sub").mkdir(parents=True, exist_ok=True)
    for i in range(n):
        (folder / "sub" / f"{i}.bin").write_bytes(bytes([i]) * 70_000)
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    return gm.Dir(folder)


def test_a_file_comes_back_when_it_is_asked_for(storage):
    with storage:
        made = write("hello")
        assert storage.unwrap(length(made)) == 5
        shutil.rmtree("out")
        again = write("hello")
        assert storage.unwrap(length(again)) == 5
        assert not Path("out").exists()
        file = storage.unwrap(again)
    assert runs == ["write", "length"]
    assert os.fspath(file) == "out/result.txt"
    assert file.read_text() == "hello"
    assert made.cid == to_hex(content_id(file))


def test_nothing_is_written_if_it_is_there_already(storage):
    with storage:
        made = write("hello")
    before = Path("out/result.txt").stat()
    assert storage.unwrap(made) == gm.File("out/result.txt")
    assert Path("out/result.txt").stat() == before
    Path("out/result.txt").chmod(0o755)
    assert storage.unwrap(made).content().is_executable is False
    assert Path("out/result.txt").stat().st_ino == before.st_ino


def test_a_folder_comes_back_with_its_bits_and_without_what_is_not_its(storage):
    with storage:
        three = grow(gm.File(Path(write.__wrapped__("x"))), 3)
        five = grow(gm.File("out/result.txt"), 5)
        known = storage.unwrap(five).files()
        assert known == ["run.sh", *(f"sub/{i}.bin" for i in range(5))]
        assert storage.unwrap(three).files() == known[:4]  # the others are stored: they may go
        assert storage.unwrap(five).files() == known
        shutil.rmtree("grown")
        assert to_hex(content_id(storage.unwrap(three))) == three.cid
        assert os.access("grown/run.sh", os.X_OK)
        Path("grown/mine.txt").write_text("nowhere else")
        with pytest.raises(FileInTheWay, match=r"mine\.txt"):
            storage.unwrap(three)
        assert Path("grown/mine.txt").exists()


def test_what_is_stored_nowhere_is_never_overwritten(storage):
    with storage:
        first, second = write("first"), write("second")
    assert storage.unwrap(first).read_text() == "first"  # "second" is stored, so it may go
    Path("out/result.txt").write_text("edited")
    with pytest.raises(FileInTheWay, match=r"stored nowhere\n  fix: move it away"):
        storage.unwrap(second)
    assert Path("out/result.txt").read_text() == "edited"
    for make in (lambda p: Path(p).symlink_to("elsewhere"), lambda p: Path(p).mkdir(), os.mkfifo):
        Path("out/result.txt").unlink()
        make("out/result.txt")
        with pytest.raises(FileInTheWay):
            storage.unwrap(second)
        if Path("out/result.txt").is_dir():
            Path("out/result.txt").rmdir()
            Path("out/result.txt").touch()


def test_an_input_file_that_is_changed_in_place_is_noticed(storage):
    @gm.op
    def spoil(file):
        with file.open("a") as text:
            text.write("more")

    @gm.op
    def spoil_folder(folder):
        (folder / "new.txt").write_text("new")

    @gm.op
    def delete(file):
        file.path.unlink()

    Path("in").mkdir()
    Path("in/data.txt").write_text("data")
    with storage:
        with pytest.raises(InputMutated):
            spoil(gm.File("in/data.txt"))
        with pytest.raises(InputMutated):
            spoil_folder(gm.Dir("in"))
        with pytest.raises(InputMutated):
            delete(gm.File("in/data.txt"))


def test_the_same_file_elsewhere_is_the_same_call(storage):
    for folder in "ab":
        Path(folder).mkdir()
        Path(folder, "data.txt").write_text("data")
    with storage:
        assert length(gm.File("a/data.txt")).cid == length(gm.File("b/data.txt")).cid
        Path("b/data.txt").write_text("other")
        assert storage.unwrap(length(gm.File("b/data.txt"))) == 5
    assert runs == ["length", "length"]


def test_files_in_plain_containers(storage):
    @gm.op(nout=1)
    def split(n):
        runs.append("split")
        for i in range(n):
            Path(f"part-{i}.txt").write_text(f"part {i}")
        return [gm.File(f"part-{i}.txt") for i in range(n)], {"n": (n, b"x" * 100)}

    @gm.op
    def join(files):
        runs.append("join")
        return "".join(file.read_text() for file in files)

    with storage:
        made = split(3)
        for i in range(3):
            Path(f"part-{i}.txt").unlink()
        files, rest = storage.unwrap(split(3))
        assert rest == {"n": (3, b"x" * 100)}
        assert [os.fspath(file) for file in files] == [f"part-{i}.txt" for i in range(3)]
        assert to_hex(content_id((files, rest))) == made.cid
        assert storage.unwrap(join(files)) == "part 0part 1part 2"
    assert runs == ["split", "join"]


class Holder:
    def __init__(self, file):
        self.file = file


def test_a_file_inside_an_object_is_refused(storage):
    @gm.op
    def hold():
        Path("data.txt").write_text("data")
        return Holder(gm.File("data.txt"))

    with storage, pytest.raises(Unencodable, match="keep its path but not its bytes"):
        hold()


def test_a_missing_input_is_named(storage):
    with storage, pytest.raises(NotAFile, match=r"missing\.txt"):
        length(gm.File("missing.txt"))


def test_a_result_that_is_not_there_is_named_and_the_rest_is_kept(storage):
    @gm.op
    def promise():
        return 5, gm.File("missing.txt")

    with storage, pytest.raises(NotAFile, match=r"missing\.txt") as caught:
        promise()
    assert caught.value.value[0] == 5


def test_outside_the_project_nothing_is_written(storage, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "result.txt"
    with storage:
        made = write("hello", str(outside))
        assert storage.unwrap(made).read_text() == "hello"
        outside.unlink()
        with pytest.raises(FileOutside, match=r"only inside"):
            storage.unwrap(made)
    assert not outside.exists()


# --- bytes that somebody else wrote -----------------------------------------------


def node(body):
    text = json.dumps(body).encode()
    return len(text).to_bytes(8, "little") + text


DATA = b"print('mine')"
CID = to_hex(content_id(DATA))


def stored(cid):
    assert cid == content_id(DATA)
    return "bytes", DATA


@pytest.mark.parametrize(
    "path",
    [
        "../x", "a/../../x", "", ".", "a//b", "a/./b", "/tmp/gitmemo-x", "//x", "a\0b", "a\\b",
        ".git/hooks/post-checkout", ".GIT/config", "sub/.git/config", ".git./x", ".gi\u200ct/x",
        ".gitmemo/config.toml", "git~1/config", "link/x", "inner/x",
        "inner/hooks/x", "x" * 5000, ".git::$INDEX_ALLOCATION/config", ".GIT .:x/config",
        "sub/.gitmemo:config.toml",
    ],
)  # fmt: skip
@pytest.mark.parametrize("tag", ["F", "D"])
def test_hostile_paths_are_refused(path, tag, tmp_path, tmp_path_factory):
    Path("link").symlink_to(tmp_path_factory.mktemp("target"))
    Path(".git/hooks").mkdir(parents=True)
    Path("inner").symlink_to(".git")
    before = sorted(p.name for p in tmp_path.rglob("*"))
    body = [path, CID, True] if tag == "F" else [path, [["a", CID, True]]]
    with pytest.raises((FileOutside, UndecodableValue, NotAFile)):
        decode("files", node({tag: body}), stored)
    assert sorted(p.name for p in tmp_path.rglob("*")) == before
    assert list(Path("link").iterdir()) == []
    if tag == "D" and not path.startswith(("link", "inner")):
        with pytest.raises((FileOutside, UndecodableValue)):
            decode("files", node({"D": ["fine", [["a", CID, True], [path, CID, True]]]}), stored)
        assert not Path("fine").exists()


def test_reading_needs_trust():
    assert not is_safe("files")


def test_bytes_that_are_not_those_named_are_refused():
    with pytest.raises(UndecodableValue, match="not those"):
        decode("files", node({"F": ["a", CID, False]}), lambda cid: ("bytes", b"other"))
    with pytest.raises(UndecodableValue, match="pickle"):
        decode("files", node({"F": ["a", CID, False]}), lambda cid: ("pickle", DATA))
    assert os.listdir() == []


# --- how bytes are read and written ---------------------------------------------------


def test_a_large_file_is_never_in_memory(tmp_path):
    with Path("large.bin").open("wb") as file:
        file.truncate(200 << 20)
    blobs = RepositoryBlobs(tmp_path / "blobs")
    tracemalloc.start()
    try:
        encoded = encode(gm.File("large.bin"))
        assert encoded.size < 200
        ((cid, data),) = encoded.parts.items()
        assert data.size == 200 << 20
        found = blobs.find(blobs.put(data))
        Path("large.bin").unlink()
        placing.place(
            tmp_path / "large.bin", cid, lambda _: found.source, lambda _: False, executable=False
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 << 20
    assert Path("large.bin").stat().st_size == 200 << 20
    assert Path("large.bin").stat().st_nlink == 1  # no link to the store's own file


def test_a_file_that_changes_while_it_is_stored_is_not_stored(tmp_path):
    Path("data.bin").write_bytes(b"x" * 100_000)
    blobs = RepositoryBlobs(tmp_path / "blobs")
    (data,) = encode(gm.File("data.bin")).parts.values()
    Path("data.bin").write_bytes(b"y" * 100_000)
    with pytest.raises(NotAFile, match="changed"):
        blobs.put(data)
    assert blobs.find(data.blob_id()) is None


def put_back(folder, queue):
    os.chdir(folder)
    try:
        for i in range(30):
            placing.place(
                Path(f"{i}.txt"), content_id(DATA), lambda _: DATA, lambda _: True, executable=False
            )
        queue.put(None)
    except BaseException as error:  # noqa: BLE001 the parent looks at it
        queue.put(repr(error))


def test_processes_that_put_the_same_file_back_agree(tmp_path):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    workers = [context.Process(target=put_back, args=(tmp_path, queue)) for _ in range(4)]
    for worker in workers:
        worker.start()
    assert [queue.get(timeout=60) for _ in workers] == [None] * 4
    for worker in workers:
        worker.join()
    assert sorted(os.listdir()) == sorted(f"{i}.txt" for i in range(30))


def test_paths_are_relative_to_the_project(tmp_path):
    Path("project/sub").mkdir(parents=True)
    Path("elsewhere").mkdir()
    Path("project/sub/a.txt").write_bytes(DATA)
    with names.rooted(tmp_path / "project"):
        data = b"".join(encode(gm.File("project/sub/a.txt")).chunks)
        assert json.loads(data[8:])["F"][0] == "sub/a.txt"
        Path("project/sub/a.txt").unlink()
        os.chdir("project/sub")
        assert os.fspath(decode("files", data, stored)) == "a.txt"
        os.chdir(tmp_path / "elsewhere")
        again = decode("files", data, stored)
    assert os.fspath(again) == str(tmp_path / "project/sub/a.txt")


# --- a repository -------------------------------------------------------------------

SCRIPT = """\
import sys
from pathlib import Path

import gitmemo as gm

storage = gm.open()
HERE = Path(__file__).parent


@gm.op
def clean(raw: gm.File) -> gm.File:
    out = HERE / "build" / "clean.txt"
    out.parent.mkdir(exist_ok=True)
    out.write_text(raw.read_text().upper())
    return gm.File(out)


@gm.op
def split(file: gm.File) -> gm.Dir:
    folder = HERE / "build" / "words"
    folder.mkdir(exist_ok=True)
    for number, word in enumerate(file.read_text().split()):
        (folder / f"{number}.txt").write_text(word * 20_000)
    return gm.Dir(folder)


@gm.op
def total(folder: gm.Dir) -> int:
    return sum((folder / name).stat().st_size for name in folder.files())


if __name__ == "__main__":
    with storage:
        words = split(clean(gm.File(HERE / "raw.txt")))
        print(storage.unwrap(total(words)))
        if len(sys.argv) > 1:
            print(storage.unwrap(words).files())
"""


def test_a_colleague_gets_the_files(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    ours = make_clone(tmp_path / "ours", home)
    ours.write("pipeline.py", SCRIPT)
    ours.write("raw.txt", "some words\n")
    ours.write(".gitignore", "__pycache__/\nbuild/\n")
    ours.gitmemo("init")
    ours.gitmemo("remote", "add", "lab", str(tmp_path / "lab"))
    ours.commit("Begin")
    assert ours.gitmemo("run", "pipeline.py").counted == (0, 3)
    assert ours.gitmemo("run", "pipeline.py").counted == (3, 0)
    ours.commit("Results", "--allow-empty")
    ours.gitmemo("push")
    shutil.rmtree(ours.root / "build")
    again = ours.gitmemo("run", "pipeline.py", "files", cwd=ours.root.parent / "home", code=None)
    assert again.code != 0  # not in the repository
    assert ours.gitmemo("run", "pipeline.py", "files").counted == (3, 0)
    assert (ours.root / "build/words/0.txt").read_text() == "SOME" * 20_000
    assert not (ours.root / "build/clean.txt").exists()
    assert ours.is_clean()

    ours.git("clone", "-q", str(ours.root), str(tmp_path / "theirs"))
    theirs = Clone(tmp_path / "theirs", home)
    theirs.gitmemo("pull")
    assert theirs.gitmemo("run", "pipeline.py").counted == (3, 0)
    refused = theirs.gitmemo("run", "pipeline.py", "files", code=None)
    assert "remote trust lab" in refused.err
    assert not (theirs.root / "build").exists()
    theirs.gitmemo("remote", "trust", "lab")
    assert theirs.gitmemo("run", "pipeline.py", "files").counted == (3, 0)
    assert (theirs.root / "build/words/1.txt").read_text() == "WORDS" * 20_000
    theirs.write("raw.txt", "other words\n")
    assert theirs.gitmemo("run", "pipeline.py", "files").counted == (0, 3)
    assert theirs.gitmemo("verify").code == 0


def test_what_a_killed_process_left_beside_a_file_is_removed_a_day_later(storage, tmp_path):
    with storage:
        made = write("abc")
    young, old = (tmp_path / "out" / f".gitmemo-{digit * 16}" for digit in "01")
    other = tmp_path / "out" / ".gitmemo-notes"
    for path in (young, old, other):
        path.write_text("half")
    for path in (old, other):
        os.utime(path, (0, 0))
    Path("out/result.txt").unlink()
    with storage:
        assert storage.unwrap(made).read_text() == "abc"
    assert young.exists() and other.exists() and not old.exists()
