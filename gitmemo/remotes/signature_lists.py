"""Many lists of signatures on a remote: one for several, and which are superfluous then.

Not the signatures themselves (`signing`). Invariant: a list is superfluous only if larger lists of the
same key hold each of its lines, right or wrong; as larger is an order, two people who look at different
moments never find two lists superfluous for the sake of each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from gitmemo.hashing.digest import Digest

MANY = 32
"""With so many short lists of a key, a push that signs something writes one for all of them."""
SHORT_BYTES = 256 << 10

Said = tuple[Digest, str]
"""What is signed: a value's bytes, by their id, and the codec that they are to be read with."""


@dataclass(frozen=True, slots=True)
class SignatureList:
    """One list as it was read, whether its signatures are right or not."""

    key_id: str
    signatures: Mapping[Said, Digest]
    size_bytes: int


def superfluous(lists: Mapping[Digest, SignatureList]) -> frozenset[Digest]:
    """Return the lists of which each line stands in larger ones."""
    held: dict[str, set[tuple[Said, Digest]]] = defaultdict(set)
    found = set[Digest]()
    for name, one in sorted(lists.items(), key=lambda item: (-len(item[1].signatures), item[0])):
        if one.signatures.items() <= held[one.key_id]:
            found.add(name)
        else:
            held[one.key_id].update(one.signatures.items())
    return frozenset(found)


def to_merge(
    lists: Mapping[Digest, SignatureList], key_id: str, is_right: Callable[[Said, Digest], bool]
) -> Collection[Said]:
    """Return what short lists of a key sign rightly, if there are many and no list has it all."""
    mine = {name: one for name, one in lists.items() if one.key_id == key_id}
    useless = superfluous(mine)
    short = [o for n, o in mine.items() if n not in useless and o.size_bytes <= SHORT_BYTES]
    if len(short) < MANY:
        return ()
    right = {said for one in short for said, mac in one.signatures.items() if is_right(said, mac)}
    # Lists of strangers that only look like ours would have us write one with each push.
    return () if any(right <= one.signatures.keys() for one in mine.values()) else right
