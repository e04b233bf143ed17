"""What a call touches: the project's code as it runs, and what it holds now.

Not the history of that code, not the store. Invariant: watching a program
does not change what it does. What only reads results loads none of it.
"""

from typing import TYPE_CHECKING

from gitmemo.late import loader

if TYPE_CHECKING:
    from gitmemo.tracing.capture import AS_FOUND, Capture, Scope, Tracker
    from gitmemo.tracing.observations import Probe
    from gitmemo.tracing.project import Project
    from gitmemo.tracing.state import CodeState

__all__ = ["AS_FOUND", "Capture", "CodeState", "Probe", "Project", "Scope", "Tracker"]

__getattr__ = loader(
    __name__,
    capture=("AS_FOUND", "Capture", "Scope", "Tracker"),
    observations=("Probe",),
    project=("Project",),
    state=("CodeState",),
)
