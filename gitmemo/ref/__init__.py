"""Refs: values with a history, handed out instead of the values themselves.

Not the values' storage. Invariant: a ref never shares a mutable object with
anyone; whoever unwraps it gets a copy of their own.
"""

from gitmemo.ref.atoms import (
    IMMUTABLE,
    MISSING,
    AtomRef,
    Loader,
    Ref,
    Shared,
    ValueRef,
    private,
)
from gitmemo.ref.collections import (
    COLLECTIONS,
    CollectionRef,
    DictRef,
    ListRef,
    SetRef,
    TupleRef,
    ref_inside,
    ref_to,
)
from gitmemo.ref.containers import (
    StandIn,
    StandIns,
    at_hand,
    contents_at_hand,
    fold,
    holds,
    holds_refs,
    like,
    map_refs,
    stand_ins,
    unwrap_all,
)
from gitmemo.ref.reading import value_or_ref

__all__ = [
    "COLLECTIONS",
    "IMMUTABLE",
    "MISSING",
    "AtomRef",
    "CollectionRef",
    "DictRef",
    "ListRef",
    "Loader",
    "Ref",
    "SetRef",
    "Shared",
    "StandIn",
    "StandIns",
    "TupleRef",
    "ValueRef",
    "at_hand",
    "contents_at_hand",
    "fold",
    "holds",
    "holds_refs",
    "like",
    "map_refs",
    "private",
    "ref_inside",
    "ref_to",
    "stand_ins",
    "unwrap_all",
    "value_or_ref",
]
