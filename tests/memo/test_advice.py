"""Mistakes of beginners: each has an error of its own that says what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gitmemo as gm
from gitmemo import errors

DRAWS = iter(range(10))


@gm.op
def train(x):
    return x + 1


@pytest.mark.parametrize(
    ("ask", "error", "advice"),
    [
        (lambda s: s.prov(3), errors.NotARef, "storage.prov takes a ref, and 3 is none"),
        (lambda s: gm.prov("x"), errors.NotARef, "'x' is none"),
        (lambda s: s.cf(3), errors.WrongQuestion, "no frame can be made of 3"),
        (lambda s: s.explain(3), errors.NotAnOp, "3 is neither"),
        (lambda s: s.explain("trian", 3), errors.UnknownOp, "did you mean '.*:train'"),
    ],
)
def test_questions_about_something_else(
    ask: Callable[[gm.Storage], object], error: type[Exception], advice: str
) -> None:
    storage = gm.Storage()
    with storage:
        train(1)
    with pytest.raises(error, match=advice):
        ask(storage)


def test_explain_takes_the_name_of_an_op(tmp_path: Path) -> None:
    storage = gm.Storage(db_path=tmp_path / "a.db")
    with storage:
        train(1)
    assert str(storage.explain("train", 1)) == str(storage.explain(train, 1))
    storage.close()
    again = gm.Storage(db_path=tmp_path / "a.db")
    with pytest.raises(errors.OpNotLoaded, match="not used it yet; pass the op itself"):
        again.explain("train", 1)
    assert again.explain(train, 1)


def test_places_where_no_storage_can_be(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidStorage, match=r"nowhere.* does not exist"):
        gm.Storage(db_path=tmp_path / "nowhere" / "a.db")
    (tmp_path / "notes.txt").write_text("not a database, but some text\n" * 100)
    with pytest.raises(errors.InvalidStorage, match=r"notes\.txt' cannot be used"):
        gm.Storage(db_path=tmp_path / "notes.txt")
    with pytest.raises(errors.InvalidStorage, match="cannot be used"):
        gm.Storage(db_path=tmp_path)
    with pytest.raises(errors.InvalidStorage, match="nofolder' is no folder"):
        gm.Storage(db_path=tmp_path / "b.db", deps_path=tmp_path / "nofolder")
    assert not (tmp_path / "b.db").exists()


@pytest.mark.parametrize("use", [lambda s: s.cf(), lambda s: s.__enter__(), lambda s: s.vacuum()])
def test_a_closed_storage_says_so(tmp_path: Path, use: Callable[[gm.Storage], Any]) -> None:
    storage = gm.Storage(db_path=tmp_path / "a.db")
    storage.close()
    storage.close()
    with pytest.raises(errors.StorageClosed, match="open it again"):
        use(storage)
    assert sqlite3.connect(tmp_path / "a.db").execute("select count(*) from fact").fetchone()


@pytest.mark.parametrize(
    ("option", "advice"),
    [("ignore", r"did you mean ignore_args\?"), ("zzz", "options are: .*nout")],
)
def test_unknown_options_are_refused(option: str, advice: str) -> None:
    decorate: Any = gm.op
    with pytest.raises(errors.BadOption, match=f"{option}=.*no such option[^$]*{advice}"):

        @decorate(**{option: ("x",)})
        def f(x):
            return x


def test_generators_get_advice_about_generators() -> None:
    with pytest.raises(errors.UntrackableOp, match=r"(?s)fix: use @op\(materialize=True\)") as seen:

        @gm.op
        def items(n):
            yield n

    assert "lambda" not in str(seen.value)


def test_advice_is_possible_where_it_is_given() -> None:
    storage = gm.Storage()

    @gm.op(store="hash", name="draw it")
    def draw(x):
        return [x, next(DRAWS)]

    with storage:
        ref = draw(1)
        hid = ref.hid
    del ref
    with storage, pytest.raises(errors.NotReproducible) as seen:
        storage.unwrap(storage.load_ref(hid, in_memory=False))
    assert "pull" not in str(seen.value)

    def renamed(y):
        return y

    with storage, pytest.raises(errors.SignatureChanged) as drifted:
        gm.op(renamed, name="draw it")(1)  # type: ignore[call-overload]
    assert "gitmemo forget 'draw it'" in str(drifted.value)
    assert "op.forget(...)" in str(drifted.value)


class Trainer:
    @gm.op
    def fit(self, n):
        return n


def test_close_matches_look_at_the_last_part() -> None:
    storage = gm.Storage()
    with storage:
        Trainer().fit(1)
    with pytest.raises(errors.UnknownOp, match=r"did you mean '.*:Trainer\.fit'"):
        storage.cf("fit")
