"""What a set of statements says about names of values: which value each name means.

Not where the value is (`world.tagging`). Invariant: the answer depends on the set of
statements alone, not on their order, and a name that was given to two values means neither.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Statement, Tag
from gitmemo.model.statements import in_force

SIGN = "@"
"""What stands before a name where an id could stand as well."""
_MOST_CHARACTERS = 100
_FEWEST_DIGITS = 8
_CHARACTERS = re.compile(r"[A-Za-z0-9._/-]*")
_DIGITS = re.compile(rf"[0-9A-Fa-f]{{{_FEWEST_DIGITS},}}")


def name_problem(name: str) -> str | None:
    """Say what is wrong with the name of a tag; None if nothing is.

    >>> name_problem("paper/figure-2"), name_problem("a b")
    (None, "it has ' ' in it: letters, digits and . _ / - may be in a name")
    """
    if not name:
        return "it is empty"
    if len(name) > _MOST_CHARACTERS:
        return f"it is longer than {_MOST_CHARACTERS} characters"
    good = _CHARACTERS.match(name)
    end = good.end() if good else 0
    if end < len(name):
        return f"it has {name[end]!r} in it: letters, digits and . _ / - may be in a name"
    if name.startswith("-"):
        return "it begins with -"
    if ".." in name:
        return "it has .. in it"
    if any(not part or part.startswith(".") for part in name.split("/")):
        return "a part of it, between slashes, is empty or begins with a dot"
    if _DIGITS.fullmatch(name):
        return "it could be taken for an id"
    return None


class Tags:
    """The names that values have: by tags that no other statement supersedes."""

    def __init__(self, statements: Iterable[tuple[Digest, Statement]] = ()) -> None:
        """`statements` are pairs of record id and fact; only tags with proper names say something."""
        self._current: dict[str, dict[Digest, Tag]] = defaultdict(dict)
        for record, tag in in_force(statements, Tag).items():
            if name_problem(tag.name) is None:
                self._current[tag.name][record] = tag

    @property
    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._current)

    def records(self, name: str) -> tuple[Digest, ...]:
        """Return the record ids of the tags that give a name, sorted."""
        return tuple(sorted(self._current.get(name, ())))

    def meant(self, name: str) -> tuple[Tag, ...]:
        """Return a tag for each value that has a name: several if it is contested, none if it is not used.

        In the order of the values; of several tags for one value the one whose record id is the least.
        """
        found: dict[tuple[Digest, Digest], Tag] = {}
        for record in self.records(name):
            tag = self._current[name][record]
            found.setdefault((tag.hid, tag.cid), tag)
        return tuple(found[value] for value in sorted(found))
