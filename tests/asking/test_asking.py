"""Changes of code under a running program: who is asked, what is recorded, and what is not."""

from __future__ import annotations

import builtins
import itertools
import os
import sqlite3
import threading
import time
import warnings
from pathlib import Path
from unittest.mock import patch

import pytest
from asking.conftest import Session

import gitmemo as gm
from gitmemo import errors
from gitmemo.memo import context
from gitmemo.memo.asking import ChangesPending
from gitmemo.utils import mock_input

GROWN = ("return x * FACTOR", "return x * FACTOR + 10")
SPELLED = ("return x * FACTOR", "return FACTOR * x")


def facts(session: Session) -> int:
    with sqlite3.connect(session.file.parent / "s.db") as database:
        return int(database.execute("select count(*) from fact").fetchone()[0])


# --- answers --------------------------------------------------------------------------


def test_yes_is_breaking_and_no_keeps_the_results(session: Session) -> None:
    assert session.run() == (3, 1)
    session.edit(GROWN)
    assert session.asked("y") == (13, 1)
    session.edit((GROWN[1], "return 10 + x * FACTOR"))
    assert session.asked("n") == (13, 0)
    assert session.run(x=2) == (15, 1)


@pytest.mark.parametrize(
    ("policy", "result"), [("breaking", (3, 1)), ("non-breaking", (3, 0)), ("pending", (3, 1))]
)
def test_a_policy_decides_without_asking(
    session: Session, policy: str, result: tuple[int, int], recwarn: pytest.WarningsRecorder
) -> None:
    session.storage.on_change = policy
    session.run()
    session.edit(SPELLED)
    assert session.run() == result
    assert [w for w in recwarn if w.category is ChangesPending] == []
    assert len(session.storage.world.decisions().current) == (0 if policy == "pending" else 1)


def test_the_policy_error_names_what_changed_and_leaves_no_block(session: Session) -> None:
    session.storage.on_change = "error"
    session.run()
    session.edit(SPELLED)
    for _ in range(2):
        with pytest.raises(errors.UndecidedChanges, match="helper"):
            session.run()
        assert context.active() is None
    session.storage.decide(session.module.helper, breaking=False)
    assert session.run() == (3, 0)


def test_what_is_shown(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    session.run()
    session.edit(("FACTOR = 2", "FACTOR = 3"), ("return helper(x) + 1", "return helper(x) + 2"))
    session.asked("y", "yes")
    shown = capsys.readouterr().out
    name = session.file.stem
    assert f"CHANGE DETECTED in FACTOR from module {name}\nDependent components:\n" in shown
    assert f'  Version of "outer" from module "{name}" (content: ' in shown
    assert "-FACTOR = 2" in shown
    assert "+FACTOR = 3" in shown
    assert "@@" not in shown
    question = "Does this change require recomputation of dependent calls?\nWARNING: if the change "
    assert shown.count(question) == 2
    assert shown.count("Answer: [y]es/[n]o/[a]bort") == 2
    assert shown.index("in FACTOR") < shown.index("in outer")


def test_a_value_that_changed_under_the_same_text_is_said(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    session.run()
    session.module.FACTOR = 5
    assert session.asked("y") == (6, 1)
    assert "The text is the same." in capsys.readouterr().out
    session.module.FACTOR = 2
    assert session.run() == (3, 0), "back to known code"
    session.module.FACTOR = 5
    assert session.run() == (6, 0)


def test_cosmetic_edits_and_new_functions_ask_nothing(session: Session) -> None:
    session.run()
    session.edit(("def helper(x):", '# A note.\ndef helper( x ):\n    """Say what it does."""'))
    assert session.run() == (3, 0)
    assert session.run("other") == (2, 1)


def test_known_code_asks_nothing_and_each_change_is_asked_once(session: Session) -> None:
    session.run()
    session.storage.on_change = "pending"
    session.edit(GROWN)
    session.run()
    session.storage.on_change = "ask"
    session.edit((GROWN[1], "return x * FACTOR + 20"))
    assert session.asked("y") == (23, 1)
    # Nobody compared it with the first content, and nobody is asked to.
    assert session.run(x=2) == (25, 1)
    session.edit(("+ 20", "+ 10"))
    assert session.run() == (13, 0)
    session.edit((" + 10", ""))
    assert session.run() == (3, 0)


def test_a_decision_without_a_call_after_it_is_not_asked_again(session: Session) -> None:
    session.run()
    session.edit(GROWN)
    session.asked("y", op="other")
    assert session.run("other") == (2, 0)
    assert session.run() == (13, 1)


def test_what_is_asked_is_the_change_since_the_last_content(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    session.run()
    session.edit(GROWN)
    session.asked("y")
    capsys.readouterr()
    session.edit((GROWN[1], "return x * FACTOR + 30"))
    session.asked("y")
    shown = capsys.readouterr().out
    assert "-    return x * FACTOR + 10" in shown
    assert shown.count("CHANGE DETECTED") == 1


# --- saying no ------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [["a"], ["abort"], [], ["what?"] * 10])
def test_an_abort_stores_nothing_and_leaves_no_block(session: Session, answers: list[str]) -> None:
    session.run()
    session.edit(("FACTOR = 2", "FACTOR = 3"), SPELLED)
    before = facts(session)
    answers = ["y", *answers]  # an answer to the first question is forgotten with the rest
    with (
        patch.object(builtins, "input", mock_input(answers)),
        pytest.raises(errors.Aborted),
        session.storage,
    ):
        raise AssertionError("the block has begun")
    assert facts(session) == before
    assert context.active() is None
    assert session.module.outer(4) == 13, "a plain function outside of blocks"
    assert session.asked("y", "y") == (4, 1)


def test_ctrl_c_at_the_question_is_ctrl_c(session: Session) -> None:
    session.run()
    session.edit(SPELLED)
    before = facts(session)

    def interrupted(prompt: str) -> str:
        raise KeyboardInterrupt

    with patch.object(builtins, "input", interrupted), pytest.raises(KeyboardInterrupt):
        session.run()
    assert (facts(session), context.active()) == (before, None)
    with gm.Storage() as around, patch.object(builtins, "input", interrupted):
        with pytest.raises(KeyboardInterrupt):
            session.run()
        assert context.active() is around


def test_an_answer_that_makes_no_sense_is_asked_for_again(session: Session) -> None:
    session.run()
    session.edit(SPELLED)
    assert session.asked("", "maybe", " N ") == (3, 0)


# --- nobody there ---------------------------------------------------------------------


def test_where_nobody_can_answer_it_stays_pending_with_one_warning(session: Session) -> None:
    session.run()
    session.edit(SPELLED)
    with pytest.warns(ChangesPending, match=r"gitmemo decide") as told:
        assert session.run() == (3, 1)
    assert [Path(w.filename).name for w in told if w.category is ChangesPending] == ["conftest.py"]
    with warnings.catch_warnings():
        warnings.simplefilter("error", ChangesPending)
        assert session.run() == (3, 0)
        session.edit(("FACTOR = 2", "FACTOR = 4"))
        with pytest.raises(ChangesPending, match="FACTOR"):
            session.run()
    assert context.active() is None


def test_a_notebook_that_nobody_sits_at_is_not_asked(session: Session) -> None:
    class Kernel:
        _allow_stdin = False

        def raw_input(self, prompt: str = "") -> str:
            raise AssertionError("nobody would answer")

    class OtherKernel:
        def raw_input(self, prompt: str = "") -> str:
            raise NotImplementedError("no front end")

    session.run()
    session.edit(SPELLED)
    for kernel in (Kernel(), OtherKernel()):
        with (
            patch.object(builtins, "input", kernel.raw_input),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore", ChangesPending)
            session.run("other")
    assert len(session.storage.world.decisions().current) == 0


class NotebookKernel:
    """A kernel with somebody in front of it."""

    _allow_stdin = True

    def raw_input(self, prompt: str = "") -> str:
        raise AssertionError("the notebook would wait")


@pytest.mark.parametrize(("answer", "computed"), [("keep", 0), ("recompute", 1)])
def test_a_notebook_shows_changes_and_does_not_wait(
    session: Session, capsys: pytest.CaptureFixture[str], answer: str, computed: int
) -> None:
    session.run()
    session.edit(SPELLED)
    with patch.object(builtins, "input", NotebookKernel().raw_input):
        for _ in range(2):
            with pytest.raises(errors.DecisionNeeded, match=r"storage\.undecided\(\)\.keep\(\)"):
                session.run()
        assert "helper" in capsys.readouterr().out
        undecided = session.storage.undecided()
        assert repr(undecided).count("\n") == 0
        getattr(undecided["helper"], answer)("looked at it")
        assert session.run() == (3, computed)
        assert len(session.storage.undecided()) == 0
        with pytest.raises(errors.NothingToDecide):
            undecided.keep()
    assert "looked at it" in str(session.storage.source_history("helper"))


def test_a_notebook_goes_on_where_its_policy_says_so(session: Session) -> None:
    session.run()
    session.edit(SPELLED)
    with patch.object(builtins, "input", NotebookKernel().raw_input):
        session.storage.on_change = "pending"
        assert session.run() == (3, 1)
        session.storage.undecided()[0].keep()
        assert len(session.storage.world.decisions().current) == 1


def test_what_is_undecided_is_shown_as_text(session: Session) -> None:
    session.run()
    session.edit(("x * FACTOR", "'<b>' if x > 99 else x * FACTOR"))
    undecided = session.storage.undecided()
    shown = undecided._repr_mimebundle_()
    assert set(shown) == {"text/plain", "text/html"}
    assert "&lt;b&gt;" in shown["text/html"]
    assert "<b>'" not in shown["text/html"]
    assert "1 stored call of" in str(undecided)
    with pytest.raises(errors.NothingToDecide):
        undecided["other"]
    undecided.recompute()
    assert "nothing is undecided" in str(session.storage.undecided())


@pytest.mark.parametrize("answer", ["keep", "recompute"])
def test_all_contents_that_ran_are_undecided_and_settled_at_once(
    session: Session, answer: str
) -> None:
    session.storage.on_change = "pending"
    session.run()
    contents = [SPELLED[0], SPELLED[1], "return x * FACTOR + 0", "return (x + 0) * FACTOR"]
    for old, new in itertools.pairwise(contents):
        session.edit((old, new))
        session.run()
    undecided = session.storage.undecided()
    assert undecided.names == (f"{session.file.name}:helper",)
    assert len(undecided.changes) == 3
    assert "2 other contents of it ran too" in str(undecided)
    assert all(f"-    {content}" in str(undecided) for content in contents[:3])
    getattr(undecided, answer)()
    assert len(session.storage.undecided()) == 0
    session.edit((contents[3], contents[3].replace("0)", "0 + 0)")))
    session.storage.decide("helper", breaking=False)
    assert session.run() == (3, 0)
    session.edit((contents[3].replace("0)", "0 + 0)"), contents[1]))
    assert len(session.storage.world.decisions().current) == 4
    assert session.run() == (3, 0)


def test_a_content_whose_results_differ_is_not_kept_along_with_others(session: Session) -> None:
    session.storage.on_change = "pending"
    session.run()
    session.edit(GROWN)
    session.run()
    session.edit((GROWN[1], SPELLED[1]))
    session.run()
    session.storage.undecided().keep()
    [left] = session.storage.undecided().changes
    assert GROWN[1] in left.old_text
    session.storage.undecided().recompute()
    assert len(session.storage.undecided()) == 0


# --- others meanwhile -----------------------------------------------------------------


def test_nobody_else_waits_for_the_answer(session: Session) -> None:
    session.run()
    session.edit(SPELLED)
    path = session.file.parent / "s.db"
    seen = []

    def slow(prompt: str) -> str:
        with sqlite3.connect(path, timeout=0) as database:  # another process's look and write
            database.execute("begin immediate")
            database.rollback()
        other = gm.Storage(db_path=path)
        plain = gm.op(name="elsewhere")(lambda x: x + 1)
        with other:
            seen.append(plain(1).unwrap())
        other.close()
        return "n"

    with patch.object(builtins, "input", slow):
        assert session.run() == (3, 0)
    assert seen == [2]


def test_calls_of_a_thread_that_is_in_its_block_go_on(session: Session) -> None:
    session.run()
    inside, asked, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        with session.storage:
            inside.set()
            assert asked.wait(30)
            session.module.other(5)
            done.set()

    def slow(prompt: str) -> str:
        asked.set()
        assert done.wait(30), "a call waits for an answer"
        return "n"

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(30)
    session.edit(SPELLED)
    with patch.object(builtins, "input", slow):
        assert session.run() == (3, 1), "the call of the other thread alone was computed"
    thread.join(30)


@pytest.mark.parametrize("answer", ["y", "a"])
def test_one_thread_asks_and_the_others_wait(session: Session, answer: str) -> None:
    session.run()
    session.edit(SPELLED)
    asked: list[str] = []
    entered: list[object] = []
    arrived = threading.Barrier(8)

    def slow(prompt: str) -> str:
        asked.append(prompt)
        time.sleep(0.3)
        assert entered == []
        return answer

    def work() -> None:
        arrived.wait(30)
        try:
            with session.storage:
                entered.append(True)
        except errors.Aborted as error:
            entered.append(error)

    with patch.object(builtins, "input", slow):
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert len(asked) == 1
    kinds = {type(item) for item in entered}
    assert (len(entered), kinds) == (8, {bool} if answer == "y" else {errors.Aborted})


def test_an_input_that_uses_the_storage_does_not_ask_again(session: Session) -> None:
    session.run()
    session.edit(SPELLED)

    def curious(prompt: str) -> str:
        with session.storage:
            assert session.storage.unwrap(session.module.other(1)) == 2
        return "n"

    with patch.object(builtins, "input", curious):
        assert session.run() == (3, 1), "the call of the answer alone was computed"


# --- deciding in Python ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["function", "helper", "component"])
def test_the_programs_answer_is_what_counts(session: Session, name: str) -> None:
    session.storage.on_change = "pending"
    session.run()
    session.edit(SPELLED)
    what = {"function": session.module.helper, "component": f"{session.file.name}:helper"}
    session.storage.decide(what.get(name, name), breaking=False, why="only spelled otherwise")
    assert session.run() == (3, 0)
    again = gm.Storage(db_path=session.file.parent / "s.db", deps_path=session.file.parent)
    with again:
        session.module.outer(1)
    assert again.counter.computed == 0
    [(_, decision)] = again.world.decisions().about(
        next(
            c
            for c in again.world.version(again.world.calls(again._code)[0].version).pairs  # type: ignore[arg-type, union-attr]
            if c.unit == "helper"
        )
    )
    assert decision.why == "only spelled otherwise"
    with pytest.raises(errors.NothingToDecide):
        again.decide("helper", breaking=True)
    again.close()


def test_an_op_and_a_variable_can_be_decided_too(session: Session) -> None:
    session.storage.on_change = "pending"
    session.run()
    session.edit(("return helper(x) + 1", "return 1 + helper(x)"), ("FACTOR = 2", "FACTOR = 1 + 1"))
    session.storage.decide(session.module.outer, breaking=False)
    assert session.run() == (3, 0), "an equal value is no change"
    session.edit(("FACTOR = 1 + 1", "FACTOR = 3"))
    session.storage.decide("FACTOR", breaking=True)
    assert session.run() == (4, 1)


def test_an_answer_inside_a_block_counts_at_once(session: Session) -> None:
    session.storage.on_change = "pending"
    session.run()
    session.edit(SPELLED)
    with session.storage:
        session.storage.decide("helper", breaking=False)
        session.module.outer(1)
    assert session.storage.counter.computed == 1


# --- settings -------------------------------------------------------------------------


def test_on_change_needs_code_to_watch() -> None:
    with pytest.raises(errors.InvalidStorage, match="deps_path"):
        gm.Storage(on_change="ask")
    storage = gm.Storage()
    with pytest.raises(errors.InvalidStorage, match="deps_path"):
        storage.on_change = "ask"
    with pytest.raises(errors.InvalidStorage, match="deps_path"):
        storage.decide("f", breaking=True)


def test_defaults_and_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITMEMO_ON_CHANGE", raising=False)
    assert gm.Storage(deps_path=tmp_path).on_change == "ask"
    assert gm.Storage().on_change == "pending"
    with pytest.raises(errors.BadSetting, match="on_change"):
        gm.Storage(deps_path=tmp_path, on_change="perhaps")
    monkeypatch.setenv("GITMEMO_ON_CHANGE", "breaking")
    assert gm.Storage(deps_path=tmp_path).on_change == "breaking"
    assert gm.Storage(deps_path=tmp_path, on_change="ask").on_change == "ask"


def test_nothing_is_looked_at_while_nothing_changes(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.run()
    os.utime(session.file, (1, 1))
    session.run()
    looked = []
    uses = session.storage._changes._uses  # type: ignore[union-attr]
    monkeypatch.setattr(session.storage._changes, "_uses", lambda: (looked.append(1), uses())[1])
    session.run()
    looked.clear()
    for x in range(2, 12):
        session.run(x=x)
    assert looked == []
    session.module.FACTOR = 7
    assert session.asked("y") == (8, 1)
    assert looked == [1]


def test_a_helper_that_was_extracted_counts_for_the_results_of_before(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    assert session.run() == (3, 1)
    session.edit(
        ("return x * FACTOR", "return grown(x)"),
        ("def helper(", "def grown(x):\n    return x * FACTOR\n\n\ndef helper("),
    )
    assert session.asked("n") == (3, 0)
    assert "results of before depend on" in capsys.readouterr().out
    session.edit(("return x * FACTOR", "return x * FACTOR + 5"))
    assert session.asked("y") == (8, 1)


def test_a_variable_counts_by_its_value_also_after_its_text_was_decided(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTOR", "2")
    session.edit(("import gitmemo as gm", "import os\n\nimport gitmemo as gm"))
    session.edit(("FACTOR = 2", "FACTOR = int(os.environ['FACTOR'])"))
    assert session.run() == (3, 1)
    session.storage.on_change = "non-breaking"
    session.edit(("int(os.environ['FACTOR'])", "int(os.environ.get('FACTOR', 1))"))
    assert session.run() == (3, 0)
    monkeypatch.setenv("FACTOR", "7")
    session.storage.on_change = "pending"
    session.edit(("return x + 1\n", "return x + 1  #\n"))  # loads it again
    assert session.run() == (8, 1)


def test_a_changed_literal_that_was_said_not_to_matter_does_not(session: Session) -> None:
    assert session.run() == (3, 1)
    session.edit(("FACTOR = 2", "FACTOR = 5"))
    assert session.asked("n") == (3, 0)
    session.module.FACTOR = 9  # but this is what nobody spoke of
    session.storage.on_change = "pending"
    assert session.run() == (10, 1)
