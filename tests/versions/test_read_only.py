"""Everything that a storage offers, told apart: what a storage of a revision answers and refuses."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType

import pytest
from driver import make_project

import gitmemo as gm
from gitmemo.errors import ReadOnlyRevision
from gitmemo.memo.revision import RevisionStorage
from gitmemo.memo.storage import Storage

ANSWERS = {
    *("df", "frames", "get_table", "query", "similar", "table"),
    *("attach", "cf", "code", "diff", "failures", "get_code", "get_ref_creator", "load"),
    *("load_ref", "prov", "source_history", "sources", "tagged", "tags", "unwrap", "versions"),
    *("counter", "is_closed", "on_change", "project", "stored", "world", "__repr__", "__reduce__"),
    *("cache_info", "clear_cache", "close", "vacuum"),  # of this machine, not of the revision
    *("fetch_from", "fetching"),  # how values of any revision come from a remote
    *("run", "observed", "wait_for_policy"),  # nothing by themselves: blocks and calls are refused
    *("over", "__init__", "__exit__"),
}
REFUSED: dict[str, Callable[[Storage], object]] = {
    "__enter__": lambda s: s.__enter__(),
    "__call__": lambda s: s(mode="noop"),
    "allow_new_calls": lambda s: s.allow_new_calls(),
    "call": lambda s: s.call(None, (), {}),  # type: ignore[arg-type]
    "check": lambda s: s.check("f"),
    "check_change": lambda s: s.check_change("f"),
    "decide": lambda s: s.decide("f", breaking=True),
    "drop_version": lambda s: s.drop_version("abcd"),
    "explain": lambda s: s.explain(None),  # type: ignore[arg-type]
    "explain_some": lambda s: s.explain_some(None, []),  # type: ignore[arg-type]
    "load_op": lambda s: s.load_op("f"),
    "map": lambda s: s.map(None, []),
    "starmap": lambda s: s.starmap(None, []),
    "batch": lambda s: s.batch(),
    "on_change": lambda s: setattr(s, "on_change", "ask"),
    "preload": lambda s: s.preload(),
    "recompute_missing": lambda s: s.recompute_missing(),
    "tag": lambda s: s.tag(gm.wrap(1), "one"),
    "undecided": lambda s: s.undecided(),
    "untag": lambda s: s.untag("one"),
}
WORLD_ANSWERS = {
    *("about", "base", "blobs", "calls", "calls_by_prefix", "candidates", "code", "committed"),
    *("creator", "decisions", "describe", "enter", "following", "history", "index", "knows_source"),
    *(
        "landmark",
        "later",
        "lineage",
        "newest_calls",
        "notes",
        "ops",
        "pending",
        "pending_hids",
        "periods",
        "place",
    ),
    *("renames", "reuse", "rev", "run_facts", "segments", "signatures", "statements", "tallies"),
    *("text", "texts", "tombstones", "values", "version", "versions", "visible"),
    *("claims", "close", "notice", "vacuum"),
}
WORLD_REFUSES: dict[str, Callable[[Storage], object]] = {
    "record": lambda s: s.world.record([]),
    "learn": lambda s: s.world.learn([]),
    "adopt": lambda s: s.world.adopt(None),  # type: ignore[arg-type]
    "forget": lambda s: s.world.forget([]),
    "restore": lambda s: s.world.restore(None),  # type: ignore[arg-type]
}


@pytest.fixture(scope="module")
def then(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    """A storage of a revision without calls."""
    clone = make_project(tmp_path_factory.mktemp("then") / "p", tmp_path_factory.mktemp("home"))
    return gm.open(clone.root, rev="HEAD")


def offered(thing: object) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


def _is_special(name: str, held: object) -> bool:
    return name.startswith("__") and isinstance(held, FunctionType)


def test_everything_that_a_storage_offers_is_told_apart(then: Storage) -> None:
    assert isinstance(then, RevisionStorage)
    storage = Storage()
    kinds = [kind for kind in Storage.__mro__ if kind.__module__.startswith("gitmemo.")]
    special = {
        name for kind in kinds for name, held in vars(kind).items() if _is_special(name, held)
    }
    assert offered(storage) | special == ANSWERS | REFUSED.keys()
    assert offered(then) - offered(storage) == {"of", "rev"}
    assert offered(then.world) == WORLD_ANSWERS | WORLD_REFUSES.keys()
    storage.close()


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_runs_or_records_is_refused(then: Storage, name: str) -> None:
    with pytest.raises(ReadOnlyRevision):
        REFUSED[name](then)


@pytest.mark.parametrize("name", sorted(WORLD_REFUSES))
def test_its_world_takes_nothing(then: Storage, name: str) -> None:
    with pytest.raises(ReadOnlyRevision):
        WORLD_REFUSES[name](then)


def test_what_is_stored_of_single_ops_is_not_touched(then: Storage) -> None:
    @gm.op
    def never(x: int) -> int:
        raise AssertionError

    assert offered(then.stored) == {
        "forget", "forget_calls", "is_cached", "recompute", "restore", "table",
    }  # fmt: skip
    for change in (then.stored.forget_calls, then.stored.restore):
        with pytest.raises(ReadOnlyRevision):
            change(())
    for ask in (then.stored.is_cached, then.stored.forget, then.stored.recompute):
        with pytest.raises(ReadOnlyRevision):
            ask(never, (1,), {})
