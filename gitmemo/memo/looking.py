"""What a storage can show of the code behind its calls: versions, histories, texts, differences.

Not how they are found (`versions`). Invariant: nothing is recorded, run or
asked; each content is shown with its own text.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any

from gitmemo.errors import NotAnOp, NotVersioned, UnknownComponent
from gitmemo.memo.names import OpNames
from gitmemo.memo.wording import short
from gitmemo.model.components import MAIN_PATH, Component
from gitmemo.model.spoken import named
from gitmemo.model.validity import Code
from gitmemo.query import resolve_op
from gitmemo.tracing import CodeState, Project
from gitmemo.versions.contents import module_name
from gitmemo.world.view import World

if TYPE_CHECKING:
    from gitmemo.memo.op import Op
    from gitmemo.versions.listing import Versions
    from gitmemo.versions.revisions import SourceHistory


class CodeText(str):
    """A text that shows itself as it is, also where Python shows the value of an expression."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        from gitmemo import markup

        return markup.block(markup.code(self))


class DiffText(CodeText):
    """How two texts differ: a notebook shows it coloured."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        from gitmemo import markup

        return markup.block(markup.difference(self.splitlines()))


class Looking(ABC):
    """The questions about code that a storage answers."""

    world: World
    project: Project | None
    _code: Code
    _names: OpNames

    @abstractmethod
    def _notice(self) -> None:
        """Take notice of what git, editors and other processes did."""

    def versions(
        self,
        op: Op[..., Any] | str,
        *,
        plain: bool = False,
        show_dep_commit_ids: bool = False,
    ) -> Versions:
        """Return the versions of an op: what its calls touched, with the code of each.

        A notebook shows it; in a script, print it.

        Args:
            op: The op, or the name of one.
            plain: Draw no frames.
            show_dep_commit_ids: Write the id of each content before its code.

        Raises:
            NotVersioned: This storage does not track code.
            UnknownOp: It is a name, and no such op is known here, or several are.
            NotAnOp: It is neither an op nor a name.
        """
        from gitmemo.memo.op import Op
        from gitmemo.versions.listing import Shape, versions_of  # most programs never look

        project = self._versioned("storage.versions")
        if not isinstance(op, Op | str):
            raise NotAnOp(short(op), "storage.versions")
        self._notice()
        now = self._names.now(self.world, self._code)
        if isinstance(op, str):
            known = {now.former.get(name, name) for name in self.world.ops()}
            name = resolve_op(op, sorted({*known, *self._names.met()}), now.former)
        else:
            name = self._names.name_of(op)[0]
        shape = Shape(_module_of(project), plain=plain, with_ids=show_dep_commit_ids)
        return versions_of(self.world, name, self._code, shape, now.op)

    def source_history(
        self,
        component: Op[..., Any] | Callable[..., Any] | str,
        *,
        compact: bool = False,
        plain: bool = False,
    ) -> SourceHistory:
        """Return the contents that a piece of code had, what each followed, and what was decided.

        Args:
            component: An op, a function, a class, or a name: `path:unit`, or the unit alone.
            compact: Print what changed instead of whole texts.
            plain: Print ASCII only.

        Raises:
            NotVersioned: This storage does not track code.
            UnknownComponent: No stored call touched it, or a name means several.
        """
        from gitmemo.versions.revisions import history_of

        self._versioned("storage.source_history")
        self._notice()
        found = self._component(component)
        return history_of(self.world, found, self._code, compact=compact, plain=plain)

    def sources(self, component: Op[..., Any] | Callable[..., Any] | str) -> SourceHistory:
        """Return the same as `source_history(component, compact=True)`."""
        return self.source_history(component, compact=True)

    def code(self, ident: str) -> str:
        """Return the code with this id: of a content, or of a whole version.

        The first digits are enough, if no other id begins with them.

        Raises:
            UnknownId: Nothing has such an id.
            AmbiguousId: Several have; they are listed.
        """
        return self.get_code(ident)

    def get_code(self, ident: str, *, show: bool = True, meta: bool = False) -> str:
        """Return the code with this id, as `code` does.

        Args:
            ident: The id, or its first digits.
            show: A notebook shows it as it is; if false, it is a plain string.
            meta: Write the id of each content before it.
        """
        from gitmemo.versions.comparing import code_of
        from gitmemo.versions.finding import find_code

        project = self._versioned("storage.code")
        self._notice()
        text = code_of(find_code(self.world, ident), _module_of(project), with_ids=meta)
        return CodeText(text) if show else text

    def diff(self, id1: str, id2: str, context_lines: int = 3) -> str:
        """Return how the code with one id differs from that with another: of contents or of versions.

        Raises:
            UnknownId, AmbiguousId: As `code`.
            DifferentKinds: One is a content, and the other a version.
        """
        from gitmemo.versions.comparing import difference
        from gitmemo.versions.finding import find_code

        self._versioned("storage.diff")
        self._notice()
        old, new = find_code(self.world, id1), find_code(self.world, id2)
        return DiffText("\n".join(difference(old, new, context_lines)))

    def _versioned(self, question: str) -> Project:
        if self.project is None:
            raise NotVersioned(question)
        return self.project

    def _component(self, given: object) -> Component:
        if isinstance(given, str):
            return named(given, self.world.about())
        assert isinstance(self._code, CodeState)  # a storage that versions runs in the program
        return self._place_of(given, self._code)

    def _place_of(self, given: object, code: CodeState) -> Component:
        """Return the component that an op, a function or a class of this program is."""
        thing = getattr(given, "__wrapped__", given)
        found: Component | None = None
        if isinstance(thing, type):
            place = code.places.class_place(thing)
            found = Component(place[0], f"class {place[1]}") if place else None
        elif isinstance(function := getattr(thing, "__func__", thing), FunctionType):
            unit = code.places.unit_of_function(function)
            found = Component(unit.path, unit.name) if unit else None
        if found is None:
            raise UnknownComponent(short(given), (), False)
        return found


def _module_of(project: Project) -> Callable[[str], str]:
    """Return how the modules of components are called in a project."""

    def name(path: str) -> str:
        plain = path == MAIN_PATH or path.startswith("@") or project.root is None
        return module_name(path) if plain else project.module_name_of(path)

    return name
