"""gitmemo: calls that are never run twice, versioned with your code, shared through git.

Examples:
    >>> import gitmemo as gm
    >>> storage = gm.open()
    >>> @gm.op
    ... def square(x):
    ...     return x * x
    >>> with storage:
    ...     print(square(3).unwrap())
    9

See the README, and `docs/` for the formats and the architecture.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gitmemo.changes import askers as _askers
from gitmemo.late import loader
from gitmemo.patterns import speaking as _speaking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitmemo.approx import Approx
    from gitmemo.changes.askers import Answerable
    from gitmemo.changes.cases import Reviewer
    from gitmemo.codecs import codec, deserialize, serialize
    from gitmemo.files import Dir, File
    from gitmemo.hashing import content_hash, hasher
    from gitmemo.memo.annotations import MDict, MList, MSet, MTuple
    from gitmemo.memo.carrying import carried
    from gitmemo.memo.context import noop
    from gitmemo.memo.mutations import GlobalChanged
    from gitmemo.memo.op import Op, op, superop, track
    from gitmemo.memo.opening import open
    from gitmemo.memo.provenance import prov
    from gitmemo.memo.storage import Storage
    from gitmemo.memo.wrapping import unwrap, wrap, wrap_atom
    from gitmemo.patterns.variables import DictQ, ListQ, Q, SetQ
    from gitmemo.ref import AtomRef, DictRef, ListRef, Ref, SetRef, TupleRef
    from gitmemo.special import Ignore, NewArgDefault, Transient, ValuePointer

__version__ = "0.1.0"

__all__ = [
    "Approx",
    "AtomRef",
    "DictQ",
    "DictRef",
    "Dir",
    "File",
    "GlobalChanged",
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
    "__version__",
    "carried",
    "codec",
    "content_hash",
    "deserialize",
    "hasher",
    "noop",
    "op",
    "open",
    "prov",
    "serialize",
    "superop",
    "track",
    "unwrap",
    "wrap",
    "wrap_atom",
]

# `import gitmemo` and the hooks stay quick.
__getattr__ = loader(
    __name__,
    **{
        "approx": ("Approx",),
        "codecs": ("codec", "deserialize", "serialize"),
        "files": ("Dir", "File"),
        "hashing": ("content_hash", "hasher"),
        "memo.annotations": ("MDict", "MList", "MSet", "MTuple"),
        "memo.carrying": ("carried",),
        "memo.context": ("noop",),
        "memo.mutations": ("GlobalChanged",),
        "memo.op": ("Op", "op", "superop", "track"),
        "memo.opening": ("open",),
        "memo.provenance": ("prov",),
        "memo.storage": ("Storage",),
        "memo.wrapping": ("unwrap", "wrap", "wrap_atom"),
        "patterns.variables": ("DictQ", "ListQ", "Q", "SetQ"),
        "ref": ("AtomRef", "DictRef", "ListRef", "Ref", "SetRef", "TupleRef"),
        "special": ("Ignore", "NewArgDefault", "Transient", "ValuePointer"),
    },
)


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: Any) -> None:
    """Do what `%load_ext gitmemo` says: add `%gitmemo` and `%%memo` to a notebook or to IPython."""
    import_module("gitmemo.notebooks").load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Do what `%unload_ext gitmemo` says."""
    import_module("gitmemo.notebooks").unload(shell)


def _find_asker() -> Reviewer | None:
    from gitmemo.display.asking import find_asker

    return find_asker()


def _may_fetch(question: str) -> bool | None:
    from gitmemo.display.asking import may_fetch

    return may_fetch(question)


def _show_changes(changes: Answerable) -> bool:
    from gitmemo.display.notebook import show

    return show(changes)


def _buttons(changes: Answerable) -> Mapping[str, Any]:
    from gitmemo.display.notebook import buttons

    return buttons(changes)


def _show(text: str) -> None:
    from gitmemo.display.patterns import show

    show(text)


def _progress(doing: str, total: int) -> _speaking.Progress:
    from gitmemo.display.progress import CallsLine

    return CallsLine(doing, total)


# What asks is above what a program uses; it is loaded when there is something to ask.
_askers.find = _find_asker
_askers.may_fetch = _may_fetch
_askers.show = _show_changes
_askers.buttons = _buttons
_speaking.show = _show
_speaking.progress = _progress
