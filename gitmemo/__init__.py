"""gitmemo: calls that are never run twice, versioned with your code, shared through git.

    import gitmemo as gm

    storage = gm.open()

    @gm.op
    def load_data(n_class=10): ...

    with storage:
        data = load_data()

See the README, and `docs/` for the formats and the architecture.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gitmemo.hashing import hasher
    from gitmemo.memo.context import carried, noop
    from gitmemo.memo.op import Op, op, superop, track
    from gitmemo.memo.opening import open
    from gitmemo.memo.provenance import prov
    from gitmemo.memo.storage import Storage
    from gitmemo.memo.wrapping import unwrap, wrap, wrap_atom
    from gitmemo.ref import AtomRef, Ref
    from gitmemo.special import Ignore, NewArgDefault, Transient, ValuePointer

__version__ = "0.1.0"

__all__ = [
    "AtomRef",
    "Ignore",
    "NewArgDefault",
    "Op",
    "Ref",
    "Storage",
    "Transient",
    "ValuePointer",
    "__version__",
    "carried",
    "hasher",
    "noop",
    "op",
    "open",
    "prov",
    "superop",
    "track",
    "unwrap",
    "wrap",
    "wrap_atom",
]

# Loaded when first used: `import gitmemo` and the hooks stay quick.
_HOMES = {
    "AtomRef": "gitmemo.ref",
    "Ignore": "gitmemo.special",
    "NewArgDefault": "gitmemo.special",
    "Op": "gitmemo.memo.op",
    "Ref": "gitmemo.ref",
    "Storage": "gitmemo.memo.storage",
    "Transient": "gitmemo.special",
    "ValuePointer": "gitmemo.special",
    "carried": "gitmemo.memo.context",
    "hasher": "gitmemo.hashing",
    "noop": "gitmemo.memo.context",
    "op": "gitmemo.memo.op",
    "open": "gitmemo.memo.opening",
    "prov": "gitmemo.memo.provenance",
    "superop": "gitmemo.memo.op",
    "track": "gitmemo.memo.op",
    "unwrap": "gitmemo.memo.wrapping",
    "wrap": "gitmemo.memo.wrapping",
    "wrap_atom": "gitmemo.memo.wrapping",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'gitmemo' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
