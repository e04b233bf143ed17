"""Which arguments a result of `joblib.Memory` was computed with, proven by joblib's own hash.

Not what is done with them. joblib keeps no arguments: only what `repr` said of each, and one hash
over all of them. Invariant: what is returned here has exactly that hash.
"""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Collection, Mapping
from typing import Any

import joblib

from gitmemo.moving.fitting import Refused

_LONGEST_LITERAL = 1_000_000
_MOST_TRIES = 256
_NUMBERS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class Unproven(Exception):
    """No known value has the representation of an argument, or none of them the hash; says so."""


class Candidates:
    """Values that arguments may have been: literals, and results that were read, by `repr`.

    `wanted` are the representations of arguments that are asked for: nothing else is kept.
    """

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = frozenset(text for text in wanted if not _is_literal(text))
        self._known: dict[str, list[Any]] = {}

    @property
    def is_wanted(self) -> bool:
        """Whether any argument is no literal."""
        return bool(self._wanted)

    def add(self, returned: object) -> None:
        """Note a result, and its parts if it is a tuple."""
        parts = returned if type(returned) is tuple else ()
        for value in (returned, *parts) if self._wanted else ():
            try:
                text = repr(value)
            except Exception:  # noqa: BLE001  the value's own code; then it is no candidate
                continue
            if text in self._wanted:
                self._known.setdefault(text, []).append(value)

    def proven(self, arguments: Mapping[str, str], arguments_hash: str) -> dict[str, Any]:
        """Return the arguments that have this hash.

        Raises:
            Unproven: None were found, so far.
        """
        choices = [self._values(name, text) for name, text in arguments.items()]
        for values in itertools.islice(itertools.product(*choices), _MOST_TRIES):
            found = dict(zip(arguments, values, strict=True))
            if _hash(found) == arguments_hash:
                return found
        raise Unproven("the arguments that its text gives have another hash")

    def _values(self, name: str, text: str) -> list[Any]:
        try:
            return [_literal(text)]
        except ValueError:
            pass
        known = self._known.get(text)
        if not known:
            raise Unproven(f"argument {name!r} is no literal, and no result that was brought")
        return known


def taken_apart(
    arguments: Mapping[str, Any],
) -> tuple[dict[str, Any], list[Any] | None, dict[str, Any] | None]:
    """Return named, starred and further keyword arguments of what joblib recorded.

    None where joblib had none to record, or was told to ignore them (`ignore=["*"]`).

    Raises:
        Refused: What stands for `*args` or `**kwargs` is none.
    """
    named = {name: value for name, value in arguments.items() if name not in ("*", "**")}
    starred, keywords = arguments.get("*"), arguments.get("**")
    if not isinstance(starred, list | tuple | None) or not isinstance(keywords, dict | None):
        raise Refused("what is recorded for *args or **kwargs is no list or dict")
    return named, None if starred is None else list(starred), keywords


def _literal(text: str) -> Any:
    if text in _NUMBERS:
        return _NUMBERS[text]
    if len(text) > _LONGEST_LITERAL:
        raise ValueError("too long")
    try:
        return ast.literal_eval(text)
    except (SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError("no literal") from error


def _is_literal(text: str) -> bool:
    try:
        _literal(text)
    except ValueError:
        return False
    return True


def _hash(arguments: Mapping[str, Any]) -> str | None:
    try:
        found: str | None = joblib.hash(arguments)
    except Exception:  # noqa: BLE001  pickles of any type; what cannot be hashed proves nothing
        return None
    return found
