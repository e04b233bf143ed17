"""Ids as people see and type them: the first digits.

Not what an id is of, nor where it is looked up. Invariant: an id is shown with 12 digits
everywhere, unless that leaves it ambiguous among others that are shown; but a ref or a call in a
table or a message has no more than `SHOWN_DIGITS`.
"""

from __future__ import annotations

from collections.abc import Iterable

SHOWN_DIGITS = 6
"""How many digits stand where refs and calls show themselves: enough to ask for most of them."""

_DIGITS = 12
_FEWEST_DIGITS = 4
_MOST_DIGITS = 64
_HEX = frozenset("0123456789abcdef")


def short(ident: bytes | str) -> str:
    """Return the id, bytes or hex, as it is shown.

    >>> short("3f9a02c1d4e5f60718293a4b"), short(bytes(32))
    ('3f9a02c1d4e5', '000000000000')
    """
    return (ident if isinstance(ident, str) else ident.hex())[:_DIGITS]


def told_apart(idents: Iterable[bytes | str]) -> list[str]:
    """Return different ids in order, each as long as it takes to tell them all apart.

    >>> told_apart(["3f9a02c1d4e5f6", "3f9a02c1d4e5f7"])
    ['3f9a02c1d4e5f6', '3f9a02c1d4e5f7']
    """
    whole = sorted({one if isinstance(one, str) else one.hex() for one in idents})
    digits = _DIGITS
    while len({one[:digits] for one in whole}) < len(whole):
        digits += 1
    return [one[:digits] for one in whole]


def typed_digits(text: str) -> str | None:
    """Return what somebody typed as an id, as ids are written; None if it cannot be one.

    >>> typed_digits(" 3F9A "), typed_digits("3f9"), typed_digits("fit")
    ('3f9a', None, None)
    """
    digits = text.strip().lower()
    possible = _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS and _HEX.issuperset(digits)
    return digits if possible else None


def begins(ident: bytes | str, text: str) -> bool:
    """Whether `text` is an id that somebody typed, and `ident` begins like it."""
    digits = typed_digits(text)
    whole = ident if isinstance(ident, str) else ident.hex()
    return digits is not None and whole.startswith(digits)
