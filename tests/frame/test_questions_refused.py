"""What frames say to questions that are nearly right."""

from __future__ import annotations

import pytest

import gitmemo as gm
from gitmemo.errors import UnknownNode, WrongQuestion


def test_refusals_say_what_was_perhaps_meant() -> None:
    storage = gm.Storage()

    @gm.op(output_names=["acc"])
    def judge(rate: int, seed: int) -> int:
        return rate + seed

    with storage:
        for rate in (1, 2):
            judge(rate, 7)
    cf = storage.cf(judge)
    for asked, meant in {"accuracy": "acc", "ac": "acc", "rates": "rate", "see": "seed"}.items():
        with pytest.raises(UnknownNode, match=f"did you mean '{meant}'"):
            cf.df(asked)
    with pytest.raises(UnknownNode, match="it has "):
        cf.df("zzz")
    for wrong, word in {
        "acc > 0.8 & rate == 1": "`and`",
        "(acc > 0.8) | (rate == 1)": "`or`",
        "~(acc > 0.8)": "`not`",
    }.items():
        with pytest.raises(WrongQuestion, match=f"say {word}"):
            cf.query(wrong)
    assert storage.table(judge, columns=["rate", "acc"]).columns.tolist() == ["rate", "acc"]
    assert storage.table(judge, where="rate == 2", columns=["acc"])["acc"].tolist() == [9]


def test_parts_of_a_function_have_short_names_that_conditions_take() -> None:
    storage = gm.Storage()

    @gm.op(output_names=["acc"])
    def judge(rate: int) -> int:
        return rate + 1

    with storage:
        for rate in (1, 2):
            judge(rate)
    parts = storage.cf(judge).split("rate", by=lambda rate: "slow" if rate == 1 else "fast")
    assert "acc_slow = judge[slow](rate=rate" in parts.graph_text()
    assert len(parts.query("acc_slow == 2")) == 1
