"""Which codec writes a value, and which reads it.

Not the codecs. Invariant: the first codec that accepts a value writes it, so
that a value is written the same way everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from gitmemo.codecs import custom
from gitmemo.codecs.arrays import NpyCodec, TensorCodec
from gitmemo.codecs.codec import Codec, CompositeCodec, Encoded, Parts, Source
from gitmemo.codecs.composite import CollectionCodec
from gitmemo.codecs.files import FilesCodec
from gitmemo.codecs.pickles import CloudpickleCodec, JoblibCodec, PickleCodec, refusal
from gitmemo.codecs.plain import BytesCodec, JsonCodec
from gitmemo.codecs.tables import ArrowCodec, PandasCodec, PolarsCodec
from gitmemo.codecs.tree import TreeCodec
from gitmemo.errors import GitmemoError, UndecodableValue, Unencodable

_PLAIN: tuple[Codec, ...] = (
    JsonCodec(),
    BytesCodec(),
    NpyCodec(),
    ArrowCodec(),
    PandasCodec(),
    PolarsCodec(),
    TensorCodec(),
    TreeCodec(),
)
_PICKLES: tuple[Codec, ...] = (PickleCodec(), JoblibCodec(), CloudpickleCodec())
_CODECS = (*_PLAIN, *_PICKLES)
_COMPOSITE: tuple[CompositeCodec, ...] = (CollectionCodec(),)
_FILES = FilesCodec()  # looks through containers, so only at what plain codecs leave
_BY_NAME = {codec.name: codec for codec in _CODECS}
_COMPOSITE_BY_NAME: dict[str, CompositeCodec] = {
    composite.name: composite for composite in (*_COMPOSITE, _FILES)
}

SAFE: frozenset[str] = frozenset(
    [codec.name for codec in _CODECS if codec.safe]
    + [composite.name for composite in _COMPOSITE if composite.safe]
)
"""Codecs that run no code from the bytes."""

EXACT: frozenset[str] = frozenset([codec.name for codec in _PLAIN] + [*_COMPOSITE_BY_NAME])
"""Codecs that accept only what comes back with the same content id."""


def is_safe(codec: str) -> bool:
    """Tell whether bytes of this codec may be decoded without trusting who wrote them."""
    return codec in SAFE


def runs_here(codec: str) -> bool:
    """Tell whether this Python can read the codec: code stored by value is for one version only."""
    return refusal(codec) is None


def encode(value: object) -> Encoded:
    """Return `value` as bytes, by the first codec that takes it.

    Raises:
        Unencodable: no codec does; names the type and the reason.
    """
    return next(attempts(value))


def attempts(value: object) -> Iterator[Encoded]:
    """Yield `value` as bytes by each codec that takes it, one at least.

    Raises:
        Unencodable: No codec takes it.
    """
    taken = False
    reason = "no codec accepts it"
    try:
        for encoded in _written(value):
            taken = True
            yield encoded
    except Unencodable:
        raise
    except Exception as error:  # noqa: BLE001 a foreign __reduce__ may raise anything
        reason = str(error) or type(error).__name__
    if not taken:
        kind = type(value)
        raise Unencodable(f"{kind.__module__}.{kind.__qualname__}", reason)


def _written(value: object) -> Iterator[Encoded]:
    for composite in _COMPOSITE:
        composed = composite.compose(value)
        if composed is not None:
            yield composed
    own = custom.codec_for(value)
    for codec in (own, *_PLAIN) if own else _PLAIN:
        chunks = codec.encode(value)
        if chunks is not None:
            yield Encoded(codec.name, chunks)
    files = _FILES.compose(value)
    if files is not None:
        yield files
    for codec in _PICKLES:
        chunks = codec.encode(value)
        if chunks is not None:
            yield Encoded(codec.name, chunks)


def decode(codec: str, source: Source, parts: Parts | None = None) -> object:
    """Return the value that `codec` wrote as `source`; `parts` reads the values that it names.

    A file is mapped copy-on-write where the codec can, so it must stay as it
    is; bytes are copied. Unless `is_safe(codec)`, this runs code.

    Raises:
        UndecodableValue: unknown codec, damaged bytes, a missing package or
            script, or code for another version of Python.
    """
    refused = refusal(codec)
    if refused is not None:
        raise refused
    reader: Codec | None = _BY_NAME.get(codec)
    if codec.startswith(custom.PREFIX):
        reader = custom.codec_named(codec)
    composite = _COMPOSITE_BY_NAME.get(codec)
    if reader is None and composite is None:
        raise UndecodableValue(codec, "this gitmemo does not know it; a newer gitmemo wrote it")
    if composite is not None and parts is None:
        raise UndecodableValue(codec, "it is made of other values, which are not in these bytes")
    try:
        if composite is not None and parts is not None:
            return composite.assemble(source, parts)
        return cast("Codec", reader).decode(source)
    except UndecodableValue as error:
        raise UndecodableValue(codec, error.reason, error.where, error.fix) from None
    except GitmemoError:
        raise  # a part that is missing or not trusted says so better
    except Exception as error:  # noqa: BLE001 whatever a pickle, numpy or the file system raises
        reason = f"{type(error).__name__}: {error}"
    raise UndecodableValue(codec, reason)
