"""What happens when a block begins and code that stored calls depend on has changed.

Not how a person is asked (`display`), nor what counts as a change (`changes`).
Invariant: nothing is recorded before everything is answered; while a person is
asked no lock of the storage or of its files is held, and one thread asks at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

from gitmemo import changes
from gitmemo.changes import askers
from gitmemo.changes.author import author
from gitmemo.changes.change import Change
from gitmemo.changes.finding import find_every_open, find_new
from gitmemo.changes.uses import Uses, world_uses
from gitmemo.errors import Aborted, DecisionNeeded, NothingToDecide
from gitmemo.hashing.digest import Digest
from gitmemo.memo.strictness import Care, Reaction
from gitmemo.memo.telling import tell
from gitmemo.model.components import Component
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Fact, Verdict
from gitmemo.model.spoken import meant, spoken
from gitmemo.setting_values import OnChange
from gitmemo.tracing import CodeState, Probe
from gitmemo.tracing.capture import plain_function
from gitmemo.world.view import World

if TYPE_CHECKING:
    from gitmemo.changes import Answer, Case
    from gitmemo.memo.undecided import Undecided


class ChangesPending(UserWarning):
    """Code that stored calls depend on has changed, and nobody could be asked about it."""

    def __init__(self, components: tuple[str, ...]) -> None:
        super().__init__(components)
        self.components = components

    def __str__(self) -> str:
        return (
            f"{', '.join(self.components)} changed, and nobody can be asked here: until somebody "
            "decides, calls that depend on it are computed again; say what you want with on_change=, "
            "storage.decide(...), or in a repository `gitmemo decide`"
        )


class Changes:
    """The changes of a running program's code, and who decides about them.

    Attributes:
        policy: What happens at the entry of a block; `pending` does not even look.
        records_user: Whether decisions say who made them, and when.
    """

    def __init__(
        self,
        world: World,
        code: CodeState,
        policy: OnChange,
        care: Care,
        refresh: Callable[[], None],
    ) -> None:
        """`refresh` makes a decision that was recorded count at once."""
        self.policy = policy
        self.records_user = False
        self._care = care
        self._world = world
        self._code = code
        self._refresh = refresh
        self._turn = threading.Lock()
        self._asking: int | None = None
        self._aborts = 0
        self._settled: tuple[Probe, Hashable] | None = None
        self._told: set[tuple[Component, Digest, Digest]] = set()

    def settle(self) -> None:
        """Decide about what is new, as the policy says. Other threads wait for the answers.

        Raises:
            Aborted: Somebody who was asked stopped; also in the threads that waited.
            UndecidedChanges: The policy is `error`, and there are changes.
            DecisionNeeded: They are shown in a notebook, where nobody is asked.
        """
        if self.policy is OnChange.PENDING and self._care.strictness.missing is Reaction.SILENT:
            return
        if self._asking == threading.get_ident():
            return  # an `input` that uses the storage itself
        aborts = self._aborts
        with self._turn:
            if self._aborts != aborts:
                raise Aborted("the block")
            if self._is_settled():
                return
            self._asking = threading.get_ident()
            try:
                self._settle()
            except (Aborted, KeyboardInterrupt):
                self._aborts += 1
                raise
            finally:
                self._asking = None

    def decide(self, what: Callable[..., object] | str, verdict: Verdict, why: str) -> None:
        """Record what is said of the open change of a component, or of a function or class.

        Raises:
            NothingToDecide: There is none.
            UnknownComponent: A name alone could be any of several.
        """
        name = what if isinstance(what, str) else self._name_of(what)
        uses = self._uses()
        found = self._open(uses)
        component = meant(name, [change.component for change in found])
        chosen = [change for change in found if change.component == component]
        if not chosen:
            raise NothingToDecide(name, tuple(spoken(change.component) for change in found))
        cases = self._together(chosen, uses)
        self._record([(case, changes.Answer(verdict, why)) for case in cases])

    def undecided(self) -> Undecided:
        """Return the open changes, to be decided about: one for each component."""
        from gitmemo.memo.undecided import Undecided

        uses = self._uses()
        return Undecided(self._together(self._open(uses), uses), self._decide_about)

    def _open(self, uses: Uses) -> list[Change]:
        return find_every_open(uses, self._code, self._world.decisions(), self._world.text)

    def _decide_about(self, cases: Sequence[Case], verdict: Verdict, why: str) -> None:
        """Record what is said of changes that were shown before.

        Raises:
            NothingToDecide: None of them is open any more.
        """
        self._refresh()
        uses, decisions = self._uses(), self._world.decisions()
        looks = (find_every_open, find_new)  # what they compare with may differ
        found = [c for find in looks for c in find(uses, self._code, decisions, self._world.text)]
        still = {(change.component, change.old, change.new) for change in found}
        every = (one for case in cases for one in case.every)
        chosen = [c for c in every if (c.change.component, c.change.old, c.change.new) in still]
        if not chosen:
            names = ", ".join(spoken(case.change.component) for case in cases)
            raise NothingToDecide(names, tuple({spoken(c.component): None for c in found}))
        self._record([(case, changes.Answer(verdict, why)) for case in changes.together(chosen)])

    def _name_of(self, what: Callable[..., object]) -> str:
        plain = what if isinstance(what, type) else plain_function(what)
        return self._code.places.code_name(plain) or repr(what)

    def _is_settled(self) -> bool:
        if self._settled is None:
            return False
        probe, landmark = self._settled
        return landmark == self._world.landmark() and probe.unchanged()

    def _settle(self) -> None:
        landmark = self._world.landmark()
        uses = self._uses()
        # Before anything is compared: what changes meanwhile is found at the next entry.
        probe = self._code.probe(uses.contents)
        decisions = self._world.decisions()
        self._care.gone(self._gone(uses, decisions))
        found = find_new(uses, self._code, decisions, self._world.text)
        if found:
            self._ask(self._cases(found, uses))
        self._settled = probe, landmark

    def _ask(self, cases: Sequence[Case]) -> None:
        from gitmemo.memo.undecided import Undecided

        if self.policy is OnChange.ASK:
            shown = Undecided(cases, self._decide_about)
            if askers.show(shown):
                raise DecisionNeeded(shown.names)
        said = changes.answers(cases, self.policy, askers.find)
        self._record(said)
        if self.policy is OnChange.ASK:
            self._tell([case.change for case, answer in said if answer.verdict is None])

    def _uses(self) -> Uses:
        return world_uses(self._world, self._code)

    def _gone(self, uses: Uses, decisions: Decisions) -> tuple[str, ...]:
        return tuple(
            str(component)
            for component in sorted(uses.contents)
            if self._code.knows(component)
            and self._code.current(component) is None
            and not decisions.places(component)
        )

    def _cases(self, found: Sequence[Change], uses: Uses) -> list[Case]:
        """Add what only the new code uses; what no call touched cannot have run under both."""
        from gitmemo.changes.extracted import extracted

        roots = self._code.project.source_roots
        return [
            changes.Case(change, needs=extracted(self._world, change, self._code, uses, roots))
            for change in found
        ]

    def _together(self, found: Sequence[Change], uses: Uses) -> list[Case]:
        """Return one case for each component, with what is known of all that calls touched."""
        roots = self._code.project.source_roots
        cases = changes.cases_of(self._world, self._code, found, uses, source_roots=roots)
        return changes.together(cases)

    def _record(self, said: Sequence[tuple[Case, Answer]]) -> None:
        given = [(case, answer) for case, answer in said if answer.verdict is not None]
        root = self._code.project.root
        who = author(root, recorded=bool(given) and self.records_user) if root else {}

        def record(facts: Sequence[Fact]) -> None:
            if facts:
                self._world.record(facts)
                self._refresh()

        changes.settle(self._world, given, who, record)

    def _tell(self, pending: Sequence[Change]) -> None:
        """Warn once of what nobody could be asked about."""
        new = [c for c in pending if (c.component, c.old, c.new) not in self._told]
        if new:
            self._told.update((c.component, c.old, c.new) for c in new)
            names = tuple(str(change.component) for change in new)
            tell(ChangesPending(names))
