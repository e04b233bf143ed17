"""Values to bytes and back.

Not ids of values (`gitmemo.hashing`) and not where bytes are kept. Invariant:
what `decode` returns belongs to the caller alone, and importing this imports
no data library.
"""

from gitmemo.codecs.codec import CompositeCodec, Encoded, Parts, Source
from gitmemo.codecs.custom import codec
from gitmemo.codecs.plain import from_inline, inline, json_text
from gitmemo.codecs.portable import deserialize, serialize
from gitmemo.codecs.registry import SAFE, decode, encode, is_safe, runs_here
from gitmemo.codecs.stability import Settled, settle
from gitmemo.model.facts import Inline, JsonValue

__all__ = [
    "SAFE",
    "CompositeCodec",
    "Encoded",
    "Inline",
    "JsonValue",
    "Parts",
    "Settled",
    "Source",
    "codec",
    "decode",
    "deserialize",
    "encode",
    "from_inline",
    "inline",
    "is_safe",
    "json_text",
    "runs_here",
    "serialize",
    "settle",
]
