"""Which settings there are: where each may be said, what kind of value it has, what it is by default.

Not what a value means (`config`). Invariant: `config` accepts every default here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gitmemo.errors import BadSetting, UnknownSetting
from gitmemo.settings_files import Written


class Kind(StrEnum):
    """What a value is."""

    TEXT = "text"
    FLAG = "true or false"
    NUMBER = "number"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Key:
    """One setting, or all whose names differ in the parts that are `*`.

    Attributes:
        default: What holds where nobody says it; None for nothing.
        is_own: Whether this clone's own file may say it.
        is_committed: Whether the committed file may.
        variable: The environment variable that overrides it.
        command: What changes it, if `gitmemo config set` does not.
    """

    name: str
    kind: Kind = Kind.TEXT
    default: Written | None = None
    is_own: bool = False
    is_committed: bool = True
    variable: str | None = None
    command: str = ""

    def fits(self, name: str) -> bool:
        """Whether a name is one of those meant."""
        ours, theirs = self.name.split("."), parts_of(name)
        return len(ours) == len(theirs) and all(
            (a == "*" and b) or a == b for a, b in zip(ours, theirs, strict=True)
        )


_PART = re.compile(r'(?:^|(?<=\.))(?:"[^"]*"(?=\.|$)|[^."]+(?=\.|$))')
_REMOTE = "gitmemo remote add, modify or default"
KEYS = (
    Key("format", Kind.NUMBER, command="gitmemo init"),
    Key("on_change", default="ask", variable="GITMEMO_ON_CHANGE"),
    Key("on_change_running", default="pending", variable="GITMEMO_ON_CHANGE"),
    Key("reuse", default="any"),
    Key("default_remote", is_own=True),
    Key("lazy_pull", default="on", is_own=True, variable="GITMEMO_LAZY_PULL"),
    Key("index.spill_above"),
    Key("run.claims", default="on", is_own=True, variable="GITMEMO_CLAIMS"),
    Key("run.resources.*", Kind.NUMBER, is_own=True),
    Key("side_ref", default="refs/gitmemo/versions"),
    Key("record.user", Kind.FLAG, default=False),
    Key("source_roots", Kind.LIST, default=["src"]),
    Key("depends.packages", Kind.LIST),
    Key("depends.env", Kind.LIST),
    Key("depends.files", Kind.LIST),
    Key("remotes.*.*", is_own=True, command=_REMOTE),
    Key("trust.*", is_own=True, is_committed=False, command="gitmemo remote trust"),
    Key("meant_for.*", is_own=True, is_committed=False, command="gitmemo remote modify --local"),
    Key("keys.*.*", is_own=True, is_committed=False, command="gitmemo remote key"),
    Key("store.path", is_own=True, is_committed=False, command="gitmemo store share"),
    Key("store.id", is_own=True, is_committed=False, command="gitmemo store share"),
)


def parts_of(name: str) -> tuple[str, ...]:
    """Return the parts of a dotted name; one with a dot in it stands in quotes, as in TOML.

    >>> parts_of('run.resources.GPU'), parts_of('"a.b".c')
    (('run', 'resources', 'GPU'), ('a.b', 'c'))
    """
    found = [match[0] for match in _PART.finditer(name)]
    if ".".join(found) != name:
        return tuple(name.split("."))
    return tuple(part[1:-1] if part[:1] == '"' else part for part in found)


def name_of(parts: Iterable[str]) -> str:
    """Return the dotted name of parts, from which `parts_of` makes these."""
    return ".".join(f'"{part}"' if "." in part and '"' not in part else part for part in parts)


def key_of(name: str) -> Key:
    """Return the setting of a name.

    Raises:
        UnknownSetting: There is none; with those that are alike.
    """
    for key in KEYS:
        if key.fits(name):
            return key

    close = difflib.get_close_matches(name, [key.name for key in KEYS], n=2)
    raise UnknownSetting(name, tuple(close))


def is_known(name: str) -> bool:
    """Whether there is a setting of a name."""
    return any(key.fits(name) for key in KEYS)


def flat(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield the dotted names in a table, with their values, in the table's order."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from flat(value, (*above, name))
        else:
            yield name_of((*above, name)), value


def read_value(key: Key, name: str, words: tuple[str, ...]) -> Written:
    """Return what somebody typed as the value of a setting.

    Raises:
        BadSetting: It is no value of this kind.
    """
    if key.kind is Kind.LIST:
        return list(words)
    if len(words) != 1:
        raise BadSetting(name, " ".join(words), ("one value",))
    (word,) = words
    if key.kind is Kind.FLAG:
        if word not in ("true", "false"):
            raise BadSetting(name, word, ("true", "false"))
        return word == "true"
    if key.kind is Kind.NUMBER:
        try:
            return int(word) if word.isdecimal() else float(word)
        except ValueError:
            raise BadSetting(name, word, ("a number",)) from None
    return word
