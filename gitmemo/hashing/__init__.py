"""Content ids: one digest for equal values, in every process and on every machine.

Not the ids of code (`gitmemo.source`) and not the storage of values
(`gitmemo.codecs`). Invariant: importing this imports no data library; the
rules for a library load when one of its objects is first met.
"""

# Their rules are registered on import.
from gitmemo.hashing import classes as classes
from gitmemo.hashing import structure as structure
from gitmemo.hashing.digest import Digest, digest, digest_chunks, from_text, to_hex, to_text
from gitmemo.hashing.encoding import content_hash, content_id
from gitmemo.hashing.registry import hasher

__all__ = [
    "Digest",
    "content_hash",
    "content_id",
    "digest",
    "digest_chunks",
    "from_text",
    "hasher",
    "to_hex",
    "to_text",
]
