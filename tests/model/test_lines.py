"""A fact has one line, and a line one fact."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.display.records import readable, sentence
from gitmemo.errors import CorruptRecord
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest, digest, from_text, to_text
from gitmemo.hashing.encoding import part
from gitmemo.model import ids
from gitmemo.model.components import Component, Content
from gitmemo.model.facts import (
    Call,
    Decision,
    Dependency,
    Fact,
    Inline,
    Move,
    Rename,
    RenameKind,
    Slot,
    Source,
    Tag,
    Text,
    Tombstone,
    Undo,
    Value,
    Verdict,
    Version,
    Withdrawal,
    referenced_cids,
)
from gitmemo.model.items import (
    KINDS,
    OBJECT,
    Item,
    Parts,
    collection_hid,
    made_by,
    of_parts,
    raw,
)
from gitmemo.model.lines import from_line, kind_of, record_id, to_line

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
digests = st.binary(min_size=32, max_size=32).map(Digest)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
components = st.builds(Component, names, names)
run_facts = st.dictionaries(names, plain, max_size=3)


def with_history(item: Item, hid: Digest) -> Item:
    return Item(item.cid, hid, item.inline, item.short, item.parts)


@st.composite
def atoms(draw: st.DrawFn) -> Item:
    short = draw(st.none() | st.complex_numbers(allow_nan=False))
    if short is not None:
        item = raw(content_id(short), None, part(short))
    else:
        inline = draw(st.none() | plain.map(Inline))
        item = raw(draw(digests) if inline is None else content_id(inline.json), inline)
    return with_history(item, draw(st.just(item.hid) | digests))


@st.composite
def collections(draw: st.DrawFn, inner: st.SearchStrategy[Item]) -> Item:
    kind = draw(st.sampled_from(KINDS))
    found = draw(st.lists(inner, max_size=3))
    if kind == OBJECT:
        alone, parts = draw(atoms()), Parts(OBJECT, tuple(found))
        return alone.holding(parts, collection_hid(alone.cid, parts))
    keys = draw(st.lists(atoms(), min_size=len(found), max_size=len(found)))
    keys = [raw(key.cid, key.inline, key.short) for key in keys] if kind == "dict" else []
    item = of_parts(Parts(kind, tuple(found), tuple(keys)))
    return with_history(item, draw(st.just(item.hid) | digests))


items = st.recursive(atoms(), collections, max_leaves=6)


@st.composite
def slots(draw: st.DrawFn) -> Slot:
    item = draw(items)
    return Slot(draw(names), item.cid, item.hid, item.inline, item.short, item.parts)


@st.composite
def calls(draw: st.DrawFn) -> Call:
    call = Call(
        draw(names),
        draw(st.integers(0, 9)),
        draw(st.none() | digests),
        tuple(draw(st.lists(slots(), max_size=3))),
        (),
        tuple(draw(st.lists(digests, max_size=2))),
        draw(run_facts),
    )
    outputs = tuple(
        made(call.hid, slot) for slot in draw(st.lists(slots(), max_size=3)) if is_made(slot)
    )
    return Call(call.op, call.op_version, call.version, call.inputs, outputs, call.inner, call.run)


def is_made(held: Slot | Item) -> bool:
    """Whether an output may look like this: of its parts nothing has a history from elsewhere."""
    return held.parts is None or (
        held.parts.kind != OBJECT and all(is_made(item) for item in held.parts.items or ())
    )


def made(call: Digest, slot: Slot) -> Slot:
    hid = ids.output_hid(call, slot.name)
    parts = made_by(slot.parts, hid) if slot.parts else None
    return Slot(slot.name, slot.cid, hid, slot.inline, slot.short, parts)


contents = st.builds(Content, digests, st.none() | digests)
superseded = st.lists(digests, max_size=2).map(tuple)
facts: st.SearchStrategy[Fact] = st.one_of(
    calls(),
    st.builds(Value, digests, names, st.integers(0, 2**60), digests),
    st.builds(Version, st.dictionaries(components, contents, max_size=4)),
    st.builds(Source, components, digests, digests, st.lists(digests, max_size=2).map(tuple)),
    st.builds(
        Decision,
        components,
        digests,
        digests,
        st.sampled_from(Verdict),
        names,
        superseded,
        superseded,
        run_facts,
    ),
    st.builds(Move, components, digests, components, digests, names, superseded),
    st.builds(Dependency, components, st.none() | digests, components, contents, names, superseded),
    st.builds(Rename, st.sampled_from(RenameKind), names, names, names, names, superseded),
    st.builds(Tag, names, digests, digests, names, superseded),
    st.builds(Withdrawal, superseded, names),
    st.builds(Tombstone, *[st.lists(digests, max_size=2).map(tuple)] * 2, names, st.just(())),
    st.builds(Undo, st.lists(digests, max_size=2).map(tuple), names),
    st.builds(Text, names),
)


@given(facts)
def test_what_is_written_is_read_and_written_the_same(fact: Fact) -> None:
    line = to_line(fact)
    assert "\n" not in line
    assert json.loads(line)[0] == kind_of(line)
    compact = json.dumps(json.loads(line), separators=(",", ":"), ensure_ascii=False)
    assert line == compact  # also of calls, whose lines are put together from pieces
    back = from_line(line, content_id)
    assert back == fact
    assert to_line(back) == line
    assert record_id(line) == digest(line.encode())


@given(facts)
def test_every_fact_has_a_sentence(fact: Fact) -> None:
    line = to_line(fact)
    said = sentence(line)
    assert said.isprintable()
    word = "link" if isinstance(fact, Call) and fact.is_link else kind_of(line)
    if not isinstance(fact, Text):  # those are in journals only
        assert said.split(" ")[0] == word, "it was not understood"


@given(st.binary() | st.recursive(plain, st.lists).map(lambda value: json.dumps(value).encode()))
def test_anything_is_shown_line_by_line(data: bytes) -> None:
    shown = list(readable(data))
    assert len(shown) == data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    assert all(line.isprintable() for line in shown)


@given(st.text() | st.recursive(plain, st.lists).map(json.dumps))
def test_any_other_line_is_refused_with_a_clear_error(line: str) -> None:
    try:
        fact = from_line(line, content_id)
    except CorruptRecord as error:
        assert "damaged" in str(error)
    else:
        assert to_line(fact)


@given(facts, st.data())
def test_a_damaged_line_is_refused_or_is_another_fact(fact: Fact, data: st.DataObject) -> None:
    line = to_line(fact)
    at = data.draw(st.integers(0, len(line) - 1))
    broken = line[:at] + data.draw(st.characters(exclude_categories=["Cs"])) + line[at + 1 :]
    try:
        back = from_line(broken, content_id)
    except CorruptRecord:
        return
    assert back != fact or json.loads(broken) == json.loads(line)


@given(calls(), calls())
def test_ids_of_calls_follow_from_what_they_are(one: Call, other: Call) -> None:
    same_question = (one.op, one.op_version) == (other.op, other.op_version) and sorted(
        (slot.name, slot.cid) for slot in one.inputs
    ) == sorted((slot.name, slot.cid) for slot in other.inputs)
    assert (one.key == other.key) == same_question


def test_only_values_that_are_not_inline_need_bytes() -> None:
    held = Slot("a", content_id(5), ids.raw_hid(content_id(5)), Inline(5))
    far = Slot("b", digest(b"far"), ids.raw_hid(digest(b"far")))
    assert referenced_cids([Call("f", 0, None, (held, far), ())]) == {far.cid}


@given(digests)
def test_digests_have_one_text(value: Digest) -> None:
    assert from_text(to_text(value)) == value


@pytest.mark.parametrize("text", ["", "A" * 42, "A" * 44, "A" * 42 + "B", "A" * 42 + "=", "é" * 43])
def test_other_texts_are_no_digests(text: str) -> None:
    with pytest.raises(ValueError, match="digest"):
        from_text(text)
