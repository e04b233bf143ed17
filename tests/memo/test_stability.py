"""Results that change in a round trip: another codec, or made stable once and reported."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import gitmemo as gm
from gitmemo.codecs import custom, pickles, stability
from gitmemo.errors import Unencodable
from gitmemo.hashing import content_id
from gitmemo.memo import stable
from gitmemo.memo.stable import ValueMadeStable


class Forgetful:
    """Loses what it remembers when it is written."""

    def __init__(self, kept, lost=None):
        self.kept, self.lost = kept, lost

    def __reduce_ex__(self, protocol):
        return (Forgetful, (self.kept,)) if protocol == 5 else super().__reduce_ex__(protocol)


class Careless:
    """Cannot be read back."""

    def __setstate__(self, state):
        raise RuntimeError("no")

    def __getstate__(self):
        return {"x": 1}


@pytest.fixture(autouse=True)
def nothing_reported(monkeypatch):
    monkeypatch.setattr(stable, "_reported", set())
    monkeypatch.setattr(stability, "_passed", set())
    monkeypatch.setattr(custom, "_by_type", {})


@gm.hasher(Forgetful)
def _plain(value):
    return [value.kept, value.lost]


def test_what_changes_is_made_stable_and_reported_once(tmp_path):
    @gm.op(output_names=["result"])
    def make(x):
        return Forgetful(x, lost=[x])

    @gm.op
    def look(value):
        return value.lost

    with gm.Storage(db_path=tmp_path / "x.db") as storage:
        with pytest.warns(ValueMadeStable, match=r"'result' of .*make, a .*Forgetful") as told:
            made = [make(n) for n in range(3)]
        assert len(told) == 1
        assert told[0].filename == __file__
        for n, ref in enumerate(made):
            value = storage.unwrap(ref)
            assert (value.kept, value.lost) == (n, None)
            assert content_id(value).hex() == ref.cid
        assert storage.unwrap(look(made[0])) is None
    with gm.Storage(db_path=tmp_path / "x.db") as storage:
        assert make(0).cid == made[0].cid
        assert storage.unwrap(make(0)).lost is None


def test_a_call_inside_another_gets_the_stable_value():
    @gm.op
    def make(x):
        return Forgetful(x, lost=[x])

    @gm.op
    def outer(x):
        return make(x).lost

    with gm.Storage() as storage, warnings.catch_warnings():
        warnings.simplefilter("ignore", ValueMadeStable)
        assert storage.unwrap(outer(1)) is None


def test_a_codec_of_its_own_keeps_it_exact():
    gm.codec(
        Forgetful,
        name="forgetful",
        encode=lambda value: repr((value.kept, value.lost)).encode(),
        decode=lambda data: Forgetful(*__import__("ast").literal_eval(data.decode())),
    )

    @gm.op
    def make(x):
        return Forgetful(x, lost=[x])

    with gm.Storage() as storage, warnings.catch_warnings():
        warnings.simplefilter("error")
        assert storage.unwrap(make(1)).lost == [1]


def test_an_unstable_codec_gives_way_to_the_next():
    gm.codec(Forgetful, name="lossy", encode=lambda v: b"x", decode=lambda data: Forgetful(0))
    exact = Forgetful(1)
    settled = stability.settle(exact, content_id(exact))
    assert (settled.encoded.codec, settled.changed) == ("pickle", False)


def test_what_cannot_be_read_back_is_refused_when_it_is_made():
    @gm.op(output_names=["thing"])
    def make():
        return Careless()

    with gm.Storage(), pytest.raises(Unencodable, match=r"output 'thing' of .*cannot be read back"):
        make()


def test_plain_data_is_never_read_back(monkeypatch):
    def refuse(*_):
        raise AssertionError("it was read back")

    monkeypatch.setattr(stability, "_read_back", refuse)
    for value in ({"a": 1}, (1, {2}), np.arange(5), b"x", {"a": np.zeros(10)}):
        stability.settle(value, content_id(value))


def test_large_values_are_read_back_once_per_type(monkeypatch):
    reads = []
    unpickle = pickles.unpickle
    monkeypatch.setattr(pickles, "unpickle", lambda *a, **k: reads.append(1) or unpickle(*a, **k))
    small, large = np.ma.array(np.arange(10.0)), np.ma.array(np.arange(2.0**18))
    cases = [(large, 1), (large, 1), (small, 2), (small, 3), ([large], 4), ([large], 5)]
    for value, expected in cases:
        stability.settle(value, content_id(value))
        assert len(reads) == expected


def test_models_are_the_same_after_training_again_and_a_round_trip():
    ensemble = pytest.importorskip("sklearn.ensemble")
    datasets = pytest.importorskip("sklearn.datasets")
    X, y = datasets.load_digits(n_class=10, return_X_y=True)

    def train_model():
        model = ensemble.RandomForestClassifier(max_depth=2, n_estimators=100, random_state=42)
        return model.fit(X, y)

    first, second = train_model(), train_model()
    assert gm.content_hash(first) == gm.content_hash(second)
    assert gm.content_hash(gm.deserialize(gm.serialize(first))) == gm.content_hash(first)


def test_equal_values_of_other_types_have_other_ids(capsys):
    from gitmemo.utils import get_content_hash

    print(f"Is 1 == True? {1 == True}")
    print(f"Is the hash of 1 == the hash of True? {get_content_hash(1) == get_content_hash(True)}")
    print(f"Is 23 == 23.0? {23 == 23.0}")
    print(
        f"Is the hash of 23 == the hash of 23.0? {get_content_hash(23) == get_content_hash(23.0)}"
    )
    answers = [line.rpartition(" ")[2] for line in capsys.readouterr().out.splitlines()]
    assert answers == ["True", "False", "True", "False"]
    assert len({get_content_hash(n) for n in (42, 42.0, 42.000000001)}) == 3
