"""Which code reads what definitions say of themselves, docstrings and annotations.

Not what they say (`source.descriptions`). Invariant: code that names a reader of the
standard library, under whatever name it imports it, is told; one that hands a function
to an installed package that reads them is not.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Iterator

from gitmemo.source.names import ANNOTATIONS, DOCSTRING
from gitmemo.tracing.foreign import package_of
from gitmemo.tracing.observations import MISSING, Observations

_PACKAGES = frozenset({"inspect", "typing", "typing_extensions", "pydoc", "annotationlib"})
_READERS = {
    "getdoc": DOCSTRING,
    "render_doc": DOCSTRING,
    "signature": ANNOTATIONS,
    "Signature": ANNOTATIONS,
    "getfullargspec": ANNOTATIONS,
    "get_annotations": ANNOTATIONS,
    "get_type_hints": ANNOTATIONS,
    "call_annotate_function": ANNOTATIONS,
}


def read_by(foreign: str, names: Iterable[str]) -> frozenset[str]:
    """Return which of `__doc__` and `__annotations__` code reads that takes `names` of a module.

    >>> sorted(read_by("inspect.getdoc", [])), sorted(read_by("inspect", ["signature"]))
    (['__doc__'], ['__annotations__'])
    """
    if package_of(foreign) not in _PACKAGES:
        return frozenset()
    found = (*foreign.split("."), *names)
    return frozenset(_READERS[name] for name in found if name in _READERS)


def docstring_facts(held: object, written: Collection[str], seen: Observations) -> Iterator[str]:
    """Say which docstring an object has been given since it was defined."""
    if held is MISSING:
        return
    text = getattr(held, DOCSTRING, None)
    seen.guard(lambda: getattr(held, DOCSTRING, None) is text)
    said = inspect.cleandoc(text) if isinstance(text, str) else ""
    if said not in written:  # cleaned: Python 3.13 takes the indentation away
        yield f"says {said}"
