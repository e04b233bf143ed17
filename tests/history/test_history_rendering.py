"""A fact has one commit, and a commit one fact."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.git.formats import CommitInfo, parse_commit
from gitmemo.hashing.digest import Digest, digest
from gitmemo.history.rendering import (
    EPOCH,
    MAX_TEXT_BYTES,
    Parent,
    blob_of,
    fact_id,
    read_message,
    recover,
    render,
    text_in,
)
from gitmemo.model.components import Component
from gitmemo.model.facts import Decision, Source, Verdict

SCALE = Component("analysis/prep.py", "scale")
TEXT = "def scale(x):\n    return x / 2"
FACT = Source(SCALE, Digest(b"\1" * 32), digest(TEXT.encode()))


def commit_of(fact: Source | Decision, text: str | None, *parents: Parent) -> CommitInfo:
    made = render(fact, text, parents).objects[-1]
    return parse_commit(made.oid, made.body)


def test_the_format_of_a_first_version_never_changes() -> None:
    made = render(FACT, TEXT, [])
    assert [item.kind for item in made.objects] == ["blob", "tree", "commit"]
    assert made.objects[-1].body.decode() == (
        f"tree {made.tree}\n"
        "author gitmemo <gitmemo@localhost> 946684801 +0000\n"
        "committer gitmemo <gitmemo@localhost> 946684801 +0000\n"
        "\n"
        "analysis/prep.py: scale: first version\n"
        "\n"
        "Gitmemo-Component: analysis/prep.py:scale\n"
        f"Gitmemo-Content: {'01' * 32}\n"
        f"Gitmemo-Text: {digest(TEXT.encode()).hex()}\n"
        f"Gitmemo-Fact: {fact_id(FACT).hex()}\n"
    )
    # Golden: another id here means that clones of two versions would not converge.
    assert made.commit == "1add1e800411e5c3a50fa5c3fd53f974633469ee"
    assert made.time == EPOCH + 1


def test_a_decision_keeps_the_tree_of_what_it_follows() -> None:
    first = render(FACT, TEXT, [])
    decision = Decision(
        SCALE, Digest(b"\2" * 32), FACT.source, Verdict.NON_BREAKING, "only\n\nfaster",
        supersedes=(Digest(b"\3" * 32),), parents=(fact_id(FACT),), who={"user": "Zoë", "at": 1.5},
    )  # fmt: skip
    info = commit_of(decision, None, first.parent)
    assert info.tree == first.tree
    assert info.parents == (first.commit,)
    assert info.time == EPOCH + 2
    assert info.message.startswith(
        "non-breaking: analysis/prep.py: scale\n\nonly\n\nfaster\n\nGitmemo-"
    )
    assert recover(info, [fact_id(FACT)]) == decision


def test_a_decision_that_follows_nothing_has_an_empty_tree() -> None:
    decision = Decision(SCALE, FACT.source, Digest(b"\2" * 32), Verdict.BREAKING)
    assert [item.kind for item in render(decision, None, []).objects] == ["tree", "commit"]


def test_time_is_one_more_than_the_latest_parent() -> None:
    parents = [Parent("a" * 40, "b" * 40, EPOCH + 7), Parent("c" * 40, "d" * 40, EPOCH + 3)]
    fact = replace(FACT, parents=(Digest(b"\4" * 32), Digest(b"\5" * 32)))
    info = commit_of(fact, TEXT, *parents)
    assert info.time == EPOCH + 8
    assert info.parents == ("a" * 40, "c" * 40)
    assert ": changed\n" in info.message


@pytest.mark.parametrize(
    ("fact", "text", "reason"),
    [
        (FACT, None, "not known"),
        (FACT, TEXT + "\n", "not its text"),
        (replace(FACT, parents=(fact_id(FACT),) * 2), TEXT, "twice"),
        (replace(FACT, component=Component("../x.py", "f")), TEXT, "plain relative"),
        (
            replace(FACT, text=digest(b"x" * (MAX_TEXT_BYTES + 1))),
            "x" * (MAX_TEXT_BYTES + 1),
            "longer",
        ),
        (
            Decision(SCALE, FACT.source, FACT.source, Verdict.BREAKING, "y" * (1 << 19)),
            None,
            "message is too long",
        ),
    ],
)
def test_what_cannot_be_a_commit_is_refused(
    fact: Source | Decision, text: str | None, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        render(fact, text, [])


@pytest.mark.parametrize("text", ["", "x", "x\n", "x\n\n", "a\r\nb\r\n", "ä\r", "\n"])
def test_a_text_is_read_back_as_it_was(text: str) -> None:
    blob = blob_of(text.encode())
    assert blob.endswith(b"\n")
    assert text_in(blob, digest(text.encode())) == text
    assert text_in(blob + b"x", digest(text.encode())) is None


@given(
    st.text(max_size=200).filter(
        lambda why: why.isascii() or why.encode("utf-8", "ignore") == why.encode("utf-8", "replace")
    ),
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
        st.none()
        | st.integers()
        | st.booleans()
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
        max_size=3,
    ),
)
def test_any_decision_is_read_back_as_it_was(
    why: str, who: dict[str, int | bool | str | None]
) -> None:
    decision = Decision(SCALE, FACT.source, FACT.source, Verdict.BREAKING, why, who=who)
    info = commit_of(decision, None)
    assert recover(info, []) == decision
    assert not set(info.message) & set(map(chr, {*range(9), *range(11, 32), 127}))


@pytest.mark.parametrize(
    "why",
    [
        "Gitmemo-Fact: " + "0" * 64,
        "x\n\nGitmemo-Decision: breaking\nGitmemo-Fact: " + "0" * 64,
        '"quoted"',
        "\x1b[2J\x07bell",
        "trailing \n",
        "\n\nleading",
        "a\r\nb",
        "",
    ],
)
def test_a_reason_cannot_forge_trailers(why: str) -> None:
    decision = Decision(SCALE, FACT.source, FACT.source, Verdict.NON_BREAKING, why)
    info = commit_of(decision, None)
    assert recover(info, []) == decision
    message = read_message(info.message)
    assert message is not None
    assert message.digest("Fact") == fact_id(decision)
    assert "\x1b" not in info.message


def test_messages_that_are_not_ours_claim_nothing() -> None:
    good = commit_of(FACT, TEXT)
    for message in (
        "", "fix", "fix\n\nSigned-off-by: x\n", good.message + "\nand more\n",
        good.message.replace("scale", "other"), good.message.replace("01" * 32, "02" * 32),
        good.message.replace("Gitmemo-Fact: ", "Gitmemo-Fact: 0"),
        good.message.replace(":scale", ":../../x"), good.message.replace("prep.py:", "\0:"),
        "x" * (1 << 19),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"."):
            recover(replace(good, message=message), [])
    with pytest.raises(ValueError, match="record id"):
        recover(good, [fact_id(FACT)])
