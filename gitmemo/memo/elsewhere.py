"""The line about values that are not on this machine, after a checkout.

Not the values' absence itself, which whoever reads one is told of. Invariant: a
line for each checkout, and none where no remote could have the values.
"""

from __future__ import annotations

from gitmemo.memo.telling import tell
from gitmemo.quantities import count
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.view import World


class ValuesElsewhere(UserWarning):
    """Values of the checked-out results are not on this machine.

    Attributes:
        number: How many.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        return said(self.number)


def said(number: int) -> str:
    """Return the line about `number` values."""
    are = "is" if number == 1 else "are"
    return f"{count(number, 'value')} of this world {are} not on this machine: run `gitmemo pull`"


def tell_of_absent(world: World, *, has_remote: bool) -> None:
    """Warn, once after each checkout, of how many values are only on a remote."""
    if not has_remote or not isinstance(world, RepositoryWorld):
        return
    number = world.news_of_absent()
    if number:
        tell(ValuesElsewhere(number))


def line_after_checkout(world: RepositoryWorld, *, has_remote: bool) -> str | None:
    """Return the line for a hook to print after a checkout, None if there is nothing to say.

    A block that is entered afterwards does not say it again.
    """
    world.enter()
    number = world.news_of_absent() if has_remote else 0
    return said(number) if number else None
