"""What packages, environment variables and files are right now in this process.

Not which of them a call depends on: the user says so. Invariant: no package is
imported, each is looked up once per block, and no value of a variable is written.
"""

from __future__ import annotations

from pathlib import Path

from gitmemo.config import environment_variable
from gitmemo.errors import NotAFile
from gitmemo.files.seen import content_of
from gitmemo.hashing.digest import Digest
from gitmemo.model import externals
from gitmemo.model.components import ENV, PACKAGE, Component, Content, stays_inside
from gitmemo.source.tree import SourceTree
from gitmemo.tracing.observations import Observations

_MOST_TEXTS = 10_000


class Outside:
    """Looks up what is no code.

    Args:
        folder: Where the paths of files start.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._versions: dict[str, str | None] = {}
        self._texts: dict[Digest, str] = {}

    def enter(self) -> None:
        """Begin a block: another version of a package may have been installed."""
        self._versions.clear()

    def is_absent(self, component: Component) -> bool:
        """Whether there is nothing of that name."""
        if component.path == PACKAGE:
            return self._version(component.unit) is None
        if component.path == ENV:
            return environment_variable(component.unit) is None
        return self._file(component) is None

    def content(self, component: Component, seen: Observations) -> Content:
        """Return what a component is now; that it is absent is a content too."""
        text = self._read(component, seen)
        source = externals.source_of(text)
        if len(self._texts) > _MOST_TEXTS:
            self._texts.clear()
        self._texts[source] = text
        return Content(source)

    def text(self, component: Component, content: Content | None = None) -> str:
        """Return what is written of a component: of `content`, or else of what it is now."""
        if content is None:
            content = self.content(component, Observations())
        return self._texts.get(content.source, "")

    def unsettled(self, component: Component) -> Content:
        """Return the content of what changed while a call ran: no later call has the same."""
        text = externals.text_of_unsettled(component)
        source = externals.source_of(text)
        self._texts[source] = text
        return Content(source)

    def _read(self, component: Component, seen: Observations) -> str:
        name = component.unit
        if component.path == PACKAGE:
            version = self._version(name)
            seen.guard(lambda: self._version(name) == version)
            return externals.text_of_package(component, version)
        if component.path == ENV:
            value = environment_variable(name)
            seen.guard(lambda: environment_variable(name) == value)
            return externals.text_of_variable(component, value)
        seen.file(str(self.folder / name))
        return externals.text_of_file(component, self._file(component))

    def _version(self, name: str) -> str | None:
        try:
            return self._versions[name]
        except KeyError:
            version = self._versions[name] = _installed(name)
            return version

    def _file(self, component: Component) -> Digest | None:
        if not stays_inside(component.unit):  # it may come from a fact
            return None
        try:
            return content_of(str(self.folder / component.unit)).cid
        except (NotAFile, OSError):
            return None


class WithOutside:
    """The code of files, and the packages and variables of this process as far as they are there.

    Others say nothing: the code may run elsewhere. Implements `model.validity.Code`.
    """

    def __init__(self, tree: SourceTree, outside: Outside) -> None:
        self._tree = tree
        self._outside = outside

    def current(self, component: Component) -> Content | None:
        """Return what a component is now, None if it is not there."""
        if self._is_here(component):
            return self._outside.content(component, Observations())
        return self._tree.current(component)

    def knows(self, component: Component) -> bool:
        """Whether anything can be said of a component here."""
        return self._is_here(component) or self._tree.knows(component)

    def text(self, component: Component) -> str | None:
        """Return the component's text for people."""
        if self._is_here(component):
            return self._outside.text(component)
        return self._tree.text(component)

    def _is_here(self, component: Component) -> bool:
        return component.path in (PACKAGE, ENV) and not self._outside.is_absent(component)


def _installed(name: str) -> str | None:
    """Return the installed version of a distribution, None if there is none."""
    from importlib import metadata  # it costs 20 ms, and few projects name packages

    try:
        version: str | None = metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
    return version or "unknown"  # its metadata are damaged
