"""The names that programs written for mandala import, safe to star-import.

`from gitmemo.imports import *` shadows no builtin: the storage of a repository
is opened with `gitmemo.open()`.
"""

from gitmemo.memo.op import Op, op, track
from gitmemo.memo.storage import Storage
from gitmemo.memo.wrapping import unwrap, wrap, wrap_atom
from gitmemo.ref import AtomRef, Ref, ValueRef

__all__ = [
    "AtomRef",
    "Op",
    "Ref",
    "Storage",
    "ValueRef",
    "op",
    "track",
    "unwrap",
    "wrap",
    "wrap_atom",
]
