"""Which code objects ran: the one interface over two ways of finding out.

Python 3.12 and later: `sys.monitoring`. 3.11: one C profiler per call. Not
what the code objects mean (`resolver`). Invariant: a code object that started
in the context of a recording, or in a thread without one, is in its set; with
doubt it is in too many sets, never in too few. What the garbage collector runs is in none:
it comes when it comes, so what it finalizes would be in the sets of other calls each time.
"""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from _lsprof import Profiler  # without the reports that `cProfile` brings along
from functools import cache
from types import CodeType, FrameType
from typing import Any, Protocol

from gitmemo.tracing.recordings import Owner, Recording, Recordings, current_recording

# Any: the type checker sees the oldest Python, which has no such module.
_monitoring: Any = getattr(sys, "monitoring", None)
_TOOL = "gitmemo"


class EventSource(Protocol):
    """Notes own code objects as they start to run."""

    def start(self, recording: Recording) -> None:
        """Begin to fill `recording` with what runs in this context."""

    def stop(self, recording: Recording) -> None:
        """Cease to; the recording is complete, its parent has it too."""


# --- 3.12 and later -------------------------------------------------------------


class MonitoringEvents:
    """`sys.monitoring`: each own code object reports its first start per recording.

    Two tool ids. The first hears once of every code object in the process (a
    global event that disables itself for good) and puts local events of the
    second on those that are ours. The second disables itself at the first
    start and is armed again by the next recording. One id cannot do both: a
    global event that was disabled silences the local one of the same tool.
    """

    def __init__(self) -> None:
        self._recordings = Recordings()
        # Replaced, never changed: callbacks read it while other threads add to it.
        self._owners: tuple[weakref.ref[Owner], ...] = ()
        self._own: dict[int, CodeType] = {}
        self._fired: dict[int, CodeType] = {}
        self._tool = self._discoverer = -1
        self._disable: object = _monitoring.DISABLE
        self._collecting = 0

    def start(self, recording: Recording) -> None:
        with self._recordings.lock:
            if not self._has_tools():
                self._tool, self._discoverer = self._take_tools()
            if not any(owner() is recording.owner for owner in self._owners):
                alive = [owner for owner in self._owners if owner() is not None]
                self._owners = (*alive, weakref.ref(recording.owner))
                # What was passed over as foreign may be of interest now.
                _monitoring.restart_events()
            self._recordings.open(recording)
            self._arm_again()

    def stop(self, recording: Recording) -> None:
        if not self._has_tools():  # the program has freed them
            for every in self._recordings.active:
                every.blind = True
        self._recordings.close(recording)

    def _has_tools(self) -> bool:
        tools = (self._tool, self._discoverer)
        return self._tool >= 0 and all(_monitoring.get_tool(tool) == _TOOL for tool in tools)

    def _take_tools(self) -> tuple[int, int]:
        for tool in (self._tool, self._discoverer):
            if tool >= 0 and _monitoring.get_tool(tool) == _TOOL:  # the one that is left
                _monitoring.free_tool_id(tool)
        free = [tool for tool in (3, 4, 1, 0, 2, 5) if _monitoring.get_tool(tool) is None][:2]
        if len(free) < 2:
            raise RuntimeError("other tools have taken every id of sys.monitoring")
        for tool, callback in zip(free, (self._started, self._discovered), strict=True):
            _monitoring.use_tool_id(tool, _TOOL)
            # A generator made before the call reports when it goes on, not when it starts.
            for event in (_monitoring.events.PY_START, _monitoring.events.PY_RESUME):
                _monitoring.register_callback(tool, event, callback)
        self._own, self._fired = {}, {}
        _monitoring.restart_events()
        _monitoring.set_events(free[1], _started_or_resumed())
        if self._collects not in gc.callbacks:
            gc.callbacks.append(self._collects)
        return free[0], free[1]

    def _collects(self, phase: str, _info: object) -> None:
        # One thread at a time collects, and what it finalizes runs in it.
        self._collecting = threading.get_ident() if phase == "start" else 0

    def _arm_again(self) -> None:
        fired, self._fired = self._fired, {}
        tool, arm, events = self._tool, _monitoring.set_local_events, _started_or_resumed()
        for code in list(fired.values()):
            arm(tool, code, 0)
            arm(tool, code, events)

    def _discovered(self, code: CodeType, _offset: int) -> object:
        if id(code) not in self._own and self._is_own(code.co_filename):
            with self._recordings.lock:
                self._own[id(code)] = code
                self._note(code)
                if not self._has_tools():  # half of them are freed
                    return self._disable
                _monitoring.set_local_events(self._tool, code, _started_or_resumed())
        return self._disable

    def _is_own(self, filename: str) -> bool:
        owners = [owner() for owner in self._owners]
        return any(owner is not None and owner.owns(filename) for owner in owners)

    def _started(self, code: CodeType, _offset: int) -> object:
        if self._is_finalizer():
            return None
        recordings, fired = self._recordings, self._fired
        active = recordings.active
        self._note(code)
        fired[id(code)] = code
        # One start belongs to one call and those around it: the code is heard of until all
        # calls that are under way have it.
        for recording in active:
            if id(code) not in recording.codes and recording.owner.owns(code.co_filename):
                return None
        # If another call has begun meanwhile, or has armed all again, this one must stay
        # armed; no thread can come between the question and the return, as nothing is called.
        if recordings.active is not active or self._fired is not fired:
            return None
        return self._disable

    def _is_finalizer(self) -> bool:
        """Whether the collector runs this code."""
        return self._collecting != 0 and self._collecting == threading.get_ident()

    def _note(self, code: CodeType) -> None:
        if self._is_finalizer():
            return
        recording = current_recording()
        if recording is None:  # a thread that nobody handed a context
            for every in self._recordings.active:
                every.add(code)
        while recording is not None:
            recording.add(code)
            recording = recording.parent


@cache
def _started_or_resumed() -> int:
    events = _monitoring.events
    return int(events.PY_START | events.PY_RESUME)


# --- 3.11 -----------------------------------------------------------------------


class _Profiler(Profiler):
    """A profiler that survives being put back by code that has set another one meanwhile.

    `sys.setprofile(before)` wants a function. It is called at the next event, and goes on in C.

    Attributes:
        was_replaced: It was put back, so that it has not seen all.
    """

    def __init__(self) -> None:
        super().__init__(subcalls=False, builtins=False)
        self.was_replaced = False

    def __call__(self, _frame: FrameType, _event: str, _argument: object) -> None:
        self.was_replaced = True
        self.enable()

    @property
    def has_seen_all(self) -> bool:
        """Whether nothing was set in its place in this thread."""
        running: object = sys.getprofile()
        return running is self and not self.was_replaced


class _Thread(threading.local):
    """What runs in one thread: its profiler, and the recordings that it serves.

    Attributes:
        paused: The profiler while garbage is collected.
        foreign: What profiled before, and is put aside.
    """

    def __init__(self) -> None:
        self.profiler: _Profiler | None = None
        self.paused: _Profiler | None = None
        self.recordings: list[Recording] = []
        self.foreign: Any = None


class ProfilerEvents:
    """The C profiler of the standard library, a fresh one between any two boundaries.

    What a profiler saw goes to every recording of its thread; what threads
    without a recording did goes to all. Threads that existed before the call
    cannot be watched: if one of them serves a pool, the recording is blind. So it
    is if the call sets a profiler of its own.
    """

    def __init__(self) -> None:
        self._recordings = Recordings()
        self._thread = _Thread()
        self._strays: list[tuple[threading.Thread, _Profiler]] = []
        self._hook_before: Any = None
        gc.callbacks.append(self._collects)

    def _collects(self, phase: str, _info: object) -> None:
        """Keep the profiler of this thread, which is what collects, from seeing finalizers."""
        thread = self._thread
        if phase == "start":
            running: object = sys.getprofile()
            if thread.profiler is not None and running is thread.profiler:
                thread.paused = thread.profiler
                thread.paused.disable()
        elif thread.paused is not None:
            profiler, thread.paused = thread.paused, None
            if profiler is thread.profiler:
                profiler.enable()

    def start(self, recording: Recording) -> None:
        thread, recordings = self._thread, self._recordings
        if thread.profiler is None:
            thread.foreign = sys.getprofile()
            if thread.foreign is not None:
                self._put_aside(thread.foreign)
        else:
            self._harvest_thread(thread, thread.profiler)
        thread.recordings.append(recording)
        with recordings.lock:
            recordings.open(recording)
            if len(recordings.active) == 1:
                self._hook_before = threading.getprofile()
                threading.setprofile(self._in_new_thread)
            recording.blind = threading.active_count() > 1 and self._has_unwatched_pool()
        thread.profiler = profiler = _Profiler()
        profiler.enable()

    def stop(self, recording: Recording) -> None:
        thread, recordings = self._thread, self._recordings
        profiler = thread.profiler
        if profiler is None:
            thread.foreign = sys.getprofile()
            if thread.foreign is not None:
                self._put_aside(thread.foreign)
        else:
            left: object = sys.getprofile()
            if left is not None and left is not profiler:
                thread.foreign = left  # the call's own, which it has not ended
            # Here and not in a function: each that runs before costs an entry to make.
            thread.profiler = None  # first, as garbage may be collected at any moment
            is_blind = left is not profiler or profiler.was_replaced
            profiler.disable()
            self._share(thread, profiler, is_blind=is_blind)
        with recordings.lock:
            if self._strays:
                self._harvest_strays()
            if threading.getprofile() != self._in_new_thread:
                recording.blind = True
            elif len(recordings.active) == 1:
                threading.setprofile(self._hook_before)
            if recording in thread.recordings:
                thread.recordings.remove(recording)
            recordings.close(recording)
        if thread.recordings:
            thread.profiler = profiler = _Profiler()
            profiler.enable()
        elif thread.foreign is not None:
            self._give_back(thread)

    def _harvest_thread(self, thread: _Thread, profiler: _Profiler) -> None:
        """Take what this thread's profiler saw."""
        thread.profiler = None
        is_blind = not profiler.has_seen_all
        profiler.disable()
        self._share(thread, profiler, is_blind=is_blind)

    def _share(self, thread: _Thread, profiler: _Profiler, *, is_blind: bool) -> None:
        codes = _codes(profiler)
        for recording in thread.recordings:
            recording.add_all(codes)
            recording.blind |= is_blind

    def _put_aside(self, foreign: object) -> None:
        """Put a foreign profiler aside."""
        if isinstance(foreign, Profiler):
            foreign.disable()
        else:
            sys.setprofile(None)

    def _give_back(self, thread: _Thread) -> None:
        foreign, thread.foreign = thread.foreign, None
        if isinstance(foreign, Profiler):
            foreign.enable()
        elif foreign is not None:
            sys.setprofile(foreign)

    def _in_new_thread(self, frame: FrameType, _event: str, _argument: object) -> None:
        """The first event of a thread born during a call: go on with a C profiler."""
        sys.setprofile(None)
        for recording in self._recordings.active:
            recording.add(frame.f_code)
        profiler = _Profiler()
        self._strays.append((threading.current_thread(), profiler))
        profiler.enable()

    def _harvest_strays(self) -> None:
        for _, profiler in self._strays:
            codes = _codes(profiler)
            for recording in self._recordings.active:
                recording.add_all(codes)
        self._strays = [stray for stray in self._strays if stray[0].is_alive()]

    def _has_unwatched_pool(self) -> bool:
        threads = threading.enumerate()
        watched = {thread for thread, _ in self._strays} | {threading.current_thread()}
        return any(_serves_a_pool(thread) for thread in threads if thread not in watched)


def _serves_a_pool(thread: threading.Thread) -> bool:
    target = getattr(thread, "_target", None)
    module = str(getattr(target, "__module__", ""))
    return module.startswith(("concurrent.", "multiprocessing.", "joblib."))


def _codes(profiler: Profiler) -> list[CodeType]:
    entries: list[Any] = profiler.getstats()
    # What is no code is the name of a builtin.
    return [entry[0] for entry in entries if type(entry[0]) is CodeType]


@cache
def event_source() -> EventSource:
    """Return the one source of this process: tool ids and profilers are scarce."""
    return MonitoringEvents() if sys.version_info >= (3, 12) else ProfilerEvents()
