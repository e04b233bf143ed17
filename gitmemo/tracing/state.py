"""What each component is right now in this process.

Not which components a call touched (`resolver`). Invariant: `current` is
always right when asked; everything remembered is checked against the running
program first.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType, MappingProxyType, ModuleType

from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.components import Component, Content, is_external
from gitmemo.source import SourceFile, Unit, UnitKind
from gitmemo.source.descriptions import described_unit
from gitmemo.source.names import DOCSTRING
from gitmemo.source.units import NO_SOURCE, STATEMENTS, WHOLE_MODULE
from gitmemo.tracing.bindings import Bindings, Kind
from gitmemo.tracing.callables import functions_inside
from gitmemo.tracing.classes import ClassFacts
from gitmemo.tracing.foreign import is_mock, mock_id
from gitmemo.tracing.guards import guard_for
from gitmemo.tracing.imports import Imports
from gitmemo.tracing.modules import OUTSIDE, Modules
from gitmemo.tracing.observations import MISSING, Observations, Probe
from gitmemo.tracing.outside import Outside
from gitmemo.tracing.places import Places
from gitmemo.tracing.project import Project
from gitmemo.tracing.reading import docstring_facts
from gitmemo.tracing.staleness import Staleness
from gitmemo.tracing.texts import LiveUnit
from gitmemo.tracing.values import UNSETTLED, ValueIds, attributes, is_ours

# They differ with how a program is started, or say nothing that the path does not.
_SKIPPED_NAMES = frozenset(
    {
        "__name__",
        "__file__",
        "__module__",
        "__qualname__",
        "__annotations__",
        "__spec__",
        "__package__",
        "__builtins__",
        "__class__",
    }
)
_MODULE_HOOKS = frozenset({"__getattr__", "__dir__"})  # they answer for names that are not there
_READ_BY_NAME = frozenset({"__doc__", "__annotations__"})


class CodeState:
    """The contents of components, live where loaded and from the file elsewhere."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.modules = Modules(project)
        self.places = Places(self.modules)
        self.classes = ClassFacts(self.places)
        self.imports = Imports(self.modules)
        self.bindings = Bindings(self.modules, self.places, self.imports)
        self.outside = Outside(project.folder())
        self.staleness = Staleness(self.modules)
        self._values = ValueIds(project.root, self.places.code_name)
        self._lock = threading.RLock()
        self._known: dict[Component, tuple[Content | None, Observations]] = {}
        self.modules.observe()  # before the program may edit what it has imported
        project.refuse_unusable()

    def current(self, component: Component) -> Content | None:
        """Return what a component is now, None if it is not there."""
        return self.look(component)[0]

    def loaded(self, component: Component) -> bool:
        """Whether the module of a component runs in this process, if it is code."""
        return is_external(component) or self.modules.module(component.path) is not None

    def knows(self, component: Component) -> bool:
        """Whether anything can be said of a component here.

        Of all but an op's function in an installed package that is not imported: like
        the rest of that package it counts as unchanged.
        """
        return not component.path.startswith(OUTSIDE) or self.loaded(component)

    def text(self, component: Component, content: Content | None = None) -> str:
        """Return the source of a component for people; empty if there is none.

        What is no code may be another by now: then it is the text of `content`.
        """
        if is_external(component):
            return self.outside.text(component, content)
        unit = self.live_unit(component, Observations())
        if unit is not None and (content is None or content.source == unit.source):
            return unit.text
        file = self._text_file(component.path, Observations())
        if file is not None and component.unit == WHOLE_MODULE:
            return file.text
        found = file.unit(component.unit) if file else None
        return found.text if found else ""

    def line_of(self, component: Component) -> int | None:
        """Return the line where a component of a loaded file begins, None if that is not known."""
        found = self._unit(component) if component.path.endswith(".py") else None
        return found.spans[0].first if found and found.spans else None

    def file(self, path: str) -> SourceFile | None:
        """Return the text that a module of the project was loaded from, or its file."""
        return self._text_file(path, Observations())

    def probe(self, components: Iterable[Component]) -> Probe:
        """Return a cheap check that the contents of `components` stay what they are now."""
        parts = tuple(components)
        probe = Probe(self.look(component)[1] for component in parts)
        # Reading one may touch another: pickling leaves `__slotnames__` in a class.
        return probe if probe.unchanged() else Probe(self.look(part)[1] for part in parts)

    def look(self, component: Component) -> tuple[Content | None, Observations]:
        """Return the content of now, and what was looked at to find it."""
        known = self._known.get(component)
        if known is not None and known[1].unchanged():
            return known
        with self._lock:
            seen = Observations()
            content = self._read(component, seen)
            self._known[component] = content, seen
            return content, seen

    # --- reading

    def _read(self, component: Component, seen: Observations) -> Content | None:
        if is_external(component):
            return self.outside.content(component, seen)
        module = self._module(component.path, seen)
        if module is None:
            return self._from_text(component, seen)
        if component.unit == WHOLE_MODULE:
            return self._whole_module(component.path, module, seen)
        if component.unit == STATEMENTS:
            unit = self._unit(component)
            return Content(self._source(component) or unit.source) if unit else None
        if component.unit.startswith("$"):
            return self._global(component, module, seen)
        if described_unit(component.unit) and self._is_described(component):
            return self._description(component, module, seen)
        return self._code(component, module, seen)

    def _module(self, path: str, seen: Observations) -> ModuleType | None:
        module = self.modules.module(path)
        if module is None:
            name = path[1:] if path.startswith(OUTSIDE) else self.project.module_name_of(path)
            seen.look(sys.modules, name)
            return None
        seen.look(vars(module), "__spec__")  # a new one with each reload
        # Even if it is still being imported: a script may run its calls while it is.
        seen.look(sys.modules, module.__name__)
        return module

    def _from_text(self, component: Component, seen: Observations) -> Content | None:
        file = self._text_file(component.path, seen)
        if file is None:
            return None
        unit = file.unit(component.unit)
        if unit is not None:
            value = self._values.of(unit.literal[0]) if unit.literal else None
            return Content(unit.source, value, is_fixed=value is not None)
        source = file.source_of(component.unit)
        return None if source is None else Content(source)

    def _text_file(self, path: str, seen: Observations) -> SourceFile | None:
        if self.modules.module(path) is None:
            return self.modules.on_disk(path, seen)
        snapshot = self.modules.snapshot(path)
        return snapshot.file if snapshot else None

    def _unit(self, component: Component) -> Unit | None:
        snapshot = self.modules.snapshot(component.path)
        return snapshot.file.units.get(component.unit) if snapshot else None

    # --- what definitions say of themselves

    def _is_described(self, component: Component) -> bool:
        """Whether a name such as `f.__doc__` is no method that is called so."""
        return self._unit(component) is None

    def _description(
        self, component: Component, module: ModuleType, seen: Observations
    ) -> Content | None:
        unit = self.description(component)
        if unit is None:
            return None
        facts = list(self._binding_facts(unit, module, seen))
        name, what = described_unit(component.unit) or ("", "")
        described = Component(component.path, name)
        file, found = self.file(component.path), self._unit(described)
        if what == DOCSTRING and file is not None and found is not None:
            held = self.held(described, module, seen)
            facts.extend(docstring_facts(held, file.docstrings(found), seen))
        return Content(unit.source, digest("\n".join(facts).encode("utf-8", "surrogatepass")))

    def description(self, component: Component) -> LiveUnit | None:
        """Return the docstrings or annotations of a loaded module's unit, as a unit."""
        snapshot = self.modules.snapshot(component.path)
        found = snapshot.file.unit(component.unit) if snapshot else None
        return snapshot.live(component.path, found) if snapshot and found else None

    # --- globals

    def _global(
        self, component: Component, module: ModuleType, seen: Observations
    ) -> Content | None:
        name = component.unit[1:]
        source = self._source(component) or NO_SOURCE
        value = seen.look(vars(module), name)
        if value is MISSING and callable(vars(module).get("__getattr__")):
            value = getattr(module, name, MISSING)
            seen.guard(lambda: _same_again(module, name, value))
        if value is MISSING:
            return None if source is NO_SOURCE else Content(source, digest(b"unbound"))
        if is_ours(value):
            inner = getattr(value, "__wrapped__", None)
            value = inner if inner is not None else value
        unit = self._unit(component)
        if unit is None and source is not NO_SOURCE:
            target = self.bindings.follow(module, component.path, (name,), seen)
            if target.kind is Kind.FOREIGN:  # what is imported counts by its name, as in a text
                return Content(source, digest(target.description.encode()))
        value_id = self._value_id(value, source, seen)
        literal = unit.literal if unit else None
        is_fixed = literal is not None and self._values.of(literal[0]) == value_id
        # A literal that says what is there is not doubted.
        return Content(unit.source if unit and is_fixed else source, value_id, is_fixed)

    def _source(self, component: Component) -> Digest | None:
        snapshot = self.modules.snapshot(component.path)
        return snapshot.source_of(component.unit) if snapshot else None

    def _value_id(self, value: object, source: Digest, seen: Observations) -> Digest:
        for function in functions_inside(value):
            seen.function(function)
        found = self._values.or_type(value, source)
        if found == UNSETTLED:
            seen.guard(lambda: False)  # until it is settled
        else:
            seen.guard(guard_for(value, lambda: self._values.or_type(value, source)))
        return found

    def _whole_module(self, path: str, module: ModuleType, seen: Observations) -> Content | None:
        parts: list[bytes] = []
        for name in sorted(seen.keys(vars(module))):
            is_hidden = name.startswith("__") and name not in _MODULE_HOOKS
            if is_hidden or is_ours(vars(module)[name]):
                continue
            target = self.bindings.follow(module, path, (name,), seen)
            value = b""
            if target.kind is Kind.DATA or (target.component and target.kind is not Kind.FOREIGN):
                value = self._value_id(target.value, NO_SOURCE, seen)
            parts.append(name.encode() + b"=" + target.description.encode() + b"=" + value)
            if value == UNSETTLED:
                return Content(self._source(Component(path, WHOLE_MODULE)) or NO_SOURCE, UNSETTLED)
        source = self._source(Component(path, WHOLE_MODULE)) or NO_SOURCE
        return Content(source, digest(b"\n".join(parts)))

    # --- code

    def live_unit(self, component: Component, seen: Observations) -> LiveUnit | None:
        """Return the unit behind a component as this process runs it."""
        module = self._module(component.path, seen)
        if module is None:
            return None
        if not component.unit.startswith(("$", "class ")):
            held = self.held(component, module, seen)
            for function in functions_inside(held):
                seen.function(function)
                outside = component.path if component.path.startswith(OUTSIDE) else None
                unit = self.modules.unit_of(function.__code__, path=outside)
                if unit is not None and (unit.path, unit.name) == (component.path, component.unit):
                    return unit
        snapshot = self.modules.snapshot(component.path)
        found = snapshot.file.units.get(component.unit) if snapshot else None
        return snapshot.live(component.path, found) if snapshot and found else None

    def held(self, component: Component, module: ModuleType, seen: Observations) -> object:
        """Return the object that a function's or class's name holds."""
        value: object = module
        for part in component.unit.removeprefix("class ").split("."):
            namespace = attributes(value)
            if not isinstance(namespace, dict | MappingProxyType):
                return MISSING
            value = seen.look(namespace, part)
            if is_ours(value):
                value = getattr(value, "__wrapped__", value)
            if value is MISSING:
                break
        return value

    def _code(self, component: Component, module: ModuleType, seen: Observations) -> Content | None:
        unit = self.live_unit(component, seen)
        if unit is None:
            return None
        held = self.held(component, module, seen)
        facts = [*self._binding_facts(unit, module, seen), *self._statement_facts(unit, held)]
        if isinstance(held, type) and unit.kind is UnitKind.CLASS:
            facts.extend(self.classes.of(component, held, self._identify(unit.source), seen))
        else:
            facts.append(self._object_fact(component, held, unit.source, seen))
        return Content(unit.source, digest("\n".join(facts).encode("utf-8", "surrogatepass")))

    def _identify(self, source: Digest) -> Callable[[object, Observations], Digest]:
        return lambda value, seen: self._value_id(value, source, seen)

    def _binding_facts(
        self, unit: LiveUnit, module: ModuleType, seen: Observations
    ) -> Iterator[str]:
        for module_name, chain in sorted({(use.module, use.chain) for use in unit.names.uses}):
            if chain and chain[0] in _SKIPPED_NAMES and not module_name:
                continue
            if module_name:
                found = self.bindings.describe_import(unit.path, module_name, chain, seen)
                if found is not None:
                    yield f"{module_name} {'.'.join(chain)} = {found}"
                continue
            target = self.bindings.follow(module, unit.path, chain, seen)
            yield f"{'.'.join(chain)} = {target.description}"
            holder = target.component
            if target.kind is Kind.DATA and holder is not None and holder.path != unit.path:
                yield f"of {holder.path}"
            if target.kind in (Kind.FUNCTION, Kind.CLASS) and _READ_BY_NAME & set(target.rest[:1]):
                value = getattr(target.value, target.rest[0], None)
                yield self._value_id(value, NO_SOURCE, seen).hex()
        for kind in self.listed(unit, module, seen):
            yield from self.classes.subclasses(kind, seen)

    def listed(self, unit: LiveUnit, module: ModuleType, seen: Observations) -> list[type]:
        """Return the classes whose subclasses a unit asks for: those it names, and its own."""
        if not unit.names.lists_subclasses:
            return []
        own = unit.name.removeprefix("class ").rpartition(".")[0]
        chains = {
            use.chain[:-1] for use in unit.names.uses if use.chain[-1:] == ("__subclasses__",)
        }
        if own:
            chains.add(tuple(own.split(".")))
        found = [
            self.held(Component(unit.path, ".".join(chain)), module, seen)
            for chain in sorted(chains)
            if chain
        ]
        return [kind for kind in found if isinstance(kind, type)]

    def _object_fact(
        self, component: Component, held: object, source: Digest, seen: Observations
    ) -> str:
        """Describe the object that `def` made: defaults, attributes, what wraps it."""
        if held is MISSING:
            return "gone"
        if isinstance(held, FunctionType):
            plain = not (held.__closure__ or held.__defaults__ or held.__kwdefaults__)
            if plain and self._is_defined_here(component, held):
                seen.sizes.append((vars(held), len(vars(held))))
                if not vars(held):
                    return "plain"
        if isinstance(held, type):
            return f"class {held.__qualname__}"
        if is_mock(held):
            return mock_id(held, seen).hex()
        return self._value_id(held, source, seen).hex()

    def _statement_facts(self, unit: LiveUnit, held: object) -> Iterator[str]:
        """Say which statement made the object, where the text defines its name more than once.

        The source covers all of them, so running on to the next one would not show in it.
        """
        snapshot = self.modules.snapshot(unit.path)
        found = snapshot.file.units.get(unit.name) if snapshot else None
        if snapshot is None or found is None or len(found.spans) < 2:
            return
        inside = vars(held).values() if isinstance(held, type) else (held,)
        for function in (function for value in inside for function in functions_inside(value)):
            line = snapshot.line_of(function.__code__)
            for number, span in enumerate(found.spans):
                if line is not None and line in span:
                    yield f"statement {number}"
                    return

    def _is_defined_here(self, component: Component, function: FunctionType) -> bool:
        outside = component.path if component.path.startswith(OUTSIDE) else None
        unit = self.modules.unit_of(function.__code__, path=outside)
        return unit is not None and (unit.path, unit.name) == (component.path, component.unit)


def _same_again(module: ModuleType, name: str, value: object) -> bool:
    return getattr(module, name, MISSING) is value
