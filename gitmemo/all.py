"""The same names as `gitmemo.imports`, under the older of its two names."""

from gitmemo.imports import AtomRef, Op, Ref, Storage, ValueRef, op, track, unwrap, wrap, wrap_atom

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
