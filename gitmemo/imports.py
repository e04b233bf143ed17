"""The names that programs written for mandala import, safe to star-import.

`from gitmemo.imports import *` shadows no builtin: the storage of a repository
is opened with `gitmemo.open()`.
"""

from gitmemo.memo.context import noop
from gitmemo.memo.op import Op, op, superop, track
from gitmemo.memo.storage import Storage
from gitmemo.memo.wrapping import unwrap, wrap, wrap_atom
from gitmemo.ref import AtomRef, Ref, ValueRef
from gitmemo.special import Ignore, NewArgDefault, Transient, ValuePointer

__all__ = [
    "AtomRef",
    "Ignore",
    "NewArgDefault",
    "Op",
    "Ref",
    "Storage",
    "Transient",
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
