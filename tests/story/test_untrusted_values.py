"""Values of every codec that runs code, from a remote: refused until it is trusted, and never run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from driver import Clone

OPS = """\
import os
import pathlib

import numpy as np

import gitmemo as gm

PROOF = pathlib.Path(__file__).parent / "proof"


class Model:
    def __init__(self, weights):
        self.weights = weights

    def __setstate__(self, state):
        if "WATCHED" in os.environ:
            PROOF.write_text("code ran")
        self.__dict__ = state


class Own(Model):
    pass


def restore(data):
    if "WATCHED" in os.environ:
        PROOF.write_text("code ran")
    return Own(data.decode())


gm.codec(Own, name="own", encode=lambda own: own.weights.encode(), decode=restore)


@gm.op
def pickled():
    return Model(list(range(2000)))


@gm.op
def with_arrays():
    return Model(np.arange(100_000))


@gm.op
def with_code():
    def local(x, model=Model([1])):
        return x

    return local


@gm.op
def own():
    return Own("own " * 2000)


@gm.op
def file():
    path = pathlib.Path(gm.__file__)  # replaced below
    out = pathlib.Path(__file__).parent / "made.txt"
    out.write_text("made " * 100)
    return gm.File(out)


@gm.op
def in_list():
    return [Model(list(range(3000))), Model(list(range(3001)))]


@gm.op
def in_dict():
    return {"a": {"b": Model(list(range(3002)))}, "c": "x" * 9000}


@gm.op
def plain():
    return {"a": np.arange(10), "b": (1, {2, 3}, b"bytes"), "c": list(range(1000))}


@gm.op
def size(value):
    return len(repr(value))


OPS = (pickled, with_arrays, with_code, own, file, in_list, in_dict, plain)
"""
MAKE = """\
import gitmemo as gm
from ops import OPS, size

with gm.open() as storage:
    for op in OPS:
        size(op())
"""
READ = """\
import json

import gitmemo as gm
from ops import OPS

storage = gm.open()
with storage:
    for op in OPS:
        try:
            storage.unwrap(op())
            print(json.dumps([op.__name__, None, None, None]))
        except gm.errors.GitmemoError as error:
            print(json.dumps([op.__name__, error.kind, str(error), error.remedy()]))
"""
CODECS = {
    "pickled": "'pickle'",
    "with_arrays": "'joblib'",
    "with_code": "'cloudpickle-",
    "own": "'custom.own'",
    "file": "'files'",
    "in_list": "'pickle'",
    "in_dict": "'pickle'",
}


@pytest.fixture
def pulled(begun: Clone, tmp_path: Path) -> Clone:
    """A clone all of whose values came from the remote `lab`."""
    begun.write(
        "ops.py", OPS.replace("    path = pathlib.Path(gm.__file__)  # replaced below\n", "")
    )
    begun.write("make.py", MAKE)
    begun.write("read.py", READ)
    begun.gitmemo("remote", "add", "lab", str(tmp_path / "lab"))
    begun.gitmemo("run", "make.py")
    begun.gitmemo("push", code=None)
    (begun.root / ".git/gitmemo/blobs/self").rename(tmp_path / "own values")
    (begun.root / "made.txt").unlink()
    begun.gitmemo("pull", code=None)
    return begun


def test_each_is_refused_by_name_until_the_remote_is_trusted(pulled: Clone) -> None:
    proof = pulled.root / "proof"
    found = read(pulled)
    assert found.pop("plain") == (None, None, None), "plain data needs no trust"
    for name, (kind, said, remedy) in found.items():
        assert kind == "untrusted-value", (name, said)
        for part in (f"of ops:{name}", CODECS[name], "'lab'"):
            assert part in said, (name, part, said)
        assert "gitmemo remote trust lab" in remedy
    assert found.keys() == CODECS.keys()
    assert not proof.exists(), "no code of a value ran"
    assert not (pulled.root / "made.txt").exists(), "no file was put anywhere"

    pulled.gitmemo("remote", "trust", "lab")
    assert set(read(pulled).values()) == {(None, None, None)}
    assert proof.exists(), "the values watch what they say they watch"
    proof.unlink()

    pulled.gitmemo("remote", "trust", "lab", "--remove")
    assert read(pulled)["in_dict"][0] == "untrusted-value"
    assert not proof.exists()


def test_a_key_that_both_have_is_enough(pulled: Clone, tmp_path: Path) -> None:
    own = pulled.root / ".git/gitmemo/blobs/self"
    pulled_folder = own.with_name("remote")
    (tmp_path / "own values").rename(own)
    said = pulled.gitmemo("remote", "key", "lab", "--generate").out
    (key,) = (pulled.root / ".git/gitmemo/keys").iterdir()
    assert key.stat().st_mode & 0o777 == 0o600
    assert f"give {key} to the others" in said
    secret = key.read_text().split()[1]
    assert secret not in said
    assert secret not in (pulled.root / ".gitmemo/config.toml").read_text()
    pulled.gitmemo("push", code=None)

    own.rename(tmp_path / "own values")
    pulled.gitmemo("remote", "key", "lab", "--required")
    pulled.gitmemo("pull", code=None)
    assert set(read(pulled).values()) == {(None, None, None)}, (
        "also what was pulled unsigned before"
    )
    assert any(path.name == f"signed_{key.stem}" for path in pulled_folder.iterdir())

    handed_over = key.rename(tmp_path / "handed over")
    refused = pulled.gitmemo("pull", code=2)
    assert "gitmemo remote key lab" not in refused.out
    assert secret not in refused.text
    pulled.gitmemo("remote", "key", "lab", "--forget", key.stem[:6])
    kind, said, _ = read(pulled)["own"]
    assert (kind, key.stem in str(said)) == ("untrusted-value", True) or "'lab'" in str(said)
    pulled.gitmemo("remote", "key", "lab", "--file", str(handed_over))
    assert read(pulled)["own"] == (None, None, None)


def read(clone: Clone) -> dict[str, tuple[str | None, str | None, str | None]]:
    out = clone.python("read.py", WATCHED="yes").out
    return {line[0]: tuple(line[1:]) for line in map(json.loads, out.splitlines())}


def test_push_does_not_pass_on_what_is_not_trusted(pulled: Clone, tmp_path: Path) -> None:
    pulled.gitmemo("remote", "add", "team", str(tmp_path / "team"))
    pulled.gitmemo("remote", "trust", "team")  # of no use: they did not come from there
    planned = json.loads(pulled.gitmemo("push", "team", "--dry-run", "--json").out)
    done = pulled.gitmemo("push", "team", "--json")
    first = json.loads(done.out)
    assert first["withheld"] == planned["withheld"] >= len(CODECS)
    assert first["sent"] == planned["send"] > 0, "plain data goes through"
    assert "gitmemo remote trust lab" in done.err
    pulled.gitmemo("remote", "trust", "lab")
    second = json.loads(pulled.gitmemo("push", "team", "--json").out)
    assert (second["withheld"], second["sent"]) == (0, first["withheld"]), "none was there"
