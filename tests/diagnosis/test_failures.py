"""Failed calls: noted on this machine, never a result, and the exception is not touched."""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
from driver import Clone, make_project
from hypothesis import given
from hypothesis import strategies as st

import gitmemo as gm
from gitmemo.memo import failures as failures_module
from gitmemo.world.notes import KEPT, FileNotes

RUNS: list[Any] = []


@gm.op
def half(x, rows=None):
    RUNS.append(x)
    if x < 0:
        raise ValueError(f"{x} is negative")
    return x / 2


BROKEN: list[str] = []


@gm.op
def flaky(x):
    if BROKEN:
        raise OSError(BROKEN[0])
    return x


@gm.op
def login(user, password):
    raise RuntimeError(f"cannot log in with {password}")


@gm.op(output_names=["first", "second"])
def both(x):
    return x, x, x


def fail(storage: gm.Storage, op: Any, *args: Any, **kwargs: Any) -> BaseException:
    with pytest.raises(Exception) as caught, storage:
        op(*args, **kwargs)
    return caught.value


def test_a_failed_call_leaves_a_note_and_no_result(storage: gm.Storage) -> None:
    assert storage.failures() == []
    RUNS.clear()
    for _ in range(2):
        fail(storage, half, -3, rows=list(range(1000)))
    assert RUNS == [-3, -3], "a failed call was reused"
    assert storage.counter.computed == 0
    newest, oldest = storage.failures()
    assert newest.op.endswith(":half")
    assert newest.error == "ValueError"
    assert newest.message == "-3 is negative"
    assert newest.inputs["x"] == "-3"
    assert newest.inputs["rows"].startswith("<list of 1,000 items, cid ")
    assert newest.when >= oldest.when
    assert 0 <= newest.elapsed_s < 10
    assert "raise ValueError" in newest.traceback
    assert "caller.py" not in newest.traceback
    text = str(newest)
    assert "ValueError: -3 is negative" in text.splitlines()[0]
    assert "x = -3" in text


def test_the_exception_is_the_same_object_with_the_same_traceback() -> None:
    error = ValueError("the one")

    def program() -> None:
        raise error

    @gm.op(name="raiser")
    def raiser():
        program()

    def frames_under(storage: gm.Storage) -> list[str]:
        error.__traceback__ = None
        assert fail(storage, raiser) is error
        return [frame.name for frame in traceback.extract_tb(error.__traceback__)]

    names = frames_under(gm.Storage())
    assert names[-2:] == ["raiser", "program"]
    assert len(names) == len(set(names)) + names.count("call") - 1 + names.count("execute") - 1
    assert "__exit__" not in names
    assert error.__context__ is None


def test_failing_to_write_a_note_never_hides_the_error(
    storage: gm.Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def append(self, line: str) -> None:
            raise OSError(28, "no space left on device")

        def lines(self) -> list[str]:
            return []

    monkeypatch.setattr(storage.world, "notes", Full())
    error = fail(storage, half, -1)
    assert isinstance(error, ValueError)
    assert error.__context__ is None


def test_an_error_of_gitmemo_says_its_remedy_once(storage: gm.Storage) -> None:
    error = fail(storage, both, 1)
    assert isinstance(error, gm.errors.WrongOutputs)
    (failure,) = storage.failures()
    assert error.remedy() in failure.message
    assert str(failure).count(error.remedy()) == 1


def test_values_that_cannot_say_themselves_do_not_hide_the_error(storage: gm.Storage) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("mute")

    @gm.op(name="mute")
    def mute():
        raise Mute

    assert isinstance(fail(storage, mute), Mute)
    (failure,) = storage.failures()
    assert failure.error.endswith("Mute")


@pytest.mark.parametrize("leaving", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_interruptions_are_not_failures(storage: gm.Storage, leaving: type[BaseException]) -> None:
    @gm.op(name="interrupted")
    def interrupted():
        raise leaving

    with pytest.raises(leaving), storage:
        interrupted()
    assert storage.failures() == []


def test_secrets_are_in_no_part_of_a_note(tmp_path: Path) -> None:
    storage = gm.Storage(db_path=tmp_path / "s.db")
    secret = "hunter2-hunter2"
    fail(storage, login, "ada", secret)
    fail(storage, login, {"name": "ada", "api_key": secret.encode()}, password=secret)
    failure, older = storage.failures()
    assert older.inputs == {"user": "'ada'", "password": "(a secret: not shown)"}
    assert failure.inputs["user"] == "(a secret: not shown)"
    assert "cannot log in with (secret)" in str(failure)
    storage.close()
    for path in tmp_path.iterdir():
        assert secret.encode() not in path.read_bytes()


def test_inner_calls_leave_their_own_notes(storage: gm.Storage) -> None:
    @gm.op(name="outer")
    def outer(x):
        return half(x)

    fail(storage, outer, -7)
    assert [failure.op.rpartition(":")[2] for failure in storage.failures()] == ["outer", "half"]


def test_a_result_that_cannot_be_stored_is_a_failure_too(storage: gm.Storage) -> None:
    @gm.op(name="lazy")
    def lazy():
        return (n for n in range(3))

    fail(storage, lazy)
    (failure,) = storage.failures()
    assert failure.error.endswith("Unhashable")
    assert "generator" in failure.message


def test_success_later_is_said_and_the_note_stays(storage: gm.Storage) -> None:
    BROKEN.append("down")
    fail(storage, flaky, 1)
    assert not storage.failures()[0].succeeded_since
    BROKEN.clear()
    with storage:
        flaky(1)
    (failure,) = storage.failures()
    assert failure.succeeded_since
    assert "succeeded since" in str(failure)


def test_long_tracebacks_keep_their_end(storage: gm.Storage) -> None:
    @gm.op(name="deep")
    def deep():
        raise ValueError("x" * 100_000 + "the end")

    fail(storage, deep)
    (failure,) = storage.failures()
    assert len(failure.traceback) <= 20_100
    assert failure.traceback.rstrip().endswith("the end")
    assert len(failure.message) <= 1_000


def test_causes_are_shown_without_frames_of_gitmemo(storage: gm.Storage) -> None:
    @gm.op(name="chained")
    def chained():
        try:
            half.__wrapped__(-1)
        except ValueError as error:
            raise LookupError("not found") from error

    fail(storage, chained)
    (failure,) = storage.failures()
    assert "-1 is negative" in failure.traceback
    assert "direct cause" in failure.traceback
    assert str(Path(failures_module.__file__).parent) not in failure.traceback


def test_only_the_newest_notes_are_kept(storage: gm.Storage) -> None:
    notes = storage.world.notes
    for number in range(KEPT + 5):
        notes.append(json.dumps({"op": f"o:{number}", "when": "", "error": "E"}))
    failures = storage.failures()
    assert len(failures) == KEPT
    assert failures[0].op == f"o:{KEPT + 4}"


def test_a_file_of_notes_is_bounded_and_a_cut_off_line_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "failures.jsonl"
    notes = FileNotes(path)
    assert notes.lines() == []
    for number in range(2 * KEPT + 10):
        notes.append(str(number))
    assert notes.lines() == [str(n) for n in range(KEPT + 10, 2 * KEPT + 10)]
    assert len(path.read_bytes().splitlines()) < 2 * KEPT + 10
    with path.open("ab") as file:
        file.write(b"cut off")
    assert notes.lines()[-1] == str(2 * KEPT + 9)
    FileNotes(path).append("new")
    assert FileNotes(path).lines()[-2:] == [str(2 * KEPT + 9), "new"]
    assert len(path.read_bytes().splitlines()) == KEPT + 1


@given(st.lists(st.text(st.characters(blacklist_characters="\n", codec="utf-8")), max_size=20))
def test_what_is_noted_is_read_in_order(tmp_path_factory: Any, lines: list[str]) -> None:
    notes = FileNotes(tmp_path_factory.mktemp("notes") / "n.jsonl")
    for line in lines:
        notes.append(line)
    assert notes.lines() == lines


def test_damaged_notes_are_skipped(storage: gm.Storage) -> None:
    fail(storage, half, -1)
    for line in ("not json", "[]", '{"unknown": 1}', "null", '{"op": "x"}'):
        storage.world.notes.append(line)
    assert len(storage.failures()) == 1


# --- in a repository ---------------------------------------------------------------


FAILING = """\
import sys
import gitmemo as gm

storage = gm.open()


@gm.op
def risky(x):
    if x < 0:
        raise ValueError(f"{x} is negative")
    return x


if __name__ == "__main__":
    with storage:
        risky(int(sys.argv[1]))
"""


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    clone = make_project(tmp_path_factory.mktemp("failing") / "p", tmp_path_factory.mktemp("home"))
    clone.write("risky.py", FAILING)
    clone.commit("Risk")
    clone.gitmemo("run", "risky.py", "-5", code=1)
    clone.python("risky.py", "-6", code=1)
    return clone


def test_failures_of_a_repository_are_listed_and_stay_local(template: Clone) -> None:
    done = template.gitmemo("failures")
    assert done.out.count("ValueError:") >= 2
    assert done.out.index("-6 is negative") < done.out.index("-5 is negative")
    assert template.git("rev-parse", "HEAD")[:9] in done.out
    assert template.is_clean()
    assert not any("negative" in path.read_text() for path in template.journals())
    found = [json.loads(line) for line in template.gitmemo("failures", "--json").out.splitlines()]
    assert [item["inputs"] for item in found] == [{"x": "-6"}, {"x": "-5"}]
    assert {item["op"] for item in found} == {"risky:risky"}
    assert "1 older failure not shown" in template.gitmemo("failures", "--limit", "1").err
    template.gitmemo("run", "risky.py", "3")
    template.gitmemo("commit")
    assert "negative" not in "".join(template.committed())
    assert "succeeded since" not in template.gitmemo("failures").out


def test_failures_of_one_op(template: Clone) -> None:
    assert "-5 is negative" in template.gitmemo("failures", "risky").out
    template.run()
    assert "no call has failed here" in template.gitmemo("failures", "train").err
    done = template.gitmemo("failures", "riski", code=2)
    assert "did you mean 'risky:risky'" in done.err


def test_a_terminal_is_not_steered_by_a_note(template: Clone) -> None:
    path = template.root / ".git/gitmemo/failures.jsonl"
    before = path.read_bytes()
    path.write_bytes(before + b'{"op":"o","when":"","error":"E","message":"\\u001b[31m"}\n')
    assert "\x1b" not in template.gitmemo("failures").out
    path.write_bytes(before)


def test_two_processes_note_at_once(tmp_path: Path) -> None:
    import subprocess

    path = tmp_path / "n.jsonl"
    code = (
        "import sys; from pathlib import Path; from gitmemo.world.notes import FileNotes\n"
        "notes = FileNotes(Path(sys.argv[1]))\n"
        "for n in range(300): notes.append(sys.argv[2] + 'x' * 500 + str(n))\n"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in ("a", "b")
    ]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    lines = FileNotes(path).lines()
    assert sorted(lines) == sorted(f"{w}{'x' * 500}{n}" for w in "ab" for n in range(300))
