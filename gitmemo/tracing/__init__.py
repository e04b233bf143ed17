"""What a call touches: the project's code as it runs, and what it holds now.

Not the history of that code, not the store. Invariant: watching a program
does not change what it does.
"""

from gitmemo.tracing.capture import AS_FOUND, Capture, Scope, Tracker
from gitmemo.tracing.observations import Probe
from gitmemo.tracing.project import Project
from gitmemo.tracing.state import CodeState

__all__ = ["AS_FOUND", "Capture", "CodeState", "Probe", "Project", "Scope", "Tracker"]
