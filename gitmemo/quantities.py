"""Numbers as people say them: durations, sizes, counts; and moments as records say them.

Not tables or colours (`display`). Invariant: pure.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from functools import lru_cache

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*([kmgt]?)b?", re.IGNORECASE | re.ASCII)


def duration(seconds: float) -> str:
    """Return a duration as people say it.

    >>> duration(0.0042), duration(0.21), duration(3.14), duration(75), duration(7300)
    ('4.2 ms', '210 ms', '3.1 s', '1 min 15 s', '2 h 1 min')
    """
    if round(seconds, 3) < 1:
        return f"{_plain(seconds * 1000)} ms"
    if round(seconds) < 60:
        return f"{_plain(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _plain(number: float) -> str:
    """Return a number with two digits or all before the point, never with an exponent.

    >>> _plain(0.0000042), _plain(0.014), _plain(9.97), _plain(214.3)
    ('0', '0.014', '10', '214')
    """
    if number < 0.001:
        return "0"
    return f"{number:.2g}" if number < 9.95 else f"{number:.0f}"


def size(size_bytes: int) -> str:
    """Return a size in bytes as people say it.

    >>> size(999), size(2500), size(5_100_000)
    ('999 B', '2.5 kB', '5.1 MB')
    """
    value, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{size_bytes} B" if unit == "B" else f"{value:.1f} {unit}"


def size_in_bytes(text: str) -> int | None:
    """Return the number of bytes that a size means, None if it is none.

    >>> size_in_bytes("10 MB"), size_in_bytes("2.5kB"), size_in_bytes("999"), size_in_bytes("much")
    (10000000, 2500, 999, None)
    """
    match = _SIZE.fullmatch(text.strip())
    return None if match is None else int(float(match[1]) * _UNITS[match[2].lower()])


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun.

    >>> count(1, "call"), count(2, "call"), count(0, "history", "histories")
    ('1 call', '2 calls', '0 histories')
    """
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def timestamp(since_epoch_s: float) -> str:
    """Return a moment in UTC, to the millisecond, as ISO 8601 writes it.

    >>> timestamp(0), timestamp(1_700_000_000.25)
    ('1970-01-01T00:00:00.000Z', '2023-11-14T22:13:20.250Z')
    """
    second, fraction = divmod(since_epoch_s, 1)
    return f"{_second(int(second))}.{int(fraction * 1000):03d}Z"


@lru_cache(maxsize=1)  # many short calls start in one second
def _second(since_epoch_s: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(since_epoch_s))


def moment_of(text: str) -> str:
    """Return a date or a moment, of UTC if it says no zone, as `timestamp` would write it.

    Raises:
        ValueError: It is neither.

    >>> moment_of("2026-11-22"), moment_of("2026-11-22T17:00+01:00")
    ('2026-11-22T00:00:00.000Z', '2026-11-22T16:00:00.000Z')
    """
    moment = datetime.fromisoformat(text.strip())
    return timestamp((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
