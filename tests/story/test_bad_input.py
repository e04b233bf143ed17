"""Every kind of bad input: one clear error with a remedy, its exit code, and nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from driver import Clone, Done, make_clone

from gitmemo import errors

CloneOf = Callable[[Clone | Path, str], Clone]


def is_one_clear_error(done: Done, error: type[errors.GitmemoError]) -> None:
    """Check a failed command: its exit code, and one message with a remedy on stderr."""
    assert done.code == error.exit_code, done.text
    assert "Traceback" not in done.text
    assert done.err.count("error:") == 1
    assert done.err.count("fix:") == 1
    assert "error:" not in done.out


# --- code that is no Python ------------------------------------------------------


def test_status_names_a_file_with_conflicts(committed: Clone) -> None:
    committed.git("branch", "other")
    committed.change("value * 2", "value * 3")
    committed.commit("Three", GITMEMO_ON_CHANGE="breaking")
    committed.git("switch", "-q", "other")
    committed.change("value * 2", "value * 4")
    committed.commit("Four", GITMEMO_ON_CHANGE="breaking")
    assert committed.status()["unparsed"] == {}
    committed.git("merge", "main", code=1)
    said = committed.gitmemo("status").out
    why = "conflict at line 9"
    assert f"helper.py cannot be parsed ({why}): calls that touched its code count as older" in said
    assert committed.status()["unparsed"] == {"helper.py": why}
    committed.write("helper.py", "def scale(value:\n")
    assert committed.status()["unparsed"] == {"helper.py": "'(' was never closed, line 1"}
    committed.git("checkout", "-q", "--theirs", "helper.py")
    assert "parsed" not in committed.gitmemo("status").out


# --- where there is no project --------------------------------------------------


@pytest.mark.parametrize("command", ["status", "df x", "log x", "push", "pull", "verify", "commit"])
def test_not_in_a_repository(tmp_path: Path, template_home: Path, command: str) -> None:
    here = Clone(tmp_path, template_home, {"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})
    done = here.gitmemo(*command.split(), code=None)
    is_one_clear_error(done, errors.NotInRepository)
    assert "Storage(db_path=" in done.err
    assert "git init" in done.err
    assert list(tmp_path.iterdir()) == []


def test_open_outside_a_repository(tmp_path: Path) -> None:
    import gitmemo as gm

    with pytest.raises(errors.NotInRepository, match=r"Storage\(db_path="):
        gm.open(tmp_path)


def test_init_outside_a_repository(tmp_path: Path, template_home: Path) -> None:
    here = Clone(tmp_path, template_home, {"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})
    is_one_clear_error(here.gitmemo("init", code=None), errors.NotInRepository)


def test_init_in_a_bare_repository(tmp_path: Path, template_home: Path) -> None:
    here = Clone(tmp_path, template_home)
    here.git("init", "-q", "--bare", ".")
    before = sorted(path.name for path in tmp_path.iterdir())
    done = here.gitmemo("init", code=None)
    assert done.code != 0
    is_one_clear_error(done, errors.NotInRepository)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_not_initialised(tmp_path: Path, template_home: Path) -> None:
    here = make_clone(tmp_path / "r", template_home)
    script = here.write("script.py", "print('ran')")
    for command in (("status",), ("df", "x"), ("run", script.name), ("remote", "list")):
        done = here.gitmemo(*command, code=None)
        is_one_clear_error(done, errors.NotInitialised)
        assert "gitmemo init" in done.err
        assert "ran" not in done.out
    assert here.git("status", "--porcelain") == "?? script.py"


# --- a project of a newer gitmemo, or a damaged one -------------------------------


def newer_config(clone: Clone) -> None:
    clone.change("format = 1", "format = 2", ".gitmemo/config.toml")


def newer_index(clone: Clone) -> None:
    clone.write(".gitmemo/index/2/2031-01/x.jsonl", "{}\n")


def tenth_index(clone: Clone) -> None:
    clone.write(".gitmemo/index/10/2031-01/x.jsonl", "{}\n")


@pytest.mark.parametrize("upgrade", [newer_config, newer_index, tenth_index])
def test_a_newer_format(ran: Clone, upgrade: Callable[[Clone], None]) -> None:
    records = ran.records()
    upgrade(ran)
    for command in (("run", "pipeline.py"), ("commit",)):
        done = ran.gitmemo(*command, code=None)
        is_one_clear_error(done, errors.NewerFormat)
        assert "upgrade" in done.err
    assert ran.records() == records
    ran.git("add", "-A")
    done = ran.process("git", "commit", "-q", "-m", "Code stays committable")
    assert "git goes on without results" in done.err
    ran.git("reset", "-q", "--hard", "HEAD~1")
    assert ran.run() == (5, 0)


def test_litter_in_the_index_folder_is_no_newer_format(ran: Clone) -> None:
    ran.write(".gitmemo/index/.DS_Store", "")
    ran.write(".gitmemo/index/1/.DS_Store", "")
    ran.write(".gitmemo/index/1/2031-01/notes.txt", "")
    assert ran.run() == (5, 0)


def test_a_config_that_is_not_toml(ran: Clone) -> None:
    ran.write(".gitmemo/config.toml", "format = \n<<<<<<< HEAD\n")
    done = ran.gitmemo("status", code=None)
    is_one_clear_error(done, errors.BadSetting)
    assert "config.toml" in done.err


def segment_of(clone: Clone) -> Path:
    (path,) = (clone.root / ".gitmemo/index/1").glob("*/*.jsonl")
    return path


def drop_index(clone: Clone) -> None:
    for name in ("index.db", "index.db-wal", "index.db-shm"):
        (clone.root / ".git/gitmemo" / name).unlink(missing_ok=True)


def flip(path: Path, at: int = -30) -> None:
    """Change one bit of a file."""
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_a_corrupt_segment(committed: Clone) -> None:
    drop_index(committed)
    path = segment_of(committed)
    flip(path)
    shown = committed.gitmemo("status", code=4)
    assert "left out" in shown.err
    assert path.name in shown.err
    done = committed.gitmemo("run", "pipeline.py", code=None)
    is_one_clear_error(done, errors.CorruptSegment)
    assert path.name in done.err
    assert "git checkout HEAD -- " in done.err
    found = committed.gitmemo("verify", code=4)
    assert path.name in found.text
    (advice,) = (line for line in done.err.splitlines() if "fix:" in line)
    committed.process("sh", "-c", advice[advice.index("git checkout") :])
    assert committed.run() == (5, 0)
    assert committed.gitmemo("verify").code == 0


def test_a_corrupt_segment_is_found_by_verify_when_the_index_knows_it(committed: Clone) -> None:
    flip(segment_of(committed))
    assert segment_of(committed).name in committed.gitmemo("verify", code=4).text


def test_a_corrupt_segment_does_not_stop_a_commit(committed: Clone) -> None:
    committed.run("3")
    drop_index(committed)
    flip(segment_of(committed))
    committed.write("notes.txt", "second\n")
    committed.git("add", "notes.txt")
    done = committed.process("git", "commit", "-q", "-m", "Code")
    assert "git goes on without results" in done.err
    committed.git("checkout", "HEAD", "--", ".gitmemo")
    committed.gitmemo("commit")
    assert committed.calls_in() == 7


def test_a_corrupt_journal_line(ran: Clone) -> None:
    drop_index(ran)
    (path,) = ran.journals()
    lines = path.read_bytes().splitlines(keepends=True)
    calls = [n for n, line in enumerate(lines) if b'["call",' in line]
    lines[calls[1]] = lines[calls[1]].replace(b'"call"', b'"cail"', 1)
    path.write_bytes(b"".join(lines))
    for command in (("status",), ("run", "pipeline.py")):
        done = ran.gitmemo(*command, code=None)
        is_one_clear_error(done, errors.CorruptJournal)
        assert "gitmemo verify --repair" in done.err
        assert path.name in done.err
        assert f"line {calls[1] + 1} " in done.err
    assert path.name in ran.gitmemo("verify", code=4).text
    assert path.read_bytes() == b"".join(lines), "verify alone changes nothing"
    ran.gitmemo("verify", "--repair")
    assert ran.gitmemo("verify").code == 0
    (aside,) = path.parent.glob("*.damaged")
    assert aside.read_bytes() == lines[calls[1]]
    assert ran.run() == (4, 1)


def test_a_journal_that_is_not_text(ran: Clone) -> None:
    (path,) = ran.journals()
    with path.open("ab") as file:
        file.write(b"\xff\xfe\x00 rubbish\n")
    is_one_clear_error(ran.gitmemo("status", code=None), errors.CorruptJournal)
    ran.gitmemo("verify", "--repair")
    assert ran.run() == (5, 0)


BLOB_USER = """\
import gitmemo as gm
from pipeline import load, train

storage = gm.open()
with storage:
    print(len(storage.unwrap(load(500))))
"""


def stored_files(clone: Clone) -> list[Path]:
    """Return the files that hold the bytes of values."""
    folder = clone.root / ".git/gitmemo/blobs/self"
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)


def test_a_corrupt_value_is_one_clear_error(begun: Clone) -> None:
    begun.write("use.py", LARGE)
    begun.gitmemo("run", "use.py")
    (path,) = (path for path in stored_files(begun) if "large" in path.parts)
    flip(path)
    is_one_clear_error(begun.gitmemo("run", "use.py", code=None), errors.BlobCorrupt)


def test_a_corrupt_pack(ran: Clone) -> None:
    ran.write("use.py", BLOB_USER)
    assert ran.gitmemo("run", "use.py").out == "500\n"
    packs = [path for path in stored_files(ran) if path.suffix == ".pack"]
    assert packs, stored_files(ran)
    for path in packs:
        path.chmod(0o644)
        data = path.read_bytes()
        at = data.index(b"123,124,125")
        path.write_bytes(data[:at] + b"9" + data[at + 1 :])
    done = ran.gitmemo("run", "use.py", code=None)
    is_one_clear_error(done, errors.BlobCorrupt)
    ran.gitmemo("verify")  # the damage was met and set aside, and the value can be computed again
    assert ran.gitmemo("run", "use.py").out == "500\n", "what the remedy promises"
    assert ran.gitmemo("verify").code == 0


def test_what_the_remedy_for_a_corrupt_value_says_is_true(begun: Clone) -> None:
    begun.write("use.py", LARGE)
    begun.gitmemo("run", "use.py")
    (path,) = (path for path in stored_files(begun) if "large" in path.parts)
    flip(path)
    done = begun.gitmemo("run", "use.py", code=None)
    if done.code:
        assert "run the script again" in done.err
    assert begun.gitmemo("run", "use.py").out == "300000\n"


LARGE = """\
import gitmemo as gm

storage = gm.open()


@gm.op
def large(n):
    return bytes(n)


with storage:
    print(len(storage.unwrap(large(300_000))))
"""


def test_a_corrupt_large_value(begun: Clone) -> None:
    begun.write("use.py", LARGE)
    assert begun.gitmemo("run", "use.py").out == "300000\n"
    (path,) = (path for path in stored_files(begun) if "large" in path.parts)
    flip(path)
    assert "damaged" in begun.gitmemo("verify", code=4).text
    done = begun.gitmemo("run", "use.py", code=None)
    assert done.code in (0, 4)
    assert "Traceback" not in done.err


# --- arguments and results that cannot be stored ----------------------------------


ODD = """\
import sys
import threading
import gitmemo as gm

storage = gm.open()


@gm.op
def takes(thing, n):
    return n


@gm.op(output_names=["good", "bad"])
def gives(n):
    return n, {kind}


with storage:
    takes(1, 1)
    {call}
"""


@pytest.mark.parametrize("value", ["threading.Lock()", "open(__file__)", "(i for i in range(3))"])
def test_an_argument_that_cannot_be_hashed(begun: Clone, value: str) -> None:
    begun.write("odd.py", ODD.format(kind="1", call=f"takes({value}, 2)"))
    done = begun.gitmemo("run", "odd.py", code=None)
    is_one_clear_error(done, errors.Unhashable)
    assert "argument 'thing'" in done.err
    assert "odd:takes" in done.err
    assert begun.status()["calls"] == 1


@pytest.mark.parametrize("value", ["threading.Lock()", "(i for i in range(3))", "sys._getframe()"])
def test_a_result_that_cannot_be_stored(begun: Clone, value: str) -> None:
    begun.write("odd.py", ODD.format(kind=value, call="gives(2)"))
    done = begun.gitmemo("run", "odd.py", code=None)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert done.err.count("fix:") == 1
    assert "output 'bad'" in done.err
    assert "odd:gives" in done.err
    assert begun.status()["calls"] == 1
    assert begun.gitmemo("verify").code == 0


# --- remotes ----------------------------------------------------------------------


def test_no_remote(ran: Clone) -> None:
    done = ran.gitmemo("push", code=None)
    is_one_clear_error(done, errors.RemoteUnknown)
    assert "gitmemo remote add" in done.err
    is_one_clear_error(ran.gitmemo("push", "nowhere", code=None), errors.RemoteUnknown)
    is_one_clear_error(ran.gitmemo("remote", "trust", "nowhere", code=None), errors.RemoteUnknown)


def test_a_remote_that_nobody_pushed_to(committed: Clone, clone_of: CloneOf) -> None:
    committed.gitmemo("remote", "add", "lab", "../lab")
    committed.commit("Share")
    theirs = clone_of(committed, "colleague")
    is_one_clear_error(theirs.gitmemo("pull", code=None), errors.RemoteMissing)
    assert len(theirs.rows("train")) == 2


def test_an_unreachable_remote(committed: Clone) -> None:
    pytest.importorskip("s3fs")
    committed.gitmemo(
        "remote", "add", "lab", "s3://bucket/values", "-o", "endpoint_url=http://127.0.0.1:9"
    )
    done = committed.gitmemo(
        "push", code=None, AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_MAX_ATTEMPTS="1"
    )
    is_one_clear_error(done, errors.RemoteUnreachable)
    assert committed.run() == (5, 0)


def test_a_remote_that_lies(committed: Clone, clone_of: CloneOf, tmp_path: Path) -> None:
    committed.gitmemo("remote", "add", "lab", "../lab")
    committed.commit("Share")
    committed.gitmemo("push")
    theirs = clone_of(committed, "colleague")
    (pack,) = (tmp_path / "lab").rglob("*.pack")
    good = pack.read_bytes()
    flip(pack, len(good) // 2)
    done = theirs.gitmemo("pull", code=None)
    is_one_clear_error(done, errors.RemoteCorrupt)
    assert pack.name[:8] in done.err
    assert theirs.status()["missing_values"] >= 1, "what was damaged must not count as here"
    assert theirs.gitmemo("verify").code == 0, "no damaged byte was stored"
    pack.write_bytes(good)
    theirs.gitmemo("pull")
    assert theirs.status()["missing_values"] == 0


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("s3://user:hunter2@host/bucket", "password"),
        ("s3://bucket?secret=hunter2", "secret"),
    ],
)
def test_a_bad_remote_url(committed: Clone, url: str, says: str) -> None:
    before = (committed.root / ".gitmemo/config.toml").read_text()
    done = committed.gitmemo("remote", "add", "lab", url, code=None)
    assert done.code != 0
    assert says in done.err
    assert "hunter2" not in done.text
    assert (committed.root / ".gitmemo/config.toml").read_text() == before


def test_a_remote_of_a_kind_that_nobody_knows(committed: Clone) -> None:
    added = committed.gitmemo("remote", "add", "lab", "nosuch://place", code=None)
    done = added if added.code else committed.gitmemo("push", code=None)
    assert done.code != 0
    assert "Traceback" not in done.err
    assert "nosuch" in done.err
    assert done.err.count("fix:") == 1


def test_a_remote_name_is_not_taken_twice(committed: Clone) -> None:
    committed.gitmemo("remote", "add", "lab", "../lab")
    done = committed.gitmemo("remote", "add", "lab", "../other", code=None)
    is_one_clear_error(done, errors.RemoteInvalid)


# --- other words of the user ----------------------------------------------------------


def test_an_unknown_revision(committed: Clone) -> None:
    done = committed.gitmemo("df", "train", "--rev", "nosuch", code=None)
    is_one_clear_error(done, errors.UnknownRevision)


def test_an_unknown_op(committed: Clone) -> None:
    done = committed.gitmemo("df", "trian", code=None)
    is_one_clear_error(done, errors.UnknownOp)
    assert "did you mean 'pipeline:train'" in done.err


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("df trian --json", errors.UnknownOp),
        ("df train --rev nosuch --json", errors.UnknownRevision),
        ("log nosuch --json", errors.UnknownComponent),
    ],
)
def test_errors_for_programs(
    committed: Clone, command: str, error: type[errors.GitmemoError]
) -> None:
    done = committed.gitmemo(*command.split(), code=error.exit_code)
    assert done.out == ""
    fields = json.loads(done.err)["error"]
    assert fields["kind"] == error.kind
    assert fields["exit_code"] == error.exit_code
    assert fields["problem"]
    assert fields["remedy"]


def test_errors_for_programs_where_there_is_no_project(tmp_path: Path, template_home: Path) -> None:
    here = make_clone(tmp_path / "r", template_home)
    done = here.gitmemo("status", "--json", code=3)
    assert json.loads(done.err)["error"]["kind"] == "not-initialised"


def test_json_after_a_script_belongs_to_the_script(begun: Clone) -> None:
    begun.write("fails.py", "import gitmemo.errors\nraise gitmemo.errors.UnknownRef('x')\n")
    done = begun.gitmemo("run", "fails.py", "--json", code=1)
    assert "error:" in done.err
    assert '"kind"' not in done.err


def test_every_error_has_a_kind_a_remedy_and_survives_pickling() -> None:
    import inspect
    import pickle

    def below(kind: type[errors.GitmemoError]) -> list[type[errors.GitmemoError]]:
        return [kind, *(deeper for child in kind.__subclasses__() for deeper in below(child))]

    kinds: dict[str, str] = {}
    for kind in below(errors.GitmemoError)[1:]:
        if not kind.__module__.startswith("gitmemo.errors"):
            continue
        made = next((base for base in kind.__mro__ if "__init__" in vars(base)), kind)
        parameters = []
        if made.__module__.startswith("gitmemo.errors"):
            parameters = list(inspect.signature(vars(made)["__init__"]).parameters.values())[1:]
        required = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        values = [_SAMPLES.get(str(p.annotation), "text") for p in required]
        error = kind(*values)
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind
        assert str(again) == str(error)
        assert error.problem()
        assert not error.problem().endswith(".")
        assert error.remedy()
        assert kinds.setdefault(kind.kind, kind.__name__) == kind.__name__
    assert len(kinds) > 20


_SAMPLES: dict[str, object] = {
    "int": 3,
    "bool": False,
    "tuple[str, ...]": ("a", "b"),
    "tuple[tuple[str, str, str | None], ...]": (("a", "b", None), ("c", "d", "HEAD")),
    "object": 2,
    "float": 2.5,
    "Sequence[int]": (4,),
    "Sequence[str]": ("f(4)",),
    "Sequence[Exception]": (ValueError("not 4"),),
}
