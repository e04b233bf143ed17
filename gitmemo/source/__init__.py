"""Static reading of code: a text becomes units, each with an id of what it says.

Not the running program (that is `tracing`): nothing here imports user code or
looks at a live object. Invariant: the same text gives the same ids on every
supported Python, whether it comes from a file, a commit or a running process.
"""

from typing import TYPE_CHECKING

from gitmemo.late import loader

if TYPE_CHECKING:
    from gitmemo.source.file import SourceFile
    from gitmemo.source.likeness import renamed_only, same_bytecode
    from gitmemo.source.names import NameUse
    from gitmemo.source.renaming import ModulePlace, blank_source, resolved_source, unit_of_text
    from gitmemo.source.units import ImportedName, Span, Unit, UnitKind

__all__ = [
    "ImportedName",
    "ModulePlace",
    "NameUse",
    "SourceFile",
    "Span",
    "Unit",
    "UnitKind",
    "blank_source",
    "renamed_only",
    "resolved_source",
    "same_bytecode",
    "unit_of_text",
]

__getattr__ = loader(
    __name__,
    file=("SourceFile",),
    likeness=(
        "renamed_only",
        "same_bytecode",
    ),
    names=("NameUse",),
    renaming=(
        "ModulePlace",
        "blank_source",
        "resolved_source",
        "unit_of_text",
    ),
    units=(
        "ImportedName",
        "Span",
        "Unit",
        "UnitKind",
    ),
)
