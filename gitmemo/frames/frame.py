"""Computation frames: calls, what flowed between them, and every frame that can be made of that.

Not what they answer (`answers`). Pure algebra over calls; it never sees a store but through
`backing`. Invariant: every frame follows from its calls and what people said of their look, whatever
the order in which either came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, overload

from gitmemo.errors import WrongQuestion
from gitmemo.frames import arranging, between, merging, selecting
from gitmemo.frames.answers import FrameAnswers
from gitmemo.frames.backing import Node, Nodes, Operation
from gitmemo.frames.columns import Column, Mask
from gitmemo.frames.conditions import mask_of
from gitmemo.frames.deletion import Deletion
from gitmemo.frames.shown import Values
from gitmemo.frames.universe import Hids
from gitmemo.model.facts import Call

if TYPE_CHECKING:
    import pandas as pd

How = Literal["weak", "strong"]


@dataclass(frozen=True, repr=False)
class ComputationFrame(FrameAnswers):
    """Calls as a graph of functions and variables, and as a table: `storage.cf(…)` makes one.

    Every method returns another frame and leaves this one as it is.
    """

    # --- growing ---------------------------------------------------------

    def expand_back(
        self,
        *nodes: Node,
        depth: int | None = None,
        ops: Sequence[Node] | None = None,
        where: Callable[[Call], bool] | None = None,
    ) -> ComputationFrame:
        """Return the frame with the calls that its values came from, however far back.

        Args:
            nodes: Start from these variables and functions only.
            depth: How many calls to go back at most.
            ops: Add calls of these ops only; ops, their names in full, or the last part of these.
            where: Add only calls for which this is true.
        """
        return selecting.expanded(self, nodes, depth, ops, where, back=True)

    def expand_forward(
        self,
        *nodes: Node,
        depth: int | None = None,
        ops: Sequence[Node] | None = None,
        where: Callable[[Call], bool] | None = None,
    ) -> ComputationFrame:
        """Return the frame with the calls that used its values, and what those had come from besides.

        The arguments are those of `expand_back`; with `depth`, the other arguments of the calls are
        there, but not where they came from.
        """
        grown = selecting.expanded(self, nodes, depth, ops, where, forward=True)
        return grown if depth is not None else grown.expand_back(ops=ops, where=where)

    def expand_all(
        self,
        *nodes: Node,
        depth: int | None = None,
        ops: Sequence[Node] | None = None,
        where: Callable[[Call], bool] | None = None,
    ) -> ComputationFrame:
        """Return the frame with every call that is connected to it. The arguments as above."""
        return selecting.expanded(self, nodes, depth, ops, where, back=True, forward=True)

    # --- choosing --------------------------------------------------------

    def upstream(self, *nodes: Node, how: How = "weak") -> ComputationFrame:
        """Return what led to the values of `nodes`: with `strong`, what led to nothing else."""
        return between.upstream(self, self.check_nodes(nodes), how)

    def downstream(self, *nodes: Node, how: How = "weak") -> ComputationFrame:
        """Return what came of the values of `nodes`: with `strong`, what came of nothing else."""
        return between.downstream(self, self.check_nodes(nodes), how)

    def midstream(self, *nodes: Node, how: How = "weak") -> ComputationFrame:
        """Return what lies between `nodes`: on the way from one of them to another."""
        return between.midstream(self, self.check_nodes(nodes), how)

    @overload
    def __getitem__(self, key: str) -> Column: ...
    @overload
    def __getitem__(self, key: Nodes | Operation | Mask | ComputationFrame) -> ComputationFrame: ...
    def __getitem__(self, key: Node | Nodes | Mask | ComputationFrame) -> Any:
        """Return a variable; or the frame of some nodes, of what a mask lets through, or of both frames.

        `cf[cf["acc"] > 0.8]` keeps the calls that led to such values, and what came of them alone:
        the calls behind which all values of the variable pass, and what led to those.
        """
        if isinstance(key, str):
            if self.is_function(key):
                return selecting.of_nodes(self, [key])
            return Column(self, key, tuple(self.elements(key)))
        if isinstance(key, Mask):
            return selecting.of_mask(self, key)
        if isinstance(key, ComputationFrame):
            return self & key
        nodes: Iterable[Node] = key if isinstance(key, Sequence) else [key]
        return selecting.of_nodes(self, self.check_nodes(nodes))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self.variables or self.is_function(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self.nodes)

    def _ipython_key_completions_(self) -> list[str]:
        return self.nodes

    def select_nodes(self, nodes: Sequence[Node]) -> ComputationFrame:
        """Return the frame of these variables and functions: `cf[nodes]`."""
        return self[list(nodes)]

    def select_subsets(self, **kept: Iterable[Any]) -> ComputationFrame:
        """Return the frame in which variables have only these values, given as refs or history ids."""
        frame = self
        for name, refs in kept.items():
            frame = frame[frame[name].isin(refs, by="hid")]
        return frame

    def isin(
        self, values: Iterable[Any], *nodes: Node, by: Literal["val", "hid", "cid"] = "val"
    ) -> ComputationFrame:
        """Return what is connected with any of `values`, in the variables `nodes` or in any."""
        wanted = list(values)
        names = self.check_nodes(nodes) or self.vnames
        found = [self[self[name].isin(wanted, by=by)] for name in names if name in self.variables]
        return found[0].union(*found[1:]) if found else self.sample(0)

    def where(
        self,
        test: Callable[[Call], bool] | None = None,
        *,
        op: Node | None = None,
        version: str | None = None,
        commit: str | None = None,
        since: str | None = None,
        until: str | None = None,
        user: str | None = None,
        decision: Literal["exact", "non-breaking"] | None = None,
        pending: bool | None = None,
    ) -> ComputationFrame:
        """Return what led to calls that meet all conditions, and what came of them alone.

        Asked are the final calls, whose results no other call of the frame used; with `version`, the
        calls of functions that have it.

        Args:
            test: Any test of a call.
            op: Ask the calls of this function instead.
            version: The beginning of a version's content or semantic id.
            commit: The commit that was checked out, as git knows it.
            since: When the call began at the earliest: a date or a moment, `2026-11-22T16:00Z`.
            until: Before when it began.
            user: Part of the `name <email>` of the author of the commit that first held the call, in
                any case; who commits in this clone for pending calls. Records say nothing of who ran it.
            decision: `exact`: run with the code of now; `non-breaking`: kept by a decision.
            pending: Whether the call waits for a commit.
        """
        asked = selecting.Conditions(test, version, commit, since, until, user, decision, pending)
        return selecting.where(self, asked, op)

    def query(self, condition: str) -> ComputationFrame:
        """Return the rows that meet a condition on variables: `acc > 0.8 and n in (5, 10)`.

        A row meets a comparison if one of the values of the variable in the row does; `and`, `or` and
        `not` combine sets of rows. With them comes what led to them. Nothing of the text is run.

        Raises:
            WrongQuestion: It is no condition.
            UnknownNode: There is no such variable.
        """
        return selecting.of_rows(self, mask_of(condition))

    def sample(self, n: int, *, seed: int = 0) -> ComputationFrame:
        """Return a frame of at most `n` rows, chosen at random, and what led to them."""
        return selecting.sampled(self, n, seed)

    def sort(self, *by: str, ascending: bool | Sequence[bool] = True) -> ComputationFrame:
        """Return the frame with tables sorted by these columns; `ascending` for all, or for each."""
        self.check_columns(by)
        upwards = [ascending] * len(by) if isinstance(ascending, bool) else ascending
        if len(upwards) != len(by):
            raise WrongQuestion(
                f"`ascending` says {len(upwards)} times what {len(by)} columns are to be",
                "give True or False for all, or one for each column",
            )
        order = tuple(
            (frozenset(self.keys_of(name)), up) for name, up in zip(by, upwards, strict=True)
        )
        return replace(self, layout=replace(self.layout, sorted_by=order))

    # --- algebra ---------------------------------------------------------

    def __or__(self, other: ComputationFrame) -> ComputationFrame:
        return selecting.combined(self, other, lambda a, b: a | b, shows_both=True)

    def __and__(self, other: ComputationFrame) -> ComputationFrame:
        return selecting.combined(self, other, lambda a, b: a & b)

    def __sub__(self, other: ComputationFrame) -> ComputationFrame:
        return selecting.combined(self, other, lambda a, b: a - b, are_closed=False)

    def union(self, *others: ComputationFrame) -> ComputationFrame:
        """Return the calls that are in any of the frames."""
        frame = self
        for other in others:
            frame = frame | other
        return frame

    def intersection(self, *others: ComputationFrame) -> ComputationFrame:
        """Return the calls that are in all of the frames."""
        frame = self
        for other in others:
            frame = frame & other
        return frame

    def __le__(self, other: ComputationFrame) -> bool:
        return self.selected <= other.selected

    def _of(self, selected: Hids) -> ComputationFrame:
        return replace(self, selected=selected, whole=None)

    # --- arranging -------------------------------------------------------

    def rename(self, names: Mapping[str, str] | None = None, /, **others: str) -> ComputationFrame:
        """Return the frame with other names for variables or functions.

        Raises:
            NameTaken: Another one has the name; `merge_vars` makes one of two.
        """
        return arranging.renamed(self, {**(names or {}), **others})

    def merge_vars(self, *names: str, into: str | None = None) -> ComputationFrame:
        """Return the frame in which variables are one; without names, all whose values are in another's."""
        return arranging.merged(self, names, into)

    def merge(self, *nodes: Node, into: str | None = None) -> ComputationFrame:
        """Return the frame in which nodes are one: variables, or parts of one function.

        Of parts it takes back what `split` did; the calls stay as they are. Frames are merged by `|`.

        Raises:
            WrongQuestion: They are functions of several ops, or variables and functions.
            NameTaken: Another one is called `into`.
        """
        return merging.merged_nodes(self, self.check_nodes(nodes), into)

    def split(
        self, node: Node, by: Callable[[Any], object] | Literal["version"] = "version"
    ) -> ComputationFrame:
        """Return the frame with the function of `node` in parts.

        Args:
            node: A function, or a variable: then the function that returns it or takes it.
            by: `version`; or what a function of the call, or of the variable's value, returns.
        """
        return arranging.split(self, self._called(node), by)

    def drop(self, *nodes: Node, with_dependents: bool = False) -> ComputationFrame:
        """Return the frame without these: of functions the calls, of variables what is shown of them.

        With `with_dependents` also without what came of them.
        """
        return arranging.dropped(self, self.check_nodes(nodes), with_dependents)

    def simplify(self) -> ComputationFrame:
        """Return the frame without empty variables, and with those merged that hold the same values."""
        return arranging.simplified(self)

    def apply(self, function: Callable[[Any], Any], *nodes: Node) -> ComputationFrame:
        """Return the frame whose tables show `function(value)` for these variables.

        Where something else is shown of them already, `function` is given that.
        """
        shown = dict(self.layout.shown)
        for name in self.check_nodes(nodes) or self.vnames:
            keys = self.keys_of(name)
            shown |= dict.fromkeys(keys, (*self.layout.changes(keys), function))
        return replace(self, layout=replace(self.layout, shown=shown))

    def delete_calls(self, *functions: Node) -> Deletion:
        """Return the plan to forget the calls, and those that used their results; it does nothing yet.

        `plan.carry_out()` forgets them, `plan.undo()` brings them back; a plan shows itself.

        Args:
            functions: Forget only calls of these; without, all that are in the frame, also those
                that led to the others.
        """
        hids = {call.hid for name in functions for call in self.calls_of(name)}
        return Deletion(self._of(frozenset(hids)) if functions else self)

    def history(self, *nodes: Node, values: Values = "inline") -> pd.DataFrame:
        """Return what led to the values of variables, a row for each way they occur together."""
        past = self.upstream(*nodes)
        return past.df(*past.vnames, values=values)
