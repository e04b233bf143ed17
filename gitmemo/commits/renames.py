"""Renames and moves as a person says them: which component is meant, and what follows.

Not those that are seen without being told (`scenes`), nor how texts are compared
(`changes.moving`). Invariant: nothing is recorded here; a plan says what would be, and
whoever made it records it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gitmemo.changes.arguments import argument_names, has_renamed_argument, has_renamed_keyword
from gitmemo.changes.change import Change
from gitmemo.changes.deciding import facts_of
from gitmemo.changes.recognising import (
    Recognised,
    Scene,
    about,
    as_named,
    facts_for,
    renamed,
)
from gitmemo.changes.uses import world_uses
from gitmemo.commits.scenes import NEWEST_CALLS, op_names, scene_of_all
from gitmemo.errors import CannotRename
from gitmemo.model.components import Component, names_of, plain_name
from gitmemo.model.facts import Fact, Rename, RenameKind, Verdict, Withdrawal
from gitmemo.model.spoken import all_meant
from gitmemo.source import Unit
from gitmemo.workspace import Workspace

_CHANGED = (
    "if results of the old code are results of the new code all the same, say so with "
    "--non-breaking; else there is nothing to do: they are computed anew"
)


@dataclass(frozen=True)
class Plan:
    """What would be recorded.

    Attributes:
        found: What is something else now, and which callers only have other names.
        renames: The ops, arguments and outputs that have another name.
        left: Components that went the same way, but were changed besides.
    """

    found: Recognised
    facts: tuple[Fact, ...]
    left: tuple[Component, ...] = ()

    @property
    def renames(self) -> list[Rename]:
        """The ops, arguments and outputs that have another name."""
        return [fact for fact in self.facts if isinstance(fact, Rename)]


def plan_rename(
    workspace: Workspace, old: str, new: str, why: str = "", *, changed_too: bool = False
) -> Plan:
    """Return what it means that the op, component or file `old` is `new` now.

    Raises:
        CannotRename: Nothing is stored under `old`, it is still there, `new` is not in the code, or
            it does not say the same and `changed_too` does not allow that.
    """
    workspace.world.enter()
    scene = scene_of_all(workspace, new)
    op_at = op_names(workspace)
    if _is_file(old) and _is_file(new):
        pairs = _pairs_of_file(scene, old, new)
    else:
        component = _one_gone(scene, old, new, op_at)
        if component is None:
            return _plan_of_names(workspace, scene, old, new, why)
        pairs = _with_members(scene, component, _target(scene, component, old, new, op_at))
    found = as_named(scene, pairs, changed_too=changed_too)
    left = tuple(sorted(filter(scene.is_used, pairs.keys() - found.pairs.keys())))
    if not any(map(scene.is_used, found.pairs)):
        reason = "it does not say the same, even under the new names"
        raise CannotRename(old, new, reason, _CHANGED)
    facts = facts_for(workspace.world, scene, found, op_at, why)
    return Plan(found, tuple(facts), left)


def plan_part(
    workspace: Workspace,
    kind: RenameKind,
    op: str,
    old: str,
    new: str,
    why: str = "",
    *,
    changed_too: bool = False,
) -> Plan:
    """Return what it means that an argument or an output of `op`, a full name, is called `new` now.

    Raises:
        CannotRename: No stored call has `old`, or those that do have `new` too; or more than the
            name changed, and `changed_too` does not allow that.
    """
    world = workspace.world
    names = set()
    for call in world.newest_calls(op, NEWEST_CALLS):
        slots = call.inputs if kind is RenameKind.ARGUMENT else call.outputs
        names.add(tuple(slot.name for slot in slots))
    having = [group for group in names if old in group]
    if not having:
        known = ", ".join(sorted({name for group in names for name in group})) or "none"
        reason = f"no stored call of {op} has an {kind.value} {old!r}"
        raise CannotRename(old, new, reason, f"stored are: {known}")
    if any(new in group for group in having):
        reason = f"stored calls of {op} have {old!r} and {new!r}: which is which could not be told"
        fix = "choose a name that none of them had, or start anew with @op(version=...)"
        raise CannotRename(old, new, reason, fix)
    facts: list[Fact] = [renamed(kind, op, old, new, why, dict(world.statements()))]
    changes: list[Change] = []
    if kind is RenameKind.ARGUMENT:
        changes = _changed_by_argument(workspace, op, old, new, changed_too=changed_too)
        said = f"{old} of {op} is {new}"
        for change in changes:
            text = f"{why}; only names: {said}" if why else f"only names: {said}"
            facts += facts_of(world, change, Verdict.NON_BREAKING, text)
    return Plan(Recognised({}, tuple(changes)), tuple(facts))


def _changed_by_argument(
    workspace: Workspace, op: str, old: str, new: str, *, changed_too: bool
) -> list[Change]:
    """Return the op's function and its callers, as far as only the argument's name changed there."""
    scene = scene_of_all(workspace)
    op_at = op_names(workspace)
    names = {op, *workspace.world.renames().ops(op)}
    own = next((c for c in scene.uses.contents if op_at(c) in names and scene.latter(c)), None)
    now = scene.latter(own) if own else None
    if own is None or now is None:
        return []  # it gave itself a name: its calls say themselves whether they are valid
    arguments = argument_names(now)
    if old in arguments or new not in arguments:
        reason = f"in the code its arguments are {', '.join(arguments) or 'none'}"
        raise CannotRename(old, new, reason, "rename the argument in the code first")
    found: list[Change] = []
    others: list[Unit] = []
    for before in scene.formers(own):
        if scene.decisions.related(own, before.source, now.source):
            continue
        if changed_too or has_renamed_argument(before, now, old, new):
            found.append(scene.change(own, before, now))
        elif old in argument_names(before):
            others.append(before)
    if others and not found:
        reason = "more than the name of the argument changed"
        raise CannotRename(old, new, reason, _CHANGED)
    function = own.unit.rpartition(".")[2]
    for caller in scene.uses.contents:
        after = scene.latter(caller)
        for before in scene.formers(caller) if after is not None and caller != own else ():
            if (
                after is not None
                and not scene.decisions.related(caller, before.source, after.source)
                and has_renamed_keyword(before, after, function, old, new)
            ):
                found.append(scene.change(caller, before, after))
    return list({(change.component, change.old): change for change in found}.values())


def plan_undo(workspace: Workspace, old: str, new: str, why: str = "") -> Withdrawal:
    """Return the fact that takes back what was recorded of `old` and `new`: names, components or files.

    Raises:
        CannotRename: Nothing is.
    """
    world = workspace.world
    statements = world.statements()
    decisions = world.decisions()
    op_at = op_names(workspace)
    pairs = {
        component: place
        for component in world_uses(world, workspace.code).contents
        for place in decisions.places(component)
        if _means(component, old, op_at) and _means(place, new, op_at)
    }
    ends = {(op_at(component), op_at(place)) for component, place in pairs.items()}
    renames = {
        record: fact
        for record, fact in world.renames().current.items()
        if (_is_called(fact.old, old) and _is_called(fact.new, new))
        or (fact.kind is RenameKind.OP and (fact.old, fact.new) in ends)
    }
    reasons = [f"{fact.old} of {fact.of} is {fact.new}" for fact in renames.values() if fact.of]
    records = {*renames, *about(statements, pairs, reasons)}
    if not records:
        fix = "`gitmemo rename` without arguments lists what is recorded"
        raise CannotRename(old, new, "no such rename is recorded here", fix, True)
    return Withdrawal(tuple(sorted(records)), why)


def _is_file(name: str) -> bool:
    return name.endswith((".py", ".ipynb"))


def _is_called(name: str, said: str) -> bool:
    """Whether a full name is meant by what somebody wrote: all of it, or its last part."""
    return said in (name, name.rpartition(":")[2])


def _means(component: Component, said: str, op_at: Callable[[Component], str]) -> bool:
    if _is_file(said):
        return component.path == said
    plain = plain_name(component)
    if said in (*names_of(component), op_at(component)):
        return True
    return any(plain.startswith(f"{name}.") for name in (said, _last(said)))


def _last(said: str) -> str:
    return said.rpartition(":")[2].removeprefix("class ")


def _pairs_of_file(scene: Scene, old: str, new: str) -> dict[Component, Component]:
    pairs = {
        component: to
        for component in scene.gone
        if component.path == old and scene.latter(to := Component(new, component.unit)) is not None
    }
    if not any(map(scene.is_used, pairs)):
        reason = f"nothing that stored calls touched in {old} is gone from there and in {new}"
        fix = "name the functions one by one: gitmemo rename OLD NEW"
        raise CannotRename(old, new, reason, fix)
    return pairs


def _one_gone(
    scene: Scene, old: str, new: str, op_at: Callable[[Component], str]
) -> Component | None:
    """Return the component that `old` names and that is gone; None if it is only the name of an op."""
    used = _named((gone for gone in scene.gone if _has_results(scene, gone)), old, op_at)
    used = used or _gone_under_another_name(scene, old, op_at)
    if len(used) == 1:
        return used[0]
    if used:
        names = ", ".join(map(str, used))
        raise CannotRename(old, new, f"{old!r} could be any of {names}", "give path:name")
    still = [c for c in _named(scene.uses.contents, old, op_at) if scene.latter(c) is not None]
    explicit = [op for op in scene.uses.ops if _is_called(op, old)]
    if still and not (explicit and _is_quoted(scene, new)):
        fix = (
            "only what is gone was renamed: take it out of the code (a line `old = new` beside the "
            "new one is no function, and may stay), then say it again"
        )
        raise CannotRename(old, new, f"{still[0]} is still in the code", fix)
    for one, place in _known_already(scene, old, new, op_at):
        fix = "there is nothing to do: its results follow"
        raise CannotRename(old, new, f"{one} is known to be {place} already", fix)
    if not explicit:
        fix = (
            "`gitmemo status` lists the ops; a component is `path:name`, as `gitmemo log` shows it"
        )
        raise CannotRename(old, new, f"no stored call depends on {old!r}", fix)
    return None


def _has_results(scene: Scene, component: Component) -> bool:
    return scene.is_used(component) or component.unit.startswith("class ")


def _gone_under_another_name(
    scene: Scene, said: str, op_at: Callable[[Component], str]
) -> list[Component]:
    """Return what is gone and, as was said before, has or had the name: the code may not know that."""
    moved = (one for one in scene.decisions.moved() if scene.latter(one) is None)
    names = {name for one in _named(moved, said, op_at) for name in scene.names(one)}
    return [gone for gone in scene.gone if gone in names and _has_results(scene, gone)]


def _named(
    components: Iterable[Component], said: str, op_at: Callable[[Component], str]
) -> list[Component]:
    """Return the components that somebody may mean: that of the op, else those called so."""
    known = list(components)
    return [one for one in known if op_at(one) == said] or all_meant(said, known)


def _known_already(
    scene: Scene, old: str, new: str, op_at: Callable[[Component], str]
) -> Iterator[tuple[Component, Component]]:
    """Yield what is called `old` no more and, as was said before, is called `new`."""
    moved = [one for one in scene.decisions.moved() if scene.latter(one) is None]
    for one in _named(moved, old, op_at):
        there = (place for place in scene.names(one) if scene.latter(place) is not None)
        yield from ((one, place) for place in _named(there, new, op_at))


def _is_quoted(scene: Scene, name: str) -> bool:
    """Whether some op may give itself a name: it stands in the code as a string."""
    units = (scene.latter(component) for component in scene.uses.contents)
    return any(
        quoted in unit.text for unit in units if unit for quoted in (f'"{name}"', f"'{name}'")
    )


def _is_place(name: str) -> bool:
    return ".py:" in name or ".ipynb:" in name


def _target(
    scene: Scene,
    component: Component,
    old: str,
    new: str,
    op_at: Callable[[Component], str],
) -> Component:
    """Return the component that `new` names, of the same kind as the one that is gone."""
    prefix = next((p for p in ("class ", "$") if component.unit.startswith(p)), "")
    unit = prefix + new.rpartition(":")[2].removeprefix(prefix)
    place = new.rpartition(":")[0]
    if _is_place(new):
        paths: Sequence[str] = [place]
    elif place:
        paths = [path for path in scene.paths if op_at(Component(path, "f")) == f"{place}:f"]
        paths = paths or [place.replace(".", "/") + ".py"]
    else:
        paths = scene.paths
        if "." in component.unit and "." not in unit:
            unit = f"{component.unit.rpartition('.')[0]}.{unit}"
    found = [to for path in paths if scene.latter(to := Component(path, unit)) is not None]
    near = [to for to in found if to.path == component.path] or found
    if len(near) == 1:
        return near[0]
    fix = "write where it is: gitmemo rename OLD path/to/file.py:name"
    if near:
        raise CannotRename(old, new, f"it could be any of {', '.join(map(str, near))}", fix)
    where = f"in {paths[0]}" if len(paths) == 1 else "in the code"
    raise CannotRename(old, new, f"there is no {unit.removeprefix('$')!r} {where}", fix)


def _with_members(scene: Scene, old: Component, new: Component) -> dict[Component, Component]:
    """Add the methods of a class, and the classes in it."""
    pairs = {old: new}
    if not old.unit.startswith("class "):
        return pairs
    before, after = (c.unit.removeprefix("class ") for c in (old, new))
    for component in scene.gone:
        word = "class " if component.unit.startswith("class ") else ""
        name = component.unit.removeprefix("class ")
        if component.path == old.path and name.startswith(f"{before}."):
            to = Component(new.path, f"{word}{after}{name.removeprefix(before)}")
            if scene.latter(to) is not None:
                pairs[component] = to
    return pairs


def _plan_of_names(workspace: Workspace, scene: Scene, old: str, new: str, why: str) -> Plan:
    """Plan the rename of an op that gives itself a name, now or before."""
    full, *others = [op for op in scene.uses.ops if _is_called(op, old)]
    if others:
        raise CannotRename(
            old, new, f"{old!r} could be any of {', '.join(others)}", "give all of it"
        )
    if not _is_quoted(scene, new):
        fix = "write the name that the op has now: path/to/file.py:name, or what its `name=` says"
        raise CannotRename(old, new, f"nothing in the code is called {new!r}", fix)
    fact = renamed(RenameKind.OP, "", full, new, why, dict(workspace.world.statements()))
    return Plan(Recognised({}), (fact,))
