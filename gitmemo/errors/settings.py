"""What goes wrong when settings are named or changed.

Not what a value means (`project.BadSetting`). Invariant: as in `base`.
"""

from __future__ import annotations

from gitmemo.errors.base import GitmemoError


class UnknownSetting(GitmemoError, LookupError):
    """There is no setting of that name."""

    kind = "unknown-setting"
    exit_code = 2

    def __init__(self, name: str, close: tuple[str, ...]) -> None:
        super().__init__(name, close)
        self.name, self.close = name, close

    def problem(self) -> str:
        return f"there is no setting {self.name!r}"

    def remedy(self) -> str:
        if self.close:
            return f"did you mean {' or '.join(map(repr, self.close))}?"
        return "`gitmemo config list` names all settings, docs/reference.md explains them"


class SettingElsewhere(GitmemoError, ValueError):
    """A setting is not changed in this way, or not in this file."""

    kind = "setting-elsewhere"
    exit_code = 2

    def __init__(self, name: str, instead: str) -> None:
        super().__init__(name, instead)
        self.name, self.instead = name, instead

    def problem(self) -> str:
        return f"{self.name} cannot be changed there"

    def remedy(self) -> str:
        return self.instead
