"""What goes wrong with pictures of graphs."""

from __future__ import annotations

from gitmemo.errors.base import GitmemoError


class UnknownPictureFormat(GitmemoError, ValueError):
    """A picture was asked for in a format that gitmemo does not make."""

    kind = "unknown-picture-format"
    exit_code = 2

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def problem(self) -> str:
        return f"there are no pictures in the format {self.name!r}"

    def remedy(self) -> str:
        return (
            "use a name that ends in .svg, .html, .dot, .mmd or .txt, or in .png or .pdf where "
            "Graphviz is installed"
        )


class GraphvizMissing(GitmemoError):
    """A picture needs Graphviz, and it is not there."""

    kind = "graphviz-missing"

    def __init__(self, form: str, reason: str) -> None:
        super().__init__(form, reason)
        self.form, self.reason = form, reason

    def problem(self) -> str:
        return f"this {self.form} picture needs Graphviz: {self.reason}"

    def remedy(self) -> str:
        return (
            "install Graphviz so that `dot` is on the PATH (`apt install graphviz`, "
            "`brew install graphviz`), or write .svg, .html, .dot or .mmd, which need nothing"
        )


class GraphvizFailed(GitmemoError):
    """Graphviz ran and drew nothing."""

    kind = "graphviz-failed"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def problem(self) -> str:
        return f"Graphviz could not draw the graph: {self.reason}"

    def remedy(self) -> str:
        return "write .svg with the engine `own`, or .dot to look at what Graphviz was given"


class PictureNotWritten(GitmemoError, OSError):
    """The file of a picture cannot be written."""

    kind = "picture-not-written"
    exit_code = 2

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def problem(self) -> str:
        return f"the picture {self.path} cannot be written: {self.reason}"

    def remedy(self) -> str:
        return "name a file in a folder that exists and that you may write to"
