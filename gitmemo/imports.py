"""The names that programs written for mandala import, safe to star-import.

`from gitmemo.imports import *` shadows no builtin: the storage of a repository
is opened with `gitmemo.open()`.
"""

from gitmemo.memo.annotations import MDict, MList, MSet, MTuple
from gitmemo.memo.context import noop
from gitmemo.memo.op import Op, op, superop, track
from gitmemo.memo.storage import Storage
from gitmemo.memo.wrapping import unwrap, wrap, wrap_atom
from gitmemo.patterns.variables import DictQ, ListQ, Q, SetQ
from gitmemo.ref import AtomRef, DictRef, ListRef, Ref, SetRef, TupleRef, ValueRef
from gitmemo.special import Ignore, NewArgDefault, Transient, ValuePointer

__all__ = [
    "AtomRef",
    "DictQ",
    "DictRef",
    "Ignore",
    "ListQ",
    "ListRef",
    "MDict",
    "MList",
    "MSet",
    "MTuple",
    "NewArgDefault",
    "Op",
    "Q",
    "Ref",
    "SetQ",
    "SetRef",
    "Storage",
    "Transient",
    "TupleRef",
    "ValuePointer",
    "ValueRef",
    "noop",
    "op",
    "superop",
    "track",
    "unwrap",
    "wrap",
    "wrap_atom",
]
