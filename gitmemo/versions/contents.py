"""Contents of components with their texts, and the code of a version as people read it.

Not where texts are kept (`world`). Invariant: a content is shown with its own
text, never with that of another that is equivalent to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.components import ENV, FILE, PACKAGE, Component, Content, is_external
from gitmemo.model.facts import Source, Version
from gitmemo.short_ids import short
from gitmemo.source.descriptions import described_unit
from gitmemo.world.view import World

ModuleOf = Callable[[str], str]
_RULE = "#" * 80
_TITLES = {PACKAGE: "PACKAGES", ENV: "ENVIRONMENT VARIABLES", FILE: "FILES"}
_NO_TEXT = "# its text is not known on this machine"


@dataclass(frozen=True, slots=True)
class ShownContent:
    """A content of a component as a call touched it.

    Attributes:
        path, unit: The component: its file, and its name there (`f`, `C.m`, `class C`, `$N`).
        id: What `storage.code` and `gitmemo show` find the text by: its source id, in hex.
        value: The id of what only a running program knows, in hex: the value of a variable, or
            what the names in a text refer to. None where it is not known.
        text: The code as it was written; None where it is not on this machine.
    """

    path: str
    unit: str
    id: str
    value: str | None
    text: str | None

    @property
    def component(self) -> Component:
        """The component itself."""
        return Component(self.path, self.unit)

    @property
    def is_global(self) -> bool:
        """Whether it is a variable of a module."""
        return self.unit.startswith("$")

    def as_dict(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "component": str(self.component),
            "id": self.id,
            "value": self.value,
            "text": self.text,
        }


class Texts:
    """The texts of contents, read all at once."""

    def __init__(self, world: World, wanted: Iterable[tuple[Component, Content]]) -> None:
        pairs = {(component, content.source) for component, content in wanted}
        facts = world.about({component for component, _ in pairs})
        self._names: dict[tuple[Component, Digest], Digest] = {
            (component, fact.source): fact.text
            for component, known in facts.items()
            for fact in known.values()
            if isinstance(fact, Source) and (component, fact.source) in pairs
        }
        self._texts = world.texts(self._names.values())

    def shown(self, component: Component, content: Content) -> ShownContent:
        """Return a content with its text."""
        name = self._names.get((component, content.source))
        return ShownContent(
            component.path,
            component.unit,
            to_hex(content.source),
            to_hex(content.value) if content.value else None,
            self._texts.get(name) if name else None,
        )

    def of(self, version: Version) -> tuple[ShownContent, ...]:
        """Return the contents of a version, in the order in which they are shown."""
        found = [self.shown(component, content) for component, content in version.pairs.items()]
        return tuple(sorted(found, key=_place))


def code_lines(
    contents: Iterable[ShownContent],
    module_of: ModuleOf,
    *,
    with_ids: bool = False,
    with_values: frozenset[Component] = frozenset(),
) -> Iterator[str]:
    """Yield the code of a version: by module, variables before functions, methods after their class.

    `with_values` are components whose texts alone do not tell their contents apart.
    """
    path: str | None = None
    around = ""
    for content in contents:
        if content.path != path:
            if path is not None:
                yield ""
            path, around = content.path, ""
            title = _TITLES.get(path) or f'IN MODULE "{module_of(path)}"'
            yield from (_RULE, f"### {title}", _RULE)
        yield ""
        if with_ids:
            yield f"### id={content.id}"
        text = without_imports(content.text) if content.text else ""
        lines = (text or f"{_NO_TEXT}: {content.component}").splitlines()
        owner = "" if _stands_alone(content) else content.unit.rpartition(".")[0]
        if _stands_alone(content):
            around = ""
        elif content.unit.startswith("class "):
            around = content.unit.removeprefix("class ")
        elif owner and owner != around:  # a method whose class no call touched as such
            around = owner
            yield f"class {owner}:"
        yield from (
            (f"    {line}".rstrip() for line in lines) if owner and owner == around else lines
        )
        if content.component in with_values and content.value:
            what = "the value" if content.is_global else "what its names refer to"
            yield f"# {what}: id={short(content.value)}"


def _stands_alone(content: ShownContent) -> bool:
    """Whether it is in no class: no code, or what code says of itself."""
    return is_external(content.component) or described_unit(content.unit) is not None


def _place(content: ShownContent) -> tuple[str, int, str, int, str]:
    unit = content.unit
    owner, _, member = unit.removeprefix("class ").rpartition(".")
    if unit.startswith("$"):
        return content.path, 0, "", 0, unit
    if unit.startswith("class "):
        return content.path, 1, unit.removeprefix("class "), 0, ""
    return content.path, 1, owner or unit, int(bool(owner)), member


def without_imports(text: str) -> str:
    """Return a content's own statements, without the imports that are noted before them.

    >>> without_imports("import math\\n\\ndef f():\\n    return math.pi\\n")
    'def f():\\n    return math.pi\\n'
    """
    head, blank, rest = text.partition("\n\n")
    is_head = all(line.startswith(("import ", "from ")) for line in head.splitlines())
    return rest if blank and is_head else text


def module_name(path: str) -> str:
    """Return what a file is called where no project says how its folders count.

    >>> module_name("analysis/train.py"), module_name("__main__")
    ('analysis.train', '__main__')
    """
    stem = path.removesuffix(".py").removesuffix(".ipynb")
    return stem.removesuffix("/__init__").replace("/", ".")
