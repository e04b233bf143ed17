"""Codecs that programs register for their own types."""

from __future__ import annotations

import pytest

import gitmemo as gm
from gitmemo.codecs import custom, decode, encode, is_safe
from gitmemo.errors import InvalidName, UndecodableValue, Unencodable
from gitmemo.hashing import content_id


class Spectrum:
    def __init__(self, peaks):
        self.peaks = peaks


class Other:
    pass


class Narrow(Spectrum):
    pass


@pytest.fixture(autouse=True)
def own_registry(monkeypatch):
    monkeypatch.setattr(custom, "_by_type", {})


def register(kind=Spectrum, name="lab.spectrum"):
    gm.codec(
        kind,
        name=name,
        encode=lambda s: ",".join(map(str, s.peaks)).encode(),
        decode=lambda data: Spectrum([int(word) for word in data.split(b",")]),
    )


def test_a_registered_codec_writes_and_reads():
    register()
    made = encode(Spectrum([1, 2]))
    assert (made.codec, made.chunks) == ("custom.lab.spectrum", (b"1,2",))
    assert content_id(decode(made.codec, b"1,2")) == content_id(Spectrum([1, 2]))
    assert encode(Narrow([1])).codec == "pickle"
    assert encode((Spectrum([1]), 1)).codec == "pickle"


def test_reading_with_it_is_running_code():
    register()
    assert not is_safe("custom.lab.spectrum")


def test_names_cannot_shadow_and_belong_to_one_type():
    for name in ("", "Lab", "a/b", "../x", "x" * 57, "a b"):
        with pytest.raises(InvalidName):
            register(name=name)
    register(name="json")
    assert encode({"a": 1}).codec == "json"
    with pytest.raises(InvalidName):
        register(Other, name="json")
    register(name="json")  # the same cell, run again


@pytest.mark.parametrize("kind", [int, dict, bytes, object, "Spectrum"])
def test_built_in_types_keep_theirs(kind):
    with pytest.raises(TypeError):
        register(kind)


def test_an_unknown_codec_says_what_to_import():
    with pytest.raises(UndecodableValue, match=r"import the module that calls gm.codec.*'lab.x'"):
        decode("custom.lab.x", b"")


def test_mistakes_are_named():
    gm.codec(Spectrum, name="text", encode=lambda s: "text", decode=bytes)  # type: ignore[arg-type]
    with pytest.raises(Unencodable, match=r"custom.text returned str instead of bytes"):
        encode(Spectrum([]))
    gm.codec(Spectrum, name="broken", encode=lambda s: b"x", decode=lambda data: data["x"])  # type: ignore[call-overload]
    with pytest.raises(UndecodableValue, match="TypeError"):
        decode("custom.broken", b"x")


def test_public_names_agree():
    from gitmemo.utils import deserialize, get_content_hash, serialize

    value = {"a": [1, (2.5, {"x"})]}
    assert get_content_hash(deserialize(serialize(value))) == gm.content_hash(value)
    assert gm.deserialize(gm.serialize(value)) == value
    assert len(gm.content_hash(value)) == 64
