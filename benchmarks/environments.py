"""Environments of their own for the peers: made by `python -m benchmarks setup`, or by the first run.

Not what is run in them (`peers`). They lie in `build/peers`, or in the folder that `GITMEMO_BENCH_VENVS`
(or `--venvs`) names. Invariant: nothing is installed into the environment that the caller runs in.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

FOLDER = "GITMEMO_BENCH_VENVS"
ROOT = Path(__file__).resolve().parent.parent
# It runs on no newer pandas, and does not say itself that it imports the others.
_MANDALA_NEEDS = ("pandas<3", "pyarrow", "tqdm", "graphviz", "ipython")
PACKAGES = {
    "joblib": ("joblib==1.6.0", "numpy"),
    "diskcache": ("diskcache==5.6.3", "numpy"),
    "mandala": ("pymandala==0.2.0a0", *_MANDALA_NEEDS),
    "redun": ("redun==0.44.1", "numpy"),
    "dvc": ("dvc==3.67.1", "dvc-s3"),
}
"""What is installed for each peer, by the module that it is imported as; the version that was tried."""


def folder() -> Path:
    """Return where the environments are."""
    return Path(os.environ.get(FOLDER) or ROOT / "build/peers").resolve()


def python_of(module: str) -> str | None:
    """Return the Python that has a peer, if it was installed."""
    place = folder() / module
    if not _is_complete(place, PACKAGES[module]):
        return None
    return str(place / "bin/python")


def program_of(module: str) -> str | None:
    """Return the command of a peer, if it was installed."""
    python = python_of(module)
    return str(Path(python).with_name(module)) if python else None


def set_up(modules: Iterable[str], tell: Callable[[str], None] = print) -> None:
    """Install the peers that are missing; say which could not be."""
    for module in modules:
        if python_of(module) is None:
            tell(f"(installing {' '.join(PACKAGES[module])} in {folder() / module})")
            failure = _install(folder() / module, PACKAGES[module])
            if failure:
                tell(f"({module} could not be installed, so it is not measured: {failure})")


def _install(place: Path, packages: tuple[str, ...]) -> str:
    """Make an environment; return what went wrong, or nothing."""
    python = place / "bin/python"
    commands = [[str(python), "-m", "pip", "install", "-q", *packages]]
    if not python.exists():
        shutil.rmtree(place, ignore_errors=True)
        commands.insert(0, [sys.executable, "-m", "venv", str(place)])
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            return said[-1] if said else f"{command[0]} returned {done.returncode}"
    _marker(place).write_text(_text(packages), encoding="utf-8")
    return ""


def _is_complete(place: Path, packages: tuple[str, ...]) -> bool:
    marker = _marker(place)
    return marker.is_file() and marker.read_text("utf-8") == _text(packages)


def _marker(place: Path) -> Path:
    return place / "installed.txt"  # written last, so that half an installation is made again


def _text(packages: tuple[str, ...]) -> str:
    return "".join(f"{package}\n" for package in packages)
