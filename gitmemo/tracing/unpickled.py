"""Which classes and functions unpickling finds by name while a call runs.

No name of the program leads to them, and none of their own code need run.
Invariant: what is unpickled in the context of a recording, or in a thread
without one, is noted; with doubt in too many recordings, never in too few.
"""

from __future__ import annotations

import sys
import threading
from types import FunctionType

from gitmemo.tracing.recordings import Recording, current_recording

_EVENT = "pickle.find_class"

_PACKAGES = frozenset(
    {"pickle", "cloudpickle", "dill", "shelve", "joblib", "torch", "numpy", "pandas"}
)
_LOADERS = frozenset({"load", "loads", "read_pickle", "Unpickler", "open"})

_lock = threading.Lock()
# Replaced, never changed: the hook reads it while other threads add to it.
_active: tuple[Recording, ...] = ()
_listening = False


def may_unpickle(package: str, name: str) -> bool:
    """Whether what an installed package calls `name` unpickles."""
    return name in _LOADERS and package.partition(".")[0] in _PACKAGES


def listen() -> None:
    """Hear of every unpickling from now on.

    Only where code names one: Python cannot take an audit hook back, and with
    one each reading of a function's `__code__` costs a call.
    """
    global _listening
    with _lock:
        if not _listening:
            sys.addaudithook(_heard)
        _listening = True


def start(recording: Recording) -> None:
    """Begin to note in `recording` what is found."""
    global _active
    if not _listening:
        return
    with _lock:
        _active = (*_active, recording)


def stop(recording: Recording) -> None:
    """Cease to; its parent has it too."""
    global _active
    if not _active:
        return
    with _lock:
        _active = tuple(other for other in _active if other is not recording)
    if recording.parent is not None:
        recording.parent.found.update(recording.found)


def objects(recording: Recording) -> list[type | FunctionType]:
    """Return what was found, as far as it is still there."""
    found: list[type | FunctionType] = []
    for module, name in list(recording.found):
        value: object = sys.modules.get(module)
        for part in name.split("."):
            value = getattr(value, part, None)
        if isinstance(value, type | FunctionType):
            found.append(value)
    return found


def _heard(event: str, arguments: tuple[object, ...]) -> None:
    if event != _EVENT or not _active:
        return
    module, name = arguments
    if isinstance(module, str) and isinstance(name, str):
        current = current_recording()
        for recording in _active if current is None else (current,):
            recording.found[module, name] = None
