"""What a storage lets people call values, and the values that have names.

Not how a name is looked up or recorded (`world.tagging`). Invariant: what a name leads to
is a ref like any other of this storage, with its value not loaded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from gitmemo.errors import NotARef, TagContested, TaggedGone
from gitmemo.hashing.digest import Digest
from gitmemo.memo.telling import tell
from gitmemo.memo.wording import short
from gitmemo.model.tags import SIGN, Tags
from gitmemo.model.validity import Code
from gitmemo.ref import Ref, ref_inside
from gitmemo.world import tagging
from gitmemo.world.view import World


class TagsLeftOut(UserWarning):
    """A list of tagged values lacks one, because its name leads to none; it says why."""


class Tagging(ABC):
    """What can be done with the names of values."""

    world: World
    _code: Code

    @abstractmethod
    def _notice(self) -> None:
        """Take notice of what git, editors and other processes did."""

    @abstractmethod
    def load(
        self, cid: Digest, hid: Digest, what: str, within: Callable[[], object] | None = None
    ) -> object:
        """Return a fresh copy of a value."""

    # `object`: to type checkers an op returns what its body does, and no ref.
    def tag(self, ref: object, name: str, *, force: bool = False, why: str = "") -> None:
        """Give a value that an op returned a name: `@NAME` means it wherever its id is asked for.

        In a repository the name joins the next commit, and others have it when they pull.

        Args:
            ref: What an op returned, or an element of it; or `@NAME`, another name of it.
            name: Letters, digits and `._/-`, 100 characters at most.
            force: Move the name, if another value has it.
            why: For those who read it later.

        Raises:
            BadTagName: Nothing can be called like this.
            TagTaken, TagContested: Another value has the name, or several have.
            CannotTag: No call that this storage knows made the value, or one of another branch did.

        Examples:
            >>> @gm.op
            ... def double(x):
            ...     return 2 * x
            >>> with storage:
            ...     storage.tag(double(3), "baseline")
            >>> storage.tagged("baseline").unwrap()
            6
            >>> print(storage.prov("@baseline"))
            double_1 = double(x=3)
        """
        ref = self._ref_meant(ref)
        if not isinstance(ref, Ref):
            raise NotARef(short(ref), "storage.tag")
        self._notice()
        value = tagging.value_made(self.world, ref._hid, ref._cid, repr(ref))
        tagging.give(self.world, self._code, name, value, why, force=force)

    def untag(self, name: str, *, why: str = "") -> None:
        """Take a name from the value, or values, that have it. The values stay.

        Raises:
            UnknownTag: None has.
        """
        self._notice()
        tagging.remove(self.world, name, why)

    def tagged(self, name: str) -> Ref[Any]:
        """Return the value with this name, not loaded.

        Raises:
            UnknownTag: There is none.
            TagContested: Two branches gave the name to different values.
            TaggedGone: The call that made it was forgotten, or is not known here.
        """
        self._notice()
        return self._ref_tagged(name)

    def tags(self) -> dict[str, Ref[Any]]:
        """Return all tagged values by name, in the order of the names, not loaded.

        A name that leads to none is left out, with a warning.
        """
        self._notice()
        found: dict[str, Ref[Any]] = {}
        for name in Tags(self.world.statements()).names:
            try:
                found[name] = self._ref_tagged(name)
            except (TagContested, TaggedGone) as error:
                tell(TagsLeftOut(str(error)))
        return found

    def _ref_meant(self, given: object) -> object:
        """Return the value that `@NAME` is the name of; anything else as it is.

        Every method that takes refs asks this, so that a tag is accepted wherever a ref is.

        Raises:
            UnknownTag, TagContested, TaggedGone: As `tagged`.
        """
        return self.tagged(given) if isinstance(given, str) and given.startswith(SIGN) else given

    def _ref_tagged(self, name: str) -> Ref[Any]:
        value = tagging.tagged(self.world, name)
        ref = ref_inside(value.slot, value.held.hid, self)
        assert ref is not None  # it was found in there
        return ref
