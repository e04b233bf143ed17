"""The machine and the code that figures are from: what a table of figures begins with."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.environments import ROOT

LOAD_AT_END = "load average at the end"


def describe() -> dict[str, str]:
    """Return what a reader has to know about a run, by what it is called."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": _commit(),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "git": _said("git", "--version").removeprefix("git version "),
        "load average": load(),
    }


def as_line(found: Mapping[str, str]) -> str:
    """Return what was described as one line."""
    return "; ".join(f"{what} {value}" for what, value in found.items())


def load() -> str:
    """Return how busy the machine has been for a minute."""
    return f"{os.getloadavg()[0]:.1f}"


def _commit() -> str:
    revision = _said("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    changed = _said("git", "-C", str(ROOT), "status", "--porcelain", "gitmemo")
    return f"{revision}, and changes" if changed else revision or "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:  # not Linux
        return _said("sysctl", "-n", "machdep.cpu.brand_string") or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:  # no such program here
        return ""
